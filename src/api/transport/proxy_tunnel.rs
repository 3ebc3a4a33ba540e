//! By way of an HTTP proxy: a tunnel for TLS, else requests that name the engine, as Go's clients do it.

use std::io::{self, Read, Write};

use super::socket::Line;
use crate::api::config::endpoint::Tcp;
use crate::api::config::proxy::Proxy;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// A proxy's answer to CONNECT is shorter.
const LONGEST_HEAD: usize = 16 * 1024;

/// The proxy itself could not be reached.
pub fn unreachable(proxy: &Proxy, error: &io::Error) -> ConnectError {
    ConnectError::new(ConnectErrorKind::Proxy, format!("the proxy `{proxy}` cannot be reached: {error}"))
}

/// Has the proxy make a connection to the engine through which everything goes.
pub fn tunnel(line: &mut Line, proxy: &Proxy, tcp: &Tcp) -> io::Result<()> {
    let to = tcp.authority();
    let failed =
        |why: String| ConnectError::new(ConnectErrorKind::Proxy, format!("the proxy `{proxy}` {why}"));
    let broke = |e: io::Error| failed(format!("did not answer: {e}"));
    let credentials = authorization(proxy);
    let ask = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{credentials}\r\n");
    line.write_all(ask.as_bytes()).map_err(broke)?;
    // Byte by byte: what comes after the head belongs to the engine.
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST_HEAD || line.read(&mut byte).map_err(broke)? == 0 {
            return Err(failed("closed the connection".to_owned()).into());
        }
        head.push(byte[0]);
    }
    let first = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    match first.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)) {
        Some(status) if status.starts_with('2') => Ok(()),
        _ => Err(failed(format!("did not connect to the engine: `{first}`")).into()),
    }
}

/// Puts the engine's address into the head of each request, for a proxy that reads them.
pub struct Heads {
    to: String,
    credentials: String,
    is_next: bool,
}

impl Heads {
    /// For requests to this engine.
    pub fn new(proxy: &Proxy, tcp: &Tcp) -> Self {
        Self { to: format!("http://{}", tcp.authority()), credentials: authorization(proxy), is_next: true }
    }

    /// What is to be sent instead: the first part of a request holds its whole head.
    pub fn fill(&mut self, part: &[u8]) -> Vec<u8> {
        let mut filled = part.to_vec();
        if std::mem::take(&mut self.is_next) {
            let at = |what: &[u8]| part.windows(what.len()).position(|there| there == what);
            if let (Some(method), Some(line)) = (at(b" "), at(b"\r\n")) {
                filled.splice(line + 2..line + 2, self.credentials.bytes());
                filled.splice(method + 1..method + 1, self.to.bytes());
            }
        }
        filled
    }

    /// An answer has come: what is sent now begins the next request.
    pub fn next(&mut self) {
        self.is_next = true;
    }
}

fn authorization(proxy: &Proxy) -> String {
    let header = |value: &String| format!("Proxy-Authorization: {value}\r\n");
    proxy.authorization.as_ref().map(header).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::config::endpoint::Endpoint;

    #[test]
    fn a_request_names_the_engine_once_however_many_parts_it_has() {
        let Ok(Endpoint::Tcp(tcp)) = Endpoint::parse("tcp://[fd00::1]:5", None) else { panic!() };
        let proxy = Proxy { host: "p".into(), port: 1, authorization: Some("Basic eA==".into()) };
        let mut heads = Heads::new(&proxy, &tcp);
        let filled = |heads: &mut Heads, part: &str| String::from_utf8(heads.fill(part.as_bytes())).unwrap();
        let head =
            "GET http://[fd00::1]:5/_ping HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\nhost: x\r\n\r\n";
        for _ in 0..2 {
            assert_eq!(filled(&mut heads, "GET /_ping HTTP/1.1\r\nhost: x\r\n\r\n"), head);
            assert_eq!(filled(&mut heads, "a b\r\n"), "a b\r\n");
            heads.next();
        }
    }
}
