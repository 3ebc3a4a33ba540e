//! Connections over ssh: one process per connection, which runs `docker system dial-stdio` on the remote
//! host.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket as RawSocket, Type};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use super::engine_transport::{EngineTransport, PeerProcess, not_connected};
use super::socket::Socket;
use super::{connect_timeout, describe_duration};
use crate::api::cancellation::Cancellation;
use crate::api::config::endpoint::Ssh;
use crate::api::config::timeouts::Timeouts;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// The maximum number of bytes that are kept of the end of ssh's standard error output.
const MAX_STDERR_LEN: usize = 4096;
/// The maximum length of the head of a response to a ping, in bytes.
const MAX_HEAD_LEN: usize = 16 * 1024;

/// Starts an ssh process for each connection.
pub(super) struct SshConnector {
    ssh: Ssh,
    timeouts: Timeouts,
    cancellation: Cancellation,
}

impl SshConnector {
    /// Creates a connector to the engine on a remote host. Reads and writes end when `cancellation` is set.
    pub(super) fn new(ssh: Ssh, timeouts: Timeouts, cancellation: Cancellation) -> Self {
        Self { ssh, timeouts, cancellation }
    }

    /// Opens a connection and pings the engine through it. No other request is sent before the ping succeeds, so a
    /// failure means that nothing was changed.
    fn open(&self, details: &ConnectionDetails) -> io::Result<EngineTransport> {
        let (local, remote) = RawSocket::pair(Domain::UNIX, Type::STREAM, None)?;
        let mut process = SshProcess::spawn(&self.ssh, remote, self.timeouts.ssh_exit)?;
        let mut socket = Socket::new(local, self.cancellation.clone());
        let limit = connect_timeout(details, self.timeouts.ssh_connect);
        socket.set_deadline(Some(Instant::now() + limit));
        match ping(&mut socket) {
            Ok(()) => Ok(EngineTransport::new(socket, details).with_process(process)),
            Err(PingError::NotHttp(response)) => {
                let message =
                    format!("the response from `{}` is not an engine's: `{response}`", self.ssh.host);
                Err(ConnectError::new(ConnectErrorKind::NotAnEngine, message).into())
            }
            Err(PingError::Socket(e)) => {
                use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
                let is_gone = matches!(e.kind(), BrokenPipe | ConnectionReset | UnexpectedEof);
                let status = if is_gone { process.wait_for_exit() } else { None };
                Err(process.connect_error(&self.ssh.host, limit, status).into())
            }
        }
    }
}

impl Connector for SshConnector {
    type Out = EngineTransport;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<EngineTransport>, Error> {
        self.open(details).map(Some).map_err(not_connected)
    }
}

impl fmt::Debug for SshConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshConnector({})", self.ssh.host)
    }
}

/// A running ssh process. It is killed when this value is dropped.
struct SshProcess {
    child: Child,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// How long to wait for the exit of a process that has closed its output.
    exit_timeout: Duration,
}

impl SshProcess {
    /// Starts ssh. The terminal is inherited, so that ssh can ask for a password.
    fn spawn(ssh: &Ssh, remote: RawSocket, exit_timeout: Duration) -> Result<Self, ConnectError> {
        let failed = |e: io::Error| {
            let message = match e.kind() {
                io::ErrorKind::NotFound => "`ssh` was not found in PATH".to_owned(),
                _ => format!("`ssh` cannot be started: {e}"),
            };
            ConnectError::new(ConnectErrorKind::Ssh, message)
        };
        let input = remote.try_clone().map_err(failed)?;
        let mut child = Command::new("ssh")
            .args(arguments(ssh))
            .stdin(Stdio::from(OwnedFd::from(input)))
            .stdout(Stdio::from(OwnedFd::from(remote)))
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let output = Arc::default();
        if let Some(stderr) = child.stderr.take() {
            let output = Arc::clone(&output);
            // The thread is not joined: a background process that ssh leaves behind may keep the standard error output
            // open for hours.
            thread::Builder::new().spawn(move || collect_stderr(stderr, &output)).map_err(failed)?;
        }
        Ok(Self { child, stderr: output, exit_timeout })
    }

