//! `lint`: which requests are sent, and what is printed or skipped. The tests of the rules are beside the rules.

use serde_json::{Value, json};

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD, service_text_with, spec};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

/// A service with a host port whose update never completes on one node: start-first requires a second one.
fn stuck(name: &str) -> Value {
    let mut spec = spec(name, OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 1.into();
    spec["UpdateConfig"] = json!({"Parallelism": 1, "Order": "start-first"});
    spec["EndpointSpec"]["Ports"][0]["PublishMode"] = "host".into();
    spec
}

/// A service without findings.
fn fine(name: &str) -> Value {
    let mut spec = spec(name, &format!("opera443399/whoami:0.7@sha256:{}", "1".repeat(64)));
    spec["TaskTemplate"]["Resources"]["Limits"]["MemoryBytes"] = (64 << 20).into();
    spec
}

fn lint(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl([&["lint"], args].concat()).host(swarm.host()).run()
}

/// The paths that were requested, sorted, with the filters of secrets and configs.
fn requested(swarm: &FakeSwarm) -> Vec<String> {
    let mut paths: Vec<String> = swarm
        .requests()
        .iter()
        .map(|request| match request.param("filters") {
            Some(filters) if filters != "{}" => format!("{} {filters}", request.endpoint()),
            _ => request.endpoint().to_owned(),
        })
        .collect();
    paths.sort();
    paths
}

fn ids(run: &Run, at: usize) -> Vec<String> {
    let findings = run.json()["services"][at]["findings"].as_array().unwrap().clone();
    findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn prints_findings_with_fixes_and_their_sum_on_stderr() {
    let swarm = FakeSwarm::with([stuck("web10"), fine("db"), stuck("web9")]);
    let run = lint(&swarm, &[]).succeeds();
    let of = |name: &str| {
        format!(
            "{name} L05 error: host port 22222 with start-first requires a spare node: 1 replica on 1 eligible node\n  \
             fix: swarmctl update --update-order stop-first {name}\n\
             {name} L12 warn: `{OLD}` has no digest: nodes may run different images\n  \
             fix: swarmctl update-image --refresh {name}\n"
        )
    };
    assert_eq!(run.stdout, of("web9") + &of("web10"));
    assert_eq!(run.stderr, "3 services checked: 2 errors, 2 warnings, 2 infos not shown (--level info)\n");
    assert_eq!(requested(&swarm), ["/_ping", "/networks", "/nodes", "/services", "/tasks"]);
    assert!(swarm.posts().is_empty());
}

#[test]
fn without_findings_stdout_is_empty() {
    let run = lint(&FakeSwarm::with([fine("db")]), &["--exit-code"]).succeeds();
    assert_eq!((&*run.stdout, &*run.stderr), ("", "1 service checked: 0 errors, 0 warnings, 0 infos\n"));
    let run = lint(&FakeSwarm::start(), &[]).succeeds();
    assert_eq!((&*run.stdout, &*run.stderr), ("", "0 services checked: 0 errors, 0 warnings, 0 infos\n"));
}

#[test]
fn the_level_limits_what_is_reported_and_the_exit_code() {
    let swarm = FakeSwarm::with([stuck("web")]);
    let run = lint(&swarm, &["--level", "error", "--exit-code"]).answers(Exit::Different);
    assert_eq!(run.stdout.matches("web L").count(), 1);
    assert!(
        run.stderr
            .ends_with("1 error, 1 warning not shown (--level warn), 1 info not shown (--level info)\n")
    );
    let run = lint(&swarm, &["--level=info"]).succeeds();
    assert_eq!(run.stdout.matches("web L").count(), 3);
    assert!(run.stderr.ends_with("1 error, 1 warning, 1 info\n"));
    lint(&swarm, &["--level", "error", "--exit-code", "--ignore", "L05"]).succeeds();
    lint(&swarm, &["--exit-code", "--ignore", "L05,L12"]).succeeds();
    lint(&swarm, &["--exit-code", "--ignore", "L05", "--ignore", "L12"]).succeeds();
    lint(&swarm, &["--exit-code", "--ignore", "L05"]).answers(Exit::Different);
    for wrong in [
        ["--level", "fatal"],
        ["--ignore", "L99"],
        ["--ignore", "L03"],
        ["--ignore", "L12,"],
        ["--ignore", ""],
    ] {
        let before = swarm.requests().len();
        lint(&swarm, &wrong).fails_with(Exit::Usage);
        assert_eq!(swarm.requests().len(), before, "nothing is requested for a wrong command line");
    }
}

#[test]
fn the_label_ignores_rules_and_may_be_newer_than_the_program() {
    let mut web = stuck("web");
    web["Labels"]["swarmctl.lint.ignore"] = "L05, L99,L12".into();
    let run = lint(&FakeSwarm::with([web.clone(), stuck("db")]), &["--json"]).succeeds();
    assert_eq!(ids(&run, 0), ["L05", "L12"], "the label is of another service");
    assert_eq!(ids(&run, 1), [""; 0]);
    assert_eq!(run.json()["services"][1]["ignored"], json!(["L05", "L12"]));
    assert_eq!(run.json()["counts"], json!({"error": 1, "warn": 1, "info": 2}));
    assert_eq!(run.stderr, "service `web`: its label swarmctl.lint.ignore has unknown rules: L99\n");
    for odd in [json!(5), json!(["L05"]), json!("")] {
        web["Labels"]["swarmctl.lint.ignore"] = odd;
        assert_eq!(ids(&lint(&FakeSwarm::with([web.clone()]), &["--json"]).succeeds(), 0), ["L05", "L12"]);
    }
}

#[test]
fn json_has_everything_and_nothing_else_is_printed() {
    let swarm = FakeSwarm::with([stuck("web")]);
    let run = lint(&swarm, &["--json", "--exit-code", "--ignore", "L12"]).answers(Exit::Different);
    assert_eq!(run.stderr, "");
    let id = swarm.service("web").id;
    assert_eq!(
        run.json(),
        json!({
            "command": "lint", "exit_code": 10, "level": "warn",
            "services": [{"name": "web", "id": id, "ignored": ["L12"], "findings": [{
                "id": "L05", "name": "hostport-start-first", "severity": "error",
                "place": "EndpointSpec.Ports[22222:80/tcp/host]",
                "message": "host port 22222 with start-first requires a spare node: 1 replica on 1 eligible node",
                "fix": "swarmctl update --update-order stop-first web"
            }]}],
            "counts": {"error": 1, "warn": 0, "info": 1}, "skipped_rules": []
        })
    );
}

#[test]
fn services_are_selected_as_by_the_engine() {
    let mut shop = fine("shop_web");
    shop["Labels"] = json!({"com.docker.stack.namespace": "shop", "a": "b"});
    let mut agent = fine("agent");
    agent["Mode"] = json!({"Global": {}});
    agent["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
    let swarm = FakeSwarm::with([shop, agent, fine("shop")]);
    let id = swarm.service("agent").id;
    let checked = |args: &[&str]| {
        let run = lint(&swarm, &[args, &["--json"]].concat()).succeeds();
        let services = run.json()["services"].as_array().unwrap().clone();
        services.iter().map(|service| service["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = ["agent", "shop", "shop_web"];
    assert_eq!(checked(&[]), all);
    assert_eq!(checked(&["--all"]), all);
    assert_eq!(checked(&["--stack", "shop"]), ["shop_web"]);
    assert_eq!(checked(&["-f", "name=shop"]), ["shop", "shop_web"]);
    assert_eq!(checked(&["-f", "label=a"]), ["shop_web"]);
    assert_eq!(checked(&["-f", "label=a=b", "-f", "mode=replicated"]), ["shop_web"]);
    assert_eq!(checked(&["-f", "mode=global", "-f", "mode=replicated"]), all);
    assert_eq!(checked(&["-f", &format!("id={}", &id[..8])]), ["agent"]);
    assert_eq!(checked(&["-f", &format!("image={}", NEW.split(':').next().unwrap())]), all);
    assert_eq!(checked(&["-f", &format!("image={NEW}")]), ["agent"]);
    assert_eq!(checked(&["shop", "shop", "shop_web"]), ["shop", "shop_web"]);
    assert_eq!(checked(&[&id]), ["agent"]);
    assert_eq!(checked(&[&id[..6]]), ["agent"]);
    for nothing in [["--stack", "other"], ["-f", "label=a=c"], ["-f", "name=hop"]] {
        lint(&swarm, &nothing).fails_with(Exit::NotFound);
    }
    lint(&FakeSwarm::start(), &["--all"]).fails_with(Exit::NotFound);
    lint(&swarm, &["--all", "shop"]).fails_with(Exit::Usage);
    // 20.10.24 and 28.5.2 find services by the exact name only.
    for missing in ["nosuch", "SHOP", &id[..5], "../x"] {
        let run = lint(&swarm, &["--json", "shop", missing]).fails_with(Exit::NotFound);
        assert_eq!(run.json()["exit_code"], 3);
        assert_eq!(run.json()["services"].as_array().unwrap().len(), 1);
        assert!(run.stderr.contains("error: cannot check service"), "{}", run.report());
    }
    let why = format!("an ID prefix needs at least 6 characters; `{id}` is service `agent`");
    lint(&swarm, &[&id[..5]]).fails_with(Exit::NotFound).says(&[&why]);
    let none = lint(&swarm, &["nosuch"]).fails_with(Exit::NotFound);
    assert!(!none.stderr.contains("checked"), "{}", none.report());
}

#[test]
fn a_mount_that_update_has_added_is_checked_by_its_source() {
    for (source, is_found) in [("/run/docker.sock", true), ("/", true), ("/etc/hosts", false)] {
        let swarm = FakeSwarm::with([fine("web")]);
        let mount = format!("type=bind,source={source},target=/x");
        swarmctl(["update", "--detach", "--mount-add", &mount, "web"]).host(swarm.host()).run().succeeds();
        let run = lint(&swarm, &["--json", "--level", "info"]).succeeds();
        assert_eq!(ids(&run, 0).contains(&"L19".to_owned()), is_found, "{source}: {}", run.report());
    }
}

#[test]
fn a_refused_or_missing_endpoint_skips_the_rules_that_need_it() {
    let of_nodes = ["L05", "L06", "L07", "L08", "L09", "L10", "L11", "L17", "L18", "L26", "L28"];
    for (path, skipped) in
        [("/nodes", &of_nodes[..]), ("/tasks", &["L10", "L16", "L17"]), ("/networks", &["L10"])]
    {
        for (status, answer) in [
            (403, Answer::error(403, "forbidden by the proxy")),
            (404, Answer::error(404, "page not found")),
            (401, Answer::json(401, "<html>who are you?</html>")),
        ] {
            let swarm = FakeSwarm::with([stuck("web")]);
            swarm.forbids("GET", path, answer);
            let run = lint(&swarm, &["--json"]).succeeds();
            let expected: Vec<Value> = skipped
                .iter()
                .map(|id| json!({"id": id, "reason": format!("GET {path}: {status}")}))
                .collect();
            assert_eq!(run.json()["skipped_rules"], Value::from(expected), "{path} {status}");
            assert_eq!(run.stderr, format!("skipped {} (GET {path}: {status})\n", skipped.join(", ")));
            assert_eq!(ids(&run, 0), if path == "/nodes" { &["L12"][..] } else { &["L05", "L12"] });
            assert_eq!(requested(&swarm).len(), 5);
        }
    }
    let swarm = FakeSwarm::with([stuck("web")]);
    swarm.forbids("GET", "/networks", Answer::error(403, "no"));
    assert_eq!(lint(&swarm, &["--json", "--ignore", "L10"]).succeeds().json()["skipped_rules"], json!([]));
    swarm.forbids("GET", "/services", Answer::error(403, "no"));
    lint(&swarm, &[]).fails_with(Exit::Unreachable);
}

#[test]
fn secrets_and_configs_are_requested_by_id_and_only_if_the_previous_spec_alone_has_them() {
    let config = |id: &str| json!({"ConfigID": id, "ConfigName": id, "File": {"Name": "/c"}});
    let with = |name: &str, ids: &[&str]| {
        let mut spec = fine(name);
        spec["TaskTemplate"]["ContainerSpec"]["Configs"] = ids.iter().map(|id| config(id)).collect();
        spec
    };
    let swarm = FakeSwarm::with([with("web", &["kept", "gone"]), with("db", &["kept"])]);
    swarm
        .world()
        .write("web", |spec| spec["TaskTemplate"]["ContainerSpec"]["Configs"] = json!([config("kept")]));
    let run = lint(&swarm, &["--json"]).succeeds();
    assert_eq!(ids(&run, 1), ["L21"]);
    let finding = &run.json()["services"][1]["findings"][0];
    assert_eq!(finding["place"], "PreviousSpec.TaskTemplate.ContainerSpec.Configs[gone:/c]");
    let requests = requested(&swarm);
    assert_eq!(requests[1], r#"/configs {"id":["gone"]}"#);
    assert_eq!(requests.len(), 6);
    swarm.world().secrets.push(("gone".to_owned(), "gone".to_owned()));
    assert_eq!(ids(&lint(&swarm, &["--json"]).succeeds(), 1), [""; 0]);
    swarm.forbids("GET", "/configs", Answer::error(403, "no"));
    let run = lint(&swarm, &["--json"]).succeeds();
    assert_eq!(run.json()["skipped_rules"], json!([{"id": "L21", "reason": "GET /configs: 403"}]));
    let run = lint(&swarm, &["--json", "db"]).succeeds();
    assert_eq!(run.json()["skipped_rules"], json!([]), "nothing of `db` has to be looked up");
}

#[test]
fn a_field_of_an_unexpected_type_skips_a_rule_for_this_service_only() {
    let mut odd = stuck("odd");
    odd["EndpointSpec"]["Ports"] = "none".into();
    odd["TaskTemplate"]["ContainerSpec"]["Env"] = json!([1, "A_TOKEN=hunter22"]);
    odd["UpdateConfig"]["Monitor"] = json!({});
    let run = lint(&FakeSwarm::with([odd, stuck("web")]), &["--json"]).succeeds();
    assert_eq!(
        (ids(&run, 0), ids(&run, 1)),
        (vec!["L12".to_owned()], vec!["L05".to_owned(), "L12".to_owned()])
    );
    assert_eq!((&run.json()["skipped_rules"], &*run.stderr), (&json!([]), ""));
}

#[test]
fn a_task_that_cannot_be_read_skips_the_rules_for_its_service_only() {
    let mut limited = fine("web");
    limited["TaskTemplate"]["RestartPolicy"] = json!({"Condition": "none"});
    let mut other = limited.clone();
    other["Name"] = "other".into();
    let swarm = FakeSwarm::with([limited, other]);
    let failed = json!({
        "ID": "t1", "CreatedAt": "2026-01-01T10:00:00Z", "UpdatedAt": "2026-01-01T10:00:00Z", "Slot": 1,
        "NodeID": "n1o2d3e4n1o2d3e4n1o2d3e4n", "DesiredState": "shutdown",
        "Status": {"Timestamp": "2026-01-01T10:00:00Z", "State": "failed", "Err": "exit (1)"}
    });
    let mut odd = failed.clone();
    odd["Slot"] = "one".into();
    swarm.world().service("web").tasks = Some(vec![failed.clone()]);
    swarm.world().service("other").tasks = Some(vec![failed, odd]);
    let run = lint(&swarm, &["--json"]).succeeds();
    assert_eq!((ids(&run, 0), ids(&run, 1)), (vec![], vec!["L16".to_owned()]));
}

#[test]
fn values_of_variables_are_never_printed() {
    let mut web = fine("web");
    web["TaskTemplate"]["ContainerSpec"]["Env"] =
        json!(["DB_PASSWORD=hunter22", "DB_URL=pg://u:hunter22@db/x"]);
    let swarm = FakeSwarm::with([web]);
    for args in [&["lint"][..], &["lint", "--json"], &["--debug", "lint", "--level", "info"]] {
        let run = swarmctl(args).host(swarm.host()).run().succeeds();
        assert_eq!(run.stdout.matches("L14").count(), 2, "{}", run.report());
        assert!(!run.report().contains("hunter22"), "{}", run.report());
    }
}

#[test]
fn text_from_the_engine_is_made_visible_and_quoted() {
    let mut web = stuck("a b\u{202e}");
    web["TaskTemplate"]["Placement"]["Constraints"] = json!(["node.labels.x==\u{1b}[2J $(reboot)"]);
    let run = lint(&FakeSwarm::with([web]), &[]).succeeds();
    assert!(!run.stdout.contains(['\u{202e}', '\u{1b}']), "{}", run.report());
    assert!(run.stdout.contains(r"a b\u{202e} L08 error: "), "{}", run.report());
    assert!(
        run.stdout.contains(r"swarmctl update --constraint-rm $'node.labels.x==\033[2J $(reboot)' $'a b\342")
    );
}

/// The network has one address too few for two services. Only one of them is checked.
#[test]
fn services_that_share_a_network_are_counted_whatever_is_selected() {
    let on_network = |name: &str, replicas: u64| {
        let mut spec = fine(name);
        spec["Mode"]["Replicated"]["Replicas"] = replicas.into();
        spec["TaskTemplate"]["Networks"] = json!([{"Target": "net"}]);
        service_text_with(&format!("{name:a<25}"), 9, &spec.to_string(), "")
    };
    let list = |items: &[String]| Answer::json(200, format!("[{}]", items.join(",")));
    let network = json!({
        "Id": "net", "Name": "small", "Driver": "overlay",
        "IPAM": {"Config": [{"Subnet": "10.77.0.0/29", "Gateway": "10.77.0.1"}]}
    });
    let node = json!({
        "ID": "n1", "Spec": {"Availability": "active"}, "Description": {"Hostname": "n1"}, "Status": {"State": "ready"}
    });
    let engine = Engine::unordered([
        get("/v1.41/services").answers(list(&[on_network("web", 1), on_network("db", 2)])),
        get("/v1.41/tasks").answers(list(&[])),
        get("/v1.41/nodes").answers(list(&[node.to_string()])),
        get("/v1.41/networks").answers(list(&[network.to_string()])),
    ]);
    let run = swarmctl(["lint", "web"]).host(engine.host()).run().succeeds();
    assert_eq!(
        run.stdout.lines().next(),
        Some("web L10 error: the network `small` (10.77.0.0/29) has 6 addresses, and its services need 7")
    );
}

#[test]
fn more_services_than_are_checked_at_a_time_are_refused() {
    let services: Vec<String> = (0..10_001)
        .map(|n| format!(r#"{{"ID":"{n:025}","Version":{{"Index":1}},"Spec":{{"Name":"s{n}"}}}}"#))
        .collect();
    let empty = || Answer::json(200, "[]");
    let engine = Engine::unordered([
        get("/v1.41/services").answers(Answer::json(200, format!("[{}]", services.join(",")))),
        get("/v1.41/tasks").answers(empty()),
        get("/v1.41/nodes").answers(empty()),
        get("/v1.41/networks").answers(empty()),
    ]);
    let run = swarmctl(["lint"]).host(engine.host()).run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("10001 services are selected: at most 10000"), "{}", run.report());
}

#[test]
fn at_most_a_thousand_findings_of_a_service_are_reported() {
    let mut web = fine("web");
    web["TaskTemplate"]["ContainerSpec"]["Env"] = (0..1002).map(|n| format!("A{n}_TOKEN=abcd")).collect();
    let run = lint(&FakeSwarm::with([web]), &["--json"]).succeeds();
    assert_eq!(ids(&run, 0).len(), 1000);
    assert_eq!(run.stderr, "service `web`: 1000 of 1002 findings are reported\n");
}

#[test]
fn an_engine_that_is_away_is_unreachable() {
    swarmctl(["lint"]).host("unix:///nonexistent/docker.sock").run().fails_with(Exit::Unreachable);
    lint(&FakeSwarm::without_swarm(), &[]).fails_with(Exit::Unreachable);
}
