//! Candidates from the engine or from Docker's configuration directory.

use serde_json::json;

use super::Candidate;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::journal::{StoredRun, Summary};
use crate::api::records::names::{JOURNAL, RUN_PREFIX};
use crate::api::resources::services::TaskCounts;
use crate::api::resources::{images, networks, nodes, references, services};
use crate::cli::app::App;
use crate::cli::commands::ls::image_without_digest;
use crate::cli::deploy::journal::required_journal;
use crate::cli::select::format_count;

/// The kind of candidates for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateKind {
    /// Names of services.
    Services,
    /// `SERVICE=REPLICAS`.
    ReplicaCounts,
    /// `SERVICE`, or `SERVICE=IMAGE`.
    ImagePairs,
    /// Images that the engine has, and those that services run.
    Images,
    /// Stacks.
    Stacks,
    /// Networks of the swarm.
    Networks,
    /// Secrets.
    Secrets,
    /// Configs.
    Configs,
    /// Numbers of recorded runs.
    Runs,
    /// Placement constraints, with the names of nodes.
    Constraints,
    /// Filters of services, `KEY=VALUE`.
    Filters,
    /// Filters of tasks and of their services, `KEY=VALUE`.
    TaskFilters,
    /// Contexts.
    Contexts,
}

/// Connects to the engine when a candidate needs it.
pub struct EngineAccess {
    app: App,
}

/// Candidates, and whether they are incomplete, so that the shell adds no space after them.
type FoundCandidates = (Vec<Candidate>, bool);

const STACK: &str = "com.docker.stack.namespace";
const MODES: [&str; 4] = ["replicated", "global", "replicated-job", "global-job"];
const STATES: [&str; 3] = ["running", "shutdown", "accepted"];

impl EngineAccess {
    /// Creates the access without connecting to the engine.
    pub fn new(app: App) -> Self {
        Self { app }
    }

    fn client(&self) -> Result<Client> {
        self.app.client(Some(self.app.settings().timeouts.completion))
    }
}

/// Returns the candidates. `prefix` is the text at the cursor: in a `KEY=VALUE`, it determines whether the key or the
/// value is completed.
pub fn candidates(kind: CandidateKind, engine: &EngineAccess, prefix: &str) -> Result<FoundCandidates> {
    let plain = |found: Result<Vec<Candidate>>| found.map(|found| (found, false));
    let from_names =
        |names: Result<Vec<String>>| plain(names.map(|names| names.into_iter().map(candidate).collect()));
    match kind {
        CandidateKind::Services => plain(all_services(&engine.client()?)),
        // The name of the service is complete, and the number of replicas cannot be completed.
        CandidateKind::ReplicaCounts if prefix.contains('=') => Ok((Vec::new(), false)),
        CandidateKind::ReplicaCounts => {
            let counts = all_services(&engine.client()?)?
                .into_iter()
                .map(|it| Candidate::new(it.text + "=", it.description));
            Ok((counts.collect(), true))
        }
        CandidateKind::ImagePairs => match prefix.split_once('=') {
            None => plain(all_services(&engine.client()?)),
            Some((service, _)) => {
                let images = all_images(&engine.client()?)?;
                let pair =
                    |image: Candidate| Candidate::new(format!("{service}={}", image.text), image.description);
                Ok((images.into_iter().map(pair).collect(), false))
            }
        },
        CandidateKind::Images => plain(all_images(&engine.client()?)),
        CandidateKind::Stacks => from_names(stacks(&engine.client()?)),
        CandidateKind::Networks => from_names(networks::list_names(&engine.client()?)),
        CandidateKind::Secrets => from_names(references::list_names(&engine.client()?, "secret")),
        CandidateKind::Configs => from_names(configs(&engine.client()?)),
        CandidateKind::Runs => Ok((runs(&engine.client()?), false)),
        CandidateKind::Constraints => constraints(engine, prefix),
        CandidateKind::Filters => filters(engine, prefix, &[]),
        CandidateKind::TaskFilters => filters(engine, prefix, &["node=", "desired-state="]),
        CandidateKind::Contexts => from_names(engine.app.context_names()),
    }
}

fn candidate(name: String) -> Candidate {
    Candidate::new(name, "")
}

fn all_services(client: &Client) -> Result<Vec<Candidate>> {
    services::list_rows(client, &[], TaskCounts::Omitted, |row| {
        Candidate::new(row.name(), image_without_digest(row.image()))
    })
}

/// Returns the images that the connected engine has, and those of all services, which may run on other nodes only.
fn all_images(client: &Client) -> Result<Vec<Candidate>> {
    // The images of services are useful even if the engine's are not available.
    let tags = images::list_tags(client).unwrap_or_default();
    let mut images: Vec<Candidate> = tags.into_iter().map(candidate).collect();
    let running = services::list_rows(client, &[], TaskCounts::Omitted, |row| {
        let description = format!("runs in {}", row.name());
        Candidate::new(image_without_digest(row.image()), description)
    })?;
    images.extend(running.into_iter().filter(|image| !image.text.is_empty()));
    Ok(images)
}

