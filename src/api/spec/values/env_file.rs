//! Files of environment variables, with one `KEY=VALUE` per line.

use crate::api::error::InvalidValue;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Parses the variables of a file, in order. Empty lines and lines that start with `#` are skipped. A `KEY`
/// without `=` takes the value that `variable` returns. If `variable` returns none, the line is skipped.
pub fn variables(
    bytes: &[u8],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, InvalidValue> {
    let text =
        std::str::from_utf8(bytes).map_err(|e| InvalidValue::unnamed(format!("it is not UTF-8: {e}")))?;
    let mut all = Vec::new();
    for (i, line) in text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).lines().enumerate() {
        // White space at the end of a line belongs to the value.
        let line = line.trim_start();
        let key = line.split('=').next().unwrap_or_default();
        let bad = |why: &str| Err(InvalidValue::unnamed(format!("line {}, `{line}`: {why}", i + 1)));
        if line.is_empty() || line.starts_with('#') {
        } else if key.is_empty() {
            return bad("the name before the `=` is missing");
        } else if key.contains(char::is_whitespace) {
            return bad("there is a space in the name");
        } else if line.contains('=') {
            all.push(line.to_owned());
        } else {
            all.extend(variable(line).map(|value| format!("{line}={value}")));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_files_as_docker_does() {
        let home = |key: &str| (key == "HOME").then(|| "/root".to_owned());
        let read = |text: &str| variables(text.as_bytes(), &home).map_err(|bad| bad.to_string());
        let lines = "\u{feff}A=1\r\n\n# c\n  B= two words \nC=a=b#c\nHOME\nNONE\nD=\n\t# e\n";
        assert_eq!(read(lines).unwrap(), ["A=1", "B= two words ", "C=a=b#c", "HOME=/root", "D="]);
        assert_eq!(read("").unwrap(), [""; 0]);
        for (text, why) in
            [("A=1\n=x", "line 2"), ("A B=1", "a space"), ("A =1", "a space"), ("A B", "a space")]
        {
            assert!(read(text).is_err_and(|message| message.contains(why)), "{text}");
        }
        assert!(variables(&[b'A', 0xff], &home).is_err());
    }
}
