//! Services and command lines for which `--steps` and `--hold` are refused.

use serde_json::json;

use super::{HELD, label, run, service, swarm, swarm_of, update, web};
use crate::support::exit::Exit;
use crate::support::fixtures::NEW;

#[test]
fn invalid_lists_and_combinations_are_usage_errors() {
    let swarm = swarm(4);
    for (flags, says) in [
        (&["--steps", "0"][..], "`0`"),
        (&["--steps", "101%"], "above 100%"),
        (&["--steps", "5,1"], "smaller"),
        (&["--steps", ""], "no steps"),
        (&["--steps", "1,x"], "`x`"),
        (&["--hold", "0%"], "`0%`"),
        (&["--hold", "1", "--steps", "1"], "--steps"),
        (&["--steps", "1", "--detach"], "--detach"),
        (&["--hold", "1", "--detach"], "--detach"),
        (&["--steps", "1", "--plan", "-"], "--plan"),
        (&["--bake", "1s"], "--bake"),
        (&["--confirm"], "--confirm"),
        (&["--steps", "1", "--confirm"], "terminal"),
        (&["--gate-count", "2"], "--gate"),
    ] {
        let line = [&["update-image"], flags, &["web", NEW]].concat();
        run(&swarm, &line).run().fails_with(Exit::Usage).says(&[says]);
    }
    for line in
        [&["update-image", "--steps", "1", "--confirm", "web", NEW][..], &["continue", "--confirm", "web"]]
    {
        let refused = run(&swarm, line).run().fails_with(Exit::Usage);
        // The example in the error is a complete command.
        refused.says(&[&format!("(for example: `swarmctl {} ", line[0])]);
    }
    for flags in [&["--replicas", "3"][..], &["--update-delay", "1s"], &["--update-parallelism", "2"]] {
        let line = [&["update", "web", "--env-add", "A=1", "--hold", "1"], flags].concat();
        run(&swarm, &line).run().fails_with(Exit::Usage).says(&["`--hold`", flags[0]]);
    }
    run(&swarm, &["update", "web", "--rollback", "--steps", "1"]).run().fails_with(Exit::Usage);
    for flags in
        [&["--as-is", "--steps", "1"][..], &["--as-is", "--gate", "true"], &["--as-is", "--bake", "1s"]]
    {
        run(&swarm, &[&["continue", "web"], flags].concat()).run().fails_with(Exit::Usage);
    }
    for command in ["scale", "undo", "apply", "create"] {
        run(&swarm, &[command, "--hold", "1", "web"]).run().fails_with(Exit::Usage);
    }
    assert!(swarm.requests().is_empty());
}

#[test]
fn a_hold_needs_two_tasks() {
    let swarm = swarm(1);
    update(&swarm, &["--hold", "1"]).run().fails_with(Exit::Failed).says(&["steps need at least 2 tasks"]);
    let swarm = super::swarm(4);
    update(&swarm, &["--hold", "4"]).run().fails_with(Exit::Failed).says(&["covers all of its 4 tasks"]);
    swarm.expect("web").posted(0);
}

#[test]
fn a_job_has_no_steps() {
    let mut spec = web("web", 1);
    spec["Mode"] = json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}});
    let swarm = crate::support::fake_swarm::FakeSwarm::with([spec]);
    update(&swarm, &["--steps", "1"]).run().fails_with(Exit::Failed).says(&["jobs have no steps"]);
    swarm.expect("web").posted(0);
}

#[test]
fn an_old_api_has_no_steps() {
    let swarm = swarm(4);
    update(&swarm, &["--steps", "1"])
        .env("DOCKER_API_VERSION", "1.40")
        .run()
        .fails_with(Exit::Failed)
        .says(&["API 1.41"]);
    swarm.expect("web").posted(0);
}

#[test]
fn a_spec_that_changes_the_settings_of_updates_is_refused() {
    let swarm = swarm(4);
    let spec = json!({"UpdateConfig": {"Parallelism": 3}, "TaskTemplate": {"ContainerSpec": {"User": "a"}}});
    let refused =
        run(&swarm, &["update", "web", "--spec", "-", "--hold", "1"]).stdin(&spec.to_string()).run();
    refused.fails_with(Exit::Failed).says(&["UpdateConfig"]);
    swarm.expect("web").posted(0);
}

#[test]
fn another_update_of_a_held_service_is_a_conflict() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    for line in [
        &["update-image", "--no-resolve-image", "web", "shop/web:2"][..],
        &["update-image", "--no-resolve-image", "web", "shop/web:2", "--hold", "1"],
        &["restart", "web", "--steps", "1"],
        &["update", "web", "--env-add", "A=1"],
        &["scale", "web=2"],
    ] {
        let refused = run(&swarm, line).run().fails_with(Exit::Conflict);
        refused.says(&["an update of `web` has been held by", "continue it or roll it back first"]);
    }
    swarm.expect("web").posted(1).image(NEW);
}

#[test]
fn a_label_that_cannot_be_read_is_a_conflict() {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    let mut future = label(&swarm);
    future["v"] = 2.into();
    for text in ["{", "[]", &future.to_string()] {
        swarm.world().service("web").spec["Labels"][HELD] = text.into();
        for line in [&["continue", "web"][..], &["rollback", "web"]] {
            let refused = run(&swarm, line).run().fails_with(Exit::Conflict);
            refused.says(&["the label `swarmctl.held` of `web` cannot be read", "--label-rm swarmctl.held"]);
        }
        update(&swarm, &["--hold", "1"]).run().fails_with(Exit::Conflict);
    }
    swarm.expect("web").posted(1);
}

#[test]
fn a_label_that_would_be_too_long_is_refused() {
    let mut spec = web("web", 4);
    let value = "x".repeat(80_000);
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!([format!("A={value}")]);
    let swarm = swarm_of([spec]);
    let refused = run(&swarm, &["update", "web", "--env-add", "A=1", "--hold", "1", "--json"]).run();
    let refused = refused.fails_with(Exit::Failed).says(&["the label `swarmctl.held` would have"]);
    assert_eq!(service(&refused)["outcome"], "refused");
    swarm.expect("web").posted(0);
}