/// Returns the configs, except those of the journal.
fn configs(client: &Client) -> Result<Vec<String>> {
    let names = references::list_names(client, "config")?.into_iter();
    Ok(names.filter(|name| name != JOURNAL && !name.starts_with(RUN_PREFIX)).collect())
}

/// Returns the runs of the journal. Empty if there is none, because an error would appear in the command line.
fn runs(client: &Client) -> Vec<Candidate> {
    let runs = required_journal(client, None).ok().and_then(|journal| journal.store().runs().ok());
    let candidate = |run: StoredRun| {
        let Summary { command, count, outcome, .. } = run.summary;
        let services = format_count(usize::try_from(count).unwrap_or(usize::MAX), "service");
        Candidate::new(run.number.to_string(), format!("{outcome}, {services}: {command}"))
    };
    runs.unwrap_or_default().into_iter().map(candidate).collect()
}

fn stacks(client: &Client) -> Result<Vec<String>> {
    let of_stacks = services::list(client, &json!({ "label": { STACK: true } }))?;
    let stack = |service: &services::Service| service.spec()["Labels"][STACK].as_str().map(str::to_owned);
    Ok(of_stacks.iter().filter_map(stack).collect())
}

fn node_names(client: &Client) -> Result<Vec<String>> {
    Ok(nodes::list(client)?.iter().map(|node| node.name().to_owned()).collect())
}

/// Returns candidates for the key in `KEY=VALUE`.
fn keys_to_complete(keys: &[&str]) -> FoundCandidates {
    (keys.iter().map(|key| Candidate::new(*key, "")).collect(), true)
}

fn values_of_key(key: &str, values: impl IntoIterator<Item = String>) -> FoundCandidates {
    (values.into_iter().map(|value| Candidate::new(format!("{key}{value}"), "")).collect(), false)
}

fn constraints(engine: &EngineAccess, prefix: &str) -> Result<FoundCandidates> {
    let operator = ["==", "!="].into_iter().find(|operator| prefix.contains(operator));
    let Some((key, operator)) = operator.and_then(|it| Some((prefix.split_once(it)?.0, it))) else {
        let keys = ["node.hostname", "node.role", "node.id", "node.platform.os", "node.platform.arch"];
        let both = keys.iter().flat_map(|key| [format!("{key}=="), format!("{key}!=")]);
        return Ok((both.map(candidate).collect(), true));
    };
    let values = match key.trim() {
        "node.hostname" => node_names(&engine.client()?)?,
        "node.role" => ["manager", "worker"].map(str::to_owned).to_vec(),
        "node.id" => nodes::list(&engine.client()?)?.into_iter().map(|node| node.id).collect(),
        "node.platform.os" => ["linux", "windows"].map(str::to_owned).to_vec(),
        "node.platform.arch" => ["x86_64", "aarch64"].map(str::to_owned).to_vec(),
        _ => Vec::new(),
    };
    Ok(values_of_key(&format!("{key}{operator}"), values))
}

fn filters(engine: &EngineAccess, prefix: &str, extra_keys: &[&str]) -> Result<FoundCandidates> {
    let label = format!("label={STACK}=");
    if prefix.starts_with(&label) {
        return Ok(values_of_key(&label, stacks(&engine.client()?)?));
    }
    let names = || -> Result<Vec<String>> {
        Ok(all_services(&engine.client()?)?.into_iter().map(|it| it.text).collect())
    };
    let keys = [&["name=", "label=", "mode=", "id=", "image="], extra_keys].concat();
    match prefix.split_once('=').map(|(key, _)| key) {
        None => Ok(keys_to_complete(&keys)),
        // IDs are not completed.
        Some("id") => Ok((Vec::new(), false)),
        Some("label") => Ok(keys_to_complete(&[&label])),
        Some("name") => Ok(values_of_key("name=", names()?)),
        Some("mode") => Ok(values_of_key("mode=", MODES.map(str::to_owned))),
        Some("node") => Ok(values_of_key("node=", node_names(&engine.client()?)?)),
        Some("desired-state") => Ok(values_of_key("desired-state=", STATES.map(str::to_owned))),
        Some("image") => {
            Ok(values_of_key("image=", all_images(&engine.client()?)?.into_iter().map(|it| it.text)))
        }
        // Offers the known keys as replacements for an unknown key, as docker does.
        Some(_) => {
            let (keys, continues) = keys_to_complete(&keys);
            Ok((keys.into_iter().map(|key| Candidate { replaces: true, ..key }).collect(), continues))
        }
    }
}
