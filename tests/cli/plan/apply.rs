//! `apply` with each state of a planned service, and the effect on the other services.

use serde_json::json;

use super::{PlanFile, bare, label_before_first_post, shop, states};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, OTHER};

/// A plan that gives both services the new image.
fn both(swarm: &FakeSwarm) -> PlanFile {
    PlanFile::made_by(swarm, &format!("update-image --no-resolve-image web={NEW} db={NEW}"))
}

#[test]
fn services_that_are_as_planned_are_updated_whatever_their_version_index() {
    let swarm = shop();
    let plan = both(&swarm);
    swarm.world().step("web", Step::Updating);
    let run = plan.apply(&swarm, &["--json", "--detach"]).succeeds();
    assert_eq!(states(&run), ["ready", "ready"]);
    assert_eq!(run.json()["command"], "apply");
    run.says(&["plan of 20", ": 2 services (update-image)", "has no digest"]);
    swarm.expect("web").applied(1).image(NEW);
    swarm.expect("db").applied(1).image(NEW);
}

#[test]
fn one_stale_service_among_200_keeps_all_from_being_posted() {
    let names: Vec<String> = (0..200).map(|i| format!("s{i:03}")).collect();
    let swarm = FakeSwarm::with(names.iter().map(|name| bare(name)));
    let file = PlanFile::made_by(&swarm, "restart --all");
    swarm.world().write("s117", |spec| spec["Labels"]["foreign"] = "1".into());
    let run = file.apply(&swarm, &[]).fails_with(Exit::Conflict);
    run.says(&[
        "other settings of service `s117` changed since the plan was made",
        "--rebase",
        "199 services were not",
    ]);
    assert!(swarm.posts().is_empty(), "not with --max-failures either");
    file.apply(&swarm, &["--max-failures", "0"]).fails_with(Exit::Conflict);
    assert!(swarm.posts().is_empty());
    let run = file.apply(&swarm, &["--skip-stale", "--detach", "--json"]).answers(Exit::Different);
    assert_eq!(swarm.posts().len(), 199);
    let skipped = &run.json()["services"][117];
    assert_eq!((&skipped["outcome"], &skipped["reason"]), (&json!("skipped"), &json!("stale")));
    swarm.expect("s117").applied(0);
}

#[test]
fn a_conflict_names_the_places_with_all_three_values() {
    let swarm = shop();
    let plan = both(&swarm);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    let run = plan.apply(&swarm, &[]).fails_with(Exit::Conflict);
    let image = format!(
        "TaskTemplate.ContainerSpec.Image: the plan changes `{OLD}` to `{NEW}`, but it is now `{OTHER}`"
    );
    run.says(&["service `web` changed since the plan was made", &image, "--skip-stale"]);
    plan.apply(&swarm, &["--rebase"]).fails_with(Exit::Conflict);
    assert!(swarm.posts().is_empty());
}

#[test]
fn rebase_keeps_what_others_have_changed_elsewhere() {
    let swarm = shop();
    let plan = both(&swarm);
    swarm.world().write("web", |spec| spec["Labels"]["foreign"] = "1".into());
    let run = plan.apply(&swarm, &["--rebase", "--json", "--detach"]).succeeds();
    assert_eq!(run.json()["services"][1]["plan"], json!({"state": "ready", "rebased": true}));
    run.says(&["web: applied to its current spec, which has changed since the plan was made (--rebase)"]);
    assert_eq!(swarm.service("web").spec["Labels"]["foreign"], "1");
    swarm.expect("web").image(NEW);
    // The second `apply` changes nothing, because both services already have the planned image.
    plan.apply(&swarm, &["--rebase", "--detach"]).succeeds();
    swarm.expect("web").applied(1);
    swarm.expect("db").applied(1);
}

