//! Additions that a service already has: nothing changes, nothing is posted.

use serde_json::{Value, json};

use super::{swarm_with, update};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NETWORK, OLD, spec};

/// A spec that has at least one item in each list.
fn with_every_list(name: &str) -> Value {
    let mut spec = spec(name, OLD);
    let file = json!({"Name": "app", "UID": "0", "GID": "0", "Mode": 0o444});
    spec.as_object_mut().unwrap().shift_remove("Networks");
    spec["Labels"] = json!({"a": "b"});
    spec["EndpointSpec"] = json!({"Mode": "vip", "Ports": [
        {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22222, "PublishMode": "ingress"},
        {"Protocol": "udp", "TargetPort": 53, "PublishedPort": 53, "PublishMode": "host"}
    ]});
    let task = &mut spec["TaskTemplate"];
    task["Networks"] = json!([{"Target": NETWORK, "Aliases": ["y", "x"]}]);
    task["Placement"] = json!({
        "Constraints": ["node.role==manager"],
        "Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.zone"}}]
    });
    task["Resources"] = json!({"Reservations": {
        "GenericResources": [{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}]
    }});
    let container = &mut task["ContainerSpec"];
    let more = json!({
        "Labels": {"a": "b"}, "Env": ["A=1", "BARE"], "Groups": ["7"], "Hosts": ["10.0.0.5 db"],
        "DNSConfig": {"Nameservers": ["1.1.1.1"], "Search": ["a.b"], "Options": ["ndots:1"]},
        "Sysctls": {"net.x": "1"}, "Ulimits": [{"Name": "nofile", "Hard": 6, "Soft": 5}],
        "CapabilityAdd": ["NET_ADMIN"], "CapabilityDrop": ["CAP_KILL"],
        "Mounts": [
            {"Type": "volume", "Source": "v", "Target": "/d"},
            {"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true}
        ],
        "Secrets": [{"File": file, "SecretID": "s1", "SecretName": "app"}],
        "Configs": [{"File": file, "ConfigID": "s1", "ConfigName": "app"}]
    });
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

fn swarm() -> FakeSwarm {
    let swarm = swarm_with(with_every_list("t001"));
    swarm.world().secrets.push(("s1".into(), "app".into()));
    swarm
}

#[test]
fn an_addition_of_an_existing_item_changes_nothing_and_posts_nothing() {
    let additions = [
        "--label-add=a=b",
        "--container-label-add=a=b",
        "--env-add=A=1",
        "--env-add=BARE",
        "--group-add=7",
        "--host-add=db:10.0.0.5",
        "--dns-add=1.1.1.1",
        "--dns-search-add=a.b",
        "--dns-option-add=ndots:1",
        "--sysctl-add=net.x=1",
        "--ulimit-add=nofile=5:6",
        "--cap-add=NET_ADMIN",
        "--cap-add=cap_net_admin",
        "--cap-drop=kill",
        "--mount-add=source=v,target=/d",
        "--mount-add=type=bind,src=/a,dst=/b,ro",
        "--secret-add=app",
        "--secret-add=source=app,target=app,mode=0444",
        "--config-add=app",
        "--network-add=name=t001only,alias=x,alias=y",
        "--constraint-add=node.role==manager",
        "--placement-pref-add=spread=node.labels.zone",
        "--generic-resource-add=gpu=1",
        "--publish-add=22222:80",
        "--publish-add=published=53,target=53,protocol=udp,mode=host",
    ];
    let swarm = swarm();
    for addition in additions {
        let run = update(&["t001", addition]).host(swarm.host()).run().succeeds();
        assert_eq!(run.stdout, "t001: nothing to change; nothing was posted\n", "{addition}");
    }
    let all = [&["t001"], &additions[1..14], &additions[16..17]].concat();
    update(&all).host(swarm.host()).run().succeeds().prints(&["nothing to change"]);
    assert!(swarm.posts().is_empty());
    let help = update(&["--help"]).run().succeeds().stdout;
    let flags = help.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split(' ').next());
    for flag in flags.filter(|flag| flag.ends_with("-add")) {
        assert!(additions.iter().any(|it| it.starts_with(&format!("--{flag}="))), "add a row for --{flag}");
    }
}

