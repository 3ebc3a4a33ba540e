//! The texts of fixes, and docs/lint.md, which is generated from the table of the rules.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::advice::advice;
use super::{fix, hint, hint_for_new, object};
use crate::api::lint::{Change, Finding, Fix, Kind, RequiredList, Rule, RuleStage, rule, rules};

fn finding(id: &str, fix: Fix) -> Finding {
    Finding { rule: rule(id).unwrap(), place: "A".to_owned(), message: "b".to_owned(), fix }
}

#[test]
fn fixes_are_commands_to_paste() {
    let mount = json!({ "Type": "volume", "Source": "a,\"b", "Target": "/v", "ReadOnly": true });
    for (finding, service, expected) in [
        (
            finding("L05", Fix::Update(vec![Change::StopFirst])),
            "web",
            "swarmctl update --update-order stop-first web",
        ),
        (finding("L06", Fix::Scale(3)), "web", "swarmctl scale web=3"),
        (finding("L06", Fix::Scale(3)), "-web", "swarmctl scale -- -web=3"),
        (finding("L12", Fix::Pin), "a b", "swarmctl update-image --refresh 'a b'"),
        (
            finding(
                "L11",
                Fix::Update(vec![Change::ReservedCpus(1_500_000_000), Change::ReservedMemory(3 << 29)]),
            ),
            "web",
            "swarmctl update --reserve-cpu 1.5 --reserve-memory 1536m web",
        ),
        (
            finding("L01", Fix::Update(vec![Change::Monitor(1_500_000_000)])),
            "web",
            "swarmctl update --update-monitor 2s web",
        ),
        (
            finding("L08", Fix::Constraint("node.labels.a == $b".to_owned())),
            "web",
            "change a node so that it meets the constraint, or remove the constraint with `swarmctl update --constraint-rm 'node.labels.a == $b' web`",
        ),
        (
            finding("L28", Fix::LogDriver),
            "web",
            "install the plugin on a node with `docker plugin install PLUGIN`, or use another driver, as in \
             `swarmctl update --log-driver json-file web`",
        ),
        (
            finding("L28", Fix::VolumeDriver(mount)),
            "web",
            "install the plugin on a node with `docker plugin install PLUGIN`, or use another driver, as in \
             `swarmctl update --mount-add 'type=volume,\"source=a,\"\"b\",target=/v,volume-driver=local,readonly' web`",
        ),
        (
            finding("L13", Fix::Advice),
            "web",
            "use a tag that names a version, as in `swarmctl update-image web IMAGE:1.7`",
        ),
        (
            finding("L10", Fix::LargerNetwork("tiny".to_owned())),
            "web",
            "create a larger network, as in `docker network create --driver overlay --subnet 10.99.0.0/16 LARGER`, and move \
             the services to it with `swarmctl update --network-add LARGER --network-rm tiny web`",
        ),
    ] {
        assert_eq!(fix(&finding, service).as_deref(), Some(expected));
    }
    assert_eq!(fix(&finding("L20", Fix::None), "web"), None);
    assert!(object(&finding("L20", Fix::None), "web")["fix"].is_null());
}

#[test]
fn fixes_of_a_service_that_was_not_created_are_flags() {
    for (finding, expected) in [
        (finding("L27", Fix::Update(vec![Change::MemoryLimit(6 << 20)])), "use `--limit-memory 6m`"),
        (finding("L06", Fix::Scale(3)), "use `--replicas 3`"),
        (
            finding("L08", Fix::Constraint("node.role == worker".to_owned())),
            "change a node so that it meets the constraint, or leave out `--constraint 'node.role == worker'`",
        ),
        (finding("L29", Fix::Advice), "publish ports from 1 to 65535: `--publish PUBLISHED:TARGET`"),
        (
            finding("L28", Fix::LogDriver),
            "install the plugin on a node with `docker plugin install PLUGIN`, or use another driver, as in \
             `--log-driver json-file`",
        ),
        (
            finding("L28", Fix::VolumeDriver(json!({ "Type": "volume", "Target": "/v" }))),
            "install the plugin on a node with `docker plugin install PLUGIN`, or use another driver, as in \
             `--mount type=volume,target=/v,volume-driver=local`",
        ),
    ] {
        assert_eq!(hint_for_new(&[finding]).as_deref(), Some(expected));
    }
    let before_posts = rules().filter(|rule| rule.stage == RuleStage::BeforePosts);
    for text in before_posts.filter_map(|rule| hint_for_new(&[finding(rule.id, Fix::Advice)])) {
        assert!(!text.contains("NAME") && !text.contains("swarmctl update"), "{text}");
    }
}

