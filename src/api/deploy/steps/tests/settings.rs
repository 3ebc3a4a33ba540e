//! How `UpdateConfig` is restored, for each setting that others may have changed during a hold.

use serde_json::{Value, json};

use super::*;

/// The places and values that were kept.
fn kept(post: &HoldPost) -> Vec<(String, Value)> {
    post.kept.iter().map(|it| (it.place.to_string(), it.value.clone().unwrap_or(Value::Null))).collect()
}

/// Another value for each setting.
fn others(original: Option<&Value>) -> Vec<(&'static str, Value)> {
    vec![
        ("Parallelism", json!(7)),
        ("Delay", json!(3_000_000_000_u64)),
        ("FailureAction", json!("continue")),
        ("Monitor", json!(9_000_000_000_u64)),
        ("MaxFailureRatio", json!(0.5)),
        ("Order", json!(if original.is_some() { "stop-first" } else { "start-first" })),
    ]
}

/// Checks what each post sets, and that a finish restores the settings if nobody has changed them.
#[test]
fn every_ending_restores_the_settings() {
    let minimal =
        json!({"Parallelism": 1, "FailureAction": "pause", "MaxFailureRatio": 0, "Order": "stop-first"});
    let unlimited =
        json!({"Parallelism": 0, "FailureAction": "continue", "MaxFailureRatio": 0, "Order": "stop-first"});
    for original in [None, Some(config()), Some(minimal), Some(unlimited), Some(json!({}))] {
        let before = spec(original.clone());
        let (now, hold) = held(&before, &[image(NEW)]);
        let set = &now["UpdateConfig"];
        assert_eq!(
            (&set["Parallelism"], &set["Delay"], &set["FailureAction"]),
            (&json!(1), &json!(HOLD_DELAY), &json!("pause"))
        );
        for key in ["Monitor", "MaxFailureRatio", "Order"] {
            assert_eq!(set.get(key), original.as_ref().and_then(|it| it.get(key)), "{key} is kept");
        }
        let ends = |spec: &Value, hold: &Hold, image: &str| {
            let finish = hold.finish(spec).unwrap();
            assert_eq!((finish.next.clone(), kept(&finish)), (None, vec![]));
            let mut expected = before.clone();
            expected["TaskTemplate"]["ContainerSpec"]["Image"] = image.into();
            assert_eq!(sorted(&posted(spec, &finish)), sorted(&expected), "{original:?}");
        };
        // An update whose old tasks are all replaced can finish without a release.
        ends(&now, &hold, NEW);
        let release = hold.release(&now, &driver("ann"), &round(3, 20, 0)).unwrap();
        let released = posted(&now, &release);
        let released_hold = release.next.clone().unwrap();
        assert_ne!(released["UpdateConfig"]["FailureAction"], "rollback", "the label is still there");
        ends(&released, &released_hold, NEW);
        for (spec, hold) in [(&now, &hold), (&released, &released_hold)] {
            let abort = hold.abort(spec, &driver("ann")).unwrap();
            let aborted = posted(spec, &abort);
            assert_eq!(aborted["UpdateConfig"]["FailureAction"], "pause");
            assert_eq!(aborted["UpdateConfig"]["Monitor"], 5_000_000_000_u64);
            ends(&aborted, &abort.next.unwrap(), OLD);
        }
    }
}

#[test]
fn an_abort_uses_the_settings_for_rollbacks() {
    let mut before = spec(Some(config()));
    before["RollbackConfig"] = json!({"Parallelism": 5, "Delay": 1, "FailureAction": "continue", "MaxFailureRatio": 1, "Order": "stop-first"});
    let (now, hold) = held(&before, &[image(NEW)]);
    let abort = hold.abort(&now, &driver("ann")).unwrap();
    let aborted = posted(&now, &abort);
    let mut expected = before["RollbackConfig"].clone();
    expected["FailureAction"] = "pause".into();
    assert_eq!(sorted(&aborted["UpdateConfig"]), sorted(&expected), "Monitor is not set there");
    let finish = abort.next.unwrap().finish(&aborted).unwrap();
    assert_eq!(sorted(&posted(&aborted, &finish)), sorted(&before));
}

