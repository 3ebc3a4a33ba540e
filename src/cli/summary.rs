//! A service for a person to read: what matters of it, in docker's words.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::services::Service;
use crate::output::{Fields, ago, bytes, duration};

/// The networks that a service names in its spec, in the one place or the other.
pub fn network_ids(service: &Service) -> impl Iterator<Item = &str> {
    networks(service).filter_map(|network| network["Target"].as_str())
}

/// The summary; `network_names` is by ID, `now` is for how long ago something was.
pub fn of(service: &Service, network_names: &HashMap<String, String>, now: Timestamp) -> Fields {
    let (object, spec) = (service.object(), service.spec());
    let task = &spec["TaskTemplate"];
    let mut fields = Fields::default();
    fields.field("ID", service.id());
    fields.field("Name", service.name());
    fields.field("Version index", service.version().to_string());
    fields.section("Labels", |it| map(it, &spec["Labels"]));
    fields.field("Created", time(&object["CreatedAt"], now));
    fields.field("Updated", time(&object["UpdatedAt"], now));
    mode(&mut fields, &spec["Mode"]);
    fields.section("Update status", |it| {
        let status = &object["UpdateStatus"];
        it.field("State", text(&status["State"]));
        it.field("Message", text(&status["Message"]));
        it.field("Started", time(&status["StartedAt"], now));
        it.field("Completed", time(&status["CompletedAt"], now));
    });
    container(&mut fields, &task["ContainerSpec"]);
    fields.section("Resources", |it| {
        it.section("Limits", |it| resources(it, &task["Resources"]["Limits"]));
        it.section("Reservations", |it| resources(it, &task["Resources"]["Reservations"]));
    });
    fields.section("Restart policy", |it| {
        let policy = &task["RestartPolicy"];
        it.field("Condition", text(&policy["Condition"]));
        it.field("Delay", nanoseconds(&policy["Delay"]));
        it.field("Max attempts", non_zero(&policy["MaxAttempts"]));
        it.field("Window", nanoseconds(&policy["Window"]));
    });
    fields.section("Placement", |it| {
        let placement = &task["Placement"];
        it.section("Constraints", |it| items(it, &placement["Constraints"]));
        it.section("Preferences", |it| {
            for preference in list(&placement["Preferences"]) {
                it.item(&format!("spread={}", text(&preference["Spread"]["SpreadDescriptor"])));
            }
        });
        it.field("Max replicas per node", non_zero(&placement["MaxReplicas"]));
    });
    fields.section("Log driver", |it| {
        it.field("Name", text(&task["LogDriver"]["Name"]));
        it.section("Options", |it| map(it, &task["LogDriver"]["Options"]));
    });
    fields.section("Update config", |it| rollout(it, &spec["UpdateConfig"]));
    fields.section("Rollback config", |it| rollout(it, &spec["RollbackConfig"]));
    fields.section("Networks", |it| {
        for network in networks(service) {
            let id = text(&network["Target"]);
            let name = network_names.get(&id).unwrap_or(&id);
            let more = [virtual_ip(object, &id), prefixed("aliases ", &network["Aliases"])];
            it.field_or_item(name, &joined(more));
        }
    });
    fields.field("Endpoint mode", text(&spec["EndpointSpec"]["Mode"]));
    fields.section("Ports", |it| {
        for port in list(&object["Endpoint"]["Ports"]) {
            let published = non_zero(&port["PublishedPort"]);
            let published = if published.is_empty() { "(any)" } else { &published };
            let (target, protocol) = (text(&port["TargetPort"]), text(&port["Protocol"]));
            it.field_or_item(&format!("{published}->{target}/{protocol}"), &text(&port["PublishMode"]));
        }
    });
    fields
}

fn mode(fields: &mut Fields, mode: &Value) {
    let Some((kind, settings)) = mode.as_object().and_then(|mode| mode.iter().find(|(_, it)| !it.is_null()))
    else {
        return;
    };
    let words = match kind.as_str() {
        "Replicated" => "replicated",
        "Global" => "global",
        "ReplicatedJob" => "replicated job",
        "GlobalJob" => "global job",
        other => other,
    };
    fields.field("Mode", words);
    fields.field("Replicas", text(&settings["Replicas"]));
    fields.field("Total completions", text(&settings["TotalCompletions"]));
    fields.field("Max concurrent", text(&settings["MaxConcurrent"]));
}

fn container(fields: &mut Fields, spec: &Value) {
    fields.field("Image", text(&spec["Image"]));
    fields.field("Command", words(&spec["Command"]));
    fields.field("Args", words(&spec["Args"]));
    fields.section("Env", |it| items(it, &spec["Env"]));
    fields.section("Container labels", |it| map(it, &spec["Labels"]));
    fields.field("Hostname", text(&spec["Hostname"]));
    fields.field("User", text(&spec["User"]));
    fields.field("Working directory", text(&spec["Dir"]));
    fields.field("Stop grace period", nanoseconds(&spec["StopGracePeriod"]));
    fields.section("Mounts", |it| {
        for mount in list(&spec["Mounts"]) {
            let source = joined([text(&mount["Type"]), text(&mount["Source"])]).replace(", ", " ");
            let read_only = if mount["ReadOnly"] == true { "read-only" } else { "" };
            it.field_or_item(&text(&mount["Target"]), &joined([source, read_only.to_owned()]));
        }
    });
    for (title, key, name) in [("Secrets", "Secrets", "SecretName"), ("Configs", "Configs", "ConfigName")] {
        fields.section(title, |it| {
            for reference in list(&spec[key]) {
                it.field_or_item(&text(&reference[name]), &text(&reference["File"]["Name"]));
            }
        });
    }
}

