//! A small HTTP/1.1 server on a unix socket, as bad as a test wants it: the ground under the scripted engine
//! and the fake swarm.
//!
//! One thread accepts, one thread serves a connection. A [`Handler`] turns a request into an [`Answer`]; the
//! server writes it, whole or broken, and keeps a record of every request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use serde_json::Value;
use tempfile::TempDir;

/// The API version of every engine that these tests play.
pub const API_VERSION: &str = "1.41";

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// Counted from 1 over all connections of the server.
    pub number: usize,
    /// The connection it came on, counted from 1.
    pub connection: usize,
    pub method: String,
    /// The path as sent: escapes are kept.
    pub path: String,
    /// The query, unescaped, in the order sent.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Instant,
    /// How many bytes a whole answer to it has; 0 until it is answered.
    pub answer_length: usize,
}

impl Request {
    /// The method and the request target, as in an access log.
    pub fn line(&self) -> String {
        let query: Vec<String> = self.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, query.join("&"))
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter in the query.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; a body that is no UTF-8 fails the test.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a request body is UTF-8")
    }

    /// The body as JSON; a body that is none fails the test.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{}: body is no JSON: {e}", self.line()))
    }

    /// The path without its `/v1.41`.
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

/// What comes back for a request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Besides `Date`, `Content-Type` and the framing, which every answer has, and `Api-Version`, which is put
    /// before them where it is not among them.
    pub headers: Vec<(String, String)>,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    pub framing: Framing,
    pub fault: Option<Fault>,
    /// Waited before the first byte.
    pub delay: Duration,
    /// What later connections meet; `None`: as before.
    pub then: Option<Door>,
    /// The engine's clock; `None`: the machine's.
    pub date: Option<jiff::Timestamp>,
}

/// How the end of the body is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// As Go's server does it: `Content-Length` up to 2048 bytes, chunks above.
    Auto,
    Length,
    Chunked,
    /// `Connection: close` and the end of the stream.
    UntilClose,
    /// A `Content-Length` of this value, whatever the body has; the connection is closed after it.
    WrongLength(usize),
    /// Chunks whose sizes are no numbers.
    BadChunks,
    /// The body is the whole answer: nothing is put before it, the connection is closed after it.
    Raw,
}

/// What goes wrong with an answer: after so many bytes of the whole answer, head and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed; after 0 bytes that is a close before the answer.
    Cut(usize),
    /// Nothing more comes, the connection stays.
    Stall(usize),
    /// The rest is bytes that are no HTTP, no JSON and no UTF-8; then the connection is closed.
    Garble(usize),
}

/// What a new connection meets, and the next request on one that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Open,
    /// Accepted and closed at once.
    Closing,
    /// Nobody listens any more: connection refused.
    Refusing,
}

impl Answer {
    /// An answer with a JSON text as its body, byte for byte.
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

    /// The engine's way to refuse: `{"message": ...}`.
    pub fn error(status: u16, message: &str) -> Self {
        Self::json(status, serde_json::json!({ "message": message }).to_string() + "\n")
    }

    /// The answer to `/_ping`.
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

