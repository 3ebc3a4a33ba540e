//! Passwords and tokens of these tests. No stream of any test may hold one, in clear or encoded: see `run`.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

/// The user of all of them.
pub const USER: &str = "ann";
/// One for each place that credentials are kept in, and for each test that needs some.
pub const PASSWORD: &str = "hush-password-5c1f";
pub const OTHER_PASSWORD: &str = "hush-password-9e27";
pub const WRONG_PASSWORD: &str = "hush-wrong-41d0";
pub const TOKEN: &str = "hush-token-77ab";
/// The beginning of each.
const MARK: &str = "hush-";

/// What stands for a user and a password in `auths`.
pub fn basic(password: &str) -> String {
    BASE64_STANDARD.encode(format!("{USER}:{password}"))
}

/// The JSON of an `X-Registry-Auth` header.
pub fn header_json(header: &str) -> String {
    String::from_utf8(BASE64_URL_SAFE.decode(header).expect("base64 for URLs, padded")).expect("JSON is text")
}

/// The secret that a text holds, if it does.
pub fn in_text(text: &str) -> Option<String> {
    // Their beginnings, so that one is noticed that was cut off.
    let all = ["hush-passw", "hush-wrong", "hush-token"];
    // What stands before it decides how it is encoded; the digits at both ends depend on what is around.
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
