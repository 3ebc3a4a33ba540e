//! Commands that only read.

use serde_json::json;

use super::{run, swarm};
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::screen::assert_screen;

fn mixed() -> FakeSwarm {
    let global = {
        let mut spec = spec("agent", OLD);
        spec["Mode"] = json!({ "Global": {} });
        spec
    };
    let mut job = spec("migrate", OLD);
    job["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    FakeSwarm::with([spec("web", OLD), global, job])
}

#[test]
fn ls_lists_services() {
    assert_screen("ls", &run(&mixed(), &["ls"]));
    assert_screen("ls_quiet", &run(&mixed(), &["ls", "-q"]));
    assert_screen("ls_json", &run(&swarm(&["web"]), &["ls", "--json"]));
    assert_screen("ls_format", &run(&mixed(), &["ls", "--format", "{{.Name}} {{.Replicas}}"]));
    assert_screen("ls_empty", &run(&swarm(&[]), &["ls"]));
    assert_screen("ls_bad_filter", &run(&swarm(&[]), &["ls", "--filter", "nosuch=1"]));
    assert_screen("ls_bad_format", &run(&swarm(&[]), &["ls", "--format", "{{.Nosuch}}"]));
}

#[test]
fn inspect_shows_a_service() {
    assert_screen("inspect", &run(&swarm(&["web"]), &["inspect", "web"]));
    assert_screen("inspect_pretty", &run(&swarm(&["web"]), &["inspect", "--pretty", "web"]));
    assert_screen(
        "inspect_format",
        &run(&swarm(&["web"]), &["inspect", "--format", "{{.Spec.Name}}", "web"]),
    );
    assert_screen("inspect_missing", &run(&swarm(&["web"]), &["inspect", "nosuch"]));
}

#[test]
fn ps_lists_tasks() {
    assert_screen("ps_missing", &run(&swarm(&["web"]), &["ps", "nosuch"]));
    assert_screen(
        "ps_no_tasks",
        &run(&swarm(&["web"]), &["ps", "--filter", "desired-state=shutdown", "web"]),
    );
}

#[test]
fn status_judges_services() {
    for (name, step) in [
        ("updating", Step::Updating),
        ("completed", Step::Completed),
        ("paused", Step::Paused),
        ("rolled_back", Step::RolledBack),
    ] {
        let swarm = swarm(&["web"]);
        swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        swarm.world().step("web", step);
        assert_screen(&format!("status_{name}"), &run(&swarm, &["status", "web"]));
        assert_screen(&format!("status_{name}_json"), &run(&swarm, &["status", "--json", "web"]));
    }
    assert_screen("status_missing", &run(&swarm(&["web"]), &["status", "nosuch"]));
}

#[test]
fn wait_watches_services() {
    assert_screen("wait", &run(&swarm(&["web"]), &["wait", "web"]));
    let paused = swarm(&["web"]);
    paused.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    paused.world().step("web", Step::Paused);
    assert_screen("wait_paused", &run(&paused, &["wait", "web"]));
    assert_screen("wait_missing", &run(&swarm(&["web"]), &["wait", "nosuch"]));
}

#[test]
fn lint_reports_findings() {
    let swarm = swarm(&["web"]);
    swarm.world().write("web", |spec| {
        spec["UpdateConfig"] = serde_json::json!({"Parallelism": 0, "FailureAction": "continue"});
        spec["Mode"]["Replicated"]["Replicas"] = 2.into();
    });
    assert_screen("lint", &run(&swarm, &["lint", "web"]));
    assert_screen("lint_info", &run(&swarm, &["lint", "--level", "info"]));
    assert_screen("lint_json", &run(&swarm, &["lint", "--json", "web"]));
    assert_screen("lint_unknown_rule", &run(&swarm, &["lint", "--ignore", "L99"]));
}

#[test]
fn outdated_compares_digests() {
    assert_screen("outdated_not_pinned", &run(&swarm(&["web"]), &["outdated", "web"]));
    assert_screen("outdated_json", &run(&swarm(&["web"]), &["outdated", "--json", "web"]));
}

#[test]
fn logs_of_a_missing_service() {
    assert_screen("logs_missing", &run(&swarm(&["web"]), &["logs", "nosuch"]));
}

#[test]
fn images_are_printed_as_a_list() {
    assert_screen("images", &run(&mixed(), &["images"]));
    assert_screen("images_json", &run(&mixed(), &["images", "--json", "web", "migrate"]));
    assert_screen("images_not_pinned", &run(&mixed(), &["images", "--pinned"]));
    assert_screen("images_missing", &run(&mixed(), &["images", "web", "nosuch"]));
    let swarm = swarm(&["web", "api"]);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    swarm.world().step("web", Step::Paused);
    assert_screen("images_not_converged", &run(&swarm, &["images", "--converged"]));
}
