//! A place in a spec, with an identity instead of an index.

use std::fmt;

use serde_json::Value;

/// A place in a spec: the keys from the top and, in a list, the item. In reports, also the keys within the item.
///
/// Items of the lists in [`LISTS`] are identified by their content (`Env` by key, a mount by its target), so
/// that writers of different items do not conflict and the order of items is preserved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    keys: Vec<String>,
    item: Option<Item>,
    /// Keys within the item. Edits have none: they set or remove a whole item.
    within: Vec<String>,
}

/// A selection of items of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Item {
    /// The item with this identity.
    One(String),
    /// All items that match this pattern, by [`Identity::fits`].
    Like(String),
}

/// What identifies the items of a list. Two items with equal identities are the same item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// `KEY=VALUE` or `KEY`: identified by the key.
    Env,
    /// Objects: identified by this field.
    Field(&'static str),
    /// Published ports: identified by target, protocol, mode and published port.
    Port,
    /// References to secrets and configs: identified by the name and the file. The config of a credential spec has no
    /// file.
    Reference(&'static str),
    /// `IP HOST [ALIAS...]`: identified by the whole entry, because a host may have several addresses.
    Host,
    /// Generic resources: identified by the kind.
    Resource,
    /// Capabilities: identified by the name in the engine's notation, `CAP_NET_ADMIN` for `net_admin`.
    Capability,
    /// Other items: identified by the whole value.
    Value,
}

/// All lists whose items have an identity, by path.
pub const LISTS: &[(&str, Identity)] = &[
    ("Networks", Identity::Field("Target")),
    ("EndpointSpec.Ports", Identity::Port),
    ("TaskTemplate.Networks", Identity::Field("Target")),
    ("TaskTemplate.Placement.Constraints", Identity::Value),
    ("TaskTemplate.Placement.Preferences", Identity::Value),
    ("TaskTemplate.Placement.Platforms", Identity::Value),
    ("TaskTemplate.Resources.Reservations.GenericResources", Identity::Resource),
    ("TaskTemplate.ContainerSpec.CapabilityAdd", Identity::Capability),
    ("TaskTemplate.ContainerSpec.CapabilityDrop", Identity::Capability),
    ("TaskTemplate.ContainerSpec.Configs", Identity::Reference("ConfigName")),
    ("TaskTemplate.ContainerSpec.DNSConfig.Nameservers", Identity::Value),
    ("TaskTemplate.ContainerSpec.DNSConfig.Options", Identity::Value),
    ("TaskTemplate.ContainerSpec.DNSConfig.Search", Identity::Value),
    ("TaskTemplate.ContainerSpec.Env", Identity::Env),
    ("TaskTemplate.ContainerSpec.Groups", Identity::Value),
    ("TaskTemplate.ContainerSpec.Hosts", Identity::Host),
    ("TaskTemplate.ContainerSpec.Mounts", Identity::Field("Target")),
    ("TaskTemplate.ContainerSpec.Secrets", Identity::Reference("SecretName")),
    ("TaskTemplate.ContainerSpec.Ulimits", Identity::Field("Name")),
];

impl Place {
    /// The place at a path of keys separated by dots: `TaskTemplate.ContainerSpec.Image`.
    pub fn at(path: &str) -> Self {
        Self { keys: path.split('.').map(str::to_owned).collect(), item: None, within: Vec::new() }
    }

    /// The place at a top-level key, which may contain any character.
    pub fn top(key: &str) -> Self {
        Self { keys: vec![key.to_owned()], item: None, within: Vec::new() }
    }

    /// Appends a key, which may contain any character (label names contain dots).
    pub fn key(mut self, key: &str) -> Self {
        let keys = if self.item.is_some() { &mut self.within } else { &mut self.keys };
        keys.push(key.to_owned());
        self
    }

    /// The item of this list with the given identity.
    pub fn item(mut self, id: &str) -> Self {
        self.item = Some(Item::One(id.to_owned()));
        self
    }

    /// The items of this list that match a pattern: `*:80/tcp/ingress` for the ports of a target, `key:*` for
    /// the files of a secret or config, `* db` or `10.0.0.5 db` for the addresses of a host. An edit with a pattern can
    /// only remove items.
    pub fn items_like(mut self, pattern: &str) -> Self {
        self.item = Some(Item::Like(pattern.to_owned()));
        self
    }

    /// The item of this list with the identity of `value`.
    pub fn item_of(self, value: &Value) -> Self {
        let id = self.identity().unwrap_or(Identity::Value).id_of_item(value);
        self.item(&id)
    }

    /// The keys from the top of the spec.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The identity of the item, if the place is one item of a list.
    pub fn item_id(&self) -> Option<&str> {
        match &self.item {
            Some(Item::One(id)) => Some(id),
            _ => None,
        }
    }

    /// The pattern, if the place is a pattern.
    pub fn pattern(&self) -> Option<&str> {
        match &self.item {
            Some(Item::Like(pattern)) => Some(pattern),
            _ => None,
        }
    }

    /// Whether this place is a pattern for items of `list` that matches `item`.
    pub fn fits(&self, list: &Place, item: &Value) -> bool {
        let identity = self.identity().unwrap_or(Identity::Value);
        self.keys == list.keys && self.pattern().is_some_and(|pattern| identity.fits(item, pattern))
    }

    /// The list that contains the item, or the place itself if it is not an item.
    pub fn list(&self) -> Self {
        Self { keys: self.keys.clone(), item: None, within: Vec::new() }
    }

    /// The keys within the item.
    pub fn keys_within_item(&self) -> &[String] {
        &self.within
    }

    /// Whether the place is within an item.
    pub fn is_within_item(&self) -> bool {
        !self.within.is_empty()
    }

    /// What identifies the items of the list at this place. `None` if the place is not in [`LISTS`].
    pub fn identity(&self) -> Option<Identity> {
        identity_of(&self.keys).filter(|_| self.within.is_empty())
    }

    /// Whether this place is `path` or below it.
    pub fn is_within(&self, path: &str) -> bool {
        let mut keys = self.keys.iter();
        path.split('.').all(|want| keys.next().is_some_and(|key| key == want))
    }

    /// The value at this place. `None` if it is absent or null. For a pattern, the first matching item.
    pub fn get<'a>(&self, spec: &'a Value) -> Option<&'a Value> {
        let at = self.value(spec)?;
        let identity = identity_of(&self.keys).unwrap_or(Identity::Value);
        let at = match &self.item {
            None => at,
            Some(Item::One(id)) => at.as_array()?.iter().find(|item| identity.id_of_item(item) == *id)?,
            Some(Item::Like(pattern)) => at.as_array()?.iter().find(|item| identity.fits(item, pattern))?,
        };
        let at = self.within.iter().try_fold(at, |at, key| at.get(key))?;
        (!at.is_null()).then_some(at)
    }

    /// The items with the identity of this place. More than one: the place is ambiguous.
    pub fn items_in<'a>(&self, spec: &'a Value) -> Vec<&'a Value> {
        let Some(id) = self.item_id() else { return Vec::new() };
        let identity = identity_of(&self.keys).unwrap_or(Identity::Value);
        let items = self.value(spec).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        items.iter().filter(|item| identity.id_of_item(item) == id).collect()
    }

    /// Returns the value at this place. For a pattern, returns a list of all matching items.
    pub fn matching_value(&self, spec: &Value) -> Option<Value> {
        let Some(Item::Like(pattern)) = &self.item else { return self.get(spec).cloned() };
        let identity = self.identity().unwrap_or(Identity::Value);
        let items = self.value(spec)?.as_array()?.iter();
        let matching: Vec<Value> = items.filter(|item| identity.fits(item, pattern)).cloned().collect();
        (!matching.is_empty()).then_some(Value::Array(matching))
    }

    fn value<'a>(&self, spec: &'a Value) -> Option<&'a Value> {
        self.keys.iter().try_fold(spec, |at, key| at.get(key))
    }
}