#[test]
fn fixes_of_several_findings_are_one_hint() {
    let memory = || finding("L27", Fix::Update(vec![Change::MemoryLimit(6 << 20)]));
    let order = || finding("L05", Fix::Update(vec![Change::StopFirst]));
    let scale = || finding("L06", Fix::Scale(3));
    for (findings, existing, new) in [
        (vec![scale()], "fix it with `swarmctl scale web=3`", "use `--replicas 3`"),
        (
            vec![order(), memory(), order()],
            "fix it with `swarmctl update --update-order stop-first --limit-memory 6m web`",
            "use `--update-order stop-first --limit-memory 6m`",
        ),
        (
            vec![scale(), memory()],
            "fix them with `swarmctl update --limit-memory 6m web` and `swarmctl scale web=3`",
            "use `--replicas 3 --limit-memory 6m`",
        ),
        (
            vec![finding("L09", Fix::Advice), memory(), finding("L20", Fix::None)],
            "fix it with `swarmctl update --limit-memory 6m web`; deploy an image that is built for the platform of these \
             nodes, or add a node that has the platform of the image",
            "use `--limit-memory 6m`; deploy an image that is built for the platform of these nodes, or add a node that has \
             the platform of the image",
        ),
    ] {
        assert_eq!(hint(&findings, "web").as_deref(), Some(existing));
        assert_eq!(hint_for_new(&findings).as_deref(), Some(new));
    }
    assert_eq!(hint(&[finding("L20", Fix::None)], "web"), None);
}

#[test]
fn every_rule_has_advice() {
    for rule in rules() {
        assert!(!advice(rule.id).is_empty(), "{} needs a row in advice.rs", rule.id);
        assert!(!advice(rule.id).ends_with('.'), "{}", rule.id);
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md")
}

const INTRODUCTION: &str = "\
# Rules of `swarmctl lint`

Swarm accepts services that can never run, updates that can never finish and rollbacks that cannot succeed. `swarmctl lint` finds
them in what the engine stores. It posts nothing.

```sh
swarmctl lint                                      # every service
swarmctl lint --stack shop --level info            # the services of a stack, with all findings
swarmctl lint --exit-code --ignore L12,L30         # 10 if there are findings, for CI
```

The severity **error** means that tasks cannot run, or that the next update or rollback cannot succeed; **warn** is a likely mistake,
**info** is worth knowing. The label `swarmctl.lint.ignore=L12,L15` of a service ignores rules for it. Rules that depend on the nodes
are evaluated for the current state of the nodes: a node that is down, drained or paused counts as missing. A node is *eligible* for a service if it is up
and active, meets the constraints and has a platform of the image. Settings that are absent count as the engine's defaults.

If a request is refused, for example by a proxy in front of the engine's socket, the rules that need it are skipped, and a note names them.

`create`, `update-image`, `update`, `scale`, `restart`, `rollback`, `apply` and `undo` evaluate the rules marked *checked before posts* on the spec
that is about to be posted, and print warnings. With `--strict`, which `undo` does not have, they post nothing if one of these rules finds something.

This page is generated from the rules.
";

fn text() -> String {
    let mut text = INTRODUCTION.to_owned();
    for rule in rules() {
        text += &format!("\n## {} {}\n\n{}\n", rule.id, rule.name, paragraph(rule));
    }
    text
}

fn paragraph(rule: &Rule) -> String {
    let stage = match rule.stage {
        RuleStage::OnRequest => "",
        RuleStage::BeforePosts => "; checked before posts",
        RuleStage::BeforeRollbacks => "; checked before rollbacks",
    };
    let kinds: Vec<&str> = rule.kinds.iter().map(|kind| services(*kind)).collect();
    let kinds = match kinds.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    };
    let needs = match rule.needs {
        [] => String::new(),
        needs => {
            let paths: Vec<String> = needs.iter().map(|source| format!("`{}`", path(*source))).collect();
            format!(" This rule needs {}.", paths.join(", "))
        }
    };
    let advice = advice(rule.id).replace("NAME", "web");
    let (first, rest) = advice.split_at_checked(1).unwrap_or_default();
    let fix = format!("{}{rest}", first.to_uppercase());
    format!(
        "**{}**, for {kinds}{stage}. {}. {} Symptom: {} Fix: {fix}.{needs}",
        rule.severity, rule.condition, rule.effect, rule.sign
    )
}

fn services(kind: Kind) -> &'static str {
    match kind {
        Kind::Replicated => "replicated services",
        Kind::Global => "global services",
        Kind::Job => "jobs",
    }
}

fn path(source: RequiredList) -> &'static str {
    match source {
        RequiredList::Nodes => "/nodes",
        RequiredList::Tasks => "/tasks",
        RequiredList::Networks => "/networks",
        RequiredList::Secrets => "/secrets",
        RequiredList::Configs => "/configs",
    }
}

#[test]
fn the_page_of_the_rules_is_current() {
    let stored = fs::read_to_string(page()).unwrap_or_default();
    assert!(stored == text(), "docs/lint.md is not current: write it with scripts/generate");
}

#[test]
#[ignore = "it writes docs/lint.md: scripts/generate calls it"]
fn write_the_page_of_the_rules() {
    fs::write(page(), text()).unwrap();
}
