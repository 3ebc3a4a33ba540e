//! Many processes change services at the same time on a real engine: all changes are applied.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::engine::{Removed, engine, small};
use crate::support::figures::{count_from_env, record_figure};
use crate::support::fixtures::OLD;
use crate::support::run::{Run, Running, quiet};

/// The time that concurrent writers may need in addition to what the engine needs for as many updates in a row.
const BEYOND: Duration = Duration::from_secs(2);

fn without_tasks(name: &str, stack: &str) -> Value {
    let mut spec = small(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    spec["Labels"]["com.docker.stack.namespace"] = stack.into();
    spec
}

#[test]
fn all_changes_of_concurrent_writers_are_applied() {
    let (engine, _quiet) = (engine(), quiet());
    let writers = count_from_env("SWARMCTL_TEST_WRITERS", 24);
    // The duration is measured only on request. It is measured several times, because other programs on the machine can
    // make a run slower.
    let rounds = if std::env::var_os("SWARMCTL_TEST_WRITERS").is_some() { 5 } else { 1 };
    let _services =
        [engine.create(&without_tasks("writers", "wr")), engine.create(&without_tasks("alone", "wr"))];
    let mut times = Vec::new();
    for round in 0..rounds {
        let began = Instant::now();
        for n in 0..writers {
            engine.change("alone", |spec| spec["Labels"][format!("w{n}")] = round.to_string().into());
        }
        let alone = began.elapsed();
        let began = Instant::now();
        let mut running: Vec<_> = (0..writers)
            .map(|n| {
                let label = format!("w{n}={round}");
                engine.swarmctl(&["update", "--label-add", &label, "--detach", "writers"]).spawn()
            })
            .collect();
        let runs: Vec<_> = running.iter_mut().map(Running::wait).collect();
        times.push((began.elapsed(), alone));
        let failed: Vec<String> = runs.iter().filter(|run| run.code != Some(0)).map(Run::report).collect();
        assert!(failed.is_empty(), "{} of {writers} failed: {}", failed.len(), failed[0]);
        let service = engine.service("writers");
        let labels = &service["Spec"]["Labels"];
        let there = (0..writers)
            .filter(|n| labels[format!("w{n}")].as_str() == Some(round.to_string().as_str()))
            .count();
        assert_eq!(there, writers);
    }
    let beyond: Vec<String> = times
        .iter()
        .map(|(took, alone)| format!("{:.2} ({:.2})", took.as_secs_f64(), alone.as_secs_f64()))
        .collect();
    record_figure(
        &format!("{writers} writers of one service, {rounds} times"),
        &format!(
            "{writers} of {writers} applied each time; seconds in total, and in parentheses the seconds that the engine alone needs for as many updates in a row: {}",
            beyond.join(", ")
        ),
    );
    if rounds > 1 {
        let best = times.iter().map(|(took, alone)| took.saturating_sub(*alone)).min().unwrap_or_default();
        assert!(best <= BEYOND, "{best:?} beyond the engine's own time");
    }
}

#[test]
fn concurrent_batches_all_succeed() {
    const SERVICES: usize = 20;
    let engine = engine();
    let batches = count_from_env("SWARMCTL_TEST_BATCHES", 6);
    let services: Vec<Removed> =
        (0..SERVICES).map(|n| engine.create(&without_tasks(&format!("batches-{n}"), "batches"))).collect();
    let began = Instant::now();
    let mut running: Vec<_> = (0..batches)
        .map(|n| {
            let label = format!("b{n}=1");
            engine.swarmctl(&["update", "--stack", "batches", "--label-add", &label, "--detach"]).spawn()
        })
        .collect();
    let runs: Vec<_> = running.iter_mut().map(Running::wait).collect();
    let took = began.elapsed();
    let mut there = 0;
    for service in &services {
        let labels = engine.service(service.id())["Spec"]["Labels"].clone();
        there += (0..batches).filter(|n| labels[format!("b{n}")] == "1").count();
    }
    let of = batches * SERVICES;
    record_figure(
        &format!("{batches} batches at once of the same {SERVICES} services"),
        &format!("{there} of {of} updates applied in {:.2} s", took.as_secs_f64()),
    );
    for run in runs {
        run.succeeds();
    }
    assert_eq!(there, of);
}
