//! `context show` and `context ls`.

use std::fs;

use serde_json::json;

use super::settings::User;
use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::run::swarmctl;
use crate::support::secrets::PASSWORD;
use crate::support::server::Answer;
use crate::support::system;

const SHOW: &[&str] = &["context", "show"];
const SHOW_JSON: &[&str] = &["context", "show", "--json"];

#[test]
fn show_prints_the_engine_and_why_it_is_selected() {
    let user = User::new(&["a", "b"], "b");
    let run = user.swarmctl("DOCKER_HOST=@c DOCKER_CONTEXT=a DOCKER_TLS=1", SHOW).run().succeeds();
    let host = user.host("c");
    run.prints(&[
        "Context:            default (DOCKER_HOST)\n",
        &format!("Endpoint:           {host} (DOCKER_HOST)\n"),
        "Overridden:         DOCKER_CONTEXT=a, currentContext in config.json=b\n",
        "TLS:                no\n",
        "Not used:           DOCKER_TLS=1 (TLS is for TCP only)\n",
        "(DOCKER_CONFIG)\n",
        "API version:        1.41 (the engine's own)\n",
        "Engine:             20.10.24\n",
        "Engine's API:       1.12 to 1.41\n",
        "Name:               manager1\n",
        "OS/Arch:            linux/amd64\n",
        "Swarm:              active\n",
        "Manager:            yes, the leader, reachable\n",
    ]);
    let run = user.swarmctl("DOCKER_CONTEXT=a", SHOW_JSON).run().succeeds();
    let shown = run.json();
    assert_eq!(shown["context"], "a");
    assert_eq!(shown["endpoint"], user.host("a").as_str());
    assert_eq!([&shown["context_from"], &shown["endpoint_from"]], ["DOCKER_CONTEXT", "DOCKER_CONTEXT"]);
    assert_eq!(shown["overridden"], json!([{ "setting": "config.json:currentContext", "value": "b" }]));
    assert_eq!(shown["engine"]["version"], "20.10.24");
    assert_eq!(shown["engine"]["swarm"]["leader"], true);
    assert_eq!(&shown["reachable"], &json!(true));
    assert_eq!(&shown["error"], &json!(null));
    assert_eq!(
        user.swarmctl("", SHOW_JSON).run().succeeds().json()["context_from"],
        "config.json:currentContext"
    );
    assert_eq!(user.swarmctl("-c default", SHOW_JSON).run().json()["endpoint_from"], "default");
}

#[test]
fn an_engine_out_of_reach_is_unreachable_and_the_rest_is_shown() {
    let user = User::new(&[], "");
    let run = user.swarmctl("-H unix:///nonexistent/docker.sock", SHOW).run().fails_with(Exit::Unreachable);
    run.prints(&["Endpoint:           unix:///nonexistent/docker.sock (--host)\n"]).says(&[
        "error: cannot read the engine's properties",
        "cannot connect to the engine at `unix:///nonexistent/docker.sock`",
        "hint: ",
    ]);
    let run = user
        .swarmctl("-H unix:///nonexistent/docker.sock DOCKER_API_VERSION=1.40", SHOW_JSON)
        .run()
        .fails_with(Exit::Unreachable);
    let shown = run.json();
    assert_eq!(&shown["reachable"], &json!(false));
    assert_eq!(&shown["engine"], &json!(null));
    assert_eq!(
        (&shown["api_version"], &shown["api_version_from"]),
        (&json!("1.40"), &json!("DOCKER_API_VERSION"))
    );
    assert!(shown["error"].as_str().unwrap().contains("No such file"), "{shown}");
}

#[test]
fn an_engine_outside_of_a_swarm_is_not_a_manager() {
    let swarm = FakeSwarm::without_swarm();
    swarmctl(SHOW)
        .host(swarm.host())
        .run()
        .succeeds()
        .prints(&["Swarm:              inactive", "Manager:            no\n"]);
    let swarm = swarmctl(SHOW_JSON).host(swarm.host()).run().succeeds().json()["engine"]["swarm"].clone();
    assert_eq!(&swarm["manager"], &json!(false));
    assert_eq!(&swarm["leader"], &json!(null));
}

#[test]
fn managers_without_a_leader_are_reported_and_the_rest_is_shown() {
    let no_leader = Answer::error(400, "rpc error: code = Unknown desc = no quorum today");
    let engine = Engine::ordered([
        get("/v1.41/version").answers(Answer::json(200, system::version().to_string())),
        get("/v1.41/info").answers(Answer::json(200, system::info(Some("n1"), 5).to_string())),
        get("/v1.41/nodes/n1").answers(no_leader),
    ]);
    let run = swarmctl(SHOW).host(engine.host()).run().succeeds();
    run.prints(&[
        "Name:               manager1",
        "Manager:            yes, but the managers do not respond: ",
        "no quorum today",
    ]);
}

#[test]
fn an_operating_system_without_a_name_is_unknown() {
    let mut info = system::info(None, 5);
    info["OperatingSystem"] = " (containerized)".into();
    let engine = Engine::ordered([
        get("/v1.41/version").answers(Answer::json(200, system::version().to_string())),
        get("/v1.41/info").answers(Answer::json(200, info.to_string())),
    ]);
    swarmctl(SHOW)
        .host(engine.host())
        .run()
        .succeeds()
        .prints(&["System:             unknown (containerized)\n"]);
}

