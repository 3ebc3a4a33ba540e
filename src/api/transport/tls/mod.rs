//! TLS over a line, by rustls: files are read and ciphers set up with the first connection, never before.

pub mod errors;
pub mod files;
pub mod trust;

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Error};

use self::errors::Own;
use self::files::own;
use self::trust::verifier;
use super::socket::Line;
use crate::api::config::endpoint::Tls;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// What all connections to one engine share.
pub struct Setup {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    host: String,
    own: Arc<Own>,
}

impl Setup {
    /// Reads the files and makes ready for connections to `host`.
    pub fn read(host: &str, tls: &Tls) -> Result<Self, ConnectError> {
        let provider = Arc::new(ring::default_provider());
        let (verifier, roots) = verifier(tls, &provider)?;
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| ConnectError::new(ConnectErrorKind::TlsUnsupported, e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let own = own(tls)?;
        let config = match &own {
            Some((chain, key)) => config
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|e| errors::unfit_pair(&e, tls))?,
            None => config.with_no_client_auth(),
        };
        let chain = own.map(|(chain, _)| chain).unwrap_or_default();
        let own = Arc::new(Own { chain, roots, provider, tls: tls.clone() });
        Ok(Self { config: Arc::new(config), name: server_name(host)?, host: host.to_owned(), own })
    }

    /// Shakes hands over a fresh line.
    pub fn begin(&self, line: &mut Line) -> io::Result<Session> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        let connection =
            connection.map_err(|e| ConnectError::new(ConnectErrorKind::TlsUnsupported, e.to_string()))?;
        let mut session = Session { connection, own: Arc::clone(&self.own), has_heard: false };
        session.shake_hands(line).map_err(|failure| match failure {
            Failure::Line(e) if e.kind() == io::ErrorKind::TimedOut => {
                let words = "it accepted the connection, but does not answer in TLS: is it a TLS port?";
                ConnectError::new(ConnectErrorKind::TlsUnsupported, words).into()
            }
            // As a refused connection, this may pass: an engine that is starting or ending.
            Failure::Line(e) => io::Error::new(e.kind(), errors::broken(&e)),
            Failure::Tls(e) => errors::of_handshake(&e, &self.host, &self.own).into(),
        })?;
        Ok(session)
    }
}

/// One encrypted connection.
pub struct Session {
    connection: ClientConnection,
    own: Arc<Own>,
    /// Whether anything but the handshake has come: by then the engine has taken the client's certificate.
    has_heard: bool,
}

enum Failure {
    Line(io::Error),
    Tls(Error),
}

impl Session {
    fn shake_hands(&mut self, line: &mut Line) -> Result<(), Failure> {
        while self.connection.is_handshaking() {
            self.flush(line)
                .or_else(|e| self.last_word(line).map_or(Err(Failure::Line(e)), |e| Err(Failure::Tls(e))))?;
            if self.connection.is_handshaking() {
                match self.connection.read_tls(line) {
                    Ok(0) => return Err(Failure::Line(io::ErrorKind::UnexpectedEof.into())),
                    Ok(_) => self.connection.process_new_packets().map_err(Failure::Tls)?,
                    Err(e) => return Err(Failure::Line(e)),
                };
            }
        }
        self.flush(line).map_err(Failure::Line)
    }

    /// Reads what has been decrypted; 0 is the end, told by the engine.
    pub fn read(&mut self, line: &mut Line, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(into) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                other => {
                    self.has_heard |= matches!(other, Ok(n) if n > 0);
                    return other;
                }
            }
            self.flush(line)?;
            self.connection.read_tls(line)?;
            if let Err(e) = self.connection.process_new_packets() {
                return Err(self.told(e));
            }
        }
    }

    /// Encrypts and sends it all.
    pub fn write_all(&mut self, line: &mut Line, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let n = self.connection.writer().write(bytes)?;
            bytes = &bytes[n..];
            if let Err(e) = self.flush(line) {
                // An engine that refuses says why before it closes.
                return Err(match self.last_word(line) {
                    Some(word) => self.told(word),
                    None => e,
                });
            }
        }
        Ok(())
    }

    /// Whether the connection is open, and nothing has come that nobody asked for.
    pub fn is_quiet(&mut self, line: &mut Line) -> bool {
        loop {
            let mut now = Now(line);
            match self.connection.read_tls(&mut now) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return true,
                Ok(n) if n > 0 => {}
                _ => return false,
            }
            // New keys for later sessions may come at any time.
            match self.connection.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() => {}
                _ => return false,
            }
        }
    }

    fn flush(&mut self, line: &mut Line) -> io::Result<()> {
        while self.connection.wants_write() {
            if self.connection.write_tls(line)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// What the engine said before the connection broke, if it did.
    fn last_word(&mut self, line: &mut Line) -> Option<Error> {
        let mut now = Now(line);
        while self.connection.read_tls(&mut now).is_ok_and(|n| n > 0) {
            if let Err(e) = self.connection.process_new_packets() {
                return Some(e);
            }
        }
        None
    }

    /// Since TLS 1.3 a client hears that its certificate is not taken when it waits for its first answer: nothing
    /// of its request was looked at.
    fn told(&self, error: Error) -> io::Error {
        match error {
            Error::AlertReceived(_) if !self.has_heard => {
                super::NotConnected::in_io(errors::refusal(&error, &self.own).into())
            }
            error => io::Error::new(io::ErrorKind::InvalidData, error),
        }
    }
}

/// Reads without waiting.
struct Now<'l>(&'l mut Line);

impl Read for Now<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_now(into)
    }
}

/// The name that has to be in the engine's certificate.
fn server_name(host: &str) -> Result<ServerName<'static>, ConnectError> {
    let host = host.split_once('%').map_or(host, |(address, _zone)| address);
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(ServerName::from(address)),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(|_| {
            ConnectError::new(
                ConnectErrorKind::InvalidCertificate,
                format!("no certificate can be made out for the name `{host}`"),
            )
        }),
    }
}
