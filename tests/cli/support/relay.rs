//! A TCP port in front of a scripted engine's unix socket, with or without TLS or a proxy.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion, sign};

use super::certificates::{Authority, CertifiedKey};
use super::server::lock;

/// How the port in front of the engine behaves.
enum RelayMode {
    Plain,
    /// TCP that rejects TLS handshakes.
    NoTls,
    /// TCP that answers a TLS handshake as an HTTP server written in Go does.
    HttpOnly,
    Tls(Arc<ServerConfig>),
    /// An HTTP proxy that creates tunnels and forwards requests with an absolute URL. It answers CONNECT with
    /// this status line.
    Proxy(&'static str),
    /// Accepts connections and sends nothing.
    Silent,
}

/// A TCP port that forwards connections to an engine. It is closed, with all connections, when it is dropped.
pub struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    front: RelayMode,
    socket: PathBuf,
    connections: AtomicUsize,
    /// Number of response bytes that were forwarded.
    answered: AtomicUsize,
    /// When to close a connection.
    cut: Mutex<Option<CutOff>>,
    stopping: AtomicBool,
    /// The request lines that the proxy received, each with its credentials.
    asked: Mutex<Vec<String>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Closes the connection after a number of response bytes. Later connections work, or are closed too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutOff {
    pub after: usize,
    pub for_good: bool,
}

impl Relay {
    /// Starts a relay that closes a connection as `cut` says.
    pub fn cutting(socket: &Path, cut: CutOff) -> Self {
        let relay = Self::plain(socket);
        *lock(&relay.shared.cut) = Some(cut);
        relay
    }

