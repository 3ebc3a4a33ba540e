//! `--min-age`: which of several candidates is chosen, and how their ages are determined.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{digest, item, on, swarm};
use crate::support::certificates::{Authority, Validity};
use crate::support::fake_registry::{FakeRegistry, Proxy, refused, tags, unauthorized};
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::spec;
use crate::support::run::Run;
use crate::support::server::{Answer, Request};

fn ago(hours: i64) -> String {
    (Timestamp::now() - SignedDuration::from_hours(hours)).to_string()
}

const TAGS: [&str; 4] = ["1.7.2", "1.8.0", "1.8.1", "1.8.2"];

/// A registry whose images have these creation times. The last digit of an image's digest identifies the image.
fn with_times(times: Vec<(char, Value)>) -> FakeRegistry {
    FakeRegistry::plain(move |request| answer(request, &times))
}

fn answer(request: &Request, times: &[(char, Value)]) -> Answer {
    let path = request.path.as_str();
    if path.ends_with("/tags/list") {
        return tags(&TAGS);
    }
    let last = path.chars().last().unwrap();
    if path.contains("/manifests/sha256:a") {
        // A manifest in an index. The digest of its configuration consists of the last digit of the index's digest.
        let config = digest(path.chars().nth_back(0).unwrap());
        return Answer::json(200, json!({ "config": { "digest": config } }).to_string());
    }
    if path.contains("/manifests/") {
        let accept = request.header("Accept").unwrap();
        assert!(accept.contains("application/vnd.oci.image.index.v1+json"), "{accept}");
        let manifest = |digit: &str, os: &str, architecture: &str| json!({ "digest": format!("sha256:{digit}{}{last}", "0".repeat(62)), "platform": { "os": os, "architecture": architecture } });
        let all = [
            manifest("b", "unknown", "unknown"),
            manifest("b", "linux", "arm64"),
            manifest("a", "linux", "amd64"),
        ];
        return Answer::json(200, json!({ "manifests": all }).to_string());
    }
    match times.iter().find(|(digit, _)| *digit == last) {
        Some((_, time)) => Answer::json(200, json!({ "created": time }).to_string()),
        None => refused(404, "BLOB_UNKNOWN", "blob unknown"),
    }
}

const FINDS: [(&str, char); 4] = [("1.7.2", '1'), ("1.8.0", '2'), ("1.8.1", '3'), ("1.8.2", '4')];

fn decided(times: Vec<(char, Value)>, min_age: &str) -> (Value, Run) {
    let registry = with_times(times);
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
    let args = ["outdated", "--json", "--newest", "minor", "--min-age", min_age, "--min-age-from", "created"];
    let run = on(&swarm, &args).run().succeeds();
    (item(&run, "web")["newest"].clone(), run)
}

#[test]
fn the_newest_candidate_that_is_old_enough_is_chosen() {
    let times = vec![('4', json!(ago(1))), ('3', json!(ago(50))), ('2', json!(ago(200)))];
    let (newest, run) = decided(times.clone(), "3d");
    assert_eq!((&newest["chosen"], &newest["candidates"]), (&json!("1.8.0"), &json!(3)));
    assert!((719_990..721_000).contains(&newest["age_s"].as_u64().unwrap()), "{newest}");
    assert_eq!(newest["age_from"], json!("created"));
    let held: Vec<_> =
        newest["held_back"].as_array().unwrap().iter().map(|it| (&it["tag"], &it["why"])).collect();
    let too_new = json!("too_new");
    assert_eq!(held, [(&json!("1.8.2"), &too_new), (&json!("1.8.1"), &too_new)]);
    assert!(run.stderr.contains("web: held back 1.8.2 (1 h old, minimum 3 d)"), "{}", run.stderr);
    assert!(run.stderr.contains("which its publisher sets"), "{}", run.stderr);
    assert_eq!(decided(times.clone(), "30m").0["chosen"], json!("1.8.2"));
    let (newest, _) = decided(times, "30d");
    assert_eq!((&newest["chosen"], newest["held_back"].as_array().unwrap().len()), (&json!(null), 3));
}

