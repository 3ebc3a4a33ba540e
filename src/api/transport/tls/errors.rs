//! What went wrong with TLS, in words of the people who have to fix it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{AlertDescription, CertificateError, Error, InconsistentKeys, OtherError, RootCertStore};

use crate::api::config::endpoint::Tls;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// What this side brought along, to find out what may be wrong with it.
pub struct Own {
    /// The client's certificate first; empty where there is none.
    pub chain: Vec<CertificateDer<'static>>,
    /// The authorities that are trusted.
    pub roots: Option<Arc<RootCertStore>>,
    /// Ciphers and signatures.
    pub provider: Arc<CryptoProvider>,
    /// Where all this came from.
    pub tls: Tls,
}

/// Why hands could not be shaken.
pub fn of_handshake(error: &Error, host: &str, own: &Own) -> ConnectError {
    match error {
        Error::InvalidCertificate(e) => of_certificate(e, host, &own.tls),
        Error::AlertReceived(_) => refusal(error, own),
        Error::InvalidMessage(_) => {
            ConnectError::new(ConnectErrorKind::TlsUnsupported, "what listens there does not speak TLS")
        }
        Error::PeerIncompatible(why) => ConnectError::new(
            ConnectErrorKind::TlsUnsupported,
            format!("it speaks no TLS that is spoken today: {why:?}"),
        ),
        other => {
            ConnectError::new(ConnectErrorKind::TlsUnsupported, format!("TLS cannot be set up: {other}"))
        }
    }
}

/// The connection broke while hands were shaken.
pub fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "what listens there closed the connection instead of answering in TLS".to_owned()
        }
        _ => format!("the connection broke while TLS was set up: {error}"),
    }
}

/// Why certificate and key do not go together.
pub fn unfit_pair(error: &Error, tls: &Tls) -> ConnectError {
    let name = |file: &Option<PathBuf>| file.as_deref().map(file_name).unwrap_or_default();
    let (cert, key) = (name(&tls.cert), name(&tls.key));
    let words = match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            format!("the key in {key} is not the one that the certificate in {cert} was made for")
        }
        Error::InvalidCertificate(_) => format!("the certificate in {cert} is broken: {error}"),
        other => format!(
            "the key in {key} cannot be used (RSA of 2048 bits and more, ECDSA with P-256 or P-384, and Ed25519 can): \
             {other}"
        ),
    };
    ConnectError::new(ConnectErrorKind::TlsFile, words)
}

/// What the engine does not like, by its alert.
pub fn refusal(error: &Error, own: &Own) -> ConnectError {
    let Error::AlertReceived(alert) = error else {
        return ConnectError::new(ConnectErrorKind::TlsUnsupported, error.to_string());
    };
    let is_about_us = matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::CertificateRequired
    );
    // This is all that engines say in TLS 1.2 who miss a client's certificate.
    if *alert == AlertDescription::HandshakeFailure {
        let (kind, missing) = match &own.tls.cert {
            None => (
                ConnectErrorKind::ClientCertificate,
                "it may want a client's certificate, and none is given; or ",
            ),
            Some(_) => (ConnectErrorKind::InvalidCertificate, ""),
        };
        let words = format!(
            "it refuses to speak TLS with this program ({alert:?}): {missing}its key may be of a kind that is not taken \
             (RSA of 2048 bits and more, ECDSA with P-256 or P-384, and Ed25519 are)"
        );
        return ConnectError::new(kind, words);
    }
    if !is_about_us {
        let words = format!("it refuses to speak TLS with this program: {error}");
        return ConnectError::new(ConnectErrorKind::TlsUnsupported, words);
    }
    let words = match &own.tls.cert {
        None => "it wants a client's certificate, and none is given".to_owned(),
        Some(file) => {
            let file = file_name(file);
            let why = found_wrong(own).or_else(|| expired(*alert)).unwrap_or_else(|| {
                "it may be signed by another authority than the engine trusts, or not be made for clients"
                    .to_owned()
            });
            format!("it does not take the client's certificate in {file} ({alert:?}): {why}")
        }
    };
    ConnectError::new(ConnectErrorKind::ClientCertificate, words)
}

