//! Specs and edits that are refused before anything is sent, described with the flags that they come from.

use crate::api::spec::{InvalidSpec, JsonType, ReferenceKind};
use crate::cli::messages::shell;
use crate::cli::messages::usage::UsageError;

impl From<InvalidSpec> for UsageError {
    fn from(invalid: InvalidSpec) -> Self {
        match invalid {
            InvalidSpec::Rename { service, name } => rename_error(&service, &name),
            InvalidSpec::ModeChange { service, mode } => mode_change_error(&service, &mode),
            InvalidSpec::HealthCheckOffAndSet => {
                Self::new("`--no-healthcheck` cannot be combined with `--health-` flags", "--no-healthcheck")
            }
            InvalidSpec::HealthCheckWithoutCommand => Self::new(
                "the health check `[\"CMD\"]` has no command: engines crash on it (moby/moby#52330)",
                r#""Test": ["CMD", "curl", "--fail", "http://localhost/"]"#,
            ),
            InvalidSpec::IngressPortWithoutVip { target } => Self::new(
                format!(
                    "port `{target}` cannot be published in ingress mode with `--endpoint-mode dnsrr`, only in host mode"
                ),
                "--publish published=8080,target=80,mode=host",
            ),
            InvalidSpec::PortPublishedTwice(_) => {
                Self::new(invalid.to_string(), "--publish 8080:80 --publish 8081:81")
            }
            InvalidSpec::PathMountedTwice(_) => {
                Self::new(invalid.to_string(), "--mount source=a,target=/a --mount source=b,target=/b")
            }
            InvalidSpec::NetworkAttachedTwice(_) => {
                Self::new(invalid.to_string(), "--network name=backend,alias=a,alias=b")
            }
            InvalidSpec::FileUsedTwice { .. } => Self::new(invalid.to_string(), "source=app.key,target=key"),
            InvalidSpec::AddedTwice { kind, name, file } => added_twice(kind, &name, &file),
            InvalidSpec::ReplicasForNewGlobalService => Self::new(
                "`--replicas` needs the mode `replicated` or `replicated-job`",
                "--mode replicated --replicas 3",
            ),
            InvalidSpec::MaxReplicasForNewGlobalService => Self::new(
                "`--replicas-max-per-node` needs the mode `replicated` or `replicated-job`",
                "--mode replicated --replicas-max-per-node 2",
            ),
            InvalidSpec::MaxConcurrentForNewService => Self::new(
                "`--max-concurrent` needs the mode `replicated-job`",
                "--mode replicated-job --max-concurrent 2",
            ),
            InvalidSpec::ReplicasForGlobalService => Self::new(
                "`--replicas` is for replicated services; this one runs one task on each node",
                "swarmctl update --filter mode=replicated --replicas 3",
            ),
            InvalidSpec::MaxConcurrentForService => Self::new(
                "`--max-concurrent` is for replicated jobs; this service is not one",
                "--update-parallelism 2",
            ),
            InvalidSpec::RolloutPolicyOfJob => Self::new(
                "`--update-` and `--rollback-` flags are not for jobs, which have no rollout",
                "--mode replicated --update-delay 10s",
            ),
            InvalidSpec::UpdatePolicyInSpecOfJob => {
                Self::new(format!("{invalid}: remove it from the file"), r#""UpdateConfig": null"#)
            }
            InvalidSpec::ResourceNotReserved(kind) => Self::new(
                format!("the service reserves no generic resource `{kind}`"),
                "--generic-resource-rm gpu",
            ),
            InvalidSpec::NullItem(list) => Self::new(invalid.to_string(), example_of_list(list)),
            InvalidSpec::WrongType { expected, .. } => {
                Self::new(invalid.to_string(), example_of_type(expected))
            }
            InvalidSpec::OtherCase { .. } => Self::new(invalid.to_string(), r#"{"Labels": {"a": "1"}}"#),
            InvalidSpec::GenericResourceWithoutKind => {
                Self::new(invalid.to_string(), r#"{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}}"#)
            }
        }
    }
}

/// Returns an example of a field with a value of this JSON type.
fn example_of_type(expected: JsonType) -> &'static str {
    match expected {
        JsonType::Text => r#""Image": "shop/web:1.8""#,
        JsonType::Integer => r#""Replicas": 3"#,
        JsonType::Number => r#""MaxFailureRatio": 0.2"#,
        JsonType::Bool => r#""ReadOnly": true"#,
        JsonType::List(_) => r#""Env": ["A=1"]"#,
        JsonType::Map(_) => r#""Labels": {"a": "1"}"#,
    }
}

/// Returns an example of the list with this name.
fn example_of_list(name: &str) -> &'static str {
    match name {
        "Ulimits" => r#""Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 2048}]"#,
        "Configs" => r#""Configs": []"#,
        _ => r#""Secrets": []"#,
    }
}

fn added_twice(kind: ReferenceKind, name: &str, file: &str) -> UsageError {
    let shown = format!("{} `{name}` is added twice as file `{file}`", kind.as_str());
    match kind {
        ReferenceKind::Network => UsageError::new(
            format!("network `{name}` is added twice"),
            "--network-add name=backend,alias=a,alias=b",
        ),
        ReferenceKind::Secret => UsageError::new(shown, "--secret-add source=app.key,mode=0400"),
        ReferenceKind::Config => UsageError::new(shown, "--config-add source=app.conf,mode=0400"),
    }
}

/// Returns the error for a request to rename a service, with commands that have the same result.
pub fn rename_error(service: &str, name: &str) -> UsageError {
    let new = shell::service(name);
    let commands = replacement(service, &format!("--name {new}"), "");
    UsageError::new(
        format!(
            "`{service}` cannot become `{name}`: the engine reports \"renaming services is not supported\". \
             Remove it and create it again"
        ),
        commands,
    )
}

/// Returns the error for a request to change the mode of a service, with commands that have the same result.
pub fn mode_change_error(service: &str, mode: &str) -> UsageError {
    let commands = replacement(service, &format!("--mode {}", shell::word(mode)), " --name new-service");
    UsageError::new(
        format!(
            "the mode of `{service}` cannot become `{mode}`: the engine reports \"service mode change is not allowed\". \
             Remove it and create it again"
        ),
        commands,
    )
}

/// Returns the commands that create a service again with an additional flag. The spec is saved first. The service is
/// removed before the new one is created, because both may publish the same ports, but only if the dry run shows that it
/// can be created. `free_name` is a flag for the dry run, which requires a name that is not taken.
fn replacement(service: &str, flag: &str, free_name: &str) -> String {
    let pasted = shell::service(service);
    // A name that needs quotes is not used as a file name.
    let file = if *pasted == *service { format!("{service}.json") } else { "service.json".to_owned() };
    format!(
        "swarmctl inspect {pasted} > {file} && \
         swarmctl create --dry-run --spec {file} {flag}{free_name} && swarmctl rm --wait {pasted} && \
         swarmctl create --spec {file} {flag}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::spec::Contents;

    #[test]
    fn the_example_has_the_required_type() {
        let wrong = |expected| InvalidSpec::WrongType { place: "TaskTemplate".to_owned(), expected };
        let example = |invalid: InvalidSpec| UsageError::from(invalid).example;
        for (expected, text) in [
            (JsonType::Text, "\"shop/web:1.8\""),
            (JsonType::Integer, "3"),
            (JsonType::Number, "0.2"),
            (JsonType::Bool, "true"),
            (JsonType::List(Contents::Texts), "[\"A=1\"]"),
            (JsonType::Map(Contents::Texts), "{\"a\": \"1\"}"),
        ] {
            assert!(example(wrong(expected)).ends_with(text), "{expected}");
        }
        for list in ["Secrets", "Configs", "Ulimits"] {
            assert!(example(InvalidSpec::NullItem(list)).starts_with(&format!("\"{list}\"")), "{list}");
        }
    }

    #[test]
    fn another_name_or_mode_is_refused_with_the_commands_that_do_it() {
        let shown = |invalid: InvalidSpec| UsageError::from(invalid).to_string();
        let service = || "web".to_owned();
        let ends = |invalid, dry_run: &str, flag: &str| {
            let commands = format!(
                "Remove it and create it again (for example: `swarmctl inspect web > web.json && \
                 swarmctl create --dry-run --spec web.json {dry_run} && swarmctl rm --wait web && \
                 swarmctl create --spec web.json {flag}`)"
            );
            assert!(shown(invalid).ends_with(&commands), "{commands}");
        };
        let rename = InvalidSpec::Rename { service: service(), name: "api".to_owned() };
        ends(rename, "--name api", "--name api");
        let change = InvalidSpec::ModeChange { service: service(), mode: "global".to_owned() };
        ends(change, "--mode global --name new-service", "--mode global");
    }
}
