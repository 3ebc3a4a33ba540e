//! A small HTTP/1.1 server on a unix socket that can misbehave, for the scripted engine and the fake swarm.
//!
//! One thread accepts connections, and one thread serves each connection. A [`Handler`] turns a request into
//! an [`Answer`], which the server sends completely or broken. It records all requests.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::faults::RequestFault;
pub use super::faults::{Listener, ResponseFault};
pub use super::message::{API_VERSION, Answer, Framing, Request, normal_filters, parse_query};

/// Handles requests. It is called by one thread at a time.
pub trait Handler: Send + 'static {
    fn answer(&mut self, request: &Request) -> Answer;
}

/// A running server. Dropping it ends its threads.
pub struct Server {
    socket: PathBuf,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    _dir: TempDir,
}

struct Shared {
    handler: Mutex<Box<dyn Handler>>,
    log: Mutex<Vec<Request>>,
    listener: Mutex<Listener>,
    connections: AtomicUsize,
    /// The fault of a request that must not arrive completely.
    pending_fault: Mutex<Option<PendingFault>>,
    streams: Mutex<Vec<UnixStream>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    stopping: AtomicBool,
    socket: PathBuf,
}

/// The fault of one request, and how later connections are treated.
struct PendingFault {
    request: usize,
    tear: RequestFault,
    then: Listener,
}

impl Server {
    pub fn start(handler: impl Handler) -> Self {
        // TMPDIR may have a path that is too long for a socket.
        let dir = tempfile::Builder::new().prefix("sctl").tempdir_in("/tmp").expect("a temporary directory");
        let socket = dir.path().join("e.sock");
        let listener = UnixListener::bind(&socket).expect("a unix socket");
        let shared = Arc::new(Shared {
            handler: Mutex::new(Box::new(handler)),
            log: Mutex::default(),
            listener: Mutex::new(Listener::Open),
            connections: AtomicUsize::new(0),
            pending_fault: Mutex::default(),
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

    /// The value of DOCKER_HOST.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.log).clone()
    }

    /// Number of accepted connections.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until this number of requests have arrived. A timeout fails the test.
    pub fn wait_for_requests(&self, count: usize) {
        let start = Instant::now();
        while lock(&self.shared.log).len() < count {
            let log = self.requests().iter().map(Request::line).collect::<Vec<_>>();
            assert!(start.elapsed() < Duration::from_secs(20), "waited for {count} requests, got {log:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Prevents the complete arrival of this request, counted from 1. `then` is how later connections are treated.
    pub fn fail_request(&self, request: usize, tear: RequestFault, then: Listener) {
        *lock(&self.shared.pending_fault) = Some(PendingFault { request, tear, then });
    }

    /// Sets how new connections and new requests are treated.
    pub fn set_listener(&self, listener: Listener) {
        set_shared_listener(&self.shared, listener);
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
        // A connection may have been accepted in the meantime.
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

fn set_shared_listener(shared: &Shared, listener: Listener) {
    *lock(&shared.listener) = listener;
    if listener == Listener::Refusing {
        // Wakes the accepting thread, which then drops its listener.
        let _ = UnixStream::connect(&shared.socket);
    }
}

/// Returns the fault for the next request, if there is one. With `take`, the fault is removed.
fn pending_fault(
    shared: &Shared,
    take: bool,
    is_meant: impl Fn(RequestFault) -> bool,
) -> Option<PendingFault> {
    let next = lock(&shared.log).len() + 1;
    let mut pending_fault = lock(&shared.pending_fault);
    let is_here = pending_fault
        .as_ref()
        .is_some_and(|pending_fault| pending_fault.request == next && is_meant(pending_fault.tear));
    match (is_here, take) {
        (false, _) => None,
        (true, true) => pending_fault.take(),
        (true, false) => pending_fault.as_ref().map(|it| PendingFault { ..*it }),
    }
}

fn accept(listener: &UnixListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        match *lock(&shared.listener) {
            Listener::Open => {}
            Listener::Closing => continue,
            Listener::Refusing => return,
        }
        if let Some(pending_fault) = pending_fault(shared, true, |tear| tear == RequestFault::Unsent) {
            set_shared_listener(shared, pending_fault.then);
            continue;
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

/// Serves a connection until it ends or breaks. The client reports broken connections.
fn serve(stream: &UnixStream, connection: usize, shared: &Arc<Shared>) {
    let mut reader = BufReader::new(Counted { stream, count: 0 });
    loop {
        if let Some(PendingFault { tear: RequestFault::After(bytes), then, .. }) =
            pending_fault(shared, true, |tear| tear != RequestFault::Unsent)
        {
            read_some(stream, bytes);
            set_shared_listener(shared, then);
            break;
        }
        let Some(mut request) = read_request(&mut reader, connection) else { break };
        if *lock(&shared.listener) != Listener::Open {
            // If the server no longer accepts connections, open ones are closed too.
            break;
        }
        let is_last = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let (answer, bytes) = {
            // The handler stays locked while requests are counted, so that their numbers are in the order of
            // the responses.
            let mut handler = lock(&shared.handler);
            request.number = lock(&shared.log).len() + 1;
            let answer = handler.answer(&request);
            let bytes = answer.bytes();
            request.answer_length = bytes.len();
            lock(&shared.log).push(request);
            (answer, bytes)
        };
        if let Some(listener) = answer.then {
            set_shared_listener(shared, listener);
        }
        thread::sleep(answer.delay);
        let mut writer = stream;
        let going_on = match answer.fault {
            Some(ResponseFault::Cut(n)) if n < bytes.len() => {
                let _ = writer.write_all(&bytes[..n]);
                false
            }
            Some(ResponseFault::Garble(n)) if n < bytes.len() => {
                let mut garbled = bytes[..n].to_vec();
                garbled.resize(bytes.len().max(n + 64), 0xff);
                let _ = writer.write_all(&garbled);
                false
            }
            Some(ResponseFault::Stall(n)) => {
                let _ = writer.write_all(&bytes[..n.min(bytes.len())]);
                // This waits until the client or the test ends.
                let _ = reader.read(&mut [0; 1]);
                false
            }
            _ => writer.write_all(&bytes).is_ok() && !answer.closes_after() && !is_last,
        };
        // If the next request must fail before it is sent, the client has to open a new connection for it, so this one is
        // closed.
        if !going_on || pending_fault(shared, false, |tear| tear == RequestFault::Unsent).is_some() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// A stream that counts the bytes read.
struct Counted<'a> {
    stream: &'a UnixStream,
    count: usize,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(into)?;
        self.count += n;
        Ok(n)
    }
}

/// Reads this number of bytes, or fewer if the stream ends.
fn read_some(mut stream: &UnixStream, bytes: usize) {
    let mut buffer = vec![0; bytes];
    let mut got = 0;
    while got < bytes {
        match stream.read(&mut buffer[got..]) {
            Ok(0) | Err(_) => break,
            Ok(n) => got += n,
        }
        let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
    }
}

/// Reads a request; `None` at the end of the stream, or if it is not a request.
fn read_request(reader: &mut BufReader<Counted>, connection: usize) -> Option<Request> {
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
        length: 0,
        answer_length: 0,
    };
    if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        reader.get_mut().stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    request.body = read_body(reader, &request)?;
    // All counted bytes belong to this request, because clients send the next one only after the response.
    request.length = std::mem::take(&mut reader.get_mut().count);
    Some(request)
}

fn read_body(reader: &mut BufReader<Counted>, request: &Request) -> Option<Vec<u8>> {
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

fn read_line(reader: &mut BufReader<Counted>) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some(String::from_utf8_lossy(line).into_owned())
}
