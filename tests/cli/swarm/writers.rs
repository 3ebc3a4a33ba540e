//! Many writers at once, on a real engine: all are done.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::engine::{Removed, engine, small};
use crate::support::figures::{figure, how_many};
use crate::support::fixtures::OLD;
use crate::support::run::{Running, quiet};

/// What many writers may take beyond the engine's own time for as many updates in a row.
const BEYOND: Duration = Duration::from_secs(2);

fn without_tasks(name: &str, stack: &str) -> Value {
    let mut spec = small(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    spec["Labels"]["com.docker.stack.namespace"] = stack.into();
    spec
}

#[test]
fn all_writers_of_one_service_are_done() {
    let (engine, _quiet) = (engine(), quiet());
    let writers = how_many("SWARMCTL_TEST_WRITERS", 24);
    let _services =
        [engine.create(&without_tasks("writers", "wr")), engine.create(&without_tasks("alone", "wr"))];
    let began = Instant::now();
    for n in 0..writers {
        engine.change("alone", |spec| spec["Labels"][format!("w{n}")] = "1".into());
    }
    let alone = began.elapsed();

    let began = Instant::now();
    let mut running: Vec<_> = (0..writers)
        .map(|n| {
            engine.swarmctl(&["update", "--label-add", &format!("w{n}=1"), "--detach", "writers"]).spawn()
        })
        .collect();
    let runs: Vec<_> = running.iter_mut().map(Running::wait).collect();
    let together = began.elapsed();

    let failed: Vec<String> = runs.iter().filter(|run| run.code != Some(0)).map(|run| run.report()).collect();
    let service = engine.service("writers");
    let labels = &service["Spec"]["Labels"];
    let there = (0..writers).filter(|n| labels[format!("w{n}")] == "1").count();
    figure(
        &format!("{writers} writers of one service"),
        &format!(
            "{there} of {writers} applied in {:.2} s; the engine alone: {:.2} s for as many in a row",
            together.as_secs_f64(),
            alone.as_secs_f64()
        ),
    );
    assert!(failed.is_empty(), "{} of {writers} failed: {}", failed.len(), failed[0]);
    assert_eq!(there, writers);
    // Beside other tests, on a loaded machine, a process alone takes long to start.
    if std::env::var_os("SWARMCTL_TEST_WRITERS").is_some() {
        assert!(together <= alone + BEYOND, "{together:?}, the engine alone {alone:?}");
    }
}

#[test]
fn all_batches_at_once_are_done() {
    const SERVICES: usize = 20;
    let engine = engine();
    let batches = how_many("SWARMCTL_TEST_BATCHES", 6);
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
    figure(
        &format!("{batches} batches at once of the same {SERVICES} services"),
        &format!("{there} of {of} updates applied in {:.2} s", took.as_secs_f64()),
    );
    for run in runs {
        run.exits(0);
    }
    assert_eq!(there, of);
}
