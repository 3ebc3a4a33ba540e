//! Credential helpers: programs that keep credentials, with Docker's protocol (`docker-credential-NAME get`).

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::cancellation::Cancellation;
use crate::api::config::credentials::Credentials;
use crate::api::config::redact::{Secret, Secrets};
use crate::api::error::{CredentialsError, Error, Result};
use crate::api::http::client::Client;

/// What is printed beyond this many bytes is not read: as a header it would be more than a request can hold.
const LONGEST_ANSWER: usize = 32 << 10;
/// How many characters and lines of its words are shown.
const LONGEST_WORDS: usize = 300;
const MOST_LINES: usize = 5;
/// No word of a sentence has so many letters.
const LONGEST_WORD: usize = 20;
/// How a helper says that it has none, by the protocol.
const NONE: &str = "credentials not found in native keychain";
/// The user name that stands for a token.
const TOKEN: &str = "<token>";

/// The program that is the helper of this name.
pub fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

/// Asks the helper of this name for the credentials of a server; `None` where it has none.
///
/// The server's name goes to its stdin and the secret comes from its stdout: neither is in the process list. It is
/// waited for until a signal comes or the time that is left is up, [`Timeouts::credential_helper`](crate::api::config::timeouts::Timeouts) at most. Its words are told without
/// the secrets that are `known`, and those that it printed itself.
pub fn get(name: &str, server: &str, client: &Client, known: &Secrets) -> Result<Option<Credentials>> {
    let (cancellation, timeouts) = (client.cancellation(), client.timeouts());
    let program = program(name);
    let failure = |why, hangs| CredentialsError::Helper { program: program.clone(), why, hangs }.into();
    let failed = |why: String| -> Error { failure(why, false) };
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
            io::ErrorKind::NotFound => failed(
                "is not installed: no folder in PATH has it, or its first line names a program that is not there"
                    .to_owned(),
            ),
            _ => failed(format!("cannot be started: {e}")),
        })?;
    let (stdout, stderr) = (Words::of(child.stdout.take()), Words::of(child.stderr.take()));
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read it has closed it.
        let _ = stdin.write_all(server.as_bytes());
    }
    let patience = timeouts.credential_helper;
    let limit = client.time_left().map_or(patience, |left| left.min(patience));
    let status = match ended(&mut child, cancellation, limit) {
        Ok(Some(status)) => status,
        other => {
            // It may have ended just now.
            let _ = child.kill();
            let _ = child.wait();
            other.map_err(|e| e.unwrap_or_else(|| failed("cannot be waited for".to_owned())))?;
            let words = own_words(&stdout.until_now(), &stderr.until_now(), known);
            let why = format!("did not answer within {:.0} s{words}", limit.as_secs_f32().ceil());
            return Err(failure(why, true));
        }
    };
    let said = stdout.all(timeouts.helper_output);
    if said.len() >= LONGEST_ANSWER {
        return Err(failed(format!(
            "gave no credentials: it printed more than {} KiB",
            LONGEST_ANSWER >> 10
        )));
    }
    if status.success() {
        return credentials(&said).map_err(|why| failed(format!("gave no credentials: {why}")));
    }
    // On a terminal a signal reaches the helper too.
    cancellation.check()?;
    let complained = stderr.all(timeouts.helper_output);
    let has_none = |text: &[u8]| String::from_utf8_lossy(text).contains(NONE);
    if has_none(&said) || has_none(&complained) {
        return Ok(None);
    }
    Err(failed(format!("failed ({status}){}", own_words(&said, &complained, known))))
}

