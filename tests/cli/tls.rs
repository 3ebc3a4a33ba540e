//! TLS: which certificates are accepted, and an error message for each kind of failure.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;

use crate::support::certificates::{
    Authority, CertifiedKey, ENCRYPTED_KEYS, VERSION_1, Validity, directory, directory_of, path,
};
use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::relay::Relay;
use crate::support::run::{Swarmctl, swarmctl};
use crate::support::server::Answer;

const ADDRESS: &str = "127.0.0.1";

/// `ls` with TLS and the certificates in this directory.
fn verified(relay: &Relay, directory: &TempDir) -> Swarmctl {
    let command = swarmctl(["ls"]).host(relay.host());
    command.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", path(directory))
}

fn empty() -> Engine {
    Engine::ordered([get("/v1.41/services?status=true").answers(Answer::json(200, "[]"))])
}

#[test]
fn both_sides_check_each_other_and_keep_the_connection() {
    let authority = Authority::new("ours");
    let mut large = spec("t001", OLD);
    large["Labels"]["large"] = "x".repeat(1 << 20).into();
    let swarm = FakeSwarm::with([large]);
    for names in [[ADDRESS, "x.example"], ["localhost", "x.example"]] {
        let relay = Relay::tls(swarm.socket(), &authority.engine(&names, Validity::Now), Some(&authority));
        let own = directory_of(&authority, &authority.client(Validity::Now));
        let host = format!("tcp://{}:{}", names[0], relay.port);
        let args = ["update-image", "--no-resolve-image", "--detach", "--force", "t001", NEW];
        let command = swarmctl(args).host(host);
        command.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", path(&own)).run().succeeds();
        assert_eq!(relay.connections(), 1);
    }
    assert_eq!(swarm.posts().len(), 2);
}

#[test]
fn without_verification_any_certificate_of_the_engine_is_accepted() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let engine = empty();
    let relay = Relay::tls(engine.socket(), &theirs.engine(&["x.example"], Validity::Past), Some(&ours));
    let own = directory_of(&ours, &ours.client(Validity::Now));
    let command = swarmctl(["--tls", "ls"]).host(relay.host());
    command.env("DOCKER_CERT_PATH", path(&own)).run().succeeds();
}

#[test]
fn https_uses_the_given_files_without_other_flags() {
    let authority = Authority::new("ours");
    let engine =
        Engine::unordered([get("/v1.41/services?status=true").answers(Answer::json(200, "[]")).times(2..=2)]);
    let relay = Relay::tls(engine.socket(), &authority.engine(&[ADDRESS], Validity::Now), Some(&authority));
    let own = directory_of(&authority, &authority.client(Validity::Now));
    let host = format!("https://{ADDRESS}:{}", relay.port);
    let file = |name: &str| own.path().join(name).display().to_string();
    let [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(file);
    swarmctl(["--tlscacert", &ca, "--tlscert", &cert, "--tlskey", &key, "ls"]).host(&host).run().succeeds();
    swarmctl(["ls"]).host(&host).env("DOCKER_CERT_PATH", path(&own)).run().succeeds();
    swarmctl(["--tlscacert", &ca, "ls"])
        .host(&host)
        .run()
        .fails_with(Exit::Unreachable)
        .says(&["requires a client certificate"]);
}

#[test]
fn https_trusts_the_authorities_of_the_system() {
    let authority = Authority::new("ours");
    let engine = empty();
    let relay = Relay::tls(engine.socket(), &authority.engine(&[ADDRESS], Validity::Now), None);
    let system = directory(Some(&authority.pem), None, None);
    let host = format!("https://{ADDRESS}:{}", relay.port);
    let ls = || swarmctl(["-H", &host, "ls"]);
    ls().env("SSL_CERT_FILE", &format!("{}/ca.pem", path(&system))).run().succeeds();
    let none = directory(None, None, None);
    let run = ls().env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", path(&none)).run();
    run.fails_with(Exit::Unreachable).tells_an_error().says(&["this system has no trusted authorities"]);
    let other = directory(Some(&Authority::new("theirs").pem), None, None);
    let run = ls().env("SSL_CERT_FILE", &format!("{}/ca.pem", path(&other))).run();
    run.fails_with(Exit::Unreachable)
        .says(&["not signed by an authority that this system trusts", "--tlscacert"]);
}

/// Docker accepts a certificate made by `openssl req -x509` both as an authority and as the engine's certificate.
#[test]
fn a_certificate_that_has_signed_itself_is_its_own_authority_within_its_time_and_for_its_name() {
    for (names, when, why) in [
        ([ADDRESS], Validity::Now, None),
        ([ADDRESS], Validity::Past, Some("it expired at 2021-01-01T00:00:00Z")),
        (["x.example"], Validity::Now, Some("is for `x.example`, not for `127.0.0.1`")),
    ] {
        let (authority, pair) = Authority::self_signed(&names, when);
        let engine = if why.is_none() { empty() } else { Engine::silent() };
        let relay = Relay::tls(engine.socket(), &pair, None);
        let run = verified(&relay, &directory(Some(&authority), None, None)).run();
        match why {
            None => run.succeeds(),
            Some(why) => run.fails_with(Exit::Unreachable).says(&[why]),
        };
    }
    let (authority, _) = Authority::self_signed(&[ADDRESS], Validity::Now);
    let (_, other) = Authority::self_signed(&[ADDRESS], Validity::Now);
    let engine = Engine::silent();
    let relay = Relay::tls(engine.socket(), &other, None);
    let run = verified(&relay, &directory(Some(&authority), None, None)).run().fails_with(Exit::Unreachable);
    run.says(&["the engine's certificate"]);
}

#[test]
fn errors_explain_what_is_wrong_with_the_engines_certificate() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let own = directory_of(&ours, &ours.client(Validity::Now));
    for (pair, why) in [
        (
            theirs.engine(&[ADDRESS], Validity::Now),
            "the engine's certificate is not signed by an authority in `",
        ),
        (ours.engine(&[ADDRESS], Validity::Past), "it expired at 2021-01-01T00:00:00Z"),
        (ours.engine(&[ADDRESS], Validity::Future), "it is not valid before 2089-01-01T00:00:00Z"),
        (
            ours.engine(&["a.example", "10.9.8.7"], Validity::Now),
            "is for `a.example`, `10.9.8.7`, not for `127.0.0.1`",
        ),
        (ours.engine(&[], Validity::Now), "has no subjectAltName, so it is not valid for `127.0.0.1`"),
        (ours.client(Validity::Now), "it is not valid for this side of a connection (extendedKeyUsage)"),
    ] {
        let engine = Engine::silent();
        let relay = Relay::tls(engine.socket(), &pair, None);
        let run = verified(&relay, &own).run().fails_with(Exit::Unreachable).tells_an_error();
        assert!(run.took < Duration::from_secs(3), "{}", run.report());
        run.says(&[why, "hint: "]);
        assert_eq!((engine.pings(), relay.connections()), (0, 1), "{why}: asked once, and told nothing");
    }
}

