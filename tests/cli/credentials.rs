//! Credentials for registries: where they are looked for, how they are sent, what is said where that fails.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::engine::{Engine, get, post};
use crate::support::fake_swarm::{FakeSwarm, When};
use crate::support::fixtures::{ID, OLD, spec, t001};
use crate::support::helper;
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::secrets::{
    self, OTHER_PASSWORD, PASSWORD, TOKEN, USER, WRONG_PASSWORD, basic, header_json,
};
use crate::support::server::Answer;

const REGISTRY: &str = "127.0.0.1:5000";
const IMAGE: &str = "127.0.0.1:5000/whoami:0.6";
const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// A user's folder with a config.json, and one with programs.
struct Home(TempDir);

impl Home {
    fn new(config: &Value) -> Self {
        Self::with_text(&config.to_string())
    }

    fn with_text(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.config().join("config.json"), config).unwrap();
        home
    }

    fn config(&self) -> &Path {
        self.0.path()
    }

    fn helper(self, name: &str, script: &str) -> Self {
        helper::install(self.0.path(), name, script);
        self
    }

    fn within(&self, run: Swarmctl) -> Swarmctl {
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        run.env("DOCKER_CONFIG", &self.0.path().display().to_string()).env("PATH", &path)
    }
}

fn auths(registry: &str, password: &str) -> Value {
    json!({ "auths": { registry: { "auth": basic(password) } } })
}

/// Prints credentials as a helper does, and what it was asked for to stderr.
fn helper_of(user: &str, secret: &str) -> String {
    format!(
        r#"server=$(cat); [ "$1" = get ] && printf '{{"ServerURL":"%s","Username":"{user}","Secret":"{secret}"}}' "$server""#
    )
}

/// A swarm with t001, and a registry with an image.
fn swarm(image: &str) -> FakeSwarm {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    swarm.world().registry.insert(image.to_owned(), DIGEST.to_owned());
    swarm
}

/// The credentials that the engine gets with the question for an image, as JSON text; empty where it gets none.
#[track_caller]
fn sent(image: &str, prepare: impl FnOnce(Swarmctl) -> Swarmctl) -> String {
    let swarm = swarm(image);
    let run = swarmctl(["--debug", "update-image", "--detach", "t001", image]).host(swarm.host());
    prepare(run).run().exits(0);
    assert!(swarm.posts()[0].header("x-registry-auth").is_none(), "nothing is stored unasked");
    asked_with(&swarm)
}

/// The credentials that came with the question for an image.
#[track_caller]
fn asked_with(swarm: &FakeSwarm) -> String {
    let requests = swarm.requests();
    let question = requests.iter().find(|request| request.endpoint().starts_with("/distribution/"));
    question.expect("it was asked").header("x-registry-auth").map(header_json).unwrap_or_default()
}

fn password_header(server: &str, password: &str) -> String {
    format!(r#"{{"username":"{USER}","password":"{password}","serveraddress":"{server}"}}"#)
}

/// That resolving fails before anything but the service is asked for.
#[track_caller]
fn refused(prepare: impl FnOnce(Swarmctl) -> Swarmctl) -> Run {
    let engine = Engine::ordered([get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11)))]);
    let run = swarmctl(["--debug", "update-image", "-d", "t001", IMAGE]).host(engine.host());
    prepare(run).run().exits(1).says(&["error: cannot update service `t001`", "hint: "])
}

// Where they are found

#[test]
fn the_file_is_that_of_the_flag_the_variable_or_the_home() {
    let home = Home::new(&auths(REGISTRY, PASSWORD));
    let wanted = password_header(REGISTRY, PASSWORD);
    assert_eq!(sent(IMAGE, |run| home.within(run)), wanted);
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join(".docker")).unwrap();
    fs::copy(home.config().join("config.json"), parent.path().join(".docker/config.json")).unwrap();
    assert_eq!(sent(IMAGE, |run| run.env("HOME", &parent.path().display().to_string())), wanted);
    // The flag wins.
    let swarm = swarm(IMAGE);
    let folder = home.config().display().to_string();
    swarmctl(["--config", &folder, "update-image", "--detach", "t001", IMAGE])
        .host(swarm.host())
        .env("DOCKER_CONFIG", "/nonexistent")
        .run()
        .exits(0);
    assert_eq!(asked_with(&swarm), wanted);
}

