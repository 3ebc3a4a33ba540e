//! What leads to an engine, and what the user has every request say.

use ureq::http::request::Builder;
use ureq::http::{Method, Request};

use super::credentials::RegistryAuth;
use super::endpoint::Endpoint;
use super::headers::Header;
use super::proxy::Proxy;
use super::timeouts::Timeouts;

/// What the client says itself is not for the user's headers to say, as with docker.
const OWN_HEADERS: [&str; 10] = [
    "Accept",
    "Connection",
    "Content-Length",
    "Content-Type",
    "Expect",
    "Host",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "X-Registry-Auth",
];

/// What a client is made from.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// Where the engine listens.
    pub endpoint: Endpoint,
    /// The context that it comes from, where no host was named.
    pub context: Option<String>,
    /// Sent with every request, but for those that the client sends itself: `HttpHeaders` of Docker's config.json.
    /// Names and values must be fit for HTTP.
    pub headers: Vec<Header>,
    /// The proxy on the way to it ([`Proxy::find`]).
    pub proxy: Option<Proxy>,
    /// The API version to speak, where somebody insists on one; else the engine's own.
    pub api_version: Option<(u32, u32)>,
    /// How long is waited for whom.
    pub timeouts: Timeouts,
}

impl Connection {
    /// The head of a request: what the user has every request say, and what this one says.
    pub(in crate::api) fn request(
        &self,
        method: &Method,
        target: &str,
        auth: Option<&RegistryAuth>,
    ) -> Builder {
        let (authority, base) = match &self.endpoint {
            Endpoint::Tcp(tcp) => (tcp.authority(), tcp.base_path.as_str()),
            Endpoint::Unix(_) | Endpoint::Ssh(_) => ("docker".to_owned(), ""),
        };
        let request = Request::builder().method(method).uri(format!("http://{authority}{base}{target}"));
        let is_own = |name: &str| OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name));
        let of_user = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        of_user
            .filter(|(name, _)| !is_own(name))
            .chain(auth.map(RegistryAuth::header))
            .fold(request, |request, (name, value)| request.header(name, value))
    }
}
