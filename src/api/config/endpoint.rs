//! The address of an engine. Pure: no file or variable is read.

use std::fmt;
use std::fmt::Write as _;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::api::error::InvalidValue;

/// Docker's default socket on Linux and macOS.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Docker's default port without TLS.
const DEFAULT_PORT: u16 = 2375;
/// Docker's default port with TLS.
const DEFAULT_TLS_PORT: u16 = 2376;
/// The size of `sun_path` in Linux, in bytes, including the final NUL.
const MAX_SOCKET_PATH_SIZE: usize = 108;

/// The address of an engine and how to connect to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// A TCP port, with or without TLS.
    Tcp(Tcp),
    /// The engine of a host that is reached over ssh.
    Ssh(Ssh),
}

/// A TCP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Name or address. IPv6 without brackets.
    pub host: String,
    /// The port, which is never 0.
    pub port: u16,
    /// The prefix of every request path: empty, or starting with a slash and without a final one.
    pub base_path: String,
    /// The TLS settings. `None`: plain text.
    pub tls: Option<Tls>,
}

/// What a TLS connection leads to, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A Docker engine.
    Engine,
    /// An image registry, or a host that a registry refers to.
    Registry,
    /// Any other server.
    Server,
}

impl Peer {
    /// The word for messages, as in `engine`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Registry => "registry",
            Self::Server => "server",
        }
    }
}

/// TLS settings. The files are read when the first connection is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// What the connection leads to.
    pub peer: Peer,
    /// The file with the trusted authorities. `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// Files with additional trusted authorities.
    pub extra_cas: Vec<PathBuf>,
    /// The file with the client's certificate. Used together with `key`.
    pub cert: Option<PathBuf>,
    /// The file with the client's private key.
    pub key: Option<PathBuf>,
    /// Whether the certificate of the peer and its host name are verified.
    pub is_verified: bool,
}

/// A host that is reached over ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// The user to log in as. `None`: ssh decides.
    pub user: Option<String>,
    /// Name, address or alias in ssh's configuration. IPv6 without brackets.
    pub host: String,
    /// The port. `None`: ssh decides.
    pub port: Option<u16>,
    /// The path of the engine's socket on that host. `None`: docker decides.
    pub path: Option<String>,
}

impl Endpoint {
    /// The TLS settings, if the connection uses TLS.
    pub fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Tcp(tcp) => tcp.tls.as_ref(),
            Self::Unix(_) | Self::Ssh(_) => None,
        }
    }

    /// Parses a host: from a flag, `DOCKER_HOST` or a context. As in docker, an empty host means the local
    /// socket, or port 2376 of this machine if there are TLS settings. `tls` applies to TCP only.
    ///
    /// # Errors
    /// The value is not a valid address, or its scheme is not supported.
    pub fn parse(host: &str, tls: Option<Tls>) -> Result<Self, InvalidValue> {
        let host = host.trim();
        let refused = |why: String| {
            InvalidValue::new(&without_password(host), format!("is not a valid engine endpoint: {why}"))
        };
        if host.is_empty() {
            return Ok(match tls {
                Some(_) => Self::Tcp(tcp("", "tcp", tls).map_err(refused)?),
                None => Self::default(),
            });
        }
        if host.contains(char::is_control) {
            return Err(refused("it contains a control character".to_owned()));
        }
        let (scheme, rest) = host.split_once("://").unwrap_or(("", host));
        match scheme {
            "unix" => unix(rest).map(Self::Unix),
            "tcp" | "http" | "https" => tcp(rest, scheme, tls).map(Self::Tcp),
            "ssh" => ssh(rest).map(Self::Ssh),
            "" => bare(host, tls).map(Self::Tcp),
            "npipe" => Err("named pipes exist on Windows only".to_owned()),
            "fd" => {
                Err("`fd://` is for engines that inherit their socket; a client needs an address".to_owned())
            }
            other => Err(format!("unsupported endpoint scheme `{other}`")),
        }
        .map_err(refused)
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
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(tcp) => write!(f, "tcp://{}{}", tcp.authority(), tcp.base_path),
            Self::Ssh(ssh) => {
                f.write_str("ssh://")?;
                if let Some(user) = &ssh.user {
                    write!(f, "{user}@")?;
                }
                f.write_str(&bracketed(&ssh.host))?;
                if let Some(port) = ssh.port {
                    write!(f, ":{port}")?;
                }
                write_path(f, ssh.path.as_deref().unwrap_or_default())
            }
        }
    }
}

/// Writes a path so that parsing it gives the same path: characters with a meaning in URLs and trailing white
/// space are encoded.
fn write_path(f: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    let trimmed = path.trim_end().len();
    for (at, c) in path.char_indices() {
        if "%?#".contains(c) || at >= trimmed {
            c.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
        } else {
            f.write_char(c)?;
        }
    }
    Ok(())
}

impl Tcp {
    /// Host and port, as in a URL.
    pub fn authority(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }
}

