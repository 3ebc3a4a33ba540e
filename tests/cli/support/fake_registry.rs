//! A registry with scripted responses on a TCP port, with or without TLS, and a proxy that connects host names to it.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::certificates::{Authority, CertifiedKey};
use super::relay::Relay;
use super::server::{Answer, Handler, Request, Server};

/// A registry. It ends when it is dropped.
pub struct FakeRegistry {
    server: Server,
    relay: Relay,
}

struct Script<F>(F);

impl<F: FnMut(&Request) -> Answer + Send + 'static> Handler for Script<F> {
    fn answer(&mut self, request: &Request) -> Answer {
        (self.0)(request)
    }
}

impl FakeRegistry {
    /// Starts a registry with HTTP.
    pub fn plain(answer: impl FnMut(&Request) -> Answer + Send + 'static) -> Self {
        let server = Server::start(Script(answer));
        let relay = Relay::without_tls(server.socket());
        Self { server, relay }
    }

    /// Starts a registry with HTTPS and this certificate. With `clients`, it requires a client certificate of this
    /// authority.
    pub fn tls(
        own: &CertifiedKey,
        clients: Option<&Authority>,
        answer: impl FnMut(&Request) -> Answer + Send + 'static,
    ) -> Self {
        let server = Server::start(Script(answer));
        let relay = Relay::tls(server.socket(), own, clients);
        Self { server, relay }
    }

    /// Address and port, as in an image reference.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.relay.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.relay.port
    }

    /// The name of an image in this registry.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// The request lines of all requests.
    pub fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Request::line).collect()
    }
}

/// A tag list: `{"name": ..., "tags": [...]}`.
pub fn tags<T: AsRef<str>>(tags: &[T]) -> Answer {
    let tags: Vec<&str> = tags.iter().map(AsRef::as_ref).collect();
    Answer::json(200, serde_json::json!({ "name": "shop/web", "tags": tags }).to_string())
}

/// An error in the format of registries.
pub fn refused(status: u16, code: &str, message: &str) -> Answer {
    let error = serde_json::json!({ "errors": [{ "code": code, "message": message }] });
    Answer::json(status, error.to_string())
}

/// A 401 with a challenge.
pub fn unauthorized(challenge: &str) -> Answer {
    refused(401, "UNAUTHORIZED", "authentication required").header("WWW-Authenticate", challenge)
}

/// An HTTP proxy that connects host names to local ports, whatever port is requested.
pub struct Proxy {
    pub url: String,
}

impl Proxy {
    /// Starts a proxy. It ends with the test process.
    pub fn start(names: &[(&str, u16)]) -> Self {
        let names: HashMap<String, u16> =
            names.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let names = names.clone();
                // The client reports broken connections.
                thread::spawn(move || drop(connect(stream, &names)));
            }
        });
        Self { url: format!("http://127.0.0.1:{port}") }
    }
}

fn connect(mut client: TcpStream, names: &HashMap<String, u16>) -> io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let name = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(':').next()).unwrap_or_default();
    let Some(port) = names.get(name) else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    };
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let _ = io::copy(&mut server, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = up.join();
    Ok(())
}
