//! TLS over a socket, with rustls. The first connection reads the files and sets up the ciphers.

pub(super) mod errors;
pub(super) mod files;
pub(super) mod trust;

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Error};

use self::errors::ClientIdentity;
use self::files::client_identity;
use self::trust::verifier;
use super::socket::Socket;
use crate::api::config::endpoint::Tls;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// The TLS settings that all connections to one engine share.
pub(super) struct TlsConnector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    host: String,
    identity: Arc<ClientIdentity>,
}

impl TlsConnector {
    /// Reads the files and prepares connections to `host`.
    pub(super) fn from_files(host: &str, tls: &Tls) -> Result<Self, ConnectError> {
        let provider = Arc::new(ring::default_provider());
        let (verifier, roots) = verifier(tls, &provider)?;
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| ConnectError::new(ConnectErrorKind::TlsUnsupported, e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let identity = client_identity(tls)?;
        let config = match &identity {
            Some((chain, key)) => config
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|e| errors::describe_unusable_key(&e, tls))?,
            None => config.with_no_client_auth(),
        };
        let chain = identity.map(|(chain, _)| chain).unwrap_or_default();
        let identity = Arc::new(ClientIdentity { chain, roots, provider, tls: tls.clone() });
        Ok(Self { config: Arc::new(config), name: server_name(host)?, host: host.to_owned(), identity })
    }

    /// Performs the handshake over a new connection.
    pub(super) fn handshake(&self, socket: &mut Socket) -> io::Result<TlsStream> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        let connection =
            connection.map_err(|e| ConnectError::new(ConnectErrorKind::TlsUnsupported, e.to_string()))?;
        let mut tls = TlsStream { connection, identity: Arc::clone(&self.identity), has_received: false };
        tls.complete_handshake(socket).map_err(|failure| match failure {
            HandshakeError::Socket(e) if e.kind() == io::ErrorKind::TimedOut => {
                let message = "it accepted the connection, but does not respond to the TLS handshake: is it a TLS port?";
                ConnectError::new(ConnectErrorKind::TlsUnsupported, message).into()
            }
            // Not a `ConnectError`, so that it is retried like a refused connection: the engine may still be
            // starting.
            HandshakeError::Socket(e) => io::Error::new(e.kind(), errors::describe_lost_connection(&e)),
            HandshakeError::Tls(e) => errors::describe_handshake_error(&e, &self.host, &self.identity).into(),
        })?;
        Ok(tls)
    }
}

/// One encrypted connection.
pub(super) struct TlsStream {
    connection: ClientConnection,
    identity: Arc<ClientIdentity>,
    /// Whether application data was received. If so, the engine has accepted the client's certificate.
    has_received: bool,
}

enum HandshakeError {
    Socket(io::Error),
    Tls(Error),
}

impl TlsStream {
    fn complete_handshake(&mut self, socket: &mut Socket) -> Result<(), HandshakeError> {
        while self.connection.is_handshaking() {
            self.flush(socket).or_else(|e| {
                self.pending_alert(socket)
                    .map_or(Err(HandshakeError::Socket(e)), |e| Err(HandshakeError::Tls(e)))
            })?;
            if self.connection.is_handshaking() {
                match self.connection.read_tls(socket) {
                    Ok(0) => return Err(HandshakeError::Socket(io::ErrorKind::UnexpectedEof.into())),
                    Ok(_) => self.connection.process_new_packets().map_err(HandshakeError::Tls)?,
                    Err(e) => return Err(HandshakeError::Socket(e)),
                };
            }
        }
        self.flush(socket).map_err(HandshakeError::Socket)
    }

    /// Reads decrypted bytes. 0 means that the engine closed the connection.
    pub(super) fn read(&mut self, socket: &mut Socket, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(into) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                other => {
                    self.has_received |= matches!(other, Ok(n) if n > 0);
                    return other;
                }
            }
            self.flush(socket)?;
            self.connection.read_tls(socket)?;
            if let Err(e) = self.connection.process_new_packets() {
                return Err(self.alert_error(e));
            }
        }
    }

    /// Encrypts and sends all bytes.
    pub(super) fn write_all(&mut self, socket: &mut Socket, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let n = self.connection.writer().write(bytes)?;
            bytes = &bytes[n..];
            if let Err(e) = self.flush(socket) {
                // An engine that rejects the client sends an alert before it closes the connection.
                return Err(match self.pending_alert(socket) {
                    Some(alert) => self.alert_error(alert),
                    None => e,
                });
            }
        }
        Ok(())
    }

    /// Whether the connection is open and no application data has arrived.
    pub(super) fn is_idle(&mut self, socket: &mut Socket) -> bool {
        loop {
            let mut reader = NonBlocking(socket);
            match self.connection.read_tls(&mut reader) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return true,
                Ok(n) if n > 0 => {}
                _ => return false,
            }
            // Session tickets may arrive at any time, and are not application data.
            match self.connection.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() => {}
                _ => return false,
            }
        }
    }

    fn flush(&mut self, socket: &mut Socket) -> io::Result<()> {
        while self.connection.wants_write() {
            if self.connection.write_tls(socket)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Returns the alert that the engine sent before the connection was lost, if any.
    fn pending_alert(&mut self, socket: &mut Socket) -> Option<Error> {
        let mut reader = NonBlocking(socket);
        while self.connection.read_tls(&mut reader).is_ok_and(|n| n > 0) {
            if let Err(e) = self.connection.process_new_packets() {
                return Some(e);
            }
        }
        None
    }

    /// Converts a TLS error. With TLS 1.3, a client learns that its certificate was rejected only when it reads the
    /// first response. In that case the request was not processed.
    fn alert_error(&self, error: Error) -> io::Error {
        match error {
            Error::AlertReceived(_) if !self.has_received => {
                super::NotConnected::in_io(errors::describe_alert(&error, &self.identity).into())
            }
            error => io::Error::new(io::ErrorKind::InvalidData, error),
        }
    }
}

/// Reads from the socket without waiting.
struct NonBlocking<'l>(&'l mut Socket);

impl Read for NonBlocking<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_nonblocking(into)
    }
}

/// The name that must be in the engine's certificate.
fn server_name(host: &str) -> Result<ServerName<'static>, ConnectError> {
    let host = host.split_once('%').map_or(host, |(address, _zone)| address);
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(ServerName::from(address)),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(|_| {
            ConnectError::new(
                ConnectErrorKind::InvalidCertificate,
                format!("`{host}` is not a name that a certificate can contain"),
            )
        }),
    }
}
