//! Specs and edits that are refused before anything is sent, described with the flags that they come from.

use crate::api::spec::{InvalidSpec, ReferenceKind};
use crate::cli::messages::shell;
use crate::cli::messages::usage::UsageError;

impl From<InvalidSpec> for UsageError {
    fn from(invalid: InvalidSpec) -> Self {
        match invalid {
            InvalidSpec::Rename { service, name } => rename(&service, &name),
            InvalidSpec::ModeChange { service, mode } => mode_change(&service, &mode),
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
            InvalidSpec::ReplicasInGlobalMode => Self::new(
                "`--replicas` needs the mode `replicated` or `replicated-job`",
                "--mode replicated --replicas 3",
            ),
            InvalidSpec::MaxReplicasInGlobalMode => Self::new(
                "`--replicas-max-per-node` needs the mode `replicated` or `replicated-job`",
                "--mode replicated --replicas-max-per-node 2",
            ),
            InvalidSpec::MaxConcurrentWithoutJobMode => Self::new(
                "`--max-concurrent` needs the mode `replicated-job`",
                "--mode replicated-job --max-concurrent 2",
            ),
            InvalidSpec::ReplicasOfGlobalService => Self::new(
                "`--replicas` is for replicated services; this one runs one task on each node",
                "--constraint-add node.role==worker",
            ),
            InvalidSpec::MaxConcurrentOfService => Self::new(
                "`--max-concurrent` is for replicated jobs; this service is not one",
                "--update-parallelism 2",
            ),
            InvalidSpec::RolloutPolicyOfJob => Self::new(
                "`--update-` and `--rollback-` flags are not for jobs, which have no rollout",
                "--mode replicated --update-delay 10s",
            ),
            InvalidSpec::ResourceNotReserved(kind) => Self::new(
                format!("the service reserves no generic resource `{kind}`"),
                "--generic-resource-rm gpu",
            ),
            InvalidSpec::NullItem(_) => Self::new(invalid.to_string(), "\"Secrets\": []"),
            InvalidSpec::WrongType { .. } => Self::new(invalid.to_string(), r#""Replicas": 3"#),
            InvalidSpec::OtherCase { .. } => Self::new(invalid.to_string(), r#"{"Labels": {"a": "1"}}"#),
            InvalidSpec::GenericResourceWithoutKind => {
                Self::new(invalid.to_string(), r#"{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 2}}"#)
            }
        }
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

/// The error that a service cannot be renamed, with the commands that replace it.
pub fn rename(service: &str, name: &str) -> UsageError {
    let (pasted, new) = (shell::service(service), shell::service(name));
    UsageError::new(
        format!(
            "`{service}` cannot become `{name}`: the engine reports \"renaming services is not supported\". Create a new one \
             and remove the old: `swarmctl inspect {pasted} | swarmctl create --spec - --name {new} && swarmctl rm \
             {pasted}` (the other way round where it publishes ports)"
        ),
        "swarmctl create --spec web.json --name web-2",
    )
}

/// The error that the mode of a service cannot be changed, with the commands that replace it.
pub fn mode_change(service: &str, mode: &str) -> UsageError {
    let (pasted, mode_pasted) = (shell::service(service), shell::word(mode));
    // A name that needs quotes is not used as a file name.
    let file = if *pasted == *service { format!("{service}.json") } else { "service.json".to_owned() };
    UsageError::new(
        format!(
            "the mode of `{service}` cannot become `{mode}`: the engine reports \"service mode change is not allowed\". \
             Remove it and create it again: `swarmctl inspect {pasted} > {file} && swarmctl rm --wait {pasted} && \
             swarmctl create --spec {file} --mode {mode_pasted}`"
        ),
        "swarmctl create --spec web.json --mode global",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_name_or_mode_is_refused_with_the_commands_that_do_it() {
        let why = |invalid: InvalidSpec| UsageError::from(invalid).why;
        let service = || "web".to_owned();
        assert!(
            why(InvalidSpec::Rename { service: service(), name: "api".to_owned() })
                .contains("`swarmctl inspect web | swarmctl create --spec - --name api && swarmctl rm web`")
        );
        assert!(
            why(InvalidSpec::ModeChange { service: service(), mode: "global".to_owned() })
                .contains("swarmctl create --spec web.json --mode global")
        );
    }
}
