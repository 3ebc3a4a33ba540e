//! Kills the leader of three managers at certain moments of a recorded batch: nothing may be posted without a record,
//! the journal must state what the swarm holds, and `undo` must work. The test in `failover` calls this.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::check_states;
use crate::support::figures::record_figure;
use crate::support::fixtures::OTHER;
use crate::support::run::{Run, Swarmctl};
use crate::swarm::engine::Engine;
use crate::swarm::managers::Managers;

/// When the leader is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// As soon as the record exists.
    Recorded,
    /// When half of the services are updated.
    Half,
    /// When all services are updated.
    Posted,
}

const MOMENTS: [(Moment, &str); 3] = [
    (Moment::Recorded, "after the record"),
    (Moment::Half, "between the posts"),
    (Moment::Posted, "before the outcome"),
];

/// swarmctl with these arguments and with the journal of the swarm.
fn on(managers: &Managers, first: usize, args: &[&str]) -> Swarmctl {
    managers.swarmctl(first, args).env("SWARMCTL_JOURNAL", "swarm").env("USER", "ann")
}

/// The specs of the services of the stack as text, by service name.
fn specs(engine: &Engine, stack: &str) -> BTreeMap<String, String> {
    let all = engine.ask("GET", "/services", None);
    let all = all.as_array().expect("a list").iter();
    let of_stack = all.filter(|it| it["Spec"]["Labels"]["com.docker.stack.namespace"] == stack);
    let pair = |it: &Value| (it["Spec"]["Name"].as_str().expect("a name").to_owned(), it["Spec"].to_string());
    of_stack.map(pair).collect()
}

/// Runs recorded batches with the services of a stack, and kills the leader in each.
pub fn recorded_batches_through(managers: &Managers, stack: &str, rounds: usize) {
    let leader = managers.wait_until_whole();
    on(managers, leader, &["journal", "enable"]).run().succeeds();
    let mut endings: [BTreeMap<String, usize>; MOMENTS.len()] = Default::default();
    for round in 0..rounds {
        let at = round % MOMENTS.len();
        let ending = one_batch_through(managers, stack, MOMENTS[at].0, round + 1);
        *endings[at].entry(ending).or_default() += 1;
    }
    for ((_, words), endings) in MOMENTS.iter().zip(endings).filter(|(_, endings)| !endings.is_empty()) {
        let texts: Vec<String> =
            endings.iter().map(|(ending, count)| format!("{count} x {ending}")).collect();
        record_figure(
            &format!("recorded batches, the leader of three managers killed {words}"),
            &texts.join("; "),
        );
    }
    on(managers, managers.wait_until_whole(), &["journal", "disable", "--purge"]).run().succeeds();
}

fn one_batch_through(managers: &Managers, stack: &str, moment: Moment, round: usize) -> String {
    let leader = managers.wait_until_whole();
    let other = leader % 3 + 1;
    let engine = managers.engine(other);
    let before = specs(&engine, stack);
    let number = newest_run(managers, leader) + 1;
    let args = ["update-image", "--detach", "--no-resolve-image", "--journal", "required", "--json"];
    let kill = managers.fault_on_call("kill", leader);
    let mut running = on(managers, leader, &[&args[..], &["--stack", stack, OTHER]].concat()).spawn();
    let began = Instant::now();
    let config = format!("/configs/swarmctl.run.{number}");
    while !has_come(moment, &engine, &config, &before, stack) {
        assert!(began.elapsed() < Duration::from_secs(60), "{moment:?} does not come");
        thread::sleep(Duration::from_millis(2));
    }
    kill();
    let run = running.wait();
    managers.reverse_fault("kill", leader);
    managers.wait_until_whole();
    let after = specs(&engine, stack);
    let changed = after.iter().filter(|(name, spec)| before[*name] != **spec).count();
    let is_recorded = matches!(engine.try_ask("GET", &config, None), Ok((200, _)));
    assert!(is_recorded || changed == 0, "posted without a record\n{}", run.report());
    let outcome = if is_recorded {
        judged(managers, &engine, number, &before, &after, &run)
    } else {
        "none".to_owned()
    };
    if is_recorded {
        on(managers, other, &["undo", "--detach", &number.to_string()]).run().succeeds();
    }
    assert_eq!(specs(&engine, stack), before, "every spec is as before, round {round}");
    let code = run.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
    format!(
        "exit code {code}, {changed} of {} updated, recorded with the outcome `{outcome}`, undone completely",
        before.len()
    )
}

fn has_come(
    moment: Moment,
    engine: &Engine,
    config: &str,
    before: &BTreeMap<String, String>,
    stack: &str,
) -> bool {
    let changed = || specs(engine, stack).iter().filter(|(name, spec)| before[*name] != **spec).count();
    match moment {
        Moment::Recorded => matches!(engine.try_ask("GET", config, None), Ok((200, _))),
        Moment::Half => changed() >= before.len() / 2,
        Moment::Posted => changed() == before.len(),
    }
}

/// Returns the recorded outcome. Requires that it agrees with the exit code and with the services.
fn judged(
    managers: &Managers,
    engine: &Engine,
    number: u64,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    run: &Run,
) -> String {
    let leader = managers.wait_until_whole();
    let shown = on(managers, leader, &["history", "--json", "--run", &number.to_string()]).run().succeeds();
    let shown = shown.json()["runs"][0].clone();
    let outcome = shown["outcome"].as_str().expect("an outcome").to_owned();
    if outcome != "started" {
        assert_eq!(shown["exit_code"].as_i64(), run.code.map(i64::from), "{shown}\n{}", run.report());
    }
    assert_eq!(
        check_states(&super::shown(engine, number), before, after),
        before.len(),
        "the record is complete"
    );
    outcome
}

fn newest_run(managers: &Managers, first: usize) -> u64 {
    let json = on(managers, first, &["history", "--json", "-n", "1"]).run().succeeds().json();
    json["runs"][0]["run"].as_u64().unwrap_or(0)
}
