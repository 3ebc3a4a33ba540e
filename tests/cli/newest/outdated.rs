//! `outdated --newest`: which services could be updated, and to which tag.

use std::time::Duration;

use serde_json::json;

use super::{item, on, swarm};
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, refused, tags};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::spec;
use crate::support::run::Run;
use crate::support::server::ResponseFault;

const TAGS: [&str; 6] = ["1.7.2", "1.7.3", "1.8.0", "2.0.0", "2.1.0-rc1", "latest"];

fn registry() -> FakeRegistry {
    FakeRegistry::plain(|_| tags(&TAGS))
}

fn newest(run: &Run) -> Vec<(String, String)> {
    let rows = run.stdout.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        (cells[0].to_owned(), cells[cells.len() - 1].to_owned())
    });
    rows.collect()
}

#[test]
fn a_column_shows_the_newest_tag_that_the_policy_allows() {
    let registry = registry();
    let services = [("a", "1.7.2", None), ("b", "2.0.0", None), ("c", "latest", None)];
    let swarm = swarm(&registry, &services, &[]);
    let run = on(&swarm, &["outdated", "--newest", "minor"]).run().succeeds();
    assert!(run.stdout.lines().next().unwrap().ends_with("NEWEST"), "{}", run.stdout);
    let why = "`c` runs `latest`, which is not a version; set a version tag first";
    let rows = [("a", "1.8.0"), ("b", "-"), ("c", why)];
    assert_eq!(newest(&run), rows.map(|(name, tag)| (name.to_owned(), tag.to_owned())));
    assert_eq!(registry.lines(), ["GET /v2/shop/web/tags/list?n=1000"], "once for all services");
    let run = on(&swarm, &["outdated", "--newest", "major", "--pre", "--format", "{{.Name}}={{.Newest}}"]);
    let run = run.run().succeeds();
    assert_eq!(run.stdout.lines().take(2).collect::<Vec<_>>(), ["a=2.1.0-rc1", "b=2.1.0-rc1"]);
    let run = on(&swarm, &["outdated", "--newest", "patch", "--format", "{{.Newest}};{{.Age}}", "b"])
        .run()
        .succeeds();
    assert_eq!(run.stdout, ";\n", "empty if there is none");
    let run = on(&swarm, &["outdated", "--format", "{{.Name}};{{.Newest}}", "b"]).run().succeeds();
    assert_eq!(run.stdout, "b;\n");
}

#[test]
fn json_contains_the_decision() {
    let registry = registry();
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &[]);
    let run = on(&swarm, &["outdated", "--json", "--newest", ">=1.8, <3"]).run().succeeds();
    assert_eq!(
        item(&run, "web")["newest"],
        json!({ "policy": ">=1.8, <3", "policy_from": "flag", "current": "1.7.2", "tags": 6, "candidates": 2,
            "chosen": "2.0.0", "age_s": null, "age_from": null, "held_back": [], "error": null })
    );
    let run = on(&swarm, &["outdated", "--json"]).run().succeeds();
    assert_eq!(item(&run, "web")["newest"], json!(null));
}

#[test]
fn each_service_may_have_its_own_policy() {
    let registry = registry();
    let services = [
        ("a", "1.7.2", Some("patch")),
        ("b", "1.7.2", Some("major")),
        ("c", "1.7.2", None),
        ("d", "1.7.2", Some("mniro")),
    ];
    let swarm = swarm(&registry, &services, &[]);
    let run = on(&swarm, &["outdated", "--newest", "label"]).run().succeeds();
    let why = "the label `swarmctl.newest` of service `d` is not a policy: `mniro`";
    let rows = [("a", "1.7.3"), ("b", "2.0.0"), ("d", why)];
    assert_eq!(newest(&run), rows.map(|(name, tag)| (name.to_owned(), tag.to_owned())));
    let run = on(&swarm, &["outdated", "--json", "--newest", "label", "c"]).run().succeeds();
    assert_eq!(item(&run, "c")["newest"]["error"], json!("service `c` has no label `swarmctl.newest`"));
    // The label is read only with `--newest label`.
    let run = on(&swarm, &["outdated", "--json", "--newest", "minor", "a"]).run().succeeds();
    assert_eq!(item(&run, "a")["newest"]["chosen"], json!("1.8.0"));
    let none = super::swarm(&registry, &[("c", "1.7.2", None)], &[]);
    let run = on(&none, &["outdated", "--newest", "label"]).run().fails_with(Exit::NotFound);
    assert!(run.stderr.contains("no selected service has the label `swarmctl.newest`"), "{}", run.stderr);
    // An empty swarm is not an error, as without the flag.
    let empty = super::swarm(&registry, &[], &[]);
    on(&empty, &["outdated"]).run().succeeds();
    let run = on(&empty, &["outdated", "--newest", "label", "--json"]).run().succeeds();
    assert_eq!((run.stdout.trim(), run.stderr.as_str()), ("[]", ""));
}

#[test]
fn the_exit_code_says_whether_a_newer_tag_is_allowed() {
    let finds = [("1.7.2", '1'), ("2.0.0", '2')];
    let registry = registry();
    let swarm = swarm(&registry, &[("old", "1.7.2", None), ("new", "2.0.0", None)], &finds);
    let code = |args: &[&str]| on(&swarm, &[&["outdated", "--exit-code"], args].concat()).run();
    code(&["old"]).succeeds();
    code(&["--newest", "minor", "old"]).fails_with(Exit::Different);
    code(&["--newest", "minor", "new"]).succeeds();
    let closed = FakeRegistry::plain(|_| refused(403, "DENIED", "no lists"));
    let swarm = super::swarm(&closed, &[("web", "1.7.2", None)], &finds);
    let run = on(&swarm, &["outdated", "--exit-code", "--newest", "minor"]).run().fails_with(Exit::Failed);
    assert!(run.stdout.contains("cannot list the tags of `127.0.0.1:"), "{}", run.stdout);
    on(&swarm, &["outdated", "--newest", "minor"]).run().succeeds();
}

#[test]
fn requests_to_a_silent_registry_time_out_at_the_same_time() {
    let registry = FakeRegistry::plain(|_| tags(&TAGS).broken(ResponseFault::Stall(10)));
    let image = |name: &str| registry.image(&format!("shop/{name}:1.7.2"));
    let swarm =
        FakeSwarm::with(["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| spec(name, &image(name))));
    let run =
        on(&swarm, &["outdated", "--newest", "minor"]).timeouts("registry_request=1000").run().succeeds();
    assert_eq!(run.stdout.matches("no response to `GET http://127.0.0.1:").count(), 8, "{}", run.report());
    assert!(run.took < Duration::from_secs(6), "{}", run.report());
}

#[test]
fn flags_that_do_not_go_together_are_usage_errors() {
    for args in [
        &["outdated", "--tags", "(?<version>.*)"][..],
        &["outdated", "--pre"],
        &["outdated", "--min-age", "3d"],
        &["outdated", "--newest", "minor", "--min-age-from", "created"],
        &["outdated", "--newest", "minor", "--min-age", "3"],
        &["outdated", "--newest", "minor", "--min-age", "-3d"],
        &["outdated", "--newest", "mniro"],
    ] {
        crate::support::run::swarmctl(args.iter().copied())
            .host("unix:///nonexistent")
            .run()
            .fails_with(Exit::Usage);
    }
}
