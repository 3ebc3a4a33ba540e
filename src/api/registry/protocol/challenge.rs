//! The header `WWW-Authenticate` (RFC 9110): the authentication that a registry requires.

use super::link::take_value;

/// An authentication scheme with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Whether this is the given scheme.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// All challenges of a response. The part of a header after its first syntax error is ignored.
pub fn challenges<'h>(headers: impl IntoIterator<Item = &'h str>) -> Vec<Challenge> {
    let mut all: Vec<Challenge> = Vec::new();
    for header in headers {
        let mut own: Vec<Challenge> = Vec::new();
        let mut rest = header;
        loop {
            rest = rest.trim_start_matches([',', ' ', '\t']);
            let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if word.is_empty() {
                break;
            }
            match (after.trim_start().strip_prefix('='), own.last_mut()) {
                (Some(value), Some(challenge)) => {
                    let Some((value, after)) = take_value(value.trim_start()) else { break };
                    challenge.parameters.push((word.to_owned(), value));
                    rest = after;
                }
                (Some(_), None) => break,
                (None, _) => {
                    own.push(Challenge { scheme: word.to_owned(), parameters: Vec::new() });
                    rest = after;
                }
            }
        }
        all.extend(own);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_parameters_are_parsed() {
        let all = challenges([
            r#"Basic realm="a, b", Bearer realm="https://auth/token",service=r,scope="x y""#,
            "Negotiate",
        ]);
        let schemes: Vec<_> = all.iter().map(|it| it.scheme.as_str()).collect();
        assert_eq!(schemes, ["Basic", "Bearer", "Negotiate"]);
        assert_eq!(all[0].parameter("realm"), Some("a, b"));
        let bearer = all.iter().find(|it| it.is("bearer")).unwrap();
        assert_eq!(bearer.parameter("Realm"), Some("https://auth/token"));
        assert_eq!((bearer.parameter("service"), bearer.parameter("scope")), (Some("r"), Some("x y")));
        assert_eq!(bearer.parameter("error"), None);
        for header in ["", "=x", r#"realm="x""#, ","] {
            assert!(challenges([header]).is_empty(), "{header}");
        }
        assert_eq!(challenges([r#"Bearer realm="x"#])[0].parameter("realm"), None);
    }
}
