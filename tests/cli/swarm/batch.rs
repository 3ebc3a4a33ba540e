//! Many services with one command on a real engine: which are updated, which are not, and their state afterwards.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD, OTHER};
use crate::support::run::{Run, Swarmctl};

const BAD: &str = "opera443399/whoami:bad";
const SECOND: u64 = 1_000_000_000;

/// The services `STACK-a`, `STACK-b` ... with the label of `docker stack deploy`, each with one running task.
pub(super) fn stack(stack: &str, names: &[&str]) -> Vec<Removed> {
    stack_of(stack, names, |_| ())
}

/// Like [`stack`]. `change` is applied to each spec before the service is created.
fn stack_of(stack: &str, names: &[&str], change: impl Fn(&mut Value)) -> Vec<Removed> {
    let make = |name: &&str| {
        let mut spec = small(&format!("{stack}-{name}"), OLD);
        spec["Labels"] =
            json!({ "com.docker.stack.namespace": stack, "com.docker.stack.image": "opera443399/whoami" });
        spec["TaskTemplate"]["ContainerSpec"]["Labels"] = json!({ "com.docker.stack.namespace": stack });
        change(&mut spec);
        engine().create(&spec)
    };
    let services: Vec<Removed> = names.iter().map(make).collect();
    engine().wait_until("all run", |engine| services.iter().all(|one| engine.running_tasks(one.id()) == 1));
    services
}

/// Like [`stack`], with a monitor period that is long enough for the bad image to fail on a busy machine.
fn patient_stack(stack: &str, names: &[&str]) -> Vec<Removed> {
    stack_of(stack, names, |spec| spec["UpdateConfig"]["Monitor"] = (4 * SECOND).into())
}

/// `update-image` without requests to a registry, with the words of the line and then `more`.
fn set(line: &str, more: &[&str]) -> Swarmctl {
    let words: Vec<&str> = line.split_whitespace().collect();
    engine().swarmctl(&[&["update-image", "--no-resolve-image"], words.as_slice(), more].concat())
}

pub(super) fn swarmctl(line: &str) -> Run {
    engine().swarmctl(&line.split_whitespace().collect::<Vec<_>>()).run()
}

pub(super) fn image(engine: &Engine, name: &str) -> String {
    let service = engine.service(name);
    service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default().to_owned()
}

fn images(stack: &str, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| image(engine(), &format!("{stack}-{name}"))).collect()
}

/// Name and outcome of each service, in the order of the JSON and without the stack's name: `a converged`.
pub(super) fn outcomes(run: &Run) -> Vec<String> {
    let of = |service: &Value| {
        let name = service["name"].as_str().unwrap();
        let name = name.rsplit_once('-').map_or(name, |(_, name)| name);
        format!("{name} {}", service["outcome"].as_str().unwrap())
    };
    run.json()["services"].as_array().unwrap().iter().map(of).collect()
}

fn running(services: &[Removed]) -> Vec<usize> {
    services.iter().map(|one| engine().running_tasks(one.id())).collect()
}

#[test]
fn the_others_are_updated_only_if_the_canaries_converge() {
    let services = patient_stack("ba-can", &["a", "b", "c", "d"]);
    let run = set("--stack ba-can --canary 1 --json", &[BAD]).run().fails_with(Exit::RolloutFailed);
    assert_eq!(outcomes(&run), ["a failed", "b not_started", "c not_started", "d not_started"]);
    run.says(&["3 services were not updated: ba-can-b, ba-can-c, ba-can-d", "--canary"])
        .says(&["whoami: cannot open /etc/whoami.conf", "4 services: 1 failed, 3 not started"]);
    assert_eq!(images("ba-can", &["a", "b", "c", "d"]), [BAD, OLD, OLD, OLD]);
    let run = set("--stack ba-can --canary 2 --json", &[NEW]).run().succeeds();
    assert!(outcomes(&run).iter().all(|one| one.ends_with(" converged")), "{}", run.report());
    assert_eq!(running(&services), [1; 4]);
    // According to the engine's timestamps, the others were not started together with the last canary, but at least a
    // second later.
    let begun = |name: &str| -> Timestamp {
        engine().service(name)["UpdateStatus"]["StartedAt"].as_str().unwrap().parse().unwrap()
    };
    let waited = begun("ba-can-c").duration_since(begun("ba-can-b"));
    assert!(waited.as_millis() >= 1000, "{waited:?}\n{}", run.report());
}

