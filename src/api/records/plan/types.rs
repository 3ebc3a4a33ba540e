//! The JSON types of known places, from the engine's API reference.

use serde_json::Value;

use crate::api::spec::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Number,
    Bool,
    List,
    Map,
}

/// Known places. For all others any value is accepted, and the engine validates them.
const KINDS: &[(Kind, &[&str])] = &[
    (
        Kind::Text,
        &[
            "EndpointSpec.Mode",
            "RollbackConfig.FailureAction",
            "RollbackConfig.Order",
            "TaskTemplate.ContainerSpec.Dir",
            "TaskTemplate.ContainerSpec.Hostname",
            "TaskTemplate.ContainerSpec.Image",
            "TaskTemplate.ContainerSpec.Isolation",
            "TaskTemplate.ContainerSpec.StopSignal",
            "TaskTemplate.ContainerSpec.User",
            "TaskTemplate.LogDriver.Name",
            "TaskTemplate.RestartPolicy.Condition",
            "TaskTemplate.Runtime",
            "UpdateConfig.FailureAction",
            "UpdateConfig.Order",
        ],
    ),
    (
        Kind::Integer,
        &[
            "Mode.Replicated.Replicas",
            "Mode.ReplicatedJob.MaxConcurrent",
            "Mode.ReplicatedJob.TotalCompletions",
            "RollbackConfig.Delay",
            "RollbackConfig.Monitor",
            "RollbackConfig.Parallelism",
            "TaskTemplate.ContainerSpec.Healthcheck.Interval",
            "TaskTemplate.ContainerSpec.Healthcheck.Retries",
            "TaskTemplate.ContainerSpec.Healthcheck.StartInterval",
            "TaskTemplate.ContainerSpec.Healthcheck.StartPeriod",
            "TaskTemplate.ContainerSpec.Healthcheck.Timeout",
            "TaskTemplate.ContainerSpec.StopGracePeriod",
            "TaskTemplate.ForceUpdate",
            "TaskTemplate.Placement.MaxReplicas",
            "TaskTemplate.Resources.Limits.MemoryBytes",
            "TaskTemplate.Resources.Limits.NanoCPUs",
            "TaskTemplate.Resources.Limits.Pids",
            "TaskTemplate.Resources.Reservations.MemoryBytes",
            "TaskTemplate.Resources.Reservations.NanoCPUs",
            "TaskTemplate.RestartPolicy.Delay",
            "TaskTemplate.RestartPolicy.MaxAttempts",
            "TaskTemplate.RestartPolicy.Window",
            "UpdateConfig.Delay",
            "UpdateConfig.Monitor",
            "UpdateConfig.Parallelism",
        ],
    ),
    (Kind::Number, &["RollbackConfig.MaxFailureRatio", "UpdateConfig.MaxFailureRatio"]),
    (
        Kind::Bool,
        &[
            "TaskTemplate.ContainerSpec.Init",
            "TaskTemplate.ContainerSpec.OpenStdin",
            "TaskTemplate.ContainerSpec.ReadOnly",
            "TaskTemplate.ContainerSpec.TTY",
        ],
    ),
    (
        Kind::List,
        &[
            "EndpointSpec.Ports",
            "Networks",
            "TaskTemplate.ContainerSpec.Args",
            "TaskTemplate.ContainerSpec.CapabilityAdd",
            "TaskTemplate.ContainerSpec.CapabilityDrop",
            "TaskTemplate.ContainerSpec.Command",
            "TaskTemplate.ContainerSpec.Configs",
            "TaskTemplate.ContainerSpec.DNSConfig.Nameservers",
            "TaskTemplate.ContainerSpec.DNSConfig.Options",
            "TaskTemplate.ContainerSpec.DNSConfig.Search",
            "TaskTemplate.ContainerSpec.Env",
            "TaskTemplate.ContainerSpec.Groups",
            "TaskTemplate.ContainerSpec.Healthcheck.Test",
            "TaskTemplate.ContainerSpec.Hosts",
            "TaskTemplate.ContainerSpec.Mounts",
            "TaskTemplate.ContainerSpec.Secrets",
            "TaskTemplate.ContainerSpec.Ulimits",
            "TaskTemplate.Networks",
            "TaskTemplate.Placement.Constraints",
            "TaskTemplate.Placement.Platforms",
            "TaskTemplate.Placement.Preferences",
            "TaskTemplate.Resources.Reservations.GenericResources",
        ],
    ),
    (
        Kind::Map,
        &[
            "EndpointSpec",
            "Labels",
            "RollbackConfig",
            "TaskTemplate",
            "TaskTemplate.ContainerSpec",
            "TaskTemplate.ContainerSpec.DNSConfig",
            "TaskTemplate.ContainerSpec.Healthcheck",
            "TaskTemplate.ContainerSpec.Labels",
            "TaskTemplate.ContainerSpec.Privileges",
            "TaskTemplate.ContainerSpec.Sysctls",
            "TaskTemplate.LogDriver",
            "TaskTemplate.LogDriver.Options",
            "TaskTemplate.Placement",
            "TaskTemplate.Resources",
            "TaskTemplate.Resources.Limits",
            "TaskTemplate.Resources.Reservations",
            "TaskTemplate.RestartPolicy",
            "UpdateConfig",
        ],
    ),
];

