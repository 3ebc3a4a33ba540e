//! Runs swarmctl as a user would, in a clean environment and with a time limit.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::exit::Exit;
use super::{schema, secrets};

/// Locked for reading by tests that load the machine, and for writing by tests that measure time.
static LOAD: RwLock<()> = RwLock::new(());

/// Lets a test load the machine while the guard is held. Hold it only for a short time.
pub fn load() -> RwLockReadGuard<'static, ()> {
    LOAD.read().unwrap_or_else(PoisonError::into_inner)
}

/// Lets a test measure time: while the guard is held, no other test loads the machine.
pub fn quiet() -> RwLockWriteGuard<'static, ()> {
    LOAD.write().unwrap_or_else(PoisonError::into_inner)
}

/// The variable that shortens timeouts in builds with debug assertions.
const TIMEOUTS: &str = "SWARMCTL_TEST_TIMEOUTS";

/// A command line that has not been started.
pub struct Swarmctl {
    command: Command,
    stdin: Option<String>,
    limit: Duration,
}

/// swarmctl with these arguments, in an environment without the user's variables and with a home that does not exist.
pub fn swarmctl<S: Into<OsString>>(args: impl IntoIterator<Item = S>) -> Swarmctl {
    // scripts/reliability tests the release build.
    let program = std::env::var_os("SWARMCTL_TEST_PROGRAM");
    let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_swarmctl").into()));
    command.args(args.into_iter().map(Into::into));
    swarmctl_by(command)
}

/// Runs swarmctl through another command.
pub fn swarmctl_by(mut command: Command) -> Swarmctl {
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env(TIMEOUTS, "broken_read=200")
        .env("TZ", "UTC")
        // The journal is off, because tests count requests and break the Nth one. Tests of the journal turn it on.
        .env("SWARMCTL_JOURNAL", "off");
    Swarmctl { command, stdin: None, limit: Duration::from_secs(100) }
}

impl Swarmctl {
    /// Sets DOCKER_HOST.
    pub fn host(self, host: impl AsRef<str>) -> Self {
        self.env("DOCKER_HOST", host.as_ref())
    }

    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    /// Shortens timeouts, in milliseconds: `unavailable=1500,connect=300`. The names are those of the
    /// program's `Timeouts`. Release builds ignore this.
    pub fn timeouts(self, assignments: &str) -> Self {
        self.env(TIMEOUTS, assignments)
    }

    /// Sets the current directory.
    pub fn current_dir(mut self, directory: &std::path::Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// Sets the time after which swarmctl is killed and the test fails.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub fn spawn(mut self) -> Running {
        self.command.stdout(Stdio::piped());
        self.start()
    }

    /// Runs swarmctl with a pipe as stdout that its reader has already closed.
    pub fn run_into_closed_pipe(mut self) -> Run {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.command.stdout(writer);
        self.start().wait()
    }

    fn start(self) -> Running {
        let Self { mut command, stdin, limit } = self;
        let shown = format!("{command:?}");
        let shown =
            shown.split_once("/swarmctl\"").map_or(shown.clone(), |(_, args)| format!("swarmctl{args}"));
        let typed = typed(&command);
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().expect("swarmctl can be started");
        // Closes the copies of the child's handles that this process has.
        drop(command);
        let stdout = child.stdout.take().map(reader);
        let stderr = child.stderr.take().map(reader);
        if let (Some(text), Some(mut input)) = (stdin, child.stdin.take()) {
            // Writing fails if the child ends without reading its input.
            let _ = input.write_all(text.as_bytes());
        }
        drop(child.stdin.take());
        Running { child, stdout, stderr, started, limit, shown, typed }
    }

    pub fn run(self) -> Run {
        self.spawn().wait()
    }
}

