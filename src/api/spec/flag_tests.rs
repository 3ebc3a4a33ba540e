use serde_json::{Value, json};

use super::super::{apply_all, changes, flags};
use super::*;

/// A value for every flag: a new row needs one here.
const SAMPLES: &[(&str, &str)] = &[
    ("name", "web"),
    ("label", "a.b=c"),
    ("container-label", "a.b=c"),
    ("mode", "global"),
    ("replicas", "3"),
    ("max-concurrent", "2"),
    ("replicas-max-per-node", "2"),
    ("constraint", "node.role==worker"),
    ("placement-pref", "spread=node.labels.x"),
    ("env", "A=1"),
    ("entrypoint", "sh -c"),
    ("workdir", "/x"),
    ("user", "me"),
    ("group", "g"),
    ("hostname", "h"),
    ("host", "a:1.2.3.4"),
    ("dns", "1.2.3.4"),
    ("dns-option", "ndots:2"),
    ("dns-search", "a.b"),
    ("init", "true"),
    ("tty", "true"),
    ("read-only", "true"),
    ("stop-signal", "INT"),
    ("stop-grace-period", "5s"),
    ("no-healthcheck", "true"),
    ("health-cmd", "x"),
    ("health-interval", "5s"),
    ("health-timeout", "5s"),
    ("health-start-period", "5s"),
    ("health-start-interval", "5s"),
    ("health-retries", "5"),
    ("cap-add", "NET_ADMIN"),
    ("cap-drop", "ALL"),
    ("sysctl", "a=b"),
    ("ulimit", "nofile=5"),
    ("oom-score-adj", "5"),
    ("isolation", "hyperv"),
    ("credential-spec", "file://x"),
    ("log-driver", "local"),
    ("log-opt", "a.b=c"),
    ("limit-cpu", "0.5"),
    ("limit-memory", "64m"),
    ("limit-pids", "5"),
    ("reserve-cpu", "0.5"),
    ("reserve-memory", "64m"),
    ("generic-resource", "gpu=1"),
    ("memory-swap", "-1"),
    ("memory-swappiness", "60"),
    ("restart-condition", "none"),
    ("restart-delay", "1s"),
    ("restart-max-attempts", "5"),
    ("restart-window", "1s"),
    ("update-parallelism", "2"),
    ("update-delay", "1s"),
    ("update-monitor", "1s"),
    ("update-failure-action", "rollback"),
    ("update-max-failure-ratio", "0.3"),
    ("update-order", "start-first"),
    ("rollback-parallelism", "2"),
    ("rollback-delay", "1s"),
    ("rollback-monitor", "1s"),
    ("rollback-failure-action", "continue"),
    ("rollback-max-failure-ratio", "0.3"),
    ("rollback-order", "start-first"),
    ("network", "name=n,alias=a"),
    ("publish", "8080-8081:80-81"),
    ("endpoint-mode", "dnsrr"),
    ("mount", "target=/x"),
    ("secret", "s"),
    ("config", "c"),
];

const OUTSIDE: Outside<'_> = Outside { variable: &|_| None, directory: "/" };

fn sample(flag: &Flag) -> &'static str {
    SAMPLES.iter().find(|(name, _)| *name == flag.name).map(|(_, value)| *value).expect(flag.name)
}

#[test]
fn every_row_is_idempotent_and_touches_its_own_places_only() {
    let old = json!({
        "Name": "old",
        "X-Top": 9_007_199_254_740_993u64,
        "TaskTemplate": {
            "ContainerSpec": {"Image": "i", "X-Container": [1], "Healthcheck": {"Test": ["CMD", "x"], "X-Health": 1}},
            "Resources": {"Limits": {"X-Limit": 1}},
            "RestartPolicy": {"X-Restart": 1},
            "LogDriver": {"Name": "json-file", "Options": {"x": "y"}},
        },
        "UpdateConfig": {"Parallelism": 0, "X-Update": 1},
        "Mode": {"Replicated": {"Replicas": 1, "X-Mode": 1}},
        "EndpointSpec": {"X-Endpoint": 1},
    });
    for flag in flags() {
        let edits = flag.read(&[sample(flag)], &OUTSIDE).expect(flag.name);
        assert!(!edits.is_empty(), "--{}", flag.name);
        let mut once = old.clone();
        apply_all(&mut once, &edits);
        assert_ne!(once, old, "--{}", flag.name);
        let mut twice = once.clone();
        apply_all(&mut twice, &edits);
        assert_eq!(once.to_string(), twice.to_string(), "--{}", flag.name);
        for change in changes(&old, &once) {
            let own = edits.iter().any(|edit| change.place.keys().starts_with(edit.place.keys()));
            // What did not exist is one change as a whole.
            let parent = change.old.is_none()
                && edits.iter().any(|edit| edit.place.keys().starts_with(change.place.keys()));
            assert!(own || parent, "--{} changed {}", flag.name, change.place);
        }
    }
}

#[test]
fn the_last_value_counts_where_there_is_one_and_no_value_means_no_edit() {
    for flag in flags() {
        assert_eq!(flag.read(&[], &OUTSIDE), Ok(vec![]), "--{}", flag.name);
        let value = sample(flag);
        let last = flag.read(&["\u{0}", value], &OUTSIDE);
        match flag.takes {
            Takes::Many(_) => {}
            _ => assert_eq!(last, flag.read(&[value], &OUTSIDE), "--{}", flag.name),
        }
    }
}

#[test]
fn help_reads_like_help_and_names_are_used_once() {
    let all: Vec<&Flag> = flags().collect();
    for (i, flag) in all.iter().enumerate() {
        let first = flag.help.chars().next().expect(flag.name);
        assert!(
            first.is_uppercase() && !flag.help.ends_with('.') && flag.help.len() <= 72,
            "--{}",
            flag.name
        );
        let twin =
            |other: &&Flag| other.name == flag.name || (other.short.is_some() && other.short == flag.short);
        assert!(
            !all[..i]
                .iter()
                .any(|other| (other.on == flag.on || other.on == On::Both || flag.on == On::Both)
                    && twin(other)),
            "--{}",
            flag.name
        );
    }
}

#[test]
fn zero_removes_what_the_engine_does_not_tell_from_nothing() {
    let outside = &OUTSIDE;
    let read = |name: &str, value: &str| {
        let flag = flags().find(|flag| flag.name == name).unwrap();
        flag.read(&[value], outside).unwrap()
    };
    let limit = Place::at("TaskTemplate.Resources.Limits.NanoCPUs");
    assert_eq!(read("limit-cpu", "0"), [Edit::remove(limit)]);
    assert_eq!(read("replicas", "0"), [Edit::set(Place::at("Mode.Replicated.Replicas"), 0)]);
    let command = Place::at("TaskTemplate.ContainerSpec.Command");
    assert_eq!(read("entrypoint", ""), [Edit::remove(command)]);
    assert_eq!(read("tty", "false"), [Edit::remove(Place::at("TaskTemplate.ContainerSpec.TTY"))]);
    assert_eq!(
        read("init", "false"),
        [Edit::set(Place::at("TaskTemplate.ContainerSpec.Init"), Value::Bool(false))]
    );
}
