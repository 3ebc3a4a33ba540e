//! An incremental parser for long lists: rows are parsed while the response arrives, because the engine writes a list slowly and
//! its text takes ten times the memory of the fields that are shown.

use serde::de::{Deserialize, Error as _, IgnoredAny};
use serde_json::Deserializer;

use super::response::{MAX_OBJECT_LEN, Response};
use crate::api::error::Result;

/// Parses the objects of a JSON array while the array arrives.
pub struct JsonArrayParser<T, F> {
    read: F,
    rows: Vec<T>,
    expect: Expect,
    /// Length of the incomplete tail at the last attempt. Parsing is retried only when the buffer has doubled, so that the total
    /// work stays linear.
    seen: usize,
}

/// What the parser expects next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expect {
    /// The opening bracket.
    Start,
    /// The first row or the closing bracket.
    First,
    /// A row, after a comma.
    Row,
    /// A comma or the closing bracket.
    AfterRow,
    /// White space only.
    End,
    /// Nothing: the text is not the expected list, for this reason.
    Lost(String),
}

/// Parses the JSON value at the start of `text`. Returns the result of `read`, and the length in bytes.
///
/// # Errors
/// There is no complete value, or it is not an `R`.
pub fn parse_first<'a, R: Deserialize<'a>, T>(
    text: &'a str,
    read: impl FnOnce(R) -> T,
) -> serde_json::Result<(T, usize)> {
    let mut values = Deserializer::from_str(text).into_iter::<R>();
    let value = values.next().unwrap_or_else(|| Err(serde_json::Error::custom("nothing")))?;
    Ok((read(value), values.byte_offset()))
}

impl<T, F: Fn(&str) -> serde_json::Result<(T, usize)>> JsonArrayParser<T, F> {
    /// Creates a parser. `read` parses the row at the start of a text, and returns the result and the length of the
    /// row in bytes.
    pub fn new(read: F) -> Self {
        Self { read, rows: Vec::new(), expect: Expect::Start, seen: 0 }
    }

