//! Published ports: `8080:80/udp`, `published=8080,target=80,mode=host`.

use serde_json::{Map, Value};

use super::csv;
use crate::api::error::InvalidValue;

/// Parses a value into the engine's port objects. A range produces several.
pub fn ports(text: &str) -> Result<Vec<Value>, InvalidValue> {
    if csv::is_long_form(text) { long(text).map(|port| vec![port]) } else { short(text) }
}

fn long(text: &str) -> Result<Value, InvalidValue> {
    let bad = |why: String| InvalidValue::new(text, format!("is not a valid port: {why}"));
    let (mut target, mut published, mut protocol, mut mode) = (0, 0, "tcp", "ingress");
    for field in csv::split_fields(text)? {
        let field = field.to_lowercase();
        let Some((key, value)) = field.split_once('=') else {
            return Err(bad(format!("`{field}` has no value")));
        };
        let number =
            || number(value).ok_or_else(|| bad(format!("`{value}` is not a number from 0 to 65535")));
        match key {
            "target" => target = number()?,
            "published" => published = number()?,
            "protocol" => {
                protocol =
                    protocol_named(value).ok_or_else(|| bad(format!("`{value}` is not a protocol")))?;
            }
            "mode" => {
                let modes = ["ingress", "host"];
                let known = modes.into_iter().find(|mode| *mode == value);
                mode = known
                    .ok_or_else(|| bad(format!("the mode must be `ingress` or `host`, not `{value}`")))?;
            }
            _ => return Err(bad(format!("it has no field `{key}`"))),
        }
    }
    if target == 0 {
        return Err(bad("`target`, the port in the container, is missing".into()));
    }
    Ok(port(published, target, protocol, mode))
}

fn short(text: &str) -> Result<Vec<Value>, InvalidValue> {
    let bad = |why: String| InvalidValue::new(text, format!("is not a valid port: {why}"));
    let (ports, protocol) = text.split_once('/').unwrap_or((text, ""));
    let protocol = if protocol.is_empty() { "tcp" } else { protocol };
    let protocol = protocol_named(&protocol.to_lowercase())
        .ok_or_else(|| bad(format!("`{protocol}` is not a protocol (tcp, udp or sctp)")))?;
    let (published, target) = ports.rsplit_once(':').unwrap_or(("", ports));
    let published = match published.rsplit_once(':') {
        Some(("", published)) => published,
        Some((address, _)) => {
            return Err(bad(format!("a service cannot publish a port on one address only (`{address}`)")));
        }
        None => published,
    };
    if target.is_empty() {
        return Err(bad("the port in the container is missing".into()));
    }
    let read = |text: &str| {
        range(text)
            .ok_or_else(|| bad(format!("`{text}` is not a port from 1 to 65535, nor a range of ports")))
    };
    let (first, last) = read(target)?;
    if first == 0 {
        return Err(bad("the port in the container cannot be `0`".into()));
    }
    if published.is_empty() {
        return Ok((first..=last).map(|target| port(0, target, protocol, "ingress")).collect());
    }
    let (from, to) = read(published)?;
    if first == last {
        // Docker publishes one target on each port of the range.
        return Ok((from..=to).map(|published| port(published, first, protocol, "ingress")).collect());
    }
    if to - from != last - first {
        return Err(bad(format!("the ranges `{published}` and `{target}` differ in length")));
    }
    let pairs = (from..=to).zip(first..=last);
    Ok(pairs.map(|(published, target)| port(published, target, protocol, "ingress")).collect())
}

/// The engine's object. If the published port is 0, the engine chooses one.
fn port(published: u16, target: u16, protocol: &str, mode: &str) -> Value {
    let mut port = Map::new();
    port.insert("Protocol".into(), protocol.into());
    port.insert("TargetPort".into(), target.into());
    if published != 0 {
        port.insert("PublishedPort".into(), published.into());
    }
    port.insert("PublishMode".into(), mode.into());
    Value::Object(port)
}

fn protocol_named(text: &str) -> Option<&'static str> {
    ["tcp", "udp", "sctp"].into_iter().find(|known| *known == text)
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last)
}