fn expired(alert: AlertDescription) -> Option<String> {
    (alert == AlertDescription::CertificateExpired).then(|| "it has expired".to_owned())
}

/// Mostly one authority signs both sides: what it would say to our own certificate tells more than an alert.
fn found_wrong(own: &Own) -> Option<String> {
    let (first, rest) = own.chain.split_first()?;
    let roots = own.roots.clone()?;
    let judge = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&own.provider)).build().ok()?;
    match judge.verify_client_cert(first, rest, UnixTime::now()) {
        Ok(_) => None,
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            Some(format!("it is not signed by {}", authorities(&own.tls)))
        }
        Err(Error::InvalidCertificate(e)) => Some(words_of(&e)),
        Err(_) => None,
    }
}

/// What is wrong with the engine's certificate.
fn of_certificate(error: &CertificateError, host: &str, tls: &Tls) -> ConnectError {
    match error {
        CertificateError::UnknownIssuer => {
            let words = format!("the engine's certificate is not signed by {}", authorities(tls));
            ConnectError::new(ConnectErrorKind::UntrustedCertificate, words)
        }
        // Were it among them, it would have been taken.
        CertificateError::Other(why) if is_authoritys_own(why) => {
            let words = format!(
                "the engine's certificate is an authority's own (CA:TRUE), and is not in {}; if it has signed itself, it is \
                 its own authority",
                tls.ca.as_deref().map_or_else(|| "any file that is named".to_owned(), file_name)
            );
            ConnectError::new(ConnectErrorKind::UntrustedCertificate, words)
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            let names: Vec<_> = presented.iter().map(|name| format!("`{}`", plain(name))).collect();
            let words = format!("the engine's certificate is for {}, not for `{host}`", names.join(", "));
            ConnectError::new(ConnectErrorKind::InvalidCertificate, words)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let words = format!("the engine's certificate has no subjectAltName, so it is not for `{host}`");
            ConnectError::new(ConnectErrorKind::InvalidCertificate, words)
        }
        other => {
            let words = format!("the engine's certificate is not good: {}", words_of(other));
            ConnectError::new(ConnectErrorKind::InvalidCertificate, words)
        }
    }
}

/// What is wrong with a certificate, whosever it is.
fn words_of(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => format!("it expired at {}", date(*not_after)),
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}; is the clock right?", date(*not_before))
        }
        CertificateError::NotValidYet => "it is not valid yet; is the clock right?".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not made for this side of a connection (extendedKeyUsage)".to_owned()
        }
        CertificateError::Other(other) if is_authoritys_own(other) => {
            "it is an authority's own (CA:TRUE); have one made that this authority signs".to_owned()
        }
        CertificateError::Other(other) if other.to_string().contains("UnsupportedCertVersion") => {
            "it is of X.509 version 1, without a subjectAltName; have one of version 3 made".to_owned()
        }
        other => other.to_string(),
    }
}

/// Whether that is what is said of a certificate.
pub fn is_authoritys_own(why: &OtherError) -> bool {
    why.to_string().contains("CaUsedAsEndEntity")
}

fn authorities(tls: &Tls) -> String {
    match &tls.ca {
        Some(file) => format!("an authority in {}", file_name(file)),
        None => "an authority that this system trusts".to_owned(),
    }
}

fn file_name(file: &Path) -> String {
    format!("`{}`", file.display())
}

/// `DnsName("a.example")` is how it comes.
fn plain(name: &str) -> &str {
    let inside = name.split_once('(').map_or(name, |(_, inside)| inside.strip_suffix(')').unwrap_or(inside));
    inside.trim_matches('"')
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}
