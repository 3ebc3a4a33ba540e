//! `update-image` on a real engine: only the image changes.

use serde_json::{Value, json};

use super::engine::{Removed, engine, small, spec_text};
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD, OTHER};

/// Runs `update-image` on a service, and checks that only the image in the spec changes, byte for byte. Returns the
/// service before and after.
#[track_caller]
fn changes_only_the_image(name: &str, args: &[&str]) -> (Value, Value) {
    let engine = engine();
    let before = engine.service(name);
    let args = [&["update-image", "--no-resolve-image"], args, &[name, NEW]].concat();
    engine.swarmctl(&args).run().succeeds().prints(&[name, OLD, "-> 0.6"]);
    let after = engine.service(name);
    let wanted = spec_text(&before).replace(&format!("\"{OLD}\""), &format!("\"{NEW}\""));
    assert_eq!(spec_text(&after), wanted);
    assert_eq!(spec_text(&before).matches(OLD).count(), 1, "the image is in one place");
    (before, after)
}

#[test]
fn a_service_on_a_network_keeps_it_and_its_published_port_and_its_virtual_ips() {
    let engine = engine();
    let network = engine.network("ui-net-a");
    let mut spec = small("ui-net", OLD);
    spec["TaskTemplate"]["Networks"] = json!([{ "Target": network.id(), "Aliases": ["web"] }]);
    // dockerd 28.5.2 can reject a task ("Pool overlaps with other one on this address space") while the network of
    // another test is being removed.
    spec["TaskTemplate"]["RestartPolicy"] = json!({ "Condition": "any", "Delay": 1_000_000_000 });
    spec["EndpointSpec"] = json!({ "Mode": "vip", "Ports": [
        { "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22301, "PublishMode": "ingress" }
    ] });
    let service = engine.create(&spec);
    engine.wait_until("the task runs", |engine| engine.running_tasks(service.id()) == 1);
    let (before, after) = changes_only_the_image("ui-net", &[]);
    assert_eq!(before["Endpoint"]["VirtualIPs"].as_array().map(Vec::len), Some(2), "ingress and ui-net-a");
    assert_eq!(after["Endpoint"]["VirtualIPs"], before["Endpoint"]["VirtualIPs"]);
    assert_eq!(after["Endpoint"]["Ports"], before["Endpoint"]["Ports"]);
    engine.wait_until("a task of the new image runs", |engine| engine.running_tasks(service.id()) == 1);
    drop(service);
}

#[test]
fn a_service_with_networks_in_the_deprecated_place_keeps_them_there() {
    let engine = engine();
    let network = engine.network("ui-old-a");
    let mut spec = small("ui-old", OLD);
    spec["Networks"] = json!([{ "Target": "ui-old-a" }]);
    spec["EndpointSpec"] =
        json!({ "Ports": [{ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22302 }] });
    let _service = engine.create_at("/v1.30", &spec);
    // The engine allocates the addresses after it has responded, which also changes the version index.
    engine.wait_until("the addresses are allocated", |engine| {
        engine.service("ui-old")["Endpoint"]["VirtualIPs"].as_array().map(Vec::len) == Some(2)
    });
    let before = engine.service("ui-old");
    assert_eq!(
        before["Spec"]["Networks"],
        json!([{ "Target": network.id() }]),
        "the engine keeps the deprecated place"
    );

    // The engine refuses a partial spec with the message that docs/from-curl.md quotes.
    let partial = json!({ "Name": "ui-old", "TaskTemplate": { "ContainerSpec": { "Image": NEW } } });
    let path = format!("/v1.30/services/ui-old/update?version={}", before["Version"]["Index"]);
    let (status, refusal) = engine.try_ask("POST", &path, Some(&partial)).unwrap();
    assert_eq!(status, 501, "{refusal}");
    assert!(
        refusal.to_string().contains("networks must be migrated to TaskSpec before being changed"),
        "{refusal}"
    );

    let (before, after) = changes_only_the_image("ui-old", &["--detach"]);
    assert_eq!(after["Spec"]["Networks"], json!([{ "Target": network.id() }]));
    assert_eq!(after["Endpoint"]["VirtualIPs"], before["Endpoint"]["VirtualIPs"]);
    assert_eq!(after["Endpoint"]["Ports"], before["Endpoint"]["Ports"]);
}

#[test]
fn a_port_of_the_node_answers_with_the_new_image() {
    let engine = engine();
    let mut spec = small("ui-port", OLD);
    spec["EndpointSpec"] = json!({ "Ports": [
        { "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22303, "PublishMode": "host" }
    ] });
    let _service = engine.create(&spec);
    let says = |version: &'static str| {
        move |engine: &super::engine::Engine| engine.page(22303).is_some_and(|page| page.contains(version))
    };
    engine.wait_until("0.7 answers", says("whoami 0.7"));
    engine.swarmctl(&["update-image", "--no-resolve-image", "ui-port", NEW]).run().succeeds();
    engine.wait_until("0.6 answers", says("whoami 0.6"));
}

#[test]
fn one_big_spec_changes_only_in_the_image() {
    let engine = engine();
    let network = engine.network("ui-big-a");
    let secret =
        engine.ask("POST", "/secrets/create", Some(&json!({ "Name": "ui-big-s", "Data": "c2VjcmV0" })));
    let secret = Removed::new(engine, format!("/secrets/{}", secret["ID"].as_str().unwrap()));
    let config =
        engine.ask("POST", "/configs/create", Some(&json!({ "Name": "ui-big-c", "Data": "Y29uZmln" })));
    let config = Removed::new(engine, format!("/configs/{}", config["ID"].as_str().unwrap()));
    let file = |name: &str| json!({ "Name": name, "UID": "0", "GID": "0", "Mode": 292 });
    let container = json!({
        "Image": OLD,
        "Labels": { "z": "1", "a": "<&>" },
        "Command": ["/bin/whoami"],
        "Args": ["--flag", "a b", "", "<&>\u{2028}"],
        "Hostname": "{{.Node.Hostname}}-{{.Task.Slot}}",
        "Env": ["B=2", "A=1", "EMPTY=", "BARE", "EQ=a=b", "X= spaced ", "J={\"a\":\"<\"}"],
        "Dir": "/tmp",
        "User": "0:0",
        "Groups": ["10", "9"],
        "TTY": true,
        "OpenStdin": true,
        "ReadOnly": true,
        "Privileges": { "SELinuxContext": { "Disable": true } },
        "Init": true,
        "StopSignal": "SIGINT",
        "StopGracePeriod": 1_000_000_001_u64,
        "Healthcheck": {
            "Test": ["CMD-SHELL", "true # <&>"], "Interval": 30_000_000_001_u64, "Timeout": 2_000_000_001_u64,
            "StartPeriod": 1_000_000_001_u64, "Retries": 7
        },
        "Hosts": ["10.0.0.9 b a", "::1 six"],
        "DNSConfig": { "Nameservers": ["9.9.9.9", "1.1.1.1"], "Search": ["z.example", "a.example"], "Options": ["ndots:2"] },
        "Secrets": [{ "SecretID": secret.id(), "SecretName": "ui-big-s", "File": file("s") }],
        "Configs": [{ "ConfigID": config.id(), "ConfigName": "ui-big-c", "File": file("/c") }],
        "Mounts": [
            { "Type": "tmpfs", "Target": "/t", "TmpfsOptions": { "SizeBytes": 1_048_576, "Mode": 1023 } },
            { "Type": "volume", "Source": "ui-big-v", "Target": "/v", "ReadOnly": true, "VolumeOptions": {
                "NoCopy": true, "Labels": { "l": "v" }, "DriverConfig": { "Name": "local", "Options": { "o": "size=1m", "type": "tmpfs", "device": "tmpfs" } } } },
            { "Type": "bind", "Source": "/tmp", "Target": "/b", "BindOptions": { "Propagation": "rprivate" } }
        ],
        "Isolation": "default",
        "Sysctls": { "net.ipv4.ip_unprivileged_port_start": "0" },
        "CapabilityAdd": ["CAP_NET_RAW"],
        "CapabilityDrop": ["CAP_MKNOD"],
        "Ulimits": [{ "Name": "nofile", "Hard": 4096, "Soft": 1024 }]
    });
    let spec = json!({
        "Name": "ui-big",
        "Labels": {
            "com.example.z": "last", "com.example.a": "a < b && c > d", "quote\"and\\slash": "tab\tnul-free\nline",
            "ümläut.☃": "𝄞", "empty": "", "number": "9007199254740993", "json": "{\"a\":[1,2]}", "\u{2028}": "\u{2029}"
        },
        "TaskTemplate": {
            "ContainerSpec": container,
            "Resources": {
                "Limits": { "NanoCPUs": 1_500_000_001_u64, "MemoryBytes": 67_108_865, "Pids": 99 },
                "Reservations": { "NanoCPUs": 1_000_001, "MemoryBytes": 4_194_305 }
            },
            "RestartPolicy": { "Condition": "on-failure", "Delay": 2_000_000_001_u64, "MaxAttempts": 3, "Window": 90_000_000_001_u64 },
            "Placement": {
                "Constraints": ["node.role == manager", "node.id != x"],
                "Preferences": [{ "Spread": { "SpreadDescriptor": "node.labels.rack" } }],
                "MaxReplicas": 3,
                "Platforms": [{ "Architecture": "x86_64", "OS": "linux" }, { "Architecture": "aarch64", "OS": "linux" }]
            },
            "Networks": [{ "Target": network.id(), "Aliases": ["z", "a"], "DriverOpts": { "k": "v" } }],
            "LogDriver": { "Name": "json-file", "Options": { "max-size": "1m", "max-file": "2" } },
            "ForceUpdate": 9_007_199_254_740_993_u64
        },
        "Mode": { "Replicated": { "Replicas": 0 } },
        "UpdateConfig": {
            "Parallelism": 2, "Delay": 1_000_000_001_u64, "FailureAction": "rollback", "Monitor": 15_000_000_001_u64,
            "MaxFailureRatio": 0.3, "Order": "start-first"
        },
        "RollbackConfig": {
            "Parallelism": 3, "Delay": 2, "FailureAction": "continue", "Monitor": 3_000_000_001_u64,
            "MaxFailureRatio": 0.000_000_1, "Order": "stop-first"
        },
        "EndpointSpec": { "Mode": "vip", "Ports": [
            { "Name": "web", "Protocol": "udp", "TargetPort": 53, "PublishedPort": 22304, "PublishMode": "ingress" },
            { "Protocol": "tcp", "TargetPort": 80, "PublishMode": "host" }
        ] }
    });
    let _service = engine.create(&spec);
    let (before, _) = changes_only_the_image("ui-big", &["--detach"]);
    // The engine has stored all fields that the update must keep.
    let text = spec_text(&before);
    for part in [
        "9007199254740993",
        "1500000001",
        "SecretID",
        "ConfigID",
        "\"Ulimits\"",
        "\"Preferences\"",
        "☃",
        "DriverOpts",
    ] {
        assert!(text.contains(part), "{part} is not on the engine: {text}");
    }
}

#[test]
fn an_image_that_the_service_has_already_is_not_posted() {
    let engine = engine();
    let _service = engine.create(&none("ui-same", OLD));
    let before = engine.service("ui-same");
    for image in [OLD, "docker.io/opera443399/whoami:0.7", "index.docker.io/opera443399/whoami:0.7"] {
        engine.swarmctl(&["update-image", "--no-resolve-image", "ui-same", image]).run().succeeds();
    }
    assert_eq!(engine.service("ui-same")["Version"], before["Version"], "nothing was written");
    engine
        .swarmctl(&["update-image", "-d", "--no-resolve-image", "--force", "ui-same", OLD])
        .run()
        .succeeds();
    let after = engine.service("ui-same");
    assert_eq!(after["Spec"]["TaskTemplate"]["ForceUpdate"], 1);
}

/// The spec of [`small`], without tasks.
fn none(name: &str, image: &str) -> Value {
    let mut spec = small(name, image);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    spec
}

#[test]
fn dry_run_and_if_version_prevent_removal() {
    let engine = engine();
    let _service = engine.create(&none("ui-if", OLD));
    let index = engine.service("ui-if")["Version"]["Index"].as_u64().unwrap();
    let update = |args: &[&str]| {
        engine.swarmctl(&[&["update-image", "-d", "--no-resolve-image", "ui-if", NEW], args].concat())
    };
    update(&["--dry-run"]).run().succeeds().prints(&[OLD, "-> 0.6"]);
    update(&["--if-version", &(index - 1).to_string()])
        .run()
        .fails_with(Exit::Conflict)
        .says(&[&index.to_string()]);
    assert_eq!(engine.service("ui-if")["Version"]["Index"], index, "nothing was written");
    update(&["--if-version", &index.to_string()]).run().succeeds();
    assert_eq!(engine.service("ui-if")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], NEW);
}

