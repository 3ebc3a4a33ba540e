//! Notes about flags that remove items that the service does not have.

use serde_json::json;

use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec};
use crate::support::run::swarmctl;

fn swarm() -> FakeSwarm {
    FakeSwarm::with(["a", "b"].map(|name| {
        let mut spec = spec(name, OLD);
        spec["Labels"]["x"] = "1".into();
        spec["TaskTemplate"]["ContainerSpec"]["Env"] =
            json!([format!("ONLY_{}=1", name.to_uppercase()), "LEVEL=info"]);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }))
}

/// Flags that remove items, each with an item that the service does not have.
const UNMATCHED: &[(&str, &str)] = &[
    ("env-rm", "NOPE"),
    ("publish-rm", "9999"),
    ("publish-rm", "9998-9999"),
    ("label-rm", "nope"),
    ("container-label-rm", "nope"),
    ("group-rm", "nope"),
    ("host-rm", "nope"),
    ("dns-rm", "9.9.9.9"),
    ("dns-option-rm", "nope"),
    ("dns-search-rm", "nope"),
    ("constraint-rm", "node.role==worker"),
    ("placement-pref-rm", "spread=node.labels.nope"),
    ("mount-rm", "/nope"),
    ("secret-rm", "nope"),
    ("config-rm", "nope"),
    ("sysctl-rm", "nope"),
    ("ulimit-rm", "nofile"),
];

#[test]
fn every_flag_that_removes_prints_a_note_if_it_matches_nothing() {
    for (flag, value) in UNMATCHED {
        let swarm = swarm();
        let run = swarmctl(["update", "--detach", &format!("--{flag}"), value, "a"]).host(swarm.host()).run();
        let run = run.succeeds().says(&[&format!("a: `--{flag} {value}` matched nothing\n")]);
        assert_eq!(run.stderr.matches("matched nothing").count(), 1, "{}", run.report());
        let run =
            swarmctl(["update", "--detach", "-q", &format!("--{flag}"), value, "a"]).host(swarm.host()).run();
        assert_eq!(run.succeeds().stderr, "", "{flag}");
    }
}

#[test]
fn every_flag_that_removes_is_in_the_list() {
    let help = swarmctl(["update", "--help"]).run().succeeds().stdout;
    let flags = help
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("--"))
        .filter(|flag| flag.ends_with("-rm"));
    // An unknown network and an unknown generic resource are errors (`update::flags`).
    for flag in flags.filter(|flag| !["network-rm", "generic-resource-rm"].contains(flag)) {
        assert!(UNMATCHED.iter().any(|(name, _)| *name == flag), "--{flag} needs a row in UNMATCHED");
    }
}

#[test]
fn a_flag_that_matches_prints_no_note_and_the_update_is_made() {
    let swarm = swarm();
    let args = ["update", "--detach", "--env-rm", "LEVEL", "--env-rm", "NOPE", "--label-rm", "x", "a"];
    let run = swarmctl(args).host(swarm.host()).run().succeeds();
    assert_eq!(run.stderr, "a: `--env-rm NOPE` matched nothing\n");
    let posted = swarm.posts()[0].json();
    assert_eq!(posted["TaskTemplate"]["ContainerSpec"]["Env"], json!(["ONLY_A=1"]));
    assert_eq!(posted["Labels"], json!({}));
}

#[test]
fn a_removal_of_what_another_flag_sets_prints_no_note() {
    let swarm = swarm();
    let run = swarmctl(["update", "--detach", "--env-rm", "NEW", "--env-add", "NEW=1", "a"])
        .host(swarm.host())
        .run();
    assert_eq!(run.succeeds().stderr, "");
    let args = ["update", "--detach", "--publish-rm", "80", "--publish-add", "8080:80", "a"];
    assert_eq!(swarmctl(args).host(swarm.host()).run().succeeds().stderr, "");
}

#[test]
fn several_services_share_one_note_and_json_has_it_for_each() {
    let swarm = swarm();
    let run = swarmctl(["update", "--detach", "--json", "--env-rm", "ONLY_A", "--env-rm", "NO", "a", "b"])
        .host(swarm.host())
        .run()
        .succeeds()
        .says(&[
            "b: `--env-rm ONLY_A` matched nothing\n",
            "`--env-rm NO` matched nothing in any of the 2 services\n",
        ]);
    assert_eq!(run.stderr.matches("matched nothing").count(), 2, "{}", run.report());
    let services = &run.json()["services"];
    assert_eq!(services[0]["notes"], json!(["`--env-rm NO` matched nothing"]));
    assert_eq!(
        services[1]["notes"],
        json!(["`--env-rm ONLY_A` matched nothing", "`--env-rm NO` matched nothing"])
    );
}