#[test]
fn without_credentials_there_is_no_header() {
    assert_eq!(sent(IMAGE, |run| run), "");
    let home = Home::new(&auths("registry.example.com", PASSWORD));
    assert_eq!(sent(IMAGE, |run| home.within(run)), "");
    assert_eq!(sent(IMAGE, |run| home.within(run).env("DOCKER_AUTH_CONFIG", "")), "");
}

#[test]
fn docker_hub_has_a_key_of_its_own() {
    let hub = "https://index.docker.io/v1/";
    let home = Home::new(&auths(hub, PASSWORD));
    assert_eq!(sent("nginx:1", |run| home.within(run)), password_header(hub, PASSWORD));
}

#[test]
fn the_variable_comes_before_the_helpers_and_these_before_the_file() {
    let mut config = auths(REGISTRY, WRONG_PASSWORD);
    config["auths"]["r:1"] = json!({ "auth": basic(PASSWORD) });
    config["credHelpers"] = json!({ REGISTRY: "own" });
    config["credsStore"] = "all".into();
    let home = Home::new(&config)
        .helper("own", &helper_of(USER, OTHER_PASSWORD))
        .helper("all", "echo 'credentials not found in native keychain'; exit 1");
    let variable = auths(REGISTRY, PASSWORD).to_string();
    let sent_with = |variable: &str| sent(IMAGE, |run| home.within(run).env("DOCKER_AUTH_CONFIG", variable));
    assert_eq!(sent_with(&variable), password_header(REGISTRY, PASSWORD));
    assert_eq!(sent_with(""), password_header(REGISTRY, OTHER_PASSWORD));
    // It has others only; and a helper that has none leaves it to the file.
    assert_eq!(
        sent_with(&auths("r:9", WRONG_PASSWORD).to_string()),
        password_header(REGISTRY, OTHER_PASSWORD)
    );
    assert_eq!(sent("r:1/a:1", |run| home.within(run)), password_header("r:1", PASSWORD));
}