#[test]
fn a_network_that_is_attached_with_other_aliases_is_refused_and_named() {
    for (attachment, has_same_options) in [
        ("t001only", false),
        (NETWORK, false),
        ("name=t001only,alias=x", false),
        ("name=t001only,alias=x,alias=y,driver-opt=k=v", false),
        ("name=t001only,alias=y,alias=x", true),
    ] {
        let swarm = swarm();
        let run =
            update(&["t001", "--network-add", attachment, "--label-add", "a=c"]).host(swarm.host()).run();
        if has_same_options {
            run.succeeds();
            assert_eq!(swarm.posts().len(), 1, "the label");
        } else {
            let run = run.fails_with(Exit::Failed);
            let run = run.says(&[
                "cannot update service `t001`",
                "already attached to network `t001only`, with the aliases `y`, `x`",
                "--network-rm t001only --network-add name=t001only,alias=",
            ]);
            assert!(!run.stderr.contains(NETWORK), "{}", run.stderr);
            assert!(swarm.posts().is_empty());
        }
    }
}

#[test]
fn a_secret_or_config_that_is_mounted_with_other_options_is_refused() {
    for kind in ["secret", "config"] {
        let swarm = swarm();
        let addition = format!("--{kind}-add=source=app,mode=0400");
        let run = update(&["t001", &addition]).host(swarm.host()).run().fails_with(Exit::Failed);
        run.says(&[&format!("{kind} `app` is already mounted as file `app`"), &format!("--{kind}-rm app")]);
        assert!(swarm.posts().is_empty());
    }
}

#[test]
fn the_hinted_flags_keep_the_other_files_of_a_secret_or_config() {
    for (kind, list) in [("secret", "Secrets"), ("config", "Configs")] {
        let swarm = swarm();
        swarm.world().write("t001", |spec| {
            let items = spec["TaskTemplate"]["ContainerSpec"][list].as_array_mut().unwrap();
            let mut other = items[0].clone();
            other["File"] = json!({ "Name": "b", "UID": "7", "GID": "0", "Mode": 0o400 });
            items.push(other);
        });
        let addition = format!("--{kind}-add=source=app,mode=0440,gid=5");
        let run = update(&["t001", &addition]).host(swarm.host()).run().fails_with(Exit::Failed);
        let flags = format!(
            "--{kind}-rm app --{kind}-add source=app,target=app,gid=5,mode=0440 \
             --{kind}-add source=app,target=b,uid=7,mode=0400"
        );
        let run = run.says(&[&format!("`{flags}`")]);
        assert!(swarm.posts().is_empty(), "{}", run.report());
        let args: Vec<&str> = ["t001"].into_iter().chain(flags.split(' ')).collect();
        update(&args).host(swarm.host()).run().succeeds();
        let items = swarm.service("t001").spec["TaskTemplate"]["ContainerSpec"][list].clone();
        let files: Vec<_> = items.as_array().unwrap().iter().map(|item| item["File"].clone()).collect();
        assert!(files.contains(&json!({ "Name": "app", "UID": "0", "GID": "5", "Mode": 0o440 })), "{items}");
        assert!(files.contains(&json!({ "Name": "b", "UID": "7", "GID": "0", "Mode": 0o400 })), "{items}");
    }
}

#[test]
fn a_network_that_some_services_of_a_batch_have_is_added_to_the_others() {
    let mut attached = with_every_list("web");
    attached["TaskTemplate"]["Networks"] = json!([{ "Target": NETWORK }]);
    attached["EndpointSpec"] = json!({});
    let mut bare = attached.clone();
    bare["Name"] = "api".into();
    bare["TaskTemplate"].as_object_mut().unwrap().shift_remove("Networks");
    let swarm = FakeSwarm::with([attached, bare]);
    swarm.world().networks.push((NETWORK.into(), "t001only".into()));
    let line = ["web", "api", "--network-add", "t001only"];
    let run = update(&line).host(swarm.host()).run().succeeds();
    run.prints(&["web: nothing to change; nothing was posted", "api: updated"]);
    assert_eq!(swarm.posts().len(), 1);
    let run = update(&line).host(swarm.host()).run().succeeds();
    run.prints(&["web: nothing to change", "api: nothing to change"]);
    assert_eq!(swarm.posts().len(), 1);
}
