//! Contexts written by docker's own client, and docker's choice of an engine.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::engine::engine;
use crate::settings::{LINES, User};
use crate::support::certificates::{Authority, Validity, directory_of, path};
use crate::support::client;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::programs;
use crate::support::relay::Relay;
use crate::support::run::swarmctl;

/// Runs docker in an environment with only PATH, HOME and these variables.
fn docker(variables: &[(String, String)], args: &[&str]) -> Output {
    let mut command = Command::new(programs::docker());
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", "/nonexistent/home");
    command.envs(variables.iter().cloned()).args(args);
    command.output().expect("docker's client can be started")
}

fn directory(path: &Path) -> [(String, String); 1] {
    [("DOCKER_CONFIG".to_owned(), path.display().to_string())]
}

#[track_caller]
fn docker_in(path: &Path, args: &[&str]) {
    let output = docker(&directory(path), args);
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn shown(path: &Path, context: &str) -> Value {
    let run = swarmctl(["-c", context, "context", "show", "--json", "--timeout", "5s"]);
    run.env("DOCKER_CONFIG", &path.display().to_string()).run().json()
}

#[test]
fn a_context_of_dockers_leads_to_the_engine() {
    let engine = engine();
    let home = tempfile::tempdir().unwrap();
    let host = format!("host={}", engine.host());
    docker_in(
        home.path(),
        &["context", "create", "prod", "--description", "the real one", "--docker", &host],
    );
    let in_home = |args: &[&str]| {
        swarmctl(args.iter().copied()).env("DOCKER_CONFIG", &home.path().display().to_string())
    };
    in_home(&["-c", "prod", "ls"]).run().succeeds();
    in_home(&["ls"]).env("DOCKER_CONTEXT", "prod").run().succeeds();
    docker_in(home.path(), &["context", "use", "prod"]);
    in_home(&["ls"]).run().succeeds();
    let run = in_home(&["context", "show", "--json"]).run().succeeds().json();
    assert_eq!(
        (&run["context"], &run["context_from"]),
        (&json!("prod"), &json!("config.json:currentContext"))
    );
    assert_eq!(run["engine"]["swarm"]["manager"], true);
    assert_eq!(run["engine"]["swarm"]["leader"], true);
    assert_eq!(run["engine"]["api_version"], engine.ask("GET", "/version", None)["ApiVersion"]);
    // The list equals docker's, except for blanks at the ends of lines. Before version 23, docker's last columns were
    // different.
    let output = docker(&directory(home.path()), &["context", "ls"]);
    let dockers = String::from_utf8_lossy(&output.stdout).into_owned();
    let ours = in_home(&["context", "ls"]).run().succeeds().stdout;
    let ends = (client::major_version() < 23).then(|| (dockers.find("KUBERNETES"), ours.find("ERROR")));
    let (theirs, own) = ends.unwrap_or_default();
    let cut = |text: &str, end: Option<usize>| -> Vec<String> {
        text.lines()
            .map(|line| line.get(..end.unwrap_or(line.len())).unwrap_or(line).trim_end().to_owned())
            .collect()
    };
    assert_eq!(cut(&ours, own), cut(&dockers, theirs));
}

#[test]
fn tls_and_ssh_contexts_of_dockers_are_read_as_docker_reads_them() {
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let client = authority.client(Validity::Now);
    let files = directory_of(&authority, &client);
    let [ca, cert, key] = ["ca", "cert", "key"].map(|name| format!("{name}={}/{name}.pem", path(&files)));
    for (name, docker) in [
        ("tls", format!("host=tcp://127.0.0.1:1,{ca},{cert},{key}")),
        ("ca", format!("host=tcp://127.0.0.1:1,{ca}")),
        ("skip", "host=tcp://127.0.0.1:1,skip-tls-verify=true".to_owned()),
        ("plain", "host=tcp://127.0.0.1:1".to_owned()),
        ("ssh", "host=ssh://me@127.0.0.1:1".to_owned()),
    ] {
        docker_in(home.path(), &["context", "create", name, "--docker", &docker]);
    }
    // The context has its own copies of the files.
    drop(files);

    let tls = shown(home.path(), "tls")["tls"].clone();
    for (name, text) in [("ca", &authority.pem), ("cert", &client.cert), ("key", &client.key)] {
        let file = tls[name].as_str().unwrap_or_default();
        assert!(file.starts_with(&home.path().join("contexts/tls").display().to_string()), "{tls}");
        assert_eq!(fs::read_to_string(file).unwrap(), *text);
    }
    assert_eq!(tls["verified"], true);
    let tls = shown(home.path(), "ca")["tls"].clone();
    assert_eq!((tls["ca"].is_string(), &tls["cert"], &tls["verified"]), (true, &json!(null), &json!(true)));
    let tls = shown(home.path(), "skip")["tls"].clone();
    assert_eq!(&tls["ca"], &json!(null));
    assert_eq!(&tls["verified"], &json!(false));
    assert_eq!(shown(home.path(), "plain")["tls"], json!(null));
    assert_eq!(shown(home.path(), "ssh")["endpoint"], "ssh://me@127.0.0.1:1");
}

#[test]
fn a_context_of_dockers_with_tls_leads_to_the_engine() {
    let authority = Authority::new("ours");
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let relay =
        Relay::tls(swarm.socket(), &authority.engine(&["127.0.0.1"], Validity::Now), Some(&authority));
    let files = directory_of(&authority, &authority.client(Validity::Now));
    let [ca, cert, key] = ["ca", "cert", "key"].map(|name| format!("{name}={}/{name}.pem", path(&files)));
    let home = tempfile::tempdir().unwrap();
    let docker = format!("host={},{ca},{cert},{key}", relay.host());
    docker_in(home.path(), &["context", "create", "tls", "--docker", &docker]);
    let run = swarmctl(["-c", "tls", "ls", "-q"]).env("DOCKER_CONFIG", &home.path().display().to_string());
    // Settings for TLS apply only to the context `default`.
    let run = run.env("DOCKER_CERT_PATH", "/nonexistent").env("DOCKER_TLS_VERIFY", "1").run().succeeds();
    assert_eq!(run.stdout.lines().count(), 1);
    assert_eq!(shown(home.path(), "tls")["tls"]["from"], "--context");
}

/// docker requires files for TLS even if the engine's socket does not use them.
#[test]
fn docker_takes_the_same_engine() {
    let user = User::new(&["a", "b", "c", "d"], "d");
    // For clients before version 23, an empty variable counts as set.
    let is_old = client::major_version() < 23;
    let is_empty = |word: &str| word.starts_with("DOCKER_") && word.ends_with('=');
    for (line, engine) in LINES.iter().filter(|(line, _)| !is_old || !line.split(' ').any(is_empty)) {
        let (variables, flags) = user.words(line);
        let args: Vec<&str> = flags.iter().map(String::as_str).chain(["version"]).collect();
        let asked = user.asked_by(|| drop(docker(&variables, &args)));
        let wants_files = line.contains("@a") && line.to_lowercase().contains("tls");
        assert_eq!(asked, if wants_files { vec![] } else { vec![*engine] }, "{line}");
    }
}