    /// Explains why the connection failed. `status` is the exit status of ssh, if it has exited.
    fn connect_error(&mut self, host: &str, limit: Duration, status: Option<ExitStatus>) -> ConnectError {
        let stderr = self.last_lines();
        let detail = if stderr.is_empty() { String::new() } else { format!(": {stderr}") };
        let (kind, why) = match status.map(|status| (status.code(), status)) {
            None => (
                ConnectErrorKind::Ssh,
                format!("ssh did not reach an engine on `{host}` within {}", describe_duration(limit)),
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
                let why = format!("`docker system dial-stdio` on `{host}` ended with exit code {code}");
                (ConnectErrorKind::Ssh, why)
            }
            Some((None, status)) => (ConnectErrorKind::Ssh, format!("ssh {}", describe_exit(status))),
        };
        ConnectError::new(kind, why + &detail)
    }

    /// Waits for the exit code, at most until the timeout.
    fn wait_for_exit(&mut self) -> Option<ExitStatus> {
        let end = Instant::now() + self.exit_timeout;
        loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(10)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
    }

    /// Returns the last lines of the standard error output.
    fn last_lines(&self) -> String {
        // The end of the output may arrive after the exit code.
        thread::sleep(Duration::from_millis(50));
        let output = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&output);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(6)..].join("\n")
    }
}

impl PeerProcess for SshProcess {
    fn exit_error(&mut self) -> Option<String> {
        let status = self.wait_for_exit().filter(|status| !status.success())?;
        let stderr = self.last_lines();
        let detail = if stderr.is_empty() { String::new() } else { format!(": {stderr}") };
        Some(format!("ssh {}{detail}", describe_exit(status)))
    }
}

impl Drop for SshProcess {
    fn drop(&mut self) {
        // Errors are ignored, because there is nobody to report them to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect_stderr(mut stderr: ChildStderr, output: &Mutex<Vec<u8>>) {
    let mut part = [0; 1024];
    while let Ok(n @ 1..) = stderr.read(&mut part) {
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        output.extend_from_slice(&part[..n]);
        let surplus = output.len().saturating_sub(MAX_STDERR_LEN);
        output.drain(..surplus);
    }
}

fn describe_exit(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended by a {status}"),
    }
}

/// The arguments of ssh, as docker passes them. Words after `--` are not parsed as options.
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
        arguments.push(shell_quoted(&format!("--host=unix://{path}")));
    }
    arguments.extend(["system", "dial-stdio"].map(str::to_owned));
    arguments
}

/// Quotes a word for the shell on the remote host.
fn shell_quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:/.,@+".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

enum PingError {
    Socket(io::Error),
    NotHttp(String),
}

/// Waits until an engine responds at the other end.
fn ping(socket: &mut Socket) -> Result<(), PingError> {
    match socket.write_all(b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n") {
        // If the process has exited, read on: it may have left a message.
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => return Err(PingError::Socket(e)),
        _ => {}
    }
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if socket.read(&mut byte).map_err(PingError::Socket)? == 0 {
            return Err(PingError::Socket(io::ErrorKind::UnexpectedEof.into()));
        }
        head.push(byte[0]);
        let is_http = head.iter().zip(b"HTTP/1.").all(|(got, expected)| got == expected);
        if !is_http && (byte == *b"\n" || head.len() > 200) || head.len() > MAX_HEAD_LEN {
            return Err(PingError::NotHttp(String::from_utf8_lossy(&head).trim().to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::config::endpoint::Endpoint;

    #[test]
    fn the_command_is_dockers_and_the_endpoint_cannot_add_options_or_shell_code() {
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
