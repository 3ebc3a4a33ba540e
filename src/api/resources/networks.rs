//! Networks: the requests to `/networks`.

use serde::Deserialize;
use serde_json::Value;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;

#[derive(Deserialize)]
struct Network {
    #[serde(rename = "Name")]
    name: String,
}

/// The names of the networks that services can use (`GET /networks` with the swarm scope, without `ingress`).
pub fn list_names(client: &Client) -> Result<Vec<String>> {
    let path = Path::new(&["networks"]).query("filters", r#"{"scope":{"swarm":true}}"#);
    let names = client.get_json::<Vec<Network>>(&path)?.into_iter().map(|network| network.name);
    Ok(names.filter(|name| name != "ingress").collect())
}

/// The engine's own JSON of all networks (`GET /networks`).
pub fn list(client: &Client) -> Result<Vec<Value>> {
    client.get_json(&Path::new(&["networks"]))
}

/// The name of a network (`GET /networks/{id}` with the swarm scope).
pub fn name(client: &Client, id: &str) -> Result<String> {
    let path = Path::new(&["networks", id]).query("scope", "swarm");
    Ok(client.get_json::<Network>(&path)?.name)
}