#[test]
fn names_ids_and_prefixes_find_the_service() {
    let engine = engine();
    let service = engine.create(&none("ui-names", OLD));
    let update = |word: &str, image: &str| {
        engine.swarmctl(&["update-image", "-d", "--no-resolve-image", "--", word, image]).run()
    };
    update(service.id(), NEW).succeeds();
    update(&service.id()[..6], OTHER).succeeds().says(&["ui-names"]);
    update(&service.id()[..5], OLD).fails_with(Exit::NotFound);
    update("ui-name", OLD).fails_with(Exit::NotFound);
    for name in ["nosuch", "", "..", "../networks/x", "ui-names/update", "ui-names%2fupdate", "ui-names?x"] {
        update(name, OLD).fails_with(Exit::NotFound);
    }
    assert_eq!(engine.service("ui-names")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], OTHER);
}

#[test]
fn waits_until_the_rollout_is_completed() {
    let engine = engine();
    let service = engine.create(&small("ui-wait", OLD));
    engine.wait_until("the task runs", |engine| engine.running_tasks(service.id()) == 1);
    engine.swarmctl(&["update-image", "--no-resolve-image", "ui-wait", NEW]).run().succeeds();
    assert_eq!(engine.service("ui-wait")["UpdateStatus"]["State"], "completed");
    assert_eq!(engine.running_tasks(service.id()), 1);
}