/// Maps and lists of strings.
const OF_TEXTS: [&str; 5] = [
    "Labels",
    "TaskTemplate.ContainerSpec.Labels",
    "TaskTemplate.ContainerSpec.Sysctls",
    "TaskTemplate.LogDriver.Options",
    "TaskTemplate.ContainerSpec.Healthcheck.Test",
];
const LISTS_OF_TEXTS: [&str; 9] = [
    "TaskTemplate.ContainerSpec.CapabilityAdd",
    "TaskTemplate.ContainerSpec.CapabilityDrop",
    "TaskTemplate.ContainerSpec.DNSConfig.Nameservers",
    "TaskTemplate.ContainerSpec.DNSConfig.Options",
    "TaskTemplate.ContainerSpec.DNSConfig.Search",
    "TaskTemplate.ContainerSpec.Env",
    "TaskTemplate.ContainerSpec.Groups",
    "TaskTemplate.ContainerSpec.Hosts",
    "TaskTemplate.Placement.Constraints",
];

/// Checks that a value has the type of its place.
///
/// # Errors
/// A description of the mismatch.
pub fn check(place: &Place, value: &Value) -> Result<(), String> {
    let Some(kind) = kind_of(place) else { return Ok(()) };
    let fits = match kind {
        Kind::Text => value.is_string(),
        Kind::Integer => value.is_u64() || value.is_i64(),
        Kind::Number => value.is_number(),
        Kind::Bool => value.is_boolean(),
        Kind::List => value.is_array(),
        Kind::Map => value.is_object(),
    };
    if fits {
        return Ok(());
    }
    let kind = match kind {
        Kind::Text => "a string",
        Kind::Integer => "an integer",
        Kind::Number => "a number",
        Kind::Bool => "true or false",
        Kind::List => "an array",
        Kind::Map => "an object",
    };
    Err(format!("the value of `{place}` must be {kind}"))
}

fn kind_of(place: &Place) -> Option<Kind> {
    let is = |path: &str, keys: &[String]| path.split('.').eq(keys.iter().map(String::as_str));
    let keys = place.keys();
    if place.item_id().is_some() {
        let of_texts = LISTS_OF_TEXTS.iter().any(|path| is(path, keys));
        return Some(if of_texts { Kind::Text } else { Kind::Map });
    }
    if let [parents @ .., _] = keys
        && OF_TEXTS.iter().any(|path| is(path, parents))
    {
        return Some(Kind::Text);
    }
    KINDS.iter().find(|(_, paths)| paths.iter().any(|path| is(path, keys))).map(|(kind, _)| *kind)
}
