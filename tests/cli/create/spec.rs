//! The posted spec, compared with what docker's client 28.2 posted to its socket for the same command line.

use serde_json::{Value, json};

use super::{create, posted, posts_at, refuses, swarm};
use crate::support::engine::{Engine, get, post};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{ID, NETWORK, OLD, service_text, spec};
use crate::support::normal::normal;
use crate::support::run::swarmctl;
use crate::support::server::Answer;

#[test]
fn create_posts_what_docker_posts_and_prints_the_id() {
    let swarm = swarm();
    let line = ["create", "--name", "t001", "--publish", "22222:80", "--detach=true", OLD];
    let run = swarmctl(line).host(swarm.host()).run().succeeds();
    assert_eq!(run.stdout, format!("{}\n", swarm.service("t001").id));
    // The fake swarm has no registry, so the digest cannot be resolved.
    run.says(&["registry `docker.io` could not be reached", "it is used without a digest"]);
    let docker = json!({
        "Name": "t001", "Labels": {},
        "TaskTemplate": {
            "ContainerSpec": { "Image": OLD, "Init": false, "DNSConfig": {} },
            "Resources": { "Limits": {}, "Reservations": {} }, "Placement": {}, "ForceUpdate": 0
        },
        "Mode": { "Replicated": {} },
        "EndpointSpec": {
            "Mode": "vip",
            "Ports": [{ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22222, "PublishMode": "ingress" }]
        }
    });
    assert_eq!(normal(&swarm.posts()[0].json()), normal(&docker));
    assert_eq!(swarm.connections(), 1);
}

#[test]
fn an_argument_after_the_image_that_looks_like_a_flag_is_reported() {
    let note = "is the container's command; flags of `create` go before the image";
    for (words, is_flag) in [
        (&["--replicas", "3"][..], true),
        (&["--env=A=1"], true),
        (&["-e", "A=1"], true),
        (&["-p8080:80"], true),
        (&["--help"], true),
        (&["--nosuch"], false),
        (&["-g", "daemon off;"], false),
        (&["sh", "-e", "--replicas"], false),
        (&["--"], false),
        (&["-"], false),
        (&[], false),
    ] {
        let swarm = swarm();
        let line = [&["create", "--detach", "--no-resolve-image", "--name", "t001", OLD], words].concat();
        let run = swarmctl(line).host(swarm.host()).run().succeeds();
        assert_eq!(run.stderr.contains(note), is_flag, "{words:?}: {}", run.stderr);
        let args = &swarm.service("t001").spec["TaskTemplate"]["ContainerSpec"]["Args"];
        assert_eq!(args.as_array().map_or(0, Vec::len), words.len(), "{words:?}");
        if is_flag {
            run.says(&[&format!("`{}` after the image `{OLD}`", words[0])]);
        }
    }
}

#[test]
fn sends_only_the_necessary_requests() {
    let engine = Engine::ordered([
        post("/v1.41/services/create").answers(Answer::json(201, format!("{{\"ID\":\"{ID}\"}}\n"))),
        get(&format!("/v1.41/services/{ID}"))
            .answers(Answer::json(200, service_text(ID, 11, &spec("t001", OLD).to_string())))
            .times(0..=1),
    ]);
    let run = create(&["--name", "t001", "-p", "22222:80", OLD]).host(engine.host()).run().succeeds();
    assert_eq!(run.stdout, format!("{ID}\n"));
    let asked = engine.asked();
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    assert_eq!(asked[0].header("x-registry-auth"), None);
}

