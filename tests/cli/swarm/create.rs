//! `create` on a real engine.

use serde_json::json;

use super::engine::{Removed, engine};
use crate::support::fixtures::OLD;

#[test]
fn a_service_is_created_and_its_id_is_printed() {
    let engine = engine();
    let line = ["create", "--name", "cr-t001", "--publish", "22401:80", "--detach=true", OLD];
    let run = engine.swarmctl(&line).run().succeeds();
    let id = run.stdout.trim().to_owned();
    let service = Removed::new(engine, format!("/services/{id}"));
    let made = engine.service("cr-t001");
    assert_eq!(made["ID"], id);
    assert_eq!(run.stdout, format!("{id}\n"));
    engine.wait_until("the task runs", |engine| engine.running_tasks(service.id()) == 1);
    assert_eq!(engine.service("cr-t001")["Endpoint"]["Ports"][0]["PublishedPort"], 22401);
}

#[test]
fn the_engine_stores_the_values_of_all_flags() {
    let engine = engine();
    let network = engine.network("cr-net");
    let line = "create -d --no-resolve-image --name cr-all --replicas 0 -e A=1 -eB=2 -l a=b --label x --container-label c=d \
        -p 22402-22403:80-81/udp -p published=22404,target=90,protocol=tcp,mode=host \
        --network name=cr-net,alias=web,alias=w2 --mount type=volume,source=cr-v,target=/v,readonly \
        --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770 \
        --mount type=bind,src=/tmp,dst=/e,bind-propagation=rslave \
        --constraint node.role==manager --limit-cpu 1.5 --limit-memory 64m --reserve-cpu .25 --reserve-memory 8m \
        --restart-condition on-failure --restart-delay 2s --restart-max-attempts 3 --restart-window 1m30s \
        --update-parallelism 2 --update-delay 1.5s --update-failure-action rollback --update-monitor 10s \
        --update-max-failure-ratio .3 --update-order start-first --log-driver json-file --log-opt max-size=10m \
        --endpoint-mode dnsrr --stop-grace-period 1m --user 1000:1000 --workdir /w --entrypoint /bin/sh";
    // Ingress ports cannot be combined with dnsrr, so only the port in host mode is kept.
    let line = line.replace("-p 22402-22403:80-81/udp ", "");
    let mut args: Vec<&str> = line.split_whitespace().collect();
    args.extend([OLD, "-c", "exec /bin/whoami"]);
    let run = engine.swarmctl(&args).run().succeeds();
    let _service = Removed::new(engine, format!("/services/{}", run.stdout.trim()));
    assert_eq!(run.stderr, "", "nothing was dropped: {}", run.report());
    let made = engine.service("cr-all");
    let spec = &made["Spec"];
    for (place, wanted) in [
        ("/Labels", json!({ "a": "b", "x": "" })),
        ("/Mode", json!({ "Replicated": { "Replicas": 0 } })),
        ("/TaskTemplate/ContainerSpec/Image", json!(OLD)),
        ("/TaskTemplate/ContainerSpec/Command", json!(["/bin/sh"])),
        ("/TaskTemplate/ContainerSpec/Args", json!(["-c", "exec /bin/whoami"])),
        ("/TaskTemplate/ContainerSpec/Env", json!(["A=1", "B=2"])),
        ("/TaskTemplate/ContainerSpec/Labels", json!({ "c": "d" })),
        ("/TaskTemplate/ContainerSpec/User", json!("1000:1000")),
        ("/TaskTemplate/ContainerSpec/Dir", json!("/w")),
        ("/TaskTemplate/ContainerSpec/StopGracePeriod", json!(60_000_000_000_u64)),
        (
            "/TaskTemplate/ContainerSpec/Mounts/0",
            json!({ "Type": "volume", "Source": "cr-v", "Target": "/v", "ReadOnly": true }),
        ),
        (
            "/TaskTemplate/ContainerSpec/Mounts/1",
            json!({ "Type": "tmpfs", "Target": "/t", "TmpfsOptions": { "SizeBytes": 1_048_576, "Mode": 1016 } }),
        ),
        (
            "/TaskTemplate/ContainerSpec/Mounts/2",
            json!({ "Type": "bind", "Source": "/tmp", "Target": "/e", "BindOptions": { "Propagation": "rslave" } }),
        ),
        ("/TaskTemplate/Resources/Limits", json!({ "NanoCPUs": 1_500_000_000, "MemoryBytes": 67_108_864 })),
        (
            "/TaskTemplate/Resources/Reservations",
            json!({ "NanoCPUs": 250_000_000, "MemoryBytes": 8_388_608 }),
        ),
        (
            "/TaskTemplate/RestartPolicy",
            json!({ "Condition": "on-failure", "Delay": 2_000_000_000, "MaxAttempts": 3, "Window": 90_000_000_000_u64 }),
        ),
        ("/TaskTemplate/Placement/Constraints", json!(["node.role==manager"])),
        ("/TaskTemplate/Networks", json!([{ "Target": network.id(), "Aliases": ["web", "w2"] }])),
        ("/TaskTemplate/LogDriver", json!({ "Name": "json-file", "Options": { "max-size": "10m" } })),
        (
            "/UpdateConfig",
            json!({
                "Parallelism": 2, "Delay": 1_500_000_000, "FailureAction": "rollback", "Monitor": 10_000_000_000_u64,
                "MaxFailureRatio": 0.3, "Order": "start-first"
            }),
        ),
        ("/EndpointSpec/Mode", json!("dnsrr")),
        (
            "/EndpointSpec/Ports",
            json!([{ "Protocol": "tcp", "TargetPort": 90, "PublishedPort": 22404, "PublishMode": "host" }]),
        ),
    ] {
        assert_eq!(spec.pointer(place), Some(&wanted), "at {place}");
    }
}

#[test]
fn ranges_modes_and_names_of_the_engine() {
    let engine = engine();
    let create = |args: &[&str]| {
        let run = engine.swarmctl(&[&["create", "-d", "--no-resolve-image"], args].concat()).run().succeeds();
        Removed::new(engine, format!("/services/{}", run.stdout.trim()))
    };
    let _ranges = create(&[
        "--name",
        "cr-range",
        "--replicas",
        "0",
        "-p",
        "22405-22406:80-81/udp",
        "-p",
        "22407:90/sctp",
        OLD,
    ]);
    // The engine allocates the ports after its response.
    engine.wait_until("its ports are allocated", |engine| {
        engine.service("cr-range")["Endpoint"]["Ports"].is_array()
    });
    let ports = engine.service("cr-range")["Endpoint"]["Ports"].clone();
    let published: Vec<u64> =
        ports.as_array().unwrap().iter().map(|port| port["PublishedPort"].as_u64().unwrap()).collect();
    assert_eq!(published, [22405, 22406, 22407]);

    let global = create(&["--name", "cr-global", "--mode", "global", "--stop-grace-period", "1s", OLD]);
    engine.wait_until("it runs on the one node", |engine| engine.running_tasks(global.id()) == 1);

    let job = create(&["--name", "cr-job", "--mode", "replicated-job", "opera443399/whoami:once"]);
    engine.wait_until("the job has run", |engine| {
        let tasks = engine.ask("GET", "/tasks", None);
        tasks
            .as_array()
            .unwrap()
            .iter()
            .any(|task| task["ServiceID"] == job.id() && task["Status"]["State"] == "complete")
    });

    // Without a name, the engine chooses one.
    let nameless = create(&["--replicas", "0", OLD]);
    let name = engine.service(nameless.id())["Spec"]["Name"].as_str().unwrap_or_default().to_owned();
    assert!(!name.is_empty());
}
