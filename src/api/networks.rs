//! Networks: one function an endpoint of `/networks`.

use serde::Deserialize;

use super::client::Client;
use super::error::Result;
use super::path::Path;

#[derive(Deserialize)]
struct Network {
    #[serde(rename = "Name")]
    name: String,
}

/// `GET /networks/{id}` in the whole swarm: its name.
pub fn name(client: &Client, id: &str) -> Result<String> {
    let path = Path::new(&["networks", id]).query("scope", "swarm");
    Ok(client.get_json::<Network>(&path)?.name)
}
