//! What a client needs to connect to an engine.

use ureq::http::request::Builder;
use ureq::http::{Method, Request};

use super::credentials::RegistryAuth;
use super::endpoint::Endpoint;
use super::headers::Header;
use super::proxy::Proxy;
use super::timeouts::Timeouts;

/// Headers that the user cannot set. As with docker, those that the client sets itself cannot be overridden. The
/// others, such as `Expect`, would change how a request is processed.
const RESERVED_HEADERS: [&str; 10] = [
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

/// How a client connects to an engine: its address, and what is sent with each request.
#[derive(Clone, Debug, Default)]
pub struct ConnectionSettings {
    /// The address of the engine.
    pub endpoint: Endpoint,
    /// The Docker context that the endpoint comes from. `None` for a given host and for the context `default`.
    pub context: Option<String>,
    /// The user's headers for every request, from config.json or `DOCKER_CUSTOM_HEADERS`. Those that the user cannot
    /// set are not sent. Names and values must be valid in HTTP.
    pub headers: Vec<Header>,
    /// The proxy to use ([`Proxy::find`]).
    pub proxy: Option<Proxy>,
    /// The API version to use. `None`: the engine's own.
    pub api_version: Option<(u32, u32)>,
    /// All timeouts.
    pub timeouts: Timeouts,
}

impl ConnectionSettings {
    /// Starts a request with the user's headers and, if given, the registry credentials.
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
        let is_own = |name: &str| RESERVED_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name));
        let of_user = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        of_user
            .filter(|(name, _)| !is_own(name))
            .chain(auth.map(RegistryAuth::header))
            .fold(request, |request, (name, value)| request.header(name, value))
    }
}
