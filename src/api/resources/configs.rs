//! Configs: the requests to `/configs`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::http::json_array::{JsonArrayParser, parse_first};
use crate::api::http::request_path::Path;

/// The first API version with configs.
pub const MIN_API_VERSION: (u32, u32) = (1, 30);

/// The labels of a config.
pub type Labels = BTreeMap<String, String>;

/// A config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The full ID.
    pub id: String,
    /// The name.
    pub name: String,
    /// `Version.Index`.
    pub version: u64,
    /// The labels.
    pub labels: Labels,
    /// The data, in base64.
    data: String,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default, rename = "Version")]
    version: Version,
    #[serde(rename = "Spec")]
    spec: Spec,
}

#[derive(Default, Deserialize)]
struct Version {
    #[serde(default, rename = "Index")]
    index: u64,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default, rename = "Name")]
    name: String,
    #[serde(default, rename = "Labels")]
    labels: Option<Labels>,
    #[serde(default, rename = "Data")]
    data: Option<String>,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "ID")]
    id: String,
}

impl Config {
    /// The data. `None` if it is not base64.
    pub fn data(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.data).ok()
    }
}

impl From<Row> for Config {
    fn from(Row { id, version, spec }: Row) -> Self {
        let Spec { name, labels, data } = spec;
        let (labels, data) = (labels.unwrap_or_default(), data.unwrap_or_default());
        Self { id, name, version: version.index, labels, data }
    }
}

/// `GET /configs/{name}`.
///
/// # Errors
/// [`Error::Engine`] with status 404: the config does not exist.
pub fn inspect(client: &Client, name: &str) -> Result<Config> {
    client.get_json::<Row>(&Path::new(&["configs", name])).map(Config::from)
}

/// `GET /configs` for the config with this name. `None` if it does not exist.
///
/// The engine looks the name up once. For [`inspect`] it looks up an ID, a name and an ID prefix, which takes twice as
/// long if the config does not exist.
pub fn find(client: &Client, name: &str) -> Result<Option<Config>> {
    Ok(named(client.get_json(&path_by_name(name))?, name))
}

/// Like [`find`], but the request replaces a ping ([`Client::get_instead_of_ping`]).
pub fn find_instead_of_ping(client: &Client, name: &str) -> Option<Result<Option<Config>>> {
    client.get_instead_of_ping(&path_by_name(name), |response| Ok(named(response.json()?, name)))
}

/// The path that lists the configs whose names begin with `name`.
fn path_by_name(name: &str) -> Path {
    Path::new(&["configs"]).query("filters", &json!({ "name": [name] }).to_string())
}

fn named(rows: Vec<Row>, name: &str) -> Option<Config> {
    rows.into_iter().find(|row| row.spec.name == name).map(Config::from)
}

/// `GET /configs` with a label. The engine always sends the data.
pub fn list(client: &Client, label: &str) -> Result<Vec<Config>> {
    let filters = json!({ "label": [label] }).to_string();
    let path = Path::new(&["configs"]).query("filters", &filters);
    client.get_rows(&path, || JsonArrayParser::new(|text: &str| parse_first(text, |row: Row| row.into())))
}

/// `POST /configs/create`, with only the retries of [`Client::post`]. Returns the ID.
///
/// # Errors
/// [`Error::Engine`] with status 409: there is a config with this name.
pub fn create(client: &Client, name: &str, labels: &Labels, data: &[u8]) -> Result<String> {
    let body = json!({ "Name": name, "Labels": labels, "Data": STANDARD.encode(data) });
    let created: Created =
        client.post(&Path::new(&["configs", "create"]), body.to_string().as_bytes(), None)?.json()?;
    Ok(created.id)
}

/// `POST /configs/{id}/update`, with only the retries of [`Client::post`]. Changes the labels; the data cannot change
/// and is not sent.
///
/// # Errors
/// The version index of the config is stale, for example.
pub fn update_labels(client: &Client, config: &Config, labels: &Labels) -> Result<()> {
    let path = Path::new(&["configs", &config.id, "update"]).query("version", &config.version.to_string());
    let body = json!({ "Name": config.name, "Labels": labels });
    client.post(&path, body.to_string().as_bytes(), None).map(drop)
}

/// `DELETE /configs/{id}`. A config that does not exist is not an error.
pub fn delete(client: &Client, id: &str) -> Result<()> {
    match client.delete(&Path::new(&["configs", id])) {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// Whether the error means that a config with this name exists already.
pub fn is_name_taken(error: &Error) -> bool {
    matches!(error, Error::Engine { status: 409, .. }) || error.is_name_taken()
}