/// Waits for its end; `None` where that does not come in time.
fn ended(
    child: &mut Child,
    cancellation: &Cancellation,
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
        cancellation.sleep(pause.min(left))?;
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// What a helper prints where it has credentials: one object, and docker cares for nothing behind it. An error does
/// not repeat what was read: it may be a secret.
fn credentials(said: &[u8]) -> Result<Option<Credentials>, String> {
    let answer = match serde_json::Deserializer::from_slice(said).into_iter::<Value>().next() {
        Some(Ok(answer)) => answer,
        Some(Err(e)) => {
            return Err(format!("its output is not JSON (line {}, column {})", e.line(), e.column()));
        }
        None => return Err("it printed nothing".to_owned()),
    };
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
fn own_words(said: &[u8], complained: &[u8], known: &Secrets) -> String {
    let words = [said, complained].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    let secrets = known.and(words.iter().flat_map(|text| named_secrets(text)));
    // An answer after all is no reason, and holds a secret.
    let Some(words) = words.iter().find(|text| !text.is_empty() && !text.starts_with('{')) else {
        return String::new();
    };
    let words = secrets.hide(words);
    let first: Vec<&str> = words.lines().take(MOST_LINES).collect();
    let shown: String = first.join("\n").chars().take(LONGEST_WORDS).collect();
    let dots = if shown.len() < words.len() { "..." } else { "" };
    format!(": {shown}{dots}")
}

/// The values of what is called a secret, a password or a token in a text: `"Secret": "..."`, also cut off or within a
/// text of JSON, and `secret=...`; what follows `Basic` and `Bearer`, as in a header, and `-u NAME:`, as curl takes it.
fn named_secrets(text: &str) -> Vec<Secret> {
    let lower = text.to_ascii_lowercase();
    let behind = |names: &'static [&'static str]| {
        let ends = names.iter().flat_map(|name| lower.match_indices(name).map(|(at, name)| at + name.len()));
        ends.map(|end| &text[end..]).collect::<Vec<_>>()
    };
    let named = behind(&["secret", "password", "token"]).into_iter().filter_map(value_of);
    let in_headers = behind(&["basic ", "bearer "]).into_iter().filter_map(first_no_word);
    let in_commands = behind(&["-u ", "--user ", "--user="]).into_iter().filter_map(|rest| {
        let pair =
            rest.trim_start_matches(['"', '\'']).split(|c: char| c.is_whitespace() || is_quote(c)).next()?;
        Some(pair.split_once(':')?.1)
    });
    named.chain(in_headers).chain(in_commands).map(|value| Secret::new(value.to_owned())).collect()
}

/// The value behind a name: in quotes, right behind its `=` or `:`, or behind a blank where it is no word.
fn value_of(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(is_quote).trim_start().strip_prefix(['=', ':'])?;
    let unquoted = rest.trim_start();
    match unquoted.trim_start_matches('\\').chars().next().filter(|c| matches!(c, '"' | '\'')) {
        // Within a text of JSON a quote has a backslash before it.
        Some(quote) if unquoted.starts_with('\\') => {
            unquoted.trim_start_matches('\\')[1..].split(['\\', quote]).next()
        }
        Some(quote) => unquoted[1..].split(quote).next(),
        None if unquoted.len() < rest.len() => first_no_word(unquoted),
        None => rest.split(is_end).next(),
    }
}

/// What a text begins with, where it is no word of a sentence.
fn first_no_word(text: &str) -> Option<&str> {
    let first = text.split(is_end).next()?.trim_end_matches(['.', ':', '"', '\'']);
    let is_word = first.chars().all(|c| c.is_ascii_alphabetic() || c == '\'') && first.len() < LONGEST_WORD;
    Some(first).filter(|_| !is_word)
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '}' | ')')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\')
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
            let mut stream = stream;
            let mut part = [0; 4096];
            let mut length = 0;
            while length < LONGEST_ANSWER
                && let Some(Ok(n @ 1..)) = stream.as_mut().map(|stream| stream.read(&mut part))
            {
                length += n;
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

    fn all(&self, wait: Duration) -> Vec<u8> {
        // A late end is as good as none.
        let _ = self.end.recv_timeout(wait);
        self.until_now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::config::connection::Connection;

    fn failure(name: &str) -> String {
        let client = Client::new(Connection::default(), Cancellation::default(), None);
        get(name, "r", &client, &Secrets::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_no_helpers() {
        for name in ["", "..", "../x", "a/b", "-x", ".x", "a b", "a;b", "a\0b", "a\nb", "é"] {
            let error = failure(name);
            assert!(error.contains("cannot be one"), "{name}: {error}");
        }
        let error = failure("no-such-1b7");
        assert!(error.contains("`docker-credential-no-such-1b7` is not installed"), "{error}");
    }

    #[test]
    fn reads_a_password_or_a_token() {
        let read = |text: &str| credentials(text.as_bytes()).unwrap();
        let password =
            read("{\"ServerURL\": \"r\", \"Username\": \"ann\", \"Secret\": \"p\"}\nand more").unwrap();
        assert_eq!((password.username.as_str(), password.password.show()), ("ann", "p"));
        let token = read(r#"{"Username": "<token>", "Secret": "t"}"#).unwrap();
        assert_eq!((token.username.as_str(), token.identity_token.show()), ("", "t"));
        assert!(read(r#"{"Username": "", "Secret": ""}"#).is_none());
    }

    #[test]
    fn garbage_is_told_without_being_repeated() {
        for text in [
            "sesame",
            r#""sesame""#,
            r#"["sesame"]"#,
            r#"{"Secret": "sesame"}"#,
            r#"{"Username": 1, "Secret": "sesame"}"#,
            " ",
        ] {
            let error = credentials(text.as_bytes()).unwrap_err();
            assert!(!error.contains("sesame"), "{error}");
        }
    }

    #[test]
    fn its_own_words_are_told_without_secrets() {
        let known = Secrets::new([Secret::new("other-secret".to_owned())]);
        for (said, complained, words) in [
            (r#"{"Username":"a","Secret":"sesame"}"#, "locked\n", ": locked"),
            (
                r#"{"Username":"a","Secret":"sesame"}"#,
                "it is sesame, and locked",
                ": it is (hidden), and locked",
            ),
            (r#"{"Username":"a","Secret": "sesame"#, "it is sesame", ": it is (hidden)"),
            ("no: {Secret:sesame}", "", ": no: {Secret:(hidden)}"),
            ("password=sesame; locked", "", ": password=(hidden); locked"),
            ("other-secret does not fit", "", ": (hidden) does not fit"),
            (
                r#"msg="unexpected {\"Username\":\"ann\",\"Secret\":\"s3same=1\"}""#,
                "",
                r#": msg="unexpected {\"Username\":\"ann\",\"Secret\":\"(hidden)\"}""#,
            ),
            ("+ curl -u ann:sesame https://r/v2/", "", ": + curl -u ann:(hidden) https://r/v2/"),
            ("+ curl --user 'ann:sesame' r", "", ": + curl --user 'ann:(hidden)' r"),
            ("> Authorization: Basic YW5uOnNlc2E=", "", ": > Authorization: Basic (hidden)"),
            ("token: tok-abcdef rejected", "", ": token: (hidden) rejected"),
            ("token: expired. Basic auth is off", "", ": token: expired. Basic auth is off"),
            ("SecretService: the keyring is locked", "", ": SecretService: the keyring is locked"),
            ("no password: the keyring is locked", "", ": no password: the keyring is locked"),
            ("", "", ""),
        ] {
            assert_eq!(own_words(said.as_bytes(), complained.as_bytes(), &known), words);
        }
        let many = own_words("y\n".repeat(1000).as_bytes(), b"", &known);
        assert_eq!(many, ": y\ny\ny\ny\ny...");
        let long = own_words("é".repeat(1000).as_bytes(), b"", &known);
        assert_eq!(long.chars().count(), 2 + LONGEST_WORDS + 3);
    }
}