#[test]
fn the_api_version_is_shown_with_its_effect() {
    let user = User::new(&[], "");
    let run = user.swarmctl("-H @a DOCKER_API_VERSION=v1.40", SHOW).run().succeeds();
    run.prints(&["API version:        1.40 (DOCKER_API_VERSION; below the engine's own, so every post drops newer fields)\n"]);
    for (version, words) in [("1.99", "is too new"), ("1.11", "is too old")] {
        let run = user
            .swarmctl(&format!("-H @a DOCKER_API_VERSION={version}"), SHOW)
            .run()
            .fails_with(Exit::Failed);
        run.prints(&[
            &format!("API version:        {version} (DOCKER_API_VERSION"),
            "Engine:             20.10.24\n",
        ])
        .says(&[words, "hint: ", "DOCKER_API_VERSION"]);
        user.ls(&format!("-H @a DOCKER_API_VERSION={version}")).fails_with(Exit::Failed).says(&[words]);
    }
}

#[test]
fn tls_is_shown_with_its_files() {
    let user = User::new(&[], "");
    let directory = tempfile::tempdir().unwrap();
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        fs::write(directory.path().join(name), "").unwrap();
    }
    let path = directory.path().display().to_string();
    let line = format!("-H tcp://127.0.0.1:1 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH={path}");
    let run = user.swarmctl(&line, SHOW).run();
    run.prints(&[
        "TLS:                yes, the engine's certificate is checked (DOCKER_TLS_VERIFY)\n",
        &format!("CA:               {path}/ca.pem\n"),
        &format!("Key:              {path}/key.pem\n"),
    ]);
    let tls = user.swarmctl(&format!("{line} --tlsverify=false"), SHOW_JSON).run().json()["tls"].clone();
    assert_eq!(&tls["verified"], &json!(false));
    assert_eq!(&tls["from"], &json!("--tlsverify"));
    // Default files that do not exist are not used.
    let line = "-H tcp://127.0.0.1:1 --tls DOCKER_CERT_PATH=/nonexistent";
    let tls = user.swarmctl(line, SHOW_JSON).run().json()["tls"].clone();
    assert_eq!([&tls["ca"], &tls["cert"], &tls["key"]], [&json!(null), &json!(null), &json!(null)]);
}

#[test]
fn no_password_in_a_host_is_shown() {
    let user = User::new(&["a"], "");
    let docker = json!({ "docker": { "Host": format!("ssh://me:{PASSWORD}@h") } });
    user.context("p", &json!({ "Name": "p", "Endpoints": docker }));
    // `run` fails if any output contains the password.
    for command in [SHOW, SHOW_JSON] {
        let line = format!("-c a DOCKER_HOST=tcp://me:{PASSWORD}@h");
        user.swarmctl(&line, command).run().succeeds().prints(&["tcp://me:***@h"]);
    }
    user.swarmctl("", &["context", "ls"]).run().succeeds().prints(&["ssh://me:***@h"]);
    user.swarmctl("", &["context", "ls", "--json"]).run().succeeds().prints(&["ssh://me:***@h"]);
    user.ls("-c p").fails_with(Exit::Usage);
}

#[test]
fn ls_looks_like_dockers() {
    let user = User::new(&[], "");
    let host = |name: &str, host: &str| json!({ "Name": name, "Endpoints": { "docker": { "Host": host } } });
    user.context("t10", &host("t10", "ssh://me@manager1"));
    user.context("t2", &host("t2", "tcp://10.0.0.5:2376"));
    user.context("k", &json!({ "Name": "k", "Metadata": { "Description": "x\u{1b}[2J" } }));
    let run = user.swarmctl("DOCKER_CONTEXT=t2", &["context", "ls"]).run().succeeds();
    assert_eq!(
        run.stdout,
        "NAME      DESCRIPTION                               DOCKER ENDPOINT               ERROR\n\
         default   Current DOCKER_HOST based configuration   unix:///var/run/docker.sock\n\
         k         x\\u{1b}[2J                                                              it has no endpoint `docker`\n\
         t2 *                                                tcp://10.0.0.5:2376\n\
         t10                                                 ssh://me@manager1\n"
    );
    let run = user.swarmctl("-c nosuch", &["context", "list"]).run().succeeds();
    run.prints(&["nosuch *", "no such context"]);
    let run = user.swarmctl("-H tcp://a:1,tcp://b:2", &["context", "ls", "--json"]).run().succeeds();
    assert_eq!(&run.json()[0]["endpoint"], "tcp://a:1,tcp://b:2");
    let run = user.swarmctl("DOCKER_HOST=nosuch://x", &["context", "ls", "--json"]).run().succeeds();
    let rows = run.json();
    assert_eq!(&rows[0]["name"], &json!("default"));
    assert_eq!(&rows[0]["current"], &json!(true));
    assert!(rows[0]["error"].as_str().unwrap().contains("DOCKER_HOST"), "{rows}");
    assert_eq!(
        rows[2],
        json!({ "name": "t2", "current": false, "description": "", "endpoint": "tcp://10.0.0.5:2376", "error": null })
    );
    assert_eq!(user.swarmctl("", &["context", "ls", "-q"]).run().succeeds().stdout, "default\nk\nt2\nt10\n");
    user.config("{broken");
    user.swarmctl("", &["context", "ls"]).run().fails_with(Exit::Failed).says(&["config.json"]);
}
