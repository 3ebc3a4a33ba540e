//! Labels of recorded runs, one per line: labels that were parsed and written once no longer change.

#![no_main]

use libfuzzer_sys::fuzz_target;
use swarmctl::api::journal::Summary;
use swarmctl::api::records::names;
use swarmctl::api::resources::configs::Labels;

fuzz_target!(|text: &str| {
    let texts: Vec<&str> = text.lines().collect();
    let keys = [
        names::AT,
        names::BY,
        names::COMMAND,
        names::COUNT,
        names::OUTCOME,
        names::EXIT,
        names::CODES,
        names::UNCHANGED,
    ];
    let pairs = keys.iter().zip(&texts).map(|(key, text)| ((*key).to_owned(), (*text).to_owned()));
    let labels = Summary::from_labels(&pairs.collect::<Labels>()).labels();
    assert_eq!(Summary::from_labels(&labels).labels(), labels);
    for text in texts {
        if let Some((run, part)) = names::parse_config_name(text) {
            assert_eq!(names::config_name(run, part), text);
        }
    }
});