fn number(text: &str) -> Option<u16> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::place::Identity;
    use super::*;

    fn read(text: &str) -> Option<String> {
        let ports = ports(text).ok()?;
        Some(ports.iter().map(|port| Identity::Port.id_of_item(port)).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn reads_the_short_form_as_docker_does() {
        for (text, want) in [
            ("8080:80/tcp", Some("8080:80/tcp/ingress")),
            ("80", Some("0:80/tcp/ingress")),
            (":80", Some("0:80/tcp/ingress")),
            ("0:80", Some("0:80/tcp/ingress")),
            (":80:80", Some("80:80/tcp/ingress")),
            ("080:0080", Some("80:80/tcp/ingress")),
            ("80/", Some("0:80/tcp/ingress")),
            ("80/TCP", Some("0:80/tcp/ingress")),
            ("80/sctp", Some("0:80/sctp/ingress")),
            ("65535:65535", Some("65535:65535/tcp/ingress")),
            ("8000-8001:80-81/udp", Some("8000:80/udp/ingress 8001:81/udp/ingress")),
            ("8000-8001:80", Some("8000:80/tcp/ingress 8001:80/tcp/ingress")),
            ("80-82", Some("0:80/tcp/ingress 0:81/tcp/ingress 0:82/tcp/ingress")),
            ("80-80", Some("0:80/tcp/ingress")),
            ("8080-8081:80-82", None),
            ("8080:80-81", None),
            ("82-80", None),
            ("2-1:80-81", None),
            ("80/foo", None),
            ("80/tcp/udp", None),
            ("127.0.0.1:80:80", None),
            ("0.0.0.0:80:80", None),
            ("[::]:80:80", None),
            ("::1:80:80", None),
            ("80:80:80", None),
            ("1:2:3:4", None),
            ("80:", None),
            ("", None),
            ("99999:80", None),
            ("80:99999", None),
            ("65536", None),
            ("abc:80", None),
            ("80:abc", None),
            ("+80", None),
            (" 80", None),
            ("80 ", None),
            ("=80", None),
            ("-", None),
            ("80-", None),
            // Docker posts these values, although nothing can listen on port 0.
            ("0", None),
            ("80:0", None),
        ] {
            assert_eq!(read(text).as_deref(), want, "{text}");
        }
        assert!(
            ports("127.0.0.1:80:80")
                .is_err_and(|bad| bad.to_string().contains("one address only (`127.0.0.1`)"))
        );
        assert!(ports("99999:80").is_err_and(|bad| bad.to_string().contains("`99999` is not a port")));
    }

    #[test]
    fn reads_the_long_form_as_docker_does() {
        for (text, want) in [
            ("published=8080,target=80,protocol=udp,mode=host", Some("8080:80/udp/host")),
            ("target=80", Some("0:80/tcp/ingress")),
            ("target=80,published=0", Some("0:80/tcp/ingress")),
            ("TARGET=80,Mode=HOST,protocol=TCP", Some("0:80/tcp/host")),
            ("\"target=80\",published=81", Some("81:80/tcp/ingress")),
            ("target=80,target=81", Some("0:81/tcp/ingress")),
            ("published=80", None),
            ("target=0", None),
            ("target=80,published=70000", None),
            ("protocol=tcp", None),
            ("target=80-82,published=8080-8082", None),
            ("target=80,published=8080-8082", None),
            ("target=80,mode=foo", None),
            ("target=80,protocol=foo", None),
            ("target=80,foo=bar", None),
            ("target=80,foo", None),
            ("target=,published=80", None),
            ("target=80, published=80", None),
            ("a=80", None),
            ("80=tcp", None),
            ("target=80,name=http", None),
            ("target=80,published=", None),
        ] {
            assert_eq!(read(text).as_deref(), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_forms_mean_the_same(published in 1u16.., target in 1u16.., protocol in "tcp|udp|sctp") {
            let short = ports(&format!("{published}:{target}/{protocol}")).unwrap();
            let long = ports(&format!("target={target},published={published},protocol={protocol}")).unwrap();
            prop_assert_eq!(short, long);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}", shaped in "[0-9:/=,a-z-]{0,20}") {
            let _ = (ports(&text), ports(&shaped));
        }
    }
}
