//! Commands that change several services.

use super::{run, swarm};
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::NEW;
use crate::support::screen::{assert_screen, assert_terminal};
use crate::support::tty::on_terminal;

const STACK: &[&str] = &["update-image", "--no-resolve-image", "--stack", "shop"];

/// Four services; the next update of `b` fails.
fn swarm_where_one_fails() -> FakeSwarm {
    let swarm = swarm(&["a", "b", "c", "d"]);
    for name in ["a", "b", "c", "d"] {
        let end = if name == "b" { Step::Paused } else { Step::Completed };
        swarm.world().service(name).rollout = vec![Step::Updating, end];
    }
    // The rollback of `b` after the failure succeeds.
    for nth in 1..20 {
        swarm.after(RequestKind::Post, nth, move |world| {
            let service = world.service("b");
            if !service.taken.is_empty() {
                service.rollout.clear();
            }
        });
    }
    swarm
}

fn update(swarm: &FakeSwarm, more: &[&str]) -> crate::support::run::Run {
    run(swarm, &[STACK, more, &[NEW]].concat())
}

#[test]
fn a_stack_converges() {
    let one_at_a_time = ["--parallel", "1", "--progress", "none"];
    assert_screen("stack_converges", &update(&swarm(&["a", "b", "c"]), &one_at_a_time));
    assert_screen("stack_detached", &update(&swarm(&["a", "b", "c"]), &["--detach", "--parallel", "1"]));
    assert_screen("stack_dry_run", &update(&swarm(&["a", "b", "c"]), &["--dry-run"]));
}

#[test]
fn a_stack_fails() {
    let one_at_a_time = |more: &[&'static str]| [&["--parallel", "1", "--progress", "none"], more].concat();
    assert_screen("stack_one_fails", &update(&swarm_where_one_fails(), &one_at_a_time(&[])));
    let json = update(&swarm_where_one_fails(), &one_at_a_time(&["--json"]));
    assert_screen("stack_one_fails_json", &json);
    let go_on = update(&swarm_where_one_fails(), &one_at_a_time(&["--max-failures", "0"]));
    assert_screen("stack_one_fails_others_continue", &go_on);
    let canary = update(&swarm_where_one_fails(), &one_at_a_time(&["--canary", "2"]));
    assert_screen("stack_canary_fails", &canary);
    let undone = update(&swarm_where_one_fails(), &one_at_a_time(&["--rollback-on-failure=all"]));
    assert_screen("stack_rolled_back", &undone);
}

#[test]
fn services_that_are_rolled_back_with_the_batch_are_shown_as_rolled_back() {
    let swarm = swarm_where_one_fails();
    let command = format!("{} --parallel 1 --rollback-on-failure=all {NEW}", STACK.join(" "));
    let run = on_terminal(120, 40, &command).host(swarm.host()).run();
    assert_terminal("terminal_live_batch_rolled_back_120", 120, 40, &run);
}

#[test]
fn missing_services() {
    let swarm = swarm(&["web", "db"]);
    assert_screen("restart_one_missing", &run(&swarm, &["restart", "--detach", "web", "nosuch"]));
    assert_screen("scale_one_missing", &run(&swarm, &["scale", "--detach", "web=3", "nosuch=2"]));
    assert_screen("selection_empty", &run(&swarm, &["restart", "--stack", "nosuch"]));
    assert_screen("selection_empty_json", &run(&swarm, &["restart", "--json", "--stack", "nosuch"]));
}

/// Services whose next update fails. The logs of all tasks are equal.
fn swarm_where_all_fail(names: &[&str]) -> FakeSwarm {
    let swarm = swarm(names);
    for name in names {
        swarm.world().service(name).rollout = vec![Step::Updating, Step::Paused];
    }
    swarm
}

#[test]
fn rollouts_that_fail_for_the_same_reason_are_one_error() {
    let names: Vec<String> = (1..=12).map(|nth| format!("s{nth:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let all = ["--max-failures", "0", "--parallel", "1", "--progress", "none"];
    assert_screen("stack_all_fail", &update(&swarm_where_all_fail(&names), &all));
    let swarm = swarm_where_all_fail(&["a", "b", "c"]);
    update(&swarm, &all);
    assert_screen("wait_all_fail", &run(&swarm, &["wait", "--stack", "shop", "--progress", "none"]));
}
