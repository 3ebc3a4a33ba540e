//! Whose certificates are taken for an engine's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::errors::is_authoritys_own;
use super::files::{certificates, unusable};
use crate::api::config::endpoint::Tls;
use crate::api::error::{ConnectError, ConnectErrorKind};

type Verifier = (Arc<dyn ServerCertVerifier>, Option<Arc<RootCertStore>>);

/// Who judges the engine's certificate, and by which authorities.
pub fn verifier(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Verifier, ConnectError> {
    if !tls.is_verified {
        return Ok((Arc::new(Unchecked(Arc::clone(provider))), None));
    }
    let (roots, named) = roots(tls.ca.as_deref(), &tls.more_cas)?;
    let roots = Arc::new(roots);
    let by_authority = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
        .build()
        .map_err(|e| ConnectError::new(ConnectErrorKind::TlsFile, e.to_string()))?;
    Ok((Arc::new(Checked { by_authority, named }), Some(roots)))
}

/// The authorities that are trusted, those in the file, else the system's; and the certificates in the file.
fn roots(
    file: Option<&Path>,
    more: &[PathBuf],
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), ConnectError> {
    let mut roots = RootCertStore::empty();
    let mut also = Vec::new();
    for file in more {
        also.extend(certificates(file)?);
    }
    roots.add_parsable_certificates(also.iter().cloned());
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let none = "no file of authorities to trust is given, and this system has none either";
        return if roots.is_empty() {
            Err(ConnectError::new(ConnectErrorKind::TlsFile, none))
        } else {
            Ok((roots, also))
        };
    };
    let named = certificates(file)?;
    roots.add_parsable_certificates(named.iter().cloned());
    if roots.is_empty() {
        Err(unusable(file, "holds no certificate of an authority that can be used"))
    } else {
        Ok((roots, named))
    }
}

/// The engine's certificate has to be signed by an authority, or to be the very one that is named as one: many an
/// engine has a certificate that has signed itself, and docker takes it too.
#[derive(Debug)]
struct Checked {
    by_authority: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        engines: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.by_authority.verify_server_cert(engines, above, name, ocsp, now) {
            // When this is said, the certificate is within its time already; the name is still to be checked.
            Err(Error::InvalidCertificate(CertificateError::Other(why)))
                if is_authoritys_own(&why) && self.named.iter().any(|named| named == engines) =>
            {
                verify_server_name(&ParsedCertificate::try_from(engines)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            judgement => judgement,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
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
