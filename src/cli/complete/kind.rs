//! What kind of value a flag or a word takes, by the names that it bears in the help.

use clap::Arg;

use super::Candidate;
use super::engine::Source;
use super::line::Line;

/// Where candidates come from.
pub enum Kind {
    /// There are these.
    Words(Vec<Candidate>),
    /// The shell knows files.
    Files,
    /// The engine, or Docker's config folder, is asked.
    Asked(Source),
}

/// Flags whose values are words.
const WORDS: &[(&[&str], &str)] = &[
    (&["mode"], "replicated global replicated-job global-job"),
    (&["endpoint-mode"], "vip dnsrr"),
    (&["restart-condition"], "none on-failure any"),
    (&["update-failure-action"], "pause continue rollback"),
    (&["rollback-failure-action"], "pause continue"),
    (&["update-order", "rollback-order"], "start-first stop-first"),
    (&["isolation"], "default process hyperv"),
    (&["apparmor"], "default disabled"),
    (&["log-driver"], "none json-file local journald syslog gelf fluentd splunk awslogs gcplogs etwlogs"),
    (&["log-level"], "debug info warn error fatal"),
    (&["stop-signal"], "SIGTERM SIGINT SIGQUIT SIGHUP SIGKILL SIGUSR1 SIGUSR2 SIGWINCH"),
    (
        &["cap-add", "cap-drop"],
        "ALL CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF CAP_CHECKPOINT_RESTORE \
         CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK CAP_IPC_OWNER CAP_KILL \
         CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN CAP_NET_BIND_SERVICE \
         CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYSLOG \
         CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_NICE CAP_SYS_PACCT CAP_SYS_PTRACE \
         CAP_SYS_RAWIO CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM",
    ),
];

/// Flags whose values somebody has to be asked for.
const ASKED: &[(&[&str], Source)] = &[
    (&["network", "network-add", "network-rm"], Source::Networks),
    (&["secret", "secret-add", "secret-rm"], Source::Secrets),
    (&["config-add", "config-rm"], Source::Configs),
    (&["constraint", "constraint-add"], Source::Constraints),
    (&["context"], Source::Contexts),
    (&["stack"], Source::Stacks),
    (&["image"], Source::Images),
];

impl Kind {
    /// What a flag takes.
    pub fn of_flag(line: &Line, arg: &Arg) -> Self {
        let name = arg.get_long().unwrap_or_default();
        let takes = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        let possible: Vec<Candidate> = arg
            .get_possible_values()
            .iter()
            .map(|value| Candidate::new(value.get_name(), super::about(value.get_help())))
            .collect();
        match (name, takes) {
            (_, "BOOL") => Self::words("true false"),
            (_, "FILE" | "DIR" | "PATH") => Self::Files,
            ("format", _) if line.command.get_name() == "inspect" => Self::words("json raw pretty"),
            ("format", _) => Self::words("json raw table"),
            // The other `--config` is a folder.
            ("config", _) => Self::Asked(Source::Configs),
            ("filter", _) if line.command.get_name() == "ps" => Self::Asked(Source::TaskFilters),
            ("filter", _) => Self::Asked(Source::Filters),
            _ if !possible.is_empty() => Self::Words(possible),
            _ => match (of(ASKED, name), of(WORDS, name)) {
                (Some(source), _) => Self::Asked(source),
                (None, Some(words)) => Self::words(words),
                (None, None) => Self::Words(Vec::new()),
            },
        }
    }

    /// What a word takes.
    pub fn of_word(line: &Line, arg: &Arg) -> Self {
        let takes = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
        match takes {
            "SERVICE" | "SERVICE|TASK" => Self::Asked(Source::Services),
            "SERVICE=REPLICAS" => Self::Asked(Source::Scaled),
            "IMAGE" => Self::Asked(Source::Images),
            // `update-image SERVICE IMAGE`, `SERVICE=IMAGE...`, or one IMAGE for a selection.
            takes if takes.contains("SERVICE=IMAGE") => {
                let has = |names: &[&str]| line.flags.iter().any(|flag| names.contains(flag));
                match line.words[..] {
                    _ if has(&["tag", "refresh"]) => Self::Asked(Source::Services),
                    [] if has(&["filter", "stack", "all"]) => Self::Asked(Source::Images),
                    [] => Self::Asked(Source::Pairs),
                    [first, ..] if first.contains('=') => Self::Asked(Source::Pairs),
                    [_] => Self::Asked(Source::Images),
                    _ => Self::Words(Vec::new()),
                }
            }
            _ => Self::Words(
                arg.get_possible_values().iter().map(|value| Candidate::new(value.get_name(), "")).collect(),
            ),
        }
    }

    fn words(words: &str) -> Self {
        Self::Words(words.split_whitespace().map(|word| Candidate::new(word, "")).collect())
    }
}

fn of<T: Copy>(table: &[(&[&str], T)], name: &str) -> Option<T> {
    table.iter().find(|(names, _)| names.contains(&name)).map(|(_, what)| *what)
}
