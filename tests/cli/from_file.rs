//! `update-image --from`: Compose files, services that do not exist, images in another registry.

use serde_json::{Value, json};

use crate::support::engine::Engine;
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::spec;
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn bare(name: &str, image: &str) -> Value {
    let mut spec = spec(name, image);
    spec["EndpointSpec"]["Ports"] = json!([]);
    spec
}

fn of_stack(stack: &str, name: &str, image: &str) -> Value {
    let mut spec = bare(name, image);
    spec["Labels"]["com.docker.stack.namespace"] = stack.into();
    spec
}

/// The stack `shop`, and a service of another stack whose name looks as if it belonged to `shop`.
fn shop() -> FakeSwarm {
    FakeSwarm::with([
        of_stack("shop", "shop_web", "shop/web:1.7"),
        of_stack("shop", "shop_api", "shop/api:1.7"),
        of_stack("other", "shop_foreign", "shop/foreign:1.7"),
    ])
}

fn from(swarm: &FakeSwarm, file: &str, args: &[&str]) -> Run {
    let words = [&["update-image", "--from", "-", "--no-resolve-image", "--detach"], args].concat();
    swarmctl(words).host(swarm.host()).stdin(file).run()
}

fn compose(services: &[(&str, &str)]) -> String {
    let services: serde_json::Map<String, Value> =
        services.iter().map(|(name, image)| ((*name).to_owned(), json!({ "image": image }))).collect();
    json!({ "name": "project", "services": services }).to_string()
}