    /// Number of response bytes that were forwarded.
    pub fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::SeqCst)
    }

    pub fn plain(socket: &Path) -> Self {
        Self::start(RelayMode::Plain, socket)
    }

    /// Starts a relay that closes connections which begin with TLS.
    pub fn without_tls(socket: &Path) -> Self {
        Self::start(RelayMode::NoTls, socket)
    }

    /// Starts a relay that responds with plain HTTP if a connection begins with TLS.
    pub fn http_only(socket: &Path) -> Self {
        Self::start(RelayMode::HttpOnly, socket)
    }

    /// Starts a relay with TLS. With `clients`, it requires a client certificate of this authority.
    pub fn tls(socket: &Path, own: &CertifiedKey, clients: Option<&Authority>) -> Self {
        Self::tls_of(&[&TLS12, &TLS13], socket, own, clients)
    }

    /// Starts a relay with these versions of TLS.
    pub fn tls_of(
        versions: &[&'static SupportedProtocolVersion],
        socket: &Path,
        own: &CertifiedKey,
        clients: Option<&Authority>,
    ) -> Self {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("versions");
        let builder = match clients {
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(certificate(&authority.pem)).expect("an authority");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.expect("a verifier"))
            }
            None => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).expect("a key");
        // The certificate is not checked, because some tests use one that no client accepts.
        let key = ring::sign::any_supported_type(&key).expect("a usable key");
        let pair = sign::CertifiedKey::new(vec![certificate(&own.cert)], key);
        let config = builder.with_cert_resolver(Arc::new(sign::SingleCertAndKey::from(pair)));
        Self::start(RelayMode::Tls(Arc::new(config)), socket)
    }

    /// Starts a proxy that answers CONNECT with this status line.
    pub fn proxy(socket: &Path, answer: &'static str) -> Self {
        Self::start(RelayMode::Proxy(answer), socket)
    }

    pub fn silent() -> Self {
        Self::start(RelayMode::Silent, Path::new("/nonexistent"))
    }

    fn start(front: RelayMode, socket: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            front,
            socket: socket.to_owned(),
            connections: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            cut: Mutex::default(),
            stopping: AtomicBool::new(false),
            asked: Mutex::default(),
            threads: Mutex::default(),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { port, shared, acceptor: Some(acceptor) }
    }

    /// The address as `tcp://`.
    pub fn host(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// Number of connections that were accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The request lines that the proxy received, each with its credentials. Consecutive equal lines count once.
    pub fn asked(&self) -> Vec<String> {
        let mut asked = lock(&self.shared.asked).clone();
        asked.dedup();
        asked
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        let threads: Vec<_> = lock(&self.shared.threads).drain(..).collect();
        for thread in threads {
            let _ = thread.join();
        }
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((near, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        shared.connections.fetch_add(1, Ordering::SeqCst);
        if shared.is_cut() {
            continue;
        }
        let thread = thread::spawn({
            let shared = Arc::clone(shared);
            // The client reports broken connections.
            move || drop(serve(near, &shared))
        });
        lock(&shared.threads).push(thread);
    }
}

/// Whether the client begins with a TLS handshake.
fn begins_with_tls(near: &TcpStream, shared: &Shared) -> bool {
    let mut first = [0];
    loop {
        match near.peek(&mut first) {
            Ok(count) => return count == 1 && first == [0x16],
            Err(e) if is_slice(&e) && !shared.stopping.load(Ordering::SeqCst) => {}
            Err(_) => return false,
        }
    }
}

/// Reads until the client closes the connection.
fn discard(mut near: &TcpStream, shared: &Shared) {
    let mut ended = false;
    while !ended && !shared.stopping.load(Ordering::SeqCst) {
        ended = matches!(near.read(&mut [0; 64]), Ok(0));
    }
}

fn serve(mut near: TcpStream, shared: &Shared) -> io::Result<()> {
    near.set_read_timeout(Some(SLICE))?;
    if let RelayMode::Silent = shared.front {
        discard(&near, shared);
        return Ok(());
    }
    if matches!(shared.front, RelayMode::HttpOnly) && begins_with_tls(&near, shared) {
        near.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request")?;
        // With unread bytes, closing would reset the connection, and the client might not receive the response.
        discard(&near, shared);
        return Ok(());
    }
    let far = UnixStream::connect(&shared.socket)?;
    far.set_read_timeout(Some(SLICE))?;
    match &shared.front {
        RelayMode::NoTls if begins_with_tls(&near, shared) => Ok(()),
        RelayMode::Plain | RelayMode::NoTls | RelayMode::HttpOnly | RelayMode::Silent => {
            pass_on(Counted { near, shared }, far, shared, |bytes| bytes)
        }
        RelayMode::Tls(config) => {
            let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
            pass_on(StreamOwned::new(connection, near), far, shared, |bytes| bytes)
        }
        RelayMode::Proxy(answer) => {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                match near.read(&mut byte) {
                    Ok(0) => return Ok(()),
                    Ok(_) => head.push(byte[0]),
                    Err(e) if is_slice(&e) && !shared.stopping.load(Ordering::SeqCst) => {}
                    Err(e) => return Err(e),
                }
            }
            let text = String::from_utf8_lossy(&head).into_owned();
            let line = text.lines().next().unwrap_or_default().to_owned();
            let secret = text.lines().find(|line| line.to_lowercase().starts_with("proxy-authorization"));
            lock(&shared.asked).push(format!("{line} {}", secret.unwrap_or_default()).trim().to_owned());
            if line.starts_with("CONNECT") {
                write!(near, "{answer}\r\nX: y\r\n\r\n")?;
                return if answer.contains("200") {
                    pass_on(near, far, shared, |bytes| bytes)
                } else {
                    Ok(())
                };
            }
            let shorter = |bytes: Vec<u8>| shortened(&bytes).into_bytes();
            (&far).write_all(&shorter(head))?;
            pass_on(near, far, shared, shorter)
        }
    }
}

impl Shared {
    /// Whether all connections are closed from now on.
    fn is_cut(&self) -> bool {
        let answered = self.answered.load(Ordering::SeqCst);
        lock(&self.cut).is_some_and(|cut| cut.for_good && answered >= cut.after)
    }
}

/// A connection whose response bytes are counted, and which is closed at the [`CutOff`].
struct Counted<'a> {
    near: TcpStream,
    shared: &'a Shared,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.near.read(into)
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut cut = lock(&self.shared.cut);
        let left = cut
            .map_or(usize::MAX, |cut| cut.after.saturating_sub(self.shared.answered.load(Ordering::SeqCst)));
        let part = &bytes[..bytes.len().min(left)];
        self.near.write_all(part)?;
        self.shared.answered.fetch_add(part.len(), Ordering::SeqCst);
        if part.len() < bytes.len() {
            *cut = cut.filter(|cut| cut.for_good);
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.near.flush()
    }
}

/// Rewrites a request to a proxy for the engine: removes the address from the request line.
fn shortened(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let Some((method, rest)) = text.split_once(" http://") else { return text.into_owned() };
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    format!("{method} {path}")
}

const SLICE: Duration = Duration::from_millis(3);

fn is_slice(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Forwards bytes in both directions until one side closes.
fn pass_on(
    mut near: impl Read + Write,
    mut far: UnixStream,
    shared: &Shared,
    to_engine: impl Fn(Vec<u8>) -> Vec<u8>,
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    while !shared.stopping.load(Ordering::SeqCst) {
        match near.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => far.write_all(&to_engine(buffer[..n].to_vec()))?,
            Err(e) if is_slice(&e) => {}
            Err(e) => return Err(e),
        }
        match far.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => {
                near.write_all(&buffer[..n])?;
                near.flush()?;
            }
            Err(e) if is_slice(&e) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
