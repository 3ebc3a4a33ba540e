//! Names of the places of a spec that have a single value. They are similar to the names of docker's flags.

use crate::api::spec::Place;

/// The name of a place, and the kind of its value.
pub struct Label {
    /// The name, as in `memory limit`.
    pub name: String,
    /// How the value is formatted.
    pub kind: ValueUnit,
}

/// How a value is formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueUnit {
    /// Text, numbers and booleans are printed as they are, and a list as the words of a command line.
    Plain,
    /// A number of bytes.
    Bytes,
    /// CPUs in units of 10^-9.
    NanoCpus,
    /// Nanoseconds.
    Duration,
}

use ValueUnit::{Bytes, Duration, NanoCpus, Plain};

/// The places below `TaskTemplate.ContainerSpec`.
const CONTAINER: &[(&str, &str, ValueUnit)] = &[
    ("Args", "args", Plain),
    ("Command", "entrypoint", Plain),
    ("Dir", "workdir", Plain),
    ("Healthcheck.Interval", "health interval", Duration),
    ("Healthcheck.Retries", "health retries", Plain),
    ("Healthcheck.StartInterval", "health start interval", Duration),
    ("Healthcheck.StartPeriod", "health start period", Duration),
    ("Healthcheck.Test", "health command", Plain),
    ("Healthcheck.Timeout", "health timeout", Duration),
    ("Hostname", "hostname", Plain),
    ("Init", "init", Plain),
    ("Isolation", "isolation", Plain),
    ("OomScoreAdj", "oom score", Plain),
    ("OpenStdin", "stdin", Plain),
    ("ReadOnly", "read-only", Plain),
    ("StopGracePeriod", "stop grace period", Duration),
    ("StopSignal", "stop signal", Plain),
    ("TTY", "tty", Plain),
    ("User", "user", Plain),
];

/// All other places.
const OTHERS: &[(&str, &str, ValueUnit)] = &[
    ("EndpointSpec.Mode", "endpoint mode", Plain),
    ("Mode.Replicated.Replicas", "replicas", Plain),
    ("Mode.ReplicatedJob.MaxConcurrent", "max concurrent", Plain),
    ("Mode.ReplicatedJob.TotalCompletions", "completions", Plain),
    ("Name", "name", Plain),
    ("TaskTemplate.LogDriver.Name", "log driver", Plain),
    ("TaskTemplate.Placement.MaxReplicas", "max replicas per node", Plain),
    ("TaskTemplate.Resources.Limits.MemoryBytes", "memory limit", Bytes),
    ("TaskTemplate.Resources.Limits.NanoCPUs", "cpu limit", NanoCpus),
    ("TaskTemplate.Resources.Limits.Pids", "pids limit", Plain),
    ("TaskTemplate.Resources.MemorySwappiness", "memory swappiness", Plain),
    ("TaskTemplate.Resources.Reservations.MemoryBytes", "memory reservation", Bytes),
    ("TaskTemplate.Resources.Reservations.NanoCPUs", "cpu reservation", NanoCpus),
    ("TaskTemplate.Resources.SwapBytes", "swap", Bytes),
    ("TaskTemplate.RestartPolicy.Condition", "restart condition", Plain),
    ("TaskTemplate.RestartPolicy.Delay", "restart delay", Duration),
    ("TaskTemplate.RestartPolicy.MaxAttempts", "restart max attempts", Plain),
    ("TaskTemplate.RestartPolicy.Window", "restart window", Duration),
];

/// The places below `UpdateConfig` and `RollbackConfig`.
const POLICY: &[(&str, &str, ValueUnit)] = &[
    ("Delay", "delay", Duration),
    ("FailureAction", "failure action", Plain),
    ("MaxFailureRatio", "max failure ratio", Plain),
    ("Monitor", "monitor", Duration),
    ("Order", "order", Plain),
    ("Parallelism", "parallelism", Plain),
];

/// Returns the name of a place; `None` if it has none.
pub fn label_of(place: &Place) -> Option<Label> {
    if place.item_id().is_some() {
        return None;
    }
    let path = place.keys().join(".");
    let find = |table: &[(&str, &'static str, ValueUnit)], path: &str| {
        table.iter().find(|(other, ..)| *other == path).map(|(_, name, kind)| (*name, *kind))
    };
    let tables = [
        ("TaskTemplate.ContainerSpec.", "", CONTAINER),
        ("UpdateConfig.", "update ", POLICY),
        ("RollbackConfig.", "rollback ", POLICY),
        ("", "", OTHERS),
    ];
    tables.into_iter().find_map(|(start, before, table)| {
        let (name, kind) = find(table, path.strip_prefix(start)?)?;
        Some(Label { name: format!("{before}{name}"), kind })
    })
}
