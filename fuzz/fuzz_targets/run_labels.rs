//! Labels of recorded runs: what is read is written again as it was, apart from what is too long.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::journal::{Summary, names};
use swarmctl::api::resources::configs::Labels;

fuzz_target!(|texts: Vec<String>| {
    let keys = [names::AT, names::BY, names::COMMAND, names::COUNT, names::OUTCOME, names::EXIT, names::CODES];
    let labels: Labels = keys.iter().map(|key| (*key).to_owned()).zip(texts.clone()).collect();
    let labels = Summary::from_labels(&labels).labels();
    assert_eq!(Summary::from_labels(&labels).labels(), labels);
    for text in &texts {
        if let Some((run, part)) = names::parse_part(text) {
            assert_eq!(names::of_part(run, part), *text);
        }
    }
});
