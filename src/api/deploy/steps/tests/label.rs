//! A written label is parsed to the same contents, and invalid contents are refused.

use fastrand::Rng;
use serde_json::{Value, json};

use super::*;
use crate::api::property_tests::{check_random_inputs, random_json, random_text};

/// The contents of a valid label.
fn valid() -> Value {
    let (now, _) = held(&spec(Some(config())), &[image(NEW)]);
    serde_json::from_str(now["Labels"]["swarmctl.held"].as_str().unwrap()).unwrap()
}

fn why_not(change: impl Fn(&mut Value)) -> UnreadableLabel {
    let mut label = valid();
    change(&mut label);
    parse(&label.to_string()).unwrap_err()
}

#[track_caller]
fn refused(change: impl Fn(&mut Value), expected: &str) {
    let why = why_not(change).to_string();
    assert!(why.contains(expected), "{why:?} has no {expected:?}");
}

#[test]
fn another_version_and_other_texts_are_told_apart() {
    assert_eq!(why_not(|label| label["v"] = 2.into()), UnreadableLabel::Version("2".to_owned()));
    assert_eq!(why_not(|label| label["v"] = "1".into()), UnreadableLabel::Version("\"1\"".to_owned()));
    for text in ["", "x", "[]", "{}", "{\"v\":1,\"v\":1}", "null"] {
        assert!(matches!(parse(text), Err(UnreadableLabel::Invalid(_))), "{text}");
    }
    let long = format!("{{\"v\":1,\"by\":\"{}\"}}", "x".repeat(MAX_LABEL_LEN));
    assert_eq!(parse(&long).unwrap_err().to_string(), "it has more than 64 KiB");
}

#[test]
fn every_field_is_checked() {
    for key in ["by", "at", "phase", "steps", "step", "round", "target", "parallelism", "gated", "edits"] {
        let mut label = valid();
        label.as_object_mut().unwrap().shift_remove(key);
        assert!(parse(&label.to_string()).is_err(), "without {key}");
        for wrong in [json!(-1), json!(["x"]), json!({"a": 1}), json!(1.5)] {
            label[key] = wrong.clone();
            assert!(parse(&label.to_string()).is_err(), "{key}: {wrong}");
        }
    }
    for key in ["nonce", "run", "run_nonce", "config"] {
        let mut label = valid();
        label.as_object_mut().unwrap().shift_remove(key);
        assert!(parse(&label.to_string()).is_ok(), "without {key}");
    }
    refused(|label| label["at"] = "yesterday".into(), "`at` is not a timestamp");
    refused(|label| label["by"] = "x".repeat(300).into(), "`by` is too long");
    refused(|label| label["phase"] = "paused".into(), "`paused` is not a known phase");
    refused(|label| label["step"] = 0.into(), "`step` is out of range");
    refused(|label| label["step"] = 4.into(), "`step` is out of range");
    refused(|label| label["steps"] = json!(["1"]), "the last step is not `100%`");
    refused(|label| label["steps"] = json!(vec!["100%"; 101]), "too many");
    refused(|label| label["steps"] = json!(["0", "100%"]), "at least one task");
    refused(|label| label["config"] = json!({"Delay": "10s"}), "`config`");
    refused(|label| label["config"] = json!([]), "`config`");
    refused(|label| label["abort"] = json!({}), "`abort`");
    refused(|label| label["phase"] = "aborting".into(), "`abort`");
}

