//! `rollback`: which previous specs are refused, because of tasks that failed or of objects that no longer exist.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, RequestKind, Step};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

/// A service that was updated to `NEW` and back to `OLD`, so that its previous spec has `NEW`.
fn swarm() -> FakeSwarm {
    let mut spec = spec("web", OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    let swarm = FakeSwarm::with([spec]);
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OLD.into());
    swarm
}

fn run(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl(args.iter().copied()).host(swarm.host()).run()
}

/// Sets the tasks of the service. Each has an image, a state, and the number of seconds since its creation and since it
/// entered its state.
fn set_tasks(swarm: &FakeSwarm, tasks: &[(&str, &str, i64, i64)]) {
    let now = Timestamp::now();
    let ago = |seconds: i64| (now - SignedDuration::from_secs(seconds)).to_string();
    let mut world = swarm.world();
    let service = world.service("web");
    let shown = tasks.iter().enumerate().map(|(nth, (image, state, created, at))| {
        let mut template = service.spec["TaskTemplate"].clone();
        template["ContainerSpec"]["Image"] = (*image).into();
        let is_running = *state == "running";
        let ended_badly = matches!(*state, "failed" | "rejected");
        json!({
            "ID": format!("{nth}{}", &service.id[..24]), "Version": { "Index": 1 }, "Slot": 1,
            "CreatedAt": ago(*created), "UpdatedAt": ago(*at), "ServiceID": service.id, "Spec": template,
            "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n", "DesiredState": if is_running { "running" } else { "shutdown" },
            "Status": {
                "Timestamp": ago(*at), "State": state, "Err": if ended_badly { "task: non-zero exit (1)" } else { "" }
            }
        })
    });
    service.tasks = Some(shown.collect());
}

const RUNNING: (&str, &str, i64, i64) = (OLD, "running", 40, 39);

#[test]
fn a_spec_whose_tasks_failed_is_refused_unless_that_is_requested() {
    for failed in [
        &[(NEW, "failed", 60, 59)][..],
        &[(NEW, "rejected", 90, 59)],
        &[(NEW, "failed", 80, 79), (NEW, "shutdown", 60, 58)],
    ] {
        for command in [&["rollback", "web"][..], &["update", "--rollback", "web"], &["rollback", "--all"]] {
            let swarm = swarm();
            set_tasks(&swarm, &[failed, &[RUNNING]].concat());
            run(&swarm, command).fails_with(Exit::RolloutFailed).says(&[
                &format!("the previous spec (image `{NEW}`) has failed"),
                "non-zero exit (1)",
                "`swarmctl rollback --to-failed web`",
            ]);
            let json = run(&swarm, &[command, &["--json"]].concat()).fails_with(Exit::RolloutFailed).json();
            assert_eq!(json["services"][0]["outcome"], "refused");
            assert!(swarm.posts().is_empty());
        }
        let swarm = swarm();
        set_tasks(&swarm, &[failed, &[RUNNING]].concat());
        run(&swarm, &["rollback", "-d", "--to-failed", "web"]).succeeds();
        assert_eq!((swarm.service("web").rollbacks, swarm.service("web").image()), (1, NEW));
    }
}

#[test]
fn a_spec_that_ran_or_whose_tasks_are_unknown_is_rolled_back_to() {
    for others in [
        &[][..],
        // A task ran for the monitor period before it failed or was shut down.
        &[(NEW, "failed", 90, 59)],
        &[(NEW, "failed", 99, 98), (NEW, "shutdown", 90, 59)],
        // The task did not fail by itself.
        &[(NEW, "shutdown", 60, 59)],
        &[(NEW, "orphaned", 60, 59)],
        // The task that failed had another spec.
        &[("shop/other:1", "failed", 60, 59)],
        &[(OLD, "failed", 60, 59)],
    ] {
        let swarm = swarm();
        set_tasks(&swarm, &[others, &[RUNNING]].concat());
        run(&swarm, &["rollback", "-d", "web"]).succeeds().says(&["a second rollback returns"]);
        assert_eq!(swarm.service("web").rollbacks, 1, "{others:?}");
    }
}

