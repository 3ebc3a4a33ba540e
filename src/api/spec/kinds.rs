//! The JSON types of known places, from the engine's API reference.

/// The JSON type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// A string.
    Text,
    /// A number without a fraction.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// An array.
    List,
    /// An object.
    Map,
}

/// Known places. For all others any value is accepted, and the engine validates them.
pub(super) const KINDS: &[(JsonType, &[&str])] = &[
    (
        JsonType::Text,
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
        JsonType::Integer,
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
    (JsonType::Number, &["RollbackConfig.MaxFailureRatio", "UpdateConfig.MaxFailureRatio"]),
    (
        JsonType::Bool,
        &[
            "TaskTemplate.ContainerSpec.Init",
            "TaskTemplate.ContainerSpec.OpenStdin",
            "TaskTemplate.ContainerSpec.ReadOnly",
            "TaskTemplate.ContainerSpec.TTY",
        ],
    ),
    (
        JsonType::List,
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
        JsonType::Map,
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