    /// Consumes the complete rows from the bytes received so far.
    pub fn feed(&mut self, bytes: &mut Vec<u8>) {
        if self.seen > 0 && bytes.len() < self.seen * 2 {
            return;
        }
        // Checking the whole buffer is faster than checking each string.
        let text = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        };
        let mut done = 0;
        while let Some(length) = self.step(&text[done..]) {
            done += length;
        }
        bytes.drain(..done);
        self.seen = if self.expect == Expect::Start { 0 } else { bytes.len() };
    }

    /// Returns all rows. `rest` is the response with the bytes of the body that [`feed`](Self::feed) has not consumed.
    ///
    /// # Errors
    /// [`Error::InvalidResponse`](crate::api::error::Error::InvalidResponse) if it is not a complete list.
    pub fn all(self, rest: &Response) -> Result<Vec<T>> {
        let is_list = self.expect != Expect::Start || rest.body.trim_ascii_start().starts_with(b"[");
        if !is_list && str::from_utf8(&rest.body).is_ok() {
            // Nothing was consumed, so the whole body can be parsed again for a more precise error.
            rest.json::<Vec<IgnoredAny>>()?;
        }
        self.finish(rest.body.clone()).map_err(|why| rest.invalid_response(why))
    }

    /// Returns all rows. `rest` are the bytes of the body that [`feed`](Self::feed) has not consumed.
    ///
    /// # Errors
    /// Why the body is not a complete list.
    pub fn finish(mut self, mut rest: Vec<u8>) -> Result<Vec<T>, String> {
        self.seen = 0;
        self.feed(&mut rest);
        // The rest starts at the boundary of a character, because the rows before it were valid UTF-8.
        if let Err(error) = str::from_utf8(&rest) {
            return Err(format!("it is not UTF-8 ({error})"));
        }
        match self.expect {
            Expect::End if rest.trim_ascii().is_empty() => Ok(self.rows),
            Expect::Lost(why) => Err(format!("it is not the expected JSON ({why})")),
            _ => Err("it is not the expected JSON (not a list, or not a complete one)".to_owned()),
        }
    }

    /// Parses one token or row. Returns its length, or `None` if it is incomplete or invalid.
    fn step(&mut self, text: &str) -> Option<usize> {
        let blanks = text.bytes().take_while(u8::is_ascii_whitespace).count();
        let Some(first) = text.as_bytes().get(blanks) else {
            // Consume white space, so that it is not scanned again.
            return (blanks > 0).then_some(blanks);
        };
        let next = match (&self.expect, first) {
            (Expect::Start, b'[') => Expect::First,
            (Expect::First | Expect::AfterRow, b']') => Expect::End,
            (Expect::AfterRow, b',') => Expect::Row,
            (Expect::First | Expect::Row, b'{') => return self.row(text),
            (Expect::Start | Expect::Lost(_), _) => return None,
            (at, _) => {
                let expected = match at {
                    Expect::End => "its end",
                    Expect::AfterRow => "`,` or `]`",
                    _ => "an object",
                };
                self.expect = Expect::Lost(format!("expected {expected}"));
                return None;
            }
        };
        self.expect = next;
        Some(blanks + 1)
    }

    fn row(&mut self, text: &str) -> Option<usize> {
        let lost = match (self.read)(text) {
            Ok((row, length)) if length <= MAX_OBJECT_LEN => {
                self.rows.push(row);
                self.expect = Expect::AfterRow;
                return Some(length);
            }
            Ok(_) => format!("an object in it is longer than {} MiB", MAX_OBJECT_LEN >> 20),
            Err(error) if error.is_eof() && text.len() <= MAX_OBJECT_LEN => return None,
            Err(error) if error.is_eof() => "an object is not complete".to_owned(),
            Err(error) => error.to_string(),
        };
        self.expect = Expect::Lost(lost);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::resources::rows::ServiceRow;

    fn name_of(text: &str) -> serde_json::Result<(String, usize)> {
        parse_first(text, |row: ServiceRow| row.name().to_owned())
    }

    fn service(name: &str) -> String {
        format!(
            r#"{{"ID":"i-{name}","Version":{{"Index":7}},"Spec":{{"Name":"{name}","Labels":{{"a":"]}},{{\""}}}}}}"#
        )
    }

    /// Feeds a text in parts of this size, and returns the rows.
    fn names(text: &str, part: usize) -> Result<Vec<String>> {
        let (mut rows, mut bytes) = (JsonArrayParser::new(name_of), Vec::new());
        for part in text.as_bytes().chunks(part) {
            bytes.extend_from_slice(part);
            rows.feed(&mut bytes);
        }
        rows.all(&Response::from_body(bytes))
    }

    #[test]
    fn rows_are_read_however_they_are_cut() {
        let text = format!(" [{} , {},{}\n]\n", service("a"), service("b"), service("c"));
        for part in 1..text.len() {
            assert_eq!(names(&text, part).unwrap(), ["a", "b", "c"], "{part}");
        }
        assert_eq!(names("[]\n", 1).unwrap(), [""; 0]);
        assert_eq!(names(" [ ] ", 5).unwrap(), [""; 0]);
    }

    #[test]
    fn long_lists_are_parsed_row_by_row_with_little_memory() {
        let list = vec![service("a"); 10_000].join(",");
        let (mut rows, mut bytes, mut most) = (JsonArrayParser::new(name_of), b"[".to_vec(), 0);
        for part in list.as_bytes().chunks(1000) {
            bytes.extend_from_slice(part);
            rows.feed(&mut bytes);
            most = most.max(bytes.len());
        }
        bytes.push(b']');
        assert_eq!(rows.all(&Response::from_body(bytes)).unwrap().len(), 10_000);
        assert!(most < 300, "{most}");
    }

    #[test]
    fn incomplete_and_invalid_lists_are_errors() {
        let (a, b) = (service("a"), service("b"));
        for text in [
            String::new(),
            "[".to_owned(),
            "{}".to_owned(),
            "null".to_owned(),
            "<html>".to_owned(),
            "[1]".to_owned(),
            "[{}]".to_owned(),
            format!("[{a}"),
            format!("[{a},"),
            format!("[{a},]"),
            format!("[,{a}]"),
            format!("[{a}{b}]"),
            format!("[{a}],"),
            format!("[{a}] [{b}]"),
            "[ \u{e9}".to_owned(),
            format!("[{a}\u{6f22}"),
            format!("[{a},{}", &b[..b.len() - 1]),
            a.clone(),
        ] {
            for part in [1, 7, 1000] {
                let error = names(&text, part).unwrap_err();
                assert!(matches!(error, crate::api::error::Error::InvalidResponse { .. }), "{text}: {error}");
            }
        }
    }

    #[test]
    fn the_error_states_what_was_expected() {
        let two = format!("[{}{}]", service("a"), service("b"));
        for (text, expected) in [("[1]", "an object"), (&two, "`,` or `]`"), ("[] []", "its end")] {
            let error = names(text, 1000).unwrap_err().to_string();
            assert!(error.contains(&format!("expected {expected}")), "{text}: {error}");
        }
    }

    #[test]
    fn an_object_without_an_end_is_given_up() {
        let mut rows = JsonArrayParser::new(name_of);
        let mut bytes = format!(r#"[{{"ID":"{}"#, "x".repeat(MAX_OBJECT_LEN)).into_bytes();
        rows.feed(&mut bytes);
        assert!(rows.all(&Response::from_body(bytes)).unwrap_err().to_string().contains("is not complete"));
    }
}