#[test]
fn the_state_of_the_rollout_alone_refuses_nothing() {
    for label in [false, true] {
        for step in [Step::Paused, Step::Updating, Step::Completed] {
            let swarm = swarm();
            if label {
                swarm.world().write("web", |spec| spec["Labels"]["a"] = "b".into());
            }
            swarm.world().step("web", step);
            set_tasks(&swarm, &[RUNNING]);
            run(&swarm, &["rollback", "-d", "web"]).succeeds();
            assert_eq!(swarm.service("web").rollbacks, 1, "{step:?}");
        }
    }
}

#[test]
fn a_previous_spec_with_the_same_tasks_as_the_failing_one_counts_as_failed() {
    let swarm = swarm();
    swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    swarm.world().write("web", |spec| spec["Labels"]["a"] = "b".into());
    set_tasks(&swarm, &[(OLD, "shutdown", 99, 60), (NEW, "failed", 60, 59)]);
    run(&swarm, &["rollback", "web"])
        .fails_with(Exit::RolloutFailed)
        .says(&["differs only in Labels.a", &format!("`swarmctl update-image web {OLD}`")]);
    assert!(swarm.posts().is_empty());
}

#[test]
fn a_rollback_that_would_be_refused_is_not_suggested() {
    let to_image = format!("to roll back run `swarmctl update-image web {OLD}`");
    for (tasks, says) in [
        // The update before this one failed too, and the engine still lists a task of an image that ran.
        (&[(OLD, "shutdown", 199, 100), (NEW, "failed", 99, 98)][..], Some(&*to_image)),
        (&[(NEW, "failed", 99, 98)], None),
        // The rollout was paused, but one of its tasks has run since.
        (
            &[(NEW, "failed", 99, 98), (NEW, "shutdown", 90, 30)],
            Some("to roll back run `swarmctl rollback web`"),
        ),
    ] {
        let swarm = swarm();
        swarm.world().write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
        swarm.world().step("web", Step::Paused);
        set_tasks(&swarm, tasks);
        swarm.world().service("web").rollout = vec![Step::Paused];
        let failed = run(&swarm, &["update", "--resume", "--env-add", "A=1", "web"]);
        let failed = failed.fails_with(Exit::RolloutFailed).says(&["swarmctl ps web"]);
        match says {
            Some(says) => _ = failed.says(&[says]),
            None => assert!(!failed.stderr.contains("to roll back"), "{}", failed.stderr),
        }
    }
}

#[test]
fn the_hint_of_several_failures_counts_those_that_a_rollback_helps() {
    let mut other = spec("db", OLD);
    other["EndpointSpec"]["Ports"] = json!([]);
    let mut web = spec("web", NEW);
    web["EndpointSpec"]["Ports"] = json!([]);
    let swarm = FakeSwarm::with([web, other]);
    swarm.world().step("web", Step::Paused);
    set_tasks(&swarm, &[(NEW, "failed", 99, 98)]);
    for name in ["db", "web"] {
        swarm.world().service(name).rollout = vec![Step::Paused];
    }
    run(&swarm, &["update", "--resume", "--max-failures", "0", "--env-add", "A=1", "db", "web"])
        .fails_with(Exit::RolloutFailed)
        .says(&["to roll back 1 of the 2 failed services run `swarmctl rollback db`"]);
}

// Secrets, configs and networks that no longer exist

/// A swarm in which only the previous spec of the service has a secret, configs and a network.
fn with_references() -> FakeSwarm {
    let swarm = swarm();
    let refer = |spec: &mut Value| {
        let task = &mut spec["TaskTemplate"];
        task["ContainerSpec"]["Secrets"] = json!([{ "SecretID": "s1", "SecretName": "password" }]);
        task["ContainerSpec"]["Configs"] = json!([{ "ConfigID": "c1", "ConfigName": "settings" }]);
        task["ContainerSpec"]["Privileges"] = json!({ "CredentialSpec": { "Config": "c2" } });
        task["Networks"] = json!([{ "Target": "net1" }]);
    };
    swarm.world().service("web").previous.as_mut().map(refer);
    set_tasks(&swarm, &[RUNNING]);
    let secrets = [("s1", "password"), ("c1", "settings"), ("c2", "credentials")];
    swarm.world().secrets = secrets.map(|(id, name)| (id.to_owned(), name.to_owned())).to_vec();
    swarm.world().networks = vec![("net1".to_owned(), "back".to_owned())];
    swarm
}

