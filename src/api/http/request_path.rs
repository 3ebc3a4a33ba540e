//! Request paths, in which each name is one percent-encoded segment.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters except RFC 3986's unreserved ones.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The characters to encode in the names of images: those of [`RESERVED`] without `/`, `:` and `@`.
const IN_IMAGE: &AsciiSet = &RESERVED.remove(b'/').remove(b':').remove(b'@');

/// The path and query of a request, without the API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// Creates a path from segments. They are encoded, so that a name can neither add segments nor leave the
    /// path.
    pub fn new(segments: &[&str]) -> Self {
        Self(segments.iter().map(|segment| format!("/{}", encode(segment))).collect())
    }

    /// Creates a path with the name of an image, as docker writes it: `/`, `:` and `@` are not encoded. The
    /// name of an image cannot contain `..`.
    pub fn for_image(before: &str, image: &str, after: &str) -> Self {
        let image = utf8_percent_encode(image, IN_IMAGE);
        Self(format!("/{}/{image}/{}", encode(before), encode(after)))
    }

    /// Adds a query parameter.
    pub fn query(mut self, key: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(&format!("{}={}", encode(key), encode(value)));
        self
    }

    /// The path as in the request line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether an object can have this name. Names that the engine would normalize (`..`), split (`/`) or treat
/// as the whole list (empty) are not sent, nor are names much longer than the engine's maximum (64).
pub fn can_be_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains('/') && name.len() <= 255
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_one_path_segment() {
        let path = Path::new(&["services", "a b/../c?d#e%é", "update"]).query("version", "9");
        assert_eq!(path.as_str(), "/services/a%20b%2F..%2Fc%3Fd%23e%25%C3%A9/update?version=9");
    }

    #[test]
    fn an_images_name_stays_as_it_is_written() {
        let path = |image: &str| Path::for_image("distribution", image, "json");
        assert_eq!(
            path("127.0.0.1:5000/a/b:1@sha256:0").as_str(),
            "/distribution/127.0.0.1:5000/a/b:1@sha256:0/json"
        );
        assert_eq!(path("[::1]:5000/a?b").as_str(), "/distribution/%5B::1%5D:5000/a%3Fb/json");
    }

    #[test]
    fn a_query_value_is_encoded() {
        let path = Path::new(&["services"]).query("filters", r#"{"name":["a"]}"#).query("status", "true");
        assert_eq!(path.as_str(), "/services?filters=%7B%22name%22%3A%5B%22a%22%5D%7D&status=true");
    }

    #[test]
    fn names_that_no_object_can_have_are_known() {
        for name in ["", ".", "..", "a/b", "../networks/x", &"x".repeat(256)] {
            assert!(!can_be_name(name), "{name}");
        }
        for name in ["t001", "...", "a.b", "shop_web", "ü"] {
            assert!(can_be_name(name), "{name}");
        }
    }
}
