//! `update` on a real engine: the same lines through docker and through swarmctl make the same service.

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use crate::support::fixtures::{NEW, OLD};
use crate::support::run::swarmctl;

/// Flags of the create, and those of the update that follows; without any there is none.
type Line = (&'static str, &'static str);

const PORTS: &[Line] = &[
    ("", "--endpoint-mode dnsrr"),
    ("--publish 22501:80", "--endpoint-mode dnsrr"),
    ("--endpoint-mode dnsrr", "--publish-add 22501:80"),
    ("--endpoint-mode dnsrr", "--publish-add target=80,published=22501,mode=host"),
    ("", "--publish-add 22501:80"),
    ("-p 22501:80 -p 22502:81", "--publish-rm 80"),
    ("-p 22501:80", "--publish-rm 80 --publish-add 22503:90"),
    ("-p 22501:80/udp", "--publish-rm 80"),
    ("-p published=22501,target=80,mode=host", "--publish-rm target=80,mode=host"),
    ("-p 22501:80", "--publish-add 22501:80"),
    ("", "--publish-add 22501:80 --publish-add 22501:81"),
    ("", "--publish-add 80"),
    ("--mode global-job", "--publish-add 22501:80"),
    ("", "--user x --env-add A=1 --label-add c=d --publish-add 22501:80 --limit-cpu 1 --update-delay 1s"),
    ("-p 22501-22502:80-81/udp -p 22503:90/sctp", ""),
    ("--publish 22501:80 --publish 22501:81", ""),
    ("-p 127.0.0.1:22501:80", ""),
    ("-p target=80,published=22501,protocol=udp,mode=host", ""),
    ("--endpoint-mode dnsrr -p 22501:80", ""),
    ("--endpoint-mode dnsrr -p published=22501,target=80,mode=host", ""),
    ("-p 99999:80", ""),
    ("-p 80", ""),
];

const NETWORKS_SECRETS_AND_CONFIGS: &[Line] = &[
    ("", "--config-add du-s1"),
    ("", "--config-add source=du-s1,target=/x,uid=1,gid=2,mode=0400"),
    ("--config du-s1 --config du-s2", "--config-rm du-s1"),
    ("--config du-s1", "--config-rm du-s1 --config-add source=du-s1,target=/y"),
    ("", "--config-add nosuch"),
    ("", "--credential-spec config://du-s1"),
    ("--credential-spec config://du-s1", "--credential-spec config://du-s2"),
    ("--credential-spec config://du-s1", "--credential-spec file://x"),
    ("--credential-spec config://du-s1 --config du-s1", "--config-rm du-s1"),
    ("", "--network-add du-n1"),
    ("--network du-n1", "--network-add name=du-n2,alias=x"),
    ("--network du-n1 --network du-n2", "--network-rm du-n1"),
    ("--network du-n1", "--network-rm du-n1 --network-add name=du-n1,alias=q"),
    ("--network du-n1", "--network-add du-n1"),
    ("", "--network-add nosuch"),
    ("", "--network-rm nosuch"),
    ("", "--network-rm du-n1"),
    ("", "--secret-add du-s1"),
    ("", "--secret-add source=du-s1,target=x,uid=1,gid=2,mode=0400"),
    ("--secret du-s1 --secret du-s2", "--secret-rm du-s1"),
    ("--secret du-s1", "--secret-rm du-s1 --secret-add source=du-s1,target=y"),
    ("", "--secret-add nosuch"),
    ("--secret du-s1", "--secret-add source=du-s1,target=other"),
    ("--secret du-s1", "--secret-add du-s1"),
    ("--config du-s1", "--config-add du-s1"),
    ("", "--secret-add du-s1 --secret-add du-s1"),
    ("--secret du-s1 --secret source=du-s2,target=du-s1", ""),
    ("--network du-n1 --network name=du-n2,alias=a,alias=b,driver-opt=k=v", ""),
    ("--network nosuch", ""),
    ("--config nosuch", ""),
    ("--secret du-s1", "--secret-add source=du-s2,target=du-s1"),
];

