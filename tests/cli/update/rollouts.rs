//! `update` with `--if-version`, other writers, jobs and rollouts.

use serde_json::json;

use super::{refuses, spec_with, swarm, swarm_with, update};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{RequestKind, Step};
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::swarmctl;

#[test]
fn fails_with_conflict_if_the_version_does_not_match() {
    let swarm = swarm();
    let index = swarm.service("t001").index;
    let stale = (index - 1).to_string();
    update(&["t001", "--if-version", &stale, "--label-add", "a=b"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::Conflict);
    update(&["t001", "--if-version", &stale]).host(swarm.host()).run().fails_with(Exit::Conflict);
    assert!(swarm.posts().is_empty());
    update(&["t001", "--if-version", &index.to_string(), "--label-add", "a=b"])
        .host(swarm.host())
        .run()
        .succeeds();
}

#[test]
fn a_paused_rollout_is_not_changed_without_resume() {
    let swarm = swarm();
    swarm.world().service("t001").status =
        Some(json!({"State": "paused", "StartedAt": "2026-01-01T00:00:00Z"}));
    update(&["t001", "--label-add", "a=b"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::RolloutFailed)
        .says(&["--resume"]);
    // Nothing has to be posted. With --detach, the state of the rollout determines the exit code.
    update(&["t001"])
        .host(swarm.host())
        .run()
        .fails_with(Exit::RolloutFailed)
        .says(&["its rollout is paused"]);
    update(&["t001", "--label-rm", "a", "--image", OLD])
        .host(swarm.host())
        .run()
        .fails_with(Exit::RolloutFailed);
    assert!(swarm.posts().is_empty());
    update(&["t001", "--label-add", "a=b", "--resume"]).host(swarm.host()).run().succeeds();
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn a_job_runs_again_with_a_warning() {
    let swarm = swarm_with(spec_with("/Mode", json!({"GlobalJob": {}})));
    update(&["t001", "--label-add", "a=b"]).host(swarm.host()).run().succeeds().says(&["it runs again"]);
}

#[test]
fn rollback_as_a_flag_is_the_command() {
    let swarm = swarm();
    update(&["t001", "--image", NEW]).host(swarm.host()).run().succeeds();
    update(&["t001", "--rollback"]).host(swarm.host()).run().succeeds();
    assert_eq!(swarm.posts()[1].param("rollback"), Some("previous"));
    assert_eq!(swarm.service("t001").image(), OLD);
    refuses(&["--rollback", "--label-add", "a=b"]).says(&["--rollback"]);
}

// Other writers

#[test]
fn another_writers_change_of_another_place_is_kept_and_of_the_same_place_is_a_conflict() {
    let swarm = swarm();
    swarm.before(RequestKind::Post, 1, |world| {
        world.write("t001", |spec| spec["TaskTemplate"]["ContainerSpec"]["Hosts"] = json!(["10.0.0.5 db"]));
    });
    update(&["t001", "--host-add", "db:::1", "--env-add", "A=1"]).host(swarm.host()).run().succeeds();
    let container = swarm.service("t001").spec["TaskTemplate"]["ContainerSpec"].clone();
    assert_eq!(container["Hosts"], json!(["10.0.0.5 db", "::1 db"]));
    assert_eq!(container["Env"], json!(["A=1"]));

    swarm.before(RequestKind::Post, 3, |world| {
        world.write("t001", |spec| spec["EndpointSpec"]["Ports"][0]["PublishedPort"] = json!(33333));
    });
    let run = update(&["t001", "--publish-rm", "80"]).host(swarm.host()).run().fails_with(Exit::Conflict);
    run.says(&["EndpointSpec.Ports[*:80/tcp/ingress]", "22222", "33333"]);
    assert_eq!(swarm.service("t001").spec["EndpointSpec"]["Ports"][0]["PublishedPort"], 33333);
}

#[test]
fn fails_with_the_failed_rollout_of_an_update() {
    let swarm = swarm();
    swarm.world().service("t001").rollout = vec![Step::Updating, Step::Paused];
    swarmctl(["update", "t001", "--image", NEW]).host(swarm.host()).run().fails_with(Exit::RolloutFailed);
}
