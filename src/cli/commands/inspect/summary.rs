//! The summary of `inspect --pretty`.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::sections::{container, resources, rollout};
use super::values::{items, joined, list, map, nanoseconds, non_zero, prefixed, text, time};
use crate::api::resources::services::Service;
use crate::output::Fields;

/// Returns the IDs of all networks in the spec.
pub fn network_ids(service: &Service) -> impl Iterator<Item = &str> {
    networks(service).filter_map(|network| network["Target"].as_str())
}

/// Creates the summary. `network_names` maps IDs to names, and ages are relative to `now`.
pub fn summarize(service: &Service, network_names: &HashMap<String, String>, now: Timestamp) -> Fields {
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
    let description = match kind.as_str() {
        "Replicated" => "replicated",
        "Global" => "global",
        "ReplicatedJob" => "replicated job",
        "GlobalJob" => "global job",
        other => other,
    };
    fields.field("Mode", description);
    fields.field("Replicas", text(&settings["Replicas"]));
    fields.field("Total completions", text(&settings["TotalCompletions"]));
    fields.field("Max concurrent", text(&settings["MaxConcurrent"]));
}

/// Returns the networks of the task template and those that old clients put at the top level of the spec.
fn networks(service: &Service) -> impl Iterator<Item = &Value> {
    list(&service.spec()["TaskTemplate"]["Networks"]).iter().chain(list(&service.spec()["Networks"]))
}

fn virtual_ip(object: &Value, network: &str) -> String {
    let mut addresses = list(&object["Endpoint"]["VirtualIPs"]).iter();
    let address = addresses.find(|address| address["NetworkID"] == network).map(|it| text(&it["Addr"]));
    address.filter(|address| !address.is_empty()).map_or_else(String::new, |it| format!("virtual IP {it}"))
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
