//! The TLS files of a registry, in docker's directory: `certs.d/HOST[:PORT]/`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{RequestError, RequestErrorKind};
use crate::api::config::endpoint::{Peer, Tls};
use crate::api::registry::protocol::Url;

/// The TLS settings for a verified connection to this host. Every `*.crt` is trusted in addition to the
/// system's authorities, and the first `*.cert` with its `*.key` is the client certificate. The name of the
/// directory may contain the default port.
///
/// # Errors
/// The directory cannot be read, or a certificate has no key.
pub(super) fn tls(directory: &Path, url: &Url) -> Result<Tls, RequestError> {
    let mut tls = Tls {
        peer: Peer::Registry,
        ca: None,
        extra_cas: Vec::new(),
        cert: None,
        key: None,
        is_verified: true,
    };
    let with_port = format!("{}:{}", url.bracketed_host(), url.port);
    let names = BTreeSet::from([url.authority(), with_port]);
    let mut all = Vec::new();
    for directory in names.iter().map(|name| directory.join(name)) {
        let files = files(&directory)
            .map_err(|e| certificate_error(format!("cannot read `{}`: {e}", directory.display())))?;
        all.extend(files);
    }
    let has_extension = |file: &Path, name| file.extension().is_some_and(|extension| extension == name);
    for file in all {
        if has_extension(&file, "crt") {
            tls.extra_cas.push(file);
        } else if has_extension(&file, "cert") && tls.cert.is_none() {
            let key = file.with_extension("key");
            if !key.exists() {
                let (cert, key) = (file.display(), key.display());
                return Err(certificate_error(format!("the client certificate `{cert}` has no key `{key}`")));
            }
            (tls.cert, tls.key) = (Some(file), Some(key));
        }
    }
    Ok(tls)
}

/// The files in a directory, sorted by name. Empty if the directory does not exist.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(e) => return Err(e),
    };
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

fn certificate_error(why: String) -> RequestError {
    RequestError::new(RequestErrorKind::Unreachable, why)
}
