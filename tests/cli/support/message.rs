//! Requests as a server receives them, and responses.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::faults::{Listener, ResponseFault};

/// The API version of the engines that the tests imitate, unless a test sets another one.
pub const API_VERSION: &str = "1.41";

/// A request as the server received it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The number of the request, counted from 1 over all connections of the server.
    pub number: usize,
    /// The number of the connection, counted from 1.
    pub connection: usize,
    pub method: String,
    /// The path as it was sent, with escapes.
    pub path: String,
    /// The query, unescaped, in the order in which it was sent.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The size of head and body in bytes.
    pub length: usize,
    /// The size of the complete response in bytes; 0 before the response.
    pub answer_length: usize,
}

impl Request {
    /// Method and request target, as in an access log.
    pub fn line(&self) -> String {
        let query: Vec<String> = self.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, query.join("&"))
    }

    /// Returns a header. Names are not case-sensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns a parameter of the query.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text. Invalid UTF-8 fails the test.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a request body is UTF-8")
    }

    /// Returns the body as JSON. Invalid JSON fails the test.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{}: body is no JSON: {e}", self.line()))
    }

    /// The path without the API version.
    pub fn endpoint(&self) -> &str {
        let rest = self.path.strip_prefix("/v").and_then(|rest| rest.split_once('/'));
        match rest {
            Some((version, _)) if version.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
                &self.path[version.len() + 2..]
            }
            _ => &self.path,
        }
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Headers in addition to `Date`, `Content-Type` and the framing, which all responses have. `Api-Version` is added
    /// unless it is given.
    pub headers: Vec<(String, String)>,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    pub framing: Framing,
    pub fault: Option<ResponseFault>,
    /// Delay before the first byte.
    pub delay: Duration,
    /// How later connections are treated; `None`: as before.
    pub then: Option<Listener>,
    /// The engine's time; `None`: the local time.
    pub date: Option<jiff::Timestamp>,
}

/// How the end of the body is determined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Like Go's server: `Content-Length` for up to 2048 bytes, chunks for more.
    Auto,
    Length,
    Chunked,
    /// `Connection: close`: the body ends with the stream.
    UntilClose,
    /// A `Content-Length` with this value; the connection is closed afterwards.
    WrongLength(usize),
    /// Chunks with invalid sizes.
    BadChunks,
    /// The body is sent as the complete response, and no head is added; the connection is closed afterwards.
    Raw,
    /// The body is sent as the complete response, and no head is added; the connection stays open.
    RawKept,
}

impl Answer {
    /// A response with a JSON body, byte for byte.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: "application/json",
            body: body.into(),
            framing: Framing::Auto,
            fault: None,
            delay: Duration::ZERO,
            then: None,
            date: None,
        }
    }

    /// An error in the engine's format: `{"message": ...}`.
    pub fn error(status: u16, message: &str) -> Self {
        Self::json(status, serde_json::json!({ "message": message }).to_string() + "\n")
    }

    /// An HTML page, as from a proxy.
    pub fn page(status: u16) -> Self {
        let words = reason(status);
        let page = format!(
            "<html><body><h1>{status} {words}</h1>\nAdministrative rules forbid it.\n</body></html>\n"
        );
        Self { content_type: "text/html", ..Self::json(status, page) }
    }

    /// A line of plain text, as from a proxy.
    pub fn line(status: u16, text: &str) -> Self {
        Self { content_type: "text/plain; charset=utf-8", ..Self::json(status, format!("{text}\n")) }
    }

    /// The response to `/_ping`.
    pub fn pong() -> Self {
        Self { content_type: "text/plain; charset=utf-8", ..Self::json(200, "OK") }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub fn broken(mut self, fault: ResponseFault) -> Self {
        self.fault = Some(fault);
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub fn then(mut self, listener: Listener) -> Self {
        self.then = Some(listener);
        self
    }

    /// The bytes of the complete response.
    pub(super) fn bytes(&self) -> Vec<u8> {
        if matches!(self.framing, Framing::Raw | Framing::RawKept) {
            return self.body.clone();
        }
        let date = self.date.unwrap_or_else(jiff::Timestamp::now);
        let date =
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).expect("a date");
        let own_version = self.headers.iter().any(|(name, _)| name == "Api-Version");
        let version = if own_version { String::new() } else { format!("Api-Version: {API_VERSION}\r\n") };
        let mut head = format!(
            "HTTP/1.1 {} {}\r\n{version}Content-Type: {}\r\nDocker-Experimental: false\r\nOstype: linux\r\n\
             Server: Docker/20.10.24 (linux)\r\nDate: {date}\r\n",
            self.status,
            reason(self.status),
            self.content_type,
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let chunked = match self.framing {
            Framing::Auto => self.body.len() > 2048,
            Framing::Chunked | Framing::BadChunks => true,
            _ => false,
        };
        match &self.framing {
            _ if chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
            Framing::UntilClose => head.push_str("Connection: close\r\n"),
            Framing::WrongLength(said) => head.push_str(&format!("Content-Length: {said}\r\n")),
            _ => head.push_str(&format!("Content-Length: {}\r\n", self.body.len())),
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if self.framing == Framing::BadChunks {
            bytes.extend_from_slice(b"zz\r\n");
            bytes.extend_from_slice(&self.body);
            bytes.extend_from_slice(b"\r\n-5\r\n\r\n");
        } else if chunked {
            for chunk in self.body.chunks(700) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }

    pub(super) fn closes_after(&self) -> bool {
        matches!(
            self.framing,
            Framing::UntilClose | Framing::WrongLength(_) | Framing::BadChunks | Framing::Raw
        )
    }
}
/// Parses a query to unescaped parameters, in order.
pub fn parse_query(query: &str) -> Vec<(String, String)> {
    let unescape = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(key), unescape(value))
        })
        .collect()
}

/// Parses `filters`. Docker has two formats, a list of values and an object with `true` for each value. Both have the
/// same result.
pub fn normal_filters(text: &str) -> Option<Value> {
    let Ok(Value::Object(filters)) = serde_json::from_str(text) else { return None };
    let mut normal = serde_json::Map::new();
    for (key, values) in filters {
        let mut values: Vec<String> = match values {
            Value::Array(list) => list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
            Value::Object(map) => {
                map.into_iter().filter(|(_, on)| *on == Value::Bool(true)).map(|(key, _)| key).collect()
            }
            _ => return None,
        };
        values.sort();
        normal.insert(key, values.into());
    }
    normal.sort_keys();
    Some(Value::Object(normal))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        301 => "Moved Permanently",
        400 => "Bad Request",
        404 => "Not Found",
        409 => "Conflict",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Whatever",
    }
}
