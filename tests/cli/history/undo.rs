//! `undo`: each state of a service, all or nothing, and what is restored.

use super::*;
use crate::support::exit::Exit;
use crate::support::fake_swarm::{RequestKind, Step};

const THIRD: &str = "opera443399/whoami:0.5";

#[test]
fn a_run_is_reverted_in_reverse_order_and_the_specs_are_as_before() {
    let swarm = shop(&["a", "b", "c"]);
    let before: Vec<String> = ["a", "b", "c"].map(|name| swarm.service(name).spec.to_string()).to_vec();
    set_all(&swarm, NEW).succeeds();
    let read = lookups(&swarm);
    let undone = run(&swarm, "undo --detach --parallel 1 1").succeeds();
    assert_eq!(lookups(&swarm), read + 1, "the journal is read once");
    undone.says(&["run 1 of ", " by ann@", "3 services (update-image", "recorded as run 2"]);
    let after: Vec<String> = ["a", "b", "c"].map(|name| swarm.service(name).spec.to_string()).to_vec();
    assert_eq!(after, before);
    let posts: Vec<String> = swarm.posts().iter().skip(3).map(|post| post.endpoint().to_owned()).collect();
    let path = |name: &str| format!("/services/{}/update", swarm.service(name).id);
    assert_eq!(posts, [path("c"), path("b"), path("a")]);
    assert_eq!(swarm.service("a").rollbacks, 0);
    let again = run(&swarm, "undo --detach --json 1").succeeds();
    assert_eq!(states(&again), ["c done unchanged", "b done unchanged", "a done unchanged"]);
    run(&swarm, "undo --detach 2").succeeds();
    swarm.expect("b").image(NEW);
}

#[test]
fn later_changes_elsewhere_are_kept() {
    let swarm = shop(&["web"]);
    run(&swarm, &format!("update --detach --no-resolve-image --image {NEW} --env-add A=1 web")).succeeds();
    swarm.world().write("web", |spec| spec["Labels"]["foreign"] = "1".into());
    run(&swarm, "undo --detach 1").succeeds();
    let spec = swarm.service("web").spec;
    assert_eq!(
        (&spec["Labels"]["foreign"], &spec["TaskTemplate"]["ContainerSpec"]["Image"]),
        (&json!("1"), &json!(OLD))
    );
    assert!(spec["TaskTemplate"]["ContainerSpec"]["Env"].as_array().is_none_or(Vec::is_empty));
}