#[test]
fn errors_explain_why_the_engine_refuses_the_clients_certificate() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for (version, pair, why) in [
        (None, "it requires a client certificate, and none is given"),
        (Some(theirs.client(Validity::Now)), "it is not signed by an authority in `"),
        (Some(ours.client(Validity::Past)), "it expired at 2021-01-01T00:00:00Z"),
        (Some(ours.client(Validity::Future)), "it is not valid before 2089-01-01T00:00:00Z"),
        (Some(ours.engine(&["x"], Validity::Now)), "it is not valid for this side of a connection"),
    ]
    .into_iter()
    .flat_map(|(pair, why)| [(&TLS12, pair.clone(), why), (&TLS13, pair, why)])
    {
        let engine = Engine::silent();
        let engines = ours.engine(&[ADDRESS], Validity::Now);
        let relay = Relay::tls_of(&[version], engine.socket(), &engines, Some(&ours));
        let own = match &pair {
            Some(pair) => directory_of(&ours, pair),
            None => directory(Some(&ours.pem), None, None),
        };
        let run = verified(&relay, &own).run().fails_with(Exit::Unreachable).tells_an_error();
        run.says(&[why, "--tlscert"]);
        assert_eq!((engine.pings(), relay.connections()), (0, 1), "{why}");
    }
}

#[test]
fn unusable_files_are_reported_before_any_request() {
    let ours = Authority::new("ours");
    let (pair, other) = (ours.client(Validity::Now), ours.client(Validity::Now));
    let relay = Relay::silent();
    let half = &pair.cert[..pair.cert.len() / 2];
    for (ca, cert, key, why) in [
        ("", &*pair.cert, &*pair.key, "ca.pem` is empty"),
        ("no PEM", &pair.cert, &pair.key, "ca.pem` contains no certificate"),
        (&pair.key, &pair.cert, &pair.key, "ca.pem` contains no certificate"),
        (&ours.pem, "", &pair.key, "cert.pem` is empty"),
        (&ours.pem, half, &pair.key, "cert.pem` "),
        (&ours.pem, &pair.key, &pair.cert, "cert.pem` contains no certificate"),
        (&ours.pem, &pair.cert, "", "key.pem` is empty"),
        (&ours.pem, &pair.cert, &pair.cert, "key.pem` contains no private key"),
        (&ours.pem, &pair.cert, &other.key, "key.pem` does not belong to the certificate in `"),
        (&ours.pem, &pair.cert, ENCRYPTED_KEYS[0], "key.pem` is an encrypted key"),
        (&ours.pem, &pair.cert, ENCRYPTED_KEYS[1], "openssl pkey -in "),
    ] {
        let own = directory(Some(ca), Some(cert), Some(key));
        let run = verified(&relay, &own).run().fails_with(Exit::Usage).tells_an_error();
        run.says(&[why, "DOCKER_CERT_PATH"]);
    }
    for (cert, key, why) in [
        (Some(&*pair.cert), None, "cert.pem` cannot be used alone"),
        (None, Some(&*pair.key), "key.pem` cannot be used alone"),
    ] {
        let own = directory(Some(&ours.pem), cert, key);
        verified(&relay, &own).run().fails_with(Exit::Usage).says(&[why]);
    }
    let own = directory_of(&ours, &pair);
    fs::remove_file(own.path().join("key.pem")).unwrap();
    symlink("/dev/zero", own.path().join("key.pem")).unwrap();
    verified(&relay, &own).run().fails_with(Exit::Usage).says(&["key.pem` is not a file"]);
    let own = directory_of(&ours, &pair);
    for (flag, file) in [("--tlscacert", "nosuch.pem"), ("--tlscert", "nosuch.pem")] {
        let words = ["--tlsverify", flag, file, "ls"];
        let command = swarmctl(words).host(relay.host()).env("DOCKER_CERT_PATH", path(&own));
        command.run().fails_with(Exit::Usage).tells_an_error().says(&["`nosuch.pem` cannot be read"]);
    }
    assert_eq!(relay.connections(), 0);
}

