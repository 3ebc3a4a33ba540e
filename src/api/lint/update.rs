//! Rules about the update policy, and about ports.

use super::container::starts_check;
use super::read::{Read, count, has_object, integer, list, ratio, text};
use super::subject::counted;
use super::{Change, Findings, Fix, Subject};
use crate::api::spec::Place;

/// The engine's defaults. Times are in nanoseconds.
const DEFAULT_MONITOR: i64 = 5_000_000_000;
const DEFAULT_INTERVAL: i64 = 30_000_000_000;
const DEFAULT_RETRIES: i64 = 3;

/// The largest port number.
const MAX_PORT: u64 = 65535;

/// L01: a task that becomes unhealthy does so after the monitor period of the update.
pub(super) fn monitor_short(subject: &Subject, found: &mut Findings) -> Read<()> {
    const CHECK: &str = "TaskTemplate.ContainerSpec.Healthcheck";
    if !starts_check(subject.spec)? || text(subject.spec, "UpdateConfig.FailureAction")? == "continue" {
        return Ok(());
    }
    let or = |path: &str, default: i64| {
        Ok(Some(integer(subject.spec, path)?).filter(|value| *value > 0).unwrap_or(default))
    };
    let monitor = or("UpdateConfig.Monitor", DEFAULT_MONITOR)?;
    let interval = or(&format!("{CHECK}.Interval"), DEFAULT_INTERVAL)?;
    let retries = or(&format!("{CHECK}.Retries"), DEFAULT_RETRIES)?;
    let unhealthy_after = interval.saturating_mul(retries);
    if monitor < unhealthy_after {
        let message = format!(
            "updates watch a task for {}, but its health check needs {} to fail ({} of {})",
            duration(monitor),
            duration(unhealthy_after),
            counted(retries.unsigned_abs(), "interval"),
            duration(interval)
        );
        let fix = Fix::Update(vec![Change::Monitor(unhealthy_after)]);
        found.push(("UpdateConfig.Monitor".to_owned(), message, fix));
    }
    Ok(())
}

/// Formats nanoseconds in the largest unit that gives a whole number: `90s`, `1500ms`.
pub(super) fn duration(nanoseconds: i64) -> String {
    for (unit, length) in [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)] {
        if nanoseconds % length == 0 {
            return format!("{}{unit}", nanoseconds / length);
        }
    }
    format!("{nanoseconds}ns")
}

/// L02: an update continues although its tasks fail.
pub(super) fn failure_continue(subject: &Subject, found: &mut Findings) -> Read<()> {
    let continues = text(subject.spec, "UpdateConfig.FailureAction")? == "continue";
    let tolerated = ratio(subject.spec, "UpdateConfig.MaxFailureRatio")?;
    let tolerates_all = tolerated >= 1.0;
    let (place, what, fix) = match (continues, tolerates_all) {
        (true, false) => {
            ("UpdateConfig.FailureAction", "the failure action continue", vec![Change::PauseOnFailure])
        }
        (false, true) => {
            ("UpdateConfig.MaxFailureRatio", "a failure ratio of 1", vec![Change::NoFailureRatio])
        }
        (true, true) => (
            "UpdateConfig.FailureAction",
            "the failure action continue",
            vec![Change::PauseOnFailure, Change::NoFailureRatio],
        ),
        (false, false) => return Ok(()),
    };
    let message = format!("with {what}, an update to a broken image ends as completed");
    found.push((place.to_owned(), message, Fix::Update(fix)));
    Ok(())
}

/// L29: an invalid port number.
pub(super) fn port_range(subject: &Subject, found: &mut Findings) -> Read<()> {
    const PORTS: &str = "EndpointSpec.Ports";
    for port in list(subject.spec, PORTS)? {
        for (key, what) in [("PublishedPort", "published"), ("TargetPort", "target")] {
            if let Some(number) = count(port, key)?.filter(|number| *number > MAX_PORT) {
                let place = Place::at(PORTS).item_of(port).to_string();
                let message = format!("the {what} port {number} is above {MAX_PORT}");
                found.push((place, message, Fix::Advice));
                break;
            }
        }
    }
    Ok(())
}

/// L30: an update stops all tasks before it starts one.
pub(super) fn all_at_once(subject: &Subject, found: &mut Findings) -> Read<()> {
    let replicas = subject.replicas()?;
    if !has_object(subject.spec, "UpdateConfig")? || subject.is_start_first()? || replicas < 2 {
        return Ok(());
    }
    let parallelism = count(subject.spec, "UpdateConfig.Parallelism")?.unwrap_or(0);
    if parallelism == 0 || parallelism >= replicas {
        let message = format!(
            "an update stops all {replicas} tasks at the same time: parallelism {parallelism}{}",
            if parallelism == 0 { " has no limit" } else { "" }
        );
        let fix = Fix::Update(vec![Change::OneAtATime]);
        found.push(("UpdateConfig.Parallelism".to_owned(), message, fix));
    }
    Ok(())
}
