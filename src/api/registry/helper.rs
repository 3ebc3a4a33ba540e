//! Credential helpers: programs that store credentials, run with docker's protocol (`docker-credential-NAME
//! get`).

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

/// The maximum size of a helper's output, in bytes. A request header has no room for more.
const MAX_OUTPUT_LEN: usize = 32 << 10;
/// The maximum number of characters and of lines of a helper's message that are shown.
const MAX_MESSAGE_LEN: usize = 300;
const MAX_MESSAGE_LINES: usize = 5;
/// A word of at least this length in a message may be a secret.
const MAX_WORD_LEN: usize = 20;
/// The message of a helper that has no credentials, as the protocol defines it.
const NOT_FOUND_MESSAGE: &str = "credentials not found in native keychain";
/// The user name of an identity token.
const TOKEN_USERNAME: &str = "<token>";

/// The name of the helper's program.
pub fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

/// Runs a helper to get the credentials for a server. `None` if the helper has none.
///
/// The server's name is passed on stdin and the secret is read from stdout, so neither is in the process
/// list. The helper is killed when the command is canceled, at the deadline, or after
/// [`Timeouts::credential_helper`](crate::api::config::timeouts::Timeouts). Its messages are shown without
/// the secrets in `known` and without those in its own output.
pub fn get(name: &str, server: &str, client: &Client, known: &Secrets) -> Result<Option<Credentials>> {
    let (cancellation, timeouts) = (client.cancellation(), client.timeouts());
    let program = program(name);
    let failed = |why: String| -> Error {
        CredentialsError::Helper { program: program.clone(), why, timed_out: false }.into()
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(plain) || name.starts_with(['-', '.']) {
        return Err(failed(
            "is not a valid name: only letters, digits, `-`, `_` and `.` are allowed".to_owned(),
        ));
    }
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => failed(
                "is not installed: no directory in PATH has it, or its first line names a program that does not exist"
                    .to_owned(),
            ),
            _ => failed(format!("cannot be started: {e}")),
        })?;
    let (stdout, stderr) =
        (OutputReader::spawn(child.stdout.take()), OutputReader::spawn(child.stderr.take()));
    if let Some(mut stdin) = child.stdin.take() {
        // Writing fails if the helper closes the pipe without reading. That is not an error.
        let _ = stdin.write_all(server.as_bytes());
    }
    let timeout = timeouts.credential_helper;
    let limit = client.time_left().map_or(timeout, |left| left.min(timeout));
    let status = match wait_for_exit(&mut child, cancellation, limit) {
        Ok(Some(status)) => status,
        other => {
            // Killing fails if the helper has just exited.
            let _ = child.kill();
            let _ = child.wait();
            other.map_err(|e| e.unwrap_or_else(|| failed("cannot be waited for".to_owned())))?;
            let message = describe_failure(&stdout.read_so_far(), &stderr.read_so_far(), known);
            let why = format!("did not respond within {:.0} s{message}", limit.as_secs_f32().ceil());
            return Err(CredentialsError::Helper { program, why, timed_out: true }.into());
        }
    };
    let output = stdout.read_to_end(timeouts.helper_output);
    if output.len() >= MAX_OUTPUT_LEN {
        return Err(failed(format!(
            "did not return credentials: it printed more than {} KiB",
            MAX_OUTPUT_LEN >> 10
        )));
    }
    if status.success() {
        return credentials(&output).map_err(|why| failed(format!("did not return credentials: {why}")));
    }
    // Ctrl-C on a terminal ends the helper too. Report a cancellation, not a failed helper.
    cancellation.check()?;
    let error_output = stderr.read_to_end(timeouts.helper_output);
    let has_none = |text: &[u8]| String::from_utf8_lossy(text).contains(NOT_FOUND_MESSAGE);
    if has_none(&output) || has_none(&error_output) {
        return Ok(None);
    }
    let ending = status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"));
    Err(failed(format!("failed ({ending}){}", describe_failure(&output, &error_output, known))))
}

