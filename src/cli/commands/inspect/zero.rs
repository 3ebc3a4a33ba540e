//! The zero value of each field of a service, as in Go's types, for templates.
//!
//! With these values, `{{.Spec.TaskTemplate.ContainerSpec.Hostname}}` is empty if it is not set, and
//! `{{.Spec.Nmae}}` is an error. See [`crate::output::zero`] for the format. If a service has no settings for updates,
//! rollbacks, restarts or the stop of tasks, templates see the engine's defaults, as with docker's client. JSON
//! (`{{json .Spec}}`) never contains the defaults, because it may be used as a spec.

use serde_json::{Value, json};

use super::zero_container::container;
use crate::output::zero::{ZERO_DURATION, ZERO_TIME, map_of, pointer, pointer_or};

/// A second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// The zero value of a service.
pub fn service() -> Value {
    let spec = spec();
    json!({
        "ID": "",
        "Version": version(),
        "CreatedAt": ZERO_TIME,
        "UpdatedAt": ZERO_TIME,
        "Spec": spec,
        "PreviousSpec": pointer(spec.clone()),
        "Endpoint": {
            "Spec": { "Mode": "", "Ports": ports() },
            "Ports": ports(),
            "VirtualIPs": [{ "NetworkID": "", "Addr": "" }],
        },
        "UpdateStatus": pointer(json!({
            "State": "",
            "StartedAt": pointer(ZERO_TIME),
            "CompletedAt": pointer(ZERO_TIME),
            "Message": "",
        })),
        "ServiceStatus": pointer(json!({ "RunningTasks": 0, "DesiredTasks": 0, "CompletedTasks": 0 })),
        "JobStatus": pointer(json!({ "JobIteration": version(), "LastExecution": ZERO_TIME })),
    })
}

fn spec() -> Value {
    json!({
        "Name": "",
        "Labels": texts_by_key(),
        "TaskTemplate": {
            "ContainerSpec": pointer(container()),
            "PluginSpec": pointer(json!({ "Name": "", "Remote": "", "Privileges": [{}], "Disabled": false, "Env": [""] })),
            "NetworkAttachmentSpec": pointer(json!({ "ContainerID": "" })),
            "Resources": pointer_or(resources(), json!({})),
            "RestartPolicy": pointer_or(
                json!({
                    "Condition": "",
                    "Delay": pointer_or(ZERO_DURATION, 5 * SECOND),
                    "MaxAttempts": pointer_or(0, 0),
                    "Window": pointer(ZERO_DURATION),
                }),
                json!({ "Condition": "any", "Delay": 5 * SECOND, "MaxAttempts": 0 }),
            ),
            "Placement": pointer_or(json!({
                "Constraints": [""],
                "Preferences": [{ "Spread": pointer(json!({ "SpreadDescriptor": "" })) }],
                "MaxReplicas": 0,
                "Platforms": [{ "Architecture": "", "OS": "" }],
            }), json!({})),
            "Networks": networks(),
            "LogDriver": pointer(named_driver()),
            "ForceUpdate": 0,
            "Runtime": "",
        },
        "Mode": {
            "Replicated": pointer(json!({ "Replicas": pointer(0) })),
            "Global": pointer(json!({})),
            "ReplicatedJob": pointer(json!({ "MaxConcurrent": pointer(0), "TotalCompletions": pointer(0) })),
            "GlobalJob": pointer(json!({})),
        },
        "UpdateConfig": rollout_config(),
        "RollbackConfig": rollout_config(),
        "Networks": networks(),
        "EndpointSpec": pointer(json!({ "Mode": "", "Ports": ports() })),
    })
}

fn resources() -> Value {
    let (named, discrete) = (json!({ "Kind": "", "Value": "" }), json!({ "Kind": "", "Value": 0 }));
    let generic = json!([{ "NamedResourceSpec": pointer(named), "DiscreteResourceSpec": pointer(discrete) }]);
    json!({
        "Limits": pointer(json!({ "NanoCPUs": 0, "MemoryBytes": 0, "Pids": 0 })),
        "Reservations": pointer(json!({ "NanoCPUs": 0, "MemoryBytes": 0, "GenericResources": generic })),
        "SwapBytes": pointer(0),
        "MemorySwappiness": pointer(0),
    })
}

/// The zero value of `UpdateConfig` and `RollbackConfig`.
fn rollout_config() -> Value {
    let zero = json!({
        "Parallelism": 0,
        "Delay": ZERO_DURATION,
        "FailureAction": "",
        "Monitor": pointer_or(ZERO_DURATION, 5 * SECOND),
        "MaxFailureRatio": 0,
        "Order": "",
    });
    let default = json!({
        "Parallelism": 1,
        "FailureAction": "pause",
        "Monitor": 5 * SECOND,
        "MaxFailureRatio": 0,
        "Order": "stop-first",
    });
    pointer_or(zero, default)
}

fn networks() -> Value {
    json!([{ "Target": "", "Aliases": [""], "DriverOpts": texts_by_key() }])
}

fn ports() -> Value {
    json!([{ "Name": "", "Protocol": "", "TargetPort": 0, "PublishedPort": 0, "PublishMode": "" }])
}

/// The zero value of a driver with options, which logs and mounts have.
pub fn named_driver() -> Value {
    json!({ "Name": "", "Options": texts_by_key() })
}

fn version() -> Value {
    json!({ "Index": 0 })
}

/// The zero value of a map from strings to strings.
pub fn texts_by_key() -> Value {
    map_of("")
}
