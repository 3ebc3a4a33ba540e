//! Records: a written record is parsed to the same contents, and invalid records are refused.

use super::*;
use crate::api::journal::{codes, gzip, states};
use crate::api::records::RunId;
use crate::api::records::fields::MAX_SERVICES;
use crate::api::resources::configs::Labels;

fn record() -> Record {
    let edits = [Edit::set(image(), "shop/web:1.8"), Edit::remove(env().item("A"))];
    Record {
        run: 124,
        nonce: "7f3c".to_owned(),
        at: "2026-11-28T22:10:04Z".to_owned(),
        by: "ann@ci-7".to_owned(),
        program: "0.3.0".to_owned(),
        swarm: "r9gvf17xuqtl4245a9ajor02b".to_owned(),
        command: "update-image --stack shop --tag 1.8".to_owned(),
        undoes: None,
        services: vec![recorded(&spec(), &edits)],
    }
}

fn stored(number: u64, bytes: Vec<u8>) -> StoredRun {
    StoredRun { number, summary: Summary::default(), parts: vec![Some(bytes)], pieces: Vec::new() }
}

#[test]
fn what_is_written_is_read_and_the_spec_is_kept_byte_for_byte() {
    let mut record = record();
    let text = r#"{"Name":"web","Ratio":1.0000000000000000001e-7,"Big":18446744073709551615, "a":"\u003c"}"#;
    record.services[0].before = Some(RawValue::from_string(text.to_owned()).unwrap());
    let read = stored(124, record.compressed().unwrap()).record().unwrap();
    assert_eq!(read.services[0].before.as_ref().unwrap().get(), text);
    assert_eq!(read.to_json().unwrap(), record.to_json().unwrap());
    assert_eq!(read.kind(), RunKind::Update);
    let json: Value = serde_json::from_slice(&record.to_json().unwrap()).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["v", "run", "nonce", "at", "by", "program", "swarm", "command", "undoes", "services"]);
}

#[test]
fn forged_truncated_and_newer_records_are_unreadable() {
    let good: Value = serde_json::from_slice(&record().to_json().unwrap()).unwrap();
    type Spoil = fn(&mut Value);
    let spoilt: [(Spoil, &str); 10] = [
        (|it| it["v"] = json!(2), "version 2"),
        (|it| it["services"][0]["id"] = json!("../x"), "no valid ID"),
        (|it| it["services"][0]["edits"][0]["path"] = json!(["Name"]), "renamed"),
        (|it| it["services"][0]["edits"][0]["from"] = json!(5), "must be a string"),
        (|it| it["services"][0]["edits"][0]["to"] = json!([]), "must be a string"),
        (|it| it["services"][0]["edits"][1]["from"] = json!("B=1"), "not the item"),
        (|it| it["services"][0]["edits"][0]["more"] = json!(1), "unknown field"),
        (|it| it["services"][0]["before"]["Labels"] = json!({"a": 1}), "must be a string"),
        (|it| it["services"][0]["before"] = json!([]), "not an object"),
        (|it| it["services"] = json!([it["services"][0], it["services"][0]]), "twice"),
    ];
    for (spoil, why) in spoilt {
        let mut bad = good.clone();
        spoil(&mut bad);
        let error = parse(bad.to_string().as_bytes()).unwrap_err();
        assert!(error.contains(why), "{error} instead of {why}");
    }
    let whole = record().compressed().unwrap();
    for bytes in [&whole[..whole.len() / 2], b"no gzip", &[]] {
        assert!(matches!(stored(124, bytes.to_vec()).record(), Err(RecordError::Unreadable(_))));
    }
    assert!(matches!(stored(125, whole.clone()).record(), Err(RecordError::Unreadable(_))), "another number");
    let mut incomplete = stored(124, whole);
    incomplete.parts.push(None);
    assert_eq!(incomplete.record().unwrap_err(), RecordError::Incomplete);
    let bomb = gzip::compress(&vec![b' '; usize::try_from(gzip::MAX_LEN).unwrap() + 1]).unwrap();
    assert_eq!(gzip::decompress(&bomb).unwrap_err(), "it is longer than 64 MiB");
}

