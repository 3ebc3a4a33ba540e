//! A tag that the registry does not know: it is refused, unlike with other failures of the registry.

use super::{ONE, image, pinned, registry, swarm, update_image};
use crate::support::engine::{Engine, Expect, get, post};
use crate::support::exit::Exit;
use crate::support::fixtures::{ID, OLD, spec, t001};
use crate::support::run::{Run, swarmctl};
use crate::support::server::Answer;

fn unknown() -> Answer {
    Answer::error(404, "manifest unknown: manifest unknown")
}

/// Expects the request that asks whether the engine's own node has the image.
fn local(answer: Answer) -> Expect {
    get(&format!("/v1.41/images/{}/json", image("1.8"))).answers(answer)
}

fn absent() -> Expect {
    local(Answer::error(404, &format!("No such image: {}", image("1.8"))))
}

fn posted() -> [Expect; 2] {
    [
        post(&format!("/v1.41/services/{ID}/update?version=11"))
            .body_is(spec("t001", &image("1.8")).to_string()),
        get(&format!("/v1.41/services/{ID}")).answers(Answer::json(200, t001(&image("1.8"), 12))),
    ]
}

fn update(runs: &str, answer: Answer, args: &[&str], more: impl IntoIterator<Item = Expect>) -> Run {
    let first = [
        get("/v1.41/services/t001").answers(Answer::json(200, t001(runs, 11))),
        registry(&image("1.8"), answer),
    ];
    let engine = Engine::ordered(first.into_iter().chain(more));
    swarmctl([&["update-image", "-d", "t001", &image("1.8")], args].concat()).host(engine.host()).run()
}

#[test]
fn an_unknown_tag_is_not_deployed() {
    for answer in [
        unknown(),
        Answer::error(500, "manifest unknown: manifest unknown"),
        Answer::error(404, "errors:\nmanifest unknown: manifest tagged by \"1.8\" is not found"),
        Answer::error(404, "manifest for 127.0.0.1:5000/whoami:1.8 not found: manifest unknown: requested"),
    ] {
        for args in [&[][..], &["--on-resolve-error=auto"]] {
            let run = update(&pinned("1.7", ONE), answer.clone(), args, [absent()])
                .fails_with(Exit::Failed)
                .tells_an_error();
            run.says(&[
                "cannot update service `t001`",
                "registry `127.0.0.1:5000` has no `127.0.0.1:5000/whoami:1.8`",
                "hint: ",
                "--on-resolve-error keep-tag",
            ]);
        }
    }
    let images = local(Answer::page(403));
    update(&pinned("1.7", ONE), unknown(), &[], [images]).fails_with(Exit::Failed);
}

#[test]
fn a_create_with_an_unknown_tag_creates_nothing() {
    let engine = Engine::ordered([registry(&image("1.8"), unknown()), absent()]);
    let run = swarmctl(["create", "-d", "--name", "web", &image("1.8")])
        .host(engine.host())
        .run()
        .fails_with(Exit::Failed);
    run.tells_an_error().says(&["cannot create service `web`", "has no"]);
}

#[test]
fn an_image_that_the_engine_has_itself_is_deployed() {
    let more = [local(Answer::json(200, "{\"Id\":\"sha256:1\"}"))].into_iter().chain(posted());
    let run = update(&pinned("1.7", ONE), unknown(), &[], more).succeeds();
    run.says(&["the connected engine has the image; other nodes cannot pull it", "has no"]);
}

#[test]
fn on_resolve_error_overrides_the_default_for_unknown_tags() {
    update(&pinned("1.7", ONE), unknown(), &["--on-resolve-error", "keep-tag"], posted()).succeeds();
    update(&pinned("1.7", ONE), unknown(), &["--on-resolve-error=fail"], []).fails_with(Exit::Failed);
}

#[test]
fn a_service_that_has_the_tag_is_not_updated_or_restarted() {
    for runs in [pinned("1.8", ONE), image("1.8")] {
        update(&runs, unknown(), &[], []).succeeds().says(&["has no"]).prints(&["nothing was posted"]);
    }
    update(&image("1.8"), unknown(), &["--force"], [absent()]).fails_with(Exit::Failed);
}

#[test]
fn other_failures_keep_the_tag_with_a_warning_before_the_request() {
    for (answer, said) in [
        (Answer::error(404, "name unknown: repository name not known to registry"), "has no repository for"),
        (Answer::error(401, "unauthorized: authentication required"), "denies access to"),
        (Answer::error(403, "denied: requested access to the resource is denied"), "denies access to"),
        (
            Answer::error(500, "Get \"https://r/v2/\": dial tcp: lookup r: no such host"),
            "could not be reached",
        ),
    ] {
        let is_denied = said == "denies access to";
        // The post fails, but the warnings are still printed, before the error.
        let refused =
            post(&format!("/v1.41/services/{ID}/update?version=11")).answers(Answer::error(400, "no"));
        let run = update(&pinned("1.7", ONE), answer, &[], [refused]).fails_with(Exit::Failed);
        let at = |text: &str| run.stderr.find(text).unwrap_or_else(|| panic!("{text}: {}", run.report()));
        assert!(at("it is used without a digest") < at("error: "));
        assert!(at(said) < at("error: "));
        assert_eq!(run.stderr.matches(said).count(), 1, "{}", run.report());
        assert_eq!(run.stderr.contains("docker login 127.0.0.1:5000"), is_denied, "{}", run.report());
        assert_eq!(run.stderr.contains("--with-registry-auth"), is_denied, "{}", run.report());
    }
    let json = {
        let answer = Answer::error(401, "unauthorized: authentication required");
        update(&pinned("1.7", ONE), answer, &["--json"], posted()).succeeds().json()
    };
    assert!(json["services"][0]["warnings"].to_string().contains("denies access to"), "{json}");
}

#[test]
fn a_forbidden_lookup_is_not_blamed_on_the_registry() {
    for (answer, said, code) in [
        (Answer::page(403), "permission denied by `unix://", 8),
        (Answer::json(403, ""), "it answered 403", 8),
        (Answer::error(403, "Forbidden"), "Forbidden", 8),
        (Answer::error(403, "authorization denied by plugin opa: no"), "denied by plugin opa", 8),
        (Answer::page(404), "status 404", 1),
        (Answer::error(404, "page not found"), "page not found", 1),
        (Answer::line(405, "Method Not Allowed"), "405", 1),
    ] {
        let run = update(&pinned("1.7", ONE), answer.clone(), &[], posted()).succeeds();
        let endpoint = format!("/distribution/{}/json", image("1.8"));
        let run = run.says(&[said, &endpoint, "it is used without a digest"]);
        run.never_says(&["registry `127.0.0.1:5000`", "docker login"]);
        let run = update(&pinned("1.7", ONE), answer, &["--on-resolve-error=fail"], []).exits(code);
        run.says(&[said, &endpoint, "hint: "]).never_says(&["registry `127.0.0.1:5000`", "docker login"]);
    }
}

#[test]
fn a_local_image_of_a_registry_out_of_reach_is_not_looked_for() {
    let swarm = swarm(OLD, &[]);
    update_image(&swarm, &["opera443399/whoami:0.6"]).succeeds().says(&["could not be reached"]);
    assert!(!swarm.requests().iter().any(|request| request.endpoint().starts_with("/images/")));
}
