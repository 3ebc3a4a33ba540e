//! Network attachments, host entries and name server addresses.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{csv, text};
use crate::api::error::InvalidValue;

/// Parses a network attachment: a name or ID, or `name=...,alias=...,driver-opt=KEY=VALUE` with any number of
/// aliases and options. `Target` holds the name until it is resolved.
pub fn attachment(text: &str) -> Result<Value, InvalidValue> {
    let bad = |why: String| InvalidValue::new(text, format!("is not a valid network: {why}"));
    let (mut name, mut aliases, mut options) = (String::new(), Vec::new(), Map::new());
    if csv::is_long_form(text) {
        for field in csv::split_fields(text)? {
            let Some((key, value)) = field.split_once('=') else {
                return Err(bad(format!("`{field}` has no value")));
            };
            let value = value.trim();
            match key.trim().to_lowercase().as_str() {
                "name" => value.clone_into(&mut name),
                // Docker converts aliases to lower case. Name lookups ignore case.
                "alias" => aliases.push(Value::from(value.to_lowercase())),
                "driver-opt" => {
                    let (key, value) = value
                        .split_once('=')
                        .filter(|(key, _)| !key.is_empty())
                        .ok_or_else(|| bad(format!("`{value}` is not a `KEY=VALUE` pair for the driver")))?;
                    options.insert(key.trim().to_lowercase(), value.trim().into());
                }
                // Docker accepts these options for containers. For services it silently ignores them.
                other @ ("ip" | "ip6" | "mac-address" | "link-local-ip" | "gw-priority") => {
                    return Err(bad(format!("`{other}` is not supported for services")));
                }
                _ => return Err(bad(format!("it has no field `{key}`"))),
            }
        }
    } else {
        text.clone_into(&mut name);
    }
    if name.is_empty() {
        return Err(bad("the network's name is missing".into()));
    }
    let mut attachment = Map::new();
    attachment.insert("Target".into(), name.into());
    if !aliases.is_empty() {
        attachment.insert("Aliases".into(), aliases.into());
    }
    if !options.is_empty() {
        attachment.insert("DriverOpts".into(), options.into());
    }
    Ok(Value::Object(attachment))
}

/// Parses `HOST:IP` or `HOST=IP` into the engine's form `IP HOST`. The address may be in brackets.
pub fn host(text: &str) -> Result<String, InvalidValue> {
    let bad = |why: String| InvalidValue::new(text, format!("is not a valid host entry: {why}"));
    let (name, address) = text
        .split_once('=')
        .or_else(|| text.split_once(':'))
        .ok_or_else(|| bad("the `:` between host and address is missing".into()))?;
    if name.is_empty() || name.contains(':') || name.contains(char::is_whitespace) {
        return Err(bad(format!("`{name}` is not a valid host name")));
    }
    let address = address.trim();
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    if bare != "host-gateway" && bare.parse::<IpAddr>().is_err() {
        return Err(bad(format!("`{bare}` is not an IP address")));
    }
    Ok(format!("{bare} {name}"))
}

/// Parses `HOST` or `HOST:IP` into a pattern of the entries to remove. The address may be in brackets.
pub fn host_pattern(text: &str) -> Result<String, InvalidValue> {
    if text.contains(['=', ':']) {
        return host(text);
    }
    if text.is_empty() || text.contains(char::is_whitespace) {
        Err(InvalidValue::new(text, "is not a valid host name"))
    } else {
        Ok(format!("* {text}"))
    }
}

/// Parses an IP address into its shortest form.
pub fn address(text: &str) -> Result<String, InvalidValue> {
    match text.trim().parse::<IpAddr>() {
        Ok(address) => Ok(address.to_canonical().to_string()),
        Err(_) => Err(InvalidValue::new(text, "is not an IP address")),
    }
}

