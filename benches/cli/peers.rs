//! The bare client that posts prepared bodies, and a socket that counts requests.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

/// Writes the first `count` names of the file `names` to another file, and returns its path. `None` if there are fewer.
pub fn first_names(names: &str, count: usize) -> Option<String> {
    let all = fs::read_to_string(names).unwrap();
    let some: Vec<&str> = all.lines().take(count).collect();
    let path = format!("{names}.{count}");
    fs::write(&path, some.join("\n") + "\n").unwrap();
    (some.len() == count).then_some(path)
}

/// The names in a file, one per line.
pub fn names(path: &str) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// Creates copies of the service `like` until there are `count` services. Returns the path of a file with all names.
pub fn grow(socket: &str, names: &str, like: &str, count: usize) -> String {
    let mut connection = Connection::new(socket);
    let (status, service) = connection.send("GET", &format!("/services/{like}"), b"");
    assert_eq!(status, 200);
    let mut spec = serde_json::from_slice::<Value>(&service).unwrap()["Spec"].clone();
    spec["Labels"].as_object_mut().unwrap().retain(|label, _| !label.starts_with("first"));
    let mut all = self::names(names);
    for number in all.len() + 1..=count {
        spec["Name"] = format!("{}{number}", like.trim_end_matches(char::is_numeric)).into();
        let (status, message) = connection.send("POST", "/services/create", spec.to_string().as_bytes());
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&message));
        all.push(spec["Name"].as_str().unwrap().to_owned());
    }
    let path = format!("{names}.all");
    fs::write(&path, all.join("\n") + "\n").unwrap();
    path
}

/// A batch of services. The requests that update them are prepared before each turn.
pub struct Prepared {
    socket: String,
    names: Vec<String>,
    bodies: String,
}

impl Prepared {
    pub fn new(socket: &str, names: &str) -> Self {
        Self { socket: socket.to_owned(), names: self::names(names), bodies: format!("{names}.bodies") }
    }

    /// Reads all services, writes the requests that update them to a file, and returns the command that sends the file.
    pub fn command(&self, image: &str, connections: usize) -> Vec<String> {
        let mut connection = Connection::new(&self.socket);
        let (status, all) = connection.send("GET", "/services", b"");
        assert_eq!(status, 200);
        let all: Vec<Value> = serde_json::from_slice(&all).unwrap();
        let wanted: HashSet<&str> = self.names.iter().map(String::as_str).collect();
        let mut bodies = String::new();
        for service in all {
            if service["Spec"]["Name"].as_str().is_some_and(|name| wanted.contains(name)) {
                let mut spec = service["Spec"].clone();
                spec["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
                let target = format!(
                    "/services/{}/update?version={}",
                    service["ID"].as_str().unwrap(),
                    service["Version"]["Index"]
                );
                bodies += &format!("{target}\n{spec}\n");
            }
        }
        fs::write(&self.bodies, bodies).unwrap();
        let own = std::env::current_exe().unwrap().into_os_string().into_string().unwrap();
        vec![own, "post".into(), self.socket.clone(), connections.to_string(), self.bodies.clone()]
    }
}

/// `post SOCKET CONNECTIONS FILE`: sends all posts of the file over this number of kept-alive connections.
pub fn post_all(args: &[String]) {
    let [socket, connections, bodies] = args else { panic!("post SOCKET CONNECTIONS FILE") };
    let text = fs::read_to_string(bodies).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..connections.parse().unwrap() {
            scope.spawn(|| {
                let mut connection = Connection::new(socket);
                while let Some([target, body]) = lines.chunks(2).nth(next.fetch_add(1, Ordering::Relaxed)) {
                    let (status, message) = connection.send("POST", target, body.as_bytes());
                    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&message));
                }
            });
        }
    });
}

/// One kept-alive connection with a minimal HTTP client.
struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn new(socket: &str) -> Self {
        Self { stream: UnixStream::connect(socket).unwrap(), buffer: Vec::new() }
    }

    fn send(&mut self, method: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).unwrap();
        let head = self.until(b"\r\n\r\n");
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let body = match length {
            Some(length) => self.exactly(length),
            None => self.chunks(),
        };
        (status, body)
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = self.until(b"\r\n");
            let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
            body.extend(self.exactly(size));
            self.exactly(2);
            if size == 0 {
                return body;
            }
        }
    }

    fn until(&mut self, mark: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|window| window == mark) {
                return self.buffer.drain(..at + mark.len()).collect();
            }
            self.more();
        }
    }

    fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            self.more();
        }
        self.buffer.drain(..length).collect()
    }

    fn more(&mut self) {
        let mut part = [0; 65536];
        let read = self.stream.read(&mut part).unwrap();
        assert!(read > 0, "the engine closed the connection");
        self.buffer.extend_from_slice(&part[..read]);
    }
}

/// Runs the command through a proxy socket, and counts the requests that pass through. `None` if there are none.
pub fn count_requests(socket: &str, command: &[String]) -> Option<usize> {
    // The prepared requests of the bare client cannot be sent again, but the file shows how many there are.
    if command.get(1).is_some_and(|word| word == "post") {
        return command.last().map(|bodies| fs::read_to_string(bodies).unwrap().lines().count() / 2);
    }
    let proxy = format!("{socket}.counted");
    let listener = UnixListener::bind(&proxy).unwrap();
    let requests = Arc::new(Mutex::new(0));
    {
        let (requests, socket) = (Arc::clone(&requests), socket.to_owned());
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, engine) = (client.unwrap(), UnixStream::connect(&socket).unwrap());
                let (to_engine, mut from_engine) = (engine.try_clone().unwrap(), engine);
                let mut to_client = client.try_clone().unwrap();
                let requests = Arc::clone(&requests);
                thread::spawn(move || forward(client, to_engine, &requests));
                thread::spawn(move || std::io::copy(&mut from_engine, &mut to_client));
            }
        });
    }
    let through: Vec<String> = command.iter().map(|word| word.replace(socket, &proxy)).collect();
    let status =
        Command::new(&through[0]).args(&through[1..]).stdin(Stdio::null()).stdout(Stdio::null()).status();
    fs::remove_file(&proxy).unwrap();
    assert!(status.unwrap().success(), "{through:?}");
    let requests = *requests.lock().unwrap();
    (requests > 0).then_some(requests)
}

fn forward(mut from: UnixStream, mut to: UnixStream, requests: &Mutex<usize>) {
    const MARK: &[u8] = b" HTTP/1.1\r\n";
    let (mut part, mut kept) = ([0; 65536], Vec::new());
    while let Ok(read @ 1..) = from.read(&mut part) {
        kept.extend_from_slice(&part[..read]);
        *requests.lock().unwrap() += kept.windows(MARK.len()).filter(|window| *window == MARK).count();
        // A mark may be split between two reads.
        kept.drain(..kept.len().saturating_sub(MARK.len() - 1));
        if to.write_all(&part[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}