const MODES_AND_POLICIES: &[Line] = &[
    ("--mode global", "--replicas-max-per-node 2"),
    ("--mode global", "--replicas 2"),
    ("--mode replicated-job", "--label-add a=b"),
    ("--mode replicated-job", "--update-parallelism 2"),
    ("--mode replicated-job", "--rollback-parallelism 2"),
    ("--mode global-job", "--restart-condition none"),
    ("--mode replicated-job", "--restart-condition any"),
    ("--mode replicated-job", "--replicas-max-per-node 2"),
    ("--mode global-job", "--replicas 2"),
    ("", "--restart-condition none --restart-delay 1s --restart-max-attempts 2 --restart-window 3s"),
    ("--restart-delay 1s", "--restart-max-attempts 2"),
    ("", "--restart-condition foo"),
    ("", "--rollback-parallelism 2"),
    (
        "",
        "--rollback-delay 1s --rollback-monitor 2s --rollback-failure-action continue --rollback-max-failure-ratio 0.3 --rollback-order start-first",
    ),
    ("--rollback-delay 2s", "--rollback-order start-first"),
    ("", "--update-parallelism 0"),
    (
        "",
        "--update-delay 1s --update-monitor 2s --update-failure-action rollback --update-max-failure-ratio 0.3 --update-order start-first",
    ),
    ("--update-delay 2s", "--update-order start-first"),
    ("", "--update-max-failure-ratio 2"),
    ("--mode global", ""),
    ("--mode global-job", ""),
    ("--mode replicated-job --replicas 3 --max-concurrent 2", ""),
    ("--mode global --replicas 2", ""),
    ("--mode foo", ""),
    ("--mode replicated-job --update-delay 1s", ""),
    ("--mode global --replicas-max-per-node 2", ""),
    ("--update-order start-first --rollback-monitor 3s", ""),
    ("--restart-condition any", ""),
    ("--mode replicated --max-concurrent 2", ""),
    ("--restart-condition on-failure --restart-max-attempts 3 --restart-window 4s --restart-delay 2s", ""),
    (
        "--update-parallelism 2 --update-monitor 2s --update-failure-action rollback --update-max-failure-ratio .3",
        "",
    ),
    (
        "--rollback-parallelism 2 --rollback-delay 2s --rollback-failure-action continue --rollback-max-failure-ratio .3 --rollback-order start-first",
        "",
    ),
    ("", "--mode global"),
    ("", "--rollback"),
    ("", "--rollback --label-add a=b"),
];

