//! A service for a person to read: what matters of it, in docker's words.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::resources::services::Service;
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
    fields.field("Init", text(&spec["Init"]));
    fields.section("Health check", |it| health_check(it, &spec["Healthcheck"]));
    fields.section("Capabilities", |it| {
        it.field("Add", words(&spec["CapabilityAdd"]));
        it.field("Drop", words(&spec["CapabilityDrop"]));
    });
    fields.section("Sysctls", |it| map(it, &spec["Sysctls"]));
    fields.section("Ulimits", |it| {
        for ulimit in list(&spec["Ulimits"]) {
            // The engine leaves out 0.
            let limit = |key: &str| ulimit[key].as_i64().unwrap_or(0);
            it.field_or_item(&text(&ulimit["Name"]), &format!("{}:{}", limit("Soft"), limit("Hard")));
        }
    });
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

fn health_check(fields: &mut Fields, check: &Value) {
    let command = match list(&check["Test"]).split_first() {
        Some((kind, [])) if kind == "NONE" => "none".to_owned(),
        // A shell takes the whole command as one word.
        Some((kind, [command])) if kind == "CMD-SHELL" => text(command),
        Some((kind, words)) if kind == "CMD" => self::words(&Value::from(words)),
        _ => words(&check["Test"]),
    };
    fields.field("Command", command);
    fields.field("Interval", nanoseconds(&check["Interval"]));
    fields.field("Timeout", nanoseconds(&check["Timeout"]));
    fields.field("Start period", nanoseconds(&check["StartPeriod"]));
    fields.field("Start interval", nanoseconds(&check["StartInterval"]));
    fields.field("Retries", non_zero(&check["Retries"]));
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
#[path = "summary_tests.rs"]
mod tests;
