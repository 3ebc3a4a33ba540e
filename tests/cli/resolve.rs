//! Tags become digests: what is asked of the registry, what is posted then, and what its outage changes.

use serde_json::{Value, json};

use crate::support::engine::{Engine, Expect, get, post};
use crate::support::fake_swarm::{FakeSwarm, distribution};
use crate::support::fixtures::{ID, OLD, service_text, spec, t001};
use crate::support::run::{Run, swarmctl};
use crate::support::server::{Answer, Door, Fault, Request};

/// The repository of these tests.
const REPO: &str = "127.0.0.1:5000/whoami";
const ONE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const TWO: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

fn image(tag: &str) -> String {
    format!("{REPO}:{tag}")
}

fn pinned(tag: &str, digest: &str) -> String {
    format!("{REPO}:{tag}@{digest}")
}

/// A swarm with t001 of this image, and a registry that has these digests.
fn swarm(runs: &str, registry: &[(&str, &str)]) -> FakeSwarm {
    let swarm = FakeSwarm::with([spec("t001", runs)]);
    swarm.world().registry =
        registry.iter().map(|(tag, digest)| (image(tag), (*digest).to_owned())).collect();
    swarm
}

fn update_image(swarm: &FakeSwarm, args: &[&str]) -> Run {
    swarmctl([&["update-image", "-d", "t001"], args].concat()).host(swarm.host()).run()
}

/// How often the registry was asked.
fn asked(swarm: &FakeSwarm) -> usize {
    swarm.requests().iter().filter(|request| request.endpoint().starts_with("/distribution/")).count()
}

/// An engine that is asked for one image of a registry, and answers this.
fn registry(name: &str, answer: Answer) -> Expect {
    get(&format!("/v1.41/distribution/{name}/json")).answers(answer)
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
    let run = swarmctl(["update-image", "-d", "t001", &image("1.8")]).host(engine.host()).run().exits(0);
    let run = run.prints(&[&pinned("1.8", ONE), "Placement.Platforms"]);
    assert_eq!(run.stderr, "");
    assert!(engine.asked().iter().all(|request| request.header("x-registry-auth").is_none()));
}

#[test]
fn create_pins_too() {
    let swarm = swarm(OLD, &[("1.8", ONE)]);
    let run = swarmctl(["create", "-d", "--name", "web", &image("1.8"), "--flag"]).host(swarm.host()).run();
    assert_eq!(run.exits(0).stderr, "");
    let web = swarm.service("web");
    assert_eq!(web.image(), pinned("1.8", ONE));
    assert_eq!(
        web.spec["TaskTemplate"]["Placement"],
        json!({ "Platforms": [{ "Architecture": "amd64", "OS": "linux" }] })
    );
    assert_eq!(web.spec["TaskTemplate"]["ContainerSpec"]["Args"], json!(["--flag"]));
}

#[test]
fn a_registry_that_names_no_platforms_leaves_them_alone() {
    let nothing = Answer::json(200, distribution(ONE, &json!([])));
    let engine = Engine::ordered([
        get("/v1.41/services/t001").answers(Answer::json(200, t001(&image("1.7"), 11))),
        registry(&image("1.8"), nothing),
        post(&format!("/v1.41/services/{ID}/update?version=11"))
            .body_is(spec("t001", &pinned("1.8", ONE)).to_string()),
        get(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, t001(&pinned("1.8", ONE), 12))),
    ]);
    let run = swarmctl(["update-image", "-d", "t001", &image("1.8")]).host(engine.host()).run().exits(0);
    run.prints(&[&pinned("1.8", ONE)]).never_says(&["Platforms"]);
}

#[test]
fn a_digest_that_is_asked_for_stays_and_an_image_of_docker_hub_has_its_short_name() {
    for (given, name, becomes) in [
        (&format!("nginx:1@{TWO}")[..], &format!("nginx:1@{TWO}")[..], format!("nginx:1@{TWO}")),
        ("docker.io/library/nginx", "nginx:latest", format!("nginx:latest@{ONE}")),
    ] {
        let swarm = swarm(OLD, &[]);
        swarm.world().registry.insert(name.to_owned(), ONE.to_owned());
        update_image(&swarm, &[given]).exits(0).prints(&["Placement.Platforms"]);
        assert_eq!((asked(&swarm), swarm.service("t001").image()), (1, &becomes[..]));
    }
}