#[test]
fn tls_on_a_port_without_tls_is_reported() {
    let ours = Authority::new("ours");
    let own = directory_of(&ours, &ours.client(Validity::Now));
    let engine = Engine::silent();
    let relay = Relay::http_only(engine.socket());
    let run = verified(&relay, &own).run().fails_with(Exit::Unreachable).tells_an_error();
    run.says(&[
        "the server there does not use TLS",
        "hint: use the port with TLS (usually 2376), or remove `--tls`",
    ]);
    let relay = Relay::silent();
    let run = verified(&relay, &own).timeouts("connect=300").run().fails_with(Exit::Unreachable);
    run.tells_an_error()
        .says(&["does not respond to the TLS handshake: is it a TLS port?", "hint: use the port"]);
}

#[test]
fn a_tls_port_used_without_tls_is_reported() {
    let ours = Authority::new("ours");
    // A server written in Go responds with plain HTTP.
    let answer = Answer {
        content_type: "text/plain",
        ..Answer::json(400, "Client sent an HTTP request to an HTTPS server.\n")
    };
    let engine = Engine::with_ping(answer, []);
    let relay = Relay::plain(engine.socket());
    let run = swarmctl(["ls"]).host(relay.host()).run().fails_with(Exit::Unreachable).tells_an_error();
    run.says(&["HTTPS", "hint: use TLS with `--tlsverify` or DOCKER_TLS_VERIFY=1"]);
    // Other servers send an alert, or close the connection.
    let engine = Engine::silent();
    let relay = Relay::tls(engine.socket(), &ours.engine(&[ADDRESS], Validity::Now), None);
    let run = swarmctl(["ls"]).host(relay.host()).run().fails_with(Exit::Unreachable).tells_an_error();
    run.says(&["TLS", "hint: ", "`--tlsverify` or DOCKER_TLS_VERIFY=1"]);
}

#[test]
fn certificates_of_version_1_and_expired_ones_are_reported_with_a_fix() {
    let pair = CertifiedKey { cert: VERSION_1[1].to_owned(), key: VERSION_1[2].to_owned() };
    let engine = Engine::silent();
    let relay = Relay::tls(engine.socket(), &pair, None);
    let own = directory(Some(VERSION_1[0]), None, None);
    let run = verified(&relay, &own).run().fails_with(Exit::Unreachable).tells_an_error();
    run.says(&[
        "the engine's certificate is not valid: it is of X.509 version 1, and only version 3 is supported",
        "hint: issue a new certificate with extensions",
        "`tlscert`",
    ]);
    // The client's certificate has version 1.
    let ours = Authority::new("ours");
    let relay = Relay::tls(engine.socket(), &ours.engine(&[ADDRESS], Validity::Now), Some(&ours));
    let own = directory_of(&ours, &pair);
    let run = verified(&relay, &own).run().fails_with(Exit::Usage).tells_an_error();
    run.says(&[
        "cert.pem` is of X.509 version 1, and only version 3 is supported",
        "hint: select other files",
        "--tlscert",
    ]);
    let relay = Relay::tls(engine.socket(), &ours.engine(&[ADDRESS], Validity::Past), None);
    let run = verified(&relay, &directory(Some(&ours.pem), None, None)).run().fails_with(Exit::Unreachable);
    run.says(&[
        "the engine's certificate is not valid: it expired at 2021-01-01T00:00:00Z",
        "hint: renew the engine's certificate (the file in its `tlscert` setting)",
    ]);
}

/// As docker does, swarmctl ignores TLS for unix sockets, and does not read the files.
#[test]
fn a_unix_socket_needs_no_tls_files() {
    let engine = empty();
    let own = directory(Some("broken"), Some("broken"), Some("broken"));
    let command = swarmctl(["--tls", "ls"]).host(engine.host());
    command.env("DOCKER_CERT_PATH", path(&own)).run().succeeds();
}