#[test]
fn no_more_services_are_started_after_max_failures() {
    for (max, begun, stack_name) in [("1", 1, "ba-max1"), ("0", 3, "ba-max0")] {
        let _services = patient_stack(stack_name, &["a", "b", "c"]);
        let pairs =
            [("a", BAD), ("b", BAD), ("c", NEW)].map(|(name, to)| format!("{stack_name}-{name}={to}"));
        let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
        let run = set(&format!("--parallel 1 --max-failures {max} --json"), &pairs)
            .run()
            .fails_with(Exit::RolloutFailed);
        let expected = [("a", "failed"), ("b", "failed"), ("c", "converged")]
            .iter()
            .enumerate()
            .map(|(at, (name, how))| format!("{name} {}", if at < begun { how } else { "not_started" }))
            .collect::<Vec<_>>();
        assert_eq!(outcomes(&run), expected, "{max}");
        assert_eq!(images(stack_name, &["c"]), [if begun == 3 { NEW } else { OLD }]);
    }
}

#[test]
fn rollback_of_all_undoes_what_has_converged_in_reverse_order_and_the_tasks_are_the_old_ones() {
    let services = patient_stack("ba-all", &["a", "b", "c", "d"]);
    let pairs =
        [("a", NEW), ("b", NEW), ("c", BAD), ("d", NEW)].map(|(name, to)| format!("ba-all-{name}={to}"));
    let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
    let run = set("--parallel 1 --rollback-on-failure=all --json", &pairs).run().fails_with(Exit::RolledBack);
    assert_eq!(outcomes(&run), ["a rolled_back", "b rolled_back", "c rolled_back", "d not_started"]);
    run.says(&[
        "2 services were restored to their previous state: ba-all-a, ba-all-b",
        "4 services: 3 rolled back, 1 not started",
    ]);
    assert_eq!(images("ba-all", &["a", "b", "c", "d"]), [OLD; 4]);
    assert_eq!(running(&services), [1; 4]);
    let started = ["c", "b", "a"].map(|name| {
        let status = engine().service(&format!("ba-all-{name}"))["UpdateStatus"].clone();
        assert!(status["State"].as_str().unwrap().starts_with("rollback"), "{status}");
        status["StartedAt"].as_str().unwrap().to_owned()
    });
    assert!(started.is_sorted(), "the last first: {started:?}");
    assert!(engine().service("ba-all-d")["UpdateStatus"].is_null(), "nothing was ever posted to it");
    swarmctl("status --stack ba-all").succeeds();
}

