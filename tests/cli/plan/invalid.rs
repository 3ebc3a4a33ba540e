//! Files that are not plans, and plans that contradict the swarm: exit 2, and nothing is posted.

use std::fs;

use serde_json::{Value, json};

use super::{PlanFile, shop};
use crate::support::exit::Exit;
use crate::support::fixtures::NEW;
use crate::support::run::swarmctl;

const IMAGE_WITHIN: &[&str] = &["TaskTemplate", "ContainerSpec", "Image", "x"];
const TEST: &[&str] = &["TaskTemplate", "ContainerSpec", "Healthcheck", "Test"];
const RESOURCES: &[&str] = &["TaskTemplate", "Resources", "Reservations", "GenericResources"];

fn set(path: &[&str], to: Value) -> Value {
    json!({ "path": path, "item": null, "op": "set", "from": null, "to": to })
}

#[test]
fn a_file_that_is_not_a_plan_is_refused_before_anything_is_sent() {
    let swarm = shop();
    let file = PlanFile::new();
    for (text, says) in [
        ("", "is not a plan: invalid JSON"),
        ("{}", "is not a plan: its `kind` is not"),
        (r#"{"kind": "swarmctl.plan", "v": 2}"#, "version 2 of the format is not supported"),
        (r#"{"kind": "x", "kind": "swarmctl.plan"}"#, "the key \"kind\" occurs twice"),
    ] {
        fs::write(file.file(), text).unwrap();
        file.apply(&swarm, &[]).fails_with(Exit::Usage).says(&[says]);
    }
    fs::write(file.file(), [0xff, 0xfe]).unwrap();
    file.apply(&swarm, &[]).fails_with(Exit::Usage).says(&["it is not UTF-8"]);
    swarmctl(["apply", "/nonexistent/plan.json"]).host(swarm.host()).run().fails_with(Exit::Usage);
    swarmctl(["apply", "/dev/zero"]).host(swarm.host()).run().fails_with(Exit::Usage).says(&["64 MiB"]);
    assert_eq!(swarm.requests().len(), 0);
}

#[test]
fn a_plan_that_was_tampered_with_is_refused() {
    type Tamper = fn(&mut Value);
    let cases: &[(Tamper, &str)] = &[
        (|it| it["services"][0]["name"] = "db".into(), "is service `web`, not `db`"),
        (|it| it["services"][0]["edits"][0]["place"] = "Labels.a".into(), "`place` does not match"),
        (|it| it["services"][0]["edits"][0]["to"] = 7.into(), "must be a string"),
        (|it| it["services"][0]["edits"][0]["op"] = "exec".into(), "`exec` is not a known operation"),
        (|it| it["selection"] = json!({"filters": ["color=red"]}), "valid keys are"),
        (
            |it| {
                it["services"][0]["edits"][0] = json!({
                    "path": ["Mode", "Global"], "item": null, "op": "default", "from": null, "to": {}
                });
            },
            "would change the mode",
        ),
        (
            |it| it["services"][0]["edits"][0] = set(&["tasktemplate", "forceupdate"], json!(1)),
            "must be spelled",
        ),
        (|it| it["services"][0]["edits"][0] = set(IMAGE_WITHIN, json!(1)), "must be a string"),
        (|it| it["services"][0]["edits"][0] = set(TEST, json!(["CMD"])), "has no command"),
        (|it| it["services"][0]["edits"][0] = set(RESOURCES, json!([{}])), "neither `NamedResourceSpec`"),
    ];
    for (tamper, says) in cases {
        let swarm = shop();
        let file = PlanFile::made_by(&swarm, &format!("update-image --no-resolve-image web {NEW}"));
        file.edit(tamper);
        file.apply(&swarm, &["--detach"]).fails_with(Exit::Usage).says(&[says]);
        assert!(swarm.posts().is_empty(), "{says}");
    }
}

#[test]
fn texts_of_a_plan_are_shown_with_controls_escaped() {
    let swarm = shop();
    let file = PlanFile::made_by(&swarm, "restart web");
    file.edit(|plan| {
        plan["made_by"] = "a\u{1b}[2J\nerror: b".into();
        plan["made_at"] = "\u{202e}x".repeat(1000).into();
        plan["command"] = "\u{7}".into();
    });
    let run = file.apply(&swarm, &["--dry-run"]).succeeds();
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{}", run.report());
    assert!(!run.stderr.contains("\nerror: b"), "{}", run.report());
}
