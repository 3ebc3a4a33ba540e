//! The groups of flags in the help of `create` and `update`.

use clap::Arg;

/// The groups, in the order of the help.
const GROUPS: [&str; 15] = [
    "Selection",
    "Image",
    "Service",
    "Container environment",
    "Ports",
    "Networks",
    "Mounts",
    "Secrets and configs",
    "Container",
    "Resources",
    "Security",
    "Placement",
    "Health",
    "Update and rollback",
    "Output",
];

/// The flags of each group. Each name also stands for the flags that begin with it and a hyphen, as `log` does for
/// `log-driver`, except flags that are listed themselves.
const FLAGS: &[(&str, &[&str])] = &[
    ("Selection", &["filter", "stack", "all"]),
    (
        "Image",
        &[
            "image",
            "any-repository",
            "resolve-image",
            "no-resolve-image",
            "on-resolve-error",
            "with-registry-auth",
            "unpin",
        ],
    ),
    ("Service", &["name", "label", "spec", "force-spec"]),
    ("Container environment", &["env"]),
    ("Ports", &["publish", "endpoint-mode"]),
    ("Networks", &["network", "host", "dns"]),
    ("Mounts", &["mount", "read-only"]),
    ("Secrets and configs", &["secret", "config"]),
    (
        "Container",
        &[
            "args",
            "container-label",
            "entrypoint",
            "group",
            "hostname",
            "init",
            "isolation",
            "log",
            "open-stdin",
            "stop",
            "tty",
            "user",
            "workdir",
        ],
    ),
    ("Resources", &["limit", "reserve", "generic-resource", "memory", "oom-score-adj", "ulimit"]),
    ("Security", &["apparmor", "cap", "credential-spec", "no-new-privileges", "seccomp", "sysctl"]),
    ("Placement", &["constraint", "max-concurrent", "mode", "placement-pref", "replicas"]),
    ("Health", &["health", "no-healthcheck"]),
    (
        "Update and rollback",
        &[
            "allow-field-loss",
            "bake",
            "canary",
            "confirm",
            "detach",
            "force",
            "gate",
            "hold",
            "if-version",
            "journal",
            "max-failures",
            "parallel",
            "restart",
            "resume",
            "rollback",
            "steps",
            "strict",
            "timeout",
            "update",
        ],
    ),
    ("Output", &["dry-run", "exit-code", "json", "plan", "progress", "quiet"]),
];

/// The group of a flag.
pub fn group_of(name: &str) -> Option<&'static str> {
    let is_listed = |names: &&[&str], is_meant: &dyn Fn(&str) -> bool| names.iter().any(|own| is_meant(own));
    let find = |is_meant: &dyn Fn(&str) -> bool| FLAGS.iter().find(|(_, names)| is_listed(names, is_meant));
    let starts = |own: &str| name.strip_prefix(own).is_some_and(|rest| rest.starts_with('-'));
    let found = find(&|own| own == name).or_else(|| find(&starts));
    found.map(|(group, _)| *group)
}

/// The position of a flag's group in the help.
pub fn position(name: &str) -> Option<usize> {
    let group = group_of(name)?;
    GROUPS.iter().position(|other| *other == group)
}

/// Puts a flag into its group.
pub fn assign(arg: Arg) -> Arg {
    match arg.get_long().and_then(group_of) {
        Some(group) if arg.get_long() != Some("help") => arg.help_heading(group),
        _ => arg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_of_create_and_update_has_a_group_and_groups_are_in_order() {
        let mut root = crate::cli::root();
        root.build();
        for name in ["create", "update"] {
            let command = root.find_subcommand(name).unwrap();
            let mut groups = Vec::new();
            for arg in command.get_arguments().filter(|arg| !arg.is_positional() && arg.get_id() != "help") {
                let group = arg.get_help_heading();
                assert!(group.is_some(), "give --{} of {name} a group", arg.get_id());
                if !groups.contains(&group.unwrap()) {
                    groups.push(group.unwrap());
                }
            }
            let expected: Vec<&str> = GROUPS.into_iter().filter(|group| groups.contains(group)).collect();
            assert_eq!(groups, expected, "{name}");
        }
    }

    #[test]
    fn every_group_is_in_both_tables() {
        let used: Vec<&str> = FLAGS.iter().map(|(group, _)| *group).collect();
        assert_eq!(used, GROUPS);
        assert_eq!(group_of("rollback-on-failure"), Some("Update and rollback"));
        assert_eq!(group_of("replicas-max-per-node"), Some("Placement"));
        assert_eq!(group_of("nosuch"), None);
    }
}
