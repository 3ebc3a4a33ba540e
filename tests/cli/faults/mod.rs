//! The exit code is true, wherever a request or a response breaks.
//!
//! Every command that changes services is run many times, each time with one fault at another place or of another kind
//! (`classes`). After each run, the report is compared with the state of the engine (`trial`). The tests use a sample of
//! the faults; `scripts/reliability cuts` uses many more (`SWARMCTL_TEST_FAULT_STEP=1`, see [`FaultClass::bytes`]).
//!
//! * After a single fault, the command ends as without it, and the change was applied exactly once. Only `create`
//!   without a name does not repeat a lost post: it exits with 8 if the post was not applied.
//! * After a permanent fault, the change was applied at most once. If it was applied, the exit code is 9 or as without
//!   the fault, or 7 if the command was waiting for the rollout. If it was not applied, the exit code is 8, or possibly
//!   9 if something was posted. A few commands have further exit codes ([`Case::other_codes`]).
//! * A response that stalls until `--timeout` expires has the effects of a permanent fault.

mod cases;
mod classes;
mod held_cases;
mod more_cases;
mod recorded_cases;
mod scenarios;
mod trial;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use self::cases::{CASES, Case};
use self::classes::{FaultClass, Plan};
use self::held_cases::HELD_CASES;
use self::more_cases::MORE_CASES;
use self::recorded_cases::RECORDED_CASES;
use self::trial::{Trial, tell};
use crate::support::run::load;
use crate::support::server::lock;

/// Number of runs at the same time. A run spends nearly all of its time waiting, so one core is enough for all of them.
const WORKERS: usize = 40;
/// Number of runs at the same time if the faults are more than a sample. No other tests are running then.
const MORE_WORKERS: usize = 160;

#[test]
fn succeeds_if_a_response_is_cut_off_once() {
    check(FaultClass::Cut);
}

#[test]
fn reports_are_true_if_a_response_is_cut_off_permanently() {
    check(FaultClass::CutForGood);
}

#[test]
fn reports_are_true_if_the_rest_of_a_response_is_garbage() {
    check(FaultClass::Garbage);
}

#[test]
fn reports_are_true_if_a_response_is_not_an_engines() {
    check(FaultClass::Kinds);
}

#[test]
fn reports_are_true_if_a_request_is_lost_or_cut_off() {
    check(FaultClass::Requests);
}

#[test]
fn reports_are_true_if_a_response_stalls() {
    check(FaultClass::Stall);
}

#[test]
fn looks_up_a_post_whose_response_stalled_for_a_minute() {
    // These runs take a minute on every machine, so they are not part of the sample.
    if classes::is_whole() {
        check(FaultClass::LongStall);
    }
}

/// Runs all commands with all faults of a class, and checks each run.
fn check(class: FaultClass) {
    let plans: Vec<(&'static Case, Plan)> = all_cases()
        .flat_map(|case| classes::plans(case, class).into_iter().map(move |plan| (case, plan)))
        .collect();
    let trials = try_all(&plans);
    let mut wrong = Vec::new();
    for case in all_cases() {
        wrong.extend(tell(case, class, trials.iter().filter(|trial| trial.case.name == case.name)));
    }
    let shown: Vec<&str> = wrong.iter().take(6).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} ends are wrong; the first:\n{}", wrong.len(), shown.join("\n"));
}

fn all_cases() -> impl Iterator<Item = &'static Case> {
    [CASES, MORE_CASES, HELD_CASES, RECORDED_CASES].into_iter().flatten()
}

fn try_all(plans: &[(&'static Case, Plan)]) -> Vec<Trial> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = if classes::is_sample() { WORKERS } else { MORE_WORKERS };
    thread::scope(|scope| {
        for _ in 0..workers.min(plans.len()) {
            scope.spawn(|| {
                while let Some((case, plan)) = plans.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let _load = load();
                    let trial = Trial::run(case, plan, Duration::from_secs(100));
                    lock(&done).push(trial);
                }
            });
        }
    });
    done.into_inner().expect("no worker has panicked")
}
