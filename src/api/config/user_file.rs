//! Reads the user's own small files. Pipes, sockets and block devices are refused, because reading them may block.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use serde_json::{Map, Value};

/// The maximum size of a file, in bytes. The largest known ones have some kilobytes.
const MAX_LEN: u64 = 16 << 20;

/// Reads a file. `None` if it does not exist.
///
/// # Errors
/// The file cannot be read, is too large, or is a pipe, a socket or a block device.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let kind = match fs::metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    if kind.is_fifo() || kind.is_socket() || kind.is_block_device() {
        return Err(io::Error::other("it is a pipe, a socket or a device, not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(..=MAX_LEN) => Ok(Some(bytes)),
        _ => Err(io::Error::other(format!("it is larger than {} MiB", MAX_LEN >> 20))),
    }
}

/// Parses the JSON object in one of docker's files. An empty file is an empty object. Types are checked by
/// the caller, because serde's error messages would quote the value.
pub fn parse_object(text: &[u8]) -> Result<Map<String, Value>, String> {
    // A byte order mark, which Windows editors insert.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("it is not a JSON object".to_owned()),
        Err(e) => Err(format!("it is not JSON (line {}, column {})", e.line(), e.column())),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn large_and_special_files_are_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let refused = |path: &Path| read(path).unwrap_err().to_string();
        fs::write(path("small"), "x").unwrap();
        assert_eq!(read(&path("small")).unwrap().as_deref(), Some(b"x".as_slice()));
        assert_eq!(read(&path("none")).unwrap(), None);
        assert_eq!(read(&path("small/none")).unwrap(), None);
        assert_eq!(read(Path::new("/dev/null")).unwrap().as_deref(), Some(b"".as_slice()));
        File::create(path("large")).unwrap().set_len(1 << 30).unwrap();
        assert_eq!(refused(&path("large")), "it is larger than 16 MiB");
        assert_eq!(refused(Path::new("/dev/zero")), "it is larger than 16 MiB");
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        assert!(refused(&path("pipe")).contains("not a regular file"));
        assert!(refused(directory.path()).contains("directory"));
    }
}
