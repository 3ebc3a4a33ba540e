//! The maximum time that an ended task can have been `running`, derived from its health check: a task is `starting`
//! until it is healthy.

use jiff::SignedDuration;
use serde_json::Value;

/// The engine's default for the interval and the timeout.
const DEFAULT_INTERVAL: SignedDuration = SignedDuration::from_secs(30);
/// The engine's default for the interval during the start period.
const DEFAULT_START_INTERVAL: SignedDuration = SignedDuration::from_secs(5);
/// The engine's default for the number of failed probes after which a container is unhealthy.
const DEFAULT_RETRIES: i32 = 3;

/// The durations of a health check that limit how long a task can have been `running`.
#[derive(Clone, Copy, Debug)]
pub(super) struct HealthCheck {
    /// The minimum time until the first probe. Zero if the spec has no health check.
    first_probe: SignedDuration,
    /// The maximum time until a container that is never healthy becomes unhealthy.
    never_healthy: SignedDuration,
}

impl HealthCheck {
    /// Reads the health check of a spec. For values that are not in the spec, the engine's
    /// defaults are assumed: the image may have others, but they are not known here.
    pub(super) fn from_spec(spec: &Value) -> Self {
        let check = &spec["TaskTemplate"]["ContainerSpec"]["Healthcheck"];
        let time = |name: &str| {
            let nanoseconds = check[name].as_i64().filter(|nanoseconds| *nanoseconds > 0)?;
            Some(SignedDuration::from_nanos(nanoseconds))
        };
        let is_given =
            check["Test"].as_array().and_then(|test| test.first()).is_some_and(|first| first != "NONE");
        let interval = time("Interval").unwrap_or(DEFAULT_INTERVAL);
        let first_probe = match time("StartPeriod") {
            _ if !is_given => SignedDuration::ZERO,
            Some(_) => interval.min(time("StartInterval").unwrap_or(DEFAULT_START_INTERVAL)),
            None => interval,
        };
        let retries = check["Retries"].as_i64().and_then(|count| i32::try_from(count).ok());
        let retries = retries.filter(|count| *count > 0).unwrap_or(DEFAULT_RETRIES);
        let probe = interval.saturating_add(time("Timeout").unwrap_or(DEFAULT_INTERVAL));
        let probes = probe.checked_mul(retries.saturating_add(1)).unwrap_or(SignedDuration::MAX);
        Self { first_probe, never_healthy: probes.saturating_add(time("StartPeriod").unwrap_or_default()) }
    }

    /// The maximum time that a task with this lifetime can have been running.
    pub(super) fn longest_run(&self, lifetime: SignedDuration) -> SignedDuration {
        lifetime.saturating_sub(self.first_probe)
    }

    /// Like [`Self::longest_run`], for a task that ended because it was unhealthy. Zero if it may never have been
    /// running.
    pub(super) fn longest_run_until_unhealthy(&self, lifetime: SignedDuration) -> SignedDuration {
        if lifetime <= self.never_healthy { SignedDuration::ZERO } else { self.longest_run(lifetime) }
    }
}