#[test]
fn a_tag_that_has_moved_is_deployed_again() {
    let swarm = swarm(&pinned("1.7", ONE), &[("1.7", TWO)]);
    update_image(&swarm, &[&image("1.7")]).exits(0).prints(&[&pinned("1.7", ONE), &pinned("1.7", TWO)]);
    assert_eq!(swarm.service("t001").image(), pinned("1.7", TWO));
}

#[test]
fn an_image_without_a_digest_is_pinned_also_under_its_own_tag() {
    let swarm = swarm(&image("1.7"), &[("1.7", ONE)]);
    update_image(&swarm, &[&image("1.7")]).exits(0);
    assert_eq!(swarm.service("t001").image(), pinned("1.7", ONE));
}

// When the registry is asked

#[test]
fn the_modes_ask_always_where_the_tag_changes_and_never() {
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
        let run = update_image(&swarm, &[flag, &image(tag)]).exits(0);
        assert_eq!((asked(&swarm), swarm.service("t001").image()), (asks, &becomes[..]), "{}", run.report());
        assert_eq!(swarm.posts().len(), usize::from(runs != becomes), "{}", run.report());
        assert_eq!(run.stderr, "", "{}", run.report());
    }
}

#[test]
fn update_without_an_image_asks_where_that_is_said_in_so_many_words() {
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
        let run = swarmctl(line).host(swarm.host()).run().exits(0);
        assert_eq!((asked(&swarm), swarm.service("t001").image()), (asks, &becomes[..]), "{}", run.report());
    }
    // There is no tag that could be asked for, or be written.
    for flag in ["--unpin", "--resolve-image=always"] {
        let swarm = swarm(&format!("{REPO}@{ONE}"), &[]);
        let run = swarmctl(["update", "-d", "t001", flag]).host(swarm.host()).run().exits(2);
        run.says(&["follows no tag", ONE]);
        assert_eq!(swarm.posts().len(), 0);
    }
}

#[test]
fn a_tag_in_a_spec_that_is_brought_is_pinned_and_unpins_nothing() {
    let with = |image: &str| json!({ "TaskTemplate": { "ContainerSpec": { "Image": image } } }).to_string();
    let (one, two) = (pinned("1.7", ONE), pinned("1.7", TWO));
    for (runs, brings, args, registry, becomes) in [
        (&one, image("1.7"), &[][..], &[("1.7", TWO)][..], &two),
        (&one, image("1.7"), &[], &[("1.7", ONE)], &one),
        (&one, image("1.7"), &[], &[], &one),
        (&one, image("1.7"), &["--no-resolve-image"], &[], &one),
        // A digest is written as it is brought, and what the service has already stays.
        (&one, two.clone(), &[], &[], &two),
        (&image("1.7"), image("1.7"), &[], &[("1.7", ONE)], &image("1.7")),
        // The flag is the later word.
        (&one, image("1.9"), &["--image", &image("1.7")], &[("1.7", ONE), ("1.9", TWO)], &one),
    ] {
        let swarm = swarm(runs, registry);
        let line = [&["update", "-d", "t001", "--spec", "-"], args].concat();
        let run = swarmctl(line).host(swarm.host()).stdin(&with(&brings)).run().exits(0);
        assert_eq!(swarm.service("t001").image(), becomes, "{brings} {}", run.report());
    }
}

#[test]
fn words_that_are_no_mode_and_unpin_with_a_digest_are_two() {
    let engine = Engine::silent();
    for args in [
        &["--resolve-image", "sometimes", "a:1"][..],
        &["--on-resolve-error", "ignore", "a:1"],
        &["--unpin", &format!("a:1@{ONE}")],
        &["--unpin", "--resolve-image=always", "a:1"],
    ] {
        swarmctl([&["update-image", "t001"], args].concat()).host(engine.host()).run().exits(2);
    }
    assert!(engine.requests().is_empty());
}

