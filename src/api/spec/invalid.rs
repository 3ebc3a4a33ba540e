//! Why edits are refused before anything is posted.

use super::{JsonType, ReferenceKind};

/// What makes a spec, or a set of edits, invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// The engine does not rename services.
    #[error("service `{service}` cannot be renamed to `{name}`")]
    Rename {
        /// The current name.
        service: String,
        /// The requested name.
        name: String,
    },
    /// The engine does not change the mode of a service.
    #[error("the mode of service `{service}` cannot be changed to `{mode}`")]
    ModeChange {
        /// The name of the service.
        service: String,
        /// The requested mode, in Docker's notation: `global`.
        mode: String,
    },
    /// A health check is both turned off and configured.
    #[error("the health check is both disabled and configured")]
    HealthCheckOffAndSet,
    /// A health check of `["CMD"]` without a command. Engines crash on it (moby/moby#52330).
    #[error("the health check has no command")]
    HealthCheckWithoutCommand,
    /// A port is published by the routing mesh of a service that has no virtual IP.
    #[error("port `{target}` cannot be published by the routing mesh in the endpoint mode `dnsrr`")]
    IngressPortWithoutVip {
        /// The port of the container.
        target: u64,
    },
    /// A port is published twice.
    #[error("port `{0}` is published twice")]
    PortPublishedTwice(String),
    /// Two mounts have the same target.
    #[error("path `{0}` is mounted twice")]
    PathMountedTwice(String),
    /// A network is attached twice.
    #[error("network `{0}` is attached twice")]
    NetworkAttachedTwice(String),
    /// Two secrets, or two configs, have the same file.
    #[error("file `{file}` is the target of two {}s", kind.as_str())]
    FileUsedTwice {
        /// The kind of the two objects.
        kind: ReferenceKind,
        /// The path of the file.
        file: String,
    },
    /// One command adds a network, secret or config twice.
    #[error("{} `{name}` is added twice", kind.as_str())]
    AddedTwice {
        /// The kind of the object.
        kind: ReferenceKind,
        /// The name or ID of the network, or the name of the secret or config.
        name: String,
        /// The file of the secret or config. Empty for a network.
        file: String,
    },
    /// A number of replicas for a new service in a global mode.
    #[error("a global service does not have a number of replicas")]
    ReplicasForNewGlobalService,
    /// A maximum of replicas per node for a new service in a global mode.
    #[error("a global service does not have a maximum number of replicas per node")]
    MaxReplicasForNewGlobalService,
    /// A number of concurrent tasks for a new service that is not a replicated job.
    #[error("only a replicated job has a maximum number of concurrent tasks")]
    MaxConcurrentForNewService,
    /// A number of replicas for an existing service in a global mode.
    #[error("the service runs one task on each node")]
    ReplicasForGlobalService,
    /// A number of concurrent tasks for an existing service that is not a replicated job.
    #[error("the service is not a replicated job")]
    MaxConcurrentForService,
    /// A job gets an update policy, or a new job gets a rollback policy.
    #[error("a job has no rollout")]
    RolloutPolicyOfJob,
    /// The spec of a new job has an update policy, which the engine refuses.
    #[error("the spec has an `UpdateConfig`, and a job has no rollout")]
    UpdatePolicyInSpecOfJob,
    /// A generic resource is removed that the service does not reserve.
    #[error("the service does not reserve the generic resource `{0}`")]
    ResourceNotReserved(String),
    /// An item of this list is null. The engine would close the connection without a response.
    #[error("an item of `{0}` is null")]
    NullItem(&'static str),
    /// A generic resource is neither named nor discrete. The engine would close the connection without a response.
    #[error("an item of `GenericResources` has neither `NamedResourceSpec` nor `DiscreteResourceSpec`")]
    GenericResourceWithoutKind,
    /// A value has another JSON type than the engine's API has at its place.
    #[error("the value of `{place}` must be {expected}")]
    WrongType {
        /// The place of the value.
        place: String,
        /// The JSON type that the engine's API has at this place.
        expected: JsonType,
    },
    /// A key differs from the engine's key only in case. The engine treats both as the same field.
    #[error("`{key}` must be spelled `{known}`")]
    OtherCase {
        /// The key.
        key: String,
        /// The engine's key.
        known: &'static str,
    },
}
