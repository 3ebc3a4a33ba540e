//! Selections on a real engine: every command that accepts one, and a real registry for those that need it.

use serde_json::{Value, json};

use super::batch::{image, outcomes, stack, swarmctl};
use super::engine::engine;
use super::registry::Registry;
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD};

#[test]
fn every_command_takes_a_selection() {
    let services = stack("se-all", &["a", "b"]);
    let _other = stack("se-other", &["a"]);
    let line = "--stack se-all";
    let run = swarmctl(&format!("ps {line}")).succeeds().prints(&["se-all-a.1", "se-all-b.1"]);
    assert!(!run.stdout.contains("se-other"), "{}", run.report());
    swarmctl(&format!("wait {line}")).succeeds().prints(&["se-all-a: converged", "se-all-b: converged"]);
    swarmctl(&format!("status {line}")).succeeds().prints(&["se-all-a", "se-all-b"]);
    swarmctl(&format!("logs {line}")).succeeds();
    swarmctl("ls --filter label=com.docker.stack.namespace=se-all -q").succeeds();
    // The engine would apply only one of two conditions on a label, at random.
    for _ in 0..10 {
        let run = swarmctl(&format!("ls {line} --filter label=com.docker.stack.namespace -q")).succeeds();
        assert_eq!(run.stdout.lines().count(), 2, "{}", run.report());
    }
    swarmctl(&format!("scale {line} 2"))
        .succeeds()
        .says(&["selected 2 services to scale: se-all-a, se-all-b", "2 services: 2 scaled"]);
    assert_eq!(services.iter().map(|one| engine().running_tasks(one.id())).collect::<Vec<_>>(), [2, 2]);
    swarmctl(&format!("restart {line} --json")).succeeds();
    assert_eq!(engine().service("se-all-a")["Spec"]["TaskTemplate"]["ForceUpdate"], 1);
    swarmctl(&format!("update {line} --env-add A=1")).succeeds().says(&["2 services: 2 updated"]);
    swarmctl(&format!("rollback {line}")).succeeds().says(&["2 services: 2 rolled back"]);
    assert!(engine().service("se-all-b")["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"].is_null());
    // Services are selected by a prefix of an ID, and by an image that other services run as well.
    let id = &services[1].id()[..10];
    swarmctl(&format!("restart --filter id={id}"))
        .succeeds()
        .says(&["selected 1 service to restart: se-all-b\n"]);
    swarmctl(&format!("status {line} --filter image={OLD} --filter name=se-all-a"))
        .succeeds()
        .prints(&["se-all-a"]);
    swarmctl(&format!("status {line} --filter image={NEW}"))
        .fails_with(Exit::NotFound)
        .says(&["no service matches the selection"]);
    swarmctl("restart --stack se-nosuch")
        .fails_with(Exit::NotFound)
        .says(&["cannot restart any service", "--stack se-nosuch"]);
    swarmctl(&format!("rm {line}")).fails_with(Exit::Usage).says(&["--yes"]);
    assert!(engine().has_service("se-all-a"));
    swarmctl(&format!("rm {line} --yes --wait --timeout 30s")).succeeds().says(&["2 services: 2 removed"]);
    assert_eq!(services.iter().map(|one| engine().unended_tasks(one.id())).sum::<usize>(), 0);
    assert!(engine().has_service("se-other-a"));
}

