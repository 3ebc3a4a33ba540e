//! Texts that nobody may see, and how they are taken out of what others say.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";
/// A shorter one is a secret only where it stands alone: "at" is a part of many words.
const SHORT: usize = 6;

/// A text that no `{:?}` shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides the text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the one place that sends it.
    pub(in crate::api) fn show(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Secrets that may come back: a registry's error can repeat the header that it got, and a helper what it keeps.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// These; an empty one is none.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut all: Vec<Secret> = secrets.into_iter().filter(|secret| !secret.0.is_empty()).collect();
        // One that is a part of another would leave the rest of it.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.0.len()));
        Self(all)
    }

    /// These and more.
    pub fn and(&self, more: impl IntoIterator<Item = Secret>) -> Self {
        Self::new(self.0.iter().cloned().chain(more))
    }

    /// The text without them: as they are, as JSON or a URL writes them, and within base64, which is how headers
    /// carry them.
    pub fn hide(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let mut text = self.hide_encoded(text);
        for form in self.0.iter().flat_map(forms) {
            text = replace(&text, &form);
        }
        text
    }

    /// Takes out each run of base64 that holds one.
    fn hide_encoded(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_base64) {
            let run = &rest[start..];
            let run = &run[..run.find(|c| !is_base64(c)).unwrap_or(run.len())];
            out.push_str(&rest[..start]);
            out.push_str(if self.is_within(run) { HIDDEN } else { run });
            rest = &rest[start + run.len()..];
        }
        out + rest
    }

    fn is_within(&self, run: &str) -> bool {
        // One digit more than a whole number of bytes needs belongs to what was cut off.
        let whole = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
        [&alphabet::STANDARD, &alphabet::URL_SAFE].into_iter().any(|alphabet| {
            let config = GeneralPurposeConfig::new()
                .with_decode_padding_mode(DecodePaddingMode::Indifferent)
                .with_decode_allow_trailing_bits(true);
            let decoded = GeneralPurpose::new(alphabet, config).decode(whole).unwrap_or_default();
            let decoded = String::from_utf8_lossy(&decoded);
            self.0.iter().flat_map(forms).any(|form| find(&decoded, &form).is_some())
        })
    }
}

/// The ways to write a secret in a text, beside that of a URL.
fn forms(secret: &Secret) -> Vec<String> {
    let plain = secret.0.clone();
    let json = Value::from(plain.as_str()).to_string();
    let json = json[1..json.len() - 1].to_owned();
    // The engine's language writes these so in JSON.
    let escaped = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026")]
        .into_iter()
        .fold(json.clone(), |text, (c, code)| text.replace(c, code));
    let mut all = vec![plain];
    for form in [json, escaped] {
        if !all.contains(&form) {
            all.push(form);
        }
    }
    all
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')
}

fn replace(text: &str, secret: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = find(rest, secret) {
        out.push_str(&rest[..at.start]);
        out.push_str(HIDDEN);
        rest = &rest[at.end..];
    }
    out + rest
}

/// Where the secret stands, also as a URL writes it; a short one has to stand alone.
fn find(text: &str, secret: &str) -> Option<Range<usize>> {
    let is_alone = |at: &Range<usize>| {
        let before = match text.as_bytes()[..at.start] {
            [.., b'%', high, low] => of_hex(high, low).map(char::from),
            _ => None,
        };
        let before = before.or_else(|| text[..at.start].chars().next_back());
        ![before, text[at.end..].chars().next()].into_iter().flatten().any(char::is_alphanumeric)
    };
    let starts = text.char_indices().map(|(start, _)| start);
    starts
        .filter_map(|start| Some(start..start + length_at(&text.as_bytes()[start..], secret.as_bytes())?))
        .find(|at| secret.len() >= SHORT || is_alone(at))
}

/// How long the secret is that a text begins with. Encoders differ in what they escape, so any byte may be.
fn length_at(text: &[u8], secret: &[u8]) -> Option<usize> {
    let mut rest = text;
    for byte in secret {
        rest = match rest {
            [b'%', high, low, rest @ ..] if of_hex(*high, *low) == Some(*byte) => rest,
            [same, rest @ ..] if same == byte => rest,
            [b'+', rest @ ..] if *byte == b' ' => rest,
            _ => return None,
        };
    }
    Some(text.len() - rest.len())
}

/// The byte of two hexadecimal digits.
fn of_hex(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? * 16 + digit(low)?)
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::new(texts.iter().map(|text| Secret::new((*text).to_owned())))
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let password = "s\u{e9}same\"<&?>~~~";
        let all = secrets(&[password]);
        let basic = format!("ann:{password}");
        let header = format!("{{\"username\":\"ann\",\"password\":{}}}", Value::from(password));
        for form in [
            password.to_owned(),
            Value::from(password).to_string().trim_matches('"').to_owned(),
            "s\u{e9}same\\\"\\u003c\\u0026?\\u003e~~~".to_owned(),
            utf8_percent_encode(password, NON_ALPHANUMERIC).to_string(),
            BASE64_STANDARD.encode(&basic),
            BASE64_STANDARD_NO_PAD.encode(&basic),
            BASE64_URL_SAFE.encode(&header),
            BASE64_STANDARD.encode(format!("x{header}")),
        ] {
            let text = format!("denied: bad header {form}, try again");
            let hidden = all.hide(&text);
            assert!(
                hidden.starts_with("denied: bad header (hidden)") && hidden.ends_with(", try again"),
                "{form}: {hidden}"
            );
            assert!(!hidden.contains(&form), "{hidden}");
        }
    }

    #[test]
    fn a_secret_is_hidden_whatever_a_url_escapes_of_it() {
        for (secret, text, hidden) in [
            ("eyJ-part_two.sig==", "refresh_token=eyJ-part_two.sig%3D%3D&x", "refresh_token=(hidden)&x"),
            ("Tr0ub4dor&3.x", "ann%3ATr0ub4dor%263.x", "ann%3A(hidden)"),
            ("p\u{e4}ssw\u{f6}rd-x", "q=p%C3%A4ssw%c3%b6rd-x!", "q=(hidden)!"),
            ("a b%41c d", "a+b%2541c%20d", "(hidden)"),
            ("abcde", "ann%3Aabcde", "ann%3A(hidden)"),
            ("abcde", "ann%41abcde xabcde abcdef", "ann%41abcde xabcde abcdef"),
        ] {
            assert_eq!(secrets(&[secret]).hide(text), hidden, "{secret}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "Get \"http://127.0.0.1:5000/v2/whoami/manifests/0.6\": no basic auth credentials",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "",
            "größe \u{1f433}",
        ] {
            assert_eq!(secrets(&["sesame", "at"]).hide(text), text);
            assert_eq!(Secrets::default().hide(text), text);
        }
    }

    #[test]
    fn a_short_one_is_hidden_where_it_stands_alone() {
        let all = secrets(&["at", ""]);
        assert_eq!(
            all.hide("that is what at:at said (at)"),
            "that is what (hidden):(hidden) said ((hidden))"
        );
        assert_eq!(all.hide(&format!("Basic {}", BASE64_STANDARD.encode("ann:at"))), "Basic (hidden)");
    }

    #[test]
    fn the_longer_of_two_is_hidden_whole() {
        assert_eq!(secrets(&["sesame", "sesame-open"]).hide("sesame-open sesame"), "(hidden) (hidden)");
    }
}
