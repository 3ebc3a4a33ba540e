//! docker and swarmctl with equal command lines must create equal services.

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::lines::{
    CONTAINERS, DIFFERENT, Line, MODES_AND_POLICIES, NETWORKS_SECRETS_AND_CONFIGS, PORTS, REPEATED,
    RESOURCES_AND_PLACEMENT, words,
};
use crate::support::fixtures::OLD;
use crate::support::programs;
use crate::swarm::engine::{Engine, Removed, engine};

/// The two programs that are compared.
#[derive(Clone, Copy)]
enum Program {
    Docker,
    Swarmctl,
}

const PROGRAMS: [Program; 2] = [Program::Docker, Program::Swarmctl];

/// The result of a line.
struct LineResult {
    is_accepted: bool,
    /// The spec of the service; null if there is none.
    spec: Value,
    /// The messages of the program.
    output: String,
}

/// Runs docker. Returns its error output if it fails.
fn run_docker(engine: &Engine, args: &[String]) -> Result<String, String> {
    let run =
        Command::new(programs::docker()).arg("-H").arg(engine.host()).arg("service").args(args).output();
    let run = run.expect("docker's client can be started");
    if run.status.success() {
        Ok(String::new())
    } else {
        Err(String::from_utf8_lossy(&run.stderr).into_owned())
    }
}

/// Runs swarmctl. Returns its error output, whether it succeeds or fails.
fn run_swarmctl(engine: &Engine, args: &[String]) -> Result<String, String> {
    let run = engine.swarmctl(&args.iter().map(String::as_str).collect::<Vec<_>>()).run();
    if run.code == Some(0) { Ok(run.stderr) } else { Err(run.stderr) }
}

/// Repeats a command that failed for a transient reason: docker does not retry if the version index is stale, and
/// neither program retries if the port of a removed service is not free yet.
fn retry_transient(run: impl Fn() -> Result<String, String>) -> Result<String, String> {
    let is_transient =
        |error: &str| error.contains("out of sequence") || error.contains("is already in use by service");
    for _ in 0..100 {
        match run() {
            Err(error) if is_transient(&error) => thread::sleep(Duration::from_millis(50)),
            result => return result,
        }
    }
    run()
}

/// Creates and updates a service with one of the programs, and removes it.
fn run_line(engine: &'static Engine, name: &str, (create, update): Line, program: Program) -> LineResult {
    let line = |front: &[&str], flags: &str, end: &str| -> Vec<String> {
        let front = front.iter().map(|word| (*word).to_owned());
        front.chain(words(flags)).chain([end.to_owned()]).collect()
    };
    let run = |args: &[String]| {
        retry_transient(|| match program {
            Program::Docker => run_docker(engine, args),
            Program::Swarmctl => run_swarmctl(engine, args),
        })
    };
    // No task is needed, and none can run. A job must not even have a pending task: dockerd 28.5.2 crashes if a job is
    // removed together with the tasks of its previous iteration (a race in SetServiceTasksRemove).
    let none = if create.contains("global") { "--constraint=node.id==none" } else { "--replicas=0" };
    let front = ["create", "--detach", "--no-resolve-image", "--name", name, none];
    let mut result = run(&line(&front, create, OLD));
    let _service = Removed::new(engine, format!("/services/{name}"));
    if let Ok(output) = &mut result
        && !update.is_empty()
    {
        let first = std::mem::take(output);
        result = run(&line(&["update", "--detach", "--no-resolve-image"], update, name));
        result = result.map(|output| first + &output);
    }
    let spec = if engine.has_service(name) { engine.service(name)["Spec"].clone() } else { Value::Null };
    LineResult { is_accepted: result.is_ok(), spec, output: result.unwrap_or_else(|error| error) }
}

/// Removes empty values, and sorts lists whose order has no meaning.
fn normalize(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(map) => {
            let mut map: serde_json::Map<String, Value> =
                map.iter().map(|(key, value)| (key.clone(), normalize(value, key))).collect();
            map.retain(|_, value| {
                ![json!(null), json!({}), json!([]), json!(""), json!(0), json!(false)].contains(value)
            });
            map.sort_keys();
            Value::Object(map)
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| normalize(item, "")).collect();
            if !["Command", "Args", "Test", "Preferences", "Hosts"].contains(&key) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        value => value.clone(),
    }
}

fn compare(name: &str, lines: &[Line]) {
    let engine = engine();
    let mut wrong = Vec::new();
    for line in lines {
        let [docker, swarmctl] = PROGRAMS.map(|program| run_line(engine, name, *line, program));
        let same = docker.is_accepted == swarmctl.is_accepted
            && normalize(&docker.spec, "") == normalize(&swarmctl.spec, "");
        if !same || (swarmctl.is_accepted && swarmctl.output.contains("did not store")) {
            wrong.push(format!(
                "{line:?}\n  docker: {} {}\n  {}\n  swarmctl: {} {}\n  {}",
                docker.is_accepted,
                docker.output,
                docker.spec,
                swarmctl.is_accepted,
                swarmctl.output,
                swarmctl.spec
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn docker_and_swarmctl_create_the_same_service_with_ports() {
    compare("du-ports", PORTS);
}

#[test]
fn docker_and_swarmctl_create_the_same_service_with_modes_and_policies() {
    compare("du-modes", MODES_AND_POLICIES);
}

#[test]
fn docker_and_swarmctl_create_the_same_service_with_containers() {
    compare("du-containers", CONTAINERS);
}

#[test]
fn docker_and_swarmctl_create_the_same_service_with_resources_and_placement() {
    compare("du-resources", RESOURCES_AND_PLACEMENT);
}

#[test]
fn docker_and_swarmctl_create_the_same_service_with_networks_secrets_and_configs() {
    let engine = engine();
    let _networks = ["du-n1", "du-n2"].map(|name| engine.network(name));
    let _files = ["du-s1", "du-s2"].map(|name| {
        ["secrets", "configs"].map(|kind| {
            let body = json!({ "Name": name, "Data": "eA==" });
            let made = engine.ask("POST", &format!("/{kind}/create"), Some(&body));
            Removed::new(engine, format!("/{kind}/{}", made["ID"].as_str().expect("an ID")))
        })
    });
    compare("du-names", NETWORKS_SECRETS_AND_CONFIGS);
    for line in REPEATED {
        let [docker, swarmctl] = PROGRAMS.map(|program| run_line(engine, "du-names", *line, program));
        assert!(
            !docker.is_accepted && swarmctl.is_accepted,
            "{line:?}: {} {}",
            docker.output,
            swarmctl.output
        );
        assert_eq!(normalize(&docker.spec, ""), normalize(&swarmctl.spec, ""), "{line:?}");
    }
}

#[test]
fn documented_differences_from_docker_still_exist() {
    let engine = engine();
    for (line, why) in DIFFERENT {
        let [docker, swarmctl] = PROGRAMS.map(|program| run_line(engine, "du-other", *line, program));
        let same = docker.is_accepted == swarmctl.is_accepted
            && normalize(&docker.spec, "") == normalize(&swarmctl.spec, "");
        assert!(!same, "{line:?} is the same now: {why}");
    }
}
