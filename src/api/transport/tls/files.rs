//! The files that TLS needs: certificates and keys in PEM form.

use std::fs;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::api::config::endpoint::Tls;
use crate::api::error::{ConnectError, ConnectErrorKind};

/// A certificate with what it was signed by, and its key.
type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The client's certificate with what it was signed by, and its key.
pub fn own(tls: &Tls) -> Result<Option<Pair>, ConnectError> {
    let lonely = |there: &Path, what| unusable(there, &format!("is of no use alone: {what} is not given"));
    match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => Ok(Some((certificates(cert)?, private_key(key)?))),
        (Some(cert), None) => Err(lonely(cert, "the certificate's key")),
        (None, Some(key)) => Err(lonely(key, "the key's certificate")),
        (None, None) => Ok(None),
    }
}

/// The certificates in a file, of which there is one at least.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let text = contents(file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(file, "holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)")),
        Err(e) => Err(unusable(file, &format!("is broken: {e}"))),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, ConnectError> {
    let text = contents(file)?;
    if text.windows(9).any(|part| part == b"ENCRYPTED") {
        let way = format!("`openssl pkey -in {0} -out {0}.plain`", file.display());
        let words =
            format!("is an encrypted key, which cannot be used, as with docker; decrypt it with {way}");
        return Err(unusable(file, &words));
    }
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| unusable(file, "holds no private key in PEM form (`-----BEGIN PRIVATE KEY-----`)"))
}

fn contents(file: &Path) -> Result<Vec<u8>, ConnectError> {
    let refused = |why: String| unusable(file, &why);
    let about = fs::metadata(file).map_err(|e| refused(format!("cannot be read: {e}")))?;
    if !about.is_file() {
        return Err(refused("is not a file".to_owned()));
    }
    if about.len() > LARGEST_FILE {
        return Err(refused("is too large for a file of certificates".to_owned()));
    }
    let text = fs::read(file).map_err(|e| refused(format!("cannot be read: {e}")))?;
    if text.is_empty() { Err(refused("is empty".to_owned())) } else { Ok(text) }
}

/// The authorities of a whole system have about a fifth of a megabyte.
const LARGEST_FILE: u64 = 16 << 20;

/// A file, and why it is of no use.
pub fn unusable(file: &Path, why: &str) -> ConnectError {
    ConnectError::new(ConnectErrorKind::TlsFile, format!("`{}` {why}", file.display()))
}
