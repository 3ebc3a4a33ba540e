//! Where an engine listens. Pure: what the environment says is handed in.

use std::fmt;
use std::fmt::Write as _;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::api::error::InvalidValue;

/// Docker's own default on Linux and macOS.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// Docker's port without TLS.
const PORT: u16 = 2375;
/// Docker's port with TLS.
const TLS_PORT: u16 = 2376;
/// The kernel's limit for the path of a unix socket, in bytes, with the NUL at its end.
const SOCKET_PATH: usize = 108;

/// Where an engine listens, and how it is talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP port, with or without TLS.
    Tcp(Tcp),
    /// The engine of a machine that ssh leads to.
    Ssh(Ssh),
}

/// A TCP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Name or address; IPv6 without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
    /// What stands before the path of every request: empty, or from its first slash without the last.
    pub base_path: String,
    /// How the connection is encrypted, if it is.
    pub tls: Option<Tls>,
}

/// How a connection is encrypted. Nothing is read from these files before the first connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// File of the certificate authorities to trust; without it those of the system.
    pub ca: Option<PathBuf>,
    /// Files of certificate authorities to trust beside those.
    pub more_cas: Vec<PathBuf>,
    /// File of the client's certificate; comes with `key`.
    pub cert: Option<PathBuf>,
    /// File of the certificate's key.
    pub key: Option<PathBuf>,
    /// Whether the engine's certificate is checked, with the name in it.
    pub is_verified: bool,
}

/// A machine that ssh leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// Who to log in as; else ssh decides.
    pub user: Option<String>,
    /// Name, address or alias of ssh's configuration; IPv6 without brackets.
    pub host: String,
    /// Else ssh decides.
    pub port: Option<u16>,
    /// Path of the engine's socket there; else docker decides.
    pub path: Option<String>,
}

impl Endpoint {
    /// How its connections are encrypted, where they are.
    pub fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Tcp(tcp) => tcp.tls.as_ref(),
            Self::Unix(_) | Self::Ssh(_) => None,
        }
    }

    /// Parses a host: that of a flag, of `DOCKER_HOST` or of a context. Empty is the default, as for docker: the local socket,
    /// or port 2376 of this machine where there are settings for TLS. These are for TCP only.
    ///
    /// # Errors
    /// What cannot be an engine's endpoint, and ways that are not spoken.
    pub fn parse(host: &str, tls: Option<Tls>) -> Result<Self, InvalidValue> {
        let host = host.trim();
        let refused = |why: String| {
            InvalidValue::new(&without_password(host), format!("cannot be an engine's endpoint: {why}"))
        };
        if host.is_empty() {
            return Ok(match tls {
                Some(_) => Self::Tcp(tcp("", "tcp", tls).map_err(refused)?),
                None => Self::default(),
            });
        }
        if host.contains(char::is_control) {
            return Err(refused("it holds a control character".to_owned()));
        }
        let (scheme, rest) = host.split_once("://").unwrap_or(("", host));
        match scheme {
            "unix" => unix(rest).map(Self::Unix),
            "tcp" | "http" | "https" => tcp(rest, scheme, tls).map(Self::Tcp),
            "ssh" => ssh(rest).map(Self::Ssh),
            "" => bare(host, tls).map(Self::Tcp),
            "npipe" => Err("named pipes exist on Windows only".to_owned()),
            "fd" => {
                Err("it is for an engine that is handed its socket; a client needs an address".to_owned())
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

/// Writes a path so that it is parsed to the same path again: what would be decoded, cut off or trimmed is encoded.
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
    /// Host and port, as a URL has them.
    pub fn authority(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }
}

fn bracketed(host: &str) -> String {
    if host.contains("%25") {
        // The zone itself begins with `25`, which would be taken for an encoded `%`.
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
        _ if path.len() >= SOCKET_PATH => Err(format!(
            "the path of the socket has {} bytes; the system accepts at most {}",
            path.len(),
            SOCKET_PATH - 1
        )),
        _ => Ok(path.into()),
    }
}

/// Without a scheme it is TCP, as for docker; what was meant as a path or as another scheme is not taken for a host.
fn bare(host: &str, tls: Option<Tls>) -> Result<Tcp, String> {
    let (authority, path) = host.split_at(host.find('/').unwrap_or(host.len()));
    match (authority, path) {
        ("" | "." | "..", _) => Err(format!("a socket's path is written `unix://{host}`")),
        (_, path) if path.is_empty() || !authority.ends_with(':') => tcp(host, "tcp", tls),
        (scheme, _) => Err(format!("`{scheme}` is followed by two slashes")),
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
        return Err("it has no query and no fragment".to_owned());
    }
    if !path.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) {
        return Err(format!("the path `{path}` has characters that have to be percent-encoded"));
    }
    let tls = match scheme {
        "https" => Some(tls.unwrap_or(Tls {
            ca: None,
            more_cas: Vec::new(),
            cert: None,
            key: None,
            is_verified: true,
        })),
        "http" if tls.is_some() => {
            return Err("`http://` is without TLS, and there are settings for TLS".to_owned());
        }
        _ => tls,
    };
    let port = port.unwrap_or(match scheme {
        "http" => 80,
        "https" => 443,
        _ if tls.is_some() => TLS_PORT,
        _ => PORT,
    });
    Ok(Tcp { host, port, base_path: path.trim_end_matches('/').to_owned(), tls })
}

fn ssh(rest: &str) -> Result<Ssh, String> {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if path.contains(['?', '#']) {
        return Err("it has no query and no fragment".to_owned());
    }
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => {
            return Err("a password is not supported here; ssh asks for it or uses a key".to_owned());
        }
        Some((user, address)) => (Some(decoded(user)?), address),
        None => (None, authority),
    };
    let (host, port) = host_and_port(address)?;
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    let is_plain = |c: char| c.is_alphanumeric() || "-._+@\\".contains(c);
    if let Some(user) = user.as_deref().filter(|user| !is_name(user, is_plain)) {
        return Err(format!("`{user}` cannot be a user"));
    }
    let path = decoded(path)?;
    let path = Some(path).filter(|path| !path.trim_matches('/').is_empty());
    if path.as_ref().is_some_and(|path| path.contains(char::is_control)) {
        return Err("the socket's path holds a control character".to_owned());
    }
    Ok(Ssh { user, host, port, path })
}

