//! Redirects, realms and links that lead to other hosts. Of these hosts, only the token server that a realm names
//! may receive credentials.

use super::{BASIC, ENTRY, PASSWORD, login, printed, tags};
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, tags as page, unauthorized};
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::server::{Answer, Request};

fn logged_in(registry: &FakeRegistry) -> (Swarmctl, tempfile::TempDir) {
    let config = login(&registry.host(), ENTRY);
    let run = tags(&registry.image("shop/web")).env("DOCKER_CONFIG", config.path().to_str().unwrap());
    (run, config)
}

fn run(registry: &FakeRegistry) -> Run {
    let (command, _config) = logged_in(registry);
    command.run()
}

fn redirect(status: u16, to: &str) -> Answer {
    Answer::page(status).header("Location", to)
}

/// Requires that the host received no part of the user's credentials, in any form.
fn assert_nothing_leaked(other: &FakeRegistry) {
    for request in other.requests() {
        let seen =
            format!("{} {:?} {}", request.line(), request.headers, String::from_utf8_lossy(&request.body));
        assert!(request.header("Authorization").is_none(), "{seen}");
        for secret in [PASSWORD, "YW5uOnNlc2FtZS1vcGVu", "Bearer"] {
            assert!(!seen.contains(secret), "{seen}");
        }
    }
}

