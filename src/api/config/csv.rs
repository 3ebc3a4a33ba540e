//! Parses one line of comma-separated values with quotes.

use crate::api::error::InvalidValue;

/// Splits a line into fields: `type=bind,"volume-opt=o=addr=1,rw"`. Two quotes inside quotes are one quote.
pub fn split_fields(text: &str) -> Result<Vec<String>, InvalidValue> {
    let bad = |why: &str| InvalidValue::new(text, format!("cannot be read: {why}"));
    if text.is_empty() {
        return Err(InvalidValue::unnamed("the value is empty"));
    }
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let after = if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = quoted_field(quoted).ok_or_else(|| bad("a quote is not closed"))?;
            fields.push(field);
            if !after.is_empty() && !after.starts_with(',') {
                return Err(bad(&format!("unexpected `{after}` after a closing quote")));
            }
            after
        } else {
            let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            if field.contains('"') {
                return Err(bad(&format!("unexpected quote within `{field}`; quote the whole field")));
            }
            if field.contains(['\n', '\r']) {
                return Err(bad("there is a line break outside quotes"));
            }
            fields.push(field.to_owned());
            after
        };
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

/// Whether the value for a port or a network is in docker's long form (`key=value,...`), by the test of docker: an `=`
/// with a letter, digit or `_` on both sides.
pub fn is_long_form(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices('=').any(|(at, _)| {
        let (before, after) = text.split_at(at);
        before.ends_with(word) && after[1..].starts_with(word)
    })
}

/// Splits at the closing quote.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn splits_at_commas_outside_quotes() {
        for (text, want) in [
            ("a=b,c", Some(vec!["a=b", "c"])),
            ("a", Some(vec!["a"])),
            ("a,", Some(vec!["a", ""])),
            (",a", Some(vec!["", "a"])),
            ("\"a,b\",c", Some(vec!["a,b", "c"])),
            ("\"a\"\"b\"", Some(vec!["a\"b"])),
            ("\"\"", Some(vec![""])),
            ("\"a\nb\"", Some(vec!["a\nb"])),
            ("", None),
            ("a\"b", None),
            ("\"a", None),
            ("\"a\"b", None),
            ("a\nb", None),
        ] {
            let want = want.map(|fields| fields.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(split_fields(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn distinguishes_the_long_form_from_the_short_form() {
        for (text, want) in [
            ("target=80", true),
            ("a=b", true),
            ("80=tcp", true),
            ("=80", false),
            ("80=", false),
            ("8080:80", false),
            ("a,b=c", true),
            ("\u{e9}=\u{e9}", false),
        ] {
            assert_eq!(is_long_form(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn quoted_fields_survive(list in proptest::collection::vec(".{0,6}", 1..5)) {
            let line: Vec<_> = list.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            prop_assert_eq!(split_fields(&line.join(",")).unwrap(), list);
        }
    }
}
