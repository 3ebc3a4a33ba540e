//! The output on terminals of three sizes.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{swarm, web_whose_update};
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::NEW;
use crate::support::run::Run;
use crate::support::screen::assert_terminal;
use crate::support::tty::on_terminal;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// Runs a command on a terminal of each size, and compares the final screen with a snapshot.
fn assert_terminals(name: &str, start: impl Fn() -> FakeSwarm, command: &str) {
    for (width, height) in SIZES {
        let swarm = start();
        let run: Run = on_terminal(width, height, command).host(swarm.host()).run();
        assert_terminal(&format!("terminal_{name}_{width}"), width, height, &run);
    }
}

#[test]
fn tables_and_json() {
    assert_terminals("ls", || swarm(&["web", "db"]), "ls");
    assert_terminals(
        "update_json",
        || swarm(&["web"]),
        &format!("update-image --no-resolve-image --detach --json web {NEW}"),
    );
}

#[test]
fn an_update_that_is_detached() {
    assert_terminals(
        "detached",
        || swarm(&["web"]),
        &format!("update-image --no-resolve-image -d web {NEW}"),
    );
}

#[test]
fn an_update_that_fails() {
    let fails = || web_whose_update(&[Step::Updating, Step::Paused]);
    assert_terminals("fails", fails, &format!("update-image --no-resolve-image --progress none web {NEW}"));
}

#[test]
fn updates_with_live_progress() {
    let update = format!("update-image --no-resolve-image web {NEW}");
    let steps = |steps: &'static [Step]| move || web_whose_update(steps);
    assert_terminals("live_converges", steps(&[Step::Updating, Step::Completed]), &update);
    assert_terminals("live_fails", steps(&[Step::Updating, Step::Paused]), &update);
    assert_terminals("live_rolled_back", steps(&[Step::Updating, Step::RolledBack]), &update);
}

/// The service `web`, whose only task is in this state and has this error of the engine.
fn web_with_task(constraints: &[&str], state: &str, error: &str) -> FakeSwarm {
    let swarm = swarm(&["web"]);
    let ago = (Timestamp::now() - SignedDuration::from_secs(60)).to_string();
    let mut world = swarm.world();
    let web = world.service("web");
    web.spec["TaskTemplate"]["Placement"]["Constraints"] = json!(constraints);
    web.tasks = Some(vec![json!({
        "ID": "p1e2n3d4i5n6g7p1e2n3d4i5n", "CreatedAt": ago, "UpdatedAt": ago, "Slot": 1, "DesiredState": "running",
        "Status": { "Timestamp": ago, "State": state, "Err": error }
    })]);
    drop(world);
    swarm
}

#[test]
fn a_service_that_no_node_can_run() {
    let error = "no suitable node (scheduling constraints not satisfied on 1 node)";
    let start = || web_with_task(&["node.labels.disk==ssd", "node.role==manager"], "pending", error);
    assert_terminals("unplaced", start, "wait --timeout 20s web");
}

#[test]
fn a_dry_run() {
    let change = "--env-add LEVEL=debug --limit-memory 512m --publish-add 8080:80 --image x/y:1";
    let command = format!("update --dry-run --no-resolve-image {change} web");
    assert_terminals("dry_run", || swarm(&["web"]), &command);
}

#[test]
fn a_stack_that_converges() {
    let command = format!("update-image --no-resolve-image --progress none --parallel 1 --stack shop {NEW}");
    assert_terminals("stack", || swarm(&["shop_api", "shop_web", "shop_worker"]), &command);
}

#[test]
fn the_labels_of_all_errors_have_the_same_color() {
    for command in ["ls --nosuch", "-H unix:///nonexistent ls"] {
        let run = on_terminal(80, 24, command).run();
        let label = run.stdout.split("error:").next().unwrap();
        assert!(label.contains("\u{1b}[1m") && label.contains("\u{1b}[31m"), "{}", run.report());
        let run = on_terminal(80, 24, command).env("NO_COLOR", "1").run().prints(&["error:"]);
        assert!(!run.stdout.contains('\u{1b}'), "{}", run.report());
    }
}
