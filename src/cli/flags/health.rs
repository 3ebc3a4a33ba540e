//! Flags of how the health of containers is checked.

use serde_json::{Value, json};

use super::flag::{Flag, FlagValues};
use crate::api::spec::values::{container, duration, number};
use crate::api::spec::{BadValue, Edit, Place};

const HEALTH: &str = "TaskTemplate.ContainerSpec.Healthcheck";

/// The flags of this area.
pub(super) const FLAGS: &[Flag] = &[
    Flag::switch("no-healthcheck", "Turn off the image's health check", no_health_check).since(1, 25),
    Flag::one("health-cmd", "COMMAND", "Check health with this shell command", |given| {
        check(given, "Test", container::health_command)
    })
    .since(1, 25),
    Flag::one("health-interval", "DURATION", "Check health so often", |given| {
        check(given, "Interval", duration::health_period)
    })
    .since(1, 25),
    Flag::one("health-timeout", "DURATION", "Give a health check so much time", |given| {
        check(given, "Timeout", duration::health_period)
    })
    .since(1, 25),
    Flag::one(
        "health-start-period",
        "DURATION",
        "Count no failed check for so long after the start",
        |given| check(given, "StartPeriod", duration::health_period),
    )
    .since(1, 29),
    Flag::one("health-start-interval", "DURATION", "Check health so often in the start period", |given| {
        check(given, "StartInterval", duration::health_period)
    })
    .since(1, 44),
    Flag::one("health-retries", "N", "Call a container unhealthy after so many failed checks", |given| {
        check(given, "Retries", |text| number::between(text, 0, i32::MAX.into(), "3"))
    })
    .since(1, 25),
];

/// Turned on again is the image's own check.
fn no_health_check(given: &FlagValues<'_>) -> Result<Vec<Edit>, BadValue> {
    Ok(match number::boolean(given.last())? {
        true => vec![Edit::set(Place::at(HEALTH), json!({"Test": ["NONE"]}))],
        false => vec![turned_on()],
    })
}

/// One setting of the check, which is turned on by that.
fn check<T: Into<Value>>(
    given: &FlagValues<'_>,
    key: &str,
    read: impl Fn(&str) -> Result<T, BadValue>,
) -> Result<Vec<Edit>, BadValue> {
    let mut edits = vec![turned_on()];
    edits.extend(given.set(&format!("{HEALTH}.{key}"), read)?);
    Ok(edits)
}

fn turned_on() -> Edit {
    Edit::clear(Place::at(HEALTH).key("Test"), json!(["NONE"]))
}
