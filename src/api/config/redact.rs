//! Secret values, and how to remove them from text that engines, registries and helpers return.

use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// The text that replaces a secret.
const PLACEHOLDER: &str = "(hidden)";
/// The minimum length at which a secret is replaced inside words too. A short one, such as `at`, is part of many words.
const MIN_SUBSTRING_LEN: usize = 6;

/// A secret text, which `{:?}` does not show.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the secret text, for use in a request only.
    pub(in crate::api) fn show(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PLACEHOLDER)
    }
}

/// Secrets to remove from text. A registry's error may quote the header that it received, and a helper may
/// print what it stores.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// Creates a set of secrets. Empty ones are skipped.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut all: Vec<Secret> = secrets.into_iter().filter(|secret| !secret.0.is_empty()).collect();
        // Longer secrets first: replacing a part of a secret would leave the rest of it.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.0.len()));
        Self(all)
    }

    /// Returns a larger set that also contains these secrets.
    pub fn with(&self, more: impl IntoIterator<Item = Secret>) -> Self {
        Self::new(self.0.iter().cloned().chain(more))
    }

    /// Replaces the secrets in a text, whether they are verbatim, escaped for JSON or a URL, or inside base64 (as in
    /// headers).
    pub fn hide(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let mut text = self.hide_encoded(text);
        for form in self.0.iter().flat_map(encodings) {
            text = replace(&text, &form);
        }
        text
    }

    /// Replaces each run of base64 characters that contains a secret.
    fn hide_encoded(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_base64) {
            let run = &rest[start..];
            let run = &run[..run.find(|c| !is_base64(c)).unwrap_or(run.len())];
            out.push_str(&rest[..start]);
            out.push_str(if self.contains_secret(run) { PLACEHOLDER } else { run });
            rest = &rest[start + run.len()..];
        }
        out + rest
    }

    fn contains_secret(&self, run: &str) -> bool {
        // If the text was truncated, a single digit may be left over, which encodes less than a byte and cannot be
        // decoded.
        let whole = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
        [&alphabet::STANDARD, &alphabet::URL_SAFE].into_iter().any(|alphabet| {
            let config = GeneralPurposeConfig::new()
                .with_decode_padding_mode(DecodePaddingMode::Indifferent)
                .with_decode_allow_trailing_bits(true);
            let decoded = GeneralPurpose::new(alphabet, config).decode(whole).unwrap_or_default();
            let decoded = String::from_utf8_lossy(&decoded);
            self.0.iter().flat_map(encodings).any(|form| find(&decoded, &form).is_some())
        })
    }
}

/// The forms of a secret in plain text and in JSON. `find` recognizes each form in a URL too.
fn encodings(secret: &Secret) -> Vec<String> {
    let plain = secret.0.clone();
    let json = Value::from(plain.as_str()).to_string();
    let json = json[1..json.len() - 1].to_owned();
    // Go escapes these characters in JSON.
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
        out.push_str(PLACEHOLDER);
        rest = &rest[at.end..];
    }
    out + rest
}

/// Finds a secret, in plain text or URL-encoded. A short secret must be a whole word.
fn find(text: &str, secret: &str) -> Option<Range<usize>> {
    let is_alone = |at: &Range<usize>| {
        let before = match text.as_bytes()[..at.start] {
            [.., b'%', high, low] => hex_byte(high, low).map(char::from),
            _ => None,
        };
        let before = before.or_else(|| text[..at.start].chars().next_back());
        ![before, text[at.end..].chars().next()].into_iter().flatten().any(char::is_alphanumeric)
    };
    let starts = text.char_indices().map(|(start, _)| start);
    starts
        .filter_map(|start| Some(start..start + match_len(&text.as_bytes()[start..], secret.as_bytes())?))
        .find(|at| secret.len() >= MIN_SUBSTRING_LEN || is_alone(at))
}

/// The length of the secret at the start of `text`. Encoders differ in what they escape, so any byte may be
/// escaped.
fn match_len(text: &[u8], secret: &[u8]) -> Option<usize> {
    let mut rest = text;
    for byte in secret {
        rest = match rest {
            [b'%', high, low, rest @ ..] if hex_byte(*high, *low) == Some(*byte) => rest,
            [same, rest @ ..] if same == byte => rest,
            [b'+', rest @ ..] if *byte == b' ' => rest,
            _ => return None,
        };
    }
    Some(text.len() - rest.len())
}

/// The byte with these two hexadecimal digits.
fn hex_byte(high: u8, low: u8) -> Option<u8> {
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
    fn a_secret_is_hidden_in_every_url_encoding() {
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
    fn text_that_is_not_secret_is_unchanged() {
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
    fn a_short_secret_is_hidden_as_a_whole_word_only() {
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