fn resources(fields: &mut Fields, resources: &Value) {
    let cpus = resources["NanoCPUs"].as_f64().filter(|nanos| *nanos > 0.0);
    fields.field("CPUs", cpus.map_or_else(String::new, |nanos| (nanos / 1e9).to_string()));
    let memory = resources["MemoryBytes"].as_u64().filter(|count| *count > 0);
    fields.field("Memory", memory.map_or_else(String::new, bytes));
    fields.field("PIDs", non_zero(&resources["Pids"]));
    for resource in list(&resources["GenericResources"]) {
        for spec in ["DiscreteResourceSpec", "NamedResourceSpec"] {
            fields.field(&text(&resource[spec]["Kind"]), text(&resource[spec]["Value"]));
        }
    }
}

fn rollout(fields: &mut Fields, config: &Value) {
    fields.field(
        "Parallelism",
        match text(&config["Parallelism"]).as_str() {
            "0" => "0 (all at once)",
            other => other,
        },
    );
    fields.field("Delay", nanoseconds(&config["Delay"]));
    fields.field("On failure", text(&config["FailureAction"]));
    fields.field("Monitor", nanoseconds(&config["Monitor"]));
    fields.field("Max failure ratio", text(&config["MaxFailureRatio"]));
    fields.field("Order", text(&config["Order"]));
}

/// `Networks` of the task template, and those that old clients put at the top of the spec.
fn networks(service: &Service) -> impl Iterator<Item = &Value> {
    list(&service.spec()["TaskTemplate"]["Networks"]).iter().chain(list(&service.spec()["Networks"]))
}

fn virtual_ip(object: &Value, network: &str) -> String {
    let mut addresses = list(&object["Endpoint"]["VirtualIPs"]).iter();
    let address = addresses.find(|address| address["NetworkID"] == network).map(|it| text(&it["Addr"]));
    address.filter(|address| !address.is_empty()).map_or_else(String::new, |it| format!("virtual IP {it}"))
}

fn prefixed(prefix: &str, values: &Value) -> String {
    match list(values) {
        [] => String::new(),
        values => format!("{prefix}{}", values.iter().map(text).collect::<Vec<_>>().join(" ")),
    }
}

fn joined<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// `2026-11-22T02:57:16Z (5 minutes ago)`; nothing for the zero time that old engines send.
fn time(value: &Value, now: Timestamp) -> String {
    let Some(at) = value.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else { return text(value) };
    if at.as_second() <= 0 && value.as_str().is_some_and(|text| text.starts_with("0001-")) {
        return String::new();
    }
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    // By the local clock, which may be behind the engine's.
    match Duration::try_from(now.duration_since(at)) {
        Ok(since) => format!("{whole} ({})", ago(since)),
        Err(_) => whole.to_string(),
    }
}

fn nanoseconds(value: &Value) -> String {
    value
        .as_u64()
        .filter(|nanos| *nanos > 0)
        .map_or_else(String::new, |nanos| duration(Duration::from_nanos(nanos)))
}

fn non_zero(value: &Value) -> String {
    if value == 0 { String::new() } else { text(value) }
}

/// Arguments as a shell would take them, so that one with blanks is told from two.
fn words(value: &Value) -> String {
    let quoted = |word: &Value| {
        let word = text(word);
        let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    list(value).iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn items(fields: &mut Fields, values: &Value) {
    list(values).iter().for_each(|value| fields.item(&text(value)));
}

fn map(fields: &mut Fields, values: &Value) {
    for (key, value) in values.as_object().into_iter().flatten() {
        match text(value).as_str() {
            "" => fields.item(key),
            value => fields.item(&format!("{key}={value}")),
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A string without its quotes; nothing for null.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(object: Value) -> Vec<String> {
        let names = HashMap::from([("net1id".to_owned(), "net1".to_owned())]);
        let now = "2026-11-22T03:00:00Z".parse().unwrap();
        of(&Service::new(object).unwrap(), &names, now).lines()
    }

    #[test]
    fn shows_what_matters_of_a_service() {
        let object = json!({
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
        });
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
        assert_eq!(lines(object), expected);
    }

    #[test]
    fn leaves_out_what_a_service_does_not_have() {
        let object =
            json!({"ID": "abc", "Version": {"Index": 1}, "Spec": {"Name": "n", "Mode": {"GlobalJob": {}}}});
        let expected = [
            "ID:              abc",
            "Name:            n",
            "Version index:   1",
            "Mode:            global job",
        ];
        assert_eq!(lines(object), expected);
    }
}