const CONTAINERS: &[Line] = &[
    ("", "--args \"a 'b c'\""),
    ("", "--entrypoint 'sh -c' --args x"),
    ("", "--cap-add NET_ADMIN --cap-drop CHOWN"),
    ("--cap-add NET_ADMIN --cap-drop CHOWN", "--cap-add CHOWN --cap-drop NET_ADMIN"),
    ("--cap-add CHOWN", "--cap-add RESET --cap-add KILL"),
    ("", "--cap-drop ALL"),
    ("", "--container-label-add a=b"),
    ("--container-label a=b --container-label c=d", "--container-label-rm a --container-label-add c=e"),
    ("", "--credential-spec file://x.json"),
    ("", "--dns-add 1.1.1.1 --dns-option-add ndots:1 --dns-search-add a.b"),
    (
        "--dns 1.1.1.1 --dns-option ndots:1 --dns-search a.b",
        "--dns-rm 1.1.1.1 --dns-option-rm ndots:1 --dns-search-rm a.b",
    ),
    ("--dns 1.1.1.1", "--dns-add 2.2.2.2 --dns-rm 1.1.1.1"),
    ("", "--dns-add foo"),
    ("", "--env-add A=1 --env-add B=2"),
    ("-e A=1 -e B=2 -e C=3", "--env-add B=9 --env-rm A --env-add D=1"),
    ("-e A=1", "--env-rm A"),
    ("", "--force"),
    ("", "--group-add 1 --group-add a"),
    ("--group 1 --group 2", "--group-rm 1 --group-add 3"),
    (
        "",
        "--health-cmd true --health-interval 5s --health-retries 2 --health-start-period 3s --health-timeout 4s",
    ),
    ("--health-cmd true", "--no-healthcheck"),
    ("--no-healthcheck", "--health-interval 5s"),
    ("--no-healthcheck", "--no-healthcheck=false"),
    ("", "--no-healthcheck --health-cmd true"),
    ("", "--health-interval 1us"),
    ("", "--host-add a:1.2.3.4 --host-add a:::1"),
    ("--host a:1.2.3.4 --host a:1.2.3.5 --host b:1.2.3.4", "--host-rm a:1.2.3.5 --host-add c:1.1.1.1"),
    ("--host a:1.2.3.4 --host a:1.2.3.5", "--host-rm a"),
    ("", "--hostname h"),
    ("--hostname h", "--hostname ''"),
    ("", "--image opera443399/whoami:0.6"),
    ("", "--image whoami:BAD:"),
    ("", "--init"),
    ("--init", "--init=false"),
    ("", "--isolation default"),
    ("", "--label-add a=b"),
    ("-l a=b -l c=d", "--label-rm a --label-add c=e"),
    ("", "--log-driver local --log-opt max-size=1m"),
    ("--log-driver json-file --log-opt max-size=1m", "--log-driver local"),
    ("", "--mount-add type=volume,source=v,target=/d"),
    ("", "--mount-add source=v,target=/d"),
    ("--mount source=v,target=/d", "--mount-add type=tmpfs,target=/d"),
    ("--mount source=v,target=/d --mount source=w,target=/e", "--mount-rm /d"),
    ("--mount source=v,target=/d", "--mount-rm /d --mount-add source=w,target=/d"),
    ("", "--mount-add type=bind,src=/a,dst=/b,readonly --mount-add type=tmpfs,target=/t,tmpfs-size=1m"),
    (
        "",
        "--mount-add type=volume,source=v,target=/d,volume-driver=local,volume-opt=type=nfs,volume-label=a=b,volume-nocopy",
    ),
    ("", "--oom-score-adj 100"),
    ("", "--read-only -t"),
    ("--read-only -t", "--read-only=false --tty=false"),
    ("", "--stop-grace-period 3s --stop-signal INT"),
    ("--stop-grace-period 3s", "--stop-grace-period 0"),
    ("", "--sysctl-add net.core.somaxconn=5"),
    ("--sysctl a=1 --sysctl b=2", "--sysctl-rm a --sysctl-add b=3"),
    ("", "--user a:b --workdir /w"),
    ("--user a --workdir /w", "--user '' --workdir ''"),
    ("-e A=1 -e B=2 -e A=3 -e NOSUCH", ""),
    ("--entrypoint \"a b\" -w /x -u 1:2 --hostname h", ""),
    ("--group 1 --group 2", ""),
    ("--host a:1.2.3.4 --host a:::1", ""),
    ("--dns 1.1.1.1 --dns-option x:1 --dns-search a.b", ""),
    ("--dns 1.1", ""),
    ("--init -t --read-only --stop-signal 9 --stop-grace-period 1m", ""),
    (
        "--health-cmd x --health-interval 1s --health-timeout 2s --health-retries 3 --health-start-period 4s",
        "",
    ),
    ("--no-healthcheck", ""),
    ("--no-healthcheck --health-cmd x", ""),
    ("--cap-add NET_ADMIN --cap-drop ALL --cap-add KILL --cap-drop KILL", ""),
    ("--sysctl a=1 --sysctl b=2", ""),
    ("--log-driver local --log-opt max-size=1m", ""),
    ("--isolation default", ""),
    ("--credential-spec file://x", ""),
    ("--mount type=bind,source=/a,target=/b,readonly,bind-propagation=rslave", ""),
    ("--mount type=volume,source=v,target=/d --mount type=volume,source=w,target=/d", ""),
    ("--mount type=tmpfs,target=/d,tmpfs-size=1m,tmpfs-mode=1770", ""),
    ("--mount target=/d", ""),
    ("-l a=b -l a=c --container-label d=e", ""),
    ("-l =x", ""),
    ("--stop-grace-period foo", ""),
];

