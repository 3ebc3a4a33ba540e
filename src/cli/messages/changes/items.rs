//! Items of lists and maps: environment variables, ports, mounts, secrets.

use serde_json::Value;

use super::values::short_text;
use crate::api::spec::Place;

/// The format of an item.
type Format = Box<dyn Fn(&Value) -> String>;

/// Describes the change of an item or of the value of a key; `None` if the place is neither.
pub fn describe_item(place: &Place, old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    let (kind, shown): (&str, Format) = match item_kind(place)? {
        ItemKind::Pair(kind, key) => {
            if let (Some(old), Some(new)) = (old, new) {
                return Some(format!("{kind} {key}={} -> {}", plain(old), plain(new)));
            }
            (kind, Box::new(move |value| format!("{key}={}", plain(value))))
        }
        ItemKind::Env => {
            if let (Some(old), Some(new)) = (old, new) {
                let value = |item: &Value| plain(item).split_once('=').map(|(_, value)| value.to_owned());
                let value = |item| value(item).unwrap_or_else(|| "(none)".to_owned());
                return Some(format!("env {} -> {}", plain(old), value(new)));
            }
            ("env", Box::new(plain))
        }
        ItemKind::Item(kind, shown) => (kind, Box::new(shown)),
    };
    Some(match (old, new) {
        (Some(old), Some(new)) => format!("{kind} {} -> {}", shown(old), shown(new)),
        (None, Some(new)) => format!("{kind} {} added", shown(new)),
        (Some(old), None) => format!("{kind} {} removed", shown(old)),
        (None, None) => return None,
    })
}

enum ItemKind {
    /// A key of a map.
    Pair(&'static str, String),
    /// `KEY=VALUE`.
    Env,
    /// An item of a list, and its format.
    Item(&'static str, fn(&Value) -> String),
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
        return Some(ItemKind::Pair(kind, (*key).to_owned()));
    }
    Some(match keys.as_slice() {
        ["EndpointSpec", "Ports"] => ItemKind::Item("port", port),
        ["Networks"] | ["TaskTemplate", "Networks"] => ItemKind::Item("network", network),
        ["TaskTemplate", "Placement", "Constraints"] => ItemKind::Item("constraint", plain),
        ["TaskTemplate", "Placement", "Preferences"] => ItemKind::Item("placement preference", preference),
        ["TaskTemplate", "Placement", "Platforms"] => ItemKind::Item("platform", platform),
        ["TaskTemplate", "Resources", "Reservations", "GenericResources"] => {
            ItemKind::Item("generic resource", generic_resource)
        }
        ["TaskTemplate", "ContainerSpec", list] => match *list {
            "Env" => ItemKind::Env,
            "CapabilityAdd" => ItemKind::Item("capability", plain),
            "CapabilityDrop" => ItemKind::Item("dropped capability", plain),
            "Configs" => ItemKind::Item("config", config),
            "Groups" => ItemKind::Item("group", plain),
            "Hosts" => ItemKind::Item("host", plain),
            "Mounts" => ItemKind::Item("mount", mount),
            "Secrets" => ItemKind::Item("secret", secret),
            "Ulimits" => ItemKind::Item("ulimit", ulimit),
            _ => return None,
        },
        ["TaskTemplate", "ContainerSpec", "DNSConfig", list] => match *list {
            "Nameservers" => ItemKind::Item("dns server", plain),
            "Options" => ItemKind::Item("dns option", plain),
            "Search" => ItemKind::Item("dns search domain", plain),
            _ => return None,
        },
        _ => return None,
    })
}

fn plain(value: &Value) -> String {
    short_text(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// `8080->80/tcp`, with the mode if it is not ingress.
fn port(port: &Value) -> String {
    let number = |key: &str| port[key].as_u64().unwrap_or(0);
    let published = match number("PublishedPort") {
        0 => String::new(),
        published => format!("{published}->"),
    };
    let protocol = if text(port, "Protocol").is_empty() { "tcp" } else { text(port, "Protocol") };
    let mode = match text(port, "PublishMode") {
        "" | "ingress" => String::new(),
        mode => format!(" ({mode})"),
    };
    format!("{published}{}/{protocol}{mode}", number("TargetPort"))
}

fn network(network: &Value) -> String {
    let aliases: Vec<&str> =
        network["Aliases"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let name = format!("{:.12}", text(network, "Target"));
    if aliases.is_empty() { name } else { format!("{name} (alias {})", aliases.join(", ")) }
}

fn preference(preference: &Value) -> String {
    match preference["Spread"]["SpreadDescriptor"].as_str() {
        Some(by) => format!("spread={by}"),
        None => plain(preference),
    }
}

fn platform(platform: &Value) -> String {
    let parts = [text(platform, "OS"), text(platform, "Architecture")];
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/")
}

fn generic_resource(resource: &Value) -> String {
    let of = |kind: &str| {
        let spec = resource.get(kind)?;
        let value = &spec["Value"];
        Some(format!(
            "{}={}",
            text(spec, "Kind"),
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        ))
    };
    of("NamedResourceSpec").or_else(|| of("DiscreteResourceSpec")).unwrap_or_else(|| plain(resource))
}

fn ulimit(ulimit: &Value) -> String {
    format!("{}={}:{}", text(ulimit, "Name"), ulimit["Soft"], ulimit["Hard"])
}

/// `volume data at /data (read-only)`, `/srv at /data`.
fn mount(mount: &Value) -> String {
    let (source, target) = (text(mount, "Source"), text(mount, "Target"));
    let what = match (text(mount, "Type"), source) {
        ("bind", source) => source.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, source) => format!("{kind} {source}"),
    };
    let read_only = if mount["ReadOnly"] == true { " (read-only)" } else { "" };
    format!("{what} at {target}{read_only}")
}

fn secret(secret: &Value) -> String {
    reference(text(secret, "SecretName"), "/run/secrets/", secret)
}

fn config(config: &Value) -> String {
    reference(text(config, "ConfigName"), "/", config)
}

/// `db at /run/secrets/db (mode 0444)`.
fn reference(name: &str, folder: &str, reference: &Value) -> String {
    let file = &reference["File"];
    let Some(path) = file["Name"].as_str() else { return name.to_owned() };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("{folder}{path}") };
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
