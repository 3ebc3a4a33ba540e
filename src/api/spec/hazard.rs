//! Specs that crash an engine, or make it close the connection. They are never sent.
//!
//! Measured on 20.10.24 and 28.5.2. [`forecast::loses_placement`](crate::api::forecast::loses_placement)
//! checks for another crash, which depends on the current spec.

use std::fmt;

use serde_json::Value;

use super::{Edit, InvalidSpec, Place, apply_all};

const HEALTH_TEST: &str = "TaskTemplate.ContainerSpec.Healthcheck.Test";
const GENERIC: &str = "TaskTemplate.Resources.Reservations.GenericResources";

/// A part of a spec that crashes an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    /// A health check of `["CMD"]` without a command. The engine on the task's node crashes when it runs the check for
    /// the first time (moby/moby#52330).
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

/// The part of this spec that crashes an engine, if there is one.
pub fn hazard_of_spec(spec: &Value) -> Option<Hazard> {
    hazard_of_test(Place::at(HEALTH_TEST).get(spec)?)
}

/// Like [`hazard_of_spec`], for the text of a spec.
pub fn hazard_of_text(spec: &str) -> Option<Hazard> {
    // Only a text with the key `Healthcheck`, possibly written with escapes, can have a hazard.
    if !spec.contains("Healthcheck") && !spec.contains('\\') {
        return None;
    }
    let at = super::splice::find(spec, Place::at(HEALTH_TEST).keys())?;
    hazard_of_test(&serde_json::from_str(spec.get(at)?).ok()?)
}

fn hazard_of_test(test: &Value) -> Option<Hazard> {
    let [word] = test.as_array()?.as_slice() else { return None };
    (word == "CMD").then_some(Hazard::HealthCheck)
}

/// Refuses edits that produce a spec which crashes an engine or makes it close the connection. A health check that is
/// already stored is not refused here, because the edits do not introduce it. It is refused immediately before the post.
pub(super) fn check(edits: &[Edit], before: &Value) -> Result<(), InvalidSpec> {
    let mut introduced = before.clone();
    super::prepare(&mut introduced, edits);
    let stored = Edit::remove(Place::at(HEALTH_TEST));
    apply_all(&mut introduced, &[&[stored][..], edits].concat());
    check_new(&introduced)
}

/// Like [`check`], for a new spec.
pub(super) fn check_new(spec: &Value) -> Result<(), InvalidSpec> {
    if let Some(Hazard::HealthCheck) = hazard_of_spec(spec) {
        return Err(InvalidSpec::HealthCheckWithoutCommand);
    }
    refuse_null_items(spec)
}

/// Refuses null items in lists where the engine dereferences them: it closes the connection without a response.
fn refuse_null_items(spec: &Value) -> Result<(), InvalidSpec> {
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

    /// Each test was used on 20.10.24 and 28.5.2: only the first one crashed the engine.
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
            let escaped = spec.to_string().replace("Healthcheck", r"\u0048ealthcheck");
            assert_eq!(hazard_of_text(&escaped), expected, "{test}");
            assert_eq!(check_new(&spec).is_err(), expected.is_some(), "{test}");
        }
        assert_eq!(hazard_of_spec(&json!({})), None);
        assert_eq!(hazard_of_text("{}"), None);
    }

    #[test]
    fn an_edit_that_would_crash_the_engine_is_refused_and_a_stored_spec_is_not() {
        let edits = |patch: Value| Document::parse(&patch.to_string()).unwrap().as_new();
        let (bad, good) = (with_test(&json!(["CMD"])), with_test(&json!(["CMD", "true"])));
        for (stored, introduced, is_refused) in [
            (&good, &bad, true),
            (&bad, &bad, true),
            (&bad, &good, false),
            (&bad, &json!({"Labels": {"a": "b"}}), false),
            (&bad, &json!({"TaskTemplate": {"ContainerSpec": {"Healthcheck": {"Retries": 3}}}}), false),
            (&bad, &json!({"TaskTemplate": {"ContainerSpec": {"Healthcheck": null}}}), false),
        ] {
            assert_eq!(
                check(&edits(introduced.clone()), stored).is_err(),
                is_refused,
                "{stored} {introduced}"
            );
        }
    }

    /// The engine's handler panicked on each of the refused specs, and closed the connection without a response.
    #[test]
    fn a_null_item_is_refused() {
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
