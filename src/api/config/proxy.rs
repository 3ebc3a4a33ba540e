//! The proxy to an engine, selected by the rules of Go's HTTP client. Pure: variables are passed in.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;

use super::endpoint::{Endpoint, Tcp};
use crate::api::error::InvalidSetting;

/// An HTTP proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The value of the header `Proxy-Authorization`. `None` if the proxy needs no password.
    pub authorization: Option<String>,
}

impl Proxy {
    /// Selects the proxy for an endpoint: HTTPS_PROXY with TLS, otherwise HTTP_PROXY. There is none for hosts
    /// that NO_PROXY lists, for this machine, for Unix sockets and for ssh. Lower-case names of the variables
    /// are accepted too.
    ///
    /// # Errors
    /// The variable does not contain the URL of an HTTP proxy.
    pub fn find(
        endpoint: &Endpoint,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, InvalidSetting> {
        let Endpoint::Tcp(tcp) = endpoint else { return Ok(None) };
        let first_set = |names: [&'static str; 2]| {
            let set = |name| Some((name, variable(name).filter(|value| !value.trim().is_empty())?));
            names.into_iter().find_map(set)
        };
        let names =
            if tcp.tls.is_some() { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
        // httpoxy (CVE-2016-5385): under CGI, HTTP_PROXY may come from the request, so it is ignored if
        // REQUEST_METHOD is set.
        let is_untrusted = tcp.tls.is_none() && variable("REQUEST_METHOD").is_some();
        let bypassed = || first_set(["NO_PROXY", "no_proxy"]).map(|(_, hosts)| hosts).unwrap_or_default();
        match first_set(names).filter(|_| !is_untrusted) {
            Some((name, url)) if !is_bypassed(tcp, &bypassed()) => Self::parse(name, url.trim()).map(Some),
            _ => Ok(None),
        }
    }

    fn parse(variable: &'static str, url: &str) -> Result<Self, InvalidSetting> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        if scheme != "http" {
            let reason = format!("names a proxy with `{scheme}://`, and only http:// proxies are supported");
            return Err(InvalidSetting::Proxy { variable, reason });
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        // The password must not appear in an error: only the address is shown.
        let tcp = match Endpoint::parse(&format!("http://{address}"), None) {
            Ok(Endpoint::Tcp(tcp)) if !address.is_empty() && !address.starts_with(':') => tcp,
            _ => {
                let reason = format!("is not a valid proxy: `{address}`");
                return Err(InvalidSetting::Proxy { variable, reason });
            }
        };
        let authorization = user.map(|user| {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            let plain = |text| percent_decode_str(text).collect::<Vec<u8>>();
            let both = [plain(user), b":".to_vec(), plain(password)].concat();
            format!("Basic {}", BASE64_STANDARD.encode(both))
        });
        Ok(Self { host: tcp.host, port: tcp.port, authorization })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// Whether no proxy is used: for this machine, and for hosts that NO_PROXY lists.
fn is_bypassed(tcp: &Tcp, no_proxy: &str) -> bool {
    let host = tcp.host.to_lowercase();
    let host = host.trim_end_matches('.');
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(|entry| entry.trim().to_lowercase()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some(is_in) = address.and_then(|address| is_in_network(&entry, address)) {
            return is_in;
        }
        let (name, port) = match entry.strip_prefix('[') {
            Some(rest) => {
                let (name, port) = rest.split_once(']').unwrap_or((rest, ""));
                (name, port.strip_prefix(':'))
            }
            None if entry.matches(':').count() == 1 => {
                entry.split_once(':').map_or((entry.as_str(), None), |(name, port)| (name, Some(port)))
            }
            None => (entry.as_str(), None),
        };
        if name.is_empty() || port.is_some_and(|port| port != tcp.port.to_string()) {
            return false;
        }
        let name = name.strip_prefix('*').unwrap_or(name);
        match (address, name.strip_prefix('.')) {
            (Some(address), _) => name.parse() == Ok(address),
            (None, Some(domain)) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
            (None, None) => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
        }
    })
}

/// Whether the address is in the network `a.b.c.d/n`. `None` if the entry is not a network.
fn is_in_network(entry: &str, address: IpAddr) -> Option<bool> {
    let (base, bits) = entry.split_once('/')?;
    let bits: u32 = bits.parse().ok()?;
    let same = |a: u128, b: u128, width: u32| Some(bits == 0 || (a ^ b) >> width.checked_sub(bits)? == 0);
    match (base.parse().ok()?, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(host: &str, set: &[(&str, &str)]) -> Option<String> {
        let endpoint = Endpoint::parse(host, None).unwrap();
        let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        Proxy::find(&endpoint, variable).unwrap().map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_variable_depends_on_tls() {
        let set = [("HTTP_PROXY", "plain:1"), ("https_proxy", "http://tls")];
        assert_eq!(found("tcp://engine", &set).as_deref(), Some("plain:1"));
        assert_eq!(found("https://engine", &set).as_deref(), Some("tls:80"));
        assert_eq!(found("ssh://engine", &set), None);
        assert_eq!(found("unix://", &set), None);
        assert_eq!(
            found("tcp://engine", &[("HTTP_PROXY", " "), ("http_proxy", "x:2/")]).as_deref(),
            Some("x:2")
        );
        assert_eq!(found("tcp://engine", &[("HTTP_PROXY", "x:2"), ("REQUEST_METHOD", "GET")]), None);
    }

    #[test]
    fn an_error_names_the_variable_that_is_set() {
        let endpoint = Endpoint::parse("tcp://engine", None).unwrap();
        let variable = |name: &str| (name == "http_proxy").then(|| "socks5://p".to_owned());
        let error = Proxy::find(&endpoint, variable).unwrap_err().to_string();
        assert!(error.starts_with("http_proxy names a proxy with `socks5://`"), "{error}");
    }

    #[test]
    fn this_machine_and_hosts_in_no_proxy_need_no_proxy() {
        for host in ["localhost", "127.9.0.1", "[::1]"] {
            assert_eq!(found(&format!("tcp://{host}"), &[("HTTP_PROXY", "p:1")]), None, "{host}");
        }
        for (host, no_proxy, is_direct) in [
            ("a.example.com", "*", true),
            ("a.example.com", "other, example.com", true),
            ("a.example.com", ".example.com", true),
            ("a.example.com", "*.example.com", true),
            ("example.com", ".example.com", false),
            ("badexample.com", "example.com", false),
            ("A.Example.COM", "a.example.com:2375", true),
            ("a.example.com", "a.example.com:2376", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.3:9", false),
            ("10.1.2.3", "2.3", false),
            ("[fd00::5]", "fd00::/8", true),
            ("[fd00::5]", "[fd00::5]:2375", true),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", ",,", false),
        ] {
            let set = [("HTTP_PROXY", "p:1"), ("NO_PROXY", no_proxy)];
            assert_eq!(found(&format!("tcp://{host}"), &set).is_none(), is_direct, "{host} {no_proxy}");
        }
    }

    #[test]
    fn a_password_is_used_and_never_shown() {
        let endpoint = Endpoint::parse("tcp://engine", None).unwrap();
        let with = |url: &'static str| {
            Proxy::find(&endpoint, move |name| (name == "HTTP_PROXY").then(|| url.to_owned()))
        };
        let proxy = with("http://me:p%40ss@proxy:3128/").unwrap().unwrap();
        assert_eq!(proxy.authorization.as_deref(), Some("Basic bWU6cEBzcw=="));
        assert_eq!(format!("{proxy} {proxy:?}"), "proxy:3128 Proxy(proxy:3128)");
        for url in
            ["socks5://me:secret@x", "http://me:secret@", "http://me:secret@x:y", "https://me:secret@x"]
        {
            assert!(!with(url).unwrap_err().to_string().contains("secret"), "{url}");
        }
    }
}
