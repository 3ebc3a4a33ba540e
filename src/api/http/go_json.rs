//! JSON as Go writes it: unchanged numbers are sent back byte for byte.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Serializes a spec to be posted.
pub fn to_vec(spec: &Value) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(4096);
    spec.serialize(&mut Serializer::with_formatter(&mut text, GoFormatter(CompactFormatter)))?;
    Ok(text)
}

/// Formats floating-point numbers as Go does: without an exponent from 1e-6 up to 1e21, and otherwise with one that has a
/// sign.
struct GoFormatter(CompactFormatter);

impl Formatter for GoFormatter {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size == 0.0 || (1e-6..1e21).contains(&size) {
            return write!(writer, "{value}");
        }
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => write!(writer, "{digits}e+{exponent}"),
            _ => writer.write_all(text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for number in [
            "0",
            "-0",
            "1",
            "-1",
            "0.1",
            "0.3",
            "0.000001",
            "0.00001234",
            "1e-7",
            "1.5e-9",
            "1e-45",
            "100000.5",
            "100000000000000000000",
            "1e+21",
            "-1.5e+300",
            "9007199254740993",
            "18446744073709551615",
            "-9223372036854775808",
            "0.30000001192092896",
            "5e-324",
            "1.7976931348623157e+308",
        ] {
            let text = format!("{{\"a\":[{number},\"\"]}}");
            let spec: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(String::from_utf8(to_vec(&spec).unwrap()).unwrap(), text);
        }
    }
}
