//! Judgements with the engine's count of running tasks are equal to judgements with a list of all tasks.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::*;
use super::recorded::{Knows, Lists, Look, play_with};

/// The files with recordings, in all subdirectories.
fn recordings(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(recordings(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Everything that is reported, without times.
fn reported(look: &Look) -> String {
    let it = &look.judgement;
    let state = match &it.state {
        State::UnderWay(WaitsFor::Monitor(_)) => "monitor".to_owned(),
        state => format!("{state:?}"),
    };
    let causes: Vec<_> = [&it.causes, &it.awaited, &it.left_behind].into_iter().flatten().collect();
    let counts = (it.running, it.updated, it.desired, it.new, it.ready, &it.by_state, &it.images);
    format!("{} {state} {counts:?} {causes:?} {:?} {:?}", look.at, it.problems, it.node_names)
}

#[test]
fn every_poll_of_every_recording_shows_the_same_as_with_a_list_of_all_tasks() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rollout");
    let recordings = recordings(&directory);
    assert!(recordings.len() > 60, "{recordings:?}");
    let image = Knows::Edited(&["TaskTemplate.ContainerSpec.Image"]);
    let (mut without, mut ends) = (0, 0);
    for path in recordings {
        let recording = fs::read_to_string(&path).unwrap();
        for knows in [&image, &Knows::Nothing] {
            let all = play_with(&recording, knows, Lists::Always);
            let counted = play_with(&recording, knows, Lists::IfNeeded);
            let texts = |looks: &[Look]| looks.iter().map(reported).collect::<Vec<_>>();
            assert_eq!(texts(&counted), texts(&all), "{}", path.display());
            without += counted.iter().filter(|look| !look.has_all).count();
            let is_end = |look: &Look| look.judgement.state.is_end() && !look.has_all;
            ends += usize::from(counted.last().is_some_and(is_end));
        }
    }
    assert!(without > 100, "{without} polls without a list of all tasks");
    assert!(ends > 10, "{ends} ends without a list of all tasks");
}
