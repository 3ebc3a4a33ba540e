//! Reads the files for TLS: certificates and keys in PEM form.

use std::fs;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::api::config::endpoint::Tls;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// A certificate with its intermediates, and its private key.
type CertificateAndKey = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Reads the client's certificate and key. `None` if neither is configured.
pub(crate) fn client_identity(tls: &Tls) -> Result<Option<CertificateAndKey>, ConnectError> {
    let lonely = |there: &Path, what| unusable(there, &format!("cannot be used alone: {what} is not given"));
    match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => Ok(Some((certificates(cert)?, private_key(key)?))),
        (Some(cert), None) => Err(lonely(cert, "the certificate's key")),
        (None, Some(key)) => Err(lonely(key, "the key's certificate")),
        (None, None) => Ok(None),
    }
}

/// Reads the certificates in a file. An error if there is none.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let text = contents(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(file, "contains no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")),
        Err(e) => Err(unusable(file, &format!("is broken: {e}"))),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, ConnectError> {
    let text = contents(file)?;
    if text.windows(9).any(|part| part == b"ENCRYPTED") {
        let way = format!("`openssl pkey -in {0} -out {0}.plain`", file.display());
        let message =
            format!("is an encrypted key, which cannot be used, as with docker; decrypt it with {way}");
        return Err(unusable(file, &message));
    }
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| unusable(file, "contains no private key in PEM form (`-----BEGIN PRIVATE KEY-----`)"))
}

fn contents(file: &Path) -> Result<Vec<u8>, ConnectError> {
    let refused = |why: String| unusable(file, &why);
    let about = fs::metadata(file).map_err(|e| refused(format!("cannot be read: {e}")))?;
    if !about.is_file() {
        return Err(refused("is not a file".to_owned()));
    }
    if about.len() > MAX_FILE_LEN {
        return Err(refused("is too large for a file of certificates".to_owned()));
    }
    let text = fs::read(file).map_err(|e| refused(format!("cannot be read: {e}")))?;
    if text.is_empty() { Err(refused("is empty".to_owned())) } else { Ok(text) }
}

/// The maximum size of a file, in bytes. A complete system trust store has about 200 KiB.
const MAX_FILE_LEN: u64 = 16 << 20;

/// The error of a file that cannot be used.
pub(crate) fn unusable(file: &Path, why: &str) -> ConnectError {
    ConnectError::new(ConnectErrorKind::TlsFile, format!("`{}` {why}", file.display()))
}
