//! How to fix a finding: a command or a sentence.

use serde_json::Value;

use super::advice::advice;
use crate::api::lint::{Change, Finding, Fix};
use crate::cli::messages::shell;

/// The logging driver that every node has.
const JSON_FILE: &str = "--log-driver json-file";

/// Returns the command or sentence that describes the fix; `None` if there is nothing to do.
pub fn fix(finding: &Finding, service: &str) -> Option<String> {
    let name = shell::service(service);
    Some(match &finding.fix {
        Fix::None => return None,
        Fix::Advice => advice(finding.rule.id).replace("NAME", &name),
        Fix::Update(changes) => {
            let flags: Vec<String> = changes.iter().map(flag).collect();
            format!("swarmctl update {} {name}", flags.join(" "))
        }
        Fix::Scale(replicas) => match name.strip_prefix("-- ") {
            Some(name) => format!("swarmctl scale -- {name}={replicas}"),
            None => format!("swarmctl scale {name}={replicas}"),
        },
        Fix::Pin => format!("swarmctl update-image --refresh {name}"),
        Fix::LogDriver => another_driver(&format!("swarmctl update {JSON_FILE} {name}")),
        Fix::VolumeDriver(mount) => {
            another_driver(&format!("swarmctl update --mount-add {} {name}", with_local_driver(mount)))
        }
        Fix::Constraint(constraint) => {
            let constraint = shell::argument(constraint.as_bytes());
            format!(
                "change a node so that it meets the constraint, or remove the constraint with `swarmctl update --constraint-rm {constraint} {name}`"
            )
        }
    })
}

/// Describes the fix of a finding in a service that was not created: other flags for `create`.
pub fn fix_for_new(finding: &Finding) -> Option<String> {
    Some(match &finding.fix {
        Fix::None => return None,
        // The advice has commands for a service that exists. They become flags of `create`.
        Fix::Advice => advice(finding.rule.id)
            .replace("swarmctl update ", "")
            .replace("swarmctl scale NAME=", "--replicas ")
            .replace("--publish-rm TARGET --publish-add", "--publish")
            .replace("--mount-add", "--mount")
            .replace(" NAME`", "`"),
        Fix::Update(changes) => {
            let flags: Vec<String> = changes.iter().map(flag).collect();
            format!("use `{}`", flags.join(" "))
        }
        Fix::Scale(replicas) => format!("use `--replicas {replicas}`"),
        Fix::Pin => return None,
        Fix::LogDriver => another_driver(JSON_FILE),
        Fix::VolumeDriver(mount) => another_driver(&format!("--mount {}", with_local_driver(mount))),
        Fix::Constraint(constraint) => {
            let constraint = shell::argument(constraint.as_bytes());
            format!("change a node so that it meets the constraint, or leave out `--constraint {constraint}`")
        }
    })
}

fn another_driver(example: &str) -> String {
    format!(
        "install the plugin on a node with `docker plugin install PLUGIN`, or use another driver, as in `{example}`"
    )
}

/// Returns the value of `--mount` that mounts the volume with the driver that every node has. Labels and options of the
/// other driver are left out.
fn with_local_driver(mount: &Value) -> String {
    let text = |key: &str| mount[key].as_str().unwrap_or_default();
    let (source, target) = (text("Source"), text("Target"));
    let mut fields = vec!["type=volume".to_owned()];
    if !source.is_empty() {
        fields.push(field("source", source));
    }
    fields.extend([field("target", target), "volume-driver=local".to_owned()]);
    if mount["ReadOnly"] == true {
        fields.push("readonly".to_owned());
    }
    shell::argument(fields.join(",").as_bytes()).into_owned()
}

/// Formats a field of a CSV value.
fn field(key: &str, value: &str) -> String {
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{key}={}\"", value.replace('"', "\"\""))
    } else {
        format!("{key}={value}")
    }
}

fn flag(change: &Change) -> String {
    match change {
        Change::Monitor(time) => format!("--update-monitor {}", duration(*time)),
        Change::PauseOnFailure => "--update-failure-action pause".to_owned(),
        Change::NoFailureRatio => "--update-max-failure-ratio 0".to_owned(),
        Change::StopFirst => "--update-order stop-first".to_owned(),
        Change::OneAtATime => "--update-parallelism 1".to_owned(),
        Change::MaxReplicas(count) => format!("--replicas-max-per-node {count}"),
        Change::Restart => "--force".to_owned(),
        Change::NoHealthCheck => "--no-healthcheck".to_owned(),
        Change::ReservedCpus(nanos) => format!("--reserve-cpu {}", cpus(*nanos)),
        Change::ReservedMemory(bytes) => format!("--reserve-memory {}", memory(*bytes)),
        Change::CpuLimit(nanos) => format!("--limit-cpu {}", cpus(*nanos)),
        Change::MemoryLimit(bytes) => format!("--limit-memory {}", memory(*bytes)),
    }
}

/// Formats a duration in seconds, rounded up.
fn duration(nanoseconds: i64) -> String {
    format!("{}s", nanoseconds.div_euclid(1_000_000_000) + i64::from(nanoseconds % 1_000_000_000 > 0))
}

/// Formats CPUs as a decimal number, as in `1.5`.
fn cpus(nanos: i64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, (nanos % 1_000_000_000).abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Formats memory in mebibytes, rounded down, or in bytes if there is less than one mebibyte.
fn memory(bytes: i64) -> String {
    if bytes < 1 << 20 { format!("{bytes}b") } else { format!("{}m", bytes >> 20) }
}
