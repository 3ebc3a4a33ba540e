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
    List(Contents),
    /// An object.
    Map(Contents),
}

/// What an array or an object contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Strings.
    Texts,
    /// Objects in an array, or values of any type in an object.
    Values,
}

/// Known places. At other places any value is accepted, and the engine validates it.
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
            super::RESTART_COUNTER,
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
        JsonType::List(Contents::Texts),
        &[
            "TaskTemplate.ContainerSpec.Args",
            "TaskTemplate.ContainerSpec.CapabilityAdd",
            "TaskTemplate.ContainerSpec.CapabilityDrop",
            "TaskTemplate.ContainerSpec.Command",
            "TaskTemplate.ContainerSpec.DNSConfig.Nameservers",
            "TaskTemplate.ContainerSpec.DNSConfig.Options",
            "TaskTemplate.ContainerSpec.DNSConfig.Search",
            "TaskTemplate.ContainerSpec.Env",
            "TaskTemplate.ContainerSpec.Groups",
            "TaskTemplate.ContainerSpec.Healthcheck.Test",
            "TaskTemplate.ContainerSpec.Hosts",
            "TaskTemplate.Placement.Constraints",
        ],
    ),
    (
        JsonType::List(Contents::Values),
        &[
            "EndpointSpec.Ports",
            "Networks",
            "TaskTemplate.ContainerSpec.Configs",
            "TaskTemplate.ContainerSpec.Mounts",
            "TaskTemplate.ContainerSpec.Secrets",
            "TaskTemplate.ContainerSpec.Ulimits",
            "TaskTemplate.Networks",
            "TaskTemplate.Placement.Platforms",
            "TaskTemplate.Placement.Preferences",
            "TaskTemplate.Resources.Reservations.GenericResources",
        ],
    ),
    (
        JsonType::Map(Contents::Texts),
        &[
            "Labels",
            "TaskTemplate.ContainerSpec.Labels",
            "TaskTemplate.ContainerSpec.Sysctls",
            "TaskTemplate.LogDriver.Options",
        ],
    ),
    (
        JsonType::Map(Contents::Values),
        &[
            "EndpointSpec",
            "RollbackConfig",
            "TaskTemplate",
            "TaskTemplate.ContainerSpec",
            "TaskTemplate.ContainerSpec.DNSConfig",
            "TaskTemplate.ContainerSpec.Healthcheck",
            "TaskTemplate.ContainerSpec.Privileges",
            "TaskTemplate.LogDriver",
            "TaskTemplate.Placement",
            "TaskTemplate.Resources",
            "TaskTemplate.Resources.Limits",
            "TaskTemplate.Resources.Reservations",
            "TaskTemplate.RestartPolicy",
            "UpdateConfig",
        ],
    ),
];