#[test]
fn an_engine_that_asks_registries_itself_is_left_to_it() {
    let at = |path: &str| format!("/v1.29/services/{path}");
    let old =
        |expected: Vec<Expect>| Engine::with_ping(Answer::pong().header("Api-Version", "1.29"), expected);
    // It stores the tag with the digest that it has found, and nothing is missing then.
    let engine = old(vec![
        get(&at("t001")).answers(Answer::json(200, t001(&pinned("1.7", ONE), 11))),
        post(&at(&format!("{ID}/update?version=11"))).body_is(spec("t001", &image("1.8")).to_string()),
        get(&at(ID)).answers(Answer::json(200, t001(&pinned("1.8", TWO), 12))),
    ]);
    let run = swarmctl(["update-image", "-d", "t001", &image("1.8")]).host(engine.host()).run().exits(0);
    assert_eq!(run.stderr, "");
    let engine = old(vec![get(&at("t001")).answers(Answer::json(200, t001(&pinned("1.7", ONE), 11)))]);
    let run = swarmctl(["update-image", "-d", "t001", &image("1.7")]).host(engine.host()).run().exits(0);
    run.says(&["cannot be asked", "--unpin"]).prints(&["nothing was posted"]);
}

// The same digest

#[test]
fn nothing_is_posted_where_the_digest_runs_already() {
    let swarm = swarm(&pinned("1.7", ONE), &[("1.7", ONE)]);
    let run = update_image(&swarm, &[&image("1.7")]).exits(0);
    run.prints(&["t001: runs", &pinned("1.7", ONE), "nothing was posted"]);
    assert_eq!(reason(&update_image(&swarm, &["--json", &image("1.7")]).exits(0)), "same_digest");
    assert_eq!(swarm.posts().len(), 0);
}

#[test]
fn another_tags_name_for_the_same_digest_is_said_and_written_with_force_only() {
    let swarm = swarm(&pinned("1.7", ONE), &[("1.8", ONE)]);
    update_image(&swarm, &[&image("1.8")])
        .exits(0)
        .prints(&["t001: runs this digest as 1.7; --force writes 1.8"]);
    let run = update_image(&swarm, &["--json", &image("1.8")]).exits(0);
    assert_eq!((reason(&run), &run.json()["services"][0]["posted"]), (json!("same_digest"), &json!(false)));
    // The same where the digest was typed.
    update_image(&swarm, &["--no-resolve-image", &pinned("1.8", ONE)])
        .exits(0)
        .prints(&["--force writes 1.8"]);
    assert_eq!(swarm.posts().len(), 0);
    update_image(&swarm, &["--force", &image("1.8")]).exits(0);
    let service = swarm.service("t001");
    assert_eq!((service.image(), service.taken.len()), (&pinned("1.8", ONE)[..], 1));
    assert_eq!(service.spec["TaskTemplate"]["ForceUpdate"], 1);
}

#[test]
fn the_same_digest_in_another_repository_is_another_image() {
    let swarm = swarm(&format!("other/whoami:1.7@{ONE}"), &[("1.7", ONE)]);
    update_image(&swarm, &[&image("1.7")]).exits(0);
    assert_eq!(swarm.service("t001").image(), pinned("1.7", ONE));
}

// Outages

/// Every way in which a registry gives no digest, and the word for it.
fn troubles() -> [(Answer, &'static str); 7] {
    [
        (Answer::error(404, "manifest unknown: manifest unknown"), "has no"),
        (Answer::error(401, "unauthorized: authentication required"), "denies access"),
        (
            Answer::error(
                500,
                "Head \"http://127.0.0.1:5000/v2/whoami/manifests/1.8\": no basic auth credentials",
            ),
            "denies access",
        ),
        (
            Answer::error(
                500,
                "Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused",
            ),
            "cannot be asked",
        ),
        // The words that an engine without a leader has too: here they are the registry's.
        (
            Answer::error(500, "Get \"http://127.0.0.1:5000/v2/\": context deadline exceeded"),
            "cannot be asked",
        ),
        (Answer::json(200, distribution("sha256:short", &json!([]))), "cannot be asked"),
        (
            Answer::error(500, "Head \"http://127.0.0.1:5000/v2/denied/manifests/unauthorized\": EOF"),
            "cannot be asked",
        ),
    ]
}

fn run_with(runs: &str, answer: Answer, args: &[&str], more: Vec<Expect>) -> Run {
    let mut script = vec![
        get("/v1.41/services/t001").answers(Answer::json(200, t001(runs, 11))),
        registry(&image("1.8"), answer),
    ];
    script.extend(more);
    let engine = Engine::ordered(script);
    swarmctl([&["update-image", "-d", "t001", &image("1.8")], args].concat()).host(engine.host()).run()
}

#[test]
fn without_the_registry_the_tag_is_used_as_docker_does_and_the_reason_is_told() {
    for (answer, word) in troubles() {
        let after = t001(&image("1.8"), 12);
        let posted = vec![
            post(&format!("/v1.41/services/{ID}/update?version=11"))
                .body_is(spec("t001", &image("1.8")).to_string()),
            get(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, after)),
        ];
        let run = run_with(&pinned("1.7", ONE), answer, &[], posted).exits(0);
        let name = image("1.8");
        run.says(&[
            &format!("image {name} could not be accessed on a registry to record\n  its digest. Each node will access"),
            "possibly leading to different nodes running different\n  versions of the image.",
            &format!("registry `127.0.0.1:5000` {word}"),
        ]);
    }
}