#[test]
fn removed_and_recreated_services_are_distinguished() {
    let swarm = shop();
    let plan = both(&swarm);
    swarm.world().services.retain(|service| service.name() != "web");
    let run = plan.apply(&swarm, &["--json"]).fails_with(Exit::NotFound);
    assert_eq!(states(&run), ["ready", "gone"]);
    run.says(&["no such service: `web` ("]);
    swarm.world().add(bare("web"));
    let run = plan.apply(&swarm, &["--json"]).fails_with(Exit::Conflict);
    assert_eq!(states(&run), ["ready", "replaced"]);
    assert_eq!(run.json()["services"][1]["outcome"], "conflict");
    run.says(&["service `web` was removed and created again since the plan was made"]);
    assert!(swarm.posts().is_empty());
    let run = plan.apply(&swarm, &["--skip-stale", "--detach"]).answers(Exit::Different);
    run.says(&["web: skipped: it was removed and created again"]);
    swarm.expect("db").applied(1);
    swarm.expect("web").applied(0);
}

#[test]
fn a_paused_rollout_blocks_a_planned_restart_and_no_planned_image() {
    let swarm = shop();
    let (restart, image) = (PlanFile::made_by(&swarm, "restart web db"), both(&swarm));
    swarm.world().step("web", Step::Paused);
    let run = restart.apply(&swarm, &["--json"]).fails_with(Exit::RolloutFailed);
    assert_eq!(states(&run), ["ready", "paused"]);
    run.says(&["its rollout is paused", "--resume", "; or leave such services out with `--skip-stale`"]);
    assert!(swarm.posts().is_empty());
    let run = restart.apply(&swarm, &["--skip-stale", "--detach", "--json"]).answers(Exit::Different);
    assert_eq!(states(&run), ["ready", "paused"]);
    swarm.expect("web").applied(0);
    restart.apply(&swarm, &["--resume", "--detach"]).succeeds();
    swarm.expect("web").applied(1);
    drop(image);
    let swarm = shop();
    let image = both(&swarm);
    swarm.world().step("web", Step::Paused);
    image.apply(&swarm, &["--detach"]).succeeds();
    swarm.expect("web").applied(1).image(NEW);
}

#[test]
fn a_done_service_whose_rollout_is_paused_is_reported_and_does_not_stop_the_others() {
    let swarm = shop();
    let plan = both(&swarm);
    swarm.before(RequestKind::Post, 2, |world| world.step("db", Step::Paused));
    plan.apply(&swarm, &["--detach", "--parallel", "1"]).succeeds();
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    let run = plan.apply(&swarm, &["--json", "--rebase", "--detach"]).fails_with(Exit::RolloutFailed);
    assert_eq!(states(&run), ["done", "ready"]);
    assert_eq!(run.json()["services"][0]["outcome"], "paused");
    swarm.expect("web").applied(2).image(NEW);
    swarm.expect("db").applied(1);
}

#[test]
fn version_indexes_are_compared_only_on_request() {
    let swarm = shop();
    let plan = both(&swarm);
    plan.apply(&swarm, &["--same-version", "--rebase"]).fails_with(Exit::Usage);
    swarm.world().step("web", Step::Completed);
    let run = plan.apply(&swarm, &["--same-version", "--json"]).fails_with(Exit::Conflict);
    assert_eq!(states(&run), ["ready", "stale"]);
    assert!(swarm.posts().is_empty());
    plan.apply(&swarm, &["--detach"]).succeeds();
}

#[test]
fn a_status_write_of_the_engine_between_check_and_post_is_retried() {
    let swarm = shop();
    let plan = both(&swarm);
    swarm.before(RequestKind::Post, 1, |world| world.step("db", Step::Completed));
    plan.apply(&swarm, &["--parallel", "1", "--detach"]).succeeds();
    swarm.expect("db").applied(1).posted(3);
}

#[test]
fn a_label_between_check_and_post_is_a_conflict_that_stops_the_batch() {
    let swarm = shop();
    let plan = both(&swarm);
    label_before_first_post(&swarm, "db");
    let run = plan.apply(&swarm, &["--parallel", "1", "--json", "--detach"]).fails_with(Exit::Conflict);
    assert_eq!(states(&run), ["stale", "ready"]);
    run.says(&["other settings of service `db` changed since the plan was made"]);
    swarm.expect("db").applied(0);
    swarm.expect("web").applied(0).posted(1);
    // With --rebase, such a label is a conflict too.
    let swarm = shop();
    let plan = both(&swarm);
    label_before_first_post(&swarm, "db");
    plan.apply(&swarm, &["--rebase", "--parallel", "1", "--detach"]).fails_with(Exit::Conflict);
}

