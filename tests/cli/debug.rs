//! `--debug`: each request, its status and its duration on stderr, without secrets.

use serde_json::json;

use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{ID, NEW, OLD, spec};
use crate::support::run::swarmctl;
use crate::support::secrets::{PASSWORD, basic};

#[test]
fn each_request_is_a_line() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    for flag in ["-D", "--debug", "--debug=true"] {
        let run = swarmctl([flag, "ls", "--filter", "name=t"]).host(swarm.host()).run().succeeds();
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert_eq!(lines.len(), 3, "{}", run.report());
        assert!(lines[0].starts_with("debug: GET /_ping -> 200 ("), "{}", run.report());
        assert!(lines[1].starts_with("debug: GET /v1.41/services?status=true&filters=%7B%22name%22"));
        assert!(lines[2].starts_with("debug: GET /v1.41/nodes -> 200 ("), "{}", run.report());
        assert!(lines.iter().all(|line| line.ends_with(" ms)")), "{}", run.report());
        assert_eq!(run.stdout.lines().count(), 2);
    }
    let run = swarmctl(["--debug=false", "ls"]).host(swarm.host()).run().succeeds();
    assert_eq!(run.stderr, "");
    swarmctl(["-D", "inspect", "nosuch"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::NotFound)
        .says(&["/services/nosuch -> 404 ("]);
    swarmctl(["-D", "ls"])
        .host("unix:///nonexistent")
        .run()
        .fails_with(Exit::Unreachable)
        .says(&["GET /_ping -> no response: cannot connect"]);
}

#[test]
fn a_header_with_credentials_is_named_and_hidden() {
    let home = tempfile::tempdir().unwrap();
    let config = json!({ "auths": { "https://index.docker.io/v1/": { "auth": basic(PASSWORD) } } });
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let run = swarmctl(["-D", "update-image", "-d", "--with-registry-auth", "t001", NEW])
        .host(swarm.host())
        .env("DOCKER_CONFIG", &home.path().display().to_string())
        .run()
        .succeeds();
    run.says(&[
        &format!("GET /v1.41/distribution/{NEW}/json [X-Registry-Auth: hidden] -> 500 ("),
        "/update?version=11 [X-Registry-Auth: hidden] -> 200 (",
    ]);
    assert_ne!(ID, "");
}
