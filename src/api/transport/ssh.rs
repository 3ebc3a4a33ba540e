//! ssh: one process a connection, which has docker on the other machine pass bytes on to its engine.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::socket::Line;
use super::wire::{PeerProcess, Wire, not_connected};
use super::{in_words, limit};
use crate::api::cancellation::Cancellation;
use crate::api::config::endpoint::Ssh;
use crate::api::config::timeouts::Timeouts;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// What is kept of ssh's words, from their end.
const WORDS: usize = 4096;
/// An engine's answer to a ping has a shorter head.
const LONGEST_HEAD: usize = 16 * 1024;

/// Starts ssh for each connection.
pub struct SshConnector {
    ssh: Ssh,
    timeouts: Timeouts,
    cancellation: Cancellation,
}

impl SshConnector {
    /// Connections go to the engine of this machine; waits end when `interrupt` is raised.
    pub fn new(ssh: Ssh, timeouts: Timeouts, cancellation: Cancellation) -> Self {
        Self { ssh, timeouts, cancellation }
    }

    /// A connection counts as made when the engine has answered a ping: what fails before has changed nothing.
    fn wire(&self, details: &ConnectionDetails) -> io::Result<Wire> {
        let (near, far) = Socket::pair(Domain::UNIX, Type::STREAM, None)?;
        let mut process = Process::start(&self.ssh, far, self.timeouts.ssh_exit)?;
        let mut line = Line::new(near, self.cancellation.clone());
        let limit = limit(details, self.timeouts.ssh_connect);
        line.until(Some(Instant::now() + limit));
        match ping(&mut line) {
            Ok(()) => Ok(Wire::new(line, details).with_process(process)),
            Err(Failed::NoHttp(words)) => {
                let words = format!("what answers on `{}` is not an engine: `{words}`", self.ssh.host);
                Err(ConnectError::new(ConnectErrorKind::NotAnEngine, words).into())
            }
            Err(Failed::Line(e)) => {
                use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
                let is_gone = matches!(e.kind(), BrokenPipe | ConnectionReset | UnexpectedEof);
                Err(process.obstacle(&self.ssh.host, limit, is_gone).into())
            }
        }
    }
}

impl Connector for SshConnector {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Wire>, Error> {
        self.wire(details).map(Some).map_err(not_connected)
    }
}

impl fmt::Debug for SshConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshConnector({})", self.ssh.host)
    }
}

/// A running ssh. It ends with this value.
struct Process {
    child: Child,
    words: Arc<Mutex<Vec<u8>>>,
    /// A process that has closed its output exits within this time, or is not waited for.
    exit_timeout: Duration,
}

impl Process {
    /// Its terminal stays ours, so that it can ask for a password there.
    fn start(ssh: &Ssh, far: Socket, exit_timeout: Duration) -> Result<Self, ConnectError> {
        let failed = |e: io::Error| {
            let words = match e.kind() {
                io::ErrorKind::NotFound => "`ssh` was not found in PATH".to_owned(),
                _ => format!("`ssh` cannot be started: {e}"),
            };
            ConnectError::new(ConnectErrorKind::Ssh, words)
        };
        let input = far.try_clone().map_err(failed)?;
        let mut child = Command::new("ssh")
            .args(arguments(ssh))
            .stdin(Stdio::from(OwnedFd::from(input)))
            .stdout(Stdio::from(OwnedFd::from(far)))
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let words = Arc::default();
        if let Some(stderr) = child.stderr.take() {
            let words = Arc::clone(&words);
            // Left to itself: what ssh leaves behind in the background may hold its stderr for hours.
            thread::Builder::new().spawn(move || listen(stderr, &words)).map_err(failed)?;
        }
        Ok(Self { child, words, exit_timeout })
    }

