//! Digests and credentials on a real engine with a real registry.

mod credentials;
mod digests;

use crate::swarm::engine::{Engine, Removed};
use crate::swarm::registry::Registry;

fn image(engine: &Engine, service: &str) -> String {
    let service = engine.service(service);
    service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default().to_owned()
}

/// The IDs of the tasks that should run.
fn tasks(engine: &Engine, service: &str) -> Vec<String> {
    let id = engine.service(service)["ID"].clone();
    let tasks = engine.ask("GET", "/tasks", None);
    let mut ids: Vec<String> = tasks
        .as_array()
        .into_iter()
        .flatten()
        .filter(|task| task["ServiceID"] == id && task["DesiredState"] == "running")
        .map(|task| task["ID"].as_str().unwrap_or_default().to_owned())
        .collect();
    ids.sort();
    ids
}

/// Creates a service with swarmctl, which must exit with `code`. The service is removed when the returned value is
/// dropped.
fn create(
    registry: &Registry,
    engine: &'static Engine,
    name: &str,
    password: Option<&str>,
    args: &[&str],
    code: i32,
) -> Removed {
    let line = ["create", "--name", name, "--restart-condition", "none", "--stop-grace-period", "1s"];
    registry.swarmctl(password, &[&line, args].concat()).run().exits(code);
    Removed::new(engine, format!("/services/{name}"))
}
