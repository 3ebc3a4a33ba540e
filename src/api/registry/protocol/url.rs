//! The URLs of registries, tokens and redirects.

use std::fmt;

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// With TLS.
    Https,
    /// Without TLS.
    Http,
}

/// An absolute URL without user and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The scheme.
    pub scheme: Scheme,
    /// Name or address in lower case. IPv6 without brackets.
    pub host: String,
    /// The port. Set even if it is the default port of the scheme.
    pub port: u16,
    /// The path, starting with a slash. Never empty.
    pub path: String,
    /// The query without the question mark. `None` if there is none.
    pub query: Option<String>,
    /// Whether the query is left out of messages. Registries redirect to storage services with URLs that are signed:
    /// whoever knows the query can download.
    pub is_query_secret: bool,
}

impl Scheme {
    /// The default port.
    pub fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }

    /// The scheme as in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

impl Url {
    /// Parses `http[s]://HOST[:PORT][/PATH][?QUERY]`.
    ///
    /// # Errors
    /// The scheme is not http or https, the URL names a user, or it is malformed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| format!("`{text:.200}` is not an http or https URL: {why}");
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("it has no scheme"))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(bad("the scheme is neither http nor https")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(bad("it contains a user name"));
        }
        let (host, port) = host_and_port(authority).ok_or_else(|| bad("its host is malformed"))?;
        let (path, query) = path_and_query(rest);
        if !rest.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(bad("it has characters that a URL must escape"));
        }
        Ok(Self { scheme, host, port: port.unwrap_or(scheme.port()), path, query, is_query_secret: false })
    }

    /// The URL of a path of a registry. `domain` is the registry's name in image references.
    pub fn for_registry(scheme: Scheme, domain: &str, path: &str) -> Result<Self, String> {
        let name = if domain == "docker.io" { "registry-1.docker.io" } else { domain };
        Self::parse(&format!("{}://{name}{path}", scheme.as_str()))
    }

    /// Resolves a reference from the response for this URL. The query of a URL on another host is not displayed.
    ///
    /// # Errors
    /// The reference is not a valid URL.
    pub fn join(&self, reference: &str) -> Result<Self, String> {
        let joined = self.resolve(reference)?;
        let is_query_secret = self.is_query_secret || !self.has_origin_of(&joined);
        Ok(Self { is_query_secret, ..joined })
    }

    fn resolve(&self, reference: &str) -> Result<Self, String> {
        let reference = reference.split('#').next().unwrap_or_default();
        if reference.contains("://") && !reference.starts_with(['/', '?']) {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme.as_str()));
        }
        let target = if reference.is_empty() {
            return Ok(self.clone());
        } else if reference.starts_with('?') {
            format!("{}{reference}", self.path)
        } else if reference.starts_with('/') {
            reference.to_owned()
        } else {
            let directory = &self.path[..self.path.rfind('/').map_or(0, |at| at + 1)];
            format!("{directory}{reference}")
        };
        Self::parse(&format!("{}{target}", self.origin()))
    }

    /// Whether both have the same scheme, host and port.
    pub fn has_origin_of(&self, other: &Self) -> bool {
        (self.scheme, &self.host, self.port) == (other.scheme, &other.host, other.port)
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority())
    }

    /// Host and port as in the header `Host`: without the default port.
    pub fn authority(&self) -> String {
        let host = self.bracketed_host();
        if self.port == self.scheme.port() { host } else { format!("{host}:{}", self.port) }
    }

    /// The host. IPv6 with brackets.
    pub fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// Path and query, as in the request line.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Replaces the query.
    pub fn with_query(&self, query: Option<&str>) -> Self {
        Self { query: query.map(str::to_owned), ..self.clone() }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.query {
            Some(_) if self.is_query_secret => write!(f, "{}{}?...", self.origin(), self.path),
            _ => write!(f, "{}{}", self.origin(), self.target()),
        }
    }
}

fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
    // A host is also the name of a directory of certificates, so it must not be `..`.
    if host.is_empty() || host.starts_with('.') || !host.bytes().all(is_part) {
        return None;
    }
    let port = match port {
        None | Some("") => None,
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
            Some(port.parse().ok().filter(|port| *port > 0)?)
        }
        Some(_) => return None,
    };
    Some((host.to_ascii_lowercase(), port))
}

fn path_and_query(text: &str) -> (String, Option<String>) {
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (text, None),
    };
    (if path.is_empty() { "/".to_owned() } else { path.to_owned() }, query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_url_is_printed_as_it_is_requested() {
        for (text, printed) in [
            ("https://R.example.com", "https://r.example.com/"),
            ("https://r:443/a?b#c", "https://r/a?b"),
            ("http://r:443?x", "http://r:443/?x"),
            ("HTTP://[::1]:5000/v2/", "http://[::1]:5000/v2/"),
        ] {
            assert_eq!(url(text).to_string(), printed);
        }
        for text in [
            "r/x",
            "ftp://r/",
            "https://",
            "https://../x",
            "https://a@r/",
            "https://r:x/",
            "https://r:0/",
            "https://r/a b",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
        let hub = Url::for_registry(Scheme::Https, "docker.io", "/v2/").unwrap();
        assert_eq!(hub.to_string(), "https://registry-1.docker.io/v2/");
    }

    #[test]
    fn a_reference_is_resolved_against_the_url_of_its_response() {
        let base = url("https://r:5000/v2/a/tags/list?n=1");
        for (reference, joined) in [
            ("/x?y", "https://r:5000/x?y"),
            ("?last=b", "https://r:5000/v2/a/tags/list?last=b"),
            ("list?last=b", "https://r:5000/v2/a/tags/list?last=b"),
            ("//other/x", "https://other/x"),
            ("https://storage/x?Signature=a", "https://storage/x?..."),
            ("http://other/x", "http://other/x"),
            ("/v2/a?next=https://r/", "https://r:5000/v2/a?next=https://r/"),
            ("", "https://r:5000/v2/a/tags/list?n=1"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), joined, "{reference}");
        }
        assert!(url("https://r/").has_origin_of(&url("https://R:443/x")));
        for other in ["http://r:443/", "https://r:444/", "https://s/"] {
            assert!(!url("https://r/").has_origin_of(&url(other)), "{other}");
        }
    }
}
