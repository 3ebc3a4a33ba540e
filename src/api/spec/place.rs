//! Where in a spec an edit works: a place has an identity, not an index.

use std::fmt;

use serde_json::Value;

/// A place in a spec: the keys from the top and, in a list, the item; in a report also keys within the item.
///
/// Items of the lists in [`LISTS`] are known by what they are (`Env` by its KEY, a mount by its target), so
/// that two writers of different items do not disturb each other and nobody's order changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    keys: Vec<String>,
    item: Option<Item>,
    /// Keys within the item. No edit works there: an item is set or removed as a whole.
    within: Vec<String>,
}

/// Which items of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Item {
    /// The one of this identity.
    One(String),
    /// All that this pattern fits, by [`Identity::fits`].
    Like(String),
}

/// How the items of a list are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// `KEY=VALUE` or a bare `KEY`: by KEY.
    Env,
    /// Objects, by one field.
    Field(&'static str),
    /// Published ports, by target, protocol, mode and published port.
    Port,
    /// References to secrets and configs: by their name and the file they are shown as, if any. A config that a
    /// credential spec is read from is not a file.
    Reference(&'static str),
    /// `IP HOST [ALIAS...]`: the whole entry, since a host may have several addresses.
    Host,
    /// Generic resources: by kind.
    Resource,
    /// Capabilities: by their name in the engine's notation, `CAP_NET_ADMIN` for `net_admin`.
    Capability,
    /// The whole value.
    Value,
}

/// Every list whose items have an identity, by its path.
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
    /// The place at a dotted path of plain keys, as in `TaskTemplate.ContainerSpec.Image`.
    pub fn at(path: &str) -> Self {
        Self { keys: path.split('.').map(str::to_owned).collect(), item: None, within: Vec::new() }
    }

    /// The place at one key of the top level; the key may hold any character.
    pub fn top(key: &str) -> Self {
        Self { keys: vec![key.to_owned()], item: None, within: Vec::new() }
    }

    /// A key below this place; the key may hold any character (a label's name has dots).
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

    /// The items of this list that the pattern fits: `*:80/tcp/ingress` for the ports of a target, `key:*` for the
    /// files of a secret or config, `* db` or `10.0.0.5 db` for the addresses of a host. Nothing can be set there.
    pub fn items_like(mut self, pattern: &str) -> Self {
        self.item = Some(Item::Like(pattern.to_owned()));
        self
    }

    /// The item of this list that `value` is, by the list's own [`Identity`].
    pub fn item_of(self, value: &Value) -> Self {
        let id = self.identity().unwrap_or(Identity::Value).of(value);
        self.item(&id)
    }

    /// The keys from the top of the spec.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The identity of the item, where the place is one item of a list.
    pub fn item_id(&self) -> Option<&str> {
        match &self.item {
            Some(Item::One(id)) => Some(id),
            _ => None,
        }
    }

    /// The pattern, where the place is all items of a list that are alike.
    pub fn pattern(&self) -> Option<&str> {
        match &self.item {
            Some(Item::Like(pattern)) => Some(pattern),
            _ => None,
        }
    }

    /// Whether this place is a pattern that fits an item of that list.
    pub fn fits(&self, list: &Place, item: &Value) -> bool {
        let identity = self.identity().unwrap_or(Identity::Value);
        self.keys == list.keys && self.pattern().is_some_and(|pattern| identity.fits(item, pattern))
    }

    /// The list that the item belongs to; the place itself where it is no item.
    pub fn list(&self) -> Self {
        Self { keys: self.keys.clone(), item: None, within: Vec::new() }
    }

    /// The keys from the item on.
    pub fn keys_within_item(&self) -> &[String] {
        &self.within
    }

    /// Whether the place is a key of an item.
    pub fn is_within_item(&self) -> bool {
        !self.within.is_empty()
    }

    /// How the items of the list at this place are told apart; `None` where it is no such list.
    pub fn identity(&self) -> Option<Identity> {
        identity_of(&self.keys).filter(|_| self.within.is_empty())
    }

    /// Whether this place is `path` or lies below it.
    pub fn is_within(&self, path: &str) -> bool {
        let mut keys = self.keys.iter();
        path.split('.').all(|want| keys.next().is_some_and(|key| key == want))
    }

    /// What is at this place; nothing where a key is missing or null, the first item where several are alike.
    pub fn get<'a>(&self, spec: &'a Value) -> Option<&'a Value> {
        let at = self.value(spec)?;
        let identity = identity_of(&self.keys).unwrap_or(Identity::Value);
        let at = match &self.item {
            None => at,
            Some(Item::One(id)) => at.as_array()?.iter().find(|item| identity.of(item) == *id)?,
            Some(Item::Like(pattern)) => at.as_array()?.iter().find(|item| identity.fits(item, pattern))?,
        };
        let at = self.within.iter().try_fold(at, |at, key| at.get(key))?;
        (!at.is_null()).then_some(at)
    }

    /// [`get`](Self::get), with all items that are alike as a list, to tell whether anything differs there.
    pub fn all(&self, spec: &Value) -> Option<Value> {
        let Some(Item::Like(pattern)) = &self.item else { return self.get(spec).cloned() };
        let identity = self.identity().unwrap_or(Identity::Value);
        let items = self.value(spec)?.as_array()?.iter();
        let alike: Vec<Value> = items.filter(|item| identity.fits(item, pattern)).cloned().collect();
        (!alike.is_empty()).then_some(Value::Array(alike))
    }

    fn value<'a>(&self, spec: &'a Value) -> Option<&'a Value> {
        self.keys.iter().try_fold(spec, |at, key| at.get(key))
    }
}

impl Identity {
    /// The identity of one item of such a list.
    pub fn of(self, item: &Value) -> String {
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
                    said => said.to_owned(),
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

    /// Whether the pattern of [`Place::items_like`] fits an item of such a list.
    pub fn fits(self, item: &Value, pattern: &str) -> bool {
        let id = self.of(item);
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

    /// What is left of an item when what the pattern fits is taken out: of a host entry its other names, of all
    /// else nothing.
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

/// A capability in the engine's notation; `ALL` and `RESET` are not capabilities.
pub(super) fn normalized_capability(text: &str) -> String {
    let name = text.trim().to_ascii_uppercase();
    match name.as_str() {
        "ALL" | "RESET" => name,
        name if name.starts_with("CAP_") => name.to_owned(),
        name => format!("CAP_{name}"),
    }
}

/// How the items of the list at `keys` are told apart.
pub(super) fn identity_of(keys: &[impl AsRef<str>]) -> Option<Identity> {
    LISTS.iter().find(|(path, _)| path.split('.').eq(keys.iter().map(AsRef::as_ref))).map(|(_, id)| *id)
}

/// `TaskTemplate.ContainerSpec.Env[PATH]`, `Labels["com.example.team"]`: jq's way to write it, where that exists.
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
