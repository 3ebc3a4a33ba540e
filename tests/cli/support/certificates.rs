//! Certificates for tests: an authority, certificates for engines and clients, and directories in docker's layout.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use tempfile::TempDir;

/// A private key encrypted with a password, as written by `openssl pkcs8 -topk8` and by `openssl ec -aes256`.
pub const ENCRYPTED_KEYS: [&str; 2] = [
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
     MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgw9XRPdi5mNwICCAAw\n\
     -----END ENCRYPTED PRIVATE KEY-----\n",
    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
     DEK-Info: AES-256-CBC,D0182F504713648C992E75F26D987FF8\n\n\
     AAECAwQFBgcICQoLDA0ODw==\n-----END EC PRIVATE KEY-----\n",
];

/// An authority, a certificate of X.509 version 1 that it signed, and the key of this certificate, as made by
/// `openssl x509 -req` without extensions. The certificates are valid until 2081.
pub const VERSION_1: [&str; 3] = [
    "\
-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUSN4VBD/qwOj0XIB45DoirLxRMnYwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKdjEtdGVzdC1jYTAgFw0yNjExMjkxMjQzNTlaGA8yMDgxMDkw
MTEyNDM1OVowFTETMBEGA1UEAwwKdjEtdGVzdC1jYTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABHKLtOwZdYKt8A3ua48FCVjXUDjnCM1AREsFH/G48CRJA+ItIL35
fTnlf91aTT6rgsWaykAiYRNPKMr9pezlDL6jUzBRMB0GA1UdDgQWBBRKTtDIj/br
5BxacLt5eom88NgiPzAfBgNVHSMEGDAWgBRKTtDIj/br5BxacLt5eom88NgiPzAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCID2gu4ZXTh/nXcHNK1A7
h/UAZ2uIy/8W3cdsEpCYcZSnAiA1bOkQfhoAjsXaJhfwylgOGgq8s7oGWiJkM8L6
Vx0SFQ==
-----END CERTIFICATE-----
",
    "\
-----BEGIN CERTIFICATE-----
MIIBJTCBzAIUK7xmjq7eY/6J8LkZjhKnU0RbbZ0wCgYIKoZIzj0EAwIwFTETMBEG
A1UEAwwKdjEtdGVzdC1jYTAgFw0yNjExMjkxMjQ0MDBaGA8yMDgxMDkwMTEyNDQw
MFowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAE9IY/H77HVZVOGv/lr7ncUSjaUOM7mXCMT0CZsJAc/V67jsAgNOpo4nZhrXv3
r+dnydwigyEC1j/SGrDrLSronzAKBggqhkjOPQQDAgNIADBFAiEA6FACysbCYtWB
E80WA6rfqae/Vz3sgIGtGeXmEJh3qc0CIC4Dnun7yKojJyvifV0yp5mk2AWkQC26
Sf3ajEyNRfv/
-----END CERTIFICATE-----
",
    "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIo2J2Xb+FZ2SyPhN
T7XWcHHZoDzc8nSsY635w7mahT6hRANCAAT0hj8fvsdVlU4a/+WvudxRKNpQ4zuZ
cIxPQJmwkBz9XruOwCA06mjidmGte/ev52fJ3CKDIQLWP9IasOstKuif
-----END PRIVATE KEY-----
",
];

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct CertifiedKey {
    pub cert: String,
    pub key: String,
}

/// When a certificate is valid.
#[derive(Clone, Copy)]
pub enum Validity {
    Now,
    Past,
    Future,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Creates a certificate for an engine with these names and addresses.
    pub fn engine(&self, names: &[&str], when: Validity) -> CertifiedKey {
        self.sign(names, ExtendedKeyUsagePurpose::ServerAuth, when)
    }

    /// Creates a self-signed certificate for these names, as `openssl req -x509` does. Returns it twice:
    /// as the certificate of an authority, and as that of an engine, with its key.
    pub fn self_signed(names: &[&str], when: Validity) -> (String, CertifiedKey) {
        let mut params = Self::params(names, when);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("a certificate").pem();
        (cert.clone(), CertifiedKey { cert, key: key.serialize_pem() })
    }

    /// Creates a certificate for a client.
    pub fn client(&self, when: Validity) -> CertifiedKey {
        self.sign(&[], ExtendedKeyUsagePurpose::ClientAuth, when)
    }

    fn params(names: &[&str], when: Validity) -> CertificateParams {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, "test");
        let (from, to) = match when {
            Validity::Now => (2020, 2090),
            Validity::Past => (2020, 2021),
            Validity::Future => (2089, 2090),
        };
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        params
    }

    fn sign(&self, names: &[&str], purpose: ExtendedKeyUsagePurpose, when: Validity) -> CertifiedKey {
        let mut params = Self::params(names, when);
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.issuer).expect("a certificate");
        CertifiedKey { cert: cert.pem(), key: key.serialize_pem() }
    }
}

/// Creates a directory for DOCKER_CERT_PATH with those of `ca.pem`, `cert.pem` and `key.pem` that are given.
pub fn directory(ca: Option<&str>, cert: Option<&str>, key: Option<&str>) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in [("ca.pem", ca), ("cert.pem", cert), ("key.pem", key)] {
        if let Some(text) = text {
            fs::write(directory.path().join(name), text).expect("a file");
        }
    }
    directory
}

/// Creates a directory for DOCKER_CERT_PATH from a certificate and its authority.
pub fn directory_of(authority: &Authority, pair: &CertifiedKey) -> TempDir {
    directory(Some(&authority.pem), Some(&pair.cert), Some(&pair.key))
}

/// Returns the path of a directory as text.
pub fn path(directory: &TempDir) -> &str {
    Path::to_str(directory.path()).expect("UTF-8")
}
