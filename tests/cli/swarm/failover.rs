//! Three real managers; one of them is killed, paused or disconnected during the work. Afterwards every service must be
//! as swarmctl reported, and nothing may be applied twice.
//!
//! These variables, with their defaults in parentheses, select what is run; `scripts/reliability` sets larger numbers:
//! * `SWARMCTL_TEST_FAULTS`: the faults (`kill`)
//! * `SWARMCTL_TEST_UPDATES`: the number of updates in the batch (300)
//! * `SWARMCTL_TEST_ROUNDS`: for each of the faults, the number of single updates during which it happens at a random moment (0)
//! * `SWARMCTL_TEST_JOURNAL_ROUNDS`: the number of recorded batches during which the leader is killed (1)

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::history::managers::recorded_batches_through;
use super::managers::Managers;
use crate::support::figures::{count_from_env, record_figure};
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::Run;

const STACK: &str = "fleet";

#[test]
fn reports_are_true_whatever_happens_to_the_leader() {
    let managers = Managers::start();
    let faults = std::env::var_os("SWARMCTL_TEST_FAULTS")
        .map_or_else(|| "kill".to_owned(), |it| it.to_string_lossy().into_owned());
    let updates = count_from_env("SWARMCTL_TEST_UPDATES", 300);
    make_services(&managers, updates);
    let mut image = OLD;
    for fault in faults.split_whitespace() {
        image = if image == OLD { NEW } else { OLD };
        batch_through(&managers, fault, image);
    }
    let rounds = count_from_env("SWARMCTL_TEST_ROUNDS", 0);
    for fault in faults.split_whitespace().filter(|_| rounds > 0) {
        single_updates_through(&managers, fault, rounds);
    }
    let rounds = count_from_env("SWARMCTL_TEST_JOURNAL_ROUNDS", 1);
    recorded_batches_through(&managers, STACK, rounds);
}

