//! Failure loops and similar behavior: recordings of the engines 20.10.24, 26.1.5 and 28.5.2
//! (tests/data/rollout/20/, 26/ and 28/).

use std::ops::RangeInclusive;

use super::super::*;
use super::recorded::{Knows, Look, glances, play};

const ENGINES: [&str; 3] = ["20", "26", "28"];

/// The name of a recording, and its contents for each engine.
macro_rules! recordings {
    ($name:literal) => {
        (
            $name,
            [
                include_str!(concat!("../../../../tests/data/rollout/20/", $name, ".json")),
                include_str!(concat!("../../../../tests/data/rollout/26/", $name, ".json")),
                include_str!(concat!("../../../../tests/data/rollout/28/", $name, ".json")),
            ],
        )
    };
}

/// The recording, the result of `wait`, after how many seconds `wait` ends, and the exit codes of `status`.
type Row = ((&'static str, [&'static str; 3]), State, RangeInclusive<i64>, &'static [u8]);

/// The exit codes of `status` over time, without consecutive duplicates.
fn exit_codes(polling: &[Look]) -> Vec<u8> {
    let mut codes: Vec<u8> = polling
        .iter()
        .map(|look| match look.judgement.state {
            State::Converged | State::Held => 0,
            State::Failed(_) => 5,
            State::RolledBack => 6,
            State::UnderWay(_) => 10,
        })
        .collect();
    codes.dedup();
    codes
}

#[test]
fn wait_and_status_judge_failure_loops_by_one_rule() {
    let failing = || State::Failed(FailureReason::Failing);
    let image = || State::Failed(FailureReason::ImageRejected);
    let completed = || State::Failed(FailureReason::CompletedFailing);
    let table: [Row; 16] = [
        // The tasks are rejected before the restart delay is over, while their desired state is still `ready`.
        (recordings!("loop-bind"), failing(), 5..=6, &[10, 5]),
        (recordings!("global-bind"), failing(), 5..=6, &[10, 5]),
        (recordings!("loop-image"), image(), 5..=6, &[10, 5]),
        (recordings!("loop-monitor-1s"), failing(), 13..=15, &[10, 5]),
        (recordings!("loop-delay-12s"), failing(), 26..=28, &[10, 5]),
        // Each task outlives the monitor period of 1 s.
        (recordings!("loop-late"), State::Converged, 2..=3, &[10, 0, 10, 0, 10, 0, 5]),
        // The update and the rollback are in progress until the end of the recording.
        (recordings!("loop-continue"), failing(), 27..=28, &[10, 5]),
        (recordings!("loop-rollback"), failing(), 29..=36, &[10, 5]),
        (recordings!("bad-continue"), completed(), 14..=25, &[10, 5]),
        // The fourth task runs.
        (recordings!("loop-healed"), failing(), 13..=14, &[10, 5, 0]),
        // The failing slots are removed.
        (recordings!("loop-scaled-down"), failing(), 14..=15, &[10, 5, 0]),
        // The tasks start for 12 s, until they are unhealthy or exit. Only repeated polls show that they never ran.
        (recordings!("loop-sick-default"), failing(), 53..=54, &[10]),
        (recordings!("loop-starting"), failing(), 53..=55, &[10]),
        // Each task runs for 14 s before it fails.
        (recordings!("long-runs"), State::Converged, 2..=3, &[10, 0, 10, 0, 10, 0, 10, 0, 10]),
        // The tasks are shut down with exit code 1, three times.
        (recordings!("drain"), State::Converged, 6..=7, &[10, 0, 10, 0, 10, 0]),
        // The engine rolls back after the first failure.
        (recordings!("rollback-good"), State::RolledBack, 15..=19, &[10, 6]),
    ];
    for ((name, recordings), end, seconds, codes) in &table {
        for (engine, recording) in ENGINES.iter().zip(recordings) {
            let polling = play(recording, &Knows::Nothing);
            let last = polling.last().unwrap();
            assert_eq!(last.judgement.state, *end, "{engine} {name}");
            let at = last.at;
            assert!(seconds.contains(&last.at), "{engine} {name}: after {} s", last.at);
            // The command that made the update must get the same result when it watches the service.
            let baseline = play(recording, &Knows::Edited(&["TaskTemplate.ContainerSpec.Image"]));
            let last = baseline.last().unwrap();
            assert_eq!((&last.judgement.state, seconds.contains(&last.at)), (end, true), "{engine} {name}");
            let glances = glances(recording);
            if **codes == [10, 5] {
                let is_failed = |look: &&Look| matches!(look.judgement.state, State::Failed(_));
                let first = glances.iter().find(is_failed).unwrap().at;
                assert!(first - at <= 1, "{engine} {name}: status after {first} s, wait after {at} s");
            }
            let mut status = exit_codes(&glances);
            match *name {
                // Only some recordings have a poll between the update and the end of the removed tasks.
                "loop-scaled-down" if status.len() == 4 => drop(status.remove(2)),
                // The recording ends before or after the last task has been running for the monitor period.
                "drain" if status.len() == 7 => status.truncate(6),
                _ => {}
            }
            assert_eq!(status, *codes, "{engine} {name}");
        }
    }
}

#[test]
fn a_rollout_that_the_engine_rolls_back_is_never_called_failed_before() {
    let (name, recordings) = recordings!("rollback-good");
    for (engine, recording) in ENGINES.iter().zip(recordings) {
        assert_eq!(exit_codes(&play(recording, &Knows::Nothing)), [10, 6], "{engine} {name}");
    }
}