#[test]
fn a_record_that_is_too_long_has_no_specs() {
    let mut record = record();
    let mut noise = fastrand::Rng::with_seed(7);
    let text: String = (0..6 << 20).map(|_| noise.alphanumeric()).collect();
    record.services[0].before = Some(raw(&json!({"Name": "web", "Labels": {"noise": text}})));
    let read = stored(124, record.compressed().unwrap()).record().unwrap();
    assert!(read.services[0].before.is_none());
    assert_eq!(read.services[0].edits, record.services[0].edits);
    record.command = text;
    assert!(matches!(record.compressed(), Err(JournalError::TooLong(4))));
}

#[test]
fn labels_are_cut_to_their_maximum_length() {
    let mut record = record();
    record.command = "ä".repeat(1000);
    let summary = Summary::from_record(&record);
    let labels = summary.labels();
    assert!(labels.values().all(|label| label.chars().count() <= 256), "{labels:?}");
    let read = Summary::from_labels(&labels);
    assert_eq!((read.count, read.outcome.as_str(), read.exit), (1, STARTED, None));
    let codes: Vec<(usize, u8)> = (0..2000).map(|at| (at, 5)).collect();
    let text = codes::to_text(&codes);
    assert!(text.len() <= codes::MAX_CODES_LEN);
    assert_eq!(codes::parse(&text), codes[..codes::parse(&text).len()]);
    assert_eq!(codes::parse("0=5,x,3=4,7=999"), [(0, 5), (3, 4)]);
    assert_eq!(codes::to_text(&[(0, 5), (3, 10), (4, 10), (5, 10), (6, 5), (1, 5)]), "0=5,3-5=10,6=5,1=5");
    assert_eq!(codes::parse("3-5=10,7-6=5,1=5,0-x=5"), [(3, 10), (4, 10), (5, 10), (1, 5)]);
    assert!(codes::parse(&"0-9999=5,".repeat(1000)).len() <= MAX_SERVICES);
    assert!(codes::parse("0-18446744073709551615=5").is_empty());
    let codes: Vec<(usize, u8)> = (0..3000).map(|at| (at, if at % 2 == 0 { 5 } else { 10 })).collect();
    let text = codes::to_text(&codes);
    assert!(text.len() <= codes::MAX_CODES_LEN);
    assert_eq!(codes::parse(&text), codes[..codes::parse(&text).len()]);
    // The codes of the services that were left out are not known.
    let labels = [(names::OUTCOME, "failed"), (names::EXIT, "5"), (names::CODES, &text)];
    let labels: Labels = labels.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
    let cut = Summary::from_labels(&labels);
    assert_eq!((cut.exit_of(0), cut.exit_of(2999)), (Some(5), None));
    assert_eq!(cut.effect_on(2999), RunEffect::Unknown);
}

#[test]
fn states_are_ranges_and_invalid_ones_are_left_out() {
    let mut all: States = (2..MAX_SERVICES).map(|at| (at, RunState::NotStarted)).collect();
    all.insert(0, RunState::NotApplied);
    let text = states::to_text(&all);
    assert_eq!(text, "0=not_applied,2-9999=not_started");
    assert_eq!(states::parse(&text), all);
    let forged = "x,1=applied,3-2=not_started,4=not_started,0=not_started,5-10000=not_started,-=not_started";
    assert_eq!(states::parse(forged), States::from([(4, RunState::NotStarted)]));
    assert!(states::parse("").is_empty());
}

#[test]
fn records_of_any_kind_never_panic() {
    crate::api::property_tests::check_random_inputs("records of runs", |random| {
        let mut bytes = record().to_json().unwrap();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        if let Ok(read) = parse(&bytes) {
            assert_eq!(parse(&read.to_json().unwrap()).unwrap().to_json().unwrap(), read.to_json().unwrap());
            for service in &read.services {
                let _ = judge(service, &spec(), OnThirdValue::Overwrite);
                let _ = run_state(service, &spec());
            }
        }
        let _ = gzip::decompress(&bytes);
    });
}

/// The run with this number of the record that the tests store.
fn id(number: u64) -> RunId {
    RunId { number, nonce: record().nonce }
}

