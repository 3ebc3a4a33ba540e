//! Why a task failed, in a few words.

use crate::api::rollout::Cause;

/// Causes, each with the phrases of the engine's errors that stand for it. The first match is used.
const CAUSES: &[(&str, &[&str])] = &[
    ("unhealthy", &["unhealthy container"]),
    (
        "pull access denied",
        &["pull access denied", "authorization failed", "401 Unauthorized", "403 Forbidden"],
    ),
    (
        "registry not reachable",
        &["dial tcp", "i/o timeout", "TLS handshake timeout", "no such host", "context deadline exceeded"],
    ),
    (
        "no such image",
        &["No such image", "manifest unknown", "failed to resolve reference", "not found: manifest"],
    ),
    ("port already in use", &["port is already allocated", "port already in use", "address already in use"]),
    ("missing mount", &["bind source path does not exist", "invalid mount config"]),
    ("command not found", &["executable file not found", "no such file or directory: unknown"]),
    ("command not executable", &["permission denied: unknown"]),
    ("not enough resources", &["insufficient resources"]),
    ("constraints not met", &["scheduling constraints not satisfied"]),
    ("unsupported platform", &["unsupported platform"]),
    ("no node available", &["not available for new tasks"]),
    ("start canceled", &["context canceled"]),
];

/// Describes the cause: `exit code 1`, `no such image`, `unhealthy`.
pub fn root_cause(cause: &Cause) -> String {
    let text = describe(&cause.error, cause.exit_code);
    if cause.tasks > 1 { format!("{text} ({} tasks)", cause.tasks) } else { text }
}

fn describe(error: &str, exit_code: Option<i64>) -> String {
    let known = CAUSES.iter().find(|(_, words)| words.iter().any(|word| error.contains(word)));
    if let Some((text, _)) = known {
        return (*text).to_owned();
    }
    match (exit_code, error.strip_prefix("no suitable node (")) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(reasons)) => reasons.trim_end_matches(')').to_owned(),
        (None, None) => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_has_few_words() {
        for (error, code, words) in [
            ("task: non-zero exit (1)", Some(1), "exit code 1"),
            ("task: non-zero exit (143): dockerexec: unhealthy container", Some(143), "unhealthy"),
            ("No such image: opera443399/whoami:9.9", None, "no such image"),
            (
                r#"failed to resolve reference "docker.io/x": failed to do request: Head "https://x": dial tcp: lookup x: connection refused"#,
                None,
                "registry not reachable",
            ),
            (
                r#"failed to resolve reference "x": pull access denied, repository does not exist"#,
                None,
                "pull access denied",
            ),
            (
                r#"invalid mount config for type "bind": bind source path does not exist: /data"#,
                None,
                "missing mount",
            ),
            ("no suitable node (insufficient resources on 2 nodes)", None, "not enough resources"),
            (
                "no suitable node (max replicas per node limit exceed)",
                None,
                "max replicas per node limit exceed",
            ),
            ("something new", None, "something new"),
        ] {
            assert_eq!(describe(error, code), words, "{error}");
        }
    }
}