const RESOURCES_AND_PLACEMENT: &[Line] = &[
    ("", "--constraint-add node.role==manager"),
    (
        "--constraint node.role==manager --constraint node.id!=x",
        "--constraint-rm node.role==manager --constraint-add node.labels.a==b",
    ),
    ("", "--constraint-add foo"),
    ("", "--generic-resource-add gpu=1"),
    ("--generic-resource gpu=1", "--generic-resource-add gpu=2 --generic-resource-add fpga=1"),
    ("--generic-resource gpu=1", "--generic-resource-rm gpu"),
    ("", "--generic-resource-rm gpu"),
    ("", "--limit-cpu 1.5 --limit-memory 64m --limit-pids 5"),
    ("--limit-cpu 1 --limit-memory 64m", "--limit-cpu 0"),
    ("", "--limit-memory 1"),
    ("--limit-memory 64m --reserve-memory 32m", "--limit-memory 16m"),
    ("", "--placement-pref-add spread=node.labels.a"),
    (
        "--placement-pref spread=node.labels.a --placement-pref spread=node.labels.b",
        "--placement-pref-rm spread=node.labels.a --placement-pref-add spread=node.labels.a",
    ),
    ("", "--replicas-max-per-node 2"),
    ("--replicas-max-per-node 2", "--replicas-max-per-node 0"),
    ("", "--reserve-cpu 0.5 --reserve-memory 32m"),
    ("--reserve-cpu 0.5 --reserve-memory 32m --generic-resource gpu=1", "--reserve-cpu 0.1"),
    ("", "--ulimit-add nofile=5:6"),
    ("--ulimit nofile=5 --ulimit nproc=6", "--ulimit-rm nofile --ulimit-add nproc=7"),
    ("--limit-cpu .5 --limit-memory 64m --limit-pids 4 --reserve-cpu .25 --reserve-memory 32m", ""),
    ("--generic-resource gpu=1 --generic-resource ssd=2", ""),
    ("--generic-resource gpu=x", ""),
    (
        "--constraint node.role==worker --constraint node.labels.a!=b --placement-pref spread=node.labels.a",
        "",
    ),
    ("--constraint foo", ""),
    ("--replicas-max-per-node 2", ""),
    ("--ulimit nofile=1:2 --ulimit core=-1", ""),
    ("--ulimit nofile=3:2", ""),
    ("--limit-memory 1", ""),
    ("--limit-memory foo", ""),
    ("--oom-score-adj 5", ""),
];

/// What is done otherwise, and why.
const DIFFERENT: &[(Line, &str)] = &[
    (("-p 22505:80", "--publish-rm 80 --publish-add 22505:80"), "docker loses the port that is added"),
    (
        ("--log-driver json-file --log-opt max-size=1m", "--log-opt max-file=3"),
        "docker ignores it without a word",
    ),
    (("--mode replicated-job", "--replicas 2"), "docker's scale does it"),
    (("--mode replicated-job", "--max-concurrent 2"), "docker ignores it without a word"),
    (("-e A=1", "--env-rm A=1"), "docker removes nothing, without a word"),
    (("--mount type=bind,target=/d", ""), "no task could start"),
    (("", "--env A=1 --label a=b"), "docker has no such flags"),
    (("--group a", "--group-add a"), "one of a kind is enough"),
    (("--mode replicated-job", "--rollback-parallelism 2 --replicas 2"), "docker's scale does it"),
];

/// The words of a line, quoted as a shell does it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (None, ' ') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if c == open => quote = None,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// What came of a line: whether it was taken, the spec, and what was said.
struct Made {
    taken: bool,
    spec: Value,
    said: String,
}