/// A setting that others change has their value at the end, even if a post in between sets it to a different one. The change is
/// reported once, and only if it is a setting that the hold sets.
#[test]
fn a_setting_that_somebody_changes_is_kept() {
    for original in [None, Some(config())] {
        let others = others(original.as_ref());
        for (key, value) in others.clone() {
            let before = spec(original.clone());
            let (mut now, hold) = held(&before, &[image(NEW)]);
            now["UpdateConfig"][key] = value.clone();
            let is_own = ["Parallelism", "Delay", "FailureAction"].contains(&key);
            let note = if is_own { vec![(format!("UpdateConfig.{key}"), value.clone())] } else { vec![] };
            let is_kept = |spec: &Value, hold: &Hold, first: &HoldPost| {
                assert_eq!(kept(first), note, "{key}");
                let finish = hold.finish(spec).unwrap();
                assert_eq!(kept(&finish), vec![], "{key}: reported once");
                let end = posted(spec, &finish)["UpdateConfig"].clone();
                assert_eq!(end[key], value, "{key}");
                for (other, _) in others.iter().filter(|(other, _)| *other != key) {
                    let default = (*other == "Parallelism").then(|| json!(1));
                    let expected = original.as_ref().map_or(default, |it| it.get(*other).cloned());
                    assert_eq!(end.get(*other), expected.as_ref(), "{other} with another {key}");
                }
            };
            let advance = hold.advance(&now, &driver("ann"), &round(1, 2, 2)).unwrap();
            let after = posted(&now, &advance);
            assert_eq!(after["UpdateConfig"]["Delay"], HOLD_DELAY, "it still holds");
            assert_eq!(after["UpdateConfig"]["FailureAction"], "pause");
            is_kept(&after, advance.next.as_ref().unwrap(), &advance);
            let release = hold.release(&now, &driver("ann"), &round(3, 20, 0)).unwrap();
            is_kept(&posted(&now, &release), release.next.as_ref().unwrap(), &release);
            let abort = hold.abort(&now, &driver("ann")).unwrap();
            is_kept(&posted(&now, &abort), abort.next.as_ref().unwrap(), &abort);
            let finish = hold.finish(&now).unwrap();
            assert_eq!((kept(&finish), &posted(&now, &finish)["UpdateConfig"][key]), (note, &value));
        }
    }
}

#[test]
fn a_setting_that_somebody_changes_after_the_last_post_is_kept() {
    for (key, value) in others(Some(&config())) {
        let mut before = spec(Some(config()));
        before["RollbackConfig"] =
            json!({"Parallelism": 1, "FailureAction": "pause", "MaxFailureRatio": 0, "Order": "start-first"});
        let (now, hold) = held(&before, &[image(NEW)]);
        let release = hold.release(&now, &driver("ann"), &round(3, 20, 0)).unwrap();
        let abort = hold.abort(&now, &driver("ann")).unwrap();
        for post in [release, abort] {
            let mut now = posted(&now, &post);
            now["UpdateConfig"][key] = value.clone();
            let finish = post.next.unwrap().finish(&now).unwrap();
            let mut expected = config();
            expected[key] = value.clone();
            assert_eq!(sorted(&posted(&now, &finish)["UpdateConfig"]), sorted(&expected), "{key}");
        }
    }
}

#[test]
fn a_rollback_action_that_somebody_sets_waits_until_the_end() {
    let (mut now, hold) = held(&spec(Some(json!({"Parallelism": 1}))), &[image(NEW)]);
    now["UpdateConfig"]["FailureAction"] = "rollback".into();
    let release = hold.release(&now, &driver("ann"), &round(3, 20, 0)).unwrap();
    let released = posted(&now, &release);
    assert_eq!(released["UpdateConfig"]["FailureAction"], "pause", "the previous spec is a held one");
    let finish = release.next.unwrap().finish(&released).unwrap();
    assert_eq!(posted(&released, &finish)["UpdateConfig"]["FailureAction"], "rollback");
}

#[test]
fn settings_that_somebody_removes_stay_away() {
    let (mut now, hold) = held(&spec(Some(config())), &[image(NEW)]);
    now.as_object_mut().unwrap().remove("UpdateConfig");
    let finish = hold.finish(&now).unwrap();
    assert_eq!(posted(&now, &finish).get("UpdateConfig"), None);
    assert_eq!(finish.kept.len(), 3);
}

#[test]
fn the_engines_form_of_a_value_is_the_same_value() {
    // The engine drops a delay of 0 and writes ratios as 32-bit floats.
    let mut before = spec(Some(json!({"Parallelism": 1, "MaxFailureRatio": 0.3, "Order": "stop-first"})));
    before["RollbackConfig"] = json!({"Parallelism": 1, "Delay": 0, "MaxFailureRatio": 0.2});
    let (now, hold) = held(&before, &[image(NEW)]);
    let abort = hold.abort(&now, &driver("ann")).unwrap();
    let mut aborted = posted(&now, &abort);
    aborted["UpdateConfig"] = json!({"Parallelism": 1, "FailureAction": "pause", "MaxFailureRatio": 0.20000000298023224, "Order": "stop-first"});
    let finish = abort.next.unwrap().finish(&aborted).unwrap();
    assert_eq!(finish.kept, []);
    assert_eq!(sorted(&posted(&aborted, &finish)), sorted(&before));
}

#[test]
fn a_delay_of_a_year_without_a_label_is_noticed() {
    let with_delay = |delay: Value| spec(Some(json!({"Parallelism": 1, "Delay": delay})));
    assert!(is_held_without_label(&with_delay(json!(HOLD_DELAY))));
    assert!(is_held_without_label(&with_delay(json!(i64::MAX))));
    assert!(!is_held_without_label(&with_delay(json!(HOLD_DELAY - 1))));
    assert!(!is_held_without_label(&spec(None)));
    let (held, _) = held(&spec(None), &[image(NEW)]);
    assert!(!is_held_without_label(&held));
}
