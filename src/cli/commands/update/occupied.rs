//! Networks, secrets and configs that a service already has with other options.

use serde_json::Value;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::resources::references;
use crate::api::spec::{Occupied, ReferenceKind};
use crate::cli::messages::shell;

/// Describes why a network, secret or config cannot be added to a service that has it with other options.
pub fn describe_occupied(client: &Client, occupied: &Occupied) -> Result<String> {
    let Occupied { kind, name, item, requested, others } = occupied;
    let what = match kind {
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
        ReferenceKind::Secret => "secret",
        ReferenceKind::Config => "config",
    };
    let file = item["File"]["Name"].as_str().unwrap_or(name);
    // The removal is one of all files of the secret or config, so the others are added again.
    let adds: String = std::iter::once(requested)
        .chain(others)
        .map(|item| format!(" --{what}-add {}", shell::argument(as_value(name, item).as_bytes())))
        .collect();
    Ok(format!(
        "{what} `{name}` is already mounted as file `{file}`, but with other options; to change them: \
         `--{what}-rm {}{adds}`",
        shell::word(name)
    ))
}

/// Returns the value of `--secret-add` or `--config-add` for an item of a spec.
fn as_value(name: &str, item: &Value) -> String {
    let file = &item["File"];
    let text = |key: &str, default: &str| {
        file[key].as_str().filter(|text| !text.is_empty() && *text != default).map(str::to_owned)
    };
    let mode = file["Mode"].as_u64().filter(|mode| *mode != 0o444).map(|mode| format!("0{mode:o}"));
    let target = text("Name", "").unwrap_or_else(|| name.to_owned());
    [("target", Some(target)), ("uid", text("UID", "0")), ("gid", text("GID", "0")), ("mode", mode)]
        .into_iter()
        .filter_map(|(key, value)| Some(format!(",{key}={}", value?)))
        .fold(format!("source={name}"), |all, part| all + &part)
}
