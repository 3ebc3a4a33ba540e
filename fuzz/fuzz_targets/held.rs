//! The label of a held update: a parsed label can be written and parsed again without a difference. Computing a post
//! never panics, and the label that a post sets can be parsed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use swarmctl::api::deploy::steps::{Driver, Hold, MAX_LABEL_LEN, MAX_STEPS, Round, StepList, parse};
use swarmctl::api::spec::apply_all;

fuzz_target!(|text: &str| {
    // If a user gives the maximum number of steps without 100%, the parsed list has one step more, because 100% is
    // added. Its text then has too many steps to be parsed again.
    if let Ok(list) = StepList::parse(text)
        && list.count() <= MAX_STEPS
    {
        assert_eq!(StepList::parse(&list.to_string()), Ok(list));
    }
    let Ok(label) = parse(text) else { return };
    let written = label.to_text();
    if written.len() <= MAX_LABEL_LEN {
        assert_eq!(parse(&written), Ok(label));
    }
    let mut spec = json!({
        "Name": "web", "Labels": {"swarmctl.held": text}, "Mode": {"Replicated": {"Replicas": 4}},
        "TaskTemplate": {"ContainerSpec": {"Image": "a:2", "Env": ["A=1"]}},
        "UpdateConfig": {"Parallelism": 1, "Delay": 31_536_000_000_000_000_u64, "FailureAction": "pause"},
    });
    let Ok(Some(mut hold)) = Hold::read(&spec) else { panic!("it was read before") };
    let driver = Driver { by: "ann@ci".to_owned(), nonce: "1".to_owned() };
    let round = Round { steps: hold.label().steps.clone(), step: 1, target: 1, replaces: 1 };
    let read = |spec: &Value| Hold::read(spec).expect("what is posted is readable").expect("a label");
    // The edited places do not hold the values in the label, so most posts are possible only with `as_is`.
    if let Ok(post) = hold.as_is(&spec).release(&spec, &driver, &round) {
        apply_all(&mut spec, &post.edits);
        hold = read(&spec);
    }
    if let Ok(post) = hold.abort(&spec, &driver) {
        apply_all(&mut spec, &post.edits);
        hold = read(&spec);
    }
    if let Ok(post) = hold.as_is(&spec).finish(&spec) {
        apply_all(&mut spec, &post.edits);
        assert_eq!(Hold::read(&spec), Ok(None));
    }
});
