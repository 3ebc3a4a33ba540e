//! Two processes change one service at the same time: both changes are kept.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use super::engine::{engine, small};
use crate::support::fixtures::{NEW, OLD};

#[test]
fn twenty_four_updates_in_a_row_while_another_process_keeps_changing_labels() {
    let engine = engine();
    let mut spec = small("co-24", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let _service = engine.create(&spec);
    let (stop, labels) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            // The other writer does not use swarmctl.
            while !stop.load(Ordering::SeqCst) {
                let label = format!("label-{}", labels.load(Ordering::SeqCst));
                engine.change("co-24", |spec| spec["Labels"][&label] = "kept".into());
                labels.fetch_add(1, Ordering::SeqCst);
            }
        });
        let stop_at_the_end = StopAtTheEnd(&stop);
        for n in 0..24 {
            let image = if n % 2 == 0 { NEW } else { OLD };
            // The other writer never pauses, so updates often meet a stale version index.
            let run = engine.swarmctl(&["update-image", "-d", "--no-resolve-image", "co-24", image]).run();
            run.succeeds();
            assert_eq!(
                engine.service("co-24")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"],
                image,
                "update {n}"
            );
        }
        drop(stop_at_the_end);
    });
    let labels = labels.load(Ordering::SeqCst);
    assert!(labels >= 10, "the other writer has hardly written: {labels}");
    let service = engine.service("co-24");
    let there = service["Spec"]["Labels"].as_object().unwrap();
    let lost: Vec<usize> =
        (0..labels).filter(|n| there.get(&format!("label-{n}")) != Some(&Value::from("kept"))).collect();
    assert!(lost.is_empty(), "of {labels} labels these are lost: {lost:?}");
}

/// Stops the other writer when it is dropped, even if the test fails.
struct StopAtTheEnd<'a>(&'a AtomicBool);

impl Drop for StopAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn two_concurrent_commands_with_the_same_image_both_succeed() {
    let engine = engine();
    let mut spec = small("co-2", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let _service = engine.create(&spec);
    for image in [NEW, OLD, NEW, OLD] {
        let line = ["update-image", "-d", "--no-resolve-image", "co-2", image];
        let mut both = [engine.swarmctl(&line).spawn(), engine.swarmctl(&line).spawn()];
        for running in &mut both {
            running.wait().succeeds();
        }
        assert_eq!(engine.service("co-2")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], image);
    }
}
