//! Reads files that are named on the command line, up to a maximum size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Reads the file at `path`, or stdin for `-`. Pipes such as `<(...)` are read to their end, and devices up to the
/// maximum.
///
/// # Errors
/// The file cannot be read or is longer than `mebibytes`.
pub fn read(path: &str, mebibytes: u64) -> io::Result<Vec<u8>> {
    if path == "-" {
        read_up_to(io::stdin().lock(), mebibytes)
    } else {
        read_up_to(File::open(path)?, mebibytes)
    }
}

/// Reads a file as text, like [`read`].
pub fn read_text(path: &str, mebibytes: u64) -> io::Result<String> {
    let bytes = read(path, mebibytes)?;
    String::from_utf8(bytes).map_err(|e| io::Error::other(format!("it is not UTF-8: {}", e.utf8_error())))
}

/// Returns the name of the file at `path` for messages: in backticks, or `stdin` for `-`.
pub fn shown(path: &str) -> String {
    if path == "-" { "stdin".to_owned() } else { format!("`{path}`") }
}

/// Creates a file that only its owner can read. It replaces no other file. It appears with the complete text, unless the
/// file system has no hard links.
///
/// # Errors
/// The file exists already ([`io::ErrorKind::AlreadyExists`]), or it cannot be written.
pub fn create(path: &str, text: &str) -> io::Result<()> {
    let path = Path::new(path);
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let draft = path.with_file_name(format!(".{:.40}.{:08x}", name.to_string_lossy(), fastrand::u32(..)));
    write_new(&draft, text)?;
    // A link, unlike a renamed file, never replaces another file.
    let result = fs::hard_link(&draft, path);
    // An error is ignored, because a draft that is left over does no harm.
    let _ = fs::remove_file(&draft);
    match result {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) =>
        {
            // The file system may not support hard links.
            write_new(path, text)
        }
        result => result,
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // A reader must not mistake a partial file for the complete one.
        let _ = fs::remove_file(path);
    }
    written
}

fn read_up_to(from: impl Read, mebibytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take((mebibytes << 20) + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > mebibytes << 20 {
        Err(io::Error::other(format!("it is longer than {mebibytes} MiB")))
    } else {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_complete_private_and_replaces_nothing() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plan.json");
        create(path.to_str().unwrap(), "one").unwrap();
        assert_eq!(create(path.to_str().unwrap(), "two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
        let long = directory.path().join("x".repeat(255));
        create(long.to_str().unwrap(), "").unwrap();
        let missing = directory.path().join("no/plan.json");
        assert_eq!(create(missing.to_str().unwrap(), "").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn an_endless_file_is_read_up_to_the_maximum() {
        assert_eq!(read("/dev/zero", 1).unwrap_err().to_string(), "it is longer than 1 MiB");
        assert_eq!(read_up_to(&[7; 1 << 20][..], 1).unwrap().len(), 1 << 20);
        assert!(read("/", 1).is_err() && read("/nonexistent", 1).is_err());
    }
}
