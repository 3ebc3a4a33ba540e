//! `rollback --to`: the complete spec from before a run.

use super::*;
use crate::support::exit::Exit;
use crate::support::fake_swarm::RequestKind;
use crate::support::fixtures::NETWORK;

const OTHER_NETWORK: &str = "0thern3tw0rk0thern3tw0rk0";

fn changed() -> (FakeSwarm, String) {
    let swarm = shop(&["web"]);
    let before = swarm.service("web").spec.to_string();
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    swarm.world().write("web", |spec| spec["Labels"]["foreign"] = "1".into());
    (swarm, before)
}

#[test]
fn the_spec_from_before_the_run_is_restored_as_a_whole() {
    let (swarm, before) = changed();
    let dry = run(&swarm, "rollback --dry-run web --to 1").succeeds();
    dry.prints(&["label foreign=1 removed", &format!("image {NEW} -> 0.7")]);
    run(&swarm, "rollback --detach web --to 1").succeeds().says(&["recorded as run 2"]);
    assert_eq!(swarm.service("web").spec.to_string(), before);
    assert_eq!(swarm.service("web").rollbacks, 0);
    run(&swarm, "undo --detach 2").succeeds();
    assert_eq!(swarm.service("web").spec["Labels"]["foreign"], "1");
}

#[test]
fn a_write_in_between_is_a_conflict() {
    let (swarm, _) = changed();
    swarm
        .before(RequestKind::Post, 2, |world| world.write("web", |spec| spec["Labels"]["more"] = "2".into()));
    run(&swarm, "rollback --detach web --to 1").fails_with(Exit::Conflict);
    swarm.expect("web").image(NEW);
}

#[test]
fn a_service_that_is_not_in_the_run_is_an_error() {
    let swarm = shop(&["web", "db"]);
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    run(&swarm, "rollback --detach web db --to 1")
        .fails_with(Exit::NotFound)
        .says(&["run 1 did not change service `db`", "`swarmctl history --run 1`"]);
    swarm.expect("web").image(NEW);
    for line in ["rollback --stack shop --to 1", "rollback web --to x", "rollback web --resume"] {
        run(&swarm, line).fails_with(Exit::Usage);
    }
}

/// A run with services whose networks the engine, which is older than Docker 29, showed in the deprecated list. Then the engine is
/// upgraded.
fn upgraded(networks: &[&str], line: &str) -> FakeSwarm {
    let swarm = shop(&["web"]);
    swarm.world().networks = vec![(NETWORK.into(), "backend".into()), (OTHER_NETWORK.into(), "other".into())];
    let networks: Value = networks.iter().map(|id| json!({ "Target": id })).collect();
    swarm.world().write("web", |spec| spec["Networks"] = networks);
    run(&swarm, line).succeeds();
    swarm.world().api_version = Some("1.52");
    swarm.world().write("web", |spec| {
        if let Some(networks) = spec.as_object_mut().unwrap().shift_remove("Networks") {
            spec["TaskTemplate"]["Networks"] = networks;
        }
    });
    swarm
}

#[test]
fn networks_in_the_deprecated_list_are_restored_where_a_new_engine_reads_them() {
    let (one, both) = (&[NETWORK][..], &[NETWORK, OTHER_NETWORK][..]);
    for (networks, line) in [
        (one, "update --detach --label-add a=1 web"),
        (one, "update --detach --network-add other web"),
        (both, "update --detach --network-rm other web"),
    ] {
        for command in ["rollback --detach web --to 1", "undo --detach 1"] {
            let swarm = upgraded(networks, line);
            run(&swarm, command).succeeds().never_says(&["did not store"]);
            let spec = swarm.service("web").spec;
            assert_eq!(spec.get("Networks"), None, "{line}, {command}");
            let restored: Vec<&Value> = spec["TaskTemplate"]["Networks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|network| &network["Target"])
                .collect();
            assert_eq!(restored, networks, "{line}, {command}");
            assert_eq!(spec["Labels"].get("a"), None, "{line}, {command}");
        }
    }
}
