//! Items of lists and maps: environment variables, ports, mounts, secrets.

use serde_json::Value;

use super::values::short_text;
use crate::api::spec::Place;

/// Formats an item.
type Formatter = Box<dyn Fn(&Value) -> String>;

/// Describes the change of an item or of the value of a key; `None` if the place is neither.
pub fn describe_item(place: &Place, old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    let (kind, shown): (&str, Formatter) = match item_kind(place)? {
        ItemKind::Keyed { label: kind, key } => {
            if let (Some(old), Some(new)) = (old, new) {
                return Some(format!("{kind} {key}={} -> {}", short_value(old), short_value(new)));
            }
            (kind, Box::new(move |value| format!("{key}={}", short_value(value))))
        }
        ItemKind::Env => {
            if let (Some(old), Some(new)) = (old, new) {
                let value =
                    |item: &Value| short_value(item).split_once('=').map(|(_, value)| value.to_owned());
                let value = |item| value(item).unwrap_or_else(|| "(none)".to_owned());
                return Some(format!("env {} -> {}", short_value(old), value(new)));
            }
            ("env", Box::new(short_value))
        }
        ItemKind::Listed { label: kind, format: shown } => (kind, Box::new(shown)),
    };
    Some(match (old, new) {
        (Some(old), Some(new)) => format!("{kind} {} -> {}", shown(old), shown(new)),
        (None, Some(new)) => format!("{kind} {} added", shown(new)),
        (Some(old), None) => format!("{kind} {} removed", shown(old)),
        (None, None) => return None,
    })
}

enum ItemKind {
    /// The value of a key of a map.
    Keyed { label: &'static str, key: String },
    /// An environment variable, `KEY=VALUE`.
    Env,
    /// An item of a list, and the function that formats it.
    Listed { label: &'static str, format: fn(&Value) -> String },
}

fn item_kind(place: &Place) -> Option<ItemKind> {
    let keys: Vec<&str> = place.keys().iter().map(String::as_str).collect();
    if let Some((key, path)) = keys.split_last()
        && place.item_id().is_none()
    {
        let kind = match path {
            ["Labels"] => "label",
            ["TaskTemplate", "ContainerSpec", "Labels"] => "container label",
            ["TaskTemplate", "ContainerSpec", "Sysctls"] => "sysctl",
            ["TaskTemplate", "LogDriver", "Options"] => "log option",
            _ => return None,
        };
        return Some(ItemKind::Keyed { label: kind, key: (*key).to_owned() });
    }
    Some(match keys.as_slice() {
        ["EndpointSpec", "Ports"] => ItemKind::Listed { label: "port", format: port },
        ["TaskTemplate", "Placement", "Constraints"] => {
            ItemKind::Listed { label: "constraint", format: short_value }
        }
        ["TaskTemplate", "Placement", "Preferences"] => {
            ItemKind::Listed { label: "placement preference", format: preference }
        }
        ["TaskTemplate", "Placement", "Platforms"] => {
            ItemKind::Listed { label: "platform", format: platform }
        }
        ["TaskTemplate", "Resources", "Reservations", "GenericResources"] => {
            ItemKind::Listed { label: "generic resource", format: generic_resource }
        }
        ["TaskTemplate", "ContainerSpec", list] => match *list {
            "Env" => ItemKind::Env,
            "CapabilityAdd" => ItemKind::Listed { label: "capability", format: short_value },
            "CapabilityDrop" => ItemKind::Listed { label: "dropped capability", format: short_value },
            "Configs" => ItemKind::Listed { label: "config", format: config },
            "Groups" => ItemKind::Listed { label: "group", format: short_value },
            "Hosts" => ItemKind::Listed { label: "host", format: short_value },
            "Mounts" => ItemKind::Listed { label: "mount", format: mount },
            "Secrets" => ItemKind::Listed { label: "secret", format: secret },
            "Ulimits" => ItemKind::Listed { label: "ulimit", format: ulimit },
            _ => return None,
        },
        ["TaskTemplate", "ContainerSpec", "DNSConfig", list] => match *list {
            "Nameservers" => ItemKind::Listed { label: "dns server", format: short_value },
            "Options" => ItemKind::Listed { label: "dns option", format: short_value },
            "Search" => ItemKind::Listed { label: "dns search domain", format: short_value },
            _ => return None,
        },
        _ => return None,
    })
}

/// Formats a value in one line, and shortens it if it is long.
fn short_value(value: &Value) -> String {
    short_text(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The string at a key; empty if there is none.
fn string_field<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Formats a port as `8080->80/tcp`, with the mode if it is not ingress.
fn port(port: &Value) -> String {
    let number = |key: &str| port[key].as_u64().unwrap_or(0);
    let published = match number("PublishedPort") {
        0 => String::new(),
        published => format!("{published}->"),
    };
    let protocol =
        if string_field(port, "Protocol").is_empty() { "tcp" } else { string_field(port, "Protocol") };
    let mode = match string_field(port, "PublishMode") {
        "" | "ingress" => String::new(),
        mode => format!(" ({mode})"),
    };
    format!("{published}{}/{protocol}{mode}", number("TargetPort"))
}

fn preference(preference: &Value) -> String {
    match preference["Spread"]["SpreadDescriptor"].as_str() {
        Some(by) => format!("spread={by}"),
        None => short_value(preference),
    }
}

fn platform(platform: &Value) -> String {
    let parts = [string_field(platform, "OS"), string_field(platform, "Architecture")];
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/")
}

fn generic_resource(resource: &Value) -> String {
    let of = |kind: &str| {
        let spec = resource.get(kind)?;
        let value = &spec["Value"];
        Some(format!(
            "{}={}",
            string_field(spec, "Kind"),
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        ))
    };
    of("NamedResourceSpec").or_else(|| of("DiscreteResourceSpec")).unwrap_or_else(|| short_value(resource))
}

fn ulimit(ulimit: &Value) -> String {
    format!("{}={}:{}", string_field(ulimit, "Name"), ulimit["Soft"], ulimit["Hard"])
}

/// Formats a mount: `volume data at /data (read-only)`, `/srv at /data`.
fn mount(mount: &Value) -> String {
    let (source, target) = (string_field(mount, "Source"), string_field(mount, "Target"));
    let what = match (string_field(mount, "Type"), source) {
        ("bind", source) => source.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, source) => format!("{kind} {source}"),
    };
    let read_only = if mount["ReadOnly"] == true { " (read-only)" } else { "" };
    format!("{what} at {target}{read_only}")
}

fn secret(secret: &Value) -> String {
    reference(string_field(secret, "SecretName"), "/run/secrets/", secret)
}

fn config(config: &Value) -> String {
    reference(string_field(config, "ConfigName"), "/", config)
}

/// Formats a secret or config: `db at /run/secrets/db (mode 0444)`.
fn reference(name: &str, directory: &str, reference: &Value) -> String {
    let file = &reference["File"];
    let Some(path) = file["Name"].as_str() else { return name.to_owned() };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("{directory}{path}") };
    let mode = file["Mode"].as_u64().map(|mode| format!("mode {mode:04o}"));
    let owner = |key: &str, label: &str| {
        file[key].as_str().filter(|id| !matches!(*id, "" | "0")).map(|id| format!("{label} {id}"))
    };
    let options: Vec<String> =
        mode.into_iter().chain(owner("UID", "uid")).chain(owner("GID", "gid")).collect();
    if options.is_empty() {
        format!("{name} at {path}")
    } else {
        format!("{name} at {path} ({})", options.join(", "))
    }
}
