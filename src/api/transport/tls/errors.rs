//! Error messages for TLS failures, for the person who has to fix the certificates or settings.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{AlertDescription, CertificateError, Error, InconsistentKeys, OtherError, RootCertStore};

use crate::api::config::endpoint::Tls;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// The client's certificate and trusted authorities, kept to explain why an engine or registry rejects the certificate.
pub(crate) struct ClientIdentity {
    /// The client's certificate and its intermediates. Empty if there is none.
    pub chain: Vec<CertificateDer<'static>>,
    /// The trusted authorities. `None` if the engine's certificate is not verified.
    pub roots: Option<Arc<RootCertStore>>,
    /// The cipher suites and signature algorithms.
    pub provider: Arc<CryptoProvider>,
    /// The settings that name the files.
    pub tls: Tls,
}

/// The types of private keys that rustls supports.
const KEYS: &str = "supported are RSA of at least 2048 bits, ECDSA with P-256 or P-384, and Ed25519";

/// Describes why a handshake failed.
pub(crate) fn describe_handshake_error(error: &Error, host: &str, identity: &ClientIdentity) -> ConnectError {
    match error {
        Error::InvalidCertificate(e) => describe_server_certificate(e, host, &identity.tls),
        Error::AlertReceived(_) => describe_alert(error, identity),
        Error::InvalidMessage(_) => {
            ConnectError::new(ConnectErrorKind::TlsUnsupported, "the server there does not use TLS")
        }
        Error::PeerIncompatible(why) => ConnectError::new(
            ConnectErrorKind::TlsUnsupported,
            format!("it supports no TLS version that is in use: {why:?}"),
        ),
        other => {
            ConnectError::new(ConnectErrorKind::TlsUnsupported, format!("TLS cannot be set up: {other}"))
        }
    }
}

/// Describes a connection that was lost during the handshake.
pub(crate) fn describe_lost_connection(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the server there closed the connection during the TLS handshake".to_owned()
        }
        _ => format!("the connection was lost during the TLS handshake: {error}"),
    }
}

/// Describes why a client certificate and its key cannot be used together.
pub(crate) fn describe_unusable_key(error: &Error, tls: &Tls) -> ConnectError {
    let name = |file: &Option<PathBuf>| file.as_deref().map(file_name).unwrap_or_default();
    let (cert, key) = (name(&tls.cert), name(&tls.key));
    let message = match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            format!("the key in {key} does not belong to the certificate in {cert}")
        }
        Error::InvalidCertificate(CertificateError::Other(why)) if is_unsupported_version(why) => {
            format!("the certificate in {cert} is of X.509 version 1, and only version 3 is supported")
        }
        Error::InvalidCertificate(why) => {
            format!("the certificate in {cert} is not valid: {}", describe_certificate_error(why))
        }
        other => format!("the key in {key} is not supported ({KEYS}): {other}"),
    };
    ConnectError::new(ConnectErrorKind::TlsFile, message)
}

/// Describes an alert that the engine or registry sent.
pub(crate) fn describe_alert(error: &Error, identity: &ClientIdentity) -> ConnectError {
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
    // In TLS 1.2, engines send this alert if the client has no certificate.
    if *alert == AlertDescription::HandshakeFailure {
        let (kind, missing) = match &identity.tls.cert {
            None => (
                ConnectErrorKind::ClientCertificate,
                "it may require a client certificate, and none is given; or ",
            ),
            Some(_) => (ConnectErrorKind::InvalidCertificate, ""),
        };
        let message = format!(
            "it rejected the TLS handshake ({alert:?}): {missing}its key may be of a type that is not supported ({KEYS})"
        );
        return ConnectError::new(kind, message);
    }
    if !is_about_us {
        let message = format!("it rejected the TLS handshake: {error}");
        return ConnectError::new(ConnectErrorKind::TlsUnsupported, message);
    }
    let message = match &identity.tls.cert {
        None => "it requires a client certificate, and none is given".to_owned(),
        Some(file) => {
            let file = file_name(file);
            let why = verify_own_certificate(identity).or_else(|| expired(*alert)).unwrap_or_else(|| {
                format!(
                    "it may be signed by an authority that the {} does not trust, or not be valid for clients",
                    identity.tls.peer.as_str()
                )
            });
            format!("it does not accept the client certificate in {file} ({alert:?}): {why}")
        }
    };
    ConnectError::new(ConnectErrorKind::ClientCertificate, message)
}

