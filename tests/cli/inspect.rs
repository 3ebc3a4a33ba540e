//! `inspect`: the engine's own JSON, and the summary for people.

use serde_json::{Value, json};

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, Step};
use crate::support::fixtures::{
    ID, NETWORK, NEW, OLD, hard_spec, service_text, service_text_with, spec, t001,
};
use crate::support::run::swarmctl;
use crate::support::server::{Answer, Framing};

#[test]
fn prints_an_array_of_the_engines_own_objects_without_inserted_defaults() {
    for framing in [Framing::Length, Framing::Chunked] {
        let text =
            service_text_with(ID, 9_007_199_254_740_993, &hard_spec(OLD), ",\"New\":{\"z\":1.50,\"a\":1e5}");
        // Any query, such as `insertDefaults`, would fail the test. The path has no version, because `inspect` sends no
        // ping.
        let engine =
            Engine::ordered([get("/services/t001").answers(Answer::json(200, text.clone()).framed(framing))]);
        let run = swarmctl(["inspect", "t001"]).host(engine.host()).run().succeeds();
        let squeezed = |text: &str| serde_json::from_str::<Value>(text).unwrap().to_string();
        assert_eq!(squeezed(&run.stdout), squeezed(&format!("[{text}]")));
        for digits in ["9007199254740993", "18446744073709551615", "1.50", "10000000001"] {
            assert!(run.stdout.contains(digits), "{digits} as the engine wrote it: {}", run.report());
        }
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn a_configured_api_version_is_used_from_the_first_request_on() {
    let engine = Engine::ordered([get("/v1.40/services/t001").answers(Answer::json(200, t001(OLD, 11)))]);
    let run = swarmctl(["inspect", "t001"]).env("DOCKER_API_VERSION", "1.40").host(engine.host()).run();
    run.succeeds();
}

#[test]
fn several_services_are_one_array_in_the_given_order() {
    let swarm = FakeSwarm::with([spec("a", OLD), {
        let mut other = spec("b", NEW);
        other["EndpointSpec"]["Ports"] = json!([]);
        other
    }]);
    let run = swarmctl(["inspect", "b", "a"]).host(swarm.host()).run().succeeds();
    let names: Vec<Value> =
        run.json().as_array().unwrap().iter().map(|it| it["Spec"]["Name"].clone()).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(swarm.connections(), 1);
    swarmctl(["inspect", "--json", "a"]).host(swarm.host()).run().succeeds();
}

#[test]
fn continues_after_an_unknown_service_and_fails_with_not_found() {
    for pretty in [&[][..], &["--pretty"]] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        let args = [&["inspect"], pretty, &["nosuch", "t001"]].concat();
        let run = swarmctl(args)
            .host(swarm.host())
            .run()
            .fails_with(Exit::NotFound)
            .says(&["error: ", "nosuch"])
            .prints(&["t001"]);
        if pretty.is_empty() {
            assert_eq!(run.json().as_array().unwrap().len(), 1);
        }
    }
    // If no service is found, the output is still an array, as with docker.
    let swarm = FakeSwarm::start();
    let run = swarmctl(["inspect", "nosuch"]).host(swarm.host()).run().fails_with(Exit::NotFound);
    assert_eq!(run.json(), json!([]));
}

#[test]
fn names_follow_the_rules_of_all_commands() {
    for name in ["", ".", "..", "a/b", "../networks/x"] {
        let engine = Engine::silent();
        swarmctl(["inspect", "--", name]).host(engine.host()).run().fails_with(Exit::NotFound);
        assert!(engine.requests().is_empty(), "{name:?}: no request is sent");
    }
    swarmctl(["inspect"]).run().fails_with(Exit::Usage);
}

#[test]
fn pretty_prints_a_summary_with_the_most_important_fields() {
    let mut service_spec = spec("t001", "nginx:1");
    service_spec["Labels"] = json!({ "team": "shop" });
    service_spec["TaskTemplate"]["Networks"] = json!([{ "Target": NETWORK }]);
    let swarm = FakeSwarm::start();
    swarm.world().networks.push((NETWORK.into(), "t001only".into()));
    let id = swarm.world().add(service_spec);
    swarm.world().step("t001", Step::Paused);
    let run = swarmctl(["inspect", "--pretty", "t001"]).host(swarm.host()).run().succeeds();
    let parts = [
        &id[..12],
        "t001",
        "nginx:1",
        "t001only",
        "22222",
        "80",
        "team",
        "shop",
        "paused",
        "update paused due",
    ];
    let run = run.prints(&parts);
    assert_eq!(run.stderr, "");
    assert!(!run.stdout.trim_start().starts_with(['[', '{']), "for people: {}", run.report());
}

#[test]
fn pretty_works_without_optional_fields() {
    let plugin =
        json!({ "Name": "p", "TaskTemplate": { "PluginSpec": { "Name": "x" }, "Runtime": "plugin" } });
    let bare =
        json!({ "Name": "b", "TaskTemplate": { "ContainerSpec": { "Image": "i" } }, "Networks": null });
    for odd in [plugin, bare] {
        let name = odd["Name"].as_str().unwrap().to_owned();
        let engine = Engine::ordered([get(&format!("/v1.41/services/{name}"))
            .answers(Answer::json(200, service_text(ID, 1, &odd.to_string())))]);
        swarmctl(["inspect", "--pretty", &name]).host(engine.host()).run().succeeds().prints(&[&name]);
    }
    // A network that no longer exists is shown by ID.
    let mut lonely = spec("t001", OLD);
    lonely["TaskTemplate"]["Networks"] = json!([{ "Target": NETWORK }]);
    let swarm = FakeSwarm::with([lonely]);
    swarmctl(["inspect", "--pretty", "t001"]).host(swarm.host()).run().succeeds().prints(&[&NETWORK[..12]]);
}

#[test]
fn pretty_lets_no_text_of_a_service_move_the_cursor() {
    let mut odd = spec("t001", OLD);
    odd["Labels"] = json!({ "k\u{1b}[2J": "v\u{202e}\u{9b}31m\r\nx" });
    let swarm = FakeSwarm::with([odd]);
    let run = swarmctl(["inspect", "--pretty", "t001"]).host(swarm.host()).run().succeeds();
    run.never_says(&["\u{1b}", "\u{202e}", "\u{9b}", "\r"]);
}

#[test]
fn json_lets_no_text_of_a_service_move_the_cursor_and_stays_the_same_json() {
    let mut odd = spec("t001", OLD);
    odd["Labels"] = json!({ "k\u{7f}": "v\u{202e}\u{9b}31m" });
    let swarm = FakeSwarm::with([odd.clone()]);
    let run = swarmctl(["inspect", "t001"]).host(swarm.host()).run().succeeds();
    assert_eq!(run.json()[0]["Spec"], odd);
}

#[test]
fn fails_with_unreachable_if_there_is_no_manager() {
    swarmctl(["inspect", "t001"])
        .host("unix:///nonexistent/docker.sock")
        .run()
        .fails_with(Exit::Unreachable)
        .says(&["hint: "]);
    let words = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";
    let engine = Engine::ordered(
        ["/services/t001", "/v1.41/services/t001"].map(|path| get(path).answers(Answer::error(503, words))),
    );
    swarmctl(["inspect", "t001"]).host(engine.host()).run().fails_with(Exit::Unreachable).says(&[words]);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    for (args, path) in [
        (&["inspect", "t001"][..], "/services/t001"),
        (&["inspect", "--pretty", "t001"], "/v1.41/services/t001"),
    ] {
        let engine = Engine::ordered([get(path).answers(Answer::json(200, t001(OLD, 11)))]);
        let run = swarmctl(args.iter().copied()).host(engine.host()).run_into_closed_pipe().succeeds();
        assert_eq!(run.stderr, "", "{}", run.report());
    }
}

#[test]
fn without_the_networks_their_ids_are_printed_with_one_note() {
    for answer in
        [Answer::page(403), Answer::page(404), Answer::error(403, "authorization denied by plugin x")]
    {
        let with_two = |name: &str| {
            let mut spec = spec(name, OLD);
            spec["TaskTemplate"]["Networks"] = json!([{ "Target": NETWORK }, { "Target": "othernetwork" }]);
            get(&format!("/v1.41/services/{name}"))
                .answers(Answer::json(200, service_text(ID, 11, &spec.to_string())))
        };
        let network = get(&format!("/v1.41/networks/{NETWORK}?scope=swarm")).answers(answer);
        let engine = Engine::ordered([with_two("a"), with_two("b"), network]);
        let run = swarmctl(["inspect", "--pretty", "a", "b"]).host(engine.host()).run().succeeds();
        assert_eq!(run.stdout.matches(NETWORK).count(), 2);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.report());
        run.says(&["the names of networks are not available, so IDs are printed: ", "/networks/"]);
    }
}

