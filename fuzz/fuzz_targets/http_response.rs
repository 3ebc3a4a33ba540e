//! Responses of an engine: the first byte selects the request, the rest is the whole response, head included.

#![no_main]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use swarmctl::api::cancellation::Cancellation;
use swarmctl::api::config::connection::ConnectionSettings;
use swarmctl::api::config::endpoint::Endpoint;
use swarmctl::api::config::timeouts::Timeouts;
use swarmctl::api::http::client::Client;
use swarmctl::api::http::request_path::Path;
use swarmctl::api::resources::{logs, services};

const PONG: &[u8] =
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK";

/// A server on a thread of its own. It answers pings like an engine, and all other requests with the current input.
struct Server {
    socket: String,
    response: Arc<Mutex<Vec<u8>>>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let socket = std::env::temp_dir().join(format!("swarmctl-fuzz-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).expect("a socket");
    let response = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&response);
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let (mut head, mut part) = (Vec::new(), [0; 4096]);
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                match connection.read(&mut part) {
                    Ok(n @ 1..) => head.extend_from_slice(&part[..n]),
                    _ => break,
                }
            }
            let response =
                if head.starts_with(b"GET /_ping ") { PONG.to_vec() } else { shared.lock().unwrap().clone() };
            let _ = connection.write_all(&response);
        }
    });
    Server { socket: socket.display().to_string(), response }
});

fuzz_target!(|input: (u8, &[u8])| {
    let (request, response) = input;
    *SERVER.response.lock().unwrap() = response.to_vec();
    let short = Duration::from_millis(90);
    let timeouts = Timeouts { unavailable: short, broken_read: Duration::ZERO, ..Timeouts::default() };
    let endpoint = Endpoint::parse(&format!("unix://{}", SERVER.socket), None).expect("a socket's address");
    let connection = ConnectionSettings { endpoint, timeouts, ..ConnectionSettings::default() };
    let client = Client::new(connection, Cancellation::default(), None);
    match request % 4 {
        0 => drop(client.get_json::<Value>(&Path::new(&["info"]))),
        1 => drop(services::list(&client, &json!({}))),
        2 => drop(client.post(&Path::new(&["services", "create"]), b"{}", None)),
        _ => {
            let Ok(mut log) = logs::open(
                &client,
                logs::LogScope::Task("t"),
                logs::Framing::Frames,
                &logs::LogQuery::default(),
            ) else {
                return;
            };
            while let Ok(Some(_)) = log.read_message() {}
        }
    }
});
