//! The result of a post whose response was lost, determined from a later read. Pure.

use serde_json::Value;

use super::new_rollback::is_new_rollback;
use super::readback::{Sent, dropped};
use crate::api::resources::services::Service;
use crate::api::spec::{Edit, Op, Place, is_stored_if_zero, is_zero};

/// The result of a post whose response was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LostPostResult {
    /// Not applied. If the version index is unchanged, the same post may be repeated. Otherwise the edits must be
    /// applied again, to the current spec.
    NotApplied,
    /// Applied.
    Applied,
    /// Applied, then replaced by another writer.
    Replaced,
    /// Applied, failed and rolled back by the engine.
    RolledBack,
}

/// Determines the result from the service `before` the post, the service `now`, and the posted spec `sent`.
pub(super) fn resolve_lost_post(
    before: &Service,
    now: &Service,
    edits: &[Edit],
    sent: &Value,
) -> LostPostResult {
    let image = Place::at("TaskTemplate.ContainerSpec.Image");
    // If the update removes the digest and the image still has it, the post was not applied. `dropped` alone would
    // accept the digest, because old engines pin images themselves.
    let is_as_before = |spec: &Value| {
        image.get(sent) != image.get(before.spec()) && image.get(spec) == image.get(before.spec())
    };
    let by_edit = Sent::new(edits, sent);
    let has_zeros = |spec: &Value| edits.iter().all(|edit| holds_zero(edit, spec));
    let has_all = |spec: &Value| dropped(&by_edit, spec).is_empty() && has_zeros(spec) && !is_as_before(spec);
    if now.version() == before.version() {
        LostPostResult::NotApplied
    } else if sent == before.spec() {
        // Only credentials were sent, which cannot be read back. If the post was applied, the unchanged spec is also
        // the previous spec; but this shows nothing if it was so before.
        let is_moved =
            now.spec() == sent && now.previous_spec() == Some(sent) && before.previous_spec() != Some(sent);
        if is_moved { LostPostResult::Applied } else { LostPostResult::NotApplied }
    } else if has_all(now.spec()) {
        LostPostResult::Applied
    } else if now.previous_spec().is_some_and(has_all) {
        LostPostResult::Replaced
    } else if is_new_rollback(before, now)
        && edits
            .iter()
            .all(|edit| edit.place.matching_value(before.spec()) == edit.place.matching_value(now.spec()))
    {
        LostPostResult::RolledBack
    } else {
        LostPostResult::NotApplied
    }
}

