//! Quotes words for commands that users paste into a shell, whatever the words contain.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::api::http::request_path::can_be_name;

/// Quotes the name of a service. For names that are not valid (empty, `..`, with a `/`, far too long) it returns `SERVICE`.
pub fn service(name: &str) -> Cow<'_, str> {
    if can_be_name(name) { word(name) } else { "SERVICE".into() }
}

/// Quotes a word.
///
/// Characters that are not plain ASCII are written as bytes (`$'\342'`, which bash, zsh, ksh and newer shells
/// support), so that neither the terminal nor the clipboard can change their meaning. A word that begins with
/// `-` is preceded by `--`.
pub fn word(text: &str) -> Cow<'_, str> {
    match argument(text.as_bytes()) {
        quoted if text.starts_with('-') => format!("-- {quoted}").into(),
        quoted => quoted,
    }
}

/// Quotes a word like [`word`], without `--` before it.
pub fn argument(word: &[u8]) -> Cow<'_, str> {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(b);
    if let Ok(text) = std::str::from_utf8(word)
        && !text.is_empty()
        && word.iter().all(is_plain)
    {
        return text.into();
    }
    if let Ok(text) = std::str::from_utf8(word)
        && word.iter().all(|b| *b == b' ' || b.is_ascii_graphic())
    {
        return format!("'{}'", text.replace('\'', r"'\''")).into();
    }
    let mut quoted = "$'".to_owned();
    for b in word {
        match b {
            b'\'' | b'\\' => quoted.extend(['\\', char::from(*b)]),
            b' '..=b'~' => quoted.push(char::from(*b)),
            _ => {
                // Always three octal digits: some shells would read letters after `\x` as further digits.
                let _ = write!(quoted, "\\{b:03o}");
            }
        }
    }
    quoted.push('\'');
    quoted.into()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_plain_stays_as_it_is() {
        for text in ["web", "shop_web-2.1", "127.0.0.1:5000/shop/web:1.8@sha256:0a"] {
            assert!(matches!(word(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("$(reboot)"), "'$(reboot)'");
        assert_eq!(word("a'; reboot; '"), r"'a'\''; reboot; '\'''");
        assert_eq!(word(""), "''");
        assert_eq!(word("-rf"), "-- -rf");
        assert_eq!(word("a\nreboot\\'\u{1b}"), r"$'a\012reboot\\\'\033'");
        assert_eq!(word("web\u{202e}"), r"$'web\342\200\256'");
        assert_eq!(service("../x"), "SERVICE");
        assert_eq!(service(&"x".repeat(1 << 20)), "SERVICE");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 50, ..ProptestConfig::default() })]

        #[test]
        fn a_shell_reads_back_the_very_text(text in "[^\0]{0,12}|[-a$`'\"\\\\!;&|<>(){}*?~# \n\t]{0,12}") {
            let quoted = word(&text);
            prop_assert!(quoted.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{}", quoted);
            let word = quoted.strip_prefix("-- ").unwrap_or(&quoted);
            let read = Command::new("bash").args(["-c", &format!("printf %s {word}")]).output().unwrap();
            prop_assert_eq!(read.stdout, text.as_bytes());
        }
    }
}