#[test]
fn reads_services_and_images_from_a_file() {
    let _services = stack("ba-from", &["a", "b"]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("images.txt");
    let path = file.to_str().unwrap();
    fs::write(
        &file,
        format!("\u{feff}# today\r\n\r\nba-from-a {NEW}\r\nba-from-b\t{OTHER}\r\nba-from-a {NEW}"),
    )
    .unwrap();
    let run = set("--json --from", &[path]).run().succeeds();
    assert_eq!(outcomes(&run), ["a converged", "b converged"]);
    assert_eq!(images("ba-from", &["a", "b"]), [NEW, OTHER]);
    // The output of `inspect` can be used as a list. Its images are those of the services, so nothing changes.
    let shown = swarmctl("inspect ba-from-a ba-from-b").succeeds().stdout;
    let run = set("--json --from -", &[]).stdin(&shown).run().succeeds();
    assert_eq!(outcomes(&run), ["a unchanged", "b unchanged"]);
    // It is noticed before the first post that a service does not exist.
    fs::write(&file, format!("ba-from-a {OLD}\nba-from-nosuch {OLD}\n")).unwrap();
    let run = set("--json --from", &[path]).run().fails_with(Exit::NotFound);
    assert_eq!(outcomes(&run), ["a not_started", "nosuch no_such_service"]);
    assert_eq!(images("ba-from", &["a"]), [NEW]);
    for bad in [directory.path().to_str().unwrap(), "/nonexistent", "/dev/null"] {
        set("--from", &[bad]).run().fails_with(Exit::Usage).says(&["--from"]);
    }
}

#[test]
fn a_tag_is_set_and_each_keeps_its_repository() {
    let _services = stack("ba-tag", &["a", "b"]);
    engine().change("ba-tag-b", |spec| spec["Mode"]["Replicated"]["Replicas"] = 0.into());
    engine()
        .change("ba-tag-b", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/api:1.7".into());
    set("--stack ba-tag --tag 0.6", &[]).run().succeeds().prints(&["shop/api:1.7 -> 0.6"]);
    assert_eq!(images("ba-tag", &["a", "b"]), [NEW, "shop/api:0.6"]);
    set("--filter image=shop/api --filter label=com.docker.stack.namespace=ba-tag", &["shop/api:2"])
        .run()
        .succeeds();
    assert_eq!(images("ba-tag", &["a", "b"]), [NEW, "shop/api:2"]);
}

#[test]
fn jobs_of_a_stack_are_left_alone_and_do_not_run_again() {
    let _services = stack("ba-job", &["a"]);
    let mut spec = small("ba-job-once", "opera443399/whoami:once");
    spec["Labels"] = json!({ "com.docker.stack.namespace": "ba-job" });
    spec["Mode"] = json!({ "ReplicatedJob": { "TotalCompletions": 1, "MaxConcurrent": 1 } });
    for policy in ["UpdateConfig", "RollbackConfig"] {
        spec.as_object_mut().unwrap().remove(policy);
    }
    let job = engine().create(&spec);
    swarmctl("wait --filter name=ba-job-once").succeeds();
    let before = engine().service("ba-job-once");
    let line = "--stack ba-job";
    set(line, &[NEW]).run().succeeds().says(&["skipped 1 job", "ba-job-once"]);
    for command in ["rollback", "update --env-add A=1", "restart"] {
        swarmctl(&format!("{command} {line}")).succeeds();
    }
    // There are no credentials for the other service.
    swarmctl(&format!("auth refresh {line}")).fails_with(Exit::Failed).says(&["skipped 1 job"]);
    swarmctl(&format!("scale {line} 2")).succeeds().says(&["skipped 1 job"]);
    let after = engine().service("ba-job-once");
    assert_eq!(before["JobStatus"], after["JobStatus"]);
    assert_eq!(before["Version"], after["Version"], "nothing at all was posted");
    assert_eq!(engine().tasks_left(job.id()), 1);
    // Commands that read, wait or remove include the job.
    swarmctl(&format!("status {line}")).succeeds().prints(&["ba-job-once"]);
    swarmctl(&format!("ps {line}")).succeeds().prints(&["ba-job-once."]);
    swarmctl(&format!("rm {line} --yes")).succeeds().says(&["2 services: 2 removed"]);
    assert!(!engine().has_service("ba-job-once"));
}

#[test]
fn a_service_that_is_removed_or_changed_meanwhile_does_not_affect_the_others() {
    let _services = stack("ba-mid", &["a", "b", "c", "d", "e"]);
    let line = "--stack ba-mid --parallel 1 --max-failures 0 --json";
    let mut run = set(line, &[NEW]).spawn();
    engine().wait_until("the first is posted", |engine| image(engine, "ba-mid-a") == NEW);
    swarmctl("rm ba-mid-b").succeeds();
    engine().change("ba-mid-c", |spec| spec["Labels"]["theirs"] = "1".into());
    engine().change("ba-mid-d", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = OTHER.into());
    // Another writer that sets the same value is not a conflict.
    engine().change("ba-mid-e", |spec| spec["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into());
    let run = run.wait().fails_with(Exit::Conflict);
    let expected = ["a converged", "b no_such_service", "c converged", "d conflict"];
    assert_eq!(outcomes(&run)[..4], expected, "{}", run.report());
    assert_eq!(images("ba-mid", &["a", "c", "d", "e"]), [NEW, NEW, OTHER, NEW]);
    assert_eq!(engine().service("ba-mid-c")["Spec"]["Labels"]["theirs"], "1", "{}", run.report());
    run.says(&["conflicting change to", OTHER]);
}

#[test]
fn an_interrupted_batch_reports_every_state_and_starts_nothing_more() {
    let _services = stack_of("ba-int", &["a", "b", "c", "d"], |spec| {
        if spec["Name"] == "ba-int-b" {
            spec["UpdateConfig"]["Monitor"] = (60 * SECOND).into();
        }
    });
    let mut running = set("--stack ba-int --parallel 1 --json", &[NEW]).spawn();
    engine().wait_until("the second is posted", |engine| image(engine, "ba-int-b") == NEW);
    running.signal("INT");
    let run = running.wait().fails_with(Exit::Interrupted);
    let expected = ["a converged", "b interrupted", "c not_started", "d not_started"];
    assert_eq!(outcomes(&run), expected, "{}", run.report());
    let run = run
        .says(&["stopped waiting for the rollout", "`swarmctl wait ba-int-b`", "2 services were not updated"])
        .says(&["4 services: 1 updated, 1 interrupted, 2 not started"]);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(images("ba-int", &["a", "b", "c", "d"]), [NEW, NEW, OLD, OLD], "{}", run.report());
    for name in ["ba-int-c", "ba-int-d"] {
        assert!(engine().service(name)["UpdateStatus"].is_null());
    }
}
