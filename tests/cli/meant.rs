//! "Did you mean": suggestions of similar names for names that do not exist.

use serde_json::{Value, json};

use super::settings::User;
use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{ID, NEW, OLD, spec, t001};
use crate::support::run::swarmctl;
use crate::support::server::Answer;

fn service(name: &str, stack: Option<&str>) -> Value {
    let mut spec = spec(name, OLD);
    spec["EndpointSpec"]["Ports"] = json!([]);
    if let Some(stack) = stack {
        spec["Labels"]["com.docker.stack.namespace"] = stack.into();
    }
    spec
}

fn swarm() -> FakeSwarm {
    FakeSwarm::with([
        service("web", None),
        service("shop_api", Some("shop")),
        service("shop_db", Some("shop")),
    ])
}

#[test]
fn a_similar_service_is_suggested_by_every_command() {
    let swarm = swarm();
    let pair = format!("wbe={NEW}");
    for line in [
        "inspect wbe",
        "inspect --pretty wbe",
        "inspect --format {{.ID}} wbe",
        "ps wbe",
        "logs wbe",
        "status wbe",
        "wait wbe",
        "rm wbe",
        "restart wbe",
        "scale wbe=3",
        "rollback wbe",
        "update --env-add A=1 wbe",
        &format!("update-image --no-resolve-image {pair}"),
        "update-image --no-resolve-image --tag 2 wbe",
        "auth refresh wbe",
        "outdated wbe",
        "lint wbe",
        "images wbe",
        "tags wbe",
    ] {
        let run = swarmctl(line.split(' ')).host(swarm.host()).run();
        if line.starts_with("tags") {
            continue;
        }
        run.fails_with(Exit::NotFound).says(&["did you mean `web`?"]);
    }
}

#[test]
fn a_stack_is_not_a_service() {
    let swarm = swarm();
    for line in
        ["inspect shop", "ps shop", "logs shop", "restart shop", "rm shop", "lint shop", "scale shop=2"]
    {
        let run = swarmctl(line.split(' ')).host(swarm.host()).run().fails_with(Exit::NotFound);
        run.says(&["hint: `shop` is a stack: use `--stack shop`"]).never_says(&["did you mean"]);
    }
}

#[test]
fn the_service_of_a_stack_and_a_similar_stack_are_found() {
    let swarm = swarm();
    for (line, says) in [
        ("inspect api", "did you mean `shop_api`?"),
        ("restart WEB2", "did you mean `web`?"),
        ("restart --stack shpo", "did you mean `shop`?"),
        ("inspect --stack shpo", "did you mean `shop`?"),
        ("lint --stack shpo", "did you mean `shop`?"),
        ("ps --stack shpo", "did you mean `shop`?"),
    ] {
        swarmctl(line.split(' ')).host(swarm.host()).run().fails_with(Exit::NotFound).says(&[says]);
    }
    let run = swarmctl(["inspect", "zzzzz"]).host(swarm.host()).run().fails_with(Exit::NotFound);
    run.never_says(&["did you mean"]);
}

#[test]
fn several_names_take_one_list_and_a_correct_name_none() {
    let row = t001(OLD, 11);
    let none = || Answer::error(404, "service not found");
    let engine = Engine::ordered([
        get("/services/t01").answers(none()),
        get("/v1.41/services/t01").answers(none()),
        get("/v1.41/services/t0011").answers(none()),
        get("/v1.41/services").answers(Answer::json(200, format!("[{}]", row.trim_end()))),
    ]);
    let run = swarmctl(["inspect", "t01", "t0011"]).host(engine.host()).run().fails_with(Exit::NotFound);
    assert_eq!(run.stderr.matches("did you mean `t001`?").count(), 2, "{}", run.report());
    let engine = Engine::ordered([get("/services/t001").answers(Answer::json(200, row))]);
    swarmctl(["inspect", "t001"]).host(engine.host()).run().succeeds().prints(&[ID]);
}

#[test]
fn several_names_of_a_batch_share_one_hint() {
    let swarm = swarm();
    let run = swarmctl(["restart", "wbe", "web", "shop_dbb", "shop"]).host(swarm.host()).run();
    run.fails_with(Exit::NotFound).says(&[
        "hint: `shop` is a stack: use `--stack shop`; did you mean `web` instead of `wbe`, `shop_db` instead of `shop_dbb`?",
    ]);
    assert!(swarm.posts().is_empty());
}

#[test]
fn an_engine_that_does_not_list_services_costs_the_suggestion_only() {
    let engine = Engine::ordered([
        get("/services/t01").answers(Answer::error(404, "service not found")),
        get("/v1.41/services/t01").answers(Answer::error(404, "service not found")),
        get("/v1.41/services").answers(Answer::page(403)),
    ]);
    let run = swarmctl(["inspect", "t01"]).host(engine.host()).run().fails_with(Exit::NotFound);
    run.says(&["no such service: `t01`", "list the services with `swarmctl ls`"])
        .never_says(&["did you mean"]);
}

#[test]
fn networks_secrets_and_configs_are_suggested_too() {
    for (kind, listed) in [
        ("network", json!([{ "Name": "backend", "Id": "n1" }, { "Name": "front", "Id": "n2" }])),
        ("secret", json!([{ "ID": "s1", "Spec": { "Name": "backend" } }])),
        ("config", json!([{ "ID": "c1", "Spec": { "Name": "backend" } }])),
    ] {
        let all = Answer::json(200, listed.to_string());
        let lookups = match kind {
            "network" => vec![
                get("/v1.41/networks/bakcend?scope=swarm")
                    .answers(Answer::error(404, "network bakcend not found")),
                get("/v1.41/networks?filters={\"scope\":{\"swarm\":true}}").answers(all),
            ],
            kind => vec![
                get(&format!("/v1.41/{kind}s?filters={{\"name\":[\"bakcend\"]}}"))
                    .answers(Answer::json(200, "[]")),
                get(&format!("/v1.41/{kind}s")).answers(all),
            ],
        };
        let found = get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11)));
        let engine = Engine::ordered(std::iter::once(found).chain(lookups));
        let run = swarmctl(["update", &format!("--{kind}-add"), "bakcend", "t001"]).host(engine.host()).run();
        run.fails_with(Exit::NotFound).says(&[
            &format!("no such {kind}: `bakcend`"),
            &format!("did you mean `backend`? list them with `docker {kind} ls`"),
        ]);
    }
    let engine = Engine::ordered([
        get("/v1.41/configs?filters={\"name\":[\"/root/x\"]}").answers(Answer::json(200, "[]"))
    ]);
    let args = ["create", "--no-resolve-image", "--config", "/root/x", NEW];
    let run = swarmctl(args).host(engine.host()).run().fails_with(Exit::NotFound);
    run.says(&["put --config before the subcommand"]);
}

#[test]
fn contexts_are_suggested_too() {
    let user = User::new(&["a"], "");
    for name in ["prod", "staging"] {
        let docker = json!({ "Host": user.host("b"), "SkipTLSVerify": false });
        user.context(name, &json!({ "Name": name, "Metadata": {}, "Endpoints": { "docker": docker } }));
    }
    for line in ["-c prdo", "DOCKER_CONTEXT=prdo"] {
        let run = user.swarmctl(line, &["ls"]).run().fails_with(Exit::NotFound);
        run.says(&[
            "no such context: `prdo`",
            "did you mean `prod`? list the contexts with `swarmctl context ls`",
        ]);
    }
}