#[test]
fn without_the_registry_it_fails_where_that_is_asked_for() {
    for (answer, word) in troubles() {
        // Also where the service has the tag without a digest: nothing is pinned that could stay so.
        for runs in [pinned("1.7", ONE), image("1.8"), format!("other/whoami:1.8@{ONE}")] {
            let run = run_with(&runs, answer.clone(), &["--on-resolve-error", "fail"], vec![]).exits(1);
            run.tells_an_error().says(&[&format!("registry `127.0.0.1:5000` {word}"), "hint: "]);
        }
    }
}

#[test]
fn an_image_that_is_pinned_is_never_unpinned_by_an_outage() {
    for (answer, word) in troubles() {
        // What the flag governs is another tag than the one that is pinned.
        for args in [&[][..], &["--on-resolve-error=fail"]] {
            let run = run_with(&pinned("1.8", ONE), answer.clone(), args, vec![]).exits(0);
            let run = run.says(&["stays pinned", word]).prints(&["nothing was posted"]);
            run.never_says(&["could not be accessed"]);
        }
    }
    // A restart that is asked for restarts what runs.
    let swarm = swarm(&pinned("1.8", ONE), &[]);
    update_image(&swarm, &["--force", &image("1.8")]).exits(0).says(&["stays pinned"]);
    let service = swarm.service("t001");
    assert_eq!(service.image(), pinned("1.8", ONE));
    assert_eq!(service.spec["TaskTemplate"]["ForceUpdate"], 1);
}

#[test]
fn an_outage_is_told_at_once_however_the_engine_words_it() {
    let answer = Answer::error(503, "received unexpected HTTP status: 503 Service Unavailable");
    let run = run_with(&pinned("1.8", ONE), answer, &[], vec![]).exits(0);
    assert!(run.took.as_secs() < 5, "{}", run.report());
}

#[test]
fn an_engine_that_goes_away_meanwhile_is_no_outage_of_a_registry() {
    let gone = Answer::pong().broken(Fault::Cut(0)).then(Door::Refusing);
    let run = run_with(&pinned("1.7", ONE), gone, &[], vec![]).exits(8);
    run.tells_an_error().never_says(&["registry"]);
}

#[test]
fn a_create_without_the_registry_keeps_the_tag_or_fails() {
    let swarm = swarm(OLD, &[]);
    let create = |args: &[&str]| {
        swarmctl([&["create", "-d", "--name", "web"], args, &[&image("1.8")]].concat())
            .host(swarm.host())
            .run()
    };
    create(&["--on-resolve-error=fail"])
        .exits(1)
        .tells_an_error()
        .says(&["cannot create", "cannot be asked"]);
    assert_eq!(swarm.posts().len(), 0);
    create(&[]).exits(0).says(&["could not be accessed on a registry"]);
    assert_eq!(swarm.service("web").image(), image("1.8"));
}

#[test]
fn a_dry_run_asks_the_registry_and_posts_nothing() {
    let swarm = swarm(&pinned("1.7", ONE), &[("1.8", TWO)]);
    update_image(&swarm, &["--dry-run", &image("1.8")]).exits(0).prints(&[&pinned("1.8", TWO)]);
    assert_eq!((asked(&swarm), swarm.posts().len()), (1, 0));
    let lines: Vec<String> = swarm.requests().iter().map(Request::line).collect();
    assert!(lines.contains(&format!("GET /v1.41/distribution/{}/json", image("1.8"))), "{lines:?}");
}