#[test]
fn one_conflict_among_many_keeps_all_from_being_reverted() {
    let names: Vec<String> = (0..200).map(|n| format!("s{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let swarm = shop(&names);
    set_all(&swarm, NEW).succeeds();
    swarm.world().write("s123", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = THIRD.into());
    let posts = swarm.posts().len();
    run(&swarm, "undo --detach 1").fails_with(Exit::Conflict).says(&[
        "cannot undo run 1 for service `s123`",
        &format!("Image was `{OLD}` before the run, was set to `{NEW}`, and is now `{THIRD}`"),
        "--skip-conflicts",
        "--force",
    ]);
    assert_eq!(swarm.posts().len(), posts);
    let skipped = run(&swarm, "undo --detach --json --skip-conflicts 1").answers(Exit::Different);
    assert!(states(&skipped).contains(&"s123 conflict skipped".to_owned()));
    swarm.expect("s122").image(OLD);
    swarm.expect("s123").image(THIRD);
    run(&swarm, "undo --detach --force 1").succeeds();
    swarm.expect("s123").image(OLD);
    run(&swarm, "undo --force --skip-conflicts 1").fails_with(Exit::Usage);
}

#[test]
fn a_service_that_was_removed_or_replaced_is_not_changed() {
    let swarm = shop(&["web", "db"]);
    set_all(&swarm, NEW).succeeds();
    run(&swarm, "rm --journal off web").succeeds();
    let gone = run(&swarm, "undo --detach --json 1").fails_with(Exit::NotFound);
    assert_eq!(states(&gone), ["web gone no_such_service", "db ready not_started"]);
    swarm.world().add(bare("web"));
    let replaced = run(&swarm, "undo --detach --json 1").fails_with(Exit::Conflict);
    assert_eq!(states(&replaced), ["web replaced conflict", "db ready not_started"]);
    swarm.expect("db").image(NEW);
    run(&swarm, "undo --detach 1 db").succeeds();
    swarm.expect("db").image(OLD);
    run(&swarm, "undo --detach 1 other")
        .fails_with(Exit::NotFound)
        .says(&["run 1 did not change service `other`", "`swarmctl history --run 1`"]);
}

#[test]
fn a_paused_rollout_requires_resume_and_a_held_update_is_a_conflict() {
    let swarm = shop(&["web"]);
    swarm.world().service("web").rollout = vec![Step::Paused];
    run(&swarm, &format!("update-image --no-resolve-image web {NEW}")).fails_with(Exit::RolloutFailed);
    let paused = run(&swarm, "undo --detach --json 1").fails_with(Exit::RolloutFailed);
    assert_eq!(states(&paused), ["web paused paused"]);
    let skipped = run(&swarm, "undo --detach --json --skip-conflicts 1").answers(Exit::Different);
    assert_eq!(states(&skipped), ["web paused skipped"]);
    swarm.world().service("web").rollout = vec![Step::Completed];
    run(&swarm, "undo --detach --resume 1").succeeds();
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    swarm.world().write("web", |spec| spec["Labels"]["swarmctl.held"] = "{}".into());
    let held = run(&swarm, "undo --detach --json 3").fails_with(Exit::Conflict);
    assert_eq!(states(&held), ["web held conflict"]);
}

#[test]
fn undo_changes_nothing_for_a_restart_and_refuses_runs_of_create_and_rm() {
    let swarm = shop(&["web"]);
    run(&swarm, "restart --detach web").succeeds();
    run(&swarm, "undo --detach 1").succeeds().says(&["a restart cannot be undone"]);
    run(&swarm, "create --detach --no-resolve-image --name new opera443399/whoami:0.7").succeeds();
    run(&swarm, "undo 2").fails_with(Exit::Failed).says(&["swarmctl rm new"]);
    run(&swarm, "rm new").succeeds();
    run(&swarm, "undo 3").fails_with(Exit::Failed).says(&["swarmctl journal export"]);
    run(&swarm, "undo 9").fails_with(Exit::NotFound).says(&["no such run: 9 (the journal has 1 to 3)"]);
    run(&swarm, "undo x").fails_with(Exit::Usage);
}

#[test]
fn jobs_are_skipped_unless_they_are_named() {
    let mut job = bare("job");
    job["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    let swarm = FakeSwarm::with([job]);
    run(&swarm, "journal enable").succeeds();
    let update = run(&swarm, "update --detach --label-add a=1 job").succeeds();
    update.says(&["recorded as run 1; undo it with `swarmctl undo 1 job`"]);
    run(&swarm, "undo --detach 1").succeeds().says(&["it is a job"]);
    swarm.expect("job").applied(1);
    run(&swarm, "undo --detach 1 job").succeeds();
    swarm.expect("job").applied(2);
}

#[test]
fn an_undo_that_needs_a_removed_config_is_refused() {
    let swarm = FakeSwarm::start();
    swarm.world().secrets.push(("c0nf1gc0nf1gc0nf1gc0nf1gc".to_owned(), "app.conf".to_owned()));
    let mut spec = bare("web");
    let file = json!({ "Name": "/app.conf", "UID": "0", "GID": "0", "Mode": 292 });
    spec["TaskTemplate"]["ContainerSpec"]["Configs"] =
        json!([{ "File": file, "ConfigID": "c0nf1gc0nf1gc0nf1gc0nf1gc", "ConfigName": "app.conf" }]);
    swarm.world().add(spec);
    run(&swarm, "journal enable").succeeds();
    run(&swarm, "update --detach --config-rm app.conf web").succeeds();
    swarm.world().secrets = vec![("0therc0nf1g0therc0nf1g000".to_owned(), "app.conf".to_owned())];
    for line in ["undo --detach 1", "rollback --detach web --to 1", "rollback --detach web"] {
        run(&swarm, line).fails_with(Exit::Failed).says(&["app.conf", "no longer exists"]);
    }
    run(&swarm, "undo --detach 1").fails_with(Exit::Failed).says(&[
        "config `app.conf` (`c0nf1gc0nf1gc0nf1gc0nf1gc`), which run 1 removed, no longer exists",
        "0therc0nf1g0therc0nf1g000",
    ]);
    swarm.expect("web").applied(1);
}

#[test]
fn a_record_that_is_incomplete_or_forged_is_refused() {
    let swarm = shop(&["web"]);
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    let set = |key: &str, value: &str| {
        let mut world = swarm.world();
        let run = world.configs.iter_mut().find(|config| config.name == "swarmctl.run.1").unwrap();
        run.labels[key] = value.into();
    };
    set("swarmctl.parts", "2");
    run(&swarm, "undo 1").fails_with(Exit::Failed).says(&["the record of run 1 is incomplete"]);
    run(&swarm, "history").succeeds().prints(&["incomplete"]);
    set("swarmctl.parts", "1");
    swarm.world().configs.iter_mut().find(|it| it.name == "swarmctl.run.1").unwrap().data = "eA==".to_owned();
    run(&swarm, "undo 1").fails_with(Exit::Failed).says(&["the record of run 1 cannot be read"]);
    let none = FakeSwarm::with([bare("web")]);
    for line in ["undo 1", "rollback web --to 1", "history --run 1", "journal export", "journal prune"] {
        let run = run(&none, line)
            .fails_with(Exit::Failed)
            .says(&["this swarm has no journal", "swarmctl journal enable"]);
        let has_alternative = line.starts_with("undo") || line.starts_with("rollback");
        assert_eq!(run.stderr.contains("`swarmctl rollback web`"), has_alternative, "{line}");
    }
}

#[test]
fn a_service_that_the_run_did_not_change_is_left_alone() {
    let swarm = shop(&["api", "web"]);
    swarm.world().service("api").rollout = vec![Step::Paused];
    run(&swarm, &format!("update-image --no-resolve-image --parallel 1 --stack shop {NEW}"))
        .fails_with(Exit::RolloutFailed)
        .says(&["1 failed, 1 not started"]);
    swarm.world().service("api").rollout = vec![Step::Completed];
    run(&swarm, &format!("update-image --no-resolve-image --detach web {NEW}")).succeeds();
    let named = run(&swarm, "undo --detach --json 1 web").succeeds();
    assert_eq!(states(&named), ["web done unchanged"]);
    let undone = run(&swarm, "undo --detach --resume --json 1").succeeds();
    assert_eq!(states(&undone), ["api ready applied"]);
    undone.says(&["1 service (update-image"]);
    swarm.expect("api").image(OLD);
    swarm.expect("web").image(NEW);
}

#[test]
fn the_hint_of_a_failed_run_resumes_a_paused_rollout() {
    let swarm = shop(&["api", "web"]);
    swarm.world().service("api").rollout = vec![Step::Paused];
    run(&swarm, &format!("update-image --no-resolve-image --parallel 1 --stack shop {NEW}"))
        .fails_with(Exit::RolloutFailed)
        .says(&[
            "to undo the changes of all services run `swarmctl undo --resume 1`",
            "recorded as run 1; undo it with `swarmctl undo --resume 1`",
        ]);
    swarm.world().service("api").rollout = vec![Step::Completed];
    run(&swarm, "undo --resume 1").succeeds();
    swarm.expect("api").image(OLD);
}

#[test]
fn the_hint_about_a_paused_rollout_names_the_flag_that_leaves_it_out() {
    let swarm = shop(&["api", "web"]);
    swarm.world().service("api").rollout = vec![Step::Paused];
    run(&swarm, &format!("update-image --no-resolve-image --max-failures 0 --stack shop {NEW}"))
        .fails_with(Exit::RolloutFailed);
    for line in ["undo --detach 1", "undo --dry-run 1", "undo --detach --max-failures 0 1"] {
        run(&swarm, line)
            .fails_with(Exit::RolloutFailed)
            .says(&["leave such services out with `--skip-conflicts`", "service `web` was not reverted"])
            .never_says(&["leave such services out with `--max-failures 0`"]);
    }
    run(&swarm, "undo --detach --skip-conflicts 1")
        .answers(Exit::Different)
        .says(&["recorded as run 2; undo it with `swarmctl undo 2`"]);
    swarm.expect("api").image(NEW);
    swarm.expect("web").image(OLD);
    run(&swarm, "scale --detach api=2 web=2")
        .fails_with(Exit::RolloutFailed)
        .says(&["leave such services out with `--max-failures 0`"]);
    run(&swarm, "scale --detach --max-failures 0 api=2 web=2").fails_with(Exit::RolloutFailed);
    swarm.expect("web").applied(3);
}

#[test]
fn an_empty_label_of_another_writer_is_kept() {
    let swarm = shop(&["web"]);
    set_all(&swarm, NEW).succeeds();
    swarm.world().write("web", |spec| spec["Labels"]["maintenance"] = "".into());
    run(&swarm, "undo --detach 1").succeeds();
    swarm.expect("web").image(OLD);
    assert_eq!(swarm.service("web").spec["Labels"]["maintenance"], "");
    // An empty value is also a third value of a label that the run has set.
    run(&swarm, "update --detach --label-add role=web web").succeeds();
    swarm.world().write("web", |spec| spec["Labels"]["role"] = "".into());
    run(&swarm, "undo --detach 3").fails_with(Exit::Conflict).says(&["was set to `web`"]);
}

#[test]
fn a_change_during_the_undo_is_a_conflict_even_if_nothing_had_to_be_reverted_there() {
    let swarm = shop(&["web"]);
    run(&swarm, &format!("update --detach --no-resolve-image --image {NEW} --env-add A=1 web")).succeeds();
    let env = |value: Value| move |spec: &mut Value| spec["TaskTemplate"]["ContainerSpec"]["Env"] = value;
    swarm.world().write("web", env(json!([])));
    swarm.before(RequestKind::Post, 2, move |world| world.write("web", env(json!(["A=9"]))));
    run(&swarm, "undo --detach 1").fails_with(Exit::Conflict).says(&["Env[A]"]);
    assert_eq!(swarm.service("web").spec["TaskTemplate"]["ContainerSpec"]["Env"], json!(["A=9"]));
    swarm.expect("web").image(NEW);
}

#[test]
fn an_undo_of_a_new_update_policy_never_updates_all_tasks_at_once() {
    let swarm = shop(&["web"]);
    run(&swarm, "update --detach --update-parallelism 2 --label-add a=1 web").succeeds();
    swarm.world().write("web", |spec| spec["UpdateConfig"]["Delay"] = 10_000_000_000_u64.into());
    run(&swarm, "undo --detach 1").succeeds();
    let config = &swarm.service("web").spec["UpdateConfig"];
    assert_eq!((&config["Parallelism"], &config["Delay"]), (&json!(1), &json!(10_000_000_000_u64)));
}

#[test]
fn an_order_that_others_have_given_a_list_is_kept() {
    let with = |items: &[&str]| {
        let items: Vec<Value> = items.iter().map(|&item| item.into()).collect();
        move |spec: &mut Value| {
            spec["TaskTemplate"]["ContainerSpec"]["DNSConfig"] = json!({ "Nameservers": items });
        }
    };
    let swarm = shop(&["web"]);
    swarm.world().write("web", with(&["1.1.1.1", "2.2.2.2", "3.3.3.3"]));
    run(&swarm, "update --detach --dns-add 9.9.9.9 web").succeeds();
    swarm.world().write("web", with(&["3.3.3.3", "1.1.1.1", "2.2.2.2", "9.9.9.9"]));
    run(&swarm, "undo --detach 1").succeeds();
    let nameservers =
        || swarm.service("web").spec["TaskTemplate"]["ContainerSpec"]["DNSConfig"]["Nameservers"].clone();
    assert_eq!(nameservers(), json!(["3.3.3.3", "1.1.1.1", "2.2.2.2"]));
    // Without a change by others, an item that the run removed returns to its place.
    run(&swarm, "update --detach --dns-rm 1.1.1.1 web").succeeds();
    run(&swarm, "undo --detach 3").succeeds();
    assert_eq!(nameservers(), json!(["3.3.3.3", "1.1.1.1", "2.2.2.2"]));
}
