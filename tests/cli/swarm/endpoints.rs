//! A real engine over TCP, and over TLS with certificates on both sides.

use serde_json::json;
use tempfile::TempDir;

use super::engine::{Engine, small};
use crate::support::certificates::{Authority, ENCRYPTED_KEYS, Validity, directory, directory_of, path};
use crate::support::exit::Exit;
use crate::support::run::Run;

const OLD: &str = "opera443399/whoami:0.5";
const NEW: &str = "opera443399/whoami:0.6";

/// Creates a service, and requires that commands with this host work: an update, reads, and `rm`.
#[track_caller]
fn rolls_out(engine: &Engine, host: &str, certificates: Option<&TempDir>) {
    let made = engine.ask("POST", "/services/create", Some(&small("t001", OLD)));
    let run = |args: &[&str]| -> Run {
        let mut command = engine.swarmctl_inside(&[&["-H", host], args].concat());
        if let Some(directory) = certificates {
            command = command.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", path(directory));
        }
        command.run()
    };
    let update = ["update-image", "--no-resolve-image", "--timeout", "60s", "t001", NEW];
    run(&update).succeeds();
    assert_eq!(engine.service("t001")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
    run(&["ls"]).succeeds().prints(&["t001", "1/1"]);
    run(&["inspect", "t001"]).succeeds().prints(&[made["ID"].as_str().unwrap()]);
    run(&["status", "t001"]).succeeds();
    run(&["logs", "t001"]).succeeds().prints(&["listening on port 80"]);
    run(&["rm", "t001"]).succeeds();
    run(&["ps", "t001"]).fails_with(Exit::NotFound);
}

#[test]
fn everything_works_over_tcp() {
    let engine = Engine::with_options("tcp", &["--host", "tcp://127.0.0.1:2375", "--tls=false"]);
    rolls_out(&engine, "tcp://127.0.0.1", None);
    engine.swarmctl_inside(&["-H", "localhost:2375", "ls"]).run().succeeds();
    let run = engine
        .swarmctl_inside(&["-H", "https://127.0.0.1:2375", "ls"])
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    run.says(&["does not use TLS", "2375"]);
    let run = engine
        .swarmctl_inside(&["-H", "tcp://127.0.0.1:2376", "ls"])
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    run.says(&["Connection refused"]);
    let run = engine
        .swarmctl_inside(&["-H", "tcp://10.0.0.5", "ls"])
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    run.says(&["unreachable"]);
}

#[test]
fn everything_works_over_tls_and_every_failure_is_explained() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let engines = directory_of(&ours, &ours.engine(&["127.0.0.1", "engine.example"], Validity::Now));
    let file = |name: &str| {
        format!("--tls{}={}/{name}.pem", if name == "ca" { "cacert" } else { name }, path(&engines))
    };
    let (ca, cert, key) = (file("ca"), file("cert"), file("key"));
    let host = "tcp://127.0.0.1:2376";
    let engine = Engine::with_options("tls", &["--host", host, "--tlsverify", &ca, &cert, &key]);
    let (client, other) = (ours.client(Validity::Now), ours.client(Validity::Now));
    let good = directory_of(&ours, &client);
    rolls_out(&engine, "tcp://127.0.0.1", Some(&good));
    let ask = |host: &str, directory: &TempDir| {
        let command = engine.swarmctl_inside(&["-H", host, "ls"]);
        command.env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", path(directory)).run()
    };
    for (directory, why) in [
        (directory_of(&theirs, &client), "the engine's certificate is not signed by an authority in `"),
        (directory(Some(&ours.pem), None, None), "it requires a client certificate, and none is given"),
        (directory_of(&ours, &ours.client(Validity::Past)), "it expired at 2021-01-01T00:00:00Z"),
        (directory_of(&ours, &theirs.client(Validity::Now)), "it is not signed by an authority in `"),
        (
            directory_of(&ours, &ours.engine(&["x"], Validity::Now)),
            "it is not valid for this side of a connection",
        ),
    ] {
        ask(host, &directory).fails_with(Exit::Unreachable).tells_an_error().says(&[why, "hint: "]);
    }
    for (key, why) in [
        (&*other.key, "does not belong to the certificate in `"),
        (ENCRYPTED_KEYS[0], "is an encrypted key"),
        (ENCRYPTED_KEYS[1], "is an encrypted key"),
    ] {
        let own = directory(Some(&ours.pem), Some(&client.cert), Some(key));
        ask(host, &own).fails_with(Exit::Usage).tells_an_error().says(&[why, "hint: "]);
    }
    let run = ask("tcp://localhost:2376", &good).fails_with(Exit::Unreachable).tells_an_error();
    run.says(&["is for `127.0.0.1`, `engine.example`, not for `localhost`"]);
    let run =
        engine.swarmctl_inside(&["-H", host, "ls"]).run().fails_with(Exit::Unreachable).tells_an_error();
    run.says(&["Client sent an HTTP request to an HTTPS server", "--tlsverify"]);
    // With --tls, the engine's certificate and name are not checked, but the engine still requires a client
    // certificate.
    let unchecked = ["--tls", "-H", "tcp://localhost:2376", "ls"];
    engine.swarmctl_inside(&unchecked).env("DOCKER_CERT_PATH", path(&good)).run().succeeds();
    engine
        .swarmctl_inside(&unchecked)
        .run()
        .fails_with(Exit::Unreachable)
        .says(&["it requires a client certificate"]);
    // A post with an expired client certificate is refused, and changes nothing.
    engine.ask(
        "POST",
        "/services/create",
        Some(&json!({ "Name": "t002", "TaskTemplate": small("x", OLD)["TaskTemplate"] })),
    );
    let before = engine.service("t002");
    let expired = directory_of(&ours, &ours.client(Validity::Past));
    let post = engine.swarmctl_inside(&["-H", host, "update-image", "t002", NEW]);
    post.env("DOCKER_TLS_VERIFY", "1")
        .env("DOCKER_CERT_PATH", path(&expired))
        .run()
        .fails_with(Exit::Unreachable);
    assert_eq!(engine.service("t002")["Spec"], before["Spec"]);
}
