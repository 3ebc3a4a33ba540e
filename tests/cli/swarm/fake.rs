//! Compares the fake swarm with a real engine, because many tests depend on its accuracy.

use serde_json::{Value, json};

use super::engine::{Engine, Removed, engine, small};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{NEW, OLD};

/// The requests to both engines: a description, method, path and body. `VERSION` stands for the version index of the
/// service, and `NAME` for its name.
fn questions() -> Vec<(&'static str, &'static str, String, Option<Value>)> {
    let whole = small("NAME", OLD);
    let with = |place: &str, value: Value| {
        let mut spec = whole.clone();
        let (parent, key) = place.rsplit_once('/').expect("a pointer");
        spec.pointer_mut(parent).expect("a place")[key] = value;
        Some(spec)
    };
    let update = |query: &str| format!("/services/NAME/update{query}");
    let ok = || Some(whole.clone());
    vec![
        ("unknown service", "GET", "/services/NAMEnosuch".into(), None),
        ("unknown service, update", "POST", "/services/NAMEnosuch/update?version=1".into(), ok()),
        ("unknown service, delete", "DELETE", "/services/NAMEnosuch".into(), None),
        ("an API version that is too new", "GET", "/v1.99/services/NAME".into(), None),
        ("stale version", "POST", update("?version=1"), ok()),
        ("version ahead", "POST", update("?version=99999999"), ok()),
        ("no version", "POST", update(""), ok()),
        ("a version that is not a number", "POST", update("?version=abc"), ok()),
        (
            "a bad reference",
            "POST",
            update("?version=VERSION"),
            with("/TaskTemplate/ContainerSpec/Image", "a/WhoAmI:0.7".into()),
        ),
        (
            "no image",
            "POST",
            update("?version=VERSION"),
            with("/TaskTemplate/ContainerSpec/Image", "".into()),
        ),
        ("no ContainerSpec", "POST", update("?version=VERSION"), with("/TaskTemplate", json!({}))),
        ("mode change", "POST", update("?version=VERSION"), with("/Mode", json!({ "Global": {} }))),
        ("renaming", "POST", update("?version=VERSION"), with("/Name", "NAME-2".into())),
        ("a name that is taken", "POST", "/services/create".into(), ok()),
        (
            "a port that is taken",
            "POST",
            update("?version=VERSION"),
            with(
                "/EndpointSpec",
                json!({ "Mode": "vip", "Ports": [
                    { "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22601, "PublishMode": "ingress" }
                ] }),
            ),
        ),
        (
            "an unknown network",
            "POST",
            update("?version=VERSION"),
            with("/TaskTemplate/Networks", json!([{ "Target": "nosuch" }])),
        ),
        ("rollback without a previous spec", "POST", update("?version=VERSION&rollback=previous"), ok()),
        ("rollback=nonsense", "POST", update("?version=VERSION&rollback=nonsense"), ok()),
        ("registryAuthFrom=nonsense", "POST", update("?version=VERSION&registryAuthFrom=nonsense"), ok()),
        (
            "networks where there were none, the deprecated way",
            "POST",
            update("?version=VERSION"),
            with("/Networks", json!([{ "Target": "fake-net" }])),
        ),
        (
            "tasks of an unknown service",
            "GET",
            "/tasks?filters=%7B%22service%22%3A%5B%22NAMEnosuch%22%5D%7D".into(),
            None,
        ),
        ("an unknown network", "GET", "/networks/nosuch".into(), None),
        ("filters that are no JSON", "GET", "/services?filters=x".into(), None),
        ("the unchanged spec", "POST", update("?version=VERSION&registryAuthFrom=spec"), ok()),
        ("stale after it", "POST", update("?version=VERSION-1"), ok()),
        ("rollback to the previous spec", "POST", update("?version=VERSION&rollback=previous"), ok()),
    ]
}

/// The responses of an engine to all requests, without IDs, which differ between engines.
fn answers(engine: &Engine, name: &str, taken: &str) -> Vec<(&'static str, u16, String)> {
    let ids = [engine.service(name)["ID"].clone(), engine.service(taken)["ID"].clone()];
    let mut answers = Vec::new();
    for (what, method, path, body) in questions() {
        let index = engine.service(name)["Version"]["Index"].as_u64().unwrap();
        let fill = |text: &str| {
            text.replace("VERSION-1", &(index - 1).to_string())
                .replace("VERSION", &index.to_string())
                .replace("NAME", name)
        };
        let body = body.map(|body| serde_json::from_str::<Value>(&fill(&body.to_string())).unwrap());
        let (status, answer) = engine.try_ask(method, &fill(&path), body.as_ref()).unwrap();
        let mut message = answer["message"].as_str().unwrap_or_default().to_owned();
        for id in &ids {
            message = message.replace(id.as_str().unwrap(), "ID");
        }
        answers.push((what, status, message));
    }
    answers
}

fn specs() -> [Value; 2] {
    let mut taken = small("fake-taken", OLD);
    taken["EndpointSpec"] = json!({ "Mode": "vip", "Ports": [
        { "Protocol": "tcp", "TargetPort": 80, "PublishedPort": 22601, "PublishMode": "ingress" }
    ] });
    let mut specs = [small("fake-a", OLD), taken];
    specs.iter_mut().for_each(|spec| spec["Mode"]["Replicated"]["Replicas"] = 0.into());
    specs
}

#[test]
fn the_fake_swarm_answers_as_a_real_one() {
    let real = engine();
    let network = real.network("fake-net");
    let _services = specs().map(|spec| real.create(&spec));
    let swarm = FakeSwarm::with(specs());
    swarm.world().networks.push((network.id().to_owned(), "fake-net".into()));
    let fake = Engine::at(swarm.socket());

    let (wanted, got) = (answers(real, "fake-a", "fake-taken"), answers(&fake, "fake-a", "fake-taken"));
    // The fake swarm has the messages of Docker 20.10. Some messages of newer engines differ, with the same status.
    let (_, ping) = real.try_ask("GET", "/version", None).unwrap();
    let same_words = ping["ApiVersion"] == "1.41";
    let different: Vec<String> = wanted
        .iter()
        .zip(&got)
        .filter(|(wanted, got)| wanted.1 != got.1 || same_words && wanted.2 != got.2)
        .map(|(wanted, got)| {
            format!("{}:\n    real {} {}\n    fake {} {}", wanted.0, wanted.1, wanted.2, got.1, got.2)
        })
        .collect();
    assert!(different.is_empty(), "the fake swarm differs:\n  {}", different.join("\n  "));
}

#[test]
fn the_fake_swarm_keeps_versions_and_specs_as_a_real_one() {
    let real = engine();
    let mut spec = small("fake-b", OLD);
    spec["Mode"]["Replicated"]["Replicas"] = 0.into();
    let service: Removed = real.create(&spec);
    let swarm = FakeSwarm::with([spec]);
    let fake = Engine::at(swarm.socket());
    for engine in [real, &fake] {
        let before = engine.service("fake-b");
        let index = |service: &Value| service["Version"]["Index"].as_u64().unwrap();
        let mut changed = before["Spec"].clone();
        changed["TaskTemplate"]["ContainerSpec"]["Image"] = NEW.into();
        let path = format!("/services/fake-b/update?version={}", index(&before));
        engine.ask("POST", &path, Some(&changed));
        let after = engine.service("fake-b");
        assert_eq!(after["Spec"], changed);
        assert_eq!(after["PreviousSpec"], before["Spec"]);
        assert!(index(&after) > index(&before));
        assert_eq!(
            engine.service(&after["ID"].as_str().unwrap()[..7])["ID"],
            after["ID"],
            "a prefix finds it"
        );
        let path = format!("/services/fake-b/update?version={}&rollback=previous", index(&after));
        engine.ask("POST", &path, Some(&changed));
        assert_eq!(engine.service("fake-b")["Spec"], before["Spec"]);
    }
    drop(service);
}