#[test]
fn many_flags_at_once_post_what_docker_posts() {
    let line = "--name big --replicas 3 -e A=1 -eB=2 -l a=b --label x --container-label c=d \
        -p 8080-8082:80-82/udp -p published=9000,target=90,protocol=sctp,mode=host \
        --network name=t001only,alias=web,alias=w2 --mount type=volume,source=v,target=/v,readonly \
        --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770 \
        --mount type=bind,src=/etc,dst=/e,bind-propagation=rslave \
        --mount type=volume,src=v2,dst=/v2,volume-label=a=b,volume-driver=local,volume-opt=o=x,volume-nocopy=true \
        --constraint node.role==manager --limit-cpu 1.5 --limit-memory 64m --limit-pids 99 --reserve-cpu .25 \
        --reserve-memory 1g --restart-condition on-failure --restart-delay 2s --restart-max-attempts 3 \
        --restart-window 1m30s --update-parallelism 2 --update-delay 1.5s --update-failure-action rollback \
        --update-monitor 10s --update-max-failure-ratio .3 --update-order start-first --log-driver json-file \
        --log-opt max-size=10m --endpoint-mode vip --stop-grace-period 1m --user 1000:1000 --workdir /w";
    let mut args: Vec<&str> = line.split_whitespace().collect();
    args.extend(["--entrypoint", "/bin/sh -c \"a b\"", "img", "cmd", "-x", "--y", "z"]);
    let docker = json!({
        "Name": "big",
        "Labels": { "a": "b", "x": "" },
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "img:latest", "Labels": { "c": "d" }, "Command": ["/bin/sh", "-c", "a b"],
                "Args": ["cmd", "-x", "--y", "z"], "Env": ["A=1", "B=2"], "Dir": "/w", "User": "1000:1000",
                "Init": false,
                "Mounts": [
                    { "Type": "volume", "Source": "v", "Target": "/v", "ReadOnly": true },
                    { "Type": "tmpfs", "Target": "/t", "TmpfsOptions": { "SizeBytes": 1_048_576, "Mode": 1016 } },
                    { "Type": "bind", "Source": "/etc", "Target": "/e", "BindOptions": { "Propagation": "rslave" } },
                    {
                        "Type": "volume", "Source": "v2", "Target": "/v2",
                        "VolumeOptions": {
                            "NoCopy": true, "Labels": { "a": "b" },
                            "DriverConfig": { "Name": "local", "Options": { "o": "x" } }
                        }
                    }
                ],
                "StopGracePeriod": 60_000_000_000_u64, "DNSConfig": {}
            },
            "Resources": {
                "Limits": { "NanoCPUs": 1_500_000_000, "MemoryBytes": 67_108_864, "Pids": 99 },
                "Reservations": { "NanoCPUs": 250_000_000, "MemoryBytes": 1_073_741_824 }
            },
            "RestartPolicy": {
                "Condition": "on-failure", "Delay": 2_000_000_000, "MaxAttempts": 3, "Window": 90_000_000_000_u64
            },
            "Placement": { "Constraints": ["node.role==manager"] },
            "Networks": [{ "Target": NETWORK, "Aliases": ["web", "w2"] }],
            "LogDriver": { "Name": "json-file", "Options": { "max-size": "10m" } },
            "ForceUpdate": 0
        },
        "Mode": { "Replicated": { "Replicas": 3 } },
        "UpdateConfig": {
            "Parallelism": 2, "Delay": 1_500_000_000, "FailureAction": "rollback", "Monitor": 10_000_000_000_u64,
            "MaxFailureRatio": 0.3, "Order": "start-first"
        },
        "EndpointSpec": {
            "Mode": "vip",
            "Ports": [
                { "Protocol": "udp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "ingress" },
                { "Protocol": "udp", "TargetPort": 81, "PublishedPort": 8081, "PublishMode": "ingress" },
                { "Protocol": "udp", "TargetPort": 82, "PublishedPort": 8082, "PublishMode": "ingress" },
                { "Protocol": "sctp", "TargetPort": 90, "PublishedPort": 9000, "PublishMode": "host" }
            ]
        }
    });
    let ours = posted(&args);
    assert_eq!(normal(&ours), normal(&docker), "posted: {ours:#}\ndocker: {docker:#}");
}

#[test]
fn modes_are_posted_as_docker_posts_them() {
    posts_at(&["--replicas", "0", "img"], "/Mode/Replicated/Replicas", &json!(0));
    posts_at(&["--mode", "global", "img"], "/Mode/Global", &json!({}));
    posts_at(
        &["--mode", "replicated-job", "--replicas", "3", "img"],
        "/Mode/ReplicatedJob/TotalCompletions",
        &json!(3),
    );
    posts_at(&["--mode=global-job", "img"], "/Mode/GlobalJob", &json!({}));
    refuses(&["--mode", "sometimes", "img"]);
    refuses(&["--mode", "global", "--replicas", "2", "img"]);
    refuses(&["--replicas", "-1", "img"]);
    refuses(&["--replicas", "many", "img"]);
}