#[test]
fn tokens_are_sent_as_tokens() {
    let wanted = format!(r#"{{"serveraddress":"{REGISTRY}","identitytoken":"{TOKEN}"}}"#);
    let home = Home::new(&json!({ "credsStore": "tok" })).helper("tok", &helper_of("<token>", TOKEN));
    assert_eq!(sent(IMAGE, |run| home.within(run)), wanted);
    let home = Home::new(&json!({ "auths": { REGISTRY: { "identitytoken": TOKEN } } }));
    assert_eq!(sent(IMAGE, |run| home.within(run)), wanted);
}

#[test]
fn nothing_is_looked_up_where_no_registry_is_asked() {
    let home = Home::with_text("{broken");
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let run = swarmctl(["update-image", "-d", "--no-resolve-image", "t001", IMAGE]).host(swarm.host());
    home.within(run).run().exits(0);
    home.within(swarmctl(["ls"]).host(swarm.host())).run().exits(0);
}

// Stored with the service

#[test]
fn they_are_stored_where_that_is_asked_for_only() {
    let home = Home::new(&auths(REGISTRY, PASSWORD));
    for (args, is_sent) in [
        (&["update-image", "-d", "t001", IMAGE][..], false),
        (&["update-image", "-d", "--with-registry-auth", "t001", "127.0.0.1:5000/whoami:0.5"], true),
        (&["create", "-d", "--name", "a", IMAGE], false),
        (&["create", "-d", "--with-registry-auth", "--name", "b", IMAGE], true),
        (&["update", "-d", "--with-registry-auth", "--image", IMAGE, "t001"], true),
        (&["update", "-d", "--env-add", "A=1", "t001"], false),
    ] {
        let swarm = FakeSwarm::with([spec("t001", OLD)]);
        home.within(swarmctl(args.iter().copied()).host(swarm.host())).run().exits(0);
        let header = swarm.posts()[0].header("x-registry-auth").map(header_json);
        assert_eq!(header, is_sent.then(|| password_header(REGISTRY, PASSWORD)), "{args:?}");
    }
}

#[test]
fn they_are_a_change_of_their_own() {
    let home = Home::new(&auths(REGISTRY, PASSWORD));
    for args in [
        &["update-image", "-d", "--json", "--with-registry-auth", "t001", IMAGE][..],
        &["update-image", "-d", "--json", "--no-resolve-image", "--with-registry-auth", "t001", IMAGE],
        &["update", "-d", "--json", "--with-registry-auth", "t001"],
    ] {
        let pinned = format!("{IMAGE}@{DIGEST}");
        let swarm = FakeSwarm::with([spec("t001", &pinned)]);
        swarm.world().registry.insert(IMAGE.to_owned(), DIGEST.to_owned());
        let run = home.within(swarmctl(args.iter().copied()).host(swarm.host())).run().exits(0);
        let service = &run.json()["services"][0];
        assert_eq!((&service["outcome"], &service["posted"]), (&json!("applied"), &json!(true)));
        assert!(service["notes"].to_string().contains(REGISTRY), "{service}");
        assert!(swarm.posts()[0].header("x-registry-auth").is_some());
        assert_eq!(swarm.service("t001").taken, [spec("t001", &pinned)], "the spec is the same");
    }
}

#[test]
fn a_password_that_is_a_word_of_the_engines_hides_no_stale_index() {
    let home = Home::new(&json!({ "auths": { REGISTRY: { "username": USER, "password": "sequence" } } }));
    let swarm = swarm(IMAGE);
    swarm.before(When::Post, 1, |world| world.write("t001", |spec| spec["Labels"]["theirs"] = "1".into()));
    let line = ["update-image", "-d", "--with-registry-auth", "t001", IMAGE];
    home.within(swarmctl(line).host(swarm.host())).run().exits(0);
    assert_eq!(swarm.service("t001").spec["Labels"]["theirs"], "1");
}

#[test]
fn those_that_a_service_has_are_not_replaced_by_none() {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    let run =
        swarmctl(["update-image", "-d", "--with-registry-auth", "t001", IMAGE]).host(swarm.host()).run();
    run.exits(0).says(&["there are no credentials for registry `127.0.0.1:5000`"]);
    assert!(swarm.posts()[0].header("x-registry-auth").is_none());
}

// What is broken

#[test]
fn a_config_that_cannot_be_read_or_understood_is_told_with_its_name() {
    let broken = [
        "{broken".to_owned(),
        "[]".to_owned(),
        json!({ "auths": [] }).to_string(),
        json!({ "auths": { REGISTRY: { "auth": PASSWORD } } }).to_string(),
        json!({ "auths": { REGISTRY: PASSWORD } }).to_string(),
        json!({ "auths": { REGISTRY: { "username": USER, "password": [PASSWORD] } } }).to_string(),
    ];
    for text in broken {
        let home = Home::with_text(&text);
        refused(|run| home.within(run)).says(&[&home.config().join("config.json").display().to_string()]);
    }
    let home = Home::with_text("");
    let folder = home.config().join("config.json");
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    refused(|run| home.within(run)).says(&["cannot read", &folder.display().to_string()]);
}

#[test]
fn a_variable_that_cannot_be_understood_is_told_with_its_name() {
    let with_more = json!({ "auths": {}, "credsStore": "x" }).to_string();
    let entry = json!({ "auths": { REGISTRY: { "password": PASSWORD } } }).to_string();
    for text in ["{broken", "[]", &with_more, &entry] {
        refused(|run| run.env("DOCKER_AUTH_CONFIG", text)).says(&["`DOCKER_AUTH_CONFIG`"]);
    }
}

#[test]
fn a_helper_that_gives_none_is_told_with_its_own_words() {
    let fails = format!("echo 'the vault is locked' >&2; printf '{{\"Secret\":\"{PASSWORD}\"}}'; exit 3");
    let garbage = format!("printf '%s' 'Secret={PASSWORD}'");
    let half = format!("printf '%s' '{{\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}'");
    let wrong = format!("printf '%s' '{{\"Username\":[\"{PASSWORD}\"],\"Secret\":\"{PASSWORD}\"}}'");
    let echo = format!("{half}; echo 'it is {PASSWORD}, and refused' >&2; exit 1");
    let dump = format!("echo 'cannot send: {{Username:ann Secret:{PASSWORD}}}'; exit 1");
    for (name, script, words) in [
        ("h", "echo 'no such user'; exit 1", "`docker-credential-h` failed (exit status: 1): no such user"),
        ("h", &fails, "failed (exit status: 3): the vault is locked"),
        ("h", &garbage, "what it printed is no JSON"),
        ("h", &half, "what it printed is no JSON"),
        ("h", &wrong, "what it printed has no `Username`"),
        ("h", "exit 0", "it printed nothing"),
        ("h", "echo '[]'", "what it printed has no `Username`"),
        ("h", &echo, "failed (exit status: 1): it is (hidden), and refused"),
        ("h", &dump, "failed (exit status: 1): cannot send: {Username:ann Secret:(hidden)}"),
        (
            "h",
            "echo 'SecretService: the keyring is locked'; exit 1",
            ": SecretService: the keyring is locked",
        ),
        ("h", "exec yes", "it printed more than 32 KiB"),
        ("h", "yes | head -n 9; exit 1", "failed (exit status: 1): y\n  y\n  y\n  y\n  y..."),
        ("h", "kill -9 $$", "failed (signal: 9"),
        ("h", "printf '\\377\\376'; exit 1", "failed (exit status: 1)"),
        ("other", "exit 0", "`docker-credential-h` is not installed"),
    ] {
        let home = Home::new(&json!({ "credsStore": "h" })).helper(name, script);
        refused(|run| home.within(run)).says(&["credential helper", words]);
    }
}

#[test]
fn a_helpers_name_cannot_lead_elsewhere() {
    for name in ["../evil", "/bin/true", "a/b", "..", ".", "a b", "-x", "a\nb", "a;b"] {
        let home = Home::new(&json!({ "credHelpers": { REGISTRY: name } }));
        refused(|run| home.within(run)).says(&["cannot be one"]);
    }
}

#[test]
fn an_empty_name_turns_the_store_off_for_one_registry_as_docker_has_it() {
    let mut config = auths(REGISTRY, PASSWORD);
    config["credsStore"] = "all".into();
    config["credHelpers"] = json!({ REGISTRY: "", "r:9": 1 });
    let home = Home::new(&config).helper("all", "echo 'it was asked'; exit 1");
    assert_eq!(sent(IMAGE, |run| home.within(run)), password_header(REGISTRY, PASSWORD));
    config["credHelpers"] = json!({ REGISTRY: ["h"] });
    let home = Home::new(&config);
    refused(|run| home.within(run)).says(&["`credHelpers` has no name of a program for `127.0.0.1:5000`"]);
}

#[test]
fn a_secret_is_in_no_process_list() {
    let home = Home::new(&json!({ "credsStore": "spy" }));
    let seen = home.config().join("seen").display().to_string();
    let spy = format!(
        "cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' >{seen}; echo \"own: $*\" >>{seen}; {}",
        helper_of(USER, PASSWORD)
    );
    // The script itself holds the password, and is not to be found by it: its text is in a file, not in the list.
    let home = home.helper("spy", &spy);
    assert_eq!(sent(IMAGE, |run| home.within(run)), password_header(REGISTRY, PASSWORD));
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("own: get\n") && seen.contains("update-image"), "{seen}");
    assert_eq!(secrets::in_text(&seen), None, "{seen}");
}

