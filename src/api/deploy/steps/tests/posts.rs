//! The posts: what they check, and how edits are reverted.

use serde_json::{Value, json};

use super::*;
use crate::api::spec::{Edit, Place, apply_all, changes};

const ENV: &str = "TaskTemplate.ContainerSpec.Env";

fn env(text: &str) -> Edit {
    Edit::item(Place::at(ENV), json!(text))
}

fn remove_env(key: &str) -> Edit {
    Edit::remove(Place::at(ENV).item(key))
}

/// The spec after an abort of these edits. `meanwhile` changes the held service.
fn aborted(before: &Value, edits: &[Edit], meanwhile: impl Fn(&mut Value)) -> Result<Value, PostError> {
    let (mut now, hold) = held(before, edits);
    meanwhile(&mut now);
    let abort = hold.abort(&now, &driver("ann"))?;
    let after = posted(&now, &abort);
    Ok(posted(&after, &abort.next.unwrap().finish(&after)?))
}

#[test]
fn the_label_has_what_a_machine_needs_to_continue() {
    let (now, hold) = held(&spec(Some(config())), &[image(NEW)]);
    let label: Value = serde_json::from_str(now["Labels"]["swarmctl.held"].as_str().unwrap()).unwrap();
    assert_eq!(
        label,
        json!({
            "v": 1, "by": "ann@ci", "at": "2026-11-28T22:10:00Z", "nonce": "nonce-ann", "run": 124,
            "run_nonce": "7f3c", "phase": "holding",
            "steps": ["1", "25%", "100%"], "step": 1, "round": 1, "target": 1, "parallelism": 1, "gated": true,
            "config": config(),
            "edits": [{
                "place": "TaskTemplate.ContainerSpec.Image", "path": ["TaskTemplate", "ContainerSpec", "Image"], "item": null,
                "op": "set", "from": OLD, "to": NEW,
            }],
        })
    );
    assert_eq!(Hold::read(&now).unwrap(), Some(hold));
    assert_eq!(Hold::read(&spec(None)).unwrap(), None);
}

#[test]
fn each_round_makes_another_spec() {
    let (mut now, mut hold) = held(&spec(Some(config())), &[image(NEW)]);
    for number in 2..5 {
        let advance = hold.advance(&now, &driver("bob"), &round(2, 5, 2)).unwrap();
        let after = posted(&now, &advance);
        assert_ne!(after, now);
        (now, hold) = (after, advance.next.unwrap());
        let label = hold.label();
        assert_eq!((label.round, label.step, label.target, label.parallelism), (number, 2, 5, 2));
        assert_eq!((label.by.as_str(), &label.run, label.is_gated), ("bob@ci", &Some(run()), true));
    }
}

#[test]
fn an_abort_restores_every_byte() {
    let mut before = spec(Some(config()));
    before["TaskTemplate"]["Placement"] = json!({"Constraints": ["node.role==worker"]});
    let ports = |port: u64| json!({"TargetPort": 80, "PublishedPort": port, "Protocol": "tcp", "PublishMode": "ingress"});
    before["EndpointSpec"] = json!({"Mode": "vip", "Ports": [ports(1), ports(2)]});
    let cpus = Place::at("TaskTemplate.Resources.Limits.NanoCPUs");
    let cases: Vec<Vec<Edit>> = vec![
        vec![image(NEW)],
        vec![Edit::increment(Place::at("TaskTemplate.ForceUpdate"))],
        vec![env("B=9"), env("D=4")],
        vec![remove_env("A")],
        vec![remove_env("A"), remove_env("C"), env("D=4")],
        vec![remove_env("A"), remove_env("B"), remove_env("C")],
        vec![remove_env("B"), env("A=7"), env("X=1"), env("Y=2")],
        vec![Edit::set(cpus, 500_000_000)],
        vec![Edit::remove(Place::at("TaskTemplate.Placement"))],
        vec![Edit::remove(Place::at("EndpointSpec.Ports").items_like("*:80/tcp/ingress"))],
        vec![Edit::item(
            Place::at("TaskTemplate.ContainerSpec.Mounts"),
            json!({"Type": "tmpfs", "Target": "/t"}),
        )],
        vec![Edit::set(Place::at("TaskTemplate.ContainerSpec.Labels").key("com.example.a"), "1")],
        vec![Edit::set(Place::at("Labels").key("team"), "x"), image(NEW)],
    ];
    for edits in cases {
        let after = aborted(&before, &edits, |_| {}).unwrap();
        assert_eq!(sorted(&after), sorted(&before), "{edits:?}");
        let position = |spec: &Value| spec["TaskTemplate"]["ContainerSpec"]["Env"].clone();
        assert_eq!(position(&after), position(&before), "{edits:?}");
    }
}