impl Identity {
    /// The identity of `item` as text. `item` is in a list with this kind of identity.
    pub fn id_of_item(self, item: &Value) -> String {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
        match self {
            Identity::Env => {
                let whole = item.as_str().unwrap_or_default();
                whole.split_once('=').map_or(whole, |(key, _)| key).to_owned()
            }
            Identity::Field(field) => text(field).to_owned(),
            Identity::Port => {
                let number = |key: &str| item.get(key).and_then(Value::as_u64).unwrap_or(0);
                let or = |key: &str, default: &'static str| match text(key) {
                    "" => default.to_owned(),
                    other => other.to_owned(),
                };
                format!(
                    "{}:{}/{}/{}",
                    number("PublishedPort"),
                    number("TargetPort"),
                    or("Protocol", "tcp"),
                    or("PublishMode", "ingress")
                )
            }
            Identity::Reference(name) => {
                let file = item
                    .get("File")
                    .and_then(|file| file.get("Name"))
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if item.get("Runtime").is_some_and(|runtime| !runtime.is_null()) {
                    format!("{} (runtime)", text(name))
                } else if file.is_empty() || file == text(name) {
                    text(name).to_owned()
                } else {
                    format!("{}:{file}", text(name))
                }
            }
            Identity::Resource => ["NamedResourceSpec", "DiscreteResourceSpec"]
                .iter()
                .find_map(|spec| item.get(spec)?.get("Kind")?.as_str())
                .unwrap_or_default()
                .to_owned(),
            Identity::Capability => normalized_capability(item.as_str().unwrap_or_default()),
            Identity::Host | Identity::Value => match item {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
        }
    }

