//! `tags`, and with it the registry client, on registries that behave like real ones.

mod access;
mod choice;
mod hosts;
mod hub;
mod limits;
mod pages;
mod tls;

use tempfile::TempDir;

use crate::support::run::{Run, Swarmctl, swarmctl};

/// `tags` of a repository or service, in JSON, without an engine.
fn tags(subject: &str) -> Swarmctl {
    swarmctl(["tags", "--json", subject]).host("unix:///nonexistent").timeouts("registry_retry=20")
}

/// The tags that were printed.
fn printed(run: &Run) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let tags = json["tags"].as_array().expect("a list").iter();
    tags.map(|tag| tag["tag"].as_str().expect("a name").to_owned()).collect()
}

/// A directory with a config.json that has this entry for the registry.
fn login(host: &str, entry: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let text = format!(r#"{{"auths": {{"{host}": {entry}}}}}"#);
    std::fs::write(directory.path().join("config.json"), text).expect("a file");
    directory
}

/// `ann:sesame-open`, encoded as docker stores it.
const ENTRY: &str = r#"{"auth": "YW5uOnNlc2FtZS1vcGVu"}"#;
const BASIC: &str = "Basic YW5uOnNlc2FtZS1vcGVu";
const PASSWORD: &str = "sesame-open";
