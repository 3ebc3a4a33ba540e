//! The output of `tags`, and its arguments.

use serde_json::json;

use super::tags;
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, tags as page};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::spec;
use crate::support::run::swarmctl;

const TAGS: [&str; 9] =
    ["latest", "1.7.1", "1.7.2", "1.8.0", "1.8.1-rc1", "1.9.0", "2.0.0", "1.8.0-alpine", "main-54-1"];

fn registry() -> FakeRegistry {
    FakeRegistry::plain(|_| page(&TAGS))
}

#[test]
fn a_table_has_versions_first_and_newest_first() {
    let registry = registry();
    let run = swarmctl(["tags", "--newest", "minor", &registry.image("shop/web:1.7.2")]).run().succeeds();
    let rows: Vec<Vec<&str>> =
        run.stdout.lines().map(|line| line.splitn(2, ' ').map(str::trim).collect()).collect();
    let expected = [
        ["TAG", "STATUS"],
        ["main-54-1", "other shape"],
        ["2.0.0", "outside policy"],
        ["1.9.0", "newest"],
        ["1.8.1-rc1", "pre-release"],
        ["1.8.0-alpine", "other shape"],
        ["1.8.0", "candidate"],
        ["1.7.2", "current"],
        ["1.7.1", "older"],
        ["latest", "not a version"],
    ];
    assert_eq!(rows, expected.map(|row| row.to_vec()), "{}", run.stdout);
    assert_eq!(run.stderr, "");
}

#[test]
fn the_image_of_a_service_is_compared_and_json_has_the_versions() {
    let registry = registry();
    let swarm = FakeSwarm::with([spec("web", &registry.image("shop/web:1.7.2"))]);
    swarm.world().write("web", |spec| spec["Labels"]["swarmctl.newest"] = "~1.8".into());
    let run = |args: &[&str]| swarmctl([&["tags", "--json"], args].concat()).host(swarm.host()).run();
    let json: serde_json::Value = serde_json::from_str(&run(&["web", "--pre"]).succeeds().stdout).unwrap();
    assert_eq!(json["repository"], json!(registry.image("shop/web")));
    assert_eq!((&json["current"], &json["policy"]), (&json!("1.7.2"), &json!("major")));
    assert_eq!(json["tags"][1], json!({ "tag": "2.0.0", "version": "2.0.0", "status": "newest" }));
    assert_eq!(json["tags"][8], json!({ "tag": "latest", "version": null, "status": "not a version" }));
    let json: serde_json::Value =
        serde_json::from_str(&run(&["web", "--newest", "label"]).succeeds().stdout).unwrap();
    assert_eq!(json["policy"], json!("~1.8"));
    assert_eq!(json["tags"][5], json!({ "tag": "1.8.0", "version": "1.8.0", "status": "newest" }));
    let run = run(&["api"]).fails_with(Exit::NotFound);
    assert!(run.stderr.contains("no such service: `api`"), "{}", run.stderr);
}

#[test]
fn a_repository_without_a_tag_has_no_statuses() {
    let registry = registry();
    let run = swarmctl(["tags", &registry.image("shop/web")]).run().succeeds();
    assert_eq!(run.stdout.lines().take(2).collect::<Vec<_>>(), ["TAG", "main-54-1"]);
    let run = tags(&registry.image("shop/web")).run().succeeds();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&json["current"], &json["policy"], &json["tags"][0]["status"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

#[test]
fn a_pattern_determines_what_is_compared() {
    let registry = FakeRegistry::plain(|_| page(&["main-51-1", "main-54-1", "dev-60-1", "latest"]));
    let image = registry.image("shop/web:main-51-1");
    let run = swarmctl(["tags", "--tags", r"main-(?<version>\d+)-\d+", &image]).run().succeeds();
    for line in
        ["main-54-1   newest", "main-51-1   current", "dev-60-1    not matched", "latest      not a version"]
    {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
}

#[test]
fn invalid_values_are_usage_errors() {
    for args in [
        &["--newest", "mniro", "r.example.com/web:1"][..],
        &["--newest", ">=x", "r.example.com/web:1"],
        &["--newest", "label", "r.example.com/web:1"],
        &["--tags", "(", "r.example.com/web:1"],
        &["--tags", r"\d+", "r.example.com/web:1"],
        &["r.example.com/Web:1"],
        &[],
    ] {
        let run = swarmctl([&["tags"], args].concat()).host("unix:///nonexistent").run();
        run.fails_with(Exit::Usage);
    }
}