#[test]
fn a_paused_service_in_a_selection_is_reported_and_not_resumed() {
    let services = stack("se-pause", &["a", "b", "c"]);
    engine().change("se-pause-b", |spec| spec["UpdateConfig"]["Monitor"] = 4_000_000_000_u64.into());
    swarmctl("update-image --no-resolve-image se-pause-b opera443399/whoami:bad")
        .fails_with(Exit::RolloutFailed);
    let before = engine().service("se-pause-b")["Version"].clone();
    // The paused rollout is known before the first post, so with the default --max-failures no service is started.
    for command in ["restart", "update --env-add A=1", "scale 2"] {
        let (command, more) = command.split_once(' ').unwrap_or((command, ""));
        let run = swarmctl(&format!("{command} --stack se-pause --parallel 3 --json {more}"))
            .fails_with(Exit::RolloutFailed);
        assert_eq!(outcomes(&run), ["a not_started", "b paused", "c not_started"], "{}", run.report());
        run.says(&["its rollout is paused", "--max-failures"]);
    }
    let run = swarmctl("restart --stack se-pause --max-failures 0 --json").fails_with(Exit::RolloutFailed);
    assert_eq!(outcomes(&run), ["a converged", "b paused", "c converged"]);
    // Nothing has to be posted, but the tasks of the service do not run.
    for command in ["scale 1", "update-image --no-resolve-image opera443399/whoami:bad"] {
        let (command, more) = command.split_once(' ').unwrap();
        swarmctl(&format!("{command} -d --json {more} --filter name=se-pause-b"))
            .fails_with(Exit::RolloutFailed);
        let run = swarmctl(&format!("{command} --json {more} --filter name=se-pause-b"))
            .fails_with(Exit::RolloutFailed);
        assert_eq!(outcomes(&run), ["b failed"]);
        run.says(&["update paused due to failure"]);
    }
    let run = swarmctl("scale --stack se-pause 1 --json").fails_with(Exit::RolloutFailed);
    assert_eq!(outcomes(&run), ["a unchanged", "b failed", "c unchanged"]);
    assert_eq!(engine().service("se-pause-b")["Version"], before);
    // An update to a working image resumes the rollout, which succeeds.
    swarmctl(&format!("update-image --no-resolve-image --stack se-pause {NEW}")).succeeds();
    assert_eq!(services.iter().map(|one| engine().running_tasks(one.id())).collect::<Vec<_>>(), [1; 3]);
}

#[test]
fn a_moved_tag_is_deployed_to_the_services_that_run_it() {
    let engine = engine();
    let registry = Registry::open(engine, 5611);
    let first = registry.push_new("a");
    let a = registry.image("a");
    let _services = stack("se-reg", &["a", "b", "c"]);
    let run = |line: &str| registry.swarmctl(None, &line.split_whitespace().collect::<Vec<_>>()).run();
    run(&format!("update-image se-reg-a={a} se-reg-b={a}")).succeeds();
    let pinned = |digest: &str| format!("{a}@{digest}");
    assert_eq!((image(engine, "se-reg-a"), image(engine, "se-reg-c")), (pinned(&first), OLD.to_owned()));
    let by_image = format!("--filter image={}", a.rsplit_once(':').unwrap().0);
    let state = |code: i32| -> Vec<Value> {
        let rows = run(&format!("outdated --json --exit-code {by_image}")).exits(code).json();
        rows.as_array().cloned().unwrap_or_default()
    };
    assert_eq!(state(0).len(), 2);
    run(&format!("update-image --refresh {by_image}")).succeeds().says(&["2 services: 2 unchanged"]);

    registry.push_new("next");
    let next = registry.push_as("next", "a");
    assert_eq!(state(10).len(), 2);
    let updated = run(&format!("update-image --refresh --canary 1 {by_image}")).succeeds();
    assert_eq!((image(engine, "se-reg-a"), image(engine, "se-reg-b")), (pinned(&next), pinned(&next)));
    updated.says(&["selected 2 services to update: se-reg-a, se-reg-b", "2 services: 2 updated"]);
    // --tag sets one tag for all selected services. An unknown tag is reported before the first update.
    run(&format!("update-image --tag nosuch --on-resolve-error fail {by_image}")).fails_with(Exit::Failed);
    assert_eq!(image(engine, "se-reg-a"), pinned(&next));
    let next_image = registry.image("next");
    run(&format!("update-image --tag next {by_image} --json")).succeeds();
    assert_eq!(image(engine, "se-reg-a"), pinned(&next), "{next_image}: the same digest is the same image");
    assert_eq!(engine.service("se-reg-c")["UpdateStatus"], json!(null));
}