fn docker(engine: &Engine, args: &[String]) -> Result<String, String> {
    let run = Command::new("docker").arg("-H").arg(engine.host()).arg("service").args(args).output();
    let run = run.expect("docker's client, which scripts/engine installs, can be started");
    match run.status.success() {
        true => Ok(String::new()),
        false => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
    }
}

fn ours(engine: &Engine, args: &[String]) -> Result<String, String> {
    let run = engine.swarmctl(&args.iter().map(String::as_str).collect::<Vec<_>>()).run();
    if run.code == Some(0) { Ok(run.stderr) } else { Err(run.stderr) }
}

/// Docker does not start over where the version index is stale, and nobody where the port of a removed service is not
/// free yet.
fn again(act: impl Fn() -> Result<String, String>) -> Result<String, String> {
    let passing =
        |said: &str| said.contains("out of sequence") || said.contains("is already in use by service");
    for _ in 0..100 {
        match act() {
            Err(said) if passing(&said) => thread::sleep(Duration::from_millis(50)),
            done => return done,
        }
    }
    act()
}

fn made(engine: &'static Engine, name: &str, (create, update): Line, by_docker: bool) -> Made {
    let line = |front: &[&str], flags: &str, end: &str| -> Vec<String> {
        let front = front.iter().map(|word| (*word).to_owned());
        front.chain(words(flags)).chain([end.to_owned()]).collect()
    };
    let act = |args: &[String]| again(|| if by_docker { docker(engine, args) } else { ours(engine, args) });
    // No task is needed, and none can run.
    let none = if create.contains("--mode") { "--constraint=node.id==none" } else { "--replicas=0" };
    let front = ["create", "--detach", "--no-resolve-image", "--name", name, none];
    let mut result = act(&line(&front, create, OLD));
    let _service = Removed::new(engine, format!("/services/{name}"));
    if let Ok(said) = &mut result
        && !update.is_empty()
    {
        let first = std::mem::take(said);
        result = act(&line(&["update", "--detach", "--no-resolve-image"], update, name));
        result = result.map(|said| first + &said);
    }
    let spec = match engine.has_service(name) {
        true => engine.service(name)["Spec"].clone(),
        false => Value::Null,
    };
    Made { taken: result.is_ok(), spec, said: result.unwrap_or_else(|said| said) }
}

/// Without what is nothing, and with those lists in order whose order means nothing.
fn normal(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(map) => {
            let mut map: serde_json::Map<String, Value> =
                map.iter().map(|(key, value)| (key.clone(), normal(value, key))).collect();
            map.retain(|_, value| {
                ![json!(null), json!({}), json!([]), json!(""), json!(0), json!(false)].contains(value)
            });
            map.sort_keys();
            Value::Object(map)
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| normal(item, "")).collect();
            if !["Command", "Args", "Test", "Preferences", "Hosts"].contains(&key) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        value => value.clone(),
    }
}