    pub fn broken(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub fn then(mut self, door: Door) -> Self {
        self.then = Some(door);
        self
    }

    /// The bytes of the whole answer.
    fn bytes(&self) -> Vec<u8> {
        if self.framing == Framing::Raw {
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

    fn closes_after(&self) -> bool {
        matches!(
            self.framing,
            Framing::UntilClose | Framing::WrongLength(_) | Framing::BadChunks | Framing::Raw
        )
    }
}

/// Answers requests; called by one thread at a time.
pub trait Handler: Send + 'static {
    fn answer(&mut self, request: &Request) -> Answer;
}

/// A listening server. It ends, with all its threads, when it is dropped.
pub struct Server {
    socket: PathBuf,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    _dir: TempDir,
}

struct Shared {
    handler: Mutex<Box<dyn Handler>>,
    log: Mutex<Vec<Request>>,
    door: Mutex<Door>,
    connections: AtomicUsize,
    streams: Mutex<Vec<UnixStream>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    stopping: AtomicBool,
    socket: PathBuf,
}

impl Server {
    pub fn start(handler: impl Handler) -> Self {
        // Not the system's temporary folder: on macOS its path is too long for a socket's.
        let dir = tempfile::Builder::new().prefix("sctl").tempdir_in("/tmp").expect("a temporary folder");
        let socket = dir.path().join("e.sock");
        let listener = UnixListener::bind(&socket).expect("a unix socket");
        let shared = Arc::new(Shared {
            handler: Mutex::new(Box::new(handler)),
            log: Mutex::default(),
            door: Mutex::new(Door::Open),
            connections: AtomicUsize::new(0),
            streams: Mutex::default(),
            threads: Mutex::default(),
            stopping: AtomicBool::new(false),
            socket: socket.clone(),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { socket, shared, acceptor: Some(acceptor), _dir: dir }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What DOCKER_HOST has to be.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.log).clone()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until this many requests have arrived; a test that waits in vain fails.
    pub fn wait_for_requests(&self, count: usize) {
        let start = Instant::now();
        while lock(&self.shared.log).len() < count {
            let log = self.requests().iter().map(Request::line).collect::<Vec<_>>();
            assert!(start.elapsed() < Duration::from_secs(20), "waited for {count} requests, got {log:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// From now on new connections and new requests meet this.
    pub fn door(&self, door: Door) {
        set_door(&self.shared, door);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let _ = UnixStream::connect(&self.socket);
        for stream in lock(&self.shared.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        // Once more: a connection may have come in between.
        for stream in lock(&self.shared.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let threads: Vec<_> = lock(&self.shared.threads).drain(..).collect();
        for thread in threads {
            let _ = thread.join();
        }
    }
}

pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set_door(shared: &Shared, door: Door) {
    *lock(&shared.door) = door;
    if door == Door::Refusing {
        // Wakes the acceptor, which then drops its listener.
        let _ = UnixStream::connect(&shared.socket);
    }
}

fn accept(listener: &UnixListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        match *lock(&shared.door) {
            Door::Open => {}
            Door::Closing => continue,
            Door::Refusing => return,
        }
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        lock(&shared.streams).push(stream.try_clone().expect("a stream can be cloned"));
        let thread = thread::spawn({
            let shared = Arc::clone(shared);
            move || serve(&stream, connection, &shared)
        });
        lock(&shared.threads).push(thread);
    }
}

/// Serves one connection to its end. A broken connection is the client's affair, never the server's error.
fn serve(stream: &UnixStream, connection: usize, shared: &Arc<Shared>) {
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read_request(&mut reader, connection) {
        if *lock(&shared.door) != Door::Open {
            // A connection from before is no way around a closed door.
            break;
        }
        let is_last = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let (answer, bytes) = {
            // The handler's lock is held over the count, so that the numbers are in the order of the answers.
            let mut handler = lock(&shared.handler);
            request.number = lock(&shared.log).len() + 1;
            let answer = handler.answer(&request);
            let bytes = answer.bytes();
            request.answer_length = bytes.len();
            lock(&shared.log).push(request);
            (answer, bytes)
        };
        if let Some(door) = answer.then {
            set_door(shared, door);
        }
        thread::sleep(answer.delay);
        let mut writer = stream;
        let going_on = match answer.fault {
            Some(Fault::Cut(n)) if n < bytes.len() => {
                let _ = writer.write_all(&bytes[..n]);
                false
            }
            Some(Fault::Garble(n)) if n < bytes.len() => {
                let mut garbled = bytes[..n].to_vec();
                garbled.resize(bytes.len().max(n + 64), 0xff);
                let _ = writer.write_all(&garbled);
                false
            }
            Some(Fault::Stall(n)) => {
                let _ = writer.write_all(&bytes[..n.min(bytes.len())]);
                // Until the client or the test goes away.
                let _ = reader.read(&mut [0; 1]);
                false
            }
            _ => writer.write_all(&bytes).is_ok() && !answer.closes_after() && !is_last,
        };
        if !going_on {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// Reads one request; `None` at the end of the stream or where what comes is no request.
fn read_request(reader: &mut BufReader<&UnixStream>, connection: usize) -> Option<Request> {
    let first = read_line(reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), parse_query(query)),
        None => (target, Vec::new()),
    };
    let mut request = Request {
        number: 0,
        connection,
        method,
        path,
        query,
        headers,
        body: Vec::new(),
        at: Instant::now(),
        answer_length: 0,
    };
    if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    request.body = read_body(reader, &request)?;
    Some(request)
}

fn read_body(reader: &mut BufReader<&UnixStream>, request: &Request) -> Option<Vec<u8>> {
    if request.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(read_line(reader)?.trim(), 16).ok()?;
            let mut chunk = vec![0; size];
            reader.read_exact(&mut chunk).ok()?;
            read_line(reader)?;
            if size == 0 {
                return Some(body);
            }
            body.extend(chunk);
        }
    }
    let length = request.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn read_line(reader: &mut BufReader<&UnixStream>) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some(String::from_utf8_lossy(line).into_owned())
}

/// The parameters of a query, unescaped, in their order.
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

/// The `filters` of a query as JSON: Docker's two forms, a list or a map to true, come out as the same.
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
