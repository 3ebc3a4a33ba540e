//! The exit status is the truth, wherever an answer breaks off.
//!
//! Every answer of the engine to a command is broken after every Nth byte (`SWARMCTL_TEST_FAULT_STEP`, 7 where it
//! is not set; `scripts/reliability` takes every byte). Afterwards the exit code is compared with what the engine
//! holds.
//!
//! * Later connections work: the command ends 0, and it was applied exactly once.
//! * All later ones are closed, or refused: 0 or 9 if it was applied; if not, 9, and 8 where nothing was posted.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::fake_swarm::{Break, FakeSwarm};
use crate::support::fixtures::{NEW, OLD, spec};
use crate::support::run::{Run, load, swarmctl};
use crate::support::server::{Door, Fault, Framing, lock};

/// Bytes from one break to the next, where the environment says nothing.
const STEP: usize = 7;
/// Nearly all of a run is spent waiting, so many fit on one core.
const WORKERS: usize = 40;

/// A command whose engine misbehaves.
struct Case {
    name: &'static str,
    args: &'static [&'static str],
    /// How many times fewer breaks will do where not every byte is asked for.
    coarse: usize,
    swarm: fn() -> FakeSwarm,
    /// How often what the command wants was made so; the second: whether it is so now.
    applied: fn(&FakeSwarm) -> (usize, bool),
}

const UPDATE_IMAGE: Case = Case {
    name: "update-image",
    args: &["update-image", "--detach", "--no-resolve-image", "t001", NEW],
    coarse: 1,
    swarm: || FakeSwarm::with([spec("t001", OLD)]),
    applied: |swarm| {
        let service = swarm.service("t001");
        (service.taken.len(), service.image() == NEW)
    },
};

const FORCE: Case = Case {
    name: "update-image --force",
    args: &["update-image", "--detach", "--no-resolve-image", "--force", "t001", OLD],
    coarse: 5,
    swarm: || FakeSwarm::with([spec("t001", OLD)]),
    applied: |swarm| {
        let service = swarm.service("t001");
        (service.taken.len(), service.spec["TaskTemplate"]["ForceUpdate"] == 1)
    },
};

const CREATE: Case = Case {
    name: "create --name",
    args: &["create", "--detach", "--no-resolve-image", "--name", "t001", "-p", "22222:80", OLD],
    coarse: 1,
    swarm: FakeSwarm::start,
    applied: created,
};

const CREATE_NAMELESS: Case = Case {
    name: "create",
    args: &["create", "--detach", "--no-resolve-image", "-e", "A=1", OLD],
    coarse: 3,
    swarm: FakeSwarm::start,
    applied: created,
};

const RM: Case = Case {
    name: "rm",
    args: &["rm", "t001"],
    coarse: 3,
    swarm: || FakeSwarm::with([spec("t001", OLD)]),
    applied: |swarm| {
        let gone = swarm.world().services.is_empty();
        (usize::from(gone), gone)
    },
};

fn created(swarm: &FakeSwarm) -> (usize, bool) {
    let made = swarm.world().services.len();
    (made, made == 1)
}

#[test]
fn update_image_ends_well_wherever_an_answer_breaks_and_later_connections_work() {
    check(&UPDATE_IMAGE, Door::Open);
}

#[test]
fn update_image_says_no_wrong_word_wherever_an_answer_breaks_for_good() {
    check(&UPDATE_IMAGE, Door::Closing);
}

#[test]
fn a_forced_restart_happens_once_wherever_an_answer_breaks() {
    check(&FORCE, Door::Open);
    check(&FORCE, Door::Refusing);
}

#[test]
fn create_ends_well_wherever_an_answer_breaks_and_later_connections_work() {
    check(&CREATE, Door::Open);
    check(&CREATE_NAMELESS, Door::Open);
}

#[test]
fn create_says_no_wrong_word_wherever_an_answer_breaks_for_good() {
    check(&CREATE, Door::Closing);
    check(&CREATE_NAMELESS, Door::Refusing);
}

#[test]
fn rm_says_no_wrong_word_wherever_an_answer_breaks() {
    check(&RM, Door::Open);
    check(&RM, Door::Closing);
}

/// One break: what became of it.
struct Trial {
    broken: Break,
    run: Run,
    applied: (usize, bool),
    posted: bool,
}

