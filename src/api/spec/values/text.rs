//! Names, labels, variables, command words and choices.

use crate::api::error::InvalidValue;

/// Accepts any text unchanged.
pub fn any(text: &str) -> Result<String, InvalidValue> {
    Ok(text.to_owned())
}

/// Accepts a text that is not empty.
pub fn not_empty(text: &str) -> Result<String, InvalidValue> {
    if text.is_empty() { Err(InvalidValue::unnamed("the value is empty")) } else { Ok(text.to_owned()) }
}

/// Parses the key of `KEY` or `KEY=VALUE`. Docker accepts both for removals.
pub fn key(text: &str) -> Result<String, InvalidValue> {
    not_empty(text.split('=').next().unwrap_or_default())
}

/// Parses the name of something to remove. Docker also accepts `NAME=VALUE`, but silently removes nothing.
pub fn only_name(text: &str, what: &str) -> Result<String, InvalidValue> {
    if text.contains('=') {
        Err(InvalidValue::new(text, format!("is not a name: specify only the name to remove {what}")))
    } else {
        not_empty(text)
    }
}

/// Parses the name of a service: letters and digits, with `-` and `_` inside, at most 63 characters. If it is
/// empty, the engine chooses a name.
pub fn service_name(text: &str) -> Result<String, InvalidValue> {
    let edge = |b: Option<u8>| b.is_none_or(|b| b.is_ascii_alphanumeric());
    let fine = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && edge(text.bytes().next())
        && edge(text.bytes().next_back());
    if !fine {
        return Err(InvalidValue::new(
            text,
            "is not a valid service name: use letters and digits, with `-` and `_` in between",
        ));
    }
    if text.len() > 63 {
        return Err(InvalidValue::new(text, "is longer than 63 characters, the maximum for a name"));
    }
    Ok(text.to_owned())
}

/// Parses `KEY=VALUE`, or `KEY` with an empty value. Spaces are allowed in the value, and before the key.
pub fn label(text: &str) -> Result<(String, String), InvalidValue> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    let bad = |why: &str| Err(InvalidValue::new(text, format!("is not a valid label: {why}")));
    match key.trim_start_matches([' ', '\t']) {
        "" => bad("it has no name"),
        name if name.contains([' ', '\t']) => bad(&format!("there is a space in its name, `{name}`")),
        _ => Ok((key.to_owned(), value.to_owned())),
    }
}

/// Parses `KEY=VALUE` with a key that is not empty, or `KEY` with an empty value.
pub fn pair(text: &str) -> Result<(String, String), InvalidValue> {
    match text.split_once('=').unwrap_or((text, "")) {
        ("", _) => Err(InvalidValue::new(text, "has no name before the `=`")),
        (key, value) => Ok((key.to_owned(), value.to_owned())),
    }
}

