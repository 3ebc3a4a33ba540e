//! Compression of records.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Maximum length of a record after decompression.
pub(super) const MAX_LEN: u64 = 64 << 20;

/// Compresses a record.
///
/// # Errors
/// The compressor failed. This does not happen if it writes to memory.
pub(super) fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Decompresses a record, which is untrusted input.
///
/// # Errors
/// The reason why it is not a valid record.
pub(super) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let mut decoder = GzDecoder::new(bytes).take(MAX_LEN + 1);
    decoder.read_to_end(&mut text).map_err(|error| format!("invalid compression: {error}"))?;
    if text.len() as u64 > MAX_LEN {
        return Err(format!("it is longer than {} MiB", MAX_LEN >> 20));
    }
    Ok(text)
}
