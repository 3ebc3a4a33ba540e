//! Credentials: which challenges are answered, and which credentials are sent.

use super::{BASIC, ENTRY, PASSWORD, login, printed, tags};
use crate::support::exit::Exit;
use crate::support::fake_registry::{FakeRegistry, refused, tags as page, unauthorized};
use crate::support::server::{Answer, Request};

/// A registry that requires the token `t1`. `gives` responds to requests for a token at `/token`.
fn with_tokens(gives: impl Fn(&Request) -> Answer + Send + 'static) -> FakeRegistry {
    FakeRegistry::plain(move |request| match (request.path.as_str(), request.header("Authorization")) {
        ("/token", _) => gives(request),
        (_, Some("Bearer t1")) => page(&["1.0.0"]),
        _ => {
            let host = request.header("Host").unwrap();
            let more = r#"service="registry.example",scope="repository:samalba/my-app:pull,push""#;
            unauthorized(&format!(r#"Bearer realm="http://{host}/token?x=1",{more}"#))
        }
    })
}

fn token(request: &Request) -> Answer {
    match request.header("Authorization") {
        Some(BASIC) => Answer::json(200, r#"{"token": "t1", "access_token": "t2"}"#),
        _ => refused(401, "UNAUTHORIZED", "incorrect username or password"),
    }
}

#[test]
fn a_token_is_requested_with_the_users_credentials() {
    let registry = with_tokens(token);
    let config = login(&registry.host(), ENTRY);
    let run = tags(&registry.image("shop/web"));
    let run = run.env("DOCKER_CONFIG", config.path().to_str().unwrap()).run().succeeds();
    assert_eq!(printed(&run), ["1.0.0"]);
    let list = "GET /v2/shop/web/tags/list?n=1000";
    let token = "GET /token?x=1&service=registry.example&scope=repository:shop/web:pull";
    assert_eq!(registry.lines(), [list, token, list]);
    let sent: Vec<_> =
        registry.requests().iter().map(|it| it.header("Authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [None, Some(BASIC.to_owned()), Some("Bearer t1".to_owned())]);
}

#[test]
fn without_credentials_a_token_is_requested_anonymously() {
    let registry = with_tokens(|request| match request.header("Authorization") {
        None => Answer::json(200, r#"{"access_token": "t1"}"#),
        Some(_) => refused(400, "UNSUPPORTED", "anonymous only"),
    });
    tags(&registry.image("shop/web")).run().succeeds();
    let config = login("other.example.com", ENTRY);
    let run = tags(&registry.image("shop/web"));
    run.env("DOCKER_CONFIG", config.path().to_str().unwrap()).run().succeeds();
}

#[test]
fn an_identity_token_is_exchanged_by_post() {
    let registry = with_tokens(|request| {
        let form = request.text();
        let is_right = request.method == "POST"
            && request.header("Authorization").is_none()
            && request.header("Content-Type") == Some("application/x-www-form-urlencoded")
            && form.contains("grant_type=refresh_token&")
            && form.contains("service=registry%2Eexample&")
            && form.contains("scope=repository%3Ashop%2Fweb%3Apull&")
            && form.ends_with("refresh_token=id%2Dtoken%2B1");
        if is_right { Answer::json(200, r#"{"access_token": "t1"}"#) } else { refused(400, "X", form) }
    });
    let config = login(&registry.host(), r#"{"auth": "MDA6", "identitytoken": "id-token+1"}"#);
    let run = tags(&registry.image("shop/web"));
    run.env("DOCKER_CONFIG", config.path().to_str().unwrap()).run().succeeds();
}

#[test]
fn a_registry_token_is_sent_as_it_is() {
    let registry = with_tokens(|_| Answer::page(500));
    let config = login(&registry.host(), r#"{"registrytoken": "t1"}"#);
    let run = tags(&registry.image("shop/web"));
    run.env("DOCKER_CONFIG", config.path().to_str().unwrap()).run().succeeds();
    assert_eq!(registry.lines().len(), 1);
}

#[test]
fn basic_credentials_are_sent_if_the_registry_requires_them() {
    let registry = FakeRegistry::plain(|request| match request.header("Authorization") {
        Some(BASIC) => page(&["1.0.0"]),
        _ => unauthorized(r#"Basic realm="Registry""#),
    });
    let config = login(&registry.host(), ENTRY);
    let run = tags(&registry.image("shop/web"));
    run.env("DOCKER_CONFIG", config.path().to_str().unwrap()).run().succeeds();
    let auth = format!(r#"{{"auths": {{"{}": {ENTRY}}}}}"#, registry.host());
    tags(&registry.image("shop/web")).env("DOCKER_AUTH_CONFIG", &auth).run().succeeds();
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("denies access to `shop/web`: authentication required"), "{}", run.stderr);
    assert!(
        run.stderr.contains(&format!("hint: log in with `docker login {}`", registry.host())),
        "{}",
        run.stderr
    );
}

#[test]
fn a_second_401_is_a_denial_and_shows_no_secret() {
    let registry = FakeRegistry::plain(|request| match request.header("Authorization") {
        Some(sent) => refused(401, "DENIED", &format!("no access with {sent} or {PASSWORD}"))
            .header("WWW-Authenticate", r#"Basic realm="x""#),
        None => unauthorized(r#"Basic realm="x""#),
    });
    let config = login(&registry.host(), ENTRY);
    for debug in [&["-D"][..], &[]] {
        let subject = registry.image("shop/web");
        let args = [debug, &["tags", subject.as_str()]].concat();
        let run = crate::support::run::swarmctl(args).host("unix:///nonexistent");
        let run = run.env("DOCKER_CONFIG", config.path().to_str().unwrap()).run().fails_with(Exit::Failed);
        assert!(run.stderr.contains("denies access"), "{}", run.stderr);
        for secret in [PASSWORD, "YW5uOnNlc2FtZS1vcGVu"] {
            assert!(!run.stderr.contains(secret), "{}", run.stderr);
        }
        assert_eq!(run.stderr.contains("[Authorization: hidden]"), !debug.is_empty());
    }
    assert_eq!(registry.lines().len(), 4, "two requests each");
}

#[test]
fn one_new_token_is_requested_if_a_later_page_requires_it() {
    let last_with = |token: &'static str| {
        let mut given = 0;
        FakeRegistry::plain(move |request| {
            if request.path == "/token" {
                given += 1;
                return Answer::json(200, format!(r#"{{"token": "t{given}"}}"#));
            }
            let host = request.header("Host").unwrap();
            let challenge = format!(r#"Bearer realm="http://{host}/token",service="r""#);
            match (request.param("last"), request.header("Authorization")) {
                (None, Some("Bearer t1")) => page(&["1.0.0"]).header("Link", "</?last=1>; rel=next"),
                (Some("1"), Some("Bearer t2")) => page(&["1.1.0"]).header("Link", "</?last=2>; rel=next"),
                (Some("2"), Some(sent)) if sent.ends_with(token) => page(&["1.2.0"]),
                _ => unauthorized(&challenge),
            }
        })
    };
    let registry = last_with("t2");
    assert_eq!(printed(&tags(&registry.image("shop/web")).run().succeeds()).len(), 3);
    let registry = last_with("t3");
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("denies access"), "{}", run.stderr);
    assert_eq!(registry.lines().iter().filter(|line| line.contains("/token")).count(), 2);
}

#[test]
fn a_token_response_without_a_token_is_invalid() {
    for body in ["{}", r#"{"token": ""}"#, "<html>", r#"{"token": "a b"}"#] {
        let registry = with_tokens(move |_| Answer::json(200, body));
        let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
        assert!(run.stderr.contains("invalid response to `GET http://127.0.0.1:"), "{}", run.stderr);
    }
    let registry = FakeRegistry::plain(|_| unauthorized("Negotiate"));
    let run = tags(&registry.image("shop/web")).run().fails_with(Exit::Failed);
    assert!(run.stderr.contains("denies access"), "{}", run.stderr);
}