#[test]
fn an_edit_may_change_nothing_that_a_plan_may_not() {
    let edit = |path: Value, from: Value, to: Value| json!({"path": path, "item": null, "op": "set", "from": from, "to": to});
    let with = |edit: Value| move |label: &mut Value| label["edits"] = json!([edit]);
    refused(with(edit(json!(["Name"]), json!("web"), json!("x"))), "a service cannot be renamed");
    refused(with(edit(json!(["name"]), json!("web"), json!("x"))), "");
    refused(with(edit(json!(["Mode"]), json!({}), json!({"Global": {}}))), "would change the mode");
    refused(with(edit(json!(["Mode", "Global"]), json!({}), json!({}))), "would change the mode");
    refused(
        with(edit(json!(["UpdateConfig", "Delay"]), json!(1), json!(2))),
        "cannot change `UpdateConfig.Delay`",
    );
    refused(with(edit(json!(["UpdateConfig"]), json!({}), json!({}))), "cannot change `UpdateConfig`");
    refused(with(edit(json!(["Labels", "swarmctl.held"]), json!("a"), json!("b"))), "cannot change");
    refused(with(edit(json!(["Labels"]), json!({}), json!({"a": "b"}))), "cannot change `Labels`");
    let image = json!(["TaskTemplate", "ContainerSpec", "Image"]);
    refused(with(edit(image.clone(), json!(5), json!("a"))), "`from`");
    refused(with(edit(image.clone(), json!("a"), json!(5))), "");
    for op in ["default", "clear", "increment", "run"] {
        let mut it = edit(image.clone(), json!("a"), json!("b"));
        it["op"] = op.into();
        refused(with(it), "");
    }
    let twice = edit(image.clone(), json!("a"), json!("b"));
    refused(|label| label["edits"] = json!([twice, twice]), "the place occurs twice");
    let env = json!(["TaskTemplate", "ContainerSpec", "Env"]);
    let item = |from: &str| json!({"path": env, "item": "A", "op": "remove", "from": from, "to": null});
    refused(with(item("B=1")), "`from`: `to` is not the item `A`");
    for (key, value) in [
        ("at", json!(1)),
        ("rest", json!("x")),
        ("created", json!(0)),
        ("created", json!(9)),
        ("cmd", json!("rm")),
    ] {
        let mut it = item("A=1");
        it[key] = value;
        refused(with(it), "");
    }
    let mut it = item("A=1");
    (it["at"], it["rest"], it["created"]) = (json!(3), json!("ab"), json!(2));
    let mut label = valid();
    label["edits"] = json!([it]);
    assert!(parse(&label.to_string()).is_ok());
}

#[test]
fn a_label_is_read_as_it_is_written() {
    check_random_inputs("labels of held updates", |random| {
        let label = random_label(random);
        let text = label.to_text();
        if text.len() <= MAX_LABEL_LEN {
            assert_eq!(parse(&text).as_ref(), Ok(&label), "{text}");
            assert_eq!(parse(&text).unwrap().to_text(), text);
        }
        // Parsing a damaged label never panics. If the parser accepts the label, it can be written and parsed again.
        let mut broken: Value = serde_json::from_str(&text).unwrap();
        let object = broken.as_object_mut().unwrap();
        let key = object.keys().nth(random.usize(..object.len())).unwrap().clone();
        object.insert(key, random_json(random, 3));
        if let Ok(label) = parse(&broken.to_string()) {
            assert_eq!(parse(&label.to_text()), Ok(label));
        }
    });
}

fn random_label(random: &mut Rng) -> HoldLabel {
    let mut before = spec(random.bool().then(config));
    before["TaskTemplate"]["ContainerSpec"]["Labels"] = json!({"a": random_text(random)});
    let env = Place::at("TaskTemplate.ContainerSpec.Env");
    let mut edits = vec![image(NEW)];
    for key in ["A", "B", "D"] {
        edits.push(match random.u8(..3) {
            0 => Edit::remove(env.clone().item(key)),
            1 => Edit::item(env.clone(), format!("{key}={}", random_text(random)).into()),
            _ => Edit::set(Place::at("TaskTemplate.ContainerSpec.Labels").key(&random_text(random)), "x"),
        });
    }
    let (mut now, mut hold) = held(&before, &edits);
    for _ in 0..random.u8(..3) {
        let Ok(post) = (match random.u8(..3) {
            0 => hold.release(&now, &driver("bob"), &round(3, 20, 0)),
            1 => hold.abort(&now, &driver("bob")),
            _ => hold.advance(&now, &driver("bob"), &round(2, random.u64(1..9), random.u64(1..9))),
        }) else {
            break;
        };
        now = posted(&now, &post);
        hold = post.next.unwrap();
    }
    hold.label().clone()
}