/// Parses `KEY=VALUE`. A `KEY` alone takes the value that `variable` returns. If there is none, `KEY` is returned:
/// the container will not have the variable, even if its image sets it.
pub fn variable(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, InvalidValue> {
    match text.split_once('=') {
        Some(("", _)) => Err(InvalidValue::new(text, "has no name before the `=`")),
        Some(_) => Ok(text.to_owned()),
        None if text.is_empty() => Err(InvalidValue::unnamed("a variable needs a name")),
        None => Ok(variable(text).map_or_else(|| text.to_owned(), |value| format!("{text}={value}"))),
    }
}

/// Accepts one of `choices`. Upper and lower case matter: some callers convert the text first. In errors, `what` is
/// the name of the choice.
pub fn choice(text: &str, what: &str, choices: &[&'static str]) -> Result<String, InvalidValue> {
    match choices.iter().find(|choice| **choice == text) {
        Some(choice) => Ok((*choice).to_owned()),
        None => {
            let choices = choices.join("`, `");
            Err(InvalidValue::new(text, format!("is not a valid {what}: use one of `{choices}`")))
        }
    }
}

/// Splits a command line into words as a shell does (quotes, backslashes, comments), without expansions.
pub fn words(text: &str) -> Result<Vec<String>, InvalidValue> {
    let bad = |why: &str| InvalidValue::new(text, format!("cannot be split into words: {why}"));
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => while chars.next().is_some_and(|c| c != '\n') {},
            '\\' => {
                let next = chars.next().ok_or_else(|| bad("it ends with a backslash"))?;
                word.get_or_insert_default().push(next);
            }
            '"' | '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or_else(|| bad(&format!("a quote {c} is not closed")))? {
                        close if close == c => break,
                        '\\' if c == '"' => {
                            word.push(chars.next().ok_or_else(|| bad("it ends with a backslash"))?);
                        }
                        inner => word.push(inner),
                    }
                }
            }
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn splits_an_entrypoint_as_docker_does() {
        let table: &[(&str, Option<&[&str]>)] = &[
            ("sh -c \"a b\" c\\ d", Some(&["sh", "-c", "a b", "c d"])),
            ("", Some(&[])),
            ("   ", Some(&[])),
            ("a # b c", Some(&["a"])),
            ("a#b", Some(&["a#b"])),
            ("a # \n b", Some(&["a", "b"])),
            ("a #\"\n b", Some(&["a", "b"])),
            ("# a", Some(&[])),
            ("\\#a b", Some(&["#a", "b"])),
            ("\"#a\" b", Some(&["#a", "b"])),
            ("'' x", Some(&["", "x"])),
            ("a \"b\\nc\\\"d\\\\e\" ", Some(&["a", "bnc\"d\\e"])),
            ("a 'b\\c'", Some(&["a", "b\\c"])),
            ("\"a\"'b'", Some(&["ab"])),
            ("a\"b c\"d", Some(&["ab cd"])),
            ("a\nb\tc\rd", Some(&["a", "b", "c", "d"])),
            ("a\\\nb", Some(&["a\nb"])),
            ("$HOME `x` *;|", Some(&["$HOME", "`x`", "*;|"])),
            ("a\u{a0}b \u{e9}", Some(&["a\u{a0}b", "\u{e9}"])),
            ("'a\\'", Some(&["a\\"])),
            ("sh 'a", None),
            ("a\"", None),
            ("a\\", None),
            ("a \"b\\", None),
        ];
        for (text, want) in table {
            let got = words(text).ok();
            let want = want.map(|words| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
            assert_eq!(got, want, "{text:?}");
        }
    }

    #[test]
    fn a_bare_variable_takes_its_value_from_the_environment() {
        let home = |key: &str| (key == "HOME").then(|| "/root".to_owned());
        for (text, want) in [
            ("A=1", Some("A=1")),
            ("A=", Some("A=")),
            ("A=b=c", Some("A=b=c")),
            (" A=1", Some(" A=1")),
            ("HOME", Some("HOME=/root")),
            ("NONE", Some("NONE")),
            ("=x", None),
            ("", None),
        ] {
            assert_eq!(variable(text, &home).ok().as_deref(), want, "{text}");
        }
    }

    #[test]
    fn reads_labels_names_and_choices() {
        for (text, want) in [
            ("a=b", Some(("a", "b"))),
            ("c", Some(("c", ""))),
            ("d=", Some(("d", ""))),
            ("x=y=z", Some(("x", "y=z"))),
            (" a=b c", Some((" a", "b c"))),
            ("=b", None),
            ("", None),
            ("  =b", None),
            ("a b=c", None),
        ] {
            let want = want.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(label(text).ok(), want, "{text}");
        }
        let long = "a".repeat(64);
        for (text, fine) in [
            ("web", true),
            ("a-_b", true),
            ("A1", true),
            ("", true),
            ("-a", false),
            ("a-", false),
            ("a b", false),
            ("a.b", false),
            ("a/b", false),
            (&long, false),
            (&long[..63], true),
        ] {
            assert_eq!(service_name(text).is_ok(), fine, "{text}");
        }
        assert_eq!(
            choice("foo", "restart condition", &["none", "any"]).map_err(|bad| bad.to_string()),
            Err("`foo` is not a valid restart condition: use one of `none`, `any`".into())
        );
        assert!(not_empty("").is_err());
        assert!(pair("=x").is_err());
    }

    proptest! {
        #[test]
        fn quoted_words_survive(list in proptest::collection::vec("[^']{0,8}", 0..5)) {
            let line: Vec<_> = list.iter().map(|word| format!("'{word}'")).collect();
            prop_assert_eq!(words(&line.join(" ")).unwrap(), list);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,30}") {
            let _ = (words(&text), label(&text), service_name(&text), variable(&text, &|_| None));
        }
    }
}
