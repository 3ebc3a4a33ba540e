//! The zero value of each field of a service, as in Go's types, for templates.
//!
//! With these, `{{.Spec.TaskTemplate.ContainerSpec.Hostname}}` is empty if it is not set, and
//! `{{.Spec.Nmae}}` is an error; see `output::Template` for the format. If a service does not specify how it
//! is updated, rolled back, restarted or stopped, templates see the engine's defaults, as with docker's
//! client. JSON (`{{json .Spec}}`) never contains the defaults, because it may be used as a spec.

use serde_json::{Value, json};

use super::zero_container::container;

pub const TIME: &str = "0001-01-01T00:00:00Z";
pub const DURATION: &str = "0s";
pub const SECOND: u64 = 1_000_000_000;

/// The zero value of a service.
pub fn service() -> Value {
    let spec = spec();
    json!({
        "ID": "",
        "Version": version(),
        "CreatedAt": TIME,
        "UpdatedAt": TIME,
        "Spec": spec,
        "PreviousSpec": pointer(spec.clone()),
        "Endpoint": {
            "Spec": { "Mode": "", "Ports": ports() },
            "Ports": ports(),
            "VirtualIPs": [{ "NetworkID": "", "Addr": "" }],
        },
        "UpdateStatus": pointer(json!({
            "State": "",
            "StartedAt": pointer(TIME),
            "CompletedAt": pointer(TIME),
            "Message": "",
        })),
        "ServiceStatus": pointer(json!({ "RunningTasks": 0, "DesiredTasks": 0, "CompletedTasks": 0 })),
        "JobStatus": pointer(json!({ "JobIteration": version(), "LastExecution": TIME })),
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
            "Resources": or_default(resources(), json!({})),
            "RestartPolicy": or_default(
                json!({
                    "Condition": "",
                    "Delay": or_default(DURATION, 5 * SECOND),
                    "MaxAttempts": or_default(0, 0),
                    "Window": pointer(DURATION),
                }),
                json!({ "Condition": "any", "Delay": 5 * SECOND, "MaxAttempts": 0 }),
            ),
            "Placement": or_default(json!({
                "Constraints": [""],
                "Preferences": [{ "Spread": pointer(json!({ "SpreadDescriptor": "" })) }],
                "MaxReplicas": 0,
                "Platforms": [{ "Architecture": "", "OS": "" }],
            }), json!({})),
            "Networks": networks(),
            "LogDriver": pointer(driver()),
            "ForceUpdate": 0,
            "Runtime": "",
        },
        "Mode": {
            "Replicated": pointer(json!({ "Replicas": pointer(0) })),
            "Global": pointer(json!({})),
            "ReplicatedJob": pointer(json!({ "MaxConcurrent": pointer(0), "TotalCompletions": pointer(0) })),
            "GlobalJob": pointer(json!({})),
        },
        "UpdateConfig": rollout(),
        "RollbackConfig": rollout(),
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

fn rollout() -> Value {
    let zero = json!({
        "Parallelism": 0,
        "Delay": DURATION,
        "FailureAction": "",
        "Monitor": or_default(DURATION, 5 * SECOND),
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
    or_default(zero, default)
}

fn networks() -> Value {
    json!([{ "Target": "", "Aliases": [""], "DriverOpts": texts_by_key() }])
}

fn ports() -> Value {
    json!([{ "Name": "", "Protocol": "", "TargetPort": 0, "PublishedPort": 0, "PublishMode": "" }])
}

pub fn driver() -> Value {
    json!({ "Name": "", "Options": texts_by_key() })
}

fn version() -> Value {
    json!({ "Index": 0 })
}

pub fn texts_by_key() -> Value {
    json!({ "*": "" })
}

pub fn or_default(to: impl Into<Value>, default: impl Into<Value>) -> Value {
    json!({ "?": to.into(), "=": default.into() })
}

pub fn pointer(to: impl Into<Value>) -> Value {
    json!({ "?": to.into() })
}
