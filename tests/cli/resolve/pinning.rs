//! Which digest is pinned, and when the registry is contacted.

use serde_json::{Value, json};

use super::{ONE, REPO, image, pinned, registry, swarm, update_image};
use crate::support::engine::{Engine, Expect, get, post};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, distribution};
use crate::support::fixtures::{ID, OLD, service_text, spec, t001};
use crate::support::run::{Run, swarmctl};
use crate::support::server::{Answer, Request};

const TWO: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

/// The tag, and the digest as it is shortened in text output.
fn shown(tag: &str, digest: &str) -> String {
    format!("{tag}@{:.19}", digest)
}

/// The number of requests to the registry.
fn asked(swarm: &FakeSwarm) -> usize {
    swarm.requests().iter().filter(|request| request.endpoint().starts_with("/distribution/")).count()
}

fn reason(run: &Run) -> Value {
    run.json()["services"][0]["reason"].clone()
}

// Pinning

#[test]
fn pins_the_tag_and_sets_the_platforms_as_docker_does() {
    let mut wanted = spec("t001", &pinned("1.8", ONE));
    wanted["TaskTemplate"]["Placement"] = json!({ "Platforms": [
        { "Architecture": "amd64", "OS": "linux" }, { "OS": "linux" },
        { "Architecture": "unknown", "OS": "unknown" }, { "OS": "linux" }
    ] });
    let platforms = json!([
        { "architecture": "amd64", "os": "linux" }, { "architecture": "arm", "os": "linux", "variant": "v7" },
        { "architecture": "unknown", "os": "unknown" }, { "architecture": "arm", "os": "linux", "variant": "v6" },
    ]);
    let engine = Engine::ordered([
        get("/v1.41/services/t001").answers(Answer::json(200, t001(&image("1.7"), 11))),
        registry(&image("1.8"), Answer::json(200, distribution(ONE, &platforms))),
        post(&format!("/v1.41/services/{ID}/update?version=11")).body_is(wanted.to_string()),
        get(&format!("/v1.41/services/{ID}"))
            .answers(Answer::json(200, service_text(ID, 12, &wanted.to_string()))),
    ]);
    let run = swarmctl(["update-image", "-d", "t001", &image("1.8")]).host(engine.host()).run().succeeds();
    let run = run.prints(&[&shown("1.8", ONE)]);
    assert_eq!(run.stderr, "");
    assert!(engine.asked().iter().all(|request| request.header("x-registry-auth").is_none()));
}

#[test]
fn create_pins_too() {
    let swarm = swarm(OLD, &[("1.8", ONE)]);
    let run = swarmctl(["create", "-d", "--name", "web", &image("1.8"), "--flag"]).host(swarm.host()).run();
    assert_eq!(run.succeeds().stderr, "");
    let web = swarm.service("web");
    assert_eq!(web.image(), pinned("1.8", ONE));
    assert_eq!(
        web.spec["TaskTemplate"]["Placement"],
        json!({ "Platforms": [{ "Architecture": "amd64", "OS": "linux" }] })
    );
    assert_eq!(web.spec["TaskTemplate"]["ContainerSpec"]["Args"], json!(["--flag"]));
}

#[test]
fn a_registry_without_platforms_does_not_change_them() {
    let nothing = Answer::json(200, distribution(ONE, &json!([])));
    let engine = Engine::ordered([
        get("/v1.41/services/t001").answers(Answer::json(200, t001(&image("1.7"), 11))),
        registry(&image("1.8"), nothing),
        post(&format!("/v1.41/services/{ID}/update?version=11"))
            .body_is(spec("t001", &pinned("1.8", ONE)).to_string()),
        get(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, t001(&pinned("1.8", ONE), 12))),
    ]);
    let run = swarmctl(["update-image", "-d", "t001", &image("1.8")]).host(engine.host()).run().succeeds();
    run.prints(&[&shown("1.8", ONE)]).never_says(&["platform"]);
}

#[test]
fn a_requested_digest_is_kept_and_an_image_of_docker_hub_has_its_short_name() {
    for (given, name, becomes) in [
        (&format!("nginx:1@{TWO}")[..], &format!("nginx:1@{TWO}")[..], format!("nginx:1@{TWO}")),
        ("docker.io/library/nginx", "nginx:latest", format!("nginx:latest@{ONE}")),
    ] {
        let swarm = swarm(OLD, &[]);
        swarm.world().registry.insert(name.to_owned(), ONE.to_owned());
        update_image(&swarm, &[given]).succeeds().prints(&["image opera443399/whoami:0.7 -> nginx:"]);
        assert_eq!((asked(&swarm), swarm.service("t001").image()), (1, &becomes[..]));
    }
}

#[test]
fn a_tag_that_has_moved_is_deployed_again() {
    let swarm = swarm(&pinned("1.7", ONE), &[("1.7", TWO)]);
    update_image(&swarm, &[&image("1.7")])
        .succeeds()
        .prints(&[&shown("1.7", ONE), &format!(" -> {}", shown("1.7", TWO))]);
    assert_eq!(swarm.service("t001").image(), pinned("1.7", TWO));
}

