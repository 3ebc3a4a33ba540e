//! Which engine certificates are trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::errors::is_ca_certificate;
use super::files::{certificates, unusable};
use crate::api::config::endpoint::Tls;
use crate::api::error::{ConnectError, ConnectErrorKind};

type Verifier = (Arc<dyn ServerCertVerifier>, Option<Arc<RootCertStore>>);

/// Creates the verifier of the engine's certificate, and returns the authorities that it trusts.
pub(crate) fn verifier(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Verifier, ConnectError> {
    if !tls.is_verified {
        return Ok((Arc::new(NoVerification(Arc::clone(provider))), None));
    }
    let (roots, listed) = roots(tls.ca.as_deref(), &tls.extra_cas)?;
    let roots = Arc::new(roots);
    let authority = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
        .build()
        .map_err(|e| ConnectError::new(ConnectErrorKind::TlsFile, e.to_string()))?;
    Ok((Arc::new(AuthorityOrListed { authority, listed }), Some(roots)))
}

/// Reads the trusted authorities from `more` and `file`, or from `more` and the system if `file` is `None`.
/// Also returns the certificates in `file`, or those in `more` if it is `None`.
fn roots(
    file: Option<&Path>,
    more: &[PathBuf],
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), ConnectError> {
    let mut roots = RootCertStore::empty();
    let mut extra = Vec::new();
    for file in more {
        extra.extend(certificates(file)?);
    }
    roots.add_parsable_certificates(extra.iter().cloned());
    let Some(file) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let none = "no CA file is given, and this system has no trusted authorities";
        return if roots.is_empty() {
            Err(ConnectError::new(ConnectErrorKind::UntrustedCertificate, none))
        } else {
            Ok((roots, extra))
        };
    };
    let listed = certificates(file)?;
    roots.add_parsable_certificates(listed.iter().cloned());
    if roots.is_empty() {
        Err(unusable(file, "contains no CA certificate that can be used"))
    } else {
        Ok((roots, listed))
    }
}

/// Accepts a certificate that a trusted authority signed, or an authority's certificate that is listed as trusted
/// itself, as docker does.
#[derive(Debug)]
struct AuthorityOrListed {
    authority: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for AuthorityOrListed {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.authority.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // webpki reports this error after it has checked the validity period, but before the name, which must still
            // be verified.
            Err(Error::InvalidCertificate(CertificateError::Other(why)))
                if is_ca_certificate(&why) && self.listed.iter().any(|listed| listed == certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authority.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authority.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authority.supported_verify_schemes()
    }
}

/// For docker's `--tls` without `--tlsverify`: encrypts, but does not verify the server's certificate.
#[derive(Debug)]
struct NoVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerification {
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
