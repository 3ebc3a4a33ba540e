//! Reads files that are named on the command line, up to a maximum size.

use std::fs::File;
use std::io::{self, Read};

/// Reads the file at `path`, or stdin for `-`. Pipes such as `<(...)` are read to their end, and devices up to the
/// maximum.
///
/// # Errors
/// The file cannot be read or is longer than `mebibytes`.
pub fn read(path: &str, mebibytes: u64) -> io::Result<Vec<u8>> {
    if path == "-" { up_to(io::stdin().lock(), mebibytes) } else { up_to(File::open(path)?, mebibytes) }
}

/// Reads a file as text, like [`read`].
pub fn read_text(path: &str, mebibytes: u64) -> io::Result<String> {
    let bytes = read(path, mebibytes)?;
    String::from_utf8(bytes).map_err(|e| io::Error::other(format!("it is not UTF-8: {}", e.utf8_error())))
}

fn up_to(from: impl Read, mebibytes: u64) -> io::Result<Vec<u8>> {
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
    fn what_has_no_end_is_not_read_to_it() {
        assert_eq!(read("/dev/zero", 1).unwrap_err().to_string(), "it is longer than 1 MiB");
        assert_eq!(up_to(&[7; 1 << 20][..], 1).unwrap().len(), 1 << 20);
        assert!(read("/", 1).is_err() && read("/nonexistent", 1).is_err());
    }
}
