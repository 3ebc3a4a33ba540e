//! Specs that cannot be restored, because a config or an image that they need no longer exists.

use serde_json::json;

use super::*;
use crate::support::exit::Exit;
use crate::swarm::registry::Registry;

#[test]
fn a_config_that_was_removed_is_noticed_before_anything_is_posted() {
    let engine = own("hconf");
    let made = engine.ask("POST", "/configs/create", Some(&json!({ "Name": "hc.conf", "Data": "YQ==" })));
    let id = made["ID"].as_str().expect("an ID").to_owned();
    let mut spec = of_stack("hc-web", "hc");
    let file = json!({ "Name": "/hc.conf", "UID": "0", "GID": "0", "Mode": 292 });
    spec["TaskTemplate"]["ContainerSpec"]["Configs"] =
        json!([{ "File": file, "ConfigID": id, "ConfigName": "hc.conf" }]);
    let _service = engine.create(&spec);
    run(engine, "update --detach --config-rm hc.conf hc-web").succeeds();
    engine.ask("DELETE", &format!("/configs/{id}"), None);
    let before = engine.service("hc-web");
    for line in ["undo --detach 1", "rollback --detach hc-web --to 1", "rollback --detach hc-web"] {
        run(engine, line).fails_with(Exit::Failed).says(&["hc.conf", "no longer exists"]);
    }
    assert_eq!(engine.service("hc-web"), before);
}

#[test]
fn a_digest_that_the_registry_has_lost_is_refused_and_a_stopped_registry_is_a_warning() {
    let engine = shared();
    let mut registry = Registry::open(engine, 5650);
    let old = registry.push_new("1");
    registry.push_new("2");
    let spec = |name: &str| {
        let mut spec = of_stack(name, "hr");
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = format!("{}@{old}", registry.image("1")).into();
        // The update adds platforms to the placement. An undo leaves the placement empty instead of removing it,
        // because engines would crash, so the spec has an empty one from the start.
        spec["TaskTemplate"]["Placement"] = json!({});
        spec
    };
    let _services = ["hr-a", "hr-b"].map(|name| engine.create(&spec(name)));
    let before = specs_of(engine, "hr-");
    let number = recorded(engine, &format!("update-image --detach --stack hr {}", registry.image("2")));
    registry.delete(&old);
    let after = specs_of(engine, "hr-");
    for line in [format!("undo --detach {number}"), format!("rollback --detach hr-a --to {number}")] {
        run(engine, &line).fails_with(Exit::Failed).says(&["no longer has", &old, "push the image again"]);
    }
    assert_eq!(specs_of(engine, "hr-"), after, "nothing is posted");
    registry.stop();
    let undone = run(engine, &format!("undo --detach {number}")).succeeds();
    undone.says(&["could not check that it is available"]);
    assert_eq!(specs_of(engine, "hr-"), before);
}
