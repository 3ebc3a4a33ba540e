//! Headers that the user adds to every request. Pure. Values may be secret, so no message contains one.

use super::csv;
use crate::api::error::InvalidValue;

/// The name and the value of a header.
pub type Header = (String, String);

/// Parses `DOCKER_CUSTOM_HEADERS`: `NAME=VALUE` pairs separated by commas. The last value of a repeated name
/// wins.
///
/// # Errors
/// The text is not such a list, or a header is not valid in HTTP.
pub fn parse_variable(text: &str) -> Result<Vec<Header>, InvalidValue> {
    let bad = |why: &str| InvalidValue::unnamed(why);
    let text = text.strip_suffix('\n').unwrap_or(text);
    // The parser's message would contain the value.
    let fields = csv::split_fields(text)
        .map_err(|_| bad("it cannot be read as NAME=VALUE pairs separated by commas"))?;
    let mut headers: Vec<Header> = Vec::new();
    for field in fields {
        let Some((name, value)) = field.split_once('=') else {
            return Err(bad("an item has no `=`; write a value with a comma as \"NAME=A,B\""));
        };
        let header = (name.trim().to_owned(), value.trim().to_owned());
        check(&header).map_err(|why| bad(&why))?;
        headers.retain(|(other, _)| !other.eq_ignore_ascii_case(&header.0));
        headers.push(header);
    }
    Ok(headers)
}

/// Checks that a header is valid in HTTP, and returns the reason if it is not.
pub fn check((name, value): &Header) -> Result<(), String> {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() {
        return Err("a header has no name".to_owned());
    }
    if !name.bytes().all(is_token) {
        return Err(format!("`{name}` is not a valid header name"));
    }
    if !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
        return Err(format!("the value of header `{name}` has characters that are not allowed in a header"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_as_docker_reads_it() {
        let text = "one=1,\"two=a,b\",\"three= x  \",four=, five =a=b,FIVE=c\n";
        let expected = [("one", "1"), ("two", "a,b"), ("three", "x"), ("four", ""), ("FIVE", "c")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parse_variable(text).unwrap(), expected);
    }

    #[test]
    fn errors_contain_no_value() {
        for text in [
            "sesame",
            "=sesame",
            "a b=sesame",
            "\"a=sesame",
            "a=\"sesame",
            "a=sesame,",
            ",",
            " ",
            "a=b\nc=sesame",
            "\"a=b\nsesame\"",
            "a=sesam\u{e9}",
            "a=\u{7f}sesame",
        ] {
            let message = parse_variable(text).unwrap_err().to_string();
            assert!(!message.contains("sesame"), "{text}: {message}");
        }
    }
}