    /// Why there is no connection.
    fn obstacle(&mut self, host: &str, limit: Duration, is_gone: bool) -> ConnectError {
        let status = if is_gone { self.farewell() } else { None };
        let words = self.words();
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        let (kind, why) = match status.map(|status| (status.code(), status)) {
            None => (
                ConnectErrorKind::Ssh,
                format!("ssh did not get to an engine on `{host}` within {}", in_words(limit)),
            ),
            Some((Some(255), _)) => (ConnectErrorKind::Ssh, format!("ssh cannot connect to `{host}`")),
            Some((Some(127), _)) => (
                ConnectErrorKind::DockerNotInstalled,
                format!("`docker` was not found in the PATH of `{host}`"),
            ),
            Some((Some(0), _)) => (
                ConnectErrorKind::Ssh,
                format!("`docker system dial-stdio` on `{host}` exited without a message"),
            ),
            Some((Some(code), _)) => {
                let why = format!("`docker system dial-stdio` on `{host}` ended with exit status {code}");
                (ConnectErrorKind::Ssh, why)
            }
            Some((None, status)) => (ConnectErrorKind::Ssh, format!("ssh {}", ending(status))),
        };
        ConnectError::new(kind, why + &said)
    }

    /// Its exit status, if it ends by itself.
    fn farewell(&mut self) -> Option<ExitStatus> {
        let end = Instant::now() + self.exit_timeout;
        loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(10)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
    }

    /// The last lines of what it said.
    fn words(&self) -> String {
        // The last of it may come after the exit status.
        thread::sleep(Duration::from_millis(50));
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&words);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(6)..].join("\n")
    }
}

impl PeerProcess for Process {
    fn exit_error(&mut self) -> Option<String> {
        let status = self.farewell().filter(|status| !status.success())?;
        let words = self.words();
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        Some(format!("ssh {}{said}", ending(status)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(mut stderr: ChildStderr, words: &Mutex<Vec<u8>>) {
    let mut part = [0; 1024];
    while let Ok(n @ 1..) = stderr.read(&mut part) {
        let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
        words.extend_from_slice(&part[..n]);
        let surplus = words.len().saturating_sub(WORDS);
        words.drain(..surplus);
    }
}

fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit status {code}"),
        None => format!("was ended by a {status}"),
    }
}

/// As docker has it; what follows `--` is no option, whatever it looks like.
fn arguments(ssh: &Ssh) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(user) = &ssh.user {
        arguments.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(port) = ssh.port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    arguments.extend(["-o", "ConnectTimeout=30", "-T", "--", &ssh.host, "docker"].map(str::to_owned));
    if let Some(path) = &ssh.path {
        arguments.push(quoted(&format!("--host=unix://{path}")));
    }
    arguments.extend(["system", "dial-stdio"].map(str::to_owned));
    arguments
}

/// For the shell on the other machine, which all this goes through.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:/.,@+".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

enum Failed {
    Line(io::Error),
    NoHttp(String),
}

/// Waits until an engine answers at the other end.
fn ping(line: &mut Line) -> Result<(), Failed> {
    match line.write_all(b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n") {
        // Who has gone may have left some words.
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => return Err(Failed::Line(e)),
        _ => {}
    }
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if line.read(&mut byte).map_err(Failed::Line)? == 0 {
            return Err(Failed::Line(io::ErrorKind::UnexpectedEof.into()));
        }
        head.push(byte[0]);
        let is_http = head.iter().zip(b"HTTP/1.").all(|(got, wanted)| got == wanted);
        if !is_http && (byte == *b"\n" || head.len() > 200) || head.len() > LONGEST_HEAD {
            return Err(Failed::NoHttp(String::from_utf8_lossy(&head).trim().to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::config::endpoint::Endpoint;

    #[test]
    fn the_command_is_dockers_and_nothing_in_it_is_an_option_or_for_the_shell() {
        for (host, command) in [
            ("ssh://h", "-o ConnectTimeout=30 -T -- h docker system dial-stdio"),
            ("ssh://me@h:22", "-l me -p 22 -o ConnectTimeout=30 -T -- h docker system dial-stdio"),
            (
                "ssh://h/run/docker.sock",
                "-o ConnectTimeout=30 -T -- h docker --host=unix:///run/docker.sock system dial-stdio",
            ),
            (
                "ssh://[::1]/a'$(b);c",
                r"-o ConnectTimeout=30 -T -- ::1 docker '--host=unix:///a'\''$(b);c' system dial-stdio",
            ),
        ] {
            let Ok(Endpoint::Ssh(ssh)) = Endpoint::parse(host, None) else { panic!("{host}") };
            assert_eq!(arguments(&ssh).join(" "), command);
        }
    }
}
