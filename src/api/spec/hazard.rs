//! Specs that crash an engine, or that it drops the connection on. They are never sent.
//!
//! Measured on 20.10.24 and 28.5.2. [`forecast::loses_placement`](crate::api::forecast::loses_placement) knows the other
//! crash, which depends on the spec before.

use std::fmt;

use serde_json::Value;

use super::{Edit, InvalidSpec, Place, apply_all};

const HEALTH_TEST: &str = "TaskTemplate.ContainerSpec.Healthcheck.Test";
const GENERIC: &str = "TaskTemplate.Resources.Reservations.GenericResources";

/// What in a stored spec crashes an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    /// A health check of `["CMD"]` alone: the engine of the task's node crashes when it runs the check first
    /// (moby/moby#52330).
    HealthCheck,
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HealthCheck => f.write_str(
                "its health check is `[\"CMD\"]` without a command: engines crash on it (moby/moby#52330)",
            ),
        }
    }
}

/// What of this spec crashes an engine.
pub fn hazard_of_spec(spec: &Value) -> Option<Hazard> {
    hazard_of_test(Place::at(HEALTH_TEST).get(spec)?)
}

/// [`hazard_of_spec`], of a spec that is held as text.
pub fn hazard_of_text(spec: &str) -> Option<Hazard> {
    let at = super::splice::find(spec, Place::at(HEALTH_TEST).keys())?;
    hazard_of_test(&serde_json::from_str(spec.get(at)?).ok()?)
}

fn hazard_of_test(test: &Value) -> Option<Hazard> {
    let [word] = test.as_array()?.as_slice() else { return None };
    (word == "CMD").then_some(Hazard::HealthCheck)
}

/// Refuses what these edits make of `before` if it crashes an engine or is not a spec that one can read. What is stored
/// already is not refused here: no edit brings it.
pub fn check(edits: &[Edit], before: &Value) -> Result<(), InvalidSpec> {
    let mut brought = before.clone();
    super::prepare(&mut brought, edits);
    let stored = Edit::remove(Place::at(HEALTH_TEST));
    apply_all(&mut brought, &[&[stored][..], edits].concat());
    check_new(&brought)
}

/// [`check`], of a spec that is new as a whole.
pub fn check_new(spec: &Value) -> Result<(), InvalidSpec> {
    if let Some(Hazard::HealthCheck) = hazard_of_spec(spec) {
        return Err(InvalidSpec::HealthCheckWithoutCommand);
    }
    refuse_nothing_in_lists(spec)
}

/// An engine reads past an item of these lists that is not there, and answers nothing at all.
fn refuse_nothing_in_lists(spec: &Value) -> Result<(), InvalidSpec> {
    let has = |path: &str, is_missing: fn(&Value) -> bool| {
        Place::at(path).get(spec).and_then(Value::as_array).is_some_and(|items| items.iter().any(is_missing))
    };
    for list in ["Secrets", "Configs", "Ulimits"] {
        if has(&format!("TaskTemplate.ContainerSpec.{list}"), Value::is_null) {
            return Err(InvalidSpec::NullItem(list));
        }
    }
    let has_no_kind = |item: &Value| {
        ["NamedResourceSpec", "DiscreteResourceSpec"]
            .iter()
            .all(|kind| item.get(kind).is_none_or(Value::is_null))
    };
    if has(GENERIC, has_no_kind) {
        return Err(InvalidSpec::GenericResourceWithoutKind);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::spec::Document;

    fn with_test(test: &Value) -> Value {
        json!({"TaskTemplate": {"ContainerSpec": {"Image": "i", "Healthcheck": {"Test": test}}}})
    }

    /// Each was created on 20.10.24 and 28.5.2: only the first one crashed them.
    #[test]
    fn only_cmd_without_a_command_crashes_an_engine() {
        for (test, expected) in [
            (json!(["CMD"]), Some(Hazard::HealthCheck)),
            (json!(["CMD", ""]), None),
            (json!(["CMD", "true"]), None),
            (json!(["CMD-SHELL"]), None),
            (json!(["CMD-SHELL", ""]), None),
            (json!(["NONE"]), None),
            (json!(["NONE", "x"]), None),
            (json!([""]), None),
            (json!(["cmd"]), None),
            (json!(["foo"]), None),
            (json!([]), None),
            (Value::Null, None),
            (json!("CMD"), None),
        ] {
            let spec = with_test(&test);
            assert_eq!(hazard_of_spec(&spec), expected, "{test}");
            assert_eq!(hazard_of_text(&spec.to_string()), expected, "{test}");
            assert_eq!(check_new(&spec).is_err(), expected.is_some(), "{test}");
        }
        assert_eq!(hazard_of_spec(&json!({})), None);
        assert_eq!(hazard_of_text("{}"), None);
    }

    #[test]
    fn what_edits_bring_is_refused_and_what_is_stored_is_not() {
        let edits = |patch: Value| Document::parse(&patch.to_string()).unwrap().as_new();
        let (bad, good) = (with_test(&json!(["CMD"])), with_test(&json!(["CMD", "true"])));
        for (stored, brought, is_refused) in [
            (&good, &bad, true),
            (&bad, &bad, true),
            (&bad, &good, false),
            (&bad, &json!({"Labels": {"a": "b"}}), false),
            (&bad, &json!({"TaskTemplate": {"ContainerSpec": {"Healthcheck": {"Retries": 3}}}}), false),
            (&bad, &json!({"TaskTemplate": {"ContainerSpec": {"Healthcheck": null}}}), false),
        ] {
            assert_eq!(check(&edits(brought.clone()), stored).is_err(), is_refused, "{stored} {brought}");
        }
    }

    /// On each of these the engine's handler panicked, and the connection ended without a response.
    #[test]
    fn nothing_in_the_place_of_an_item_is_refused() {
        let container = |list: &str| json!({"TaskTemplate": {"ContainerSpec": {list: [null]}}});
        let generic = |item: Value| json!({"TaskTemplate": {"Resources": {"Reservations": {"GenericResources": [item]}}}});
        for spec in [
            container("Secrets"),
            container("Configs"),
            container("Ulimits"),
            generic(Value::Null),
            generic(json!({})),
            generic(json!({"NamedResourceSpec": null})),
        ] {
            assert!(check_new(&spec).is_err(), "{spec}");
            assert!(
                check(&Document::parse(&spec.to_string()).unwrap().as_new(), &json!({})).is_err(),
                "{spec}"
            );
        }
        for spec in
            [container("Mounts"), generic(json!({"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}}))]
        {
            assert!(check_new(&spec).is_ok(), "{spec}");
        }
    }
}