    /// Whether a pattern of [`Place::items_like`] matches `item`, which is in a list with this kind of identity.
    pub fn fits(self, item: &Value, pattern: &str) -> bool {
        let id = self.id_of_item(item);
        match self {
            Identity::Port => pattern.strip_prefix('*').is_some_and(|end| id.ends_with(end)),
            Identity::Reference(_) => pattern.strip_suffix(":*").is_some_and(|name| {
                id == name || id.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))
            }),
            Identity::Host => {
                let (address, name) = pattern.split_once(' ').unwrap_or(("*", pattern));
                let mut words = id.split_whitespace();
                words.next().is_some_and(|own| address == "*" || own == address)
                    && words.any(|own| own == name)
            }
            _ => id == pattern,
        }
    }

    /// What remains of an item after the part that matches the pattern was removed. Only a host entry can keep
    /// something: its other names.
    pub(super) fn without(self, item: &Value, pattern: &str) -> Option<Value> {
        if !self.fits(item, pattern) {
            return Some(item.clone());
        }
        let (Identity::Host, Some(entry)) = (self, item.as_str()) else { return None };
        let name = pattern.rsplit(' ').next();
        let words: Vec<&str> = entry.split_whitespace().filter(|word| Some(*word) != name).collect();
        (words.len() > 1).then(|| words.join(" ").into())
    }
}

/// The engine's notation of a capability. `ALL` and `RESET` are unchanged.
pub(super) fn normalized_capability(text: &str) -> String {
    let name = text.trim().to_ascii_uppercase();
    match name.as_str() {
        "ALL" | "RESET" => name,
        name if name.starts_with("CAP_") => name.to_owned(),
        name => format!("CAP_{name}"),
    }
}

/// What identifies the items of the list at `keys`.
pub(super) fn identity_of(keys: &[impl AsRef<str>]) -> Option<Identity> {
    LISTS.iter().find(|(path, _)| path.split('.').eq(keys.iter().map(AsRef::as_ref))).map(|(_, id)| *id)
}

/// Formats the place as `TaskTemplate.ContainerSpec.Env[PATH]` or `Labels["com.example.team"]`, in jq's
/// syntax if possible.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, key) in self.keys.iter().enumerate() {
            write_key(f, key, if i > 0 { "." } else { "" })?;
        }
        if let Some(Item::One(id) | Item::Like(id)) = &self.item {
            write!(f, "[{id}]")?;
        }
        self.within.iter().try_for_each(|key| write_key(f, key, "."))
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str, before: &str) -> fmt::Result {
    let is_plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_plain { write!(f, "{before}{key}") } else { write!(f, "[{key:?}]") }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