#[test]
fn a_compose_file_updates_the_services_of_its_stack_and_notes_the_others() {
    let swarm = shop();
    let run = from(&swarm, &compose(&[("web", "shop/web:1.8")]), &["--stack", "shop"]).succeeds();
    run.says(&["left 1 service of stack `shop` unchanged, because stdin does not list it: shop_api"]);
    assert_eq!(swarm.service("shop_web").image(), "shop/web:1.8");
    assert_eq!(swarm.service("shop_web").spec["Labels"].get("com.docker.stack.image"), None);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn a_service_of_another_stack_counts_as_missing_and_nothing_is_posted() {
    let swarm = shop();
    let file = compose(&[("web", "shop/web:1.8"), ("foreign", "shop/foreign:1.8")]);
    let run = from(&swarm, &file, &["--stack", "shop"]).fails_with(Exit::NotFound);
    run.says(&["the stack `shop` has no service `shop_foreign`"]);
    assert!(swarm.posts().is_empty());
    from(&swarm, &file, &["--stack", "shop", "--ignore-missing"]).succeeds();
    assert_eq!(swarm.posts().len(), 1);
    assert_eq!(swarm.service("shop_foreign").image(), "shop/foreign:1.7");
}

#[test]
fn a_compose_file_needs_a_stack_and_images_and_nothing_else_takes_one() {
    let swarm = shop();
    for (file, args, says) in [
        (compose(&[("web", "shop/web:1.8")]), &[][..], "its `name` is `project`"),
        (compose(&[]), &["--stack", "shop"], "`services` is empty"),
        (
            json!({ "services": { "web": { "build": "." } } }).to_string(),
            &["--stack", "shop"],
            r#"service `web` has no `image` (for example: `"web": {"image": "shop/web:1.8"}`)"#,
        ),
        ("shop_web shop/web:1.8".to_owned(), &["--stack", "shop"], "not a Compose file"),
        ("{".to_owned(), &["--stack", "shop"], "invalid JSON"),
    ] {
        let run = from(&swarm, &file, args).fails_with(Exit::Usage).tells_an_error();
        run.says(&[says]);
    }
    assert!(swarm.requests().is_empty());
}

#[test]
fn errors_about_the_file_name_it_and_have_an_example_of_the_command() {
    let engine = Engine::silent();
    let run = |args: &[&str]| {
        let words = [&["update-image"], args].concat();
        swarmctl(words).host(engine.host()).run().fails_with(Exit::Usage).tells_an_error()
    };
    let mapping = "staging.example.com=registry.example.com";
    run(&["--map-registry", mapping, "web", "nginx"]).says(&[&format!(
        "`--map-registry` needs `--from` (for example: `swarmctl update-image --from images.txt --map-registry {mapping}`)"
    )]);
    run(&["--from", "/nosuch\nfile"]).says(&[
        "`--from /nosuch\\nfile`: it cannot be read",
        "(for example: `swarmctl update-image --from images.txt`)",
    ]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("images.txt").display().to_string();
    std::fs::write(&file, "web s.example.com/web:1.8\n").unwrap();
    run(&["--from", &file, "--map-registry", "t.io=r.io"])
        .says(&[&format!("`--map-registry t.io=r.io`: no image in `{file}` starts with `t.io`")]);
    assert!(engine.requests().is_empty());
}

#[test]
fn missing_services_end_the_command_unless_they_are_ignored() {
    let swarm = shop();
    let file = "shop_web shop/web:1.8\nnosuch a:1\nshop_api shop/api:1.8\n";
    from(&swarm, file, &[]).fails_with(Exit::NotFound).says(&["no such service: `nosuch`"]);
    assert!(swarm.posts().is_empty());
    let run = from(&swarm, file, &["--ignore-missing", "--json", "--exit-code"]).answers(Exit::Different);
    assert_eq!(swarm.posts().len(), 2);
    let services = run.json()["services"].clone();
    let missing = &services[1];
    assert_eq!(
        json!([missing["name"], missing["outcome"], missing["reason"], missing["id"], missing["exit_code"]]),
        json!(["nosuch", "skipped", "missing", null, 0])
    );
    let run = from(&swarm, file, &["--ignore-missing", "--exit-code"]).succeeds();
    run.says(&["nosuch: skipped: no such service: `nosuch`"]);
    let none = from(&swarm, "nosuch a:1\nmissing b:1", &["--ignore-missing"]).fails_with(Exit::NotFound);
    none.says(&["nosuch", "missing"]);
}

#[test]
fn flags_about_a_file_need_one() {
    let swarm = shop();
    for args in [&["--ignore-missing", "web", "a:1"][..], &["--map-registry", "a.io=b.io", "web", "a:1"]] {
        let words = [&["update-image"], args].concat();
        swarmctl(words).host(swarm.host()).run().fails_with(Exit::Usage).says(&["--from"]);
    }
    for args in [&["--all"][..], &["--filter", "name=a"], &["--tag", "1"], &["--refresh"], &["web", "a:1"]] {
        from(&swarm, "web a:1", args).fails_with(Exit::Usage).tells_an_error();
    }
}

fn mapping(swarm: &FakeSwarm, file: &str, args: &[&str]) -> Run {
    let words = ["update-image", "--from", "-", "--detach", "--map-registry", "s.example.com=r.example.com"];
    swarmctl([&words[..], args].concat()).host(swarm.host()).stdin(file).run()
}

fn staging() -> FakeSwarm {
    FakeSwarm::with([bare("web", "r.example.com/shop/web:1.7"), bare("api", "shop/api:1")])
}

#[test]
fn mapped_images_are_deployed_if_the_registry_has_the_digest() {
    let swarm = staging();
    let pinned = format!("r.example.com/shop/web:1.8@{DIGEST}");
    swarm.world().registry.insert(pinned.clone(), DIGEST.to_owned());
    let file = format!("web s.example.com/shop/web:1.8@{DIGEST}\napi shop/api:1\n");
    let run = mapping(&swarm, &file, &["--json", "--no-resolve-image"]).succeeds();
    assert_eq!(swarm.service("web").image(), pinned);
    let services = run.json()["services"].clone();
    assert_eq!(services[0]["mapped_from"], format!("s.example.com/shop/web:1.8@{DIGEST}"));
    assert_eq!(services[1]["mapped_from"], Value::Null);
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn a_digest_that_is_not_in_the_target_registry_changes_nothing() {
    let file = format!("web s.example.com/shop/web:1.8@{DIGEST}\napi shop/api:2\n");
    let path = "/distribution/r.example.com/shop/web";
    for (answer, says) in [
        (
            Answer::error(404, "manifest unknown: manifest unknown"),
            &[
                "registry `r.example.com` does not have `r.example.com/shop/web:1.8@sha256:1111",
                "hint: `docker buildx imagetools create -t r.example.com/shop/web:1.8 s.example.com/shop/web@sha256:1111",
            ][..],
        ),
        (Answer::error(401, "unauthorized: authentication required"), &["docker login r.example.com"]),
        (Answer::error(500, "dial tcp: connection refused"), &["only if its registry has the digest"]),
    ] {
        for more in [&[][..], &["--on-resolve-error", "keep-tag"], &["--no-resolve-image"], &["--dry-run"]] {
            let swarm = staging();
            swarm.forbids("GET", path, answer.clone());
            mapping(&swarm, &file, more).fails_with(Exit::Failed).says(says);
            assert!(swarm.posts().is_empty());
        }
    }
}

#[test]
fn a_mapping_that_cannot_be_or_is_not_applied_is_a_usage_error() {
    let swarm = staging();
    for (maps, says) in [
        (&["t.example.com=r.example.com"][..], "no image in stdin starts with `t.example.com`"),
        (&["s.example.com/shop=r.io", "s.example.com=t.io"], "a longer mapping applies"),
        (&["shop=r.example.com"], "Docker Hub is `docker.io`"),
        (&["s.example.com"], "is not `FROM=TO`"),
        (&["s.example.com/shop/web=r.io"], "no repository"),
    ] {
        let maps: Vec<&str> = maps.iter().flat_map(|map| ["--map-registry", map]).collect();
        let run = from(&swarm, "web s.example.com/shop/web:1.8", &maps).fails_with(Exit::Usage);
        run.tells_an_error().says(&[says]);
    }
    assert!(swarm.requests().is_empty());
}

/// Anchors, `extends`, profiles and interpolation are resolved by compose; only the images are read.
#[test]
fn the_output_of_docker_compose_config_is_read() {
    let file = include_str!("../data/compose/config.json");
    let swarm = FakeSwarm::with(
        ["shop_web", "shop_api", "shop_db", "shop_debug"].map(|name| of_stack("shop", name, "shop/old:1")),
    );
    let before = ["shop_web", "shop_debug"].map(|name| swarm.service(name).spec.clone());
    let run = from(&swarm, file, &["--stack", "shop"]).succeeds();
    run.says(&["left 1 service of stack `shop` unchanged, because stdin does not list it: shop_debug"]);
    let images = ["shop_web", "shop_api", "shop_db"].map(|name| swarm.service(name).image().to_owned());
    assert_eq!(images, ["shop/web:1.8", "opera443399/whoami:0.7", &format!("postgres:16.4@{DIGEST}")]);
    let mut web = swarm.service("shop_web").spec.clone();
    web["TaskTemplate"]["ContainerSpec"]["Image"] = "shop/old:1".into();
    assert_eq!([web, swarm.service("shop_debug").spec.clone()], before);
}