/// Parses a search domain, or `.` for none.
pub fn search_domain(text: &str) -> Result<String, InvalidValue> {
    let domain = text.trim_matches(' ');
    let bare = domain.strip_suffix('.').unwrap_or(domain);
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if domain == "." {
        Ok(domain.to_owned())
    } else if bare.len() < 255 && bare.split('.').all(part) && bare.bytes().any(|b| b.is_ascii_alphabetic()) {
        Ok(bare.to_owned())
    } else {
        Err(InvalidValue::new(text, "is not a valid domain"))
    }
}

/// Parses an endpoint mode, ignoring case.
pub fn endpoint_mode(text: &str) -> Result<String, InvalidValue> {
    text::choice(&text.to_lowercase(), "endpoint mode", &["vip", "dnsrr"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_hosts_are_to_go() {
        for (text, want) in [
            ("db", Some("* db")),
            ("db:10.0.0.5", Some("10.0.0.5 db")),
            ("db=10.0.0.5", Some("10.0.0.5 db")),
            ("db:::1", Some("::1 db")),
            ("db:[::1]", Some("::1 db")),
            ("", None),
            ("a b", None),
            ("db:x", None),
        ] {
            assert_eq!(host_pattern(text).ok().as_deref(), want, "{text}");
        }
    }

    #[test]
    fn reads_attachments_as_docker_does() {
        for (text, want) in [
            ("net", Some(json!({"Target": "net"}))),
            ("name=net", Some(json!({"Target": "net"}))),
            ("name=net,alias=a,alias=B", Some(json!({"Target": "net", "Aliases": ["a", "b"]}))),
            ("name=net, alias=a", Some(json!({"Target": "net", "Aliases": ["a"]}))),
            ("name=n,driver-opt=K=v=w", Some(json!({"Target": "n", "DriverOpts": {"k": "v=w"}}))),
            ("NAME=Net", Some(json!({"Target": "Net"}))),
            ("alias=a", None),
            ("name=net,foo=bar", None),
            ("name=net,driver-opt=k", None),
            ("", None),
            ("name=net,ip=1.2.3.4", None),
            ("name=net,alias", None),
            ("a=b", None),
            ("name=net,driver-opt==v", None),
        ] {
            assert_eq!(attachment(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn reads_hosts_as_docker_does() {
        for (text, want) in [
            ("db:10.0.0.5", Some("10.0.0.5 db")),
            ("db=10.0.0.5", Some("10.0.0.5 db")),
            ("db:::1", Some("::1 db")),
            ("db:[::1]", Some("::1 db")),
            ("a=::1", Some("::1 a")),
            ("db:host-gateway", Some("host-gateway db")),
            ("db:1.2.3.4 ", Some("1.2.3.4 db")),
            ("db", None),
            ("db:foo", None),
            (":1.2.3.4", None),
            ("a:b:1.2.3.4", None),
            ("a=b=1.2.3.4", None),
            ("my host:1.2.3.4", None),
            ("db:", None),
        ] {
            assert_eq!(host(text).ok().as_deref(), want, "{text}");
        }
    }

    #[test]
    fn reads_addresses_domains_and_endpoint_modes() {
        for (text, want) in [
            ("8.8.8.8", Some("8.8.8.8")),
            (" 8.8.8.8", Some("8.8.8.8")),
            ("::1", Some("::1")),
            ("1:0:0::1", Some("1::1")),
            ("::ffff:1.2.3.4", Some("1.2.3.4")),
            ("8.8.8", None),
            ("010.1.1.1", None),
            ("fe80::1%eth0", None),
            ("", None),
        ] {
            assert_eq!(address(text).ok().as_deref(), want, "{text}");
        }
        for (text, want) in [
            ("a.b", Some("a.b")),
            (".", Some(".")),
            ("a.b.", Some("a.b")),
            (" x ", Some("x")),
            ("-a", None),
            ("1.2", None),
            ("a_b", None),
            ("a..b", None),
            ("", None),
        ] {
            assert_eq!(search_domain(text).ok().as_deref(), want, "{text}");
        }
        assert_eq!(endpoint_mode("DNSRR").as_deref(), Ok("dnsrr"));
        assert!(endpoint_mode("foo").is_err());
    }
}