fn typed(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args()).map(|word| {
        let word = word.to_string_lossy();
        let is_plain =
            !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "'\"$*;|&<>".contains(c));
        if is_plain { word.into_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn reader(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// A running swarmctl.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    started: Instant,
    limit: Duration,
    shown: String,
    typed: String,
}

impl Running {
    /// Sends a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().expect("kill can be started");
        assert!(status.success(), "kill -s {name} {id}: {status}");
    }

    /// Waits until swarmctl ends. If that takes too long, kills it and fails the test.
    pub fn wait(&mut self) -> Run {
        let mut pause = Duration::from_micros(500);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if self.started.elapsed() > self.limit {
                let _ = self.child.kill();
                let _ = self.child.wait();
                let (stdout, stderr) = self.output();
                panic!(
                    "{} did not end within {:?}\nstdout: {stdout}\nstderr: {stderr}",
                    self.shown, self.limit
                );
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        };
        let took = self.started.elapsed();
        let (stdout, stderr) = self.output();
        for text in [&stdout, &stderr] {
            let secret = secrets::in_text(text);
            assert!(secret.is_none(), "{} shows {secret:?}\nstdout: {stdout}\nstderr: {stderr}", self.shown);
        }
        // After a signal, the last line may be incomplete.
        if status.code().is_some()
            && let Err(why) = schema::check(&self.shown, &stdout, &stderr)
        {
            panic!("{}: {why}\nstdout: {stdout}\nstderr: {stderr}", self.shown);
        }
        Run {
            code: status.code(),
            signal: status.signal(),
            stdout,
            stderr,
            took,
            shown: self.shown.clone(),
            typed: self.typed.clone(),
        }
    }

    fn output(&mut self) -> (String, String) {
        let text = |thread: Option<JoinHandle<Vec<u8>>>| {
            let bytes = thread.map(|thread| thread.join().expect("a reader ends")).unwrap_or_default();
            String::from_utf8(bytes).expect("swarmctl writes UTF-8")
        };
        (text(self.stdout.take()), text(self.stderr.take()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // swarmctl may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The result of a run. A failed check shows all output.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` if a signal ended swarmctl.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
    pub shown: String,
    /// The command line as a user would type it.
    pub typed: String,
}

impl Run {
    /// Requires exit code 0.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.exits(Exit::Done.code())
    }

    /// Requires the exit code of this failure.
    #[track_caller]
    pub fn fails_with(self, failure: Exit) -> Self {
        self.exits(failure.code())
    }

    /// Requires this exit code, which is not an error.
    #[track_caller]
    pub fn answers(self, answer: Exit) -> Self {
        self.exits(answer.code())
    }

    /// Requires this exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        self.exits_one_of(&[code])
    }

    /// Requires one of these exit codes.
    #[track_caller]
    pub fn exits_one_of(self, codes: &[i32]) -> Self {
        let fits = self.code.is_some_and(|code| codes.contains(&code));
        assert!(fits, "wanted exit code {codes:?}\n{}", self.report());
        self
    }

    /// Requires each of these texts on stderr.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "stderr lacks {part:?}\n{}", self.report());
        }
        self
    }

    /// Requires each of these texts on stdout.
    #[track_caller]
    pub fn prints(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stdout.contains(part), "stdout lacks {part:?}\n{}", self.report());
        }
        self
    }

    /// Requires each of these texts on stdout or stderr.
    #[track_caller]
    pub fn shows(self, parts: &[&str]) -> Self {
        for part in parts {
            let shown = self.stdout.contains(part) || self.stderr.contains(part);
            assert!(shown, "neither stdout nor stderr has {part:?}\n{}", self.report());
        }
        self
    }

    /// Forbids these texts on stdout and stderr.
    #[track_caller]
    pub fn never_says(self, parts: &[&str]) -> Self {
        for part in parts {
            let shown = self.stdout.contains(part) || self.stderr.contains(part);
            assert!(!shown, "{part:?} is said\n{}", self.report());
        }
        self
    }

    /// Requires an error in the format of docs/design.md section 5: `error:` first on stderr, nothing on
    /// stdout, no panic.
    #[track_caller]
    pub fn tells_an_error(self) -> Self {
        assert!(
            self.stderr.starts_with("error: "),
            "stderr does not begin with `error: `\n{}",
            self.report()
        );
        assert!(self.stdout.is_empty(), "an error, and yet stdout has something\n{}", self.report());
        self.never_says(&["panicked at", "RUST_BACKTRACE"])
    }

    /// Parses stdout as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("stdout is not one JSON value: {e}\n{}", self.report()))
    }

    pub fn report(&self) -> String {
        format!(
            "{}\nexit code {:?}, signal {:?}, after {:?}\n--- stdout\n{}\n--- stderr\n{}\n---",
            self.shown, self.code, self.signal, self.took, self.stdout, self.stderr
        )
    }
}
