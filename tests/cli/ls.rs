//! `ls`: requests, the table, the filters, the engine's own JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, NO_MANAGER};
use crate::support::fixtures::{OLD, hard_spec, service_text_with, spec};
use crate::support::run::swarmctl;
use crate::support::server::{Answer, Framing, ResponseFault};

const LIST: &str = "/v1.41/services?status=true";

/// A service as the engine lists it, with this spec and these task counts.
fn row(id: &str, spec: &Value, running: u64, desired: u64) -> String {
    let status = format!(
        ",\"ServiceStatus\":{{\"RunningTasks\":{running},\"DesiredTasks\":{desired},\"CompletedTasks\":0}}"
    );
    let ports = &spec["EndpointSpec"]["Ports"];
    let text = service_text_with(id, 11, &spec.to_string(), &status);
    // The engine reports published ports in `Endpoint`, not only in the spec.
    text.trim_end().replace("\"Endpoint\":{", &format!("\"Endpoint\":{{\"Ports\":{ports},"))
}

fn list(rows: &[String]) -> Answer {
    Answer::json(200, format!("[{}]\n", rows.join(",")))
}

/// The cells of a table, line by line.
fn cells(stdout: &str) -> Vec<Vec<&str>> {
    stdout
        .lines()
        .map(|line| line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect()
}

#[test]
fn shows_the_services_as_docker_does_in_natural_order() {
    let id = |n: u8| format!("{n}vmkw77uhqcxjfzgtls48aen1");
    let mut global =
        spec("web10", "nginx:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    global["Mode"] = json!({ "Global": {} });
    global["EndpointSpec"]["Ports"] = json!([]);
    let mut several = spec("web2", OLD);
    several["EndpointSpec"]["Ports"] = json!([
        { "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8000, "PublishMode": "ingress" },
        { "Protocol": "tcp", "TargetPort": 81, "PublishedPort": 8001, "PublishMode": "ingress" },
        { "Protocol": "udp", "TargetPort": 53, "PublishedPort": 53, "PublishMode": "ingress" }
    ]);
    let rows =
        [row(&id(1), &global, 1, 1), row(&id(2), &several, 3, 5), row(&id(3), &spec("web1", OLD), 0, 2)];
    let nodes = json!([{ "ID": "up", "Status": { "State": "ready" } }]);
    let engine = Engine::ordered([
        get(LIST).answers(list(&rows)),
        get("/v1.41/nodes").answers(Answer::json(200, nodes.to_string())),
    ]);
    let run = swarmctl(["ls"]).host(engine.host()).run().succeeds();
    assert_eq!(run.stderr, "");
    let shown = cells(&run.stdout);
    assert_eq!(shown[0], ["ID", "NAME", "MODE", "REPLICAS", "IMAGE", "PORTS"]);
    assert_eq!(shown[1], ["3vmkw77uhqcx", "web1", "replicated", "0/2", OLD, "*:22222->80/tcp"]);
    assert_eq!(
        shown[2],
        ["2vmkw77uhqcx", "web2", "replicated", "3/5", OLD, "*:8000-8001->80-81/tcp, *:53->53/udp"]
    );
    assert_eq!(shown[3], ["1vmkw77uhqcx", "web10", "global", "1/1", "nginx:1"]);
    assert_eq!(shown.len(), 4);
    assert!(engine.connections() == 1 && engine.requests().len() == 3, "a ping and two lists");
}

/// This is the order of docker 28.2: digits come before all other characters.
#[test]
fn services_are_sorted_as_docker_sorts_them() {
    let sorted =
        ["x-a", "x_a", "xweb", "xweb2", "xweb02", "xweb10", "xweb-2", "xweb-10", "xweb-x", "xweb_1", "xweba"];
    let rows: Vec<String> = (0u8..)
        .zip(sorted.iter().rev())
        .map(|(n, name)| {
            let id = format!("{}vmkw77uhqcxjfzgtls48aen1", char::from(b'a' + n));
            row(&id, &spec(name, OLD), 1, 1)
        })
        .collect();
    let nodes = get("/v1.41/nodes").answers(Answer::json(200, "[]")).times(0..=1);
    let engine = Engine::ordered([get(LIST).answers(list(&rows)), nodes]);
    let run = swarmctl(["ls", "--format", "{{.Name}}"]).host(engine.host()).run().succeeds();
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), sorted);
}

#[test]
fn no_services_are_a_header_an_empty_array_and_nothing() {
    let ls = |args: &[&str]| {
        let swarm = FakeSwarm::start();
        let args = [&["ls"], args].concat();
        swarmctl(args).host(swarm.host()).run().succeeds()
    };
    assert_eq!(cells(&ls(&[]).stdout), [["ID", "NAME", "MODE", "REPLICAS", "IMAGE", "PORTS"]]);
    assert_eq!(ls(&["--json"]).json(), json!([]));
    assert_eq!(ls(&["-q"]).stdout, "");
}

#[test]
fn quiet_prints_the_ids_that_other_commands_accept() {
    let swarm = FakeSwarm::with([spec("b", OLD), spec("a", OLD)]);
    for flag in ["-q", "--quiet", "--quiet=true"] {
        let run = swarmctl(["ls", flag]).host(swarm.host()).run().succeeds();
        let ids: Vec<&str> = run.stdout.lines().collect();
        assert_eq!(ids.len(), 2);
        assert!(swarm.service("a").id.starts_with(ids[0]) && ids[0].len() >= 6, "{}", run.report());
        assert!(swarm.service("b").id.starts_with(ids[1]));
    }
}

#[test]
fn json_is_the_engines_own_to_the_last_digit() {
    for framing in [Framing::Length, Framing::Chunked] {
        let text =
            service_text_with("x", 9_007_199_254_740_993, &hard_spec(OLD), ",\"New\":{\"z\":1.50,\"a\":1e5}");
        let engine = Engine::ordered([
            get(LIST).answers(Answer::json(200, format!("[{}]\n", text.trim())).framed(framing.clone()))
        ]);
        let run = swarmctl(["ls", "--json"]).host(engine.host()).run().succeeds();
        let squeezed = |text: &str| serde_json::from_str::<Value>(text).unwrap().to_string();
        assert_eq!(squeezed(&run.stdout), squeezed(&format!("[{text}]")));
        for digits in ["9007199254740993", "18446744073709551615", "1.50", "10000000001"] {
            assert!(
                run.stdout.contains(digits),
                "{digits} is written as the engine wrote it: {}",
                run.report()
            );
        }
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn filters_are_passed_to_the_engine_and_may_be_repeated() {
    for (args, filters) in [
        (&["--filter", "name=web"][..], json!({ "name": ["web"] })),
        (&["-f", "name=web", "-f", "name=db"], json!({ "name": ["web", "db"] })),
        (
            &["--filter=label=a=b", "-f", "label=c", "-f", "mode=global"],
            json!({ "label": ["a=b", "c"], "mode": ["global"] }),
        ),
        (&["-f", "id=abc"], json!({ "id": ["abc"] })),
        (&["-f", "label=a b&c=d"], json!({ "label": ["a b&c=d"] })),
    ] {
        let escaped =
            percent_encoding::utf8_percent_encode(&filters.to_string(), percent_encoding::NON_ALPHANUMERIC)
                .to_string();
        let engine =
            Engine::ordered([get(&format!("{LIST}&filters={escaped}")).answers(Answer::json(200, "[]"))]);
        let args = [&["ls"], args].concat();
        swarmctl(args).host(engine.host()).run().succeeds();
    }
}

#[test]
fn an_image_filter_selects_services_in_the_table_and_in_json() {
    let service = |id: &str, image: &str| {
        format!(
            r#"{{"ID":"{id}","Version":{{"Index":9007199254740993}},"Spec":{{"Name":"{id}","TaskTemplate":{{"ContainerSpec":{{"Image":"{image}"}}}}}},"ServiceStatus":{{"RunningTasks":1}}}}"#
        )
    };
    let pinned = format!("docker.io/library/nginx:1.27@sha256:{}", "a".repeat(64));
    let (a, b, c) = (service("a", &pinned), service("b", "nginx:1.28"), service("c", "redis:7"));
    let list = format!("[{a},{b},{c}]\n");
    for (filter, ids, json) in [
        ("image=nginx", "a\nb\n", format!("[{a},{b}]\n")),
        ("image=nginx:1.27", "a\n", format!("[{a}]\n")),
        ("image=nginx:2", "", "[]\n".to_owned()),
    ] {
        let ls = |args: &[&str], query: &str| {
            let nodes = get("/v1.41/nodes").answers(Answer::json(200, "[]")).times(0..=1);
            let engine = Engine::ordered([
                get(&format!("/v1.41/services{query}")).answers(Answer::json(200, list.clone())),
                nodes,
            ]);
            let args = [&["ls", "--filter", filter][..], args].concat();
            swarmctl(args).host(engine.host()).run().succeeds().stdout
        };
        assert_eq!(ls(&["-q"], ""), ids);
        assert_eq!(ls(&["--json"], "?status=true"), json);
        assert_eq!(ls(&["--format", "{{.ID}}"], "?status=true"), ids);
    }
}

#[test]
fn an_invalid_filter_is_a_usage_error_and_nothing_is_sent() {
    for filter in ["web", "", "color=red", "mode=sometimes", "image=UPPER", "image="] {
        let engine = Engine::silent();
        swarmctl(["ls", "--filter", filter]).host(engine.host()).run().fails_with(Exit::Usage);
        assert!(engine.requests().is_empty());
    }
}

#[test]
fn counts_the_tasks_if_the_engine_does_not() {
    // Engines before API 1.41 have no ServiceStatus. Tasks on a node that is down are not counted.
    let at = |path: &str| format!("/v1.40{path}");
    let service = |id: &str, name: &str, replicas: u64| {
        let mut spec = spec(name, OLD);
        spec["Mode"]["Replicated"]["Replicas"] = replicas.into();
        crate::support::fixtures::service_text(id, 11, &spec.to_string())
    };
    let task = |service: &str, node: &str, desired: &str, state: &str| {
        json!({
            "ID": "t", "ServiceID": service, "NodeID": node, "Slot": 1, "DesiredState": desired,
            "Status": { "State": state }, "Version": { "Index": 3 }
        })
    };
    let tasks = json!([
        task("aaaaaaaaaaaaaaaaaaaaaaaaa", "up", "running", "running"),
        task("aaaaaaaaaaaaaaaaaaaaaaaaa", "up", "running", "preparing"),
        task("aaaaaaaaaaaaaaaaaaaaaaaaa", "down", "running", "running"),
        task("aaaaaaaaaaaaaaaaaaaaaaaaa", "up", "shutdown", "shutdown"),
        task("bbbbbbbbbbbbbbbbbbbbbbbbb", "up", "running", "running"),
    ]);
    let nodes = json!([
        { "ID": "up", "Status": { "State": "ready" } },
        { "ID": "down", "Status": { "State": "down" } }
    ]);
    let both =
        "%7B%22service%22%3A%5B%22aaaaaaaaaaaaaaaaaaaaaaaaa%22%2C%22bbbbbbbbbbbbbbbbbbbbbbbbb%22%5D%7D";
    let list = format!(
        "[{},{}]",
        service("aaaaaaaaaaaaaaaaaaaaaaaaa", "a", 4).trim(),
        service("bbbbbbbbbbbbbbbbbbbbbbbbb", "b", 1).trim()
    );
    let engine = Engine::with_ping(
        Answer::pong().header("Api-Version", "1.40"),
        [
            get(&at("/services?status=true")).answers(Answer::json(200, list)),
            get(&at("/nodes")).answers(Answer::json(200, nodes.to_string())),
            get(&at(&format!("/tasks?filters={both}"))).answers(Answer::json(200, tasks.to_string())),
        ],
    );
    let run = swarmctl(["ls"]).host(engine.host()).run().succeeds();
    let shown = cells(&run.stdout);
    assert_eq!((shown[1][1], shown[1][3]), ("a", "1/4"), "{}", run.report());
    assert_eq!((shown[2][1], shown[2][3]), ("b", "1/1"));
}

#[test]
fn fails_with_unreachable_if_there_is_no_manager() {
    swarmctl(["ls"])
        .host("unix:///nonexistent/docker.sock")
        .run()
        .fails_with(Exit::Unreachable)
        .tells_an_error();
    for args in [&["ls"][..], &["ls", "--json"], &["ls", "-q"]] {
        // `-q` does not need the engine's task counts.
        let refused = |target| get(target).answers(Answer::error(503, NO_MANAGER)).times(0..=1);
        let engine = Engine::unordered([refused(LIST), refused("/v1.41/services")]);
        swarmctl(args.iter().copied())
            .host(engine.host())
            .run()
            .fails_with(Exit::Unreachable)
            .tells_an_error()
            .says(&[NO_MANAGER, "hint: "]);
        assert_eq!(engine.asked().len(), 1, "it is final");
    }
}

#[test]
fn an_invalid_list_is_a_clear_error() {
    for body in ["", "{}", "null", "<html></html>", "[{\"ID\":", "[1]", "{\"message\":\"x\"}"] {
        let engine = Engine::ordered([get(LIST).answers(Answer::json(200, body)).times(1..=5)]);
        let run = swarmctl(["ls"]).host(engine.host()).run().fails_with(Exit::Unreachable).tells_an_error();
        assert!(run.took < Duration::from_secs(5), "{}", run.report());
    }
}

#[test]
fn retries_a_read_whose_response_is_cut_off_anywhere() {
    for after in [0, 50, 300, 1500, 3000] {
        for args in [&["ls"][..], &["ls", "--json"], &["ls", "-q"]] {
            let swarm = FakeSwarm::with((1..=9).map(|n| {
                let mut spec = spec(&format!("s{n}"), OLD);
                spec["EndpointSpec"]["Ports"] = json!([]);
                spec
            }));
            swarm.breaks(InjectedFault::by(2, ResponseFault::Cut(after)));
            let run = swarmctl(args.iter().copied()).host(swarm.host()).run().succeeds();
            assert_eq!(run.stderr, "");
            match args {
                ["ls"] => assert_eq!(run.stdout.lines().count(), 10, "{}", run.report()),
                ["ls", "-q"] => assert_eq!(run.stdout.lines().count(), 9),
                _ => assert_eq!(run.json().as_array().unwrap().len(), 9),
            }
        }
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let swarm = FakeSwarm::with((1..=200).map(|n| {
        let mut spec = spec(&format!("s{n}"), OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec
    }));
    for args in [&["ls"][..], &["ls", "--json"], &["ls", "-q"]] {
        let run = swarmctl(args.iter().copied()).host(swarm.host()).run_into_closed_pipe().succeeds();
        assert_eq!(run.stderr, "", "{}", run.report());
    }
}

#[test]
fn names_with_control_characters_cannot_move_the_cursor() {
    let swarm = FakeSwarm::with([spec("a\u{1b}[2Jb\u{202e}c\nd", OLD)]);
    let run = swarmctl(["ls"]).host(swarm.host()).run().succeeds();
    assert_eq!(run.stdout.lines().count(), 2, "{}", run.report());
    run.never_says(&["\u{1b}", "\u{202e}"]);
}

#[test]
fn a_stack_is_selected_by_its_label() {
    let query = |more: &str| {
        format!(
            "/v1.41/services?filters={{{more}\"label\":{{\"com.docker.stack.namespace=shop\":true}}}}&status=true"
        )
    };
    let rows = [row("1vmkw77uhqcxjfzgtls48aen1", &spec("shop_web", OLD), 0, 1)];
    let engine = Engine::ordered([get(&query("")).answers(list(&rows))]);
    let run =
        swarmctl(["ls", "--stack", "shop", "--format", "{{.Name}}"]).host(engine.host()).run().succeeds();
    assert_eq!(run.stdout, "shop_web\n");
    let engine = Engine::ordered([get(&query("\"name\":{\"shop_w\":true},")).answers(list(&rows))]);
    let args = ["ls", "--json", "--stack", "shop", "--filter", "name=shop_w"];
    let run = swarmctl(args).host(engine.host()).run().succeeds();
    assert_eq!(run.json()[0]["Spec"]["Name"], "shop_web");
    swarmctl(["ls", "--stack", ""]).run().fails_with(Exit::Usage);
}

#[test]
fn a_misspelled_stack_gets_a_suggestion() {
    let mut of_stack = spec("shop_web", OLD);
    of_stack["Labels"] = json!({"com.docker.stack.namespace": "shop"});
    let swarm = FakeSwarm::with([of_stack]);
    let ls = |args: &[&str]| swarmctl([&["ls"], args].concat()).host(swarm.host()).run().succeeds();
    assert_eq!(ls(&["--stack", "shpo"]).stderr, "stack `shpo` has no services; did you mean `shop`?\n");
    assert_eq!(ls(&["--stack", "unlike"]).stderr, "");
    assert_eq!(ls(&["--stack", "shop"]).stderr, "");
    assert_eq!(ls(&["--stack", "shpo", "--quiet"]).stderr, "");
}

#[test]
fn only_a_node_outside_a_swarm_is_advised_to_start_one() {
    for (words, hint) in [
        (NO_MANAGER, "start a new swarm with `docker swarm init`"),
        (
            "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
            "hint: the node is a worker",
        ),
        (
            "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster.",
            "hint: the manager may be starting",
        ),
    ] {
        let engine = Engine::ordered([get(LIST).answers(Answer::error(503, words))]);
        let run =
            swarmctl(["ls"]).host(engine.host()).run().fails_with(Exit::Unreachable).says(&[words, hint]);
        assert_eq!(run.stderr.contains("`docker swarm init`"), words == NO_MANAGER, "{}", run.report());
    }
}