/// Waits for the exit of the helper. `None` after the timeout.
fn wait_for_exit(
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

/// Parses the output of a helper: one JSON object, possibly followed by more text, which docker ignores.
/// Errors do not quote the output, which may contain a secret.
fn credentials(output: &[u8]) -> Result<Option<Credentials>, String> {
    let response = match serde_json::Deserializer::from_slice(output).into_iter::<Value>().next() {
        Some(Ok(response)) => response,
        Some(Err(e)) => {
            return Err(format!("its output is not JSON (line {}, column {})", e.line(), e.column()));
        }
        None => return Err("it printed nothing".to_owned()),
    };
    let text = |key: &str| match &response[key] {
        Value::String(text) => Ok(text.clone()),
        _ => Err(format!("its output has no `{key}`")),
    };
    let (username, secret) = (text("Username")?, Secret::new(text("Secret")?));
    let found = match username.as_str() {
        TOKEN_USERNAME => Credentials { identity_token: secret, ..Credentials::default() },
        _ => Credentials { username, password: secret, ..Credentials::default() },
    };
    Ok(Some(found).filter(|found| !found.is_empty()))
}

/// The message of a helper that failed. The protocol puts it on stdout.
fn describe_failure(output: &[u8], error_output: &[u8], known: &Secrets) -> String {
    let message = [output, error_output].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    let secrets = known.with(message.iter().flat_map(|text| find_secrets(text)));
    // A JSON object is not an error message, and may contain a secret.
    let Some(message) = message.iter().find(|text| !text.is_empty() && !text.starts_with('{')) else {
        return String::new();
    };
    let message = secrets.hide(message);
    let first: Vec<&str> = message.lines().take(MAX_MESSAGE_LINES).collect();
    let shown: String = first.join("\n").chars().take(MAX_MESSAGE_LEN).collect();
    let dots = if shown.len() < message.len() { "..." } else { "" };
    format!(": {shown}{dots}")
}

/// Finds the values of anything called secret, password or token: `"Secret": "..."` (also truncated, or
/// inside a JSON string) and `secret=...`. Also finds what follows `Basic` and `Bearer`, as in a header, and
/// `-u NAME:`, as in a curl command.
fn find_secrets(text: &str) -> Vec<Secret> {
    let lower = text.to_ascii_lowercase();
    let behind = |names: &'static [&'static str]| {
        let ends = names.iter().flat_map(|name| lower.match_indices(name).map(|(at, name)| at + name.len()));
        ends.map(|end| &text[end..]).collect::<Vec<_>>()
    };
    let named = behind(&["secret", "password", "token"]).into_iter().filter_map(value_of);
    let in_headers = behind(&["basic ", "bearer "]).into_iter().filter_map(first_unusual_word);
    let in_commands = behind(&["-u ", "--user ", "--user="]).into_iter().filter_map(|rest| {
        let pair =
            rest.trim_start_matches(['"', '\'']).split(|c: char| c.is_whitespace() || is_quote(c)).next()?;
        Some(pair.split_once(':')?.1)
    });
    named.chain(in_headers).chain(in_commands).map(|value| Secret::new(value.to_owned())).collect()
}

/// The value after a name and `=` or `:`. After `=` or `:` with a blank, an unquoted ordinary word is not taken
/// for a value, as in `token: expired`.
fn value_of(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(is_quote).trim_start().strip_prefix(['=', ':'])?;
    let unquoted = rest.trim_start();
    match unquoted.trim_start_matches('\\').chars().next().filter(|c| matches!(c, '"' | '\'')) {
        // Inside a JSON string a quote is escaped.
        Some(quote) if unquoted.starts_with('\\') => {
            unquoted.trim_start_matches('\\')[1..].split(['\\', quote]).next()
        }
        Some(quote) => unquoted[1..].split(quote).next(),
        None if unquoted.len() < rest.len() => first_unusual_word(unquoted),
        None => rest.split(is_end).next(),
    }
}

/// The first word of a text, unless it is an ordinary word.
fn first_unusual_word(text: &str) -> Option<&str> {
    let first = text.split(is_end).next()?.trim_end_matches(['.', ':', '"', '\'']);
    let is_word = first.chars().all(|c| c.is_ascii_alphabetic() || c == '\'') && first.len() < MAX_WORD_LEN;
    Some(first).filter(|_| !is_word)
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '}' | ')')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\')
}

/// Reads the output of a process in a separate thread.
struct OutputReader {
    read: Arc<Mutex<Vec<u8>>>,
    end: mpsc::Receiver<()>,
}

impl OutputReader {
    fn spawn(stream: Option<impl Read + Send + 'static>) -> Self {
        let read = Arc::new(Mutex::new(Vec::new()));
        let (done, end) = mpsc::channel();
        let into = Arc::clone(&read);
        thread::spawn(move || {
            let mut stream = stream;
            let mut part = [0; 4096];
            let mut length = 0;
            while length < MAX_OUTPUT_LEN
                && let Some(Ok(n @ 1..)) = stream.as_mut().map(|stream| stream.read(&mut part))
            {
                length += n;
                into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&part[..n]);
            }
            // Sending fails if the `OutputReader` has been dropped.
            let _ = done.send(());
        });
        Self { read, end }
    }

    fn read_so_far(&self) -> Vec<u8> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read_to_end(&self, timeout: Duration) -> Vec<u8> {
        // A timeout is not an error: the output so far is used.
        let _ = self.end.recv_timeout(timeout);
        self.read_so_far()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::config::connection::ConnectionSettings;

    fn failure(name: &str) -> String {
        let client = Client::new(ConnectionSettings::default(), Cancellation::default(), None);
        get(name, "r", &client, &Secrets::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_name_with_a_path_is_not_a_helper() {
        for name in ["", "..", "../x", "a/b", "-x", ".x", "a b", "a;b", "a\0b", "a\nb", "é"] {
            let error = failure(name);
            assert!(error.contains("is not a valid name"), "{name}: {error}");
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
    fn errors_about_invalid_output_do_not_quote_it() {
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
    fn messages_are_shown_without_secrets() {
        let known = Secrets::new([Secret::new("other-secret".to_owned())]);
        for (output, error_output, message) in [
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
            assert_eq!(describe_failure(output.as_bytes(), error_output.as_bytes(), &known), message);
        }
        let many = describe_failure("y\n".repeat(1000).as_bytes(), b"", &known);
        assert_eq!(many, ": y\ny\ny\ny\ny...");
        let long = describe_failure("é".repeat(1000).as_bytes(), b"", &known);
        assert_eq!(long.chars().count(), 2 + MAX_MESSAGE_LEN + 3);
    }
}