fn expired(alert: AlertDescription) -> Option<String> {
    (alert == AlertDescription::CertificateExpired).then(|| "it has expired".to_owned())
}

/// Verifies the client's certificate with the client's own authorities. Usually both sides have the same
/// authority, so the result explains why the engine sent an alert.
fn verify_own_certificate(identity: &ClientIdentity) -> Option<String> {
    let (first, rest) = identity.chain.split_first()?;
    let roots = identity.roots.clone()?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&identity.provider)).build().ok()?;
    match verifier.verify_client_cert(first, rest, UnixTime::now()) {
        Ok(_) => None,
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            Some(format!("it is not signed by {}", describe_authorities(&identity.tls)))
        }
        Err(Error::InvalidCertificate(e)) => Some(describe_certificate_error(&e)),
        Err(_) => None,
    }
}

/// Describes what is wrong with the certificate of the engine or registry.
fn describe_server_certificate(error: &CertificateError, host: &str, tls: &Tls) -> ConnectError {
    let certificate = format!("the {}'s certificate", tls.peer.as_str());
    match error {
        CertificateError::UnknownIssuer => {
            let message = format!("{certificate} is not signed by {}", describe_authorities(tls));
            ConnectError::new(ConnectErrorKind::UntrustedCertificate, message)
        }
        // A server may use a CA certificate as its own if a CA file contains exactly this certificate.
        CertificateError::Other(why) if is_ca_certificate(why) => {
            let message = format!(
                "{certificate} is a CA certificate (CA:TRUE) and is not in {}; if it is self-signed, it is also the CA to trust",
                tls.ca.as_deref().map_or_else(|| "any CA file that is given".to_owned(), file_name)
            );
            ConnectError::new(ConnectErrorKind::UntrustedCertificate, message)
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            let names: Vec<_> = presented.iter().map(|name| format!("`{}`", name_in(name))).collect();
            let message = format!("{certificate} is for {}, not for `{host}`", names.join(", "));
            ConnectError::new(ConnectErrorKind::InvalidCertificate, message)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let message = format!("{certificate} has no subjectAltName, so it is not valid for `{host}`");
            ConnectError::new(ConnectErrorKind::InvalidCertificate, message)
        }
        other => {
            let kind = match other {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    ConnectErrorKind::ExpiredCertificate
                }
                CertificateError::Other(why) if is_unsupported_version(why) => {
                    ConnectErrorKind::CertificateVersion
                }
                _ => ConnectErrorKind::InvalidCertificate,
            };
            let message = format!("{certificate} is not valid: {}", describe_certificate_error(other));
            ConnectError::new(kind, message)
        }
    }
}

/// Whether the certificate is not of version 3.
fn is_unsupported_version(why: &OtherError) -> bool {
    why.to_string().contains("UnsupportedCertVersion")
}

/// Describes what is wrong with a certificate of either side.
fn describe_certificate_error(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => format!("it expired at {}", date(*not_after)),
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}; is the clock right?", date(*not_before))
        }
        CertificateError::NotValidYet => "it is not valid yet; is the clock right?".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not valid for this side of a connection (extendedKeyUsage)".to_owned()
        }
        CertificateError::Other(other) if is_ca_certificate(other) => {
            "it is a CA certificate (CA:TRUE); use a certificate that this CA has signed".to_owned()
        }
        CertificateError::Other(other) if is_unsupported_version(other) => {
            "it is of X.509 version 1, and only version 3 is supported".to_owned()
        }
        other => other.to_string(),
    }
}

/// Whether rustls rejects the certificate because it is the certificate of an authority (CA:TRUE).
pub(crate) fn is_ca_certificate(why: &OtherError) -> bool {
    why.to_string().contains("CaUsedAsEndEntity")
}

fn describe_authorities(tls: &Tls) -> String {
    match &tls.ca {
        Some(file) => format!("an authority in {}", file_name(file)),
        None => "an authority that this system trusts".to_owned(),
    }
}

fn file_name(file: &Path) -> String {
    format!("`{}`", file.display())
}

/// Extracts the name from rustls' form `DnsName("a.example")`.
fn name_in(name: &str) -> &str {
    let inside = name.split_once('(').map_or(name, |(_, inside)| inside.strip_suffix(')').unwrap_or(inside));
    inside.trim_matches('"')
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}