#[test]
fn an_image_without_a_digest_is_pinned_also_under_its_own_tag() {
    let swarm = swarm(&image("1.7"), &[("1.7", ONE)]);
    update_image(&swarm, &[&image("1.7")]).succeeds();
    assert_eq!(swarm.service("t001").image(), pinned("1.7", ONE));
}

// When the registry is contacted

#[test]
fn the_modes_contact_the_registry_always_on_changes_or_never() {
    for (runs, flag, tag, asks, becomes) in [
        (pinned("1.7", ONE), "--resolve-image=always", "1.7", 1, pinned("1.7", TWO)),
        (pinned("1.7", ONE), "--resolve-image=changed", "1.7", 0, pinned("1.7", ONE)),
        (pinned("1.7", ONE), "--resolve-image=changed", "1.8", 1, pinned("1.8", TWO)),
        (image("1.7"), "--resolve-image=changed", "1.7", 0, image("1.7")),
        (pinned("1.7", ONE), "--resolve-image=never", "1.7", 0, pinned("1.7", ONE)),
        (pinned("1.7", ONE), "--no-resolve-image", "1.7", 0, pinned("1.7", ONE)),
        (pinned("1.7", ONE), "--no-resolve-image", "1.8", 0, image("1.8")),
        (pinned("1.7", ONE), "--no-resolve-image=false", "1.8", 1, pinned("1.8", TWO)),
        (pinned("1.7", ONE), "--unpin", "1.7", 0, image("1.7")),
        (pinned("1.7", ONE), "--unpin", "1.8", 0, image("1.8")),
        (image("1.7"), "--unpin", "1.7", 0, image("1.7")),
    ] {
        let swarm = swarm(&runs, &[("1.7", TWO), ("1.8", TWO)]);
        let run = update_image(&swarm, &[flag, &image(tag)]).succeeds();
        assert_eq!((asked(&swarm), swarm.service("t001").image()), (asks, &becomes[..]), "{}", run.report());
        assert_eq!(swarm.posts().len(), usize::from(runs != becomes), "{}", run.report());
        assert_eq!(run.stderr, "", "{}", run.report());
    }
}

#[test]
fn update_without_an_image_resolves_only_with_resolve_image_always() {
    for (runs, args, asks, becomes) in [
        (pinned("1.7", ONE), &["--resolve-image=always"][..], 1, pinned("1.7", TWO)),
        (image("1.7"), &["--resolve-image=always"], 1, pinned("1.7", TWO)),
        (pinned("1.7", ONE), &["--resolve-image=changed"], 0, pinned("1.7", ONE)),
        (pinned("1.7", ONE), &["--no-resolve-image"], 0, pinned("1.7", ONE)),
        (pinned("1.7", ONE), &["--env-add=A=1"], 0, pinned("1.7", ONE)),
        (pinned("1.7", ONE), &["--unpin"], 0, image("1.7")),
    ] {
        let swarm = swarm(&runs, &[("1.7", TWO)]);
        let line = [&["update", "-d", "t001"], args].concat();
        let run = swarmctl(line).host(swarm.host()).run().succeeds();
        assert_eq!((asked(&swarm), swarm.service("t001").image()), (asks, &becomes[..]), "{}", run.report());
    }
    // An image without a tag cannot be resolved, and cannot be unpinned.
    for flag in ["--unpin", "--resolve-image=always"] {
        let swarm = swarm(&format!("{REPO}@{ONE}"), &[]);
        let run = swarmctl(["update", "-d", "t001", flag]).host(swarm.host()).run().fails_with(Exit::Usage);
        run.says(&["has no tag", ONE]);
        assert_eq!(swarm.posts().len(), 0);
    }
}

#[test]
fn a_tag_in_a_given_spec_is_pinned_and_keeps_an_existing_digest() {
    let with = |image: &str| json!({ "TaskTemplate": { "ContainerSpec": { "Image": image } } }).to_string();
    let (one, two) = (pinned("1.7", ONE), pinned("1.7", TWO));
    for (runs, brings, args, registry, becomes) in [
        (&one, image("1.7"), &[][..], &[("1.7", TWO)][..], &two),
        (&one, image("1.7"), &[], &[("1.7", ONE)], &one),
        (&one, image("1.7"), &[], &[], &one),
        (&one, image("1.7"), &["--no-resolve-image"], &[], &one),
        // An image with a digest is posted unchanged, and so is the image that the service has already.
        (&one, two.clone(), &[], &[], &two),
        (&image("1.7"), image("1.7"), &[], &[("1.7", ONE)], &image("1.7")),
        // `--image` overrides the image in the spec.
        (&one, image("1.9"), &["--image", &image("1.7")], &[("1.7", ONE), ("1.9", TWO)], &one),
    ] {
        let swarm = swarm(runs, registry);
        let line = [&["update", "-d", "t001", "--spec", "-"], args].concat();
        let run = swarmctl(line).host(swarm.host()).stdin(&with(&brings)).run().succeeds();
        assert_eq!(swarm.service("t001").image(), becomes, "{brings} {}", run.report());
    }
}

