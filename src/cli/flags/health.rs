//! Flags of health checks.

use serde_json::{Value, json};

use super::flag::{Flag, FlagValues};
use super::formats::{COMMAND, COUNT, DURATION};
use crate::api::spec::values::{container, duration, number};
use crate::api::spec::{Edit, Place};
use crate::cli::messages::usage::{OrExample as _, ParseError, UsageError};

const HEALTH: &str = "TaskTemplate.ContainerSpec.Healthcheck";

/// The flags of this module.
pub(super) const FLAGS: &[Flag] = &[
    Flag::switch("no-healthcheck", "Disable the health check of the image", no_health_check).since(1, 25),
    Flag::one("health-cmd", COMMAND, "Shell command that checks health", |given| {
        check(given, "Test", container::health_command)
    })
    .since(1, 25),
    Flag::one("health-interval", DURATION, "Time between health checks", |given| {
        check(given, "Interval", period)
    })
    .since(1, 25),
    Flag::one("health-timeout", DURATION, "Maximum time that one health check may take", |given| {
        check(given, "Timeout", period)
    })
    .since(1, 25),
    Flag::one(
        "health-start-period",
        DURATION,
        "Start period, in which failed health checks do not count",
        |given| check(given, "StartPeriod", period),
    )
    .since(1, 29),
    Flag::one(
        "health-start-interval",
        DURATION,
        "Time between health checks during the start period",
        |given| check(given, "StartInterval", period),
    )
    .since(1, 44),
    Flag::one("health-retries", COUNT, "Consecutive failed checks until a container is unhealthy", |given| {
        check(given, "Retries", |text| number::between(text, 0, i32::MAX.into()))
    })
    .since(1, 25),
];

/// `--no-healthcheck=false` restores the check of the image.
fn no_health_check(given: &FlagValues<'_>) -> Result<Vec<Edit>, UsageError> {
    Ok(if number::boolean(given.last()).or_example(given.example())? {
        vec![Edit::set(Place::at(HEALTH), json!({"Test": ["NONE"]}))]
    } else {
        vec![enable()]
    })
}

/// Sets one field of the health check, which also enables the check.
fn check<T: Into<Value>, E: ParseError>(
    given: &FlagValues<'_>,
    key: &str,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<Edit>, UsageError> {
    let mut edits = vec![enable()];
    edits.extend(given.set(&format!("{HEALTH}.{key}"), read)?);
    Ok(edits)
}

fn period(text: &str) -> Result<i64, UsageError> {
    duration::period(text).or_example(DURATION.example)?;
    duration::health_period(text).or_example("5s")
}

fn enable() -> Edit {
    Edit::clear(Place::at(HEALTH).key("Test"), json!(["NONE"]))
}
