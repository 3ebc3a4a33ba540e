//! `create`: the posted spec, docker's grammar, and what is known where the answer was lost.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::engine::{Engine, get, post};
use crate::support::fake_swarm::{Break, FakeSwarm, When};
use crate::support::fixtures::{ID, NETWORK, OLD, service_text, spec};
use crate::support::normal::normal;
use crate::support::run::{Run, Swarmctl, quiet, swarmctl};
use crate::support::server::{Answer, Door, Fault};

fn create(args: &[&str]) -> Swarmctl {
    swarmctl([&["create", "--detach", "--no-resolve-image"], args].concat())
}

/// A swarm with one network.
fn swarm() -> FakeSwarm {
    let swarm = FakeSwarm::start();
    swarm.world().networks.push((NETWORK.into(), "t001only".into()));
    swarm
}

/// The spec that a create with these arguments posts.
#[track_caller]
fn posted(args: &[&str]) -> Value {
    let swarm = swarm();
    create(args).host(swarm.host()).run().exits(0);
    let posts = swarm.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].endpoint(), "/services/create");
    posts[0].json()
}

/// That a create with these arguments posts, at a place, this.
#[track_caller]
fn posts_at(args: &[&str], place: &str, wanted: &Value) {
    let spec = posted(args);
    assert_eq!(spec.pointer(place).unwrap_or(&Value::Null), wanted, "{args:?} at {place}\n{spec:#}");
}

/// That these arguments are refused with exit code 2 before anything is sent.
#[track_caller]
fn refuses(args: &[&str]) -> Run {
    let engine = Engine::silent();
    let run = create(args).host(engine.host()).run().exits(2);
    assert!(engine.requests().is_empty(), "nothing is sent: {}", run.report());
    assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{}", run.report());
    run
}

// The specs below are what docker's client 28.2 posts for the same command line, as caught on its socket.