#[test]
fn a_signal_that_ends_the_helper_too_is_an_interrupt() {
    let home = Home::new(&json!({ "credsStore": "h" })).helper("h", "kill -INT $PPID; kill -INT $$");
    let swarm = swarm(IMAGE);
    let run = swarmctl(["update-image", "-d", "t001", IMAGE]).host(swarm.host());
    home.within(run).run().exits(130).says(&["nothing was posted"]);
}

#[test]
fn a_pipe_in_the_place_of_the_config_is_not_waited_for() {
    let home = Home::with_text("");
    let file = home.config().join("config.json");
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    refused(|run| home.within(run).limit(Duration::from_secs(10)))
        .says(&["cannot read", "no file, but a pipe"]);
}

// What others say

#[test]
fn what_an_engine_or_a_registry_repeats_of_them_is_hidden() {
    let home = Home::new(&auths(REGISTRY, PASSWORD));
    let header = BASE64_URL_SAFE.encode(password_header(REGISTRY, PASSWORD));
    let (pinned, basic) = (format!("{IMAGE}@{DIGEST}"), basic(PASSWORD));
    let echoes = [
        format!("denied: bad header Authorization: Basic {basic}"),
        format!("bad X-Registry-Auth: {header}"),
        format!("bad X-Registry-Auth {}", password_header(REGISTRY, PASSWORD)),
        format!("Get \"http://{USER}:{PASSWORD}@{REGISTRY}/v2/\": EOF"),
    ];
    let question = |answer| get(&format!("/v1.41/distribution/{IMAGE}/json")).answers(answer);
    let t001_is = |image: &str, index| Answer::json(200, t001(image, index));
    let run = |engine: &Engine, args: &[&str]| {
        let line = [&["--debug", "update-image", "-d", "t001", IMAGE], args].concat();
        home.within(swarmctl(line).host(engine.host())).run()
    };
    for echo in echoes {
        let script =
            [get("/v1.41/services/t001").answers(t001_is(OLD, 11)), question(Answer::error(500, &echo))];
        run(&Engine::ordered(script), &["--on-resolve-error=fail"]).exits(1).says(&["(hidden)"]);
        // With the post: in a refusal, in a warning, and in what is no answer at all.
        let path = format!("/v1.41/services/{ID}/update?version=11");
        for (answer, code) in [
            (Answer::error(400, &echo), 1),
            (Answer::json(200, json!({ "Warnings": [echo] }).to_string()), 0),
        ] {
            let mut script =
                vec![get("/v1.41/services/t001").answers(t001_is(&pinned, 11)), post(&path).answers(answer)];
            if code == 0 {
                script.push(get(&format!("/v1.41/services/{ID}")).answers(t001_is(&pinned, 12)));
            }
            let engine = Engine::ordered(script);
            let args = ["--no-resolve-image", "--with-registry-auth"];
            run(&engine, &args).exits(code).says(&["(hidden)"]);
        }
        let script = [
            get("/v1.41/services/t001").answers(t001_is(OLD, 11)),
            question(Answer::json(200, format!("<p>{echo}</p>"))).times(1..=9),
        ];
        run(&Engine::ordered(script), &["--on-resolve-error=fail"]).exits(1).says(&["(hidden)"]);
        let script = [
            get("/v1.41/services/t001").answers(t001_is(OLD, 11)),
            question(Answer::json(200, json!({ "Descriptor": { "digest": echo } }).to_string())),
        ];
        run(&Engine::ordered(script), &["--on-resolve-error=fail"]).exits(1).says(&["no digest", "(hidden)"]);
        // In JSON too.
        let script =
            [get("/v1.41/services/t001").answers(t001_is(OLD, 11)), question(Answer::error(500, &echo))];
        let run = run(&Engine::ordered(script), &["--on-resolve-error=fail", "--json"]).exits(1);
        assert!(run.json()["services"][0]["error"].as_str().unwrap().contains("(hidden)"));
    }
}

#[test]
fn a_helper_that_hangs_is_ended_and_its_own_words_are_shown() {
    let hangs =
        format!("echo 'waiting for the vault' >&2; printf '{{\"Secret\":\"{PASSWORD}\"'; sleep 1000 & wait");
    let home = Home::new(&json!({ "credsStore": "h" })).helper("h", &hangs);
    let engine = Engine::ordered([get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11)))]);
    let run = swarmctl(["update-image", "-d", "--timeout", "1s", "t001", IMAGE]).host(engine.host());
    let run = home.within(run).limit(Duration::from_secs(20)).run().exits(1);
    run.says(&["`docker-credential-h` did not answer within 1 s: waiting for the vault"]);
    // A signal ends the wait too.
    let engine = Engine::ordered([get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11)))]);
    let run = swarmctl(["update-image", "-d", "t001", IMAGE]).host(engine.host());
    let mut running = home.within(run).limit(Duration::from_secs(20)).spawn();
    while engine.asked().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    running.signal("INT");
    running.wait().exits(130).says(&["nothing was posted"]);
}
