//! HTTP proxies, used as Go's clients use them: a CONNECT tunnel for TLS, otherwise requests in absolute form
//! (RFC 9112).

use std::io::{self, Read, Write};

use super::socket::Socket;
use crate::api::config::endpoint::Tcp;
use crate::api::config::proxy::Proxy;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// The maximum length of a proxy's response to CONNECT, in bytes.
const MAX_HEAD_LEN: usize = 16 * 1024;

/// The error of a proxy that cannot be reached.
pub fn unreachable(proxy: &Proxy, error: &io::Error) -> ConnectError {
    ConnectError::new(ConnectErrorKind::Proxy, format!("the proxy `{proxy}` cannot be reached: {error}"))
}

/// Asks the proxy to open a tunnel to the engine.
pub fn tunnel(socket: &mut Socket, proxy: &Proxy, tcp: &Tcp) -> io::Result<()> {
    let to = tcp.authority();
    let failed =
        |why: String| ConnectError::new(ConnectErrorKind::Proxy, format!("the proxy `{proxy}` {why}"));
    let no_response = |e: io::Error| failed(format!("did not respond: {e}"));
    let credentials = authorization(proxy);
    let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{credentials}\r\n");
    socket.write_all(request.as_bytes()).map_err(no_response)?;
    // Read byte by byte: the bytes after the head belong to the engine.
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD_LEN || socket.read(&mut byte).map_err(no_response)? == 0 {
            return Err(failed("closed the connection".to_owned()).into());
        }
        head.push(byte[0]);
    }
    let first = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    match first.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)) {
        Some(status) if status.starts_with('2') => Ok(()),
        status => {
            let mut error = failed(format!("did not connect to `{to}`: `{first}`"));
            if status == Some("407") {
                error.kind = ConnectErrorKind::ProxyAuthentication;
            }
            Err(error.into())
        }
    }
}

/// Rewrites requests to the absolute form that a proxy requires: `GET http://engine:2375/_ping`.
pub struct ProxyRewriter {
    origin: String,
    credentials: String,
    is_request_start: bool,
}

impl ProxyRewriter {
    /// Creates a rewriter for requests to this engine.
    pub fn new(proxy: &Proxy, tcp: &Tcp) -> Self {
        Self {
            origin: format!("http://{}", tcp.authority()),
            credentials: authorization(proxy),
            is_request_start: true,
        }
    }

    /// Returns the bytes to send instead of `part`. The first part of a request must contain its complete
    /// head.
    pub fn rewrite(&mut self, part: &[u8]) -> Vec<u8> {
        let mut rewritten = part.to_vec();
        if std::mem::take(&mut self.is_request_start) {
            let at = |what: &[u8]| part.windows(what.len()).position(|there| there == what);
            if let (Some(method), Some(line_end)) = (at(b" "), at(b"\r\n")) {
                rewritten.splice(line_end + 2..line_end + 2, self.credentials.bytes());
                rewritten.splice(method + 1..method + 1, self.origin.bytes());
            }
        }
        rewritten
    }

    /// Marks the start of the next request. Called after a response was received.
    pub fn start_request(&mut self) {
        self.is_request_start = true;
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
        let mut rewriter = ProxyRewriter::new(&proxy, &tcp);
        let rewritten = |rewriter: &mut ProxyRewriter, part: &str| {
            String::from_utf8(rewriter.rewrite(part.as_bytes())).unwrap()
        };
        let head =
            "GET http://[fd00::1]:5/_ping HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\nhost: x\r\n\r\n";
        for _ in 0..2 {
            assert_eq!(rewritten(&mut rewriter, "GET /_ping HTTP/1.1\r\nhost: x\r\n\r\n"), head);
            assert_eq!(rewritten(&mut rewriter, "a b\r\n"), "a b\r\n");
            rewriter.start_request();
        }
    }
}
