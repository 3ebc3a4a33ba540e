//! Commands that change one service.

use super::{run, swarm, web_whose_update};
use crate::support::fake_swarm::{RequestKind, Step};
use crate::support::fixtures::{NEW, OTHER};
use crate::support::screen::assert_screen;

/// The steps of a rollout that converges. The next two constants are rollouts that fail.
const GOOD: &[Step] = &[Step::Updating, Step::Completed];
const BAD: &[Step] = &[Step::Updating, Step::Paused];
const ROLLED_BACK: &[Step] = &[Step::Updating, Step::RolledBack];
const UPDATE: &[&str] = &["update-image", "--no-resolve-image", "web", NEW];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

#[test]
fn update_image_converges() {
    assert_screen("update_image_converges", &run(&web_whose_update(GOOD), UPDATE));
    assert_screen("update_image_converges_json", &run(&web_whose_update(GOOD), &with(UPDATE, &["--json"])));
    assert_screen("update_image_detached", &run(&web_whose_update(GOOD), &with(UPDATE, &["--detach"])));
    assert_screen("update_image_quiet", &run(&web_whose_update(GOOD), &with(UPDATE, &["-q"])));
}

#[test]
fn update_image_plans() {
    assert_screen("update_image_dry_run", &run(&swarm(&["web"]), &with(UPDATE, &["--dry-run"])));
    let json = run(&swarm(&["web"]), &with(UPDATE, &["--dry-run", "--json", "--exit-code"]));
    assert_screen("update_image_dry_run_json", &json);
}

#[test]
fn update_image_has_nothing_to_change() {
    let same = ["update-image", "--no-resolve-image", "web", crate::support::fixtures::OLD];
    assert_screen("update_image_unchanged", &run(&swarm(&["web"]), &same));
    assert_screen("update_image_unchanged_json", &run(&swarm(&["web"]), &with(&same, &["--json"])));
}

#[test]
fn update_image_fails() {
    assert_screen("update_image_paused", &run(&web_whose_update(BAD), UPDATE));
    assert_screen("update_image_paused_json", &run(&web_whose_update(BAD), &with(UPDATE, &["--json"])));
    assert_screen("update_image_rolled_back", &run(&web_whose_update(ROLLED_BACK), UPDATE));
    assert_screen(
        "update_image_rolled_back_json",
        &run(&web_whose_update(ROLLED_BACK), &with(UPDATE, &["--json"])),
    );
    assert_screen(
        "update_image_rollback_on_failure",
        &run(&web_whose_update(BAD), &with(UPDATE, &["--rollback-on-failure"])),
    );
}

#[test]
fn update_image_gives_up_waiting() {
    let slow = || web_whose_update(&[Step::Updating]);
    assert_screen("update_image_timeout", &run(&slow(), &with(UPDATE, &["--timeout", "600ms"])));
    assert_screen(
        "update_image_timeout_json",
        &run(&slow(), &with(UPDATE, &["--timeout", "600ms", "--json"])),
    );
}

#[test]
fn update_image_conflicts() {
    let contested = || {
        let swarm = swarm(&["web"]);
        swarm.before(RequestKind::Post, 1, |world| {
            world.write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
        });
        swarm
    };
    assert_screen("update_image_conflict", &run(&contested(), UPDATE));
    assert_screen("update_image_conflict_json", &run(&contested(), &with(UPDATE, &["--json"])));
    assert_screen("update_image_if_version", &run(&swarm(&["web"]), &with(UPDATE, &["--if-version", "3"])));
}

#[test]
fn update_changes_a_spec() {
    let update =
        ["update", "--env-add", "LEVEL=debug", "--limit-memory", "512m", "--publish-add", "8080:80", "web"];
    assert_screen("update_converges", &run(&web_whose_update(GOOD), &update));
    assert_screen("update_dry_run", &run(&swarm(&["web"]), &with(&update, &["--dry-run"])));
    assert_screen("update_dry_run_json", &run(&swarm(&["web"]), &with(&update, &["--dry-run", "--json"])));
    assert_screen("update_bad_value", &run(&swarm(&["web"]), &["update", "--limit-memory", "lots", "web"]));
}

#[test]
fn update_of_a_paused_service_is_refused() {
    let paused = || {
        let swarm = swarm(&["web"]);
        swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        swarm.world().step("web", Step::Paused);
        swarm
    };
    assert_screen("update_paused", &run(&paused(), &["update", "--env-add", "A=1", "web"]));
    assert_screen("restart_paused", &run(&paused(), &["restart", "web"]));
    assert_screen("restart_paused_json", &run(&paused(), &["restart", "--json", "web"]));
}

#[test]
fn scale_restart_and_rollback() {
    assert_screen("scale_converges", &run(&web_whose_update(GOOD), &["scale", "web=2", "--timeout", "10s"]));
    assert_screen("scale_bad_number", &run(&swarm(&["web"]), &["scale", "web=lots"]));
    assert_screen("restart_converges", &run(&web_whose_update(GOOD), &["restart", "web"]));
    assert_screen("rollback_without_previous_spec", &run(&swarm(&["web"]), &["rollback", "web"]));
    let updated = || {
        let swarm = swarm(&["web"]);
        run(&swarm, &with(UPDATE, &["--detach"]));
        swarm
    };
    assert_screen("rollback_converges", &run(&updated(), &["rollback", "web"]));
    assert_screen("rollback_dry_run", &run(&updated(), &["rollback", "--dry-run", "web"]));
}

#[test]
fn create_makes_a_service() {
    let create = ["create", "--no-resolve-image", "--name", "api", "--publish", "8081:80", NEW];
    assert_screen("create_converges", &run(&swarm(&[]), &create));
    assert_screen("create_dry_run", &run(&swarm(&[]), &["create", "--dry-run", "--no-resolve-image", NEW]));
    assert_screen(
        "create_json",
        &run(&swarm(&[]), &["create", "--no-resolve-image", "--json", "--name", "a", NEW]),
    );
    assert_screen("create_name_taken", &run(&swarm(&["api"]), &create));
    assert_screen("create_without_image", &run(&swarm(&[]), &["create", "--name", "api"]));
}

#[test]
fn rm_removes_services() {
    assert_screen("rm", &run(&swarm(&["web", "db"]), &["rm", "web", "db"]));
    assert_screen("rm_wait", &run(&swarm(&["web"]), &["rm", "--wait", "web"]));
    assert_screen("rm_json", &run(&swarm(&["web"]), &["rm", "--json", "web"]));
    assert_screen("rm_dry_run", &run(&swarm(&["web"]), &["rm", "--dry-run", "web"]));
    assert_screen("rm_missing", &run(&swarm(&["web"]), &["rm", "nosuch", "web"]));
    assert_screen("rm_selection_without_yes", &run(&swarm(&["web", "db"]), &["rm", "--stack", "shop"]));
}

#[test]
fn auth_refresh_stores_credentials() {
    assert_screen("auth_refresh_without_credentials", &run(&swarm(&["web"]), &["auth", "refresh", "web"]));
    assert_screen("auth_refresh_missing", &run(&swarm(&["web"]), &["auth", "refresh", "nosuch"]));
}