/// Whether the spec may be the result of the edit, if this sets a zero value. [`dropped`] ignores zero values, because the
/// engine omits most of them; but it replaces none of these with another value. For empty strings it stores defaults.
fn holds_zero(edit: &Edit, spec: &Value) -> bool {
    let (Op::Set(wanted), stored) = (&edit.op, edit.place.get(spec)) else { return true };
    if !is_zero(wanted) {
        true
    } else if is_stored_if_zero(&edit.place) {
        stored.is_some_and(is_zero)
    } else if wanted.is_number() || wanted.is_boolean() || wanted.is_array() {
        stored.is_none_or(is_zero)
    } else {
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::spec::apply_all;

    const OLD: &str = "2026-01-01T00:00:00.000000001Z";
    const NEW: &str = "2026-01-01T00:00:09.000000001Z";

    fn service(index: u64, image: &str, previous: Option<&str>, status: Option<(&str, &str)>) -> Service {
        let spec = |image: &str| json!({"Name": "t", "TaskTemplate": {"ContainerSpec": {"Image": image}}});
        let mut object = json!({"ID": "abcdefgh", "Version": {"Index": index}, "Spec": spec(image)});
        if let Some(image) = previous {
            object["PreviousSpec"] = spec(image);
        }
        if let Some((state, started)) = status {
            object["UpdateStatus"] = json!({"State": state, "StartedAt": started});
        }
        Service::new(object).unwrap()
    }

    #[test]
    fn credentials_alone_are_applied_if_the_spec_has_moved() {
        let before = service(10, "a:1", Some("a:0"), None);
        for (now, expected) in [
            (service(10, "a:1", Some("a:0"), None), LostPostResult::NotApplied),
            (service(11, "a:1", Some("a:1"), None), LostPostResult::Applied),
            (service(11, "a:1", Some("a:0"), None), LostPostResult::NotApplied),
            (service(11, "a:2", Some("a:1"), None), LostPostResult::NotApplied),
        ] {
            assert_eq!(resolve_lost_post(&before, &now, &[], before.spec()), expected, "{now:?}");
        }
        let [before, now] = [10, 11].map(|index| service(index, "a:1", Some("a:1"), None));
        assert_eq!(resolve_lost_post(&before, &now, &[], before.spec()), LostPostResult::NotApplied);
    }

    #[test]
    fn an_image_that_is_still_pinned_means_that_the_unpin_was_not_applied() {
        let pinned = format!("a:1@sha256:{}", "0".repeat(64));
        let (before, others) = (service(10, &pinned, None, None), service(11, &pinned, Some(&pinned), None));
        let edits = [Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), "a:1")];
        let mut sent = before.spec().clone();
        apply_all(&mut sent, &edits);
        assert_eq!(resolve_lost_post(&before, &others, &edits, &sent), LostPostResult::NotApplied);
        assert_eq!(
            resolve_lost_post(&before, &service(11, "a:1", None, None), &edits, &sent),
            LostPostResult::Applied
        );
    }

    #[test]
    fn a_zero_value_that_is_not_stored_means_that_the_post_was_not_applied() {
        let service = |index: u64, replicas: Value, label: Value, env: Value| {
            let spec = json!({
                "Name": "t",
                "Labels": {"a": label},
                "TaskTemplate": {"ContainerSpec": {"Image": "a:1", "Env": env}},
                "Mode": {"Replicated": {"Replicas": replicas}},
            });
            Service::new(json!({"ID": "abcdefgh", "Version": {"Index": index}, "Spec": spec})).unwrap()
        };
        let before = service(10, json!(3), json!("x"), json!(["A=1"]));
        let (replicas, label, env) =
            ("Mode.Replicated.Replicas", "Labels.a", "TaskTemplate.ContainerSpec.Env");
        for (place, zero, applied) in [
            (replicas, json!(0), service(11, json!(0), json!("x"), json!(["A=1"]))),
            (label, json!(""), service(11, json!(3), json!(""), json!(["A=1"]))),
            (env, json!([]), service(11, json!(3), json!("x"), Value::Null)),
        ] {
            let edits = [Edit::set(Place::at(place), zero)];
            let mut sent = before.spec().clone();
            apply_all(&mut sent, &edits);
            let others = service(11, json!(3), json!("x"), json!(["A=1"]));
            let result = |now| resolve_lost_post(&before, now, &edits, &sent);
            assert_eq!(result(&others), LostPostResult::NotApplied, "{place}");
            assert_eq!(result(&applied), LostPostResult::Applied, "{place}");
        }
    }

    /// docs/design.md section 3, "A lost response", row by row.
    #[test]
    fn every_row_of_the_table_of_lost_responses_is_decided_as_documented() {
        let edits = [Edit::set(Place::at("TaskTemplate.ContainerSpec.Image"), "a:2")];
        let before = service(10, "a:1", Some("a:0"), Some(("rollback_completed", OLD)));
        let mut sent = before.spec().clone();
        apply_all(&mut sent, &edits);
        let rolled = |started| Some(("rollback_completed", started));
        let table = [
            ("index is base's", service(10, "a:1", None, None), LostPostResult::NotApplied),
            ("the spec has all edits", service(12, "a:2", Some("a:1"), None), LostPostResult::Applied),
            ("the previous spec has them", service(13, "a:3", Some("a:2"), None), LostPostResult::Replaced),
            ("rolled back since", service(14, "a:1", None, rolled(NEW)), LostPostResult::RolledBack),
            ("an old rollback", service(14, "a:1", None, rolled(OLD)), LostPostResult::NotApplied),
            (
                "rolled back to something else",
                service(14, "a:9", None, rolled(NEW)),
                LostPostResult::NotApplied,
            ),
            ("someone else's change only", service(11, "a:1", Some("a:1"), None), LostPostResult::NotApplied),
        ];
        for (what, now, expected) in table {
            assert_eq!(resolve_lost_post(&before, &now, &edits, &sent), expected, "{what}");
        }
    }
}