/// Takes `host`, `host:port`, `[::1]` and `[::1]:port` apart; both may be empty, as for docker.
fn host_and_port(authority: &str) -> Result<(String, Option<u16>), String> {
    // Docker takes an address without brackets where no port can be meant.
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Ok((authority.to_owned(), None));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inside) => {
            let (address, port) = inside.split_once(']').ok_or("a `]` is missing")?;
            let address = address.replacen("%25", "%", 1);
            let (number, zone) = address.split_once('%').unwrap_or((&address, "lo"));
            if number.parse::<Ipv6Addr>().is_err() || !is_name(zone, is_of_host) {
                return Err(format!("`{address}` is not an IPv6 address"));
            }
            (address, port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            if !host.is_empty() && !is_name(host, is_of_host) {
                return Err(format!("`{host}` cannot be a host"));
            }
            (host.to_owned(), port)
        }
    };
    if port.matches(':').count() > 1 {
        return Err(format!("an IPv6 address is written in brackets, as in `[{authority}]`"));
    }
    let port = match port.strip_prefix(':') {
        None if !port.is_empty() => return Err(format!("`{port}` is not a port")),
        None | Some("") => None,
        Some(digits) => Some(port_of(digits)?),
    };
    Ok((host, port))
}

fn port_of(digits: &str) -> Result<u16, String> {
    let number = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    number
        .and_then(|digits| digits.parse().ok())
        .filter(|port| *port > 0)
        .ok_or_else(|| format!("`{digits}` is not a port (1 to 65535)"))
}

/// Whether all characters are of a kind, and ssh would not take it for an option: some options run commands.
fn is_name(name: &str, is_taken: impl Fn(char) -> bool) -> bool {
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_taken)
}

fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._".contains(c)
}

/// A host as it was given, fit to be shown.
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

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| format!("`{text}` is not UTF-8"))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
