//! Compressed records in parts: the result does not depend on where a record is split. Decompression restores it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::journal::{RecordError, StoredRun, Summary, parse};

/// The JSON of the record that is stored in these parts.
fn read(number: u64, parts: &[&[u8]]) -> Result<Vec<u8>, RecordError> {
    let parts = parts.iter().map(|part| Some(part.to_vec())).collect();
    let run = StoredRun { number, summary: Summary::default(), parts, pieces: Vec::new() };
    run.record().map(|record| record.to_json().unwrap())
}

fuzz_target!(|bytes: &[u8]| {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    assert_eq!(read(1, &[bytes]), read(1, &[first, second]));
    let Ok(record) = parse(bytes) else { return };
    let compressed = record.compressed().unwrap();
    let (first, second) = compressed.split_at(compressed.len() / 3);
    assert_eq!(read(record.run, &[first, second]).unwrap(), record.to_json().unwrap());
});
