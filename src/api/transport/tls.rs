//! TLS over a line, by rustls: files are read and ciphers set up with the first connection, never before.

use std::fs;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::line::Line;
use super::obstacle::{Obstacle, ObstacleKind};
use super::tls_words::{self, Own};
use crate::api::endpoint::Tls;

/// What all connections to one engine share.
pub struct Setup {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    host: String,
    own: Arc<Own>,
}

impl Setup {
    /// Reads the files and makes ready for connections to `host`.
    pub fn read(host: &str, tls: &Tls) -> Result<Self, Obstacle> {
        let provider = Arc::new(ring::default_provider());
        let roots = if tls.is_verified { Some(Arc::new(roots(tls.ca.as_deref())?)) } else { None };
        let verifier: Arc<dyn ServerCertVerifier> = match &roots {
            Some(roots) => {
                WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider))
                    .build()
                    .map_err(|e| Obstacle::new(ObstacleKind::File, e.to_string()))?
            }
            None => Arc::new(Unchecked(Arc::clone(&provider))),
        };
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| Obstacle::new(ObstacleKind::NoTls, e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let own = own(tls)?;
        let config = match &own {
            Some((chain, key)) => config
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|e| tls_words::unfit_pair(&e, tls))?,
            None => config.with_no_client_auth(),
        };
        let chain = own.map(|(chain, _)| chain).unwrap_or_default();
        let own = Arc::new(Own { chain, roots, provider, tls: tls.clone() });
        Ok(Self { config: Arc::new(config), name: server_name(host)?, host: host.to_owned(), own })
    }

    /// Shakes hands over a fresh line.
    pub fn begin(&self, line: &mut Line) -> io::Result<Session> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        let connection = connection.map_err(|e| Obstacle::new(ObstacleKind::NoTls, e.to_string()))?;
        let mut session = Session { connection, own: Arc::clone(&self.own), has_heard: false };
        session.shake_hands(line).map_err(|failure| {
            io::Error::from(match failure {
                Failure::Line(e) if e.kind() == io::ErrorKind::TimedOut => {
                    let words = "it took the connection, but says nothing in TLS: does it speak TLS there?";
                    Obstacle::new(ObstacleKind::NoTls, words)
                }
                Failure::Line(e) => tls_words::broken(&e),
                Failure::Tls(e) => tls_words::of_handshake(&e, &self.host, &self.own),
            })
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
                super::NotConnected::in_io(tls_words::refusal(&error, &self.own).into())
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

/// Docker's `--tls` without `--tlsverify`: encrypted, with whom is not asked.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The name that has to be in the engine's certificate.
fn server_name(host: &str) -> Result<ServerName<'static>, Obstacle> {
    let host = host.split_once('%').map_or(host, |(address, _zone)| address);
    match host.parse::<IpAddr>() {
        Ok(address) => Ok(ServerName::from(address)),
        Err(_) => ServerName::try_from(host.to_owned()).map_err(|_| {
            Obstacle::new(
                ObstacleKind::Certificate,
                format!("no certificate can be made out for the name `{host}`"),
            )
        }),
    }
}

/// The authorities that are trusted: those in the file, else the system's.
fn roots(file: Option<&Path>) -> Result<RootCertStore, Obstacle> {
    let (certificates, whose) = match file {
        Some(file) => (certificates(file)?, format!("`{}`", file.display())),
        None => (rustls_native_certs::load_native_certs().certs, "this system".to_owned()),
    };
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(certificates) {
        (0, _) if file.is_none() => Err(Obstacle::new(
            ObstacleKind::File,
            "no file of authorities to trust is given, and this system has none either",
        )),
        (0, _) => Err(unusable(&whose, "holds no certificate of an authority that can be used")),
        _ => Ok(roots),
    }
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The client's certificate with what it was signed by, and its key.
fn own(tls: &Tls) -> Result<Option<Pair>, Obstacle> {
    let lonely = |there: &Path, what| {
        unusable(&format!("`{}`", there.display()), &format!("is of no use alone: {what} is not given"))
    };
    match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => Ok(Some((certificates(cert)?, private_key(key)?))),
        (Some(cert), None) => Err(lonely(cert, "the certificate's key")),
        (None, Some(key)) => Err(lonely(key, "the key's certificate")),
        (None, None) => Ok(None),
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Obstacle> {
    let name = format!("`{}`", file.display());
    let text = contents(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(&name, "holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")),
        Err(e) => Err(unusable(&name, &format!("is broken: {e}"))),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Obstacle> {
    let name = format!("`{}`", file.display());
    let text = contents(file)?;
    if text.windows(9).any(|part| part == b"ENCRYPTED") {
        let way = format!("`openssl pkey -in {0} -out {0}.plain`", file.display());
        let words =
            format!("is an encrypted key, which cannot be used, as with docker; decrypt it with {way}");
        return Err(unusable(&name, &words));
    }
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| unusable(&name, "holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`)"))
}

fn contents(file: &Path) -> Result<Vec<u8>, Obstacle> {
    let name = format!("`{}`", file.display());
    let refused = |why: String| unusable(&name, &why);
    let about = fs::metadata(file).map_err(|e| refused(format!("cannot be read: {e}")))?;
    if !about.is_file() {
        return Err(refused("is no file".to_owned()));
    }
    if about.len() > LARGEST_FILE {
        return Err(refused("is too large for a file of certificates".to_owned()));
    }
    let text = fs::read(file).map_err(|e| refused(format!("cannot be read: {e}")))?;
    if text.is_empty() { Err(refused("is empty".to_owned())) } else { Ok(text) }
}

/// The authorities of a whole system have about a fifth of a megabyte.
const LARGEST_FILE: u64 = 16 << 20;

fn unusable(name: &str, why: &str) -> Obstacle {
    Obstacle::new(ObstacleKind::File, format!("{name} {why}"))
}
