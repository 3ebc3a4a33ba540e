//! `--dry-run` of updates in steps: it shows the result of the command, not the posts of this program.

use serde_json::{Value, json};

use super::{run, service, swarm, update, web};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD};

/// The lines of a dry run.
fn planned(swarm: &FakeSwarm, line: &[&str]) -> Vec<String> {
    let run = run(swarm, &[line, &["--dry-run"]].concat()).run().succeeds();
    run.stdout.lines().map(str::to_owned).collect()
}

/// A swarm whose service `web` has 4 tasks and is held after its first one.
fn held() -> FakeSwarm {
    let swarm = swarm(4);
    update(&swarm, &["--hold", "1"]).run().answers(Exit::Different);
    swarm
}

#[test]
fn the_rollback_of_a_held_update_shows_only_its_result() {
    let swarm = held();
    for line in [&["rollback", "web"][..], &["rollback", "--all"], &["update", "--rollback", "--all"]] {
        let lines = planned(&swarm, line);
        assert!(lines[0].starts_with("web: would be "), "{lines:?}");
        assert_eq!(
            lines[1..],
            ["  image opera443399/whoami:0.6 -> 0.7", "  1 of 4 tasks will be restarted"],
            "{line:?}"
        );
    }
    let dry = run(&swarm, &["rollback", "web", "--dry-run", "--json"]).run().succeeds();
    swarm.expect("web").posted(1);
    let done = run(&swarm, &["rollback", "web", "--json"]).run().succeeds();
    assert_eq!(service(&dry)["changes"], service(&done)["changes"]);
    let image = json!({"place": "TaskTemplate.ContainerSpec.Image", "old": NEW, "new": OLD});
    assert_eq!(service(&dry)["changes"], json!([image]));
}

#[test]
fn a_plan_cannot_store_the_rollback_of_a_held_update() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plan.json");
    let run = run(&held(), &["rollback", "web", "--plan", &file.display().to_string()]).run();
    run.fails_with(Exit::Failed).says(&["a plan cannot store the rollback of a held update (`web`)"]);
    assert!(!file.exists());
}

#[test]
fn a_hold_is_predicted_with_the_tasks_that_it_replaces_and_those_that_it_leaves() {
    // The command, whether `web` is held after 1 of 4 tasks before it, and the line that it prints.
    let image = ["update-image", "--no-resolve-image", "web", NEW];
    for (line, is_held, forecast) in [
        (
            &[&image[..], &["--hold", "1"]].concat()[..],
            false,
            "1 of 4 tasks will be restarted, then the update is held",
        ),
        (
            &[&image[..], &["--hold", "75%"]].concat(),
            false,
            "3 of 4 tasks will be restarted, then the update is held",
        ),
        (
            &["restart", "web", "--hold", "1"],
            false,
            "1 of 4 tasks will be restarted, then the update is held",
        ),
        (
            &["continue", "web", "--hold", "2"],
            true,
            "1 of 4 tasks will be restarted, then the update is held",
        ),
        (&["continue", "web", "--hold", "100%"], true, "3 of 4 tasks will be restarted"),
        (&["continue", "web"], true, "3 of 4 tasks will be restarted"),
        (
            &[&image[..], &["--hold", "3"]].concat(),
            true,
            "2 of 4 tasks will be restarted, then the update is held",
        ),
        (&[&image[..], &["--steps", "1,2"]].concat(), false, "4 of 4 tasks will be restarted in steps"),
        (&["continue", "web", "--steps", "2"], true, "3 of 4 tasks will be restarted in steps"),
        (&["continue", "web", "--as-is"], true, "3 of 4 tasks will be restarted"),
    ] {
        let swarm = if is_held { held() } else { swarm(4) };
        let lines = planned(&swarm, line);
        assert_eq!(lines[lines.len() - 1].trim(), forecast, "{line:?}");
        let text = lines.join("\n");
        assert!(!text.contains("swarmctl.held") && !text.contains("delay"), "{text}");
        let dry = run(&swarm, &[line, &["--dry-run", "--json"]].concat()).run().succeeds();
        swarm.expect("web").posted(usize::from(is_held));
        let before = usize::from(is_held);
        let done = run(&swarm, &[line, &["--json"]].concat()).run();
        let restarts = &service(&dry)["restarts"];
        let replaced = swarm.world().new_tasks("web") - before;
        assert_eq!(restarts["tasks"], replaced, "{line:?}: {restarts}");
        let left = if service(&done)["outcome"] == "held" { 4 - before - replaced } else { 0 };
        assert_eq!(restarts["remaining"], left, "{line:?}: {restarts}");
        assert_eq!(service(&dry)["changes"], service(&done)["changes"], "{line:?}");
    }
}

#[test]
fn a_hold_that_needs_no_further_task_would_post_nothing() {
    let swarm = held();
    let lines = planned(&swarm, &["continue", "web", "--hold", "1"]);
    assert_eq!(lines, ["web: nothing to change; nothing was posted"]);
    let lines = planned(&swarm, &["update-image", "--no-resolve-image", "web", NEW, "--hold", "1"]);
    assert_eq!(lines, [format!("web: already runs {NEW}; nothing was posted")]);
    swarm.expect("web").posted(1);
}

#[test]
fn a_dry_run_shows_that_a_service_is_not_held_and_completes_a_rollback() {
    let swarm = swarm(2);
    assert_eq!(planned(&swarm, &["continue", "web"]), ["web: is not held; nothing was posted"]);

    let swarm = held();
    swarm.world().write("web", |spec| {
        let mut label: Value = serde_json::from_str(spec["Labels"][super::HELD].as_str().unwrap()).unwrap();
        label["phase"] = "aborting".into();
        label["abort"] = super::config();
        spec["Labels"][super::HELD] = label.to_string().into();
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into();
    });
    let lines = planned(&swarm, &["continue", "web"]);
    assert_eq!(lines[1], "  image opera443399/whoami:0.6 -> 0.7", "{lines:?}");
    run(&swarm, &["continue", "web"]).run().succeeds();
    assert_eq!(swarm.service("web").spec["TaskTemplate"], web("web", 4)["TaskTemplate"]);
}