/// On a busy machine, the engine may notice only after more than a second that a task has failed. The tests do not wait for
/// the end of this period.
const LONG_MONITOR: u64 = 10_000_000_000;

#[test]
fn a_broken_image_pauses_the_rollout_which_has_failed() {
    let engine = engine();
    let mut spec = small("ui-bad", OLD);
    spec["UpdateConfig"]["Monitor"] = LONG_MONITOR.into();
    let service = engine.create(&spec);
    engine.wait_until("the task runs", |engine| engine.running_tasks(service.id()) == 1);
    let run =
        engine.swarmctl(&["update-image", "--no-resolve-image", "ui-bad", "opera443399/whoami:bad"]).run();
    run.fails_with(Exit::RolloutFailed).says(&["error: ", "ui-bad", "paused"]);
}

#[test]
fn a_broken_image_is_reported_as_rolled_back() {
    let engine = engine();
    let mut spec = small("ui-back", OLD);
    spec["UpdateConfig"]["FailureAction"] = "rollback".into();
    spec["UpdateConfig"]["Monitor"] = LONG_MONITOR.into();
    let service = engine.create(&spec);
    engine.wait_until("the task runs", |engine| engine.running_tasks(service.id()) == 1);
    let run =
        engine.swarmctl(&["update-image", "--no-resolve-image", "ui-back", "opera443399/whoami:bad"]).run();
    run.fails_with(Exit::RolledBack).says(&["error: ", "ui-back"]);
    assert_eq!(engine.service("ui-back")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], OLD);
}

#[test]
fn refusals_are_printed_with_the_engines_message() {
    let engine = engine();
    let mut spec = none("ui-taken-a", OLD);
    spec["EndpointSpec"] =
        json!({ "Ports": [{ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22305 }] });
    let _service = engine.create(&spec);
    let line = ["create", "-d", "--no-resolve-image", "--name", "ui-taken-b", "-p", "22305:80", OLD];
    engine
        .swarmctl(&line)
        .run()
        .fails_with(Exit::Failed)
        .says(&["port '22305' is already in use by service 'ui-taken-a'"]);
    let line = ["create", "-d", "--no-resolve-image", "--name", "ui-taken-a", OLD];
    engine.swarmctl(&line).run().fails_with(Exit::Failed).says(&["name conflicts with an existing object"]);
    assert!(!engine.has_service("ui-taken-b"));
}