fn compare(name: &str, lines: &[Line]) {
    let engine = engine();
    let mut wrong = Vec::new();
    for line in lines {
        let [docker, ours] = [true, false].map(|by_docker| made(engine, name, *line, by_docker));
        let same = docker.taken == ours.taken && normal(&docker.spec, "") == normal(&ours.spec, "");
        if !same || (ours.taken && ours.said.contains("did not store")) {
            wrong.push(format!(
                "{line:?}\n  docker: {} {}\n  {}\n  ours:   {} {}\n  {}",
                docker.taken, docker.said, docker.spec, ours.taken, ours.said, ours.spec
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_same_lines_make_the_same_service_with_docker_ports() {
    compare("du-ports", PORTS);
}

#[test]
fn the_same_lines_make_the_same_service_with_docker_modes_and_policies() {
    compare("du-modes", MODES_AND_POLICIES);
}

#[test]
fn the_same_lines_make_the_same_service_with_docker_containers() {
    compare("du-containers", CONTAINERS);
}

#[test]
fn the_same_lines_make_the_same_service_with_docker_resources_and_placement() {
    compare("du-resources", RESOURCES_AND_PLACEMENT);
}

#[test]
fn the_same_lines_make_the_same_service_with_docker_networks_secrets_and_configs() {
    let engine = engine();
    let _networks = ["du-n1", "du-n2"].map(|name| engine.network(name));
    let _files = ["du-s1", "du-s2"].map(|name| {
        ["secrets", "configs"].map(|kind| {
            let body = json!({ "Name": name, "Data": "eA==" });
            let made = engine.ask("POST", &format!("/{kind}/create"), Some(&body));
            Removed::new(engine, format!("/{kind}/{}", made["ID"].as_str().expect("an ID")))
        })
    });
    compare("du-names", NETWORKS_SECRETS_AND_CONFIGS);
}

/// Flags that this engine, or docker's client beside it, does not know; and those that no service shows.
const NOT_COMPARED: &[&str] = &[
    "health-start-interval",
    "memory-swap",
    "memory-swappiness",
    "seccomp",
    "apparmor",
    "no-new-privileges",
    "open-stdin",
    "detach",
    "progress",
    "quiet",
    "no-resolve-image",
    "resolve-image",
    "on-resolve-error",
    "unpin",
    "with-registry-auth",
    "name",
    "env-file",
    "spec",
    "force-spec",
    "resume",
    "allow-field-loss",
    "if-version",
    "filter",
    "stack",
    "all",
    "parallel",
    "canary",
    "max-failures",
    "dry-run",
    "exit-code",
    "rollback-on-failure",
    "timeout",
    "json",
    "help",
];

#[test]
fn every_flag_of_create_and_update_is_compared() {
    let lines: Vec<&Line> =
        [PORTS, NETWORKS_SECRETS_AND_CONFIGS, MODES_AND_POLICIES, CONTAINERS, RESOURCES_AND_PLACEMENT]
            .into_iter()
            .flatten()
            .chain(DIFFERENT.iter().map(|(line, _)| line))
            .collect();
    for command in ["create", "update"] {
        let help = swarmctl([command, "--help"]).run().exits(0).stdout;
        let flags: Vec<(Option<&str>, &str)> = help
            .lines()
            .filter_map(|line| {
                let (short, rest) =
                    line.trim_start().strip_prefix('-').map(|line| match line.split_once(", --") {
                        Some((short, rest)) if short.len() == 1 => (Some(short), rest),
                        _ => (None, line.trim_start_matches('-')),
                    })?;
                Some((short, rest.split([' ', '[', '=']).next()?))
            })
            .collect();
        assert!(flags.len() > 70, "{flags:?}");
        let missing: Vec<_> = flags
            .iter()
            .filter(|(short, long)| {
                let is_there = |text: &str| {
                    words(text).iter().any(|word| {
                        word.split('=').next() == Some(&format!("--{long}"))
                            || short.is_some_and(|short| word == &format!("-{short}"))
                    })
                };
                let of = |line: &Line| if command == "create" { line.0 } else { line.1 };
                !NOT_COMPARED.contains(long) && !lines.iter().any(|line| is_there(of(line)))
            })
            .collect();
        assert!(missing.is_empty(), "{command}: add a line for {missing:?}");
    }
}

#[test]
fn what_differs_from_docker_differs_still() {
    let engine = engine();
    for (line, why) in DIFFERENT {
        let [docker, ours] = [true, false].map(|by_docker| made(engine, "du-other", *line, by_docker));
        let same = docker.taken == ours.taken && normal(&docker.spec, "") == normal(&ours.spec, "");
        assert!(!same, "{line:?} is the same now: {why}");
    }
}

#[test]
fn the_order_stays_and_no_task_is_restarted_where_nothing_changes() {
    let engine = engine();
    let mut spec = small("du-order", OLD);
    spec["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["C=3", "A=1", "B=2"]);
    spec["TaskTemplate"]["Placement"] = json!({ "Constraints": ["node.role==manager", "node.id!=a"] });
    spec["TaskTemplate"]["ContainerSpec"]["Groups"] = json!(["2", "1"]);
    let service = engine.create(&spec);
    engine.wait_until("its task runs", |engine| engine.running_tasks(service.id()) == 1);
    let before = engine.service("du-order");
    let line = "update -d du-order --env-add A=1 --group-add 1 --constraint-add node.id!=a --env-rm N -e C=3 -e B=2 -e A=1";
    let run = engine.swarmctl(&words(line).iter().map(String::as_str).collect::<Vec<_>>()).run().exits(0);
    assert_eq!(run.stdout, "du-order: nothing to change, nothing was posted\n");
    let shown = engine.swarmctl(&["inspect", "du-order"]).run().exits(0).stdout;
    engine
        .swarmctl(&["update", "--spec", "-", "du-order"])
        .stdin(&shown)
        .run()
        .exits(0)
        .prints(&["nothing to change"]);
    assert_eq!(engine.service("du-order")["Version"], before["Version"]);
    assert_eq!(engine.tasks_left(service.id()), 1);
    engine.swarmctl(&["update", "-d", "du-order", "--env-add", "A=2", "--env-add", "D=4"]).run().exits(0);
    let env = &engine.service("du-order")["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"];
    assert_eq!(*env, json!(["C=3", "A=2", "B=2", "D=4"]));
}

#[test]
fn a_field_that_the_engine_does_not_know_is_named() {
    let engine = engine();
    let _service = engine.create(&small("du-new", OLD));
    let patch = json!({ "TaskTemplate": { "ContainerSpec": { "Image": NEW, "NewIn199": { "Deep": 1 } } } });
    let run =
        engine.swarmctl(&["update", "-d", "du-new", "--spec", "-"]).stdin(&patch.to_string()).run().exits(0);
    run.says(&["the engine did not store TaskTemplate.ContainerSpec.NewIn199.Deep"]);
    assert_eq!(engine.service("du-new")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
}

#[test]
fn networks_of_the_deprecated_place_are_kept_when_one_is_added() {
    let engine = engine();
    let (old, new) = (engine.network("du-old"), engine.network("du-new-net"));
    let mut spec = small("du-legacy", OLD);
    spec["Networks"] = json!([{ "Target": "du-old", "Aliases": ["w"] }]);
    spec["EndpointSpec"] =
        json!({ "Ports": [{ "TargetPort": 80, "PublishedPort": 22504, "PublishMode": "host" }] });
    let service = engine.create_at("/v1.30", &spec);
    let ips = |service: &Value| service["Endpoint"]["VirtualIPs"].as_array().cloned().unwrap_or_default();
    let before = engine.service("du-legacy");
    engine.swarmctl(&["update", "du-legacy", "--network-add", "du-new-net"]).run().exits(0);
    let after = engine.service("du-legacy");
    assert_eq!(
        after["Spec"]["TaskTemplate"]["Networks"],
        json!([{ "Target": old.id(), "Aliases": ["w"] }, { "Target": new.id() }])
    );
    assert_eq!(after["Spec"]["EndpointSpec"], before["Spec"]["EndpointSpec"]);
    for ip in ips(&before) {
        assert!(ips(&after).contains(&ip), "{ip} of {:?}", ips(&after));
    }
    // The networks are free only when the tasks are gone.
    drop(service);
}

#[test]
fn sixty_four_writers_at_once_are_all_done() {
    let engine = engine();
    let mut spec = small("du-64", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let _service = engine.create(&spec);
    thread::scope(|scope| {
        for n in 0..64 {
            scope.spawn(move || {
                let (flag, value) = (["--label-add", "--env-add"][n % 2], format!("k{n}=1"));
                engine.swarmctl(&["update", "-d", "du-64", flag, &value]).run().exits(0);
            });
        }
    });
    let spec = engine.service("du-64")["Spec"].clone();
    assert_eq!(spec["Labels"].as_object().map(serde_json::Map::len), Some(32));
    assert_eq!(spec["TaskTemplate"]["ContainerSpec"]["Env"].as_array().map(Vec::len), Some(32));
}
