//! Where an engine listens. Pure: what the environment says is handed in.

use std::fmt;
use std::path::PathBuf;

use super::spec::BadValue;

/// Docker's own default on Linux and macOS.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// Reads `-H` or `DOCKER_HOST`: `unix:///var/run/docker.sock`; empty is the default socket, as for docker.
    ///
    /// # Errors
    /// Anything else is refused; tcp, TLS and ssh are not spoken yet.
    pub fn parse(host: &str) -> Result<Self, BadValue> {
        const EXAMPLE: &str = "unix:///var/run/docker.sock";
        let host = host.trim();
        if host.is_empty() {
            return Ok(Self::Unix(DEFAULT_SOCKET.into()));
        }
        match host.split_once("://") {
            Some(("unix", "")) => Ok(Self::Unix(DEFAULT_SOCKET.into())),
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("unix", path)) => Err(BadValue::new(
                format!("the socket's path in `{host}` is not absolute: `{path}`"),
                EXAMPLE,
            )),
            Some((scheme @ ("tcp" | "http" | "https" | "ssh" | "npipe" | "fd"), _)) => Err(BadValue::new(
                format!("`{scheme}://` endpoints are not supported yet; forward the engine's socket"),
                EXAMPLE,
            )),
            _ => Err(BadValue::new(format!("`{host}` cannot be an engine's endpoint"), EXAMPLE)),
        }
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::Unix(DEFAULT_SOCKET.into())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_sockets_are_taken_as_docker_takes_them() {
        for (host, path) in [
            ("unix:///run/user/1000/docker.sock", "/run/user/1000/docker.sock"),
            (" unix:///a b ", "/a b"),
            ("unix://", DEFAULT_SOCKET),
            ("", DEFAULT_SOCKET),
        ] {
            assert_eq!(Endpoint::parse(host), Ok(Endpoint::Unix(path.into())), "{host}");
        }
    }

    #[test]
    fn what_cannot_be_an_endpoint_is_refused_with_an_example() {
        for host in
            ["docker.sock", "unix://relative", "unix:/one-slash", "tcp://127.0.0.1:2375", "ssh://me@x", "-v"]
        {
            let refused = Endpoint::parse(host).unwrap_err().to_string();
            assert!(refused.contains("unix:///var/run/docker.sock"), "{host}: {refused}");
        }
    }
}
