//! `--newest` on a real engine with Debian's registry, which ignores `n`, the parameter for the number of tags in a
//! response, and does not sort the tags.

use std::fs;

use serde_json::json;

use super::engine::{engine, small};
use super::registry::Registry;
use crate::support::exit::Exit;
use crate::support::run::Swarmctl;
use crate::support::secrets::{PASSWORD, basic};

/// swarmctl in the engine's network, where the registry listens, as a user who has logged in there.
fn inside(registry: &Registry, home: &tempfile::TempDir, args: &[&str]) -> Swarmctl {
    let engine = engine();
    let config = json!({ "auths": { registry.host.clone(): { "auth": basic(PASSWORD) } } });
    fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    let run = engine.swarmctl_inside(args).host(engine.host());
    run.env("DOCKER_CONFIG", home.path().to_str().unwrap())
}

#[test]
fn the_newest_tag_of_a_real_registry_is_deployed_with_one_change_and_its_digest() {
    let (engine, home) = (engine(), tempfile::tempdir().unwrap());
    let registry = Registry::closed(engine, 5611, PASSWORD);
    for tag in ["1.7.2", "1.10.0", "2.0.0", "latest"] {
        registry.push_new(tag);
    }
    let newest = registry.push_new("1.9.1");
    registry.push_as("1.7.2", "1.9.1-alpine");
    let image = registry.image("1.7.2");
    let (_a, _b) = (engine.create(&small("new-a", &image)), engine.create(&small("new-b", &image)));
    let index = |name: &str| engine.service(name)["Version"]["Index"].as_u64().unwrap();
    let before = [index("new-a"), index("new-b")];
    let run = inside(&registry, &home, &["tags", &image]).run().succeeds();
    run.prints(&[
        "2.0.0",
        "newest",
        "1.10.0",
        "candidate",
        "1.9.1-alpine",
        "other shape",
        "latest",
        "not a version",
    ]);
    let range = ["outdated", "--newest", "~1.9", "--exit-code", "new-a", "new-b"];
    inside(&registry, &home, &range).run().answers(Exit::Different).prints(&["1.9.1"]);
    let update = ["update-image", "--newest", "~1.9", "--detach", "--json", "new-a", "new-b"];
    let run = inside(&registry, &home, &update).run().succeeds();
    for service in run.json()["services"].as_array().unwrap() {
        assert_eq!((&service["posted"], &service["newest"]["chosen"]), (&json!(true), &json!("1.9.1")));
    }
    for name in ["new-a", "new-b"] {
        let spec = engine.service(name)["Spec"].clone();
        let runs = &spec["TaskTemplate"]["ContainerSpec"]["Image"];
        assert_eq!(*runs, json!(format!("{}@{newest}", registry.image("1.9.1"))));
    }
    assert!(index("new-a") > before[0] && index("new-b") > before[1]);
    let again = inside(&registry, &home, &update).run().succeeds();
    assert!(again.json()["services"].as_array().unwrap().iter().all(|it| it["reason"] == "no_newer"));
    // The image was created when the test imported it, so it is too new for --min-age.
    let args = [
        "update-image",
        "--newest",
        "major",
        "--min-age",
        "3d",
        "--min-age-from",
        "created",
        "--detach",
        "--json",
        "new-a",
    ];
    let run = inside(&registry, &home, &args).run().succeeds();
    let service = &run.json()["services"][0];
    assert_eq!(
        (&service["reason"], &service["newest"]["held_back"][0]["why"]),
        (&json!("held_back"), &json!("too_new"))
    );
    let args = [
        "update-image",
        "--newest",
        "major",
        "--min-age",
        "1ms",
        "--min-age-from",
        "created",
        "--dry-run",
        "new-a",
    ];
    inside(&registry, &home, &args).run().succeeds().prints(&["2.0.0@sha256:"]);
    let refused = ["update-image", "--newest", "major", "--verify", "exit 3", "new-a"];
    inside(&registry, &home, &refused).run().fails_with(Exit::Failed).says(&["exited with 3"]);
    let denied = engine.swarmctl_inside(&["tags", &image]).host(engine.host()).run().fails_with(Exit::Failed);
    denied.says(&["denies access", "docker login"]);
}

#[test]
fn a_tag_that_is_deleted_between_list_and_digest_is_a_mismatch() {
    let (engine, home) = (engine(), tempfile::tempdir().unwrap());
    let registry = Registry::open(engine, 5612);
    registry.push_new("1.7.2");
    registry.push_new("1.8.0");
    let _service = engine.create(&small("new-c", &registry.image("1.7.2")));
    // The registry still lists a tag that no longer has a target, as if it were deleted between the two requests.
    registry.unlink("1.8.0");
    let args = ["update-image", "--newest", "minor", "--json", "new-c"];
    let run = inside(&registry, &home, &args).run().fails_with(Exit::Failed);
    assert_eq!(run.json()["services"][0]["reason"], json!("registry_mismatch"), "{}", run.report());
    let image = engine.service("new-c")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].clone();
    assert_eq!(image, json!(registry.image("1.7.2")));
}
