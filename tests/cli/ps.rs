//! `ps`: requests, the table, the filters, the engine's own JSON, services that do not exist.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::engine::{Engine, Expect, get};
use crate::support::exit::Exit;
use crate::support::fixtures::{OLD, service_text, spec};
use crate::support::run::swarmctl;
use crate::support::screen::assert_screen;
use crate::support::server::Answer;

const WEB: &str = "1vmkw77uhqcxjfzgtls48aen1";
const DB: &str = "2vmkw77uhqcxjfzgtls48aen1";
const NODE: &str = "poerqbqn9gys5aoj7hwsie04d";
const ERR: &str = "starting container failed: cannot open /etc/whoami.conf: no such file or directory";

fn now() -> Timestamp {
    "2026-11-22T03:00:00Z".parse().unwrap()
}

/// A task that has been in this state for this number of seconds.
fn task(id: &str, service: &str, slot: u64, state: &str, seconds: i64) -> Value {
    let at = (now() - SignedDuration::from_secs(seconds)).to_string();
    let mut task = json!({
        "ID": format!("{id}6rzuu6rxyqikq81dlk7jj4y9").chars().take(25).collect::<String>(),
        "CreatedAt": at, "UpdatedAt": at,
        "Spec": { "ContainerSpec": { "Image": format!("{OLD}@sha256:{}", "a".repeat(64)) } },
        "ServiceID": service, "Slot": slot, "NodeID": NODE,
        "Status": { "Timestamp": at, "State": state, "ContainerStatus": {}, "PortStatus": {} },
        "DesiredState": if state == "failed" { "shutdown" } else { "running" }
    });
    if state == "failed" {
        task["Status"]["Err"] = ERR.into();
    }
    task
}

fn service(given: &str, id: &str, mode: Value) -> Expect {
    let mut spec = spec(if id == WEB { "web" } else { "db" }, OLD);
    spec["Mode"] = mode;
    get(&format!("/v1.41/services/{given}"))
        .answers(Answer::json(200, service_text(id, 11, &spec.to_string())))
}

fn replicated() -> Value {
    json!({ "Replicated": { "Replicas": 2 } })
}

fn tasks(filters: Value, tasks: &[Value]) -> Expect {
    let mut answer = Answer::json(200, Value::from(tasks).to_string());
    answer.date = Some(now());
    get(&format!("/v1.41/tasks?filters={filters}")).answers(answer)
}

fn of(services: &[&str]) -> Value {
    json!({ "service": services })
}

fn nodes() -> Expect {
    let node = json!([{
        "ID": NODE, "Version": { "Index": 9 }, "Spec": { "Role": "manager", "Availability": "active" },
        "Description": { "Hostname": "vm1" }, "Status": { "State": "ready", "Addr": "127.0.0.1" }
    }]);
    get("/v1.41/nodes").answers(Answer::json(200, node.to_string()))
}