#[test]
fn what_another_process_applies_between_check_and_post_is_done() {
    let change = format!("update-image --no-resolve-image web={NEW}");
    for made_by in ["restart web", &change, "rollback web"] {
        let swarm = shop();
        swarm.world().write("web", |spec| spec["Labels"]["a"] = "1".into());
        let (plan, before) = (PlanFile::made_by(&swarm, made_by), swarm.service("web"));
        // The other process applies the plan too. Its post is recorded on another swarm.
        let other = shop();
        other.world().write("web", |spec| spec["Labels"]["a"] = "1".into());
        PlanFile::made_by(&other, made_by).apply(&other, &["--detach"]).succeeds();
        let after = other.service("web").spec;
        assert_ne!(before.spec, after);
        let posted = after.clone();
        swarm.before(RequestKind::Post, 1, move |world| {
            world.write("web", |spec| *spec = posted.clone());
        });
        let run = plan.apply(&swarm, &["--detach", "--json"]).succeeds();
        assert_eq!(states(&run), ["done"], "{made_by}");
        assert_eq!(run.json()["services"][0]["outcome"], "unchanged", "{made_by}");
        assert_eq!(swarm.service("web").spec, after, "{made_by}");
        swarm.expect("web").posted(1).applied(0);
    }
}

#[test]
fn a_plan_of_another_swarm_is_refused() {
    let swarm = shop();
    let plan = both(&swarm);
    plan.edit(|plan| plan["swarm"]["id"] = "r9gvf17xuqtl4245a9ajor02b".into());
    let run = plan.apply(&swarm, &["--json"]).fails_with(Exit::Failed);
    let run = run.says(&["the plan was made for swarm `r9gvf17xuqtl4245a9ajor02b`; this is `c`"]);
    assert_eq!(run.json()["exit_code"], 1);
    assert!(swarm.posts().is_empty());
}

#[test]
fn services_that_match_the_selection_now_are_noted_and_not_updated() {
    let swarm = shop();
    let plan = PlanFile::made_by(&swarm, "restart --all");
    swarm.world().add(bare("late"));
    let run = plan.apply(&swarm, &["--detach"]).succeeds();
    run.says(&["1 service matches --all now and is not in the plan: late"]);
    swarm.expect("late").applied(0);
}

#[test]
fn a_dry_run_posts_nothing_and_shows_the_changes() {
    let swarm = shop();
    let plan = both(&swarm);
    let run = plan.apply(&swarm, &["--dry-run", "--exit-code"]).answers(Exit::Different);
    run.prints(&["web: would be updated (dry run, nothing was posted); image opera443399/whoami:0.7 -> 0.6"]);
    assert!(swarm.posts().is_empty());
    plan.apply(&swarm, &["--exit-code", "--detach"]).answers(Exit::Different);
    plan.apply(&swarm, &["--exit-code", "--detach"]).succeeds();
}

#[test]
fn a_rollback_is_applied_only_to_both_planned_specs() {
    let swarm = shop();
    swarm.world().write("web", |spec| spec["Labels"]["a"] = "1".into());
    let plan = PlanFile::made_by(&swarm, "rollback web");
    let foreign = |swarm: &FakeSwarm| {
        swarm.world().write("web", |spec| spec["Labels"]["b"] = "1".into());
    };
    foreign(&swarm);
    for flags in [&[][..], &["--rebase"]] {
        let run = plan.apply(&swarm, flags).fails_with(Exit::Conflict);
        run.says(&["the spec or the previous spec of service `web` changed"]);
    }
    let swarm = shop();
    swarm.world().write("web", |spec| spec["Labels"]["a"] = "1".into());
    let plan = PlanFile::made_by(&swarm, "rollback web");
    plan.apply(&swarm, &["--detach"]).succeeds().prints(&["web: rolled back"]);
    assert_eq!(swarm.service("web").rollbacks, 1);
    let run = plan.apply(&swarm, &["--json", "--detach"]).succeeds();
    assert_eq!((states(&run), swarm.service("web").rollbacks), (vec!["done".to_owned()], 1));
}
