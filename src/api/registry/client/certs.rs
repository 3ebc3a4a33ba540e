//! The TLS files of a registry, where Docker keeps them: `certs.d/HOST[:PORT]/`.

use std::io;
use std::path::{Path, PathBuf};

use super::failure::{Failure, FailureKind};
use crate::api::config::endpoint::Tls;

/// How a verified connection to this host is encrypted: every `*.crt` is trusted beside the system's authorities, and
/// the first `*.cert` with its `*.key` is the client certificate.
///
/// # Errors
/// The folder cannot be read, or a certificate has no key.
pub fn tls(folder: &Path, host: &str) -> Result<Tls, Failure> {
    let mut tls = Tls { ca: None, more_cas: Vec::new(), cert: None, key: None, is_verified: true };
    let folder = folder.join(host);
    let files = files(&folder).map_err(|e| failure(format!("cannot read `{}`: {e}", folder.display())))?;
    let has_extension = |file: &Path, name| file.extension().is_some_and(|extension| extension == name);
    for file in files {
        if has_extension(&file, "crt") {
            tls.more_cas.push(file);
        } else if has_extension(&file, "cert") && tls.cert.is_none() {
            let key = file.with_extension("key");
            if !key.exists() {
                let (cert, key) = (file.display(), key.display());
                return Err(failure(format!("the client certificate `{cert}` has no key `{key}`")));
            }
            (tls.cert, tls.key) = (Some(file), Some(key));
        }
    }
    Ok(tls)
}

/// Sorted by name; none if there is no such folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
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

fn failure(why: String) -> Failure {
    Failure::new(FailureKind::Unreachable, why)
}