fn cells(line: &str) -> Vec<&str> {
    line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn shows_the_tasks_of_all_services_with_one_list_of_tasks_and_one_of_nodes() {
    let global = json!({ "Global": {} });
    let mut published = task("ccccccc", DB, 0, "running", 3 * 3600);
    let port = json!({ "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "host" });
    published["Status"]["PortStatus"]["Ports"] = json!([port, port]);
    let mut pending = task("eeeeeee", WEB, 10, "pending", 5);
    pending["NodeID"] = "".into();
    let listed = [
        task("aaaaaaa", WEB, 1, "failed", 600),
        pending,
        published,
        task("bbbbbbb", WEB, 1, "running", 300),
        task("ddddddd", WEB, 2, "running", 0),
    ];
    let engine = Engine::ordered([
        service("web", WEB, replicated()),
        service(DB, DB, global),
        service("1vmkw7", WEB, replicated()),
        tasks(of(&[WEB, DB]), &listed),
        nodes(),
    ]);
    let run = swarmctl(["ps", "web", DB, "1vmkw7"]).host(engine.host()).run().succeeds();
    assert_screen("ps", &run);
    assert_eq!(run.stderr, "");
    let lines: Vec<Vec<&str>> = run.stdout.lines().map(cells).collect();
    let global_name = format!("db.{NODE}");
    let error = format!("\"{ERR}\"");
    assert_eq!(
        lines,
        [
            vec!["ID", "NAME", "IMAGE", "NODE", "DESIRED STATE", "CURRENT STATE", "ERROR", "PORTS"],
            vec![
                "ccccccc6rzuu",
                &global_name,
                OLD,
                "vm1",
                "Running",
                "Running 3 hours ago",
                "*:8080->80/tcp"
            ],
            vec!["bbbbbbb6rzuu", "web.1", OLD, "vm1", "Running", "Running 5 minutes ago"],
            vec!["aaaaaaa6rzuu", "\\_ web.1", OLD, "vm1", "Shutdown", "Failed 10 minutes ago", &error],
            vec!["ddddddd6rzuu", "web.2", OLD, "vm1", "Running", "Running less than a second ago"],
            vec!["eeeeeee6rzuu", "web.10", OLD, "Running", "Pending 5 seconds ago"],
        ]
    );
}

#[test]
fn prints_full_ids_and_no_names_on_request() {
    let listed = [task("aaaaaaa", WEB, 1, "running", 60)];
    let script = || [service("web", WEB, replicated()), tasks(of(&[WEB]), &listed)];
    let engine = Engine::ordered(script());
    let run = swarmctl(["ps", "--no-trunc", "--no-resolve", "web"]).host(engine.host()).run().succeeds();
    let (id, name, image) =
        ("aaaaaaa6rzuu6rxyqikq81dlk", format!("{WEB}.1"), format!("{OLD}@sha256:{}", "a".repeat(64)));
    assert_eq!(
        cells(run.stdout.lines().nth(1).unwrap()),
        [id, &name, &image, NODE, "Running", "Running about a minute ago"]
    );
    let engine = Engine::ordered(script());
    let run = swarmctl(["ps", "-q", "web"]).host(engine.host()).run().succeeds();
    assert_eq!(run.stdout, format!("{id}\n"));
}

#[test]
fn json_is_the_engines_own() {
    let text = r#"{"Odd":1.10,"ID":"aaaaaaa6rzuu","CreatedAt":"2026-11-22T02:00:00Z","UpdatedAt":"2026-11-22T02:00:00Z","Version":{"Index":9007199254740993},"Status":{"Timestamp":"2026-11-22T02:00:00Z","State":"levitating"},"ServiceID":"x"}"#;
    let list =
        get(&format!("/v1.41/tasks?filters={}", of(&[WEB]))).answers(Answer::json(200, format!("[{text}]")));
    let engine = Engine::ordered([service("web", WEB, replicated()), list]);
    let run = swarmctl(["ps", "--json", "web"]).host(engine.host()).run().succeeds();
    assert_eq!(run.stdout.replace([' ', '\n'], ""), format!("[{text}]"));
}

/// The list of services, which is requested to suggest similar names.
fn similar() -> Expect {
    get("/v1.41/services").answers(Answer::json(200, "[]"))
}

#[test]
fn a_service_that_is_not_there_does_not_hide_the_others() {
    let none = Answer::error(404, "service nosuch not found");
    let engine = Engine::ordered([
        get("/v1.41/services/nosuch").answers(none),
        service("web", WEB, replicated()),
        service("db", DB, replicated()),
        similar(),
        get(&format!("/v1.41/tasks?filters={}", of(&[WEB, DB])))
            .answers(Answer::error(404, &format!("service {DB} not found"))),
        tasks(of(&[WEB]), &[task("aaaaaaa", WEB, 1, "running", 60)]),
        nodes(),
    ]);
    let run =
        swarmctl(["ps", "nosuch", "web", "db", "../x"]).host(engine.host()).run().fails_with(Exit::NotFound);
    assert_eq!(run.stdout.lines().count(), 2);
    run.says(&[
        "error: cannot list the tasks of service `nosuch`\ncaused by: no such service: `nosuch`\nhint: ",
        "`../x` (this is not a valid service name)",
        "no such service: `db` (it was removed in the meantime)",
    ]);
}

#[test]
fn with_no_service_at_all_nothing_is_listed() {
    let none = || get("/v1.41/services/nosuch").answers(Answer::error(404, "service nosuch not found"));
    let engine = Engine::ordered([none(), similar()]);
    swarmctl(["ps", "nosuch"]).host(engine.host()).run().fails_with(Exit::NotFound).tells_an_error();
    let engine = Engine::ordered([none(), similar()]);
    let run = swarmctl(["ps", "--json", "nosuch"]).host(engine.host()).run().fails_with(Exit::NotFound);
    assert_eq!(run.stdout, "[]\n");
}

#[test]
fn filters_are_the_engines_and_nodes_are_given_by_name() {
    let filters = json!({ "service": [WEB], "desired-state": ["running", "shutdown"], "name": ["web.1"], "node": [NODE] });
    let engine = Engine::ordered([service("web", WEB, replicated()), nodes(), tasks(filters, &[])]);
    let args = ["ps", "-f", "desired-state=Running", "-f", "desired-state=shutdown", "--filter=name=web.1"];
    let args = args.into_iter().chain(["--filter", "node=vm1", "web"]);
    let run = swarmctl(args).host(engine.host()).run().succeeds();
    assert_eq!(run.stdout.lines().count(), 1);

    let own =
        get("/v1.41/info").answers(Answer::json(200, json!({ "Swarm": { "NodeID": NODE } }).to_string()));
    let filters = json!({ "service": [WEB], "node": [NODE] });
    let engine = Engine::ordered([service("web", WEB, replicated()), own, tasks(filters, &[])]);
    swarmctl(["ps", "-q", "-f", "node=self", "web"]).host(engine.host()).run().succeeds();

    let engine = Engine::ordered([service("web", WEB, replicated()), nodes()]);
    let run = swarmctl(["ps", "-f", "node=vm2", "web"]).host(engine.host()).run().fails_with(Exit::NotFound);
    run.tells_an_error().says(&["no such node: `vm2`"]);
}

#[test]
fn what_the_engine_does_not_filter_by_is_refused() {
    let engine = Engine::silent();
    for filter in ["label=a=b", "desired-state=up", "running", "color=red"] {
        swarmctl(["ps", "-f", filter, "web"])
            .host(engine.host())
            .run()
            .fails_with(Exit::Usage)
            .tells_an_error();
    }
    assert_eq!(engine.pings(), 0);
}

#[test]
fn a_list_of_services_or_tasks_names_at_most_500() {
    let ids: Vec<String> = (0..501).map(|n| format!("{n:025}")).collect();
    let found = ids.chunks(500).map(|ids| {
        let texts: Vec<String> =
            ids.iter().map(|id| service_text(id, 11, &spec(&format!("s{id}"), OLD).to_string())).collect();
        let filters = json!({ "id": ids });
        get(&format!("/v1.41/services?filters={filters}"))
            .answers(Answer::json(200, format!("[{}]", texts.join(","))))
    });
    let list =
        |ids: &[String]| tasks(json!({ "service": ids }), &[task("aaaaaaa", &ids[0], 1, "running", 60)]);
    let lists = [list(&ids[..500]), list(&ids[500..])];
    let engine = Engine::ordered(found.chain(lists));
    let args = ["ps", "-q"].into_iter().map(str::to_owned).chain(ids.iter().cloned());
    let run = swarmctl(args).host(engine.host()).run().succeeds();
    assert_eq!((run.stdout.lines().count(), engine.connections()), (2, 1));
}

#[test]
fn text_from_the_engine_moves_no_cursor() {
    let mut hostile = task("aaaaaaa", WEB, 1, "failed", 60);
    hostile["Status"]["Err"] = "\u{1b}[2J\nfake.1   running".into();
    let engine = Engine::ordered([service("web", WEB, replicated()), tasks(of(&[WEB]), &[hostile]), nodes()]);
    let run = swarmctl(["ps", "web"]).host(engine.host()).run().succeeds();
    assert_eq!(run.stdout.lines().count(), 2);
    run.prints(&[r#""\u{1b}[2J\nfake.1   running""#]);
}

#[test]
fn without_the_nodes_their_ids_are_printed_with_one_note() {
    for answer in [
        Answer::page(403),
        Answer::page(404),
        Answer::page(200),
        Answer::json(401, ""),
        Answer::line(404, "404 page not found"),
        Answer::error(403, "authorization denied by plugin x"),
    ] {
        let listed = [task("aaaaaaa", WEB, 1, "running", 60), task("bbbbbbb", WEB, 2, "running", 60)];
        let engine = Engine::ordered([
            service("web", WEB, replicated()),
            tasks(of(&[WEB]), &listed),
            nodes().answers(answer).times(1..=5),
        ]);
        let run = swarmctl(["ps", "web"]).host(engine.host()).run().succeeds();
        let of_nodes: Vec<&str> = run.stdout.lines().skip(1).map(|line| cells(line)[3]).collect();
        assert_eq!(of_nodes, [NODE, NODE]);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.report());
        run.says(&["the names of nodes are not available, so IDs are printed: ", "/nodes"]);
    }
    // A filter by a node's full ID does not need the list of nodes, but a filter by name does.
    let filters = json!({ "service": [WEB], "node": [NODE] });
    let engine = Engine::ordered([
        service("web", WEB, replicated()),
        nodes().answers(Answer::page(403)),
        tasks(filters, &[task("aaaaaaa", WEB, 1, "running", 60)]),
    ]);
    let id = format!("node={NODE}");
    let run = swarmctl(["ps", "-q", "-f", &id, "web"]).host(engine.host()).run().succeeds();
    assert_eq!(run.stdout.lines().count(), 1);
    let engine = Engine::ordered([service("web", WEB, replicated()), nodes().answers(Answer::page(403))]);
    let run =
        swarmctl(["ps", "-f", "node=vm1", "web"]).host(engine.host()).run().fails_with(Exit::Unreachable);
    run.says(&["permission denied"]);
}