fn bracketed(host: &str) -> String {
    if host.contains("%25") {
        // The zone of the IPv6 address starts with `25`. Unless its `%` is encoded, `%25` would be decoded as `%`.
        format!("[{}]", host.replacen('%', "%25", 1))
    } else if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn unix(path: &str) -> Result<PathBuf, String> {
    match path {
        "" => Ok(DEFAULT_SOCKET.into()),
        _ if !path.starts_with('/') => Err(format!("the socket's path `{path}` is not absolute")),
        _ if path.len() >= MAX_SOCKET_PATH_SIZE => Err(format!(
            "the path of the socket has {} bytes; the system accepts at most {}",
            path.len(),
            MAX_SOCKET_PATH_SIZE - 1
        )),
        _ => Ok(path.into()),
    }
}

/// Parses a host without a scheme. It is TCP, as in docker. A path or a mistyped scheme is an error.
fn bare(host: &str, tls: Option<Tls>) -> Result<Tcp, String> {
    let (authority, path) = host.split_at(host.find('/').unwrap_or(host.len()));
    match (authority, path) {
        ("" | "." | "..", _) => Err(format!("the path of a socket needs a scheme: `unix://{host}`")),
        (_, path) if path.is_empty() || !authority.ends_with(':') => tcp(host, "tcp", tls),
        (scheme, _) => Err(format!("`{scheme}` must be followed by two slashes")),
    }
}

fn tcp(rest: &str, scheme: &str, tls: Option<Tls>) -> Result<Tcp, String> {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if let Some((_, host)) = authority.rsplit_once('@') {
        return Err(format!("user and password are not supported here; remove what is before `@{host}`"));
    }
    if rest.contains("://") {
        return Err("it has two schemes".to_owned());
    }
    let (host, port) = host_and_port(authority)?;
    let host = if host.is_empty() { "localhost".to_owned() } else { host };
    if path.contains(['?', '#']) {
        return Err("an endpoint has no query and no fragment".to_owned());
    }
    if !path.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) {
        return Err(format!("the path `{path}` has characters that must be percent-encoded"));
    }
    let tls = match scheme {
        "https" => Some(tls.unwrap_or(Tls {
            peer: Peer::Engine,
            ca: None,
            extra_cas: Vec::new(),
            cert: None,
            key: None,
            is_verified: true,
        })),
        "http" if tls.is_some() => {
            return Err("`http://` does not use TLS, but TLS settings are given".to_owned());
        }
        _ => tls,
    };
    let port = port.unwrap_or(match scheme {
        "http" => 80,
        "https" => 443,
        _ if tls.is_some() => DEFAULT_TLS_PORT,
        _ => DEFAULT_PORT,
    });
    Ok(Tcp { host, port, base_path: path.trim_end_matches('/').to_owned(), tls })
}

fn ssh(rest: &str) -> Result<Ssh, String> {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if path.contains(['?', '#']) {
        return Err("an endpoint has no query and no fragment".to_owned());
    }
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => {
            return Err("a password is not supported here; ssh asks for it or uses a key".to_owned());
        }
        Some((user, address)) => (Some(percent_decoded(user)?), address),
        None => (None, authority),
    };
    let (host, port) = host_and_port(address)?;
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    let is_plain = |c: char| c.is_alphanumeric() || "-._+@\\".contains(c);
    if let Some(user) = user.as_deref().filter(|user| !is_name(user, is_plain)) {
        return Err(format!("`{user}` is not a valid user"));
    }
    let path = percent_decoded(path)?;
    let path = Some(path).filter(|path| !path.trim_matches('/').is_empty());
    if path.as_ref().is_some_and(|path| path.contains(char::is_control)) {
        return Err("the socket's path contains a control character".to_owned());
    }
    Ok(Ssh { user, host, port, path })
}

/// Splits `host`, `host:port`, `[::1]` and `[::1]:port`. Both parts may be empty, as in docker.
fn host_and_port(authority: &str) -> Result<(String, Option<u16>), String> {
    // Docker accepts an IPv6 address without brackets if there is no port.
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Ok((authority.to_owned(), None));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inside) => {
            let (address, port) = inside.split_once(']').ok_or("a `]` is missing")?;
            let address = address.replacen("%25", "%", 1);
            let (number, zone) = address.split_once('%').unwrap_or((&address, "lo"));
            if number.parse::<Ipv6Addr>().is_err() || !is_name(zone, is_host_char) {
                return Err(format!("`{address}` is not an IPv6 address"));
            }
            (address, port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            if !host.is_empty() && !is_name(host, is_host_char) {
                return Err(format!("`{host}` is not a valid host"));
            }
            (host.to_owned(), port)
        }
    };
    if port.matches(':').count() > 1 {
        return Err(format!("write an IPv6 address in brackets, as in `[{authority}]`"));
    }
    let port = match port.strip_prefix(':') {
        None if !port.is_empty() => return Err(format!("`{port}` is not a port")),
        None | Some("") => None,
        Some(digits) => Some(parse_port(digits)?),
    };
    Ok((host, port))
}

fn parse_port(digits: &str) -> Result<u16, String> {
    let number = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    number
        .and_then(|digits| digits.parse().ok())
        .filter(|port| *port > 0)
        .ok_or_else(|| format!("`{digits}` is not a port (1 to 65535)"))
}

/// Whether all characters are allowed, and ssh would not parse the name as an option. An option could run a
/// command.
fn is_name(name: &str, is_allowed: impl Fn(char) -> bool) -> bool {
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_allowed)
}

fn is_host_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._".contains(c)
}

/// The host with its password replaced, for messages.
pub fn without_password(host: &str) -> String {
    let from = host.find("://").map_or(0, |at| at + 3);
    let to = host[from..].find(['/', '?', '#']).map_or(host.len(), |at| from + at);
    let user = host[from..to].rfind('@').map(|at| &host[from..from + at]);
    match user.and_then(|user| user.split_once(':')) {
        Some((user, password)) => {
            let rest = &host[from + user.len() + 1 + password.len()..];
            format!("{}{user}:***{rest}", &host[..from])
        }
        None => host.to_owned(),
    }
}

fn percent_decoded(text: &str) -> Result<String, String> {
    let percent_decoded =
        percent_decode_str(text).decode_utf8().map_err(|_| format!("`{text}` is not UTF-8"))?;
    Ok(percent_decoded.into_owned())
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
