//! The sections of the summary about the task template, and about the settings of updates and rollbacks.

use serde_json::Value;

use super::values::{items, joined, list, map, nanoseconds, non_zero, shell_words, text};
use crate::output::{Fields, format_bytes};

pub fn container(fields: &mut Fields, spec: &Value) {
    fields.field("Image", text(&spec["Image"]));
    fields.field("Command", shell_words(&spec["Command"]));
    fields.field("Args", shell_words(&spec["Args"]));
    fields.section("Env", |it| items(it, &spec["Env"]));
    fields.section("Container labels", |it| map(it, &spec["Labels"]));
    fields.field("Hostname", text(&spec["Hostname"]));
    fields.field("User", text(&spec["User"]));
    fields.field("Working directory", text(&spec["Dir"]));
    fields.field("Stop grace period", nanoseconds(&spec["StopGracePeriod"]));
    fields.field("Init", text(&spec["Init"]));
    fields.section("Health check", |it| health_check(it, &spec["Healthcheck"]));
    fields.section("Capabilities", |it| {
        it.field("Add", shell_words(&spec["CapabilityAdd"]));
        it.field("Drop", shell_words(&spec["CapabilityDrop"]));
    });
    fields.section("Sysctls", |it| map(it, &spec["Sysctls"]));
    fields.section("Ulimits", |it| {
        for ulimit in list(&spec["Ulimits"]) {
            // The engine omits limits of 0.
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

pub fn health_check(fields: &mut Fields, check: &Value) {
    let command = match list(&check["Test"]).split_first() {
        Some((kind, [])) if kind == "NONE" => "none".to_owned(),
        // The shell receives the whole command as one argument.
        Some((kind, [command])) if kind == "CMD-SHELL" => text(command),
        Some((kind, words)) if kind == "CMD" => shell_words(&Value::from(words)),
        _ => shell_words(&check["Test"]),
    };
    fields.field("Command", command);
    fields.field("Interval", nanoseconds(&check["Interval"]));
    fields.field("Timeout", nanoseconds(&check["Timeout"]));
    fields.field("Start period", nanoseconds(&check["StartPeriod"]));
    fields.field("Start interval", nanoseconds(&check["StartInterval"]));
    fields.field("Retries", non_zero(&check["Retries"]));
}

pub fn resources(fields: &mut Fields, resources: &Value) {
    let cpus = resources["NanoCPUs"].as_f64().filter(|nanos| *nanos > 0.0);
    fields.field("CPUs", cpus.map_or_else(String::new, |nanos| (nanos / 1e9).to_string()));
    let memory = resources["MemoryBytes"].as_u64().filter(|count| *count > 0);
    fields.field("Memory", memory.map_or_else(String::new, format_bytes));
    fields.field("PIDs", non_zero(&resources["Pids"]));
    for resource in list(&resources["GenericResources"]) {
        for spec in ["DiscreteResourceSpec", "NamedResourceSpec"] {
            fields.field(&text(&resource[spec]["Kind"]), text(&resource[spec]["Value"]));
        }
    }
}

pub fn rollout(fields: &mut Fields, config: &Value) {
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
