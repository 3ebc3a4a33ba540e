//! Hosts that docker accepts, and hosts that are invalid.

use super::*;

fn parsed(host: &str) -> Result<String, String> {
    Endpoint::parse(host, None).map(|endpoint| endpoint.to_string()).map_err(|refused| refused.to_string())
}

fn tls() -> Option<Tls> {
    Some(Tls {
        peer: Peer::Engine,
        ca: None,
        extra_cas: Vec::new(),
        cert: None,
        key: None,
        is_verified: false,
    })
}

#[test]
fn unix_sockets_are_parsed_as_docker_parses_them() {
    for (host, path) in [
        ("unix:///run/user/1000/docker.sock", "/run/user/1000/docker.sock"),
        (" unix:///a b ", "/a b"),
        ("unix://", DEFAULT_SOCKET),
        ("", DEFAULT_SOCKET),
    ] {
        assert_eq!(Endpoint::parse(host, None), Ok(Endpoint::Unix(path.into())), "{host}");
    }
    assert!(parsed(&format!("unix:///{}", "x".repeat(106))).is_ok());
}

#[test]
fn tcp_is_parsed_as_docker_parses_it() {
    for (host, endpoint) in [
        ("tcp://", "tcp://localhost:2375"),
        ("tcp://:7777", "tcp://localhost:7777"),
        ("tcp://host", "tcp://host:2375"),
        ("tcp://host:", "tcp://host:2375"),
        ("tcp://10.0.0.5:1/", "tcp://10.0.0.5:1"),
        ("tcp://host:2375/a/b%20c/", "tcp://host:2375/a/b%20c"),
        ("tcp://[::1]", "tcp://[::1]:2375"),
        ("tcp://::1", "tcp://[::1]:2375"),
        ("tcp://[::1]:", "tcp://[::1]:2375"),
        ("tcp://[fe80::1%25eth0]:99", "tcp://[fe80::1%eth0]:99"),
        ("host:1234", "tcp://host:1234"),
        ("host", "tcp://host:2375"),
        ("host:1/path", "tcp://host:1/path"),
        (":5", "tcp://localhost:5"),
        ("http://host", "tcp://host:80"),
        ("http://host:2375/x", "tcp://host:2375/x"),
        ("https://host", "tcp://host:443"),
    ] {
        assert_eq!(parsed(host), Ok(endpoint.to_owned()), "{host}");
    }
}

#[test]
fn the_default_port_of_tls_is_2376_and_https_needs_no_settings() {
    for (host, endpoint) in [
        ("", "tcp://localhost:2376"),
        ("tcp://", "tcp://localhost:2376"),
        ("tcp://host", "tcp://host:2376"),
        ("https://host:5", "tcp://host:5"),
    ] {
        let Ok(Endpoint::Tcp(tcp)) = Endpoint::parse(host, tls()) else { panic!("{host}") };
        assert_eq!((tcp.tls.clone(), Endpoint::Tcp(tcp).to_string()), (tls(), endpoint.to_owned()));
    }
    let Ok(Endpoint::Tcp(tcp)) = Endpoint::parse("https://host", None) else { panic!() };
    assert!(tcp.tls.is_some_and(|tls| tls.is_verified && tls.ca.is_none()));
    assert!(Endpoint::parse("http://host", tls()).is_err());
    assert_eq!(Endpoint::parse("unix:///a", tls()), Ok(Endpoint::Unix("/a".into())));
}

#[test]
fn ssh_is_split_into_user_host_port_and_path() {
    for host in [
        "ssh://host",
        "ssh://me@host",
        "ssh://me@host:2222",
        "ssh://me@[::1]:22/run/docker.sock",
        "ssh://first.last+x@my-alias_2/a b",
    ] {
        assert_eq!(parsed(host), Ok(host.to_owned()));
    }
    assert_eq!(parsed("ssh://me@host/"), Ok("ssh://me@host".to_owned()));
    let ssh = Ssh { user: Some("a@b".into()), host: "h".into(), port: None, path: Some("/x y".into()) };
    assert_eq!(Endpoint::parse("ssh://a%40b@h/x%20y", None), Ok(Endpoint::Ssh(ssh)));
}

#[test]
fn what_cannot_be_an_endpoint_is_refused_with_the_reason() {
    for (host, why) in [
        ("unix://relative", "is not absolute"),
        (&format!("unix:///{}", "x".repeat(107)), "at most 107"),
        ("unix:/one-slash", "two slashes"),
        ("/var/run/docker.sock", "unix:///var"),
        ("./docker.sock", "unix://"),
        ("-v", "`-v` is not a valid host"),
        ("tcp://-v", "`-v` is not a valid host"),
        ("tcp://a b", "`a b` is not a valid host"),
        ("tcp://a\0b", "control character"),
        ("tcp://host:0", "is not a port (1 to 65535)"),
        ("tcp://host:65536", "is not a port (1 to 65535)"),
        ("tcp://host:http", "is not a port (1 to 65535)"),
        ("tcp://host:+5", "is not a port (1 to 65535)"),
        ("tcp://::1:", "in brackets"),
        ("tcp://[::1", "`]` is missing"),
        ("tcp://[host]:1", "not an IPv6 address"),
        ("tcp://[::1]x", "not a port"),
        ("tcp://me:secret@host:1", "user and password are not supported"),
        ("tcp://me:secret:secret@[::1]:x", "user and password are not supported"),
        ("me:secret@host", "me:***@host"),
        ("tcp://host:1?x=1", "no query"),
        ("tcp://host:1/#f", "no query"),
        ("tcp://host:1/a b", "percent-encoded"),
        ("tcp://tcp://host", "two schemes"),
        ("ssh://", "it has no host"),
        ("ssh://me@", "it has no host"),
        ("ssh://me:secret@host", "password"),
        ("ssh://-oProxyCommand=x", "is not a valid host"),
        ("ssh://-l@host", "`-l` is not a valid user"),
        ("ssh://%2dl@host", "`-l` is not a valid user"),
        ("ssh://a;b@host", "is not a valid user"),
        ("ssh://@host", "`` is not a valid user"),
        ("ssh://host?x", "no query"),
        ("ssh://host:99999", "is not a port"),
        ("ssh://host/a%00b", "control character"),
        ("npipe:////./pipe/docker_engine", "Windows only"),
        ("fd://", "needs an address"),
        ("udp://host", "scheme `udp`"),
        ("://host", "is not a valid engine endpoint"),
    ] {
        let refused = parsed(host).unwrap_err();
        assert!(!refused.contains("secret"), "{host}: {refused}");
        assert!(refused.contains(why), "{host}: {refused}");
    }
}

#[test]
fn a_printed_endpoint_parses_to_the_same_endpoint() {
    for host in [
        "ssh://m1/run/a%2525b.sock",
        "ssh://m1/run/%3Fx",
        "ssh://m1/run/%23",
        "ssh://m1/run/x%20",
        "ssh://m1/run/%C3%A9%C2%A0",
        "ssh://[fe80::1%2525]/x",
    ] {
        let endpoint = Endpoint::parse(host, None).unwrap();
        assert_eq!(Endpoint::parse(&endpoint.to_string(), None).as_ref(), Ok(&endpoint), "{host}");
    }
}
