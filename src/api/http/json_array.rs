//! A long list of services, read while it comes: the engine takes its time to write one, and its text is ten times what is
//! shown of it.

use serde::de::{Deserialize, Error as _, IgnoredAny};
use serde_json::Deserializer;

use super::response::{Answer, LONGEST_OBJECT};
use crate::api::error::Result;

/// What is read of a list so far.
pub struct Rows<T, F> {
    read: F,
    rows: Vec<T>,
    at: At,
    /// Bytes that were seen before and hold no whole row; with fewer than twice as many they are not looked at again.
    seen: usize,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    /// The bracket before all.
    Start,
    /// A row, or the bracket behind all.
    First,
    /// A row.
    Row,
    /// The comma before a row, or the bracket behind all.
    Behind,
    /// Nothing.
    End,
    /// It is no list of services, and why.
    Lost(String),
}

/// Reads the value that a text begins with; gives what was made of it, and its length in bytes.
pub fn first<'a, R: Deserialize<'a>, T>(
    text: &'a str,
    read: impl FnOnce(R) -> T,
) -> serde_json::Result<(T, usize)> {
    let mut values = Deserializer::from_str(text).into_iter::<R>();
    let value = values.next().unwrap_or_else(|| Err(serde_json::Error::custom("nothing")))?;
    Ok((read(value), values.byte_offset()))
}

impl<T, F: Fn(&str) -> serde_json::Result<(T, usize)>> Rows<T, F> {
    /// Each row becomes what `read` makes of what begins with it; `read` gives its length, too, in bytes.
    pub fn new(read: F) -> Self {
        Self { read, rows: Vec::new(), at: At::Start, seen: 0 }
    }

    /// Takes all whole rows out of what has come.
    pub fn eat(&mut self, bytes: &mut Vec<u8>) {
        if self.seen > 0 && bytes.len() < self.seen * 2 {
            return;
        }
        // What is known to be UTF-8 as a whole need not be checked string by string.
        let text = match str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        };
        let mut done = 0;
        while let Some(length) = self.step(&text[done..]) {
            done += length;
        }
        bytes.drain(..done);
        self.seen = if self.at == At::Start { 0 } else { bytes.len() };
    }

    /// All rows, when `rest` is what was left of the answer.
    ///
    /// # Errors
    /// It is no whole list of services.
    pub fn all(self, rest: &Answer) -> Result<Vec<T>> {
        let is_list = self.at != At::Start || rest.body.trim_ascii_start().starts_with(b"[");
        if !is_list && str::from_utf8(&rest.body).is_ok() {
            // The whole body is there: the error about a whole response is more exact.
            rest.json::<Vec<IgnoredAny>>()?;
        }
        self.finish(rest.body.clone()).map_err(|why| rest.garbled(why))
    }

    /// All rows, when `rest` is what [`eat`](Self::eat) has left of the body, and nothing more comes.
    ///
    /// # Errors
    /// Why the body is not a complete list of services.
    pub fn finish(mut self, mut rest: Vec<u8>) -> Result<Vec<T>, String> {
        self.seen = 0;
        self.eat(&mut rest);
        // The rest does not begin within a character, because the rows before it were valid UTF-8.
        if let Err(error) = str::from_utf8(&rest) {
            return Err(format!("it is not UTF-8 ({error})"));
        }
        match self.at {
            At::End if rest.trim_ascii().is_empty() => Ok(self.rows),
            At::Lost(why) => Err(format!("it is not the JSON that was expected ({why})")),
            _ => Err("it is not the JSON that was expected (it is no list, or not a whole one)".to_owned()),
        }
    }

    /// Reads one thing; gives its length, or `None` where it is not there as a whole.
    fn step(&mut self, text: &str) -> Option<usize> {
        let blanks = text.bytes().take_while(u8::is_ascii_whitespace).count();
        let Some(first) = text.as_bytes().get(blanks) else {
            // Blanks without end are not looked at again and again.
            return (blanks > 0).then_some(blanks);
        };
        let next = match (&self.at, first) {
            (At::Start, b'[') => At::First,
            (At::First | At::Behind, b']') => At::End,
            (At::Behind, b',') => At::Row,
            (At::First | At::Row, b'{') => return self.row(text),
            (At::Start | At::Lost(_), _) => return None,
            (at, _) => {
                let expected = if *at == At::End { "its end" } else { "a service" };
                self.at = At::Lost(format!("something else than {expected}"));
                return None;
            }
        };
        self.at = next;
        Some(blanks + 1)
    }

    fn row(&mut self, text: &str) -> Option<usize> {
        let lost = match (self.read)(text) {
            Ok((row, length)) if length <= LONGEST_OBJECT => {
                self.rows.push(row);
                self.at = At::Behind;
                return Some(length);
            }
            Ok(_) => format!("an object in it is longer than {} MiB", LONGEST_OBJECT >> 20),
            Err(error) if error.is_eof() && text.len() <= LONGEST_OBJECT => return None,
            Err(error) if error.is_eof() => "an object has no end".to_owned(),
            Err(error) => error.to_string(),
        };
        self.at = At::Lost(lost);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::resources::rows::ServiceRow;

    fn name_of(text: &str) -> serde_json::Result<(String, usize)> {
        first(text, |row: ServiceRow| row.name().to_owned())
    }

    fn service(name: &str) -> String {
        format!(
            r#"{{"ID":"i-{name}","Version":{{"Index":7}},"Spec":{{"Name":"{name}","Labels":{{"a":"]}},{{\""}}}}}}"#
        )
    }

    /// What is read of a text that comes in parts of so many bytes.
    fn names(text: &str, part: usize) -> Result<Vec<String>> {
        let (mut rows, mut bytes) = (Rows::new(name_of), Vec::new());
        for part in text.as_bytes().chunks(part) {
            bytes.extend_from_slice(part);
            rows.eat(&mut bytes);
        }
        rows.all(&Answer::of_body(bytes))
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
    fn of_long_lists_no_more_is_held_than_a_part_and_a_row() {
        let list = vec![service("a"); 10_000].join(",");
        let (mut rows, mut bytes, mut most) = (Rows::new(name_of), b"[".to_vec(), 0);
        for part in list.as_bytes().chunks(1000) {
            bytes.extend_from_slice(part);
            rows.eat(&mut bytes);
            most = most.max(bytes.len());
        }
        bytes.push(b']');
        assert_eq!(rows.all(&Answer::of_body(bytes)).unwrap().len(), 10_000);
        assert!(most < 300, "{most}");
    }

    #[test]
    fn what_is_no_whole_list_of_services_is_none() {
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
                assert!(matches!(error, crate::api::error::Error::Garbled { .. }), "{text}: {error}");
            }
        }
    }

    #[test]
    fn an_object_without_an_end_is_given_up() {
        let mut rows = Rows::new(name_of);
        let mut bytes = format!(r#"[{{"ID":"{}"#, "x".repeat(LONGEST_OBJECT)).into_bytes();
        rows.eat(&mut bytes);
        assert!(rows.all(&Answer::of_body(bytes)).unwrap_err().to_string().contains("has no end"));
    }
}
