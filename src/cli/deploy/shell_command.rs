//! Commands of the user, which a shell runs in a process group of its own: `--verify` and `--gate`.

use std::collections::VecDeque;
use std::io::{self, PipeReader, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Maximum number of output lines that are kept.
const MAX_LINES: usize = 20;
/// Maximum length of a line in bytes; longer lines are split. All lines together have at most 60 KiB of output.
const MAX_LINE_LEN: usize = 3 << 10;
/// Maximum time to wait for the rest of the output after the command has exited, because its children may keep
/// the pipe open.
const OUTPUT_TIMEOUT: Duration = Duration::from_millis(500);
/// How often to check whether a process group still exists, before it is killed.
const MAX_CHECKS: u32 = 10;
/// Ends the process group `$0`: SIGTERM first, and SIGKILL if it still exists after `$1` waits of `$2` seconds. The
/// script checks the group after each wait, so that it never kills a later group with the same number.
const TERMINATE: &str = "kill -s TERM -- \"-$0\" || exit 0
n=$1
while [ \"$n\" -gt 0 ]; do
  sleep \"$2\"
  kill -s 0 -- \"-$0\" || exit 0
  n=$((n - 1))
done
kill -s KILL -- \"-$0\"";

/// A command that was started.
#[derive(Debug)]
pub struct RunningCommand {
    child: Child,
    lines: Arc<Mutex<LastLines>>,
    /// A channel that is closed at the end of the output.
    ended: Receiver<()>,
}

/// The last lines of the output so far.
#[derive(Debug, Default)]
struct LastLines {
    complete: VecDeque<String>,
    /// The beginning of a line whose end has not been read.
    partial: Vec<u8>,
}

/// The process group of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessGroup(u32);

impl RunningCommand {
    /// Starts `/bin/sh -c COMMAND` with additional variables and an empty stdin. Both output streams share one pipe.
    ///
    /// # Errors
    /// The shell cannot be started.
    pub fn start<'v>(
        command: &str,
        variables: impl IntoIterator<Item = (&'v str, String)>,
    ) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let child = Command::new("/bin/sh")
            .arg("-c")
            .arg(command)
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0)
            .spawn()?;
        let (until_end, ended) = channel();
        let lines = Arc::default();
        let shared = Arc::clone(&lines);
        thread::Builder::new().spawn(move || {
            read_lines(reader, &shared);
            drop(until_end);
        })?;
        Ok(Self { child, lines, ended })
    }

    /// Returns the exit status, if the command has exited.
    ///
    /// # Errors
    /// The operating system does not report the status.
    pub fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Returns the process group.
    pub fn group(&self) -> ProcessGroup {
        ProcessGroup(self.child.id())
    }

    /// Immediately kills the command and all processes of its group. A shell sends the signal, because the standard
    /// library cannot send a signal to a process group.
    pub fn kill(&mut self) {
        // The command may have exited in the meantime.
        let _ = shell("kill -s KILL -- \"-$0\"", &[self.group().0.to_string()]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Returns the last lines of the output, after the command has exited. Waits for the end of the output for at most
    /// [`OUTPUT_TIMEOUT`].
    pub fn last_lines(&self) -> Vec<String> {
        // Nothing is sent on this channel. The wait ends when the channel is closed, or after the timeout.
        let _ = self.ended.recv_timeout(OUTPUT_TIMEOUT);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if !lines.partial.is_empty() {
            lines.end_line();
        }
        lines.complete.iter().cloned().collect()
    }
}

impl ProcessGroup {
    /// Sends SIGTERM, and SIGKILL if processes are left after `grace`. This method does not wait: a shell in the
    /// background sends the signals, even if swarmctl exits.
    pub fn terminate(self, grace: Duration) {
        let wait = format!("{:.3}", (grace / MAX_CHECKS).as_secs_f32());
        let started =
            shell(TERMINATE, &[self.0.to_string(), MAX_CHECKS.to_string(), wait]).process_group(0).spawn();
        if let Ok(mut started) = started {
            thread::spawn(move || started.wait());
        }
    }
}

/// Creates the command for a shell without input and output.
fn shell(script: &str, arguments: &[String]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl LastLines {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' || self.partial.len() == MAX_LINE_LEN {
                self.end_line();
            }
            if *byte != b'\n' {
                self.partial.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        if self.complete.len() == MAX_LINES {
            self.complete.pop_front();
        }
        self.complete.push_back(String::from_utf8_lossy(&self.partial).trim_end().to_owned());
        self.partial.clear();
    }
}

fn read_lines(mut reader: PipeReader, lines: &Mutex<LastLines>) {
    let mut buffer = [0; 8192];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                let read = buffer.get(..length).unwrap_or_default();
                lines.lock().unwrap_or_else(PoisonError::into_inner).add(read);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Describes an exit status other than 0: `exit status 1`.
pub fn describe_exit(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(signal)) => Some(format!("killed by signal {signal}")),
        (None, None) => Some(status.to_string()),
    }
}
