//! A service as docker's client sees one that has nothing: the zero value of each field of Go's types.
//!
//! For templates (`output::Template` says how it is read): `{{.Spec.TaskTemplate.ContainerSpec.Hostname}}` is an empty
//! text where there is none, and `{{.Spec.Nmae}}` a mistake. Where a service leaves open how it is updated, rolled back,
//! restarted and stopped, a template gets what the engine does then: docker's client asks for these defaults. The JSON
//! of a service (`{{json .Spec}}`) never has them, since it may be posted back.

use serde_json::{Value, json};

use super::zero_container::container;

pub const TIME: &str = "0001-01-01T00:00:00Z";
pub const DURATION: &str = "0s";
pub const SECOND: u64 = 1_000_000_000;

/// A service without anything.
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
