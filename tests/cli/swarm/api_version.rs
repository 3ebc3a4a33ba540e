//! A real engine drops fields from a spec that it receives with an older API version. swarmctl must not let that happen
//! unless it is requested.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::engine::{Engine, engine, small};
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::Run;

/// A spec with every field of API 1.41 that an older version does not have.
fn newer(name: &str) -> Value {
    let mut spec = small(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let task = &mut spec["TaskTemplate"];
    let container = &mut task["ContainerSpec"];
    container["Init"] = true.into();
    container["Isolation"] = "default".into();
    container["Sysctls"] = json!({ "net.ipv4.ip_forward": "1" });
    container["CapabilityAdd"] = json!(["CAP_NET_ADMIN"]);
    container["CapabilityDrop"] = json!(["CAP_MKNOD"]);
    container["Ulimits"] = json!([{ "Name": "nofile", "Soft": 100, "Hard": 200 }]);
    task["Placement"] = json!({ "MaxReplicas": 5 });
    task["Resources"] = json!({
        "Limits": { "Pids": 50 },
        "Reservations": { "GenericResources": [{ "DiscreteResourceSpec": { "Kind": "gpu", "Value": 1 } }] },
    });
    spec
}

/// Collects the places of all values in the spec that are not empty.
fn leaves(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| leaves(value, &format!("{at}.{key}"), into));
        }
        Value::Object(_) | Value::Null => {}
        Value::Array(list) if list.is_empty() => {}
        _ => drop(into.insert(at.trim_start_matches('.').to_owned())),
    }
}

fn leaves_of(engine: &Engine, id: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    leaves(&engine.ask("GET", &format!("/services/{id}"), None)["Spec"], "", &mut all);
    all
}

fn through(engine: &Engine, version: &str, args: &[&str]) -> Run {
    engine.swarmctl(args).env("DOCKER_API_VERSION", version).run()
}

#[test]
fn dropped_fields_are_those_reported_and_reads_hide_nothing() {
    let engine = engine();
    for version in ["1.40", "1.39", "1.30"] {
        let name = format!("av-{}", version.replace('.', "-"));
        let service = engine.create(&newer(&name));
        let at = format!("/v{version}/services/{}", service.id());
        let read = engine.ask("GET", &at, None);
        assert_eq!(read["Spec"], engine.ask("GET", &format!("/services/{}", service.id()), None)["Spec"]);

        let refused =
            through(engine, version, &["update", "-d", "--label-add", "a=b", &name]).fails_with(Exit::Failed);
        let said = refused.stderr.split("would drop ").nth(1).and_then(|rest| rest.split(';').next());
        let said: BTreeSet<&str> = said.unwrap_or_default().split(", ").collect();

        let before = leaves_of(engine, service.id());
        let path = format!("{at}/update?version={}", read["Version"]["Index"]);
        engine.ask("POST", &path, Some(&read["Spec"]));
        let after = leaves_of(engine, service.id());
        let dropped: Vec<&String> = before.difference(&after).collect();
        assert!(!dropped.is_empty());
        let is_said = |place: &str| said.iter().any(|field| place.starts_with(field));
        assert!(dropped.iter().all(|place| is_said(place)), "{version}: dropped {dropped:?}, said {said:?}");
        assert!(
            said.iter().all(|field| dropped.iter().any(|place| place.starts_with(field))),
            "{version}: {dropped:?}, {said:?}"
        );
    }
}

#[test]
fn no_field_is_lost_without_a_flag_and_accepted_losses_are_reported() {
    let engine = engine();
    let service = engine.create(&newer("av-kept"));
    let before = leaves_of(engine, service.id());
    for args in [
        &["update-image", "-d", "--no-resolve-image", "av-kept", NEW][..],
        &["scale", "-d", "av-kept=1"],
        &["restart", "-d", "av-kept"],
        &["update", "-d", "av-kept", "--env-add", "A=1"],
    ] {
        through(engine, "1.40", args).fails_with(Exit::Failed).says(&["--allow-field-loss"]);
    }
    assert_eq!(leaves_of(engine, service.id()), before);
    let run = through(engine, "1.40", &["update", "-d", "--allow-field-loss", "av-kept", "--env-add", "A=1"])
        .succeeds();
    let run = run.says(&["with API 1.40 the engine drops"]);
    let after = leaves_of(engine, service.id());
    let gone: Vec<&String> = before.difference(&after).collect();
    assert!(
        !gone.is_empty() && gone.iter().all(|place| run.stderr.contains(place.as_str())),
        "{gone:?}\n{}",
        run.report()
    );
    // A rollback by the engine restores all fields, even with the older API version.
    through(engine, "1.40", &["rollback", "-d", "av-kept"]).succeeds();
    assert_eq!(leaves_of(engine, service.id()), before);
}

#[test]
fn unsupported_versions_are_refused_with_the_engines_message() {
    let engine = engine();
    for (version, words) in [("1.99", "is too new"), ("1.11", "is too old")] {
        through(engine, version, &["ls"]).fails_with(Exit::Failed).says(&[
            "client version",
            words,
            "unset DOCKER_API_VERSION",
        ]);
        let run = through(engine, version, &["context", "show"]).fails_with(Exit::Failed);
        run.prints(&["Engine's API:"]).says(&[words]);
    }
}

#[test]
fn lists_are_the_same_through_an_older_version() {
    let engine = engine();
    let _service = engine.create(&newer("av-list"));
    let rows = |run: Run| run.succeeds().stdout;
    let line = ["ls", "--filter", "name=av-list"];
    assert_eq!(rows(through(engine, "1.30", &line)), rows(engine.swarmctl(&line).run()));
}