#[test]
fn a_spec_that_refers_to_removed_objects_is_refused_with_their_names() {
    for (gone, named) in [
        ("s1", "secret `password`"),
        ("c1", "config `settings`"),
        ("c2", "config `c2`"),
        ("net1", "network `net1`"),
    ] {
        for command in
            [&["rollback", "web"][..], &["update", "--rollback", "web"], &["rollback", "--to-failed", "web"]]
        {
            let swarm = with_references();
            swarm.world().secrets.retain(|(id, _)| id != gone);
            swarm.world().networks.retain(|(id, _)| id != gone);
            run(&swarm, command).fails_with(Exit::Failed).says(&[named, "no longer exists"]);
            assert!(swarm.posts().is_empty());
        }
        // The rule L21 does not apply to networks.
        let expected = if gone == "net1" { json!(null) } else { json!("L21") };
        let swarm = with_references();
        swarm.world().secrets.retain(|(id, _)| id != gone);
        swarm.world().networks.retain(|(id, _)| id != gone);
        let refused = run(&swarm, &["rollback", "--json", "web"]).fails_with(Exit::Failed);
        let service = &refused.json()["services"][0];
        assert_eq!(
            (&service["outcome"], &service["lint"][0]["id"]),
            (&json!("refused"), &expected),
            "{gone}"
        );
    }
    let swarm = with_references();
    swarm.world().secrets.clear();
    let all = ["secret `password`", "config `settings`", "config `c2`", "which no longer exist:"];
    run(&swarm, &["rollback", "web"]).fails_with(Exit::Failed).says(&all);
}

#[test]
fn existing_references_and_those_of_the_current_spec_do_not_prevent_a_rollback() {
    let swarm = with_references();
    run(&swarm, &["rollback", "-d", "web"]).succeeds();
    assert_eq!(swarm.service("web").rollbacks, 1);

    // Objects that the current spec refers to cannot have been removed, so they are not looked up.
    let swarm = with_references();
    let previous = swarm.service("web").previous.unwrap();
    let networks = previous["TaskTemplate"]["Networks"].clone();
    swarm.world().service("web").spec["TaskTemplate"]["Networks"] = networks;
    run(&swarm, &["rollback", "-d", "web"]).succeeds();
    let asked: Vec<String> = swarm.requests().iter().map(|request| request.line()).collect();
    assert!(!asked.iter().any(|line| line.contains("/networks/")), "{asked:?}");
}

#[test]
fn references_that_cannot_be_looked_up_are_a_warning() {
    for answer in [Answer::error(403, "no access"), Answer::error(500, "something else")] {
        let swarm = with_references();
        // Requests: 1 ping, 2 the service, 3 its tasks, 4 the objects.
        swarm.breaks(InjectedFault::instead(4, answer));
        run(&swarm, &["rollback", "-d", "web"]).succeeds().says(&["cannot check that the secrets"]);
        assert_eq!(swarm.service("web").rollbacks, 1);
    }
}

#[test]
fn a_rollback_on_failure_to_removed_objects_is_not_sent() {
    let swarm = with_references();
    // The update removes a secret from the service. After that, another client deletes the secret.
    let previous = swarm.service("web").previous.unwrap();
    {
        let mut world = swarm.world();
        let web = world.service("web");
        web.spec = previous;
        web.tasks = None;
        web.rollout = vec![Step::Updating, Step::Paused];
    }
    swarm.after(RequestKind::Post, 1, |world| {
        world.secrets.retain(|(id, _)| id != "s1");
    });
    let args = ["update", "--no-resolve-image", "--rollback-on-failure", "--secret-rm", "password", "web"];
    run(&swarm, &args)
        .fails_with(Exit::RolloutFailed)
        .says(&["could not be rolled back", "secret `password`"]);
    assert_eq!((swarm.posts().len(), swarm.service("web").rollbacks), (1, 0));
}
