//! Networks, secrets and configs that a service already has with other options.

use serde_json::Value;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::references;
use crate::api::spec::{Occupied, ReferenceKind};
use crate::cli::messages::shell;

/// Describes why a network, secret or config cannot be added to a service that has it with other options.
pub fn describe_occupied(client: &Client, Occupied { kind, name, item }: &Occupied) -> Result<String> {
    let (what, long) = match kind {
        ReferenceKind::Network => {
            let name = references::network_name(client, name)?;
            let aliases: Vec<_> =
                item["Aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let with = match aliases.as_slice() {
                [] => "without aliases".to_owned(),
                aliases => format!("with the aliases `{}`", aliases.join("`, `")),
            };
            let why = format!("the service is already attached to network `{name}`, {with}");
            let name = shell::word(&name);
            return Ok(format!(
                "{why}, but with other options; to change them: \
                 `--network-rm {name} --network-add name={name},alias=ALIAS`"
            ));
        }
        ReferenceKind::Secret => ("secret", "source"),
        ReferenceKind::Config => ("config", "source"),
    };
    let file = item["File"]["Name"].as_str().unwrap_or(name);
    let word = shell::word(name);
    Ok(format!(
        "{what} `{name}` is already mounted as file `{file}`, but with other options; to change them: \
         `--{what}-rm {word} --{what}-add {long}={word},target={}`",
        shell::word(file)
    ))
}
