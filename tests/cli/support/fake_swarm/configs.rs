//! Configs of the fake swarm that have data and labels: those of the journal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{RequestKind, SwarmState};
use crate::support::server::{Answer, Request, normal_filters};

/// A config of the journal.
#[derive(Clone, Debug)]
pub struct StoredConfig {
    pub id: String,
    pub index: u64,
    pub name: String,
    pub labels: Value,
    /// The data, in base64.
    pub data: String,
}

impl StoredConfig {
    fn shown(&self) -> Value {
        json!({
            "ID": self.id,
            "Version": { "Index": self.index },
            "CreatedAt": "2026-11-28T22:10:04Z",
            "UpdatedAt": "2026-11-28T22:10:04Z",
            "Spec": { "Name": self.name, "Labels": self.labels, "Data": self.data },
        })
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels[key].as_str()
    }

    /// The data.
    pub fn bytes(&self) -> Vec<u8> {
        STANDARD.decode(&self.data).expect("base64")
    }
}

impl SwarmState {
    /// Whether the request is about configs with data. A request for a list is only if it has a filter with a label, or
    /// with a name that begins with `swarmctl.`. All other requests about configs are.
    pub(super) fn is_about_stored_configs(&self, request: &Request) -> bool {
        let by = request.param("filters").and_then(normal_filters).unwrap_or_else(|| json!({}));
        let is_own = by["name"][0].as_str().is_some_and(|name| name.starts_with("swarmctl."));
        request.method != "GET" || request.endpoint() != "/configs" || by.get("label").is_some() || is_own
    }

    /// Adds a config.
    pub fn add_config(&mut self, name: &str, labels: Value, data: &[u8]) -> String {
        let index = self.bump();
        let id = format!("{index:0>25}");
        let data = STANDARD.encode(data);
        self.configs.push(StoredConfig { id: id.clone(), index, name: name.to_owned(), labels, data });
        id
    }

    fn create_config(&mut self, body: &Value) -> Answer {
        let name = body["Name"].as_str().unwrap_or_default();
        if self.configs.iter().any(|config| config.name == name) {
            let why = format!("rpc error: code = AlreadyExists desc = config {name} already exists");
            return Answer::error(409, &why);
        }
        let data = STANDARD.decode(body["Data"].as_str().unwrap_or_default()).expect("base64");
        assert!((1..512_000).contains(&data.len()), "the data of {name} has {} bytes", data.len());
        let id = self.add_config(name, body["Labels"].clone(), &data);
        Answer::json(201, json!({ "ID": id }).to_string() + "\n")
    }

    pub(super) fn configs(&mut self, request: &Request) -> Answer {
        let endpoint = request.endpoint().to_owned();
        let words: Vec<&str> = endpoint.split('/').skip(2).collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let find = |configs: &[StoredConfig], word: &str| {
            configs.iter().position(|config| config.id == word || config.name == word)
        };
        let none = |word: &str| {
            Answer::error(404, &format!("rpc error: code = NotFound desc = config {word} not found"))
        };
        match (request.method.as_str(), words.as_slice()) {
            ("GET", []) => {
                let filters = request.param("filters").and_then(normal_filters).unwrap_or_default();
                let wanted = filters["label"][0].as_str().unwrap_or_default();
                let (key, value) =
                    wanted.split_once('=').map_or((wanted, None), |(key, value)| (key, Some(value)));
                let fits = |config: &&StoredConfig| match filters["name"][0].as_str() {
                    Some(name) => config.name.starts_with(name),
                    None => config.label(key).is_some_and(|own| value.is_none_or(|value| value == own)),
                };
                let list: Vec<Value> = self.configs.iter().filter(fits).map(StoredConfig::shown).collect();
                Answer::json(200, Value::from(list).to_string() + "\n")
            }
            ("POST", ["create"]) => {
                self.hook(RequestKind::Config, false);
                let answer = self.create_config(&body);
                self.hook(RequestKind::Config, true);
                answer
            }
            ("GET", [word]) => match find(&self.configs, word) {
                Some(at) => Answer::json(200, self.configs[at].shown().to_string() + "\n"),
                None => none(word),
            },
            ("POST", [word, "update"]) => {
                self.hook(RequestKind::ConfigUpdate, false);
                match find(&self.configs, word) {
                    Some(at) if request.param("version") == Some(&self.configs[at].index.to_string()) => {
                        assert_eq!(body["Name"], self.configs[at].name.as_str());
                        let index = self.bump();
                        self.configs[at].index = index;
                        self.configs[at].labels = body["Labels"].clone();
                        Answer { content_type: "text/plain", ..Answer::json(200, "") }
                    }
                    Some(_) => Answer::error(500, "rpc error: code = Unknown desc = update out of sequence"),
                    None => none(word),
                }
            }
            ("DELETE", [word]) => match find(&self.configs, word) {
                Some(at) => {
                    self.configs.remove(at);
                    Answer { content_type: "text/plain", ..Answer::json(204, "") }
                }
                None => none(word),
            },
            _ => Answer::error(404, "page not found"),
        }
    }
}
