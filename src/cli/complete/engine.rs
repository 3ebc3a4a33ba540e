//! Candidates that an engine knows, or Docker's config folder.

use serde_json::json;

use super::Candidate;
use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::services::TaskCounts;
use crate::api::resources::{images, networks, nodes, references, services};
use crate::cli::app::App;
use crate::cli::commands::ls::image_without_digest;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Names of services.
    Services,
    /// `SERVICE=REPLICAS`.
    Scaled,
    /// `SERVICE`, or `SERVICE=IMAGE`.
    Pairs,
    /// Tags that the engine has, and those that services run.
    Images,
    /// Stacks.
    Stacks,
    /// Networks of the swarm.
    Networks,
    /// Secrets.
    Secrets,
    /// Configs.
    Configs,
    /// Placement constraints, with the names of nodes.
    Constraints,
    /// `KEY=VALUE` of services.
    Filters,
    /// `KEY=VALUE` of tasks and their services.
    TaskFilters,
    /// Contexts.
    Contexts,
}

/// Whoever is asked.
pub struct Asked {
    app: App,
}

/// Candidates, and whether more is to follow right behind them.
type Found = (Vec<Candidate>, bool);

const STACK: &str = "com.docker.stack.namespace";
const MODES: [&str; 4] = ["replicated", "global", "replicated-job", "global-job"];
const STATES: [&str; 3] = ["running", "shutdown", "accepted"];

impl Asked {
    /// Nothing is asked yet.
    pub fn new(app: App) -> Self {
        Self { app }
    }

    fn client(&self) -> Result<Client> {
        self.app.client(Some(self.app.settings().timeouts.completion))
    }
}

/// All there are; `prefix` tells which part of a value is wanted.
pub fn candidates(source: Source, asked: &Asked, prefix: &str) -> Result<Found> {
    let plain = |found: Result<Vec<Candidate>>| found.map(|found| (found, false));
    let named = |names: Result<Vec<String>>| plain(names.map(|names| names.into_iter().map(named).collect()));
    match source {
        Source::Services => plain(all_services(&asked.client()?)),
        Source::Scaled => {
            let scaled =
                all_services(&asked.client()?)?.into_iter().map(|it| Candidate::new(it.text + "=", it.about));
            Ok((scaled.collect(), true))
        }
        Source::Pairs => match prefix.split_once('=') {
            None => plain(all_services(&asked.client()?)),
            Some((service, _)) => {
                let images = all_images(&asked.client()?)?;
                let pair =
                    |image: Candidate| Candidate::new(format!("{service}={}", image.text), image.about);
                Ok((images.into_iter().map(pair).collect(), false))
            }
        },
        Source::Images => plain(all_images(&asked.client()?)),
        Source::Stacks => named(stacks(&asked.client()?)),
        Source::Networks => named(networks::list_names(&asked.client()?)),
        Source::Secrets => named(references::list_names(&asked.client()?, "secret")),
        Source::Configs => named(references::list_names(&asked.client()?, "config")),
        Source::Constraints => constraints(asked, prefix),
        Source::Filters => filters(asked, prefix, &[]),
        Source::TaskFilters => filters(asked, prefix, &["node=", "desired-state="]),
        Source::Contexts => named(asked.app.context_names()),
    }
}

fn named(name: String) -> Candidate {
    Candidate::new(name, "")
}

fn all_services(client: &Client) -> Result<Vec<Candidate>> {
    services::list_rows(client, &[], TaskCounts::Omitted, |row| {
        Candidate::new(row.name(), image_without_digest(row.image()))
    })
}

/// The engine's own tags, and what services run: its tasks may all be elsewhere.
fn all_images(client: &Client) -> Result<Vec<Candidate>> {
    // Where the one is not to be had, the other still is.
    let tags = images::list_tags(client).unwrap_or_default();
    let mut images: Vec<Candidate> = tags.into_iter().map(named).collect();
    let running = services::list_rows(client, &[], TaskCounts::Omitted, |row| {
        let about = format!("runs in {}", row.name());
        Candidate::new(image_without_digest(row.image()), about)
    })?;
    images.extend(running.into_iter().filter(|image| !image.text.is_empty()));
    Ok(images)
}

fn stacks(client: &Client) -> Result<Vec<String>> {
    let of_stacks = services::list(client, &json!({ "label": { STACK: true } }))?;
    let stack = |service: &services::Service| service.spec()["Labels"][STACK].as_str().map(str::to_owned);
    Ok(of_stacks.iter().filter_map(stack).collect())
}

fn node_names(client: &Client) -> Result<Vec<String>> {
    Ok(nodes::list(client)?.iter().map(|node| node.name().to_owned()).collect())
}

/// Keys first, then values of the key that is there.
fn keyed(keys: &[&str]) -> Found {
    (keys.iter().map(|key| Candidate::new(*key, "")).collect(), true)
}

fn with_key(key: &str, values: impl IntoIterator<Item = String>) -> Found {
    (values.into_iter().map(|value| Candidate::new(format!("{key}{value}"), "")).collect(), false)
}

fn constraints(asked: &Asked, prefix: &str) -> Result<Found> {
    let operator = ["==", "!="].into_iter().find(|operator| prefix.contains(operator));
    let Some((key, operator)) = operator.and_then(|it| Some((prefix.split_once(it)?.0, it))) else {
        let keys = ["node.hostname", "node.role", "node.id", "node.platform.os", "node.platform.arch"];
        let both = keys.iter().flat_map(|key| [format!("{key}=="), format!("{key}!=")]);
        return Ok((both.map(named).collect(), true));
    };
    let values = match key.trim() {
        "node.hostname" => node_names(&asked.client()?)?,
        "node.role" => ["manager", "worker"].map(str::to_owned).to_vec(),
        "node.id" => nodes::list(&asked.client()?)?.into_iter().map(|node| node.id).collect(),
        "node.platform.os" => ["linux", "windows"].map(str::to_owned).to_vec(),
        "node.platform.arch" => ["x86_64", "aarch64"].map(str::to_owned).to_vec(),
        _ => Vec::new(),
    };
    Ok(with_key(&format!("{key}{operator}"), values))
}

fn filters(asked: &Asked, prefix: &str, more: &[&str]) -> Result<Found> {
    let label = format!("label={STACK}=");
    if prefix.starts_with(&label) {
        return Ok(with_key(&label, stacks(&asked.client()?)?));
    }
    let names = || -> Result<Vec<String>> {
        Ok(all_services(&asked.client()?)?.into_iter().map(|it| it.text).collect())
    };
    let keys = [&["name=", "label=", "mode=", "id=", "image="], more].concat();
    match prefix.split_once('=').map(|(key, _)| key) {
        None => Ok(keyed(&keys)),
        // Nobody completes an ID.
        Some("id") => Ok((Vec::new(), false)),
        Some("label") => Ok(keyed(&[&label])),
        Some("name") => Ok(with_key("name=", names()?)),
        Some("mode") => Ok(with_key("mode=", MODES.map(str::to_owned))),
        Some("node") => Ok(with_key("node=", node_names(&asked.client()?)?)),
        Some("desired-state") => Ok(with_key("desired-state=", STATES.map(str::to_owned))),
        Some("image") => Ok(with_key("image=", all_images(&asked.client()?)?.into_iter().map(|it| it.text))),
        // It is not a key: the keys are offered in its place, as docker does.
        Some(_) => {
            let (keys, goes_on) = keyed(&keys);
            Ok((keys.into_iter().map(|key| Candidate { replaces: true, ..key }).collect(), goes_on))
        }
    }
}
