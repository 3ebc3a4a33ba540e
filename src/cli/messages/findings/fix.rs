//! How to fix a finding: a command or a sentence.

use serde_json::Value;

use super::advice::advice;
use crate::api::lint::{Change, Finding, Fix};
use crate::cli::messages::shell;

/// The logging driver that every node has.
const JSON_FILE: &str = "--log-driver json-file";

/// Formats the fixes of findings in one service as a hint, with commands in backticks. All settings are changed by one
/// command.
pub fn hint(findings: &[Finding], service: &str) -> Option<String> {
    let flags = distinct(findings.iter().flat_map(update_flags));
    let update = format!("swarmctl update {} {}", flags.join(" "), shell::service(service));
    let others = findings.iter().filter(|one| update_flags(one).is_empty());
    let others = others.filter_map(|finding| fix(finding, service));
    let fixes = distinct((!flags.is_empty()).then_some(update).into_iter().chain(others));
    let (commands, sentences): (Vec<String>, Vec<String>) =
        fixes.into_iter().partition(|fix| fix.starts_with("swarmctl "));
    let commands = match commands.as_slice() {
        [] => None,
        [one] => Some(format!("fix it with `{one}`")),
        all => Some(format!("fix them with `{}`", all.join("` and `"))),
    };
    joined(commands, sentences)
}

/// Formats the fixes of findings in a service that was not created as a hint: other flags for `create`.
pub fn hint_for_new(findings: &[Finding]) -> Option<String> {
    let flags = distinct(findings.iter().flat_map(create_flags));
    let flags = (!flags.is_empty()).then(|| format!("use `{}`", flags.join(" ")));
    let others = findings.iter().filter(|one| create_flags(one).is_empty());
    joined(flags, distinct(others.filter_map(fix_for_new)))
}

fn joined(commands: Option<String>, sentences: Vec<String>) -> Option<String> {
    let all: Vec<String> = commands.into_iter().chain(sentences).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Returns the texts without repetitions, in their order.
fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut all = Vec::new();
    for text in texts {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// Returns the command or sentence that describes the fix; `None` if there is nothing to do.
pub fn fix(finding: &Finding, service: &str) -> Option<String> {
    let name = shell::service(service);
    Some(match &finding.fix {
        Fix::None => return None,
        Fix::Advice => advice(finding.rule.id).replace("NAME", &name),
        Fix::Update(_) => format!("swarmctl update {} {name}", update_flags(finding).join(" ")),
        Fix::Scale(replicas) => match name.strip_prefix("-- ") {
            Some(name) => format!("swarmctl scale -- {name}={replicas}"),
            None => format!("swarmctl scale {name}={replicas}"),
        },
        Fix::LargerNetwork(network) => {
            let network = shell::argument(network.as_bytes());
            advice(finding.rule.id)
                .replace("--network-rm SMALL NAME", &format!("--network-rm {network} {name}"))
        }
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
fn fix_for_new(finding: &Finding) -> Option<String> {
    Some(match &finding.fix {
        Fix::None => return None,
        // The advice has commands for a service that exists. They become flags of `create`.
        Fix::Advice => advice(finding.rule.id)
            .replace("swarmctl update ", "")
            .replace("swarmctl scale NAME=", "--replicas ")
            .replace("--publish-rm TARGET --publish-add", "--publish")
            .replace("--mount-add", "--mount")
            .replace(" NAME`", "`"),
        Fix::Update(_) | Fix::Scale(_) => format!("use `{}`", create_flags(finding).join(" ")),
        // No rule about networks or tags is evaluated before a service is created.
        Fix::Pin | Fix::LargerNetwork(_) => return None,
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

/// Returns the flags of `update` that fix the finding, if no other command is needed.
fn update_flags(finding: &Finding) -> Vec<String> {
    match &finding.fix {
        Fix::Update(changes) => changes.iter().map(flag).collect(),
        _ => Vec::new(),
    }
}

/// Returns the flags of `create` that fix the finding, if they are enough.
fn create_flags(finding: &Finding) -> Vec<String> {
    match &finding.fix {
        Fix::Scale(replicas) => vec![format!("--replicas {replicas}")],
        _ => update_flags(finding),
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
