//! Passwords and tokens for tests. `run` fails if any output contains one of them, in clear text or encoded.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

/// The user name for all passwords.
pub const USER: &str = "ann";
/// A different secret for each place where credentials are stored.
pub const PASSWORD: &str = "hush-password-5c1f";
pub const OTHER_PASSWORD: &str = "hush-password-9e27";
pub const WRONG_PASSWORD: &str = "hush-wrong-41d0";
pub const TOKEN: &str = "hush-token-77ab";
/// The prefix of all secrets.
const MARK: &str = "hush-";

/// The encoded user and password of an entry in `auths`.
pub fn basic(password: &str) -> String {
    BASE64_STANDARD.encode(format!("{USER}:{password}"))
}

/// Decodes an `X-Registry-Auth` header.
pub fn header_json(header: &str) -> String {
    String::from_utf8(BASE64_URL_SAFE.decode(header).expect("base64 for URLs, padded")).expect("JSON is text")
}

/// Returns a secret that the text contains.
pub fn in_text(text: &str) -> Option<String> {
    // Prefixes are enough, and they also find secrets that were cut.
    let all = ["hush-passw", "hush-wrong", "hush-token"];
    // A secret has three base64 encodings, depending on its position. Their first and last characters depend on the
    // bytes around it, so they are left out.
    let encoded = all.into_iter().flat_map(|secret| (0..3).map(move |offset| (secret, offset)));
    let encoded = encoded.map(|(secret, offset)| {
        let around = format!("{}{secret}", " ".repeat(offset));
        let whole = BASE64_URL_SAFE.encode(&around);
        let (from, to) = (offset.div_ceil(3) * 4, around.len() / 3 * 4);
        whole[from..to].to_owned()
    });
    let written = text.replace('+', "-").replace('/', "_");
    std::iter::once(MARK.to_owned())
        .chain(encoded)
        .find(|secret| text.contains(secret.as_str()) || written.contains(secret.as_str()))
}

mod tests {
    use super::*;

    #[test]
    fn a_secret_is_noticed_in_every_form() {
        assert_eq!(in_text("the token of \"password\" is nothing"), None);
        for text in [PASSWORD.to_owned(), basic(OTHER_PASSWORD)] {
            assert!(in_text(&format!("x{text}y")).is_some(), "{text}");
        }
        for user in ["a", "ab", "abc"] {
            for (key, secret) in
                [("password", PASSWORD), ("password", WRONG_PASSWORD), ("identitytoken", TOKEN)]
            {
                let header = format!("{{\"username\":\"{user}\",\"{key}\":\"{secret}\"}}");
                assert!(in_text(&BASE64_URL_SAFE.encode(&header)).is_some(), "{header}");
                assert!(in_text(&BASE64_STANDARD.encode(&header)).is_some(), "{header}");
            }
        }
    }
}