#[test]
fn the_pages_own_line_posts_what_docker_posts_and_prints_the_id() {
    let swarm = swarm();
    let line = ["create", "--name", "t001", "--publish", "22222:80", "--detach=true", OLD];
    let run = swarmctl(line).host(swarm.host()).run().exits(0);
    assert_eq!(run.stdout, format!("{}\n", swarm.service("t001").id));
    // There is no registry behind it, and docker says so too.
    run.says(&["could not be accessed on a registry to record"]);
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
fn asks_and_posts_no_more_than_it_must() {
    let engine = Engine::ordered([
        post("/v1.41/services/create").answers(Answer::json(201, format!("{{\"ID\":\"{ID}\"}}\n"))),
        get(&format!("/v1.41/services/{ID}"))
            .answers(Answer::json(200, service_text(ID, 11, &spec("t001", OLD).to_string())))
            .times(0..=1),
    ]);
    let run = create(&["--name", "t001", "-p", "22222:80", OLD]).host(engine.host()).run().exits(0);
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
fn modes_are_dockers() {
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
fn ports_are_dockers_in_every_syntax() {
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
fn environment_and_labels_are_dockers() {
    posts_at(
        &["-eA=1", "-e", "B=a=b", "--env", "C=", "--env=D= x ", "-e=E=5", "img"],
        "/TaskTemplate/ContainerSpec/Env",
        &json!(["A=1", "B=a=b", "C=", "D= x ", "E=5"]),
    );
    posts_at(
        &["-la=b", "-l", "c", "--label", "d=e=f", "--label=ü=☃", "img"],
        "/Labels",
        &json!({ "a": "b", "c": "", "d": "e=f", "ü": "☃" }),
    );
    posts_at(
        &["--container-label", "a=b", "img"],
        "/TaskTemplate/ContainerSpec/Labels",
        &json!({ "a": "b" }),
    );
    refuses(&["-e", "", "img"]);
    refuses(&["-e", "=x", "img"]);
}

#[test]
fn a_bare_key_takes_its_value_from_the_environment_as_docker_does() {
    let swarm = swarm();
    let run =
        create(&["--name", "x", "-e", "FROM_OUTSIDE", "-e", "NOT_THERE", "img"]).env("FROM_OUTSIDE", "in");
    run.host(swarm.host()).run().exits(0);
    // What is not there is sent bare: docker 28.2 does so for services.
    let env = &swarm.service("x").spec["TaskTemplate"]["ContainerSpec"]["Env"];
    assert_eq!(env, &json!(["FROM_OUTSIDE=in", "NOT_THERE"]));
}

#[test]
fn everything_after_the_image_is_the_command() {
    let args = "/TaskTemplate/ContainerSpec/Args";
    posts_at(&["img", "-x", "--name", "n", "--", "-d"], args, &json!(["-x", "--name", "n", "--", "-d"]));
    posts_at(&["img", "--help"], args, &json!(["--help"]));
    posts_at(&["img", ""], args, &json!([""]));
    posts_at(&["img", "a b", "--publish=99999"], args, &json!(["a b", "--publish=99999"]));
    posts_at(&["--", "img", "x"], args, &json!(["x"]));
    assert_eq!(posted(&["img"]).pointer(args).and_then(Value::as_array).map_or(0, Vec::len), 0);
}

#[test]
fn of_a_repeated_single_value_the_last_counts() {
    posts_at(&["--user", "a", "--user=b", "img"], "/TaskTemplate/ContainerSpec/User", &json!("b"));
    posts_at(&["--replicas", "2", "--replicas", "5", "img"], "/Mode/Replicated/Replicas", &json!(5));
    posts_at(&["--workdir", "-w", "img"], "/TaskTemplate/ContainerSpec/Dir", &json!("-w"));
}

#[test]
fn one_update_flag_alone_does_not_mean_all_at_once() {
    // `UpdateConfig: {}` is parallelism 0; docker writes all six where one is given.
    let config = posted(&["--update-delay", "3s", "img"])["UpdateConfig"].clone();
    assert_eq!(
        (&config["Delay"], &config["Parallelism"]),
        (&json!(3_000_000_000_u64), &json!(1)),
        "{config}"
    );
    assert_eq!((&config["Order"], &config["FailureAction"]), (&json!("stop-first"), &json!("pause")));
    posts_at(&["--update-parallelism", "0", "img"], "/UpdateConfig/Parallelism", &json!(0));
    // Nor does one restart flag alone lose the others' defaults.
    let restart = posted(&["--restart-max-attempts", "3", "img"])["TaskTemplate"]["RestartPolicy"].clone();
    assert_eq!((&restart["MaxAttempts"], &restart["Condition"]), (&json!(3), &json!("any")), "{restart}");
}

#[test]
fn values_that_cannot_be_one_are_two_and_nothing_is_sent() {
    for args in [
        &["--update-delay", "soon"][..],
        &["--update-delay", "5"],
        &["--restart-delay", "1 s"],
        &["--stop-grace-period", "1x"],
        &["--limit-memory", "much"],
        &["--limit-cpu", "all"],
        &["--restart-condition", "never"],
        &["--update-order", "random"],
        &["--update-failure-action", "cry"],
        &["--update-max-failure-ratio", "x"],
        &["--endpoint-mode", "magic"],
        &["--mount", "type=magic,target=/x"],
        &["--mount", "type=volume,source=v"],
        &["--mount", "type=volume,target=/x,color=red"],
        &["--mount", ""],
        &["--mount", "type=tmpfs,target=/x,tmpfs-size=big"],
        &["--network", ""],
        &["--entrypoint", "\"unclosed"],
        &["--nosuchflag"],
        &["--repl", "2"],
        &["--detach=maybe"],
    ] {
        refuses(&[args, &["img"]].concat());
    }
    refuses(&["Not A Ref!"]);
    refuses(&[""]);
    refuses(&[]);
    refuses(&["--name", "x"]);
}

#[test]
fn a_refusal_shows_a_value_of_the_right_form() {
    refuses(&["--publish", "99999:80", "img"]).says(&["99999"]);
    refuses(&["--update-delay", "soon", "img"]).says(&["soon"]);
    refuses(&["Not A Ref!"]).says(&["Not A Ref!"]);
}

#[test]
fn networks_are_looked_up_and_posted_by_id() {
    for word in ["t001only", NETWORK, "name=t001only"] {
        posts_at(&["--network", word, "img"], "/TaskTemplate/Networks/0/Target", &json!(NETWORK));
    }
    let spec = posted(&["--network", "t001only", "img"]);
    assert!(spec.get("Networks").is_none_or(|top| top.as_array().is_none_or(Vec::is_empty)), "{spec}");
}

#[test]
fn an_unknown_network_is_three_and_nothing_is_posted() {
    let swarm = swarm();
    let run = create(&["--network", "nosuch", "img"]).host(swarm.host()).run().exits(3).tells_an_error();
    run.says(&["nosuch", "network"]);
    assert!(swarm.posts().is_empty());
    for name in ["../services/x", "a/b", "..", "."] {
        let swarm = FakeSwarm::start();
        create(&["--network", name, "img"]).host(swarm.host()).run().exits_one_of(&[2, 3]);
        let asked: Vec<_> = swarm.requests().into_iter().filter(|it| it.endpoint() != "/_ping").collect();
        assert!(asked.is_empty(), "{name}: {:?}", asked[0].line());
    }
}

#[test]
fn a_name_that_is_taken_is_one_in_the_engines_words() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let run = create(&["--name", "t001", "img"]).host(swarm.host()).run().exits(1).tells_an_error();
    run.says(&["name conflicts with an existing object: service t001 already exists"]);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn the_engines_refusal_is_final_and_shown_word_for_word() {
    for (status, words) in [
        (
            400,
            "rpc error: code = InvalidArgument desc = port '22222' is already in use by service 'a' (b) as an ingress port",
        ),
        (400, "rpc error: code = InvalidArgument desc = invalid memory value 1: Must be at least 4MiB"),
        (500, "rpc error: code = Unknown desc = constraint expected one operator from ==, !="),
        (403, "authorization denied by plugin x"),
    ] {
        let engine = Engine::ordered([post("/v1.41/services/create").answers(Answer::error(status, words))]);
        create(&["--name", "t001", "img"])
            .host(engine.host())
            .run()
            .exits(1)
            .tells_an_error()
            .says(&["t001", words]);
    }
}

#[test]
fn warnings_of_the_engine_are_shown() {
    let made = format!("{{\"ID\":\"{ID}\",\"Warnings\":[\"image x could not be accessed\"]}}\n");
    let engine = Engine::ordered([
        post("/v1.41/services/create").answers(Answer::json(201, made)),
        get(&format!("/v1.41/services/{ID}"))
            .answers(Answer::json(200, service_text(ID, 11, &spec("t001", "img:latest").to_string())))
            .times(0..=1),
    ]);
    let run = create(&["--name", "t001", "img"]).host(engine.host()).run().exits(0);
    run.says(&["image x could not be accessed"]).prints(&[ID]);
}

// Lost answers. Requests: 1 ping, 2 post.

#[test]
fn lost_and_made_is_found_by_its_name() {
    for fault in [Fault::Cut(0), Fault::Cut(60), Fault::Garble(0), Fault::Garble(60)] {
        let swarm = swarm();
        swarm.breaks(Break::by(2, fault));
        let run = create(&["--name", "t001", "-p", "80:80", "img"]).host(swarm.host()).run().exits(0);
        assert_eq!(run.stdout, format!("{}\n", swarm.service("t001").id));
        assert_eq!((swarm.world().services.len(), swarm.posts().len()), (1, 1));
    }
}

#[test]
fn lost_and_made_without_a_name_is_found_by_its_spec() {
    let swarm = FakeSwarm::start();
    // An equal one that is older, and a new one that is not equal.
    let mut older = posted(&["--label", "a=b", "-e", "X=1", "img"]);
    older["Name"] = "older".into();
    swarm.world().add(older);
    swarm.after(When::Create, 1, |world| {
        world.add(spec("someone-elses", OLD));
        world.service("someone-elses").created = jiff::Timestamp::now();
    });
    swarm.breaks(Break::lost(2));
    let run = create(&["--label", "a=b", "-e", "X=1", "img"]).host(swarm.host()).run().exits(0);
    let world = swarm.world();
    let ours: Vec<_> = world.services.iter().filter(|service| !service.taken.is_empty()).collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(run.stdout, format!("{}\n", ours[0].id));
}

#[test]
fn several_new_ones_like_it_cannot_be_told_apart_and_are_nine() {
    let swarm = FakeSwarm::start();
    swarm.after(When::Create, 1, |world| {
        let mut twin = world.services[0].clone();
        twin.id = "twin0000000000000000twin0".into();
        twin.spec["Name"] = "twin".into();
        world.services.push(twin);
    });
    swarm.breaks(Break::lost(2));
    create(&["img"]).host(swarm.host()).run().exits(9).tells_an_error();
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn lost_and_not_made_is_not_made_twice_and_not_said_to_be_made() {
    for name in [&["--name", "t001"][..], &[]] {
        let swarm = FakeSwarm::start();
        swarm.breaks(Break::lost(2).unhandled());
        let run = create(&[name, &["img"]].concat()).host(swarm.host()).run();
        let made = swarm.world().services.len();
        match run.code {
            Some(0) => assert_eq!(made, 1, "{}", run.report()),
            Some(1 | 8) => assert_eq!(made, 0, "{}", run.report()),
            _ => panic!("{}", run.report()),
        }
        if name.is_empty() {
            assert_eq!(swarm.posts().len(), 1, "nothing guards a second post without a name");
        }
    }
}

#[test]
fn a_service_of_that_name_that_was_there_before_is_someone_elses() {
    for handled in [true, false] {
        let swarm = FakeSwarm::start();
        let mut theirs = posted(&["--name", "t001", "img"]);
        theirs["Labels"]["theirs"] = "yes".into();
        swarm.world().add(theirs);
        let mut broken = Break::lost(2);
        broken.handled = handled;
        swarm.breaks(broken);
        let run = create(&["--name", "t001", "img"]).host(swarm.host()).run().exits(1).tells_an_error();
        run.says(&["t001"]);
        assert_eq!(swarm.world().services.len(), 1);
    }
}

#[test]
fn lost_and_not_to_be_looked_up_is_nine() {
    for door in [Door::Closing, Door::Refusing] {
        for handled in [true, false] {
            for name in [&["--name", "t001"][..], &[]] {
                let swarm = FakeSwarm::start();
                let mut broken = Break::lost(2).then(door);
                broken.handled = handled;
                swarm.breaks(broken);
                let run =
                    create(&[name, &["img"]].concat()).host(swarm.host()).run().exits(9).tells_an_error();
                assert!(run.took < Duration::from_secs(5), "{}", run.report());
                assert_eq!(swarm.posts().len(), 1);
            }
        }
    }
}

#[test]
fn judges_what_is_new_by_the_engines_clock_never_by_its_own() {
    for hours in [-30, 30] {
        for name in [&["--name", "t001"][..], &[]] {
            let swarm = FakeSwarm::start();
            swarm.world().clock = jiff::SignedDuration::from_hours(hours);
            swarm.breaks(Break::lost(2));
            let run = create(&[name, &["img"]].concat()).host(swarm.host()).run().exits(0);
            assert_eq!(run.stdout, format!("{}\n", swarm.world().services[0].id));
        }
    }
}

#[test]
fn an_answer_without_an_id_is_looked_up() {
    for body in ["{}", "", "null", "<html>", "{\"ID\":\"\"}", "{\"ID\":7}"] {
        let swarm = FakeSwarm::start();
        swarm.breaks(Break::instead(2, Answer::json(201, body)));
        let run = create(&["--name", "t001", "img"]).host(swarm.host()).run().exits(0);
        assert_eq!(run.stdout, format!("{}\n", swarm.service("t001").id), "{body:?}");
        assert_eq!(swarm.posts().len(), 1);
    }
}

#[test]
fn a_signal_while_the_post_is_out_says_that_it_may_have_been_made() {
    let _quiet = quiet();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let swarm = FakeSwarm::start();
        swarm.breaks(Break::by(2, Fault::Stall(0)));
        let mut running = create(&["--name", "t001", "img"]).host(swarm.host()).spawn();
        swarm.wait_for_requests(2);
        let sent = std::time::Instant::now();
        running.signal(signal);
        let run = running.wait().exits(code).tells_an_error();
        assert!(sent.elapsed() < Duration::from_millis(500), "{}", run.report());
        run.says(&["may have been"]);
    }
}

#[test]
fn the_engine_is_not_there_or_not_a_manager_is_eight() {
    create(&["img"])
        .host("unix:///nonexistent/docker.sock")
        .run()
        .exits(8)
        .tells_an_error()
        .says(&["hint: "]);
    let words = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.";
    let engine = Engine::ordered([post("/v1.41/services/create").answers(Answer::error(503, words))]);
    create(&["img"]).host(engine.host()).run().exits(8).tells_an_error().says(&[words]);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let swarm = FakeSwarm::start();
    let run = create(&["--name", "t001", "img"]).host(swarm.host()).run_into_closed_pipe().exits(0);
    assert_eq!(run.stderr, "", "{}", run.report());
    assert_eq!(swarm.world().services.len(), 1);
}
