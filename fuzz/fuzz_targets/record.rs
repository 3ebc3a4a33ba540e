//! Records of runs: a parsed record can be written and parsed again without a difference, and compared with a spec.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use swarmctl::api::journal::{OnThirdValue, StoredRun, Summary, judge, parse, run_state};

fuzz_target!(|bytes: &[u8]| {
    let spec = json!({"Name": "web", "Labels": {"a": "1"}, "Mode": {"Replicated": {"Replicas": 2}}, "TaskTemplate": {}});
    if let Ok(record) = parse(bytes) {
        let written = record.to_json().unwrap();
        assert_eq!(parse(&written).unwrap().to_json().unwrap(), written);
        for service in &record.services {
            let _ = judge(service, &spec, OnThirdValue::Conflict);
            let _ = judge(service, &spec, OnThirdValue::Overwrite);
            let _ = run_state(service, &spec);
        }
    }
    // The input is also parsed as a compressed record.
    let parts = vec![Some(bytes.to_vec())];
    let _ = StoredRun { number: 1, summary: Summary::default(), parts, pieces: Vec::new() }.record();
});