#[test]
fn ports_are_posted_as_docker_posts_them_in_every_syntax() {
    let port = |target: u32, published: u32, protocol: &str, mode: &str| {
        let mut port = json!({ "Protocol": protocol, "TargetPort": target, "PublishMode": mode });
        if published > 0 {
            port["PublishedPort"] = published.into();
        }
        port
    };
    let (tcp, udp) = ("tcp", "udp");
    for (args, ports) in [
        (&["-p", "80"][..], vec![port(80, 0, tcp, "ingress")]),
        (&["-p=8080:80"], vec![port(80, 8080, tcp, "ingress")]),
        (&["-p8080:80"], vec![port(80, 8080, tcp, "ingress")]),
        (
            &["--publish", "53:53/udp", "-p", "53:53/tcp"],
            vec![port(53, 53, udp, "ingress"), port(53, 53, tcp, "ingress")],
        ),
        (&["-p", "8080-8081:80-81"], vec![port(80, 8080, tcp, "ingress"), port(81, 8081, tcp, "ingress")]),
        (&["-p", "target=80"], vec![port(80, 0, tcp, "ingress")]),
        (&["-p", "target=80,published=8080,mode=host,protocol=udp"], vec![port(80, 8080, udp, "host")]),
        (&["-p", "9:9/sctp"], vec![port(9, 9, "sctp", "ingress")]),
        (&["-p", "65535:65535"], vec![port(65535, 65535, tcp, "ingress")]),
    ] {
        let spec = posted(&[args, &["img"]].concat());
        let normal = |ports: &Value| {
            let mut ports = ports.as_array().cloned().unwrap_or_default();
            ports.iter_mut().for_each(|port| {
                if port["PublishedPort"] == 0 {
                    port.as_object_mut().unwrap().remove("PublishedPort");
                }
                port.sort_all_objects();
            });
            ports
        };
        assert_eq!(normal(&spec["EndpointSpec"]["Ports"]), normal(&ports.into()), "{args:?}");
    }
    for port in [
        "99999:80",
        "80:99999",
        "65536:80",
        "0x50:80",
        "80:80/xyz",
        "80:",
        ":",
        "",
        "-1:80",
        "a:b",
        "8080-8081:80-82",
        "8081-8080:81-80",
        "target=99999",
        "target=80,published=x",
        "target=80,mode=sometimes",
        "target=80,protocol=icmp",
        "target=80,color=red",
        "published=8080",
    ] {
        refuses(&["--publish", port, "img"]);
    }
}

#[test]
fn without_a_virtual_ip_only_the_nodes_can_publish() {
    posts_at(&["--endpoint-mode", "dnsrr", "img"], "/EndpointSpec/Mode", &json!("dnsrr"));
    let host = "published=80,target=80,mode=host";
    posts_at(
        &["--endpoint-mode", "dnsrr", "-p", host, "img"],
        "/EndpointSpec/Ports/0/PublishMode",
        &json!("host"),
    );
    refuses(&["--endpoint-mode", "dnsrr", "-p", "80:80", "img"]);
}

#[test]
fn an_update_policy_in_the_spec_of_a_new_job_is_refused_before_the_post() {
    let spec = json!({
        "Name": "t001",
        "TaskTemplate": { "ContainerSpec": { "Image": "img" } },
        "Mode": { "Replicated": { "Replicas": 1 } },
        "UpdateConfig": { "Parallelism": 1 },
    });
    for flags in [&["--mode", "replicated-job", "--dry-run"][..], &["--mode", "global-job"]] {
        let swarm = FakeSwarm::start();
        let run =
            create(&[&["--spec", "-"], flags].concat()).stdin(&spec.to_string()).host(swarm.host()).run();
        run.fails_with(Exit::Usage).says(&["`UpdateConfig`", "a job has no rollout"]);
        assert!(swarm.posts().is_empty());
    }
}