/// Runs a batch, and injects a fault of the leader meanwhile.
fn batch_through(managers: &Managers, fault: &str, image: &str) {
    let leader = managers.wait_until_whole();
    let other = leader % 3 + 1;
    let before = fleet(managers, other);
    // Because of `--force`, ForceUpdate counts the posts.
    let args = ["update-image", "--detach", "--no-resolve-image", "--force", "--parallel", "8", "--json"];
    let mut running = managers.swarmctl(leader, &[&args[..], &["--stack", STACK, image]].concat()).spawn();
    let started = Instant::now();
    let done_before = loop {
        let done = changed(&before, &fleet(managers, other));
        if done >= before.len() / 20 {
            break done;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "the batch does not start");
    };
    let fault_at = Instant::now();
    managers.inject_fault(fault, leader);
    let (run, silence) = managers.watch(leader, fault_at, || running.wait());
    assert!(
        done_before < before.len() && run.took > fault_at - started,
        "the batch ended before the fault: {}",
        run.report()
    );

    managers.reverse_fault(fault, leader);
    managers.wait_until_whole();
    let after = fleet(managers, other);
    let (done, not_applied) = judge(&before, &after, image, &run);
    record_figure(
        &format!("{} updates in one batch, the leader {}", before.len(), describe_fault(fault)),
        &format!(
            "{done_before} were done when it happened; exit code {}; {done} applied once, {not_applied} reported as not applied, 0 false reports; \
             another manager responded after {:.1} s, the batch ended after {:.1} s",
            run.code.map_or_else(|| "none".to_owned(), |code| code.to_string()),
            silence.as_secs_f64(),
            (run.took - (fault_at - started)).as_secs_f64(),
        ),
    );
    if run.code != Some(0) {
        eprintln!("swarmctl printed:\n{}", run.stderr);
    }
    // A second run updates the remaining services.
    let rest = managers
        .swarmctl(leader, &["update-image", "--detach", "--no-resolve-image", "--stack", STACK, image]);
    rest.run().succeeds();
    let names: Vec<&String> = before.keys().collect();
    let now = fleet(managers, other);
    let images =
        names.iter().filter(|name| now[**name]["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == image);
    assert_eq!(images.count(), names.len());
}

/// The number of services with the requested image, and the number of services whose update is not reported as applied.
/// A false report fails the test.
fn judge(before: &Fleet, after: &Fleet, image: &str, run: &Run) -> (usize, usize) {
    let report = run.json();
    assert_eq!(report["exit_code"].as_i64(), run.code.map(i64::from), "{}", run.report());
    let services = report["services"].as_array().expect("services");
    assert_eq!(services.len(), before.len(), "{}", run.report());
    let (mut done, mut not_applied) = (0, 0);
    for service in services {
        let name = service["name"].as_str().expect("a name");
        let (old, new) = (&before[name], &after[name]);
        let is_new = new["Version"]["Index"] != old["Version"]["Index"];
        if is_new {
            let mut expected = old["Spec"].clone();
            expected["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
            expected["TaskTemplate"]["ForceUpdate"] = (count(old) + 1).into();
            assert_eq!(new["Spec"], expected, "{name}: {service}");
            assert_eq!(new["PreviousSpec"], old["Spec"], "{name} was done twice: {service}");
            done += 1;
        } else {
            assert_eq!(new["Spec"], old["Spec"], "{name}: {service}");
        }
        let is_true = match (service["outcome"].as_str(), &service["posted"]) {
            (Some("applied"), posted) => is_new && *posted == true,
            (_, Value::Bool(posted)) => *posted == is_new,
            // swarmctl reports that the result is unknown.
            (_, _) => service["exit_code"] == 9,
        };
        assert!(is_true, "applied: {is_new}, reported: {service}\nexit code {:?}\n{}", run.code, run.stderr);
        not_applied += usize::from(service["outcome"] != "applied");
    }
    assert!((run.code == Some(0)) == (not_applied == 0), "{}", run.report());
    (done, not_applied)
}

/// Runs one update at a time, and injects the fault into the leader at a random moment of each.
fn single_updates_through(managers: &Managers, fault: &str, rounds: usize) {
    let mut endings: BTreeMap<String, usize> = BTreeMap::new();
    let mut longest = Duration::ZERO;
    // Each fault occurs within this time, the duration of an update without a fault.
    let leader = managers.wait_until_whole();
    let args = ["update", "--detach", "--force", "fleet-1"];
    let duration =
        (0..5).map(|_| managers.swarmctl(leader, &args).run().succeeds().took).min().unwrap_or_default();
    for round in 0..rounds {
        let leader = managers.wait_until_whole();
        let other = leader % 3 + 1;
        let engine = managers.engine(other);
        let before = engine.service("fleet-0");
        let label = format!("{fault}-{round}");
        let args = ["update", "--detach", "--force", "--label-add", &format!("{label}=1"), "fleet-0"];
        let inject_fault = managers.fault_on_call(fault, leader);
        let mut running = managers.swarmctl(leader, &args).spawn();
        thread::sleep(duration.mul_f64(fastrand::f64()));
        inject_fault();
        let run = running.wait();
        managers.reverse_fault(fault, leader);
        managers.wait_until_whole();
        let after = engine.service("fleet-0");
        let posts = count(&after) - count(&before);
        let is_applied = after["Spec"]["Labels"][&label] == "1";
        assert_eq!(posts, u64::from(is_applied), "{}", run.report());
        match run.code {
            Some(0) => assert!(is_applied, "{}", run.report()),
            Some(9) => {}
            _ => assert!(!is_applied, "{}", run.report()),
        }
        let code = run.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        *endings
            .entry(format!("exit code {code}, {}", if is_applied { "applied" } else { "not applied" }))
            .or_default() += 1;
        longest = longest.max(run.took);
    }
    let endings: Vec<String> = endings.iter().map(|(ending, count)| format!("{count} x {ending}")).collect();
    record_figure(
        &format!("{rounds} single updates, the leader {} at a random moment of each", describe_fault(fault)),
        &format!(
            "0 false reports, none applied twice ({}); the longest took {:.1} s",
            endings.join(", "),
            longest.as_secs_f64()
        ),
    );
}

type Fleet = BTreeMap<String, Value>;

fn changed(before: &Fleet, after: &Fleet) -> usize {
    before.iter().filter(|(name, old)| after[*name]["Version"]["Index"] != old["Version"]["Index"]).count()
}

/// The number of posts with `--force` that a service received.
fn count(service: &Value) -> u64 {
    service["Spec"]["TaskTemplate"]["ForceUpdate"].as_u64().unwrap_or(0)
}

fn describe_fault(fault: &str) -> &str {
    match fault {
        "kill" => "killed (SIGKILL)",
        "pause" => "paused (SIGSTOP)",
        "cut" => "cut off (its link is down)",
        other => other,
    }
}

fn make_services(managers: &Managers, number: usize) {
    let engine = managers.engine(managers.wait_until_whole());
    for n in 0..number {
        let spec = json!({
            "Name": format!("fleet-{n}"),
            "Labels": { "com.docker.stack.namespace": STACK },
            "TaskTemplate": { "ContainerSpec": { "Image": OLD, "Env": ["A=1", "B=<&>"] } },
            "Mode": { "Replicated": { "Replicas": 0 } }
        });
        engine.ask("POST", "/services/create", Some(&spec));
    }
}

/// The services of the batch by name, as this manager lists them.
fn fleet(managers: &Managers, n: usize) -> Fleet {
    let all = managers.engine(n).ask("GET", "/services", None);
    let all = all.as_array().expect("a list").iter();
    let named = all.map(|it| (it["Spec"]["Name"].as_str().expect("a name").to_owned(), it.clone()));
    named.filter(|(name, _)| name.starts_with("fleet-")).collect()
}