#[test]
fn files_are_private_complete_and_found_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::new(directory.path(), "r9gvf17xuqtl4245a9ajor02b");
    assert!(journal.runs().unwrap().is_empty());
    let mut record = record();
    journal.write(&mut record).unwrap();
    assert_eq!(record.run, 1);
    journal.write(&mut record).unwrap();
    let own = directory.path().join("r9gvf17xuqtl4245a9ajor02b");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&own), mode(&own.join("2.json.gz"))), (0o700, 0o600));
    let unchanged = States::from([(0, RunState::NotApplied)]);
    let ending = Ending { outcome: "failed".to_owned(), exit: 5, codes: vec![(0, 5)], unchanged };
    journal.finish(&id(2), &ending).unwrap();
    std::fs::write(own.join("x.json.gz"), "").unwrap();
    let runs = journal.runs().unwrap();
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(
        (runs[0].summary.outcome.as_str(), runs[0].summary.exit, &runs[0].summary.codes),
        ("failed", Some(5), &vec![(0, 5)])
    );
    assert_eq!(runs[0].summary.unchanged, States::from([(0, RunState::NotApplied)]));
    assert!(runs[1].summary.is_started());
    assert_eq!(runs[0].record().unwrap().command, record.command);
    journal.delete(&runs[0]).unwrap();
    assert!(journal.run(2).unwrap().is_none());
    journal.delete(&runs[1]).unwrap();
    assert!(journal.runs().unwrap().is_empty());
    journal.write(&mut record).unwrap();
    assert_eq!(record.run, 3, "no number is used twice");
}

#[test]
fn an_outcome_in_files_is_changed_and_a_change_by_others_at_the_same_time_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::new(directory.path(), "r9gvf17xuqtl4245a9ajor02b");
    journal.write(&mut record()).unwrap();
    let ending = |outcome: &str, codes: &[(usize, u8)]| Ending {
        outcome: outcome.to_owned(),
        exit: 0,
        codes: codes.to_vec(),
        unchanged: States::new(),
    };
    let outcome = || journal.run(1).unwrap().unwrap().summary.outcome;
    journal.amend(1, &|_, summary| summary.is_started().then(|| ending("held", &[(0, 10)]))).unwrap();
    assert_eq!(outcome(), "held");
    // The process that started the run must not overwrite this.
    journal.finish(&id(1), &ending("conflict", &[(0, 4)])).unwrap();
    assert_eq!(outcome(), "held");
    journal.amend(1, &|_, _| None).unwrap();
    let file = directory.path().join("r9gvf17xuqtl4245a9ajor02b/1.outcome.json");
    let calls = std::cell::Cell::new(0);
    let change = |_: &Record, summary: &Summary| {
        calls.set(calls.get() + 1);
        if calls.get() == 1 {
            std::fs::write(&file, r#"{"outcome":"gave_up","exit":7,"codes":[[0,7]]}"#).unwrap();
        }
        Some(ending(if summary.outcome == "gave_up" { "done" } else { "failed" }, &[]))
    };
    journal.amend(1, &change).unwrap();
    assert_eq!((outcome().as_str(), calls.get()), ("done", 2));
    journal.amend(7, &change).unwrap();
    let files = std::fs::read_dir(file.parent().unwrap()).unwrap().count();
    assert_eq!(files, 2, "no draft is left");
}

#[test]
fn is_held_at_distinguishes_held_from_failed_and_unstarted_services() {
    let summary = |outcome: &str, codes: &[(usize, u8)], unchanged: States| Summary {
        outcome: outcome.to_owned(),
        exit: Some(10),
        codes: codes.to_vec(),
        unchanged,
        ..Summary::default()
    };
    let held = |summary: &Summary| (0..3).filter(|at| summary.is_held_at(*at)).collect::<Vec<_>>();
    assert_eq!(held(&summary("held", &[(1, 10)], States::new())), [1]);
    let not_started = States::from([(2, RunState::NotStarted)]);
    // A service that was not started because a gate was inconclusive also has the code 10.
    assert_eq!(held(&summary("failed", &[(0, 5), (1, 10), (2, 10)], not_started)), [1]);
    assert!(held(&summary("done", &[], States::new())).is_empty());
}