#[test]
fn one_token_is_used_for_the_list_and_for_all_candidates() {
    let times = vec![('4', json!(ago(1))), ('3', json!(ago(50))), ('2', json!(ago(200)))];
    let registry =
        FakeRegistry::plain(move |request| match (request.path.as_str(), request.header("Authorization")) {
            ("/token", _) => Answer::json(200, r#"{"token": "t1"}"#),
            (_, Some("Bearer t1")) => answer(request, &times),
            _ => {
                let host = request.header("Host").unwrap();
                unauthorized(&format!(r#"Bearer realm="http://{host}/token",service="r""#))
            }
        });
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
    let args = ["outdated", "--json", "--newest", "minor", "--min-age", "3d", "--min-age-from", "created"];
    let run = on(&swarm, &args).run().succeeds();
    assert_eq!(item(&run, "web")["newest"]["chosen"], json!("1.8.0"));
    let lines = registry.lines();
    assert_eq!(lines.iter().filter(|line| line.contains("/token")).count(), 1, "{lines:?}");
    // The requests: one that gets a 401, one for the token, one for the list, and three for each candidate: its index,
    // its manifest and its configuration.
    assert_eq!(lines.len(), 3 + 3 * 3, "{lines:?}");
}

#[test]
fn a_time_that_cannot_be_true_is_unknown() {
    let soon = (Timestamp::now() + SignedDuration::from_mins(2)).to_string();
    let late = (Timestamp::now() + SignedDuration::from_mins(20)).to_string();
    let (newest, _) =
        decided(vec![('4', json!(late)), ('3', json!("1970-01-01T00:00:00Z")), ('2', json!(soon))], "1s");
    let held: Vec<_> = newest["held_back"].as_array().unwrap().iter().map(|it| it["why"].clone()).collect();
    assert_eq!(held, [json!("unknown_age"), json!("unknown_age"), json!("too_new")], "a clock may be behind");
    let (newest, _) = decided(vec![('4', json!(null)), ('2', json!(ago(2)))], "1h");
    assert_eq!(newest["chosen"], json!("1.8.0"));
}

#[test]
fn other_registries_do_not_say_when_a_tag_was_pushed() {
    let registry = with_times(vec![]);
    let swarm = swarm(&registry, &[("web", "1.7.2", None)], &FINDS);
    let run = on(&swarm, &["outdated", "--newest", "minor", "--min-age", "3d"]).run().succeeds();
    let header = run.stdout.lines().next().unwrap();
    assert!(header.split_whitespace().rev().take(2).eq(["AGE", "NEWEST"]), "{header}");
    assert!(run.stderr.contains("held back 1.8.2 (unknown age, minimum 3 d)"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: ") && run.stderr.contains("--min-age-from created"), "{}", run.stderr);
    assert_eq!(registry.lines().len(), 1);
}

/// Runs `outdated --min-age` for a service with an image from Docker Hub, whose API responds as `pushed` does. Returns
/// the JSON, and the requests to the API.
fn hub(pushed: impl Fn(&str) -> Answer + Send + 'static, finds: &[(&str, char)]) -> (Value, Vec<Request>) {
    let authority = Authority::new("everybody's");
    let pair = authority.engine(&["registry-1.docker.io", "hub.docker.com"], Validity::Now);
    let registry = FakeRegistry::tls(&pair, None, |_| tags(&TAGS));
    let api = FakeRegistry::tls(&pair, None, move |request| pushed(request.path.rsplit('/').next().unwrap()));
    let proxy = Proxy::start(&[("registry-1.docker.io", registry.port()), ("hub.docker.com", api.port())]);
    let trust = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trust.path(), &authority.pem).unwrap();
    let swarm = FakeSwarm::with([spec("web", "nginx:1.7.2")]);
    for (tag, digit) in finds {
        swarm.world().registry.insert(format!("nginx:{tag}"), digest(*digit));
    }
    let auth = format!(
        r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{}"}}}}}}"#,
        "YW5uOnNlc2FtZS1vcGVu"
    );
    let run = on(&swarm, &["outdated", "--json", "--newest", "minor", "--min-age", "3d"])
        .env("HTTPS_PROXY", &proxy.url)
        .env("SSL_CERT_FILE", trust.path().to_str().unwrap())
        .env("DOCKER_AUTH_CONFIG", &auth)
        .run()
        .succeeds();
    (item(&run, "web")["newest"].clone(), api.requests())
}

fn pushed(hours: i64, digit: Option<char>) -> Answer {
    let digest = digit.map(digest);
    Answer::json(200, json!({ "tag_last_pushed": ago(hours), "digest": digest }).to_string())
}

#[test]
fn docker_hub_reports_when_a_tag_was_pushed() {
    let (newest, asked) = hub(
        |tag| match tag {
            "1.8.2" => pushed(1, None),
            "1.8.1" => Answer::page(404),
            _ => pushed(100, Some('2')),
        },
        &FINDS,
    );
    assert_eq!((&newest["chosen"], &newest["age_from"]), (&json!("1.8.0"), &json!("pushed")));
    let held: Vec<_> = newest["held_back"].as_array().unwrap().iter().map(|it| it["why"].clone()).collect();
    assert_eq!(held, [json!("too_new"), json!("unknown_age")]);
    let path = |tag: &str| format!("GET /v2/repositories/library/nginx/tags/{tag}");
    let lines: Vec<String> = asked.iter().map(Request::line).collect();
    assert_eq!(lines, [path("1.8.2"), path("1.8.1"), path("1.8.0")]);
    assert!(asked.iter().all(|request| request.header("Authorization").is_none()));
}

#[test]
fn a_tag_with_another_digest_than_the_pushed_one_is_refused() {
    let (newest, _) = hub(|_| pushed(100, Some('9')), &FINDS);
    let error = newest["error"].as_str().unwrap();
    assert!(error.contains("`nginx:1.8.2` was pushed to `docker.io` as sha256:9999"), "{error}");
}

#[test]
fn docker_hub_gets_no_more_requests_after_a_rate_limit() {
    let (newest, asked) = hub(|_| Answer::page(429).header("Retry-After", "0"), &FINDS);
    let held: Vec<_> = newest["held_back"].as_array().unwrap().iter().map(|it| it["why"].clone()).collect();
    assert_eq!(held, [json!("unknown_age"), json!("unknown_age"), json!("unknown_age")]);
    assert_eq!(asked.len(), 4, "one request, repeated three times, for the first candidate only");
}
