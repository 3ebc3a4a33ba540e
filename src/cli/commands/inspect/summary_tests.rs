use super::*;
use crate::cli::commands::inspect::sections::health_check;
use serde_json::json;

fn lines(object: Value) -> Vec<String> {
    let names = HashMap::from([("net1id".to_owned(), "net1".to_owned())]);
    let now = "2026-11-22T03:00:00Z".parse().unwrap();
    summarize(&Service::new(object).unwrap(), &names, now).lines()
}

/// A service that uses most fields of a spec.
fn service_with_everything() -> Value {
    json!({
        "ID": "abc", "Version": {"Index": 9_007_199_254_740_993_u64},
        "CreatedAt": "2026-11-22T02:00:00.123456789Z", "UpdatedAt": "0001-01-01T00:00:00Z",
        "Spec": {
            "Name": "web", "Labels": {"a": "b", "empty": ""}, "Mode": {"Global": null, "Replicated": {"Replicas": 3}},
            "Networks": [{"Target": "oldid"}],
            "UpdateConfig": {"Parallelism": 0, "Delay": 90_000_000_000_u64, "MaxFailureRatio": 0.15},
            "EndpointSpec": {"Mode": "vip"},
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "x:1@sha256:a", "Command": ["sh", "-c"], "Args": ["echo 'a b'", "", "--x=y"],
                    "Env": ["A=1\n", "B"],
                    "Mounts": [
                        {"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true},
                        {"Type": "tmpfs", "Target": "/t"},
                    ],
                    "Secrets": [{"SecretName": "s", "File": {"Name": "/run/s"}}],
                    "Init": true,
                    "Healthcheck": {
                        "Test": ["CMD-SHELL", "curl -f http://localhost || exit 1"], "Interval": 10_000_000_000_u64,
                        "Timeout": 2_000_000_000_u64, "StartPeriod": 30_000_000_000_u64,
                        "StartInterval": 1_000_000_000_u64, "Retries": 3,
                    },
                    "CapabilityAdd": ["CAP_NET_ADMIN", "CAP_SYS_TIME"], "CapabilityDrop": ["ALL"],
                    "Sysctls": {"net.core.somaxconn": "1024"},
                    "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 2048}, {"Name": "core", "Hard": -1}],
                },
                "Resources": {"Limits": {"NanoCPUs": 1_500_000_000_u64, "MemoryBytes": 67_108_864, "Pids": 0}},
                "RestartPolicy": {"Condition": "any", "MaxAttempts": 0},
                "Placement": {
                    "Constraints": ["node.role==manager"], "MaxReplicas": 2,
                    "Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.zone"}}],
                },
                "Networks": [{"Target": "net1id", "Aliases": ["w", "www"]}],
            },
        },
        "Endpoint": {
            "Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22222, "PublishMode": "ingress"}],
            "VirtualIPs": [{"NetworkID": "net1id", "Addr": "10.0.1.2/24"}],
        },
        "UpdateStatus": {
            "State": "paused", "StartedAt": "2026-11-22T02:58:00Z",
            "Message": "update paused due to failure or early termination of task x",
        },
    })
}

#[test]
fn shows_every_setting_of_a_service() {
    let expected = [
        "ID:                        abc",
        "Name:                      web",
        "Version index:             9007199254740993",
        "Labels:",
        "  a=b",
        "  empty",
        "Created:                   2026-11-22T02:00:00Z (59 minutes ago)",
        "Mode:                      replicated",
        "Replicas:                  3",
        "Update status:",
        "  State:                   paused",
        "  Message:                 update paused due to failure or early termination of task x",
        "  Started:                 2026-11-22T02:58:00Z (2 minutes ago)",
        "Image:                     x:1@sha256:a",
        "Command:                   sh -c",
        r"Args:                      'echo '\''a b'\''' '' --x=y",
        "Env:",
        r"  A=1\n",
        "  B",
        "Init:                      true",
        "Health check:",
        "  Command:                 curl -f http://localhost || exit 1",
        "  Interval:                10s",
        "  Timeout:                 2s",
        "  Start period:            30s",
        "  Start interval:          1s",
        "  Retries:                 3",
        "Capabilities:",
        "  Add:                     CAP_NET_ADMIN CAP_SYS_TIME",
        "  Drop:                    ALL",
        "Sysctls:",
        "  net.core.somaxconn=1024",
        "Ulimits:",
        "  nofile:                  1024:2048",
        "  core:                    0:-1",
        "Mounts:",
        "  /b:                      bind /a, read-only",
        "  /t:                      tmpfs",
        "Secrets:",
        "  s:                       /run/s",
        "Resources:",
        "  Limits:",
        "    CPUs:                  1.5",
        "    Memory:                64MiB",
        "Restart policy:",
        "  Condition:               any",
        "Placement:",
        "  Constraints:",
        "    node.role==manager",
        "  Preferences:",
        "    spread=node.labels.zone",
        "  Max replicas per node:   2",
        "Update config:",
        "  Parallelism:             0 (all at once)",
        "  Delay:                   1m30s",
        "  Max failure ratio:       0.15",
        "Networks:",
        "  net1:                    virtual IP 10.0.1.2/24, aliases w www",
        "  oldid",
        "Endpoint mode:             vip",
        "Ports:",
        "  22222->80/tcp:           ingress",
    ];
    assert_eq!(lines(service_with_everything()), expected);
}

#[test]
fn a_health_check_shows_its_command_as_it_runs() {
    for (test, shown) in [
        (json!(["NONE"]), Some("none")),
        (json!(["CMD", "curl", "a b"]), Some("curl 'a b'")),
        (json!(["CMD-SHELL", "a | b"]), Some("a | b")),
        (json!([]), None),
    ] {
        let mut fields = Fields::default();
        health_check(&mut fields, &json!({ "Test": test, "Interval": 0 }));
        let expected: Vec<String> = shown.iter().map(|command| format!("Command:   {command}")).collect();
        assert_eq!(fields.lines(), expected);
    }
}

#[test]
fn leaves_out_what_a_service_does_not_have() {
    let object =
        json!({"ID": "abc", "Version": {"Index": 1}, "Spec": {"Name": "n", "Mode": {"GlobalJob": {}}}});
    let expected =
        ["ID:              abc", "Name:            n", "Version index:   1", "Mode:            global job"];
    assert_eq!(lines(object), expected);
}
