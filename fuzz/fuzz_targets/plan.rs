//! Plans: a parsed plan can be written and parsed again without a difference, and its edits can be applied to a spec.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use swarmctl::api::records::plan::parse;
use swarmctl::api::spec::apply_all;

fuzz_target!(|text: &str| {
    let Ok(plan) = parse(text) else { return };
    let written = plan.to_text().unwrap();
    assert_eq!(parse(&written).unwrap().to_text().unwrap(), written);
    let spec = json!({"Name": "web", "Labels": {"a": "1"}, "Mode": {"Replicated": {"Replicas": 2}}, "TaskTemplate": {}});
    for service in &plan.services {
        if let Some(edits) = service.edits() {
            let _ = service.changes_mode(&spec);
            apply_all(&mut spec.clone(), &edits);
        }
    }
});
