//! Credential helpers: programs that keep credentials, with Docker's protocol (`docker-credential-NAME get`).

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::credentials::{Credentials, CredentialsError, Secret};
use super::error::{Error, Result};
use super::interrupt::Interrupt;

/// How long a helper is waited for; one that asks a person for a passphrase needs a while.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the rest of its words is waited for when it has ended: a child of its own may hold its streams.
const LAST_WORDS: Duration = Duration::from_millis(500);
const LONGEST_ANSWER: u64 = 1 << 20;
const LONGEST_WORDS: usize = 300;
/// How a helper says that it has none, by the protocol.
const NONE: &str = "credentials not found in native keychain";
/// The user name that stands for a token.
const TOKEN: &str = "<token>";

/// Asks the helper of this name for the credentials of a server; `None` where it has none.
///
/// The server's name goes to its stdin and the secret comes from its stdout: neither is in the process list.
pub fn get(
    name: &str,
    server: &str,
    interrupt: &Interrupt,
    left: Option<Duration>,
) -> Result<Option<Credentials>> {
    let program = format!("docker-credential-{name}");
    let failed = |why: String| Error::Credentials(CredentialsError::Helper { program: program.clone(), why });
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(plain) || name.starts_with(['-', '.']) {
        return Err(failed("cannot be one: its name has letters, digits, `-`, `_` and `.` only".to_owned()));
    }
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => failed("is not installed: no folder in PATH has it".to_owned()),
            _ => failed(format!("cannot be started: {e}")),
        })?;
    let (stdout, stderr) = (Words::of(child.stdout.take()), Words::of(child.stderr.take()));
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read it has closed it.
        let _ = stdin.write_all(server.as_bytes());
    }
    let limit = left.map_or(PATIENCE, |left| left.min(PATIENCE));
    let status = match ended(&mut child, interrupt, limit) {
        Ok(Some(status)) => status,
        other => {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            other.map_err(|e| e.unwrap_or_else(|| failed("cannot be waited for".to_owned())))?;
            let words = own_words(&stderr.until_now(), b"");
            return Err(failed(format!("did not answer within {} s{words}", limit.as_secs_f32())));
        }
    };
    let (said, complained) = (stdout.all(), stderr.all());
    if status.success() {
        return credentials(&said).map_err(|why| failed(format!("gave no credentials: {why}")));
    }
    let has_none = |text: &[u8]| String::from_utf8_lossy(text).contains(NONE);
    if has_none(&said) || has_none(&complained) {
        return Ok(None);
    }
    Err(failed(format!("failed ({status}){}", own_words(&said, &complained))))
}

/// Waits for its end; `None` where that does not come in time.
fn ended(
    child: &mut Child,
    interrupt: &Interrupt,
    limit: Duration,
) -> Result<Option<std::process::ExitStatus>, Option<Error>> {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().map_err(|_| None)? {
            return Ok(Some(status));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        interrupt.sleep(pause.min(left))?;
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// What a helper prints where it has credentials. An error does not repeat what was read: it may be a secret.
fn credentials(said: &[u8]) -> Result<Option<Credentials>, String> {
    let answer: Value = serde_json::from_slice(said)
        .map_err(|e| format!("what it printed is no JSON (line {}, column {})", e.line(), e.column()))?;
    let text = |key: &str| match &answer[key] {
        Value::String(text) => Ok(text.clone()),
        _ => Err(format!("what it printed has no `{key}`")),
    };
    let (username, secret) = (text("Username")?, Secret::new(text("Secret")?));
    let found = match username.as_str() {
        TOKEN => Credentials { identity_token: secret, ..Credentials::default() },
        _ => Credentials { username, password: secret, ..Credentials::default() },
    };
    Ok(Some(found).filter(|found| !found.is_empty()))
}

/// What a helper said that gave no credentials: the protocol has the reason on stdout.
fn own_words(first: &[u8], second: &[u8]) -> String {
    let words = [first, second].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    // What looks like an answer may hold a secret.
    let words =
        words.iter().find(|text| !text.is_empty() && !text.contains("Secret") && !text.starts_with('{'));
    match words {
        None => String::new(),
        Some(text) => match text.char_indices().nth(LONGEST_WORDS) {
            Some((end, _)) => format!(": {}...", &text[..end]),
            None => format!(": {text}"),
        },
    }
}

/// A stream, read as it comes, by a thread of its own.
struct Words {
    read: Arc<Mutex<Vec<u8>>>,
    end: mpsc::Receiver<()>,
}

impl Words {
    fn of(stream: Option<impl Read + Send + 'static>) -> Self {
        let read = Arc::new(Mutex::new(Vec::new()));
        let (at_end, end) = mpsc::channel();
        let into = Arc::clone(&read);
        thread::spawn(move || {
            let mut stream = stream.map(|stream| stream.take(LONGEST_ANSWER));
            let mut part = [0; 4096];
            while let Some(Ok(n @ 1..)) = stream.as_mut().map(|stream| stream.read(&mut part)) {
                into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&part[..n]);
            }
            // Nobody listens any more where the helper was not waited for.
            let _ = at_end.send(());
        });
        Self { read, end }
    }

    fn until_now(&self) -> Vec<u8> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn all(&self) -> Vec<u8> {
        // A late end is as good as none.
        let _ = self.end.recv_timeout(LAST_WORDS);
        self.until_now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_elsewhere_is_no_helpers() {
        for name in ["", "../x", "a/b", "-x", ".x", "a b", "a;b", "a\0b", "é"] {
            let error = get(name, "r", &Interrupt::default(), None).unwrap_err().to_string();
            assert!(error.contains("cannot be one"), "{name}: {error}");
        }
        let error = get("no-such-1b7", "r", &Interrupt::default(), None).unwrap_err().to_string();
        assert!(error.contains("`docker-credential-no-such-1b7` is not installed"), "{error}");
    }

    #[test]
    fn reads_a_password_or_a_token() {
        let read = |text: &str| credentials(text.as_bytes()).unwrap();
        let password = read(r#"{"ServerURL": "r", "Username": "ann", "Secret": "p"}"#).unwrap();
        assert_eq!((password.username.as_str(), password.password.show()), ("ann", "p"));
        let token = read(r#"{"Username": "<token>", "Secret": "t"}"#).unwrap();
        assert_eq!((token.username.as_str(), token.identity_token.show()), ("", "t"));
        assert!(read(r#"{"Username": "", "Secret": ""}"#).is_none());
    }

    #[test]
    fn garbage_is_told_without_being_repeated() {
        for text in
            ["sesame", r#""sesame""#, r#"{"Secret": "sesame"}"#, r#"{"Username": 1, "Secret": "sesame"}"#, ""]
        {
            let error = credentials(text.as_bytes()).unwrap_err();
            assert!(!error.contains("sesame"), "{error}");
        }
        assert_eq!(own_words(br#"{"Username":"a","Secret":"sesame"}"#, b"locked\n"), ": locked");
        assert_eq!(own_words(b"", b""), "");
    }
}