#[test]
fn services_are_selected_by_filters_and_stacks() {
    let service = |name: &str, stack: &str| {
        let mut spec = spec(name, OLD);
        spec["EndpointSpec"]["Ports"] = json!([]);
        spec["Labels"]["com.docker.stack.namespace"] = stack.into();
        spec
    };
    let swarm =
        FakeSwarm::with([service("shop_b", "shop"), service("shop_a", "shop"), service("other", "x")]);
    let inspect = |line: &str| swarmctl(line.split(' ')).host(swarm.host()).run();
    for (line, names) in [
        ("inspect --stack shop --format {{.Spec.Name}}", "shop_a shop_b"),
        ("inspect --filter name=oth --format {{.Spec.Name}}", "other"),
        ("inspect --all -f {{.Spec.Name}}", "other shop_a shop_b"),
    ] {
        assert_eq!(
            inspect(line).succeeds().stdout.split_whitespace().collect::<Vec<_>>().join(" "),
            names,
            "{line}"
        );
    }
    let selected = inspect("inspect --stack shop").succeeds();
    assert_eq!(selected.stdout, inspect("inspect shop_a shop_b").succeeds().stdout);
    assert_eq!(
        inspect("inspect --pretty --stack shop").succeeds().stdout,
        inspect("inspect --pretty shop_a shop_b").succeeds().stdout
    );
    assert_eq!(inspect("inspect --format json --stack shop").succeeds().stdout.lines().count(), 1);
    let run = inspect("inspect --stack nosuch").fails_with(Exit::NotFound);
    assert_eq!(run.json(), json!([]));
    run.says(&["cannot inspect any service", "no service matches the selection"]);
    for line in [
        "inspect",
        "inspect --all web",
        "inspect --stack shop web",
        "inspect --all --stack shop",
        "inspect --filter name=",
    ] {
        inspect(line).fails_with(Exit::Usage);
    }
    let run = inspect("inspect -f name=other other");
    assert_eq!(run.succeeds().stdout, "name=other\n", "`-f` is the short form of --format");
}
