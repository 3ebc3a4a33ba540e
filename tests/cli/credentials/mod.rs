//! Credentials for registries: where they are looked up, how they are sent, and what is reported if that fails.

mod broken;
mod found;
mod messages;
mod stored;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::engine::{Engine, get};
use crate::support::exit::Exit;
use crate::support::fake_swarm::FakeSwarm;
use crate::support::fixtures::{OLD, spec, t001};
use crate::support::helper;
use crate::support::run::{Run, Swarmctl, swarmctl};
use crate::support::secrets::{USER, basic, header_json};
use crate::support::server::Answer;

const REGISTRY: &str = "127.0.0.1:5000";

const IMAGE: &str = "127.0.0.1:5000/whoami:0.6";

const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// A directory with a config.json and with credential helpers, for DOCKER_CONFIG and PATH.
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

/// The script of a helper that prints these credentials for every registry.
fn helper_of(user: &str, secret: &str) -> String {
    format!(
        r#"server=$(cat); [ "$1" = get ] && printf '{{"ServerURL":"%s","Username":"{user}","Secret":"{secret}"}}' "$server""#
    )
}

/// A swarm with `t001`, and a registry that has this image.
fn swarm(image: &str) -> FakeSwarm {
    let swarm = FakeSwarm::with([spec("t001", OLD)]);
    swarm.world().registry.insert(image.to_owned(), DIGEST.to_owned());
    swarm
}

/// Runs `update-image`, and returns the credentials in the request about the image, as [`asked_with`] does.
#[track_caller]
fn sent(image: &str, prepare: impl FnOnce(Swarmctl) -> Swarmctl) -> String {
    let swarm = swarm(image);
    let run = swarmctl(["--debug", "update-image", "--detach", "t001", image]).host(swarm.host());
    prepare(run).run().succeeds();
    assert!(swarm.posts()[0].header("x-registry-auth").is_none(), "nothing is stored unasked");
    asked_with(&swarm)
}

/// The credentials that were sent with the request about the image, as JSON text; empty if there were none.
#[track_caller]
fn asked_with(swarm: &FakeSwarm) -> String {
    let requests = swarm.requests();
    let question = requests.iter().find(|request| request.endpoint().starts_with("/distribution/"));
    question.expect("it was asked").header("x-registry-auth").map(header_json).unwrap_or_default()
}

fn password_header(server: &str, password: &str) -> String {
    format!(r#"{{"username":"{USER}","password":"{password}","serveraddress":"{server}"}}"#)
}

/// Requires that `update-image` fails after it has read the service, without any other request.
#[track_caller]
fn refused(prepare: impl FnOnce(Swarmctl) -> Swarmctl) -> Run {
    let engine = Engine::ordered([get("/v1.41/services/t001").answers(Answer::json(200, t001(OLD, 11)))]);
    let run = swarmctl(["--debug", "update-image", "-d", "t001", IMAGE]).host(engine.host());
    prepare(run).run().fails_with(Exit::Failed).says(&["error: cannot update service `t001`", "hint: "])
}