/// A registry that requires Basic authentication. `then` responds to requests that have it.
fn closed(then: impl Fn(&Request) -> Answer + Send + 'static) -> FakeRegistry {
    FakeRegistry::plain(move |request| match request.header("Authorization") {
        Some(BASIC) => then(request),
        _ => unauthorized(r#"Basic realm="r""#),
    })
}

#[test]
fn a_redirect_to_another_host_is_followed_without_credentials() {
    for status in [301, 302, 303, 307, 308] {
        let other = FakeRegistry::plain(|_| page(&["1.0.0"]));
        let to = format!("http://{}/elsewhere", other.host());
        let registry = closed(move |_| redirect(status, &to));
        assert_eq!(printed(&run(&registry).succeeds()), ["1.0.0"]);
        assert_eq!(other.lines(), ["GET /elsewhere"]);
        assert_nothing_leaked(&other);
    }
}

#[test]
fn the_signature_of_a_redirect_is_sent_and_not_shown() {
    let other = FakeRegistry::plain(|request| match request.param("X-Amz-Signature") {
        Some("5ig") => Answer::json(200, "not a list"),
        _ => Answer::page(403),
    });
    let to = format!("http://{}/list?X-Amz-Signature=5ig", other.host());
    let registry = FakeRegistry::plain(move |_| redirect(307, &to));
    let subject = registry.image("shop/web");
    let run = swarmctl(["-D", "tags", subject.as_str()]).host("unix:///nonexistent").run();
    let run = run.fails_with(Exit::Failed);
    let shown = format!("GET http://{}/list?...", other.host());
    assert_eq!(run.stderr.matches(&shown).count(), 2, "{}", run.report());
    assert!(!run.stderr.contains("5ig"), "{}", run.report());
}

#[test]
fn a_redirect_back_does_not_bring_the_credentials_back() {
    let other = FakeRegistry::plain(|request| {
        let to = request.param("back").unwrap().to_owned();
        redirect(302, &to)
    });
    let away = other.host();
    let registry =
        FakeRegistry::plain(move |request| match (request.path.as_str(), request.header("Authorization")) {
            ("/open", None) => page(&["1.0.0"]),
            ("/open", Some(_)) => Answer::page(500),
            (_, Some(BASIC)) => {
                let host = request.header("Host").unwrap();
                redirect(302, &format!("http://{away}/?back=http://{host}/open"))
            }
            _ => unauthorized(r#"Basic realm="r""#),
        });
    assert_eq!(printed(&run(&registry).succeeds()), ["1.0.0"]);
    assert_nothing_leaked(&other);
}

#[test]
fn a_host_that_a_redirect_led_to_cannot_ask_for_credentials() {
    for challenge in [r#"Basic realm="x""#, r#"Bearer realm="http://HOST/token",service="x""#] {
        let other = FakeRegistry::plain(move |request| {
            unauthorized(&challenge.replace("HOST", request.header("Host").unwrap()))
        });
        let to = format!("http://{}/elsewhere", other.host());
        let registry = FakeRegistry::plain(move |_| redirect(307, &to));
        let run = run(&registry).fails_with(Exit::Failed);
        assert!(run.stderr.contains("denies access"), "{}", run.stderr);
        assert_eq!(other.lines(), ["GET /elsewhere"]);
        assert_nothing_leaked(&other);
    }
}

#[test]
fn a_next_page_on_another_host_is_never_requested() {
    let other = FakeRegistry::plain(|_| page(&["9.0.0"]));
    let to = format!("<http://{}/v2/shop/web/tags/list?last=1>; rel=\"next\"", other.host());
    let registry = closed(move |_| page(&["1.0.0"]).header("Link", &to));
    let run = run(&registry).fails_with(Exit::Failed);
    assert!(run.stderr.contains("its next page is on `http://127.0.0.1:"), "{}", run.stderr);
    assert!(other.lines().is_empty());
}

#[test]
fn a_token_realm_on_another_host_gets_the_credentials_and_its_redirects_do_not() {
    let third = FakeRegistry::plain(|_| Answer::json(200, r#"{"token": "t1"}"#));
    let to = format!("http://{}/third", third.host());
    let realm = FakeRegistry::plain(move |request| match request.header("Authorization") {
        Some(BASIC) => redirect(307, &to),
        _ => Answer::page(403),
    });
    let address = realm.host();
    let registry = FakeRegistry::plain(move |request| match request.header("Authorization") {
        Some("Bearer t1") => page(&["1.0.0"]),
        _ => unauthorized(&format!(r#"Bearer realm="http://{address}/auth",service="r""#)),
    });
    run(&registry).succeeds();
    assert_eq!(realm.lines(), ["GET /auth?service=r&scope=repository:shop/web:pull"]);
    assert_nothing_leaked(&third);
    let sent: Vec<_> =
        registry.requests().iter().map(|it| it.header("Authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [None, Some("Bearer t1".to_owned())], "never the password");
}

#[test]
fn an_identity_token_does_not_follow_a_redirect_to_another_host() {
    let other = FakeRegistry::plain(|_| Answer::json(200, r#"{"token": "t1"}"#));
    let to = format!("http://{}/x", other.host());
    let registry = FakeRegistry::plain(move |request| match request.path.as_str() {
        "/token" => redirect(307, &to),
        _ => {
            let host = request.header("Host").unwrap();
            unauthorized(&format!(r#"Bearer realm="http://{host}/token",service="r""#))
        }
    });
    let config = login(&registry.host(), r#"{"identitytoken": "sesame-open"}"#);
    let run = tags(&registry.image("shop/web")).env("DOCKER_CONFIG", config.path().to_str().unwrap()).run();
    let run = run.fails_with(Exit::Failed);
    assert!(run.stderr.contains("which is not followed"), "{}", run.stderr);
    assert!(other.lines().is_empty());
}

#[test]
fn five_redirects_are_followed_and_no_more() {
    for (count, is_followed) in [(5, true), (6, false)] {
        let registry = FakeRegistry::plain(move |request| {
            let n: usize = request.param("r").map_or(0, |n| n.parse().unwrap());
            if n == count { page(&["1.0.0"]) } else { redirect(302, &format!("?r={}", n + 1)) }
        });
        let run = run(&registry);
        let run = if is_followed { run.succeeds() } else { run.fails_with(Exit::Failed) };
        assert_eq!(run.stderr.contains("more than 5 redirects"), !is_followed, "{}", run.stderr);
    }
    let registry = FakeRegistry::plain(|_| Answer::page(302));
    let run = run(&registry).fails_with(Exit::Failed);
    assert!(run.stderr.contains("a redirect without a location"), "{}", run.stderr);
}