impl Trial {
    /// What is wrong with it, if anything.
    fn wrong(&self) -> Option<String> {
        let (times, is_so) = self.applied;
        let code = self.run.code;
        let right = match self.broken.then {
            Door::Open => code == Some(0) && times == 1 && is_so,
            _ if is_so => times == 1 && matches!(code, Some(0 | 9)),
            _ if self.posted => times == 0 && matches!(code, Some(8 | 9)),
            _ => times == 0 && code == Some(8),
        };
        // A warning (it could not be read back) is no error.
        let words = self.run.stderr.starts_with("error: ") == (code == Some(0));
        let why = match (right, words) {
            (true, false) => return None,
            (false, _) => "the exit code is not what is so",
            (true, true) => "words on stderr and exit code disagree",
        };
        Some(format!(
            "{why}: {:?}, applied {times} times, is so: {is_so}\n{}",
            self.broken,
            self.run.report()
        ))
    }
}

/// Breaks every answer to a command after every Nth byte, and judges what became of each.
fn check(case: &Case, then: Door) {
    let step = std::env::var_os("SWARMCTL_TEST_FAULT_STEP")
        .map_or(STEP, |text| text.to_str().and_then(|text| text.parse().ok()).expect("a number of bytes"));
    for framing in [Framing::Length, Framing::Chunked] {
        // Chunks have few words of their own, and where nothing can be read any more they make no difference.
        let step = match framing {
            _ if step == 1 => 1,
            Framing::Chunked => step * case.coarse * 4,
            _ => step * case.coarse,
        };
        if framing == Framing::Chunked && then != Door::Open {
            continue;
        }
        let breaks = breaks_of(case, &framing, then, step);
        assert!(breaks.len() * step > 1000, "the engine has said so little? {} breaks", breaks.len());
        let trials = try_all(case, &framing, &breaks);
        tell(case, &framing, then, &trials);
    }
}

/// Every break: after each step of each answer to an undisturbed run.
fn breaks_of(case: &Case, framing: &Framing, then: Door, step: usize) -> Vec<Break> {
    let swarm = (case.swarm)();
    swarm.world().framing = framing.clone();
    swarmctl(case.args.iter().copied()).host(swarm.host()).run().exits(0);
    assert_eq!((case.applied)(&swarm), (1, true), "{}: undisturbed", case.name);
    let mut breaks = Vec::new();
    for request in swarm.requests() {
        for after in (0..request.answer_length).step_by(step) {
            breaks.push(Break::by(request.number, Fault::Cut(after)).then(then));
        }
        // Garbage needs no break of its own at each byte: where it begins matters less than that it comes.
        for after in (0..request.answer_length).step_by(step * 5) {
            breaks.push(Break::by(request.number, Fault::Garble(after)).then(then));
        }
        // The request never reaches the engine.
        breaks.push(Break::lost(request.number).unhandled().then(then));
    }
    // Without a name nothing guards a second post, so one that never arrived cannot end well.
    breaks.retain(|it| it.handled || case.name != "create" || then != Door::Open);
    breaks
}

fn try_all(case: &Case, framing: &Framing, breaks: &[Break]) -> Vec<Trial> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(broken) = breaks.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let _load = load();
                    let swarm = (case.swarm)();
                    swarm.world().framing = framing.clone();
                    swarm.breaks(broken.clone());
                    let run = swarmctl(case.args.iter().copied()).host(swarm.host()).run();
                    let applied = (case.applied)(&swarm);
                    let posted = swarm.requests().iter().any(|request| request.method != "GET");
                    lock(&done).push(Trial { broken: broken.clone(), run, applied, posted });
                }
            });
        }
    });
    done.into_inner().expect("no worker has panicked")
}

/// Adds a line to the table that `SWARMCTL_TEST_FAULT_TABLE` names; fails the test where a word was wrong.
fn tell(case: &Case, framing: &Framing, then: Door, trials: &[Trial]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for trial in trials {
        let code = trial.run.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let so = if trial.applied.1 { "applied" } else { "not applied" };
        *counts.entry(format!("{code} {so}")).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count} x {what}")).collect();
    let wrong: Vec<String> = trials.iter().filter_map(Trial::wrong).collect();
    if let Some(table) = std::env::var_os("SWARMCTL_TEST_FAULT_TABLE") {
        let mut table =
            OpenOptions::new().append(true).create(true).open(table).expect("the table can be written");
        let later = match then {
            Door::Open => "work",
            Door::Closing => "are closed",
            Door::Refusing => "are refused",
        };
        let body = if *framing == Framing::Chunked { "chunked" } else { "in one" };
        writeln!(
            table,
            "{}\t{later}\t{body}\t{}\t{}\t{}",
            case.name,
            trials.len(),
            counts.join(", "),
            wrong.len()
        )
        .expect("the table can be written");
        for wrong in &wrong {
            writeln!(table, "wrong: {}: {}", case.name, wrong.replace('\n', "\n  "))
                .expect("the table can be written");
        }
    }
    let shown: Vec<&str> = wrong.iter().take(5).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} ends are wrong ({}); the first:\n{}",
        wrong.len(),
        trials.len(),
        counts.join(", "),
        shown.join("\n")
    );
}