#[test]
fn a_removed_item_goes_to_the_end_of_a_list_that_others_have_changed() {
    let edits = [remove_env("A"), env("D=4")];
    let list = |meanwhile: &dyn Fn(&mut Value)| {
        let after = aborted(&spec(None), &edits, |spec| {
            meanwhile(&mut spec["TaskTemplate"]["ContainerSpec"]["Env"]);
        });
        after.unwrap()["TaskTemplate"]["ContainerSpec"]["Env"].clone()
    };
    assert_eq!(list(&|_| {}), json!(["A=1", "B=2", "C=3"]));
    assert_eq!(
        list(&|env| env.as_array_mut().unwrap().push(json!("E=5"))),
        json!(["B=2", "C=3", "E=5", "A=1"])
    );
    assert_eq!(list(&|env| env[0] = json!("B=7")), json!(["B=7", "C=3", "A=1"]));
}

#[test]
fn a_third_value_is_a_conflict_and_other_changes_stay() {
    let both = [image(NEW), env("B=9")];
    let changed = aborted(&spec(None), &both, |spec| {
        spec["TaskTemplate"]["ContainerSpec"]["Env"][1] = json!("B=third");
    });
    let Err(PostError::Conflict(HoldConflict::Changed(differences))) = changed else { panic!("{changed:?}") };
    let [difference] = &differences[..] else { panic!("{differences:?}") };
    assert_eq!(difference.place.to_string(), "TaskTemplate.ContainerSpec.Env[B]");
    assert_eq!(difference.planned_from, Some(json!("B=2")));
    assert_eq!((&difference.now, &difference.planned_to), (&Some(json!("B=third")), &Some(json!("B=9"))));

    let after = aborted(&spec(None), &both, |spec| {
        spec["Mode"]["Replicated"]["Replicas"] = 30.into();
        spec["Labels"]["team"] = "x".into();
        spec["TaskTemplate"]["ContainerSpec"]["Env"].as_array_mut().unwrap().push(json!("E=5"));
    });
    let mut expected = spec(None);
    expected["Mode"]["Replicated"]["Replicas"] = 30.into();
    expected["Labels"]["team"] = "x".into();
    expected["TaskTemplate"]["ContainerSpec"]["Env"].as_array_mut().unwrap().push(json!("E=5"));
    assert_eq!(sorted(&after.unwrap()), sorted(&expected));
}