#[test]
fn unknown_modes_and_unpin_with_a_digest_are_usage_errors() {
    let engine = Engine::silent();
    for args in [
        &["--resolve-image", "sometimes", "a:1"][..],
        &["--on-resolve-error", "ignore", "a:1"],
        &["--unpin", &format!("a:1@{ONE}")],
        &["--unpin", "--resolve-image=always", "a:1"],
    ] {
        swarmctl([&["update-image", "t001"], args].concat())
            .host(engine.host())
            .run()
            .fails_with(Exit::Usage);
    }
    assert!(engine.requests().is_empty());
}

#[test]
fn tags_are_not_resolved_if_the_engine_resolves_them_itself() {
    let at = |path: &str| format!("/v1.29/services/{path}");
    let old =
        |expected: Vec<Expect>| Engine::with_ping(Answer::pong().header("Api-Version", "1.29"), expected);
    // The engine adds the digest to the posted tag. That is not reported as a difference.
    let engine = old(vec![
        get(&at("t001")).answers(Answer::json(200, t001(&pinned("1.7", ONE), 11))),
        post(&at(&format!("{ID}/update?version=11"))).body_is(spec("t001", &image("1.8")).to_string()),
        get(&at(ID)).answers(Answer::json(200, t001(&pinned("1.8", TWO), 12))),
    ]);
    let run = swarmctl(["update-image", "-d", "t001", &image("1.8")]).host(engine.host()).run().succeeds();
    assert_eq!(run.stderr, "");
    let engine = old(vec![get(&at("t001")).answers(Answer::json(200, t001(&pinned("1.7", ONE), 11)))]);
    let run = swarmctl(["update-image", "-d", "t001", &image("1.7")]).host(engine.host()).run().succeeds();
    run.says(&["this engine cannot resolve tags", "--unpin"]).prints(&["nothing was posted"]);
}

// Digests that the service runs already

#[test]
fn posts_nothing_if_the_digest_runs_already() {
    let swarm = swarm(&pinned("1.7", ONE), &[("1.7", ONE)]);
    let run = update_image(&swarm, &[&image("1.7")]).succeeds();
    run.prints(&["t001: already runs", &pinned("1.7", ONE), "nothing was posted"]);
    assert_eq!(reason(&update_image(&swarm, &["--json", &image("1.7")]).succeeds()), "same_digest");
    assert_eq!(swarm.posts().len(), 0);
}

#[test]
fn another_tag_for_the_same_digest_is_reported_and_written_only_with_force() {
    let swarm = swarm(&pinned("1.7", ONE), &[("1.8", ONE)]);
    update_image(&swarm, &[&image("1.8")])
        .succeeds()
        .prints(&["t001: already runs this digest as 1.7; use --force to change the tag to 1.8"]);
    let run = update_image(&swarm, &["--json", &image("1.8")]).succeeds();
    assert_eq!((reason(&run), &run.json()["services"][0]["posted"]), (json!("same_digest"), &json!(false)));
    assert_eq!(
        run.json()["services"][0]["notes"],
        json!(["already runs this digest as 1.7; use --force to change the tag to 1.8"])
    );
    // It is also reported if the digest is given on the command line.
    update_image(&swarm, &["--no-resolve-image", &pinned("1.8", ONE)])
        .succeeds()
        .prints(&["use --force to change the tag to 1.8"]);
    assert_eq!(swarm.posts().len(), 0);
    update_image(&swarm, &["--force", &image("1.8")]).succeeds();
    let service = swarm.service("t001");
    assert_eq!((service.image(), service.taken.len()), (&pinned("1.8", ONE)[..], 1));
    assert_eq!(service.spec["TaskTemplate"]["ForceUpdate"], 1);
}

#[test]
fn the_same_digest_in_another_repository_is_another_image() {
    let swarm = swarm(&format!("other/whoami:1.7@{ONE}"), &[("1.7", ONE)]);
    update_image(&swarm, &[&image("1.7")]).succeeds();
    assert_eq!(swarm.service("t001").image(), pinned("1.7", ONE));
}

#[test]
fn a_dry_run_asks_the_registry_and_posts_nothing() {
    let swarm = swarm(&pinned("1.7", ONE), &[("1.8", TWO)]);
    update_image(&swarm, &["--dry-run", &image("1.8")]).succeeds().prints(&[&shown("1.8", TWO)]);
    assert_eq!((asked(&swarm), swarm.posts().len()), (1, 0));
    let lines: Vec<String> = swarm.requests().iter().map(Request::line).collect();
    assert!(lines.contains(&format!("GET /v1.41/distribution/{}/json", image("1.8"))), "{lines:?}");
}
