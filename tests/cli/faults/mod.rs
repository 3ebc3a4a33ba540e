//! The exit status is the truth, wherever a request or an answer breaks.
//!
//! Every acting command is run again and again on an engine that goes wrong once, each time in another place and another way
//! (`sorts`); then what it said is compared with what the engine holds (`trial`). `scripts/reliability cuts` takes every
//! byte (`SWARMCTL_TEST_FAULT_STEP=1`; [`Sort::bytes`]), the tests a sample.
//!
//! * What breaks does so once: the command ends as if nothing had been, and it was applied exactly once.
//! * It does so for good: what was applied was so once, and the command ends with its own code, 7 (it was watching) or 9; what
//!   was not ends with 9, or with 8 where nothing was sent.
//! * An answer stalls, and `--timeout` ends it: the same.

mod cases;
mod scenarios;
mod sorts;
mod trial;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use self::cases::{CASES, Case};
use self::sorts::{Plan, Sort};
use self::trial::{Trial, tell};
use crate::support::run::load;
use crate::support::server::lock;

/// Nearly all of a run is spent waiting, so one core can execute this number of them.
const WORKERS: usize = 40;
/// Where more than a sample is tried nothing else goes on beside it.
const MORE_WORKERS: usize = 160;

#[test]
fn ends_well_wherever_an_answer_breaks_off_and_later_connections_work() {
    check(Sort::Cut);
}

#[test]
fn says_no_wrong_word_wherever_an_answer_breaks_off_for_good() {
    check(Sort::CutForGood);
}

#[test]
fn says_no_wrong_word_where_the_rest_of_an_answer_is_garbage() {
    check(Sort::Garbage);
}

#[test]
fn says_no_wrong_word_where_what_answers_is_no_engine() {
    check(Sort::Kinds);
}

#[test]
fn says_no_wrong_word_where_a_request_is_not_sent_or_not_to_its_end() {
    check(Sort::Requests);
}

#[test]
fn says_no_wrong_word_where_an_answer_stalls() {
    check(Sort::Stall);
}

#[test]
fn looks_up_what_became_of_a_post_whose_answer_stalled_for_a_minute() {
    // It takes that minute, whatever the machine: tried where there is time for it.
    if sorts::is_whole() {
        check(Sort::LongStall);
    }
}

/// Runs all commands with all faults of a sort, and judges each.
fn check(sort: Sort) {
    let plans: Vec<(&'static Case, Plan)> = CASES
        .iter()
        .flat_map(|case| sorts::plans(case, sort).into_iter().map(move |plan| (case, plan)))
        .collect();
    let trials = try_all(&plans);
    let mut wrong = Vec::new();
    for case in CASES {
        wrong.extend(tell(case, sort, trials.iter().filter(|trial| trial.case.name == case.name)));
    }
    let shown: Vec<&str> = wrong.iter().take(6).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} ends are wrong; the first:\n{}", wrong.len(), shown.join("\n"));
}

fn try_all(plans: &[(&'static Case, Plan)]) -> Vec<Trial> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = if sorts::is_sample() { WORKERS } else { MORE_WORKERS };
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