#[test]
fn a_value_that_the_engine_stores_in_its_own_form_is_no_third_value() {
    let item = json!({"TargetPort": 80, "PublishedPort": 8080});
    let edit = Edit::item(Place::at("EndpointSpec.Ports"), item);
    let (mut now, hold) = held(&spec(None), &[edit]);
    now["EndpointSpec"] = json!({"Mode": "vip", "Ports": [
        {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress"},
    ]});
    assert_eq!(hold.check(&now), Ok(()));
}

#[test]
fn a_process_stops_if_the_label_is_no_longer_its_own() {
    let (now, hold) = held(&spec(Some(config())), &[image(NEW)]);
    let other = hold.advance(&now, &driver("bob"), &round(1, 2, 1)).unwrap();
    let taken = posted(&now, &other);
    let all = |spec: &Value| {
        let posts = [
            hold.advance(spec, &driver("ann"), &round(1, 2, 1)),
            hold.release(spec, &driver("ann"), &round(3, 20, 0)),
            hold.as_is(spec).release(spec, &driver("ann"), &round(3, 20, 0)),
            hold.abort(spec, &driver("ann")),
            hold.finish(spec),
        ];
        posts.map(Result::unwrap_err)
    };
    for error in all(&taken) {
        assert_eq!(error, PostError::Conflict(HoldConflict::TakenOver { by: "bob@ci".to_owned() }));
    }
    let mut gone = now.clone();
    gone["Labels"] = json!({});
    for error in all(&gone) {
        assert_eq!(error, PostError::Conflict(HoldConflict::Removed));
    }
    let mut broken = now.clone();
    broken["Labels"]["swarmctl.held"] = "{".into();
    for error in all(&broken) {
        assert!(matches!(error, PostError::Conflict(HoldConflict::Unreadable(_))), "{error:?}");
    }
    // Labels are compared as text: a trailing space makes the label a different one.
    let mut spaced = now.clone();
    spaced["Labels"]["swarmctl.held"] = format!("{} ", hold.text()).into();
    assert!(matches!(hold.check(&spaced), Err(HoldConflict::TakenOver { .. })));
}

#[test]
fn a_release_is_completed_and_an_abort_too() {
    let (now, hold) = held(&spec(Some(config())), &[image(NEW)]);
    let release = hold.release(&now, &driver("ann"), &round(3, 20, 0)).unwrap();
    let (released, hold_of_release) = (posted(&now, &release), release.next.unwrap());
    let again = hold_of_release.advance(&released, &driver("ann"), &round(3, 20, 1));
    assert_eq!(again, Err(PostError::Conflict(HoldConflict::Releasing)));
    let abort = hold.abort(&now, &driver("ann")).unwrap();
    let (aborted, hold_of_abort) = (posted(&now, &abort), abort.next.unwrap());
    for again in [
        hold_of_abort.advance(&aborted, &driver("ann"), &round(3, 20, 1)),
        hold_of_abort.release(&aborted, &driver("ann"), &round(3, 20, 1)),
    ] {
        assert_eq!(again, Err(PostError::Conflict(HoldConflict::Aborting)));
    }
    // A second release or abort differs from the first one in its label only.
    for (spec, again) in [
        (&released, hold_of_release.release(&released, &driver("bob"), &round(3, 20, 0)).unwrap()),
        (&aborted, hold_of_abort.abort(&aborted, &driver("bob")).unwrap()),
    ] {
        let mut after = posted(spec, &again);
        assert_ne!(&after, spec);
        after["Labels"] = spec["Labels"].clone();
        assert_eq!(&after, spec);
    }
    // After an abort, the places must hold the old values.
    let mut changed = aborted.clone();
    changed["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
    assert!(matches!(hold_of_abort.finish(&changed), Err(PostError::Conflict(HoldConflict::Changed(_)))));
}

#[test]
fn a_release_as_it_is_accepts_what_others_have_changed() {
    let (mut now, hold) = held(&spec(Some(config())), &[image(NEW), remove_env("A")]);
    now["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/web:hotfix".into();
    assert!(hold.release(&now, &driver("ann"), &round(3, 20, 0)).is_err());
    let release = hold.as_is(&now).release(&now, &driver("ann"), &round(3, 20, 0)).unwrap();
    let released = posted(&now, &release);
    let next = Hold::read(&released).unwrap().unwrap();
    assert_eq!(Some(&next), release.next.as_ref());
    let end = posted(&released, &next.finish(&released).unwrap());
    assert_eq!(end["TaskTemplate"]["ContainerSpec"]["Image"], "shop/web:hotfix");
    assert_eq!(sorted(&end["UpdateConfig"]), sorted(&config()));
    assert!(!has_label(&end));
}

#[test]
fn the_first_post_is_refused_on_a_held_service_and_for_the_settings_of_the_hold() {
    let (now, hold) = held(&spec(None), &[image(NEW)]);
    let again = Hold::start(&now, &[image("shop/web:1.9")], &start());
    assert_eq!(again, Err(PostError::Conflict(HoldConflict::Held(Box::new(hold.label().clone())))));
    for edit in [
        Edit::set(Place::at("UpdateConfig.Delay"), 5),
        Edit::set(Place::at("Labels").key("swarmctl.held"), "x"),
    ] {
        let place = edit.place.clone();
        let refused = Hold::start(&spec(Some(config())), &[edit], &start());
        assert_eq!(refused, Err(PostError::NotHoldable(place)));
    }
}

#[test]
fn a_label_that_is_too_long_is_refused() {
    let long = "x".repeat(MAX_LABEL_LEN);
    let refused = Hold::start(&spec(None), &[env(&format!("B={long}"))], &start());
    assert!(matches!(refused, Err(PostError::LabelTooLong(length)) if length > MAX_LABEL_LEN), "{refused:?}");
}

#[test]
fn an_edit_that_restarts_nothing_but_a_label_can_be_held() {
    let mut before = spec(None);
    before["Labels"] = json!({"a": "1", "com.docker.stack.namespace": "shop"});
    let edits = [Edit::remove(Place::at("Labels").key("a"))];
    let mut expected = before.clone();
    apply_all(&mut expected, &edits);
    let (now, hold) = held(&before, &edits);
    let end = posted(&now, &hold.finish(&now).unwrap());
    assert_eq!(sorted(&end), sorted(&expected));
}

#[test]
fn the_update_after_a_post_is_known_from_its_changes() {
    let mut without_labels = spec(None);
    without_labels.as_object_mut().unwrap().shift_remove("Labels");
    for before in [spec(None), without_labels] {
        let (after, hold) = held(&before, &[image(NEW)]);
        assert_eq!(Hold::from_changes(&changes(&before, &after)), Some(hold.clone()));
        let advance = hold.advance(&after, &driver("bob"), &round(1, 1, 1)).unwrap();
        let later = posted(&after, &advance);
        assert_eq!(Hold::from_changes(&changes(&after, &later)), advance.next);
        let done = posted(&later, &advance.next.unwrap().finish(&later).unwrap());
        assert_eq!(Hold::from_changes(&changes(&later, &done)), None);
    }
}

#[test]
fn a_label_of_an_earlier_round_is_not_another_driver() {
    let (first, hold) = held(&spec(None), &[image(NEW)]);
    let advance = hold.advance(&first, &driver("bob"), &round(1, 1, 1)).unwrap();
    let second = posted(&first, &advance);
    let next = advance.next.unwrap();
    assert_eq!(next.check(&first), Err(HoldConflict::SetBack { phase: Phase::Holding }));
    assert_eq!(hold.check(&second), Err(HoldConflict::TakenOver { by: "bob@ci".to_owned() }));
    // A hold that was started later.
    let at: Timestamp = "2026-11-28T23:10:00Z".parse().unwrap();
    let other = HoldStart { driver: driver("eve"), at, ..start() };
    let other = posted(&spec(None), &Hold::start(&spec(None), &[image(NEW)], &other).unwrap());
    assert_eq!(next.check(&other), Err(HoldConflict::TakenOver { by: "eve@ci".to_owned() }));
}
