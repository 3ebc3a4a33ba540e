//! Mounts: `type=volume,source=data,target=/data`.

use serde_json::{Map, Value};

use super::{csv, number, text};
use crate::api::error::InvalidValue;

const TYPES: &[&str] = &["bind", "volume", "tmpfs", "npipe", "cluster", "image"];
const PROPAGATIONS: &[&str] = &["rprivate", "private", "rshared", "shared", "rslave", "slave"];
const RECURSIONS: &[&str] = &["enabled", "disabled", "writable", "readonly"];
const CONSISTENCIES: &[&str] = &["default", "consistent", "cached", "delegated"];
/// The prefix of an option's name, and the object that contains the option. The prefix is also the only type of
/// mount that has the option.
const OPTIONS: [(&str, &str); 4] = [
    ("bind", "BindOptions"),
    ("volume", "VolumeOptions"),
    ("image", "ImageOptions"),
    ("tmpfs", "TmpfsOptions"),
];

/// Parses a mount into the engine's object. A mount without a type is a volume.
///
/// A source that starts with a dot is relative to the current directory, whose absolute path `directory` returns.
/// Values with which no node can start a task (any other relative source of a bind mount, a path as the source of a
/// volume, ...) are refused.
pub fn mount(text: &str, directory: &dyn Fn() -> Result<String, String>) -> Result<Value, InvalidValue> {
    let text = text.trim();
    let mut draft = Draft { text, ..Draft::default() };
    for field in csv::split_fields(text)? {
        draft.read(&field, directory)?;
    }
    draft.check()?;
    Ok(draft.into_value())
}

/// Parses the target of a mount to remove. Docker also accepts a whole mount, but silently removes nothing.
pub fn target(text: &str) -> Result<String, InvalidValue> {
    let key = text.split_once('=').map(|(key, _)| key.to_lowercase());
    match key.as_deref() {
        Some("type" | "source" | "src" | "target" | "dst" | "destination") => {
            Err(InvalidValue::new(text, "is not a path: specify only the target of the mount to remove"))
        }
        _ => text::not_empty(text),
    }
}

#[derive(Default)]
struct Draft<'a> {
    text: &'a str,
    kind: Option<String>,
    source: String,
    target: String,
    read_only: bool,
    consistency: String,
    options: Map<String, Value>,
}

impl Draft<'_> {
    fn bad(&self, why: &str) -> InvalidValue {
        InvalidValue::new(self.text, format!("is not a valid mount: {why}"))
    }

    fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("volume")
    }

    fn read(
        &mut self,
        field: &str,
        directory: &dyn Fn() -> Result<String, String>,
    ) -> Result<(), InvalidValue> {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field, None),
        };
        if key.trim() != key || value.is_some_and(|value| value.trim() != value) {
            return Err(self.bad(&format!("there is a space around a name or value in `{field}`")));
        }
        let key = key.to_lowercase();
        if let "readonly" | "ro" | "bind-nonrecursive" | "bind-create-src" | "volume-nocopy" = key.as_str() {
            let yes = number::boolean(value.unwrap_or("true"));
            let yes = yes.map_err(|_| self.bad(&format!("`{field}` is neither `true` nor `false`")))?;
            match key.as_str() {
                "bind-nonrecursive" => self.put(&["BindOptions", "NonRecursive"], yes),
                "bind-create-src" => self.put(&["BindOptions", "CreateMountpoint"], yes),
                "volume-nocopy" => self.put(&["VolumeOptions", "NoCopy"], yes),
                _ => self.read_only = yes,
            }
            return Ok(());
        }
        let value = value.ok_or_else(|| self.bad(&format!("`{field}` has no value")))?;
        if value.is_empty() {
            return Err(self.bad(&format!("the value of `{key}` is empty")));
        }
        match key.as_str() {
            "type" => self.kind = Some(self.one_of(&key, &value.to_lowercase(), TYPES)?),
            "source" | "src" if value.starts_with('.') => {
                let directory = directory().map_err(|why| {
                    InvalidValue::unnamed(format!(
                        "cannot determine the current directory, which `{field}` is relative to: {why}"
                    ))
                })?;
                self.source = from_directory(&directory, value);
            }
            "source" | "src" => value.clone_into(&mut self.source),
            "target" | "dst" | "destination" => value.clone_into(&mut self.target),
            "consistency" => self.consistency = self.one_of(&key, &value.to_lowercase(), CONSISTENCIES)?,
            "bind-propagation" => {
                let propagation = self.one_of(&key, &value.to_lowercase(), PROPAGATIONS)?;
                self.put(&["BindOptions", "Propagation"], propagation);
            }
            "bind-recursive" => match self.one_of(&key, value, RECURSIONS)?.as_str() {
                "disabled" => self.put(&["BindOptions", "NonRecursive"], true),
                "writable" => self.put(&["BindOptions", "ReadOnlyNonRecursive"], true),
                "readonly" => self.put(&["BindOptions", "ReadOnlyForceRecursive"], true),
                _ => {}
            },
            "volume-subpath" => self.put(&["VolumeOptions", "Subpath"], value),
            "image-subpath" => self.put(&["ImageOptions", "Subpath"], value),
            "volume-driver" => self.put(&["VolumeOptions", "DriverConfig", "Name"], value),
            "volume-label" | "volume-opt" => {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                if name.is_empty() {
                    return Err(self.bad(&format!("`{field}` has no name")));
                }
                match key.as_str() {
                    "volume-label" => self.put(&["VolumeOptions", "Labels", name], value),
                    _ => self.put(&["VolumeOptions", "DriverConfig", "Options", name], value),
                }
            }
            "tmpfs-size" => {
                let size = number::bytes(value).map_err(|bad| self.bad(&bad.to_string()))?;
                self.put(&["TmpfsOptions", "SizeBytes"], size);
            }
            "tmpfs-mode" => {
                let octal = value.bytes().all(|b| b.is_ascii_digit());
                let mode = u32::from_str_radix(value, 8).ok().filter(|_| octal);
                let mode = mode.ok_or_else(|| self.bad(&format!("`{value}` is not an octal file mode")))?;
                self.put(&["TmpfsOptions", "Mode"], mode);
            }
            _ => return Err(self.bad(&format!("unknown option `{key}`"))),
        }
        Ok(())
    }

    fn one_of(&self, key: &str, value: &str, choices: &[&str]) -> Result<String, InvalidValue> {
        if choices.contains(&value) {
            Ok(value.to_owned())
        } else {
            Err(self.bad(&format!("`{key}` must be one of {}, not `{value}`", choices.join(", "))))
        }
    }

    /// Sets one option. `false` and 0 are not stored, but still require a mount of the right type.
    fn put(&mut self, path: &[&str], value: impl Into<Value>) {
        let [parents @ .., last] = path else { return };
        let mut at = &mut self.options;
        for key in parents {
            let next = at.entry(*key).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(next) = next else { return };
            at = next;
        }
        match value.into() {
            Value::Bool(false) => {}
            Value::Number(zero) if zero.as_i64() == Some(0) => {}
            value => {
                at.insert((*last).to_owned(), value);
            }
        }
    }

    /// Refuses mounts that no engine accepts, or with which no node can start a task.
    fn check(&self) -> Result<(), InvalidValue> {
        let kind = self.kind();
        for (front, object) in OPTIONS {
            if front != kind && self.options.contains_key(object) {
                return Err(
                    self.bad(&format!("`{front}-` options cannot be combined with the type `{kind}`"))
                );
            }
        }
        let bind = |option: &str| self.options.get("BindOptions").and_then(|bind| bind.get(option));
        if bind("ReadOnlyNonRecursive").is_some() && !self.read_only {
            return Err(self.bad("`bind-recursive=writable` requires `readonly`"));
        }
        if bind("ReadOnlyForceRecursive").is_some() {
            if !self.read_only {
                return Err(self.bad("`bind-recursive=readonly` requires `readonly`"));
            }
            if bind("Propagation").and_then(Value::as_str) != Some("rprivate") {
                return Err(self.bad("`bind-recursive=readonly` requires `bind-propagation=rprivate`"));
            }
        }
        let (source, target) = (self.source.as_str(), self.target.as_str());
        let why = match kind {
            _ if target.is_empty() => "`target`, the path in the container, is missing".to_owned(),
            "npipe" if source.is_empty() => "`source`, the named pipe, is missing".to_owned(),
            "npipe" => return Ok(()),
            _ if !is_absolute(target) => format!("the target `{target}` is not an absolute path"),
            "bind" if source.is_empty() => "`source`, the path on the node, is missing".to_owned(),
            "bind" if !is_absolute(source) => format!("the source `{source}` is not an absolute path"),
            "volume" if source.starts_with('/') => {
                format!(
                    "the source `{source}` is a path, not the name of a volume; to mount a path use `type=bind`"
                )
            }
            "tmpfs" if !source.is_empty() => format!("a tmpfs cannot have a source (`{source}`)"),
            _ => return Ok(()),
        };
        Err(self.bad(&why))
    }

    fn into_value(mut self) -> Value {
        let mut mount = Map::new();
        mount.insert("Type".into(), self.kind().into());
        for (key, value) in [("Source", &self.source), ("Target", &self.target)] {
            if !value.is_empty() {
                mount.insert(key.into(), value.as_str().into());
            }
        }
        if self.read_only {
            mount.insert("ReadOnly".into(), true.into());
        }
        if !self.consistency.is_empty() {
            mount.insert("Consistency".into(), self.consistency.into());
        }
        if let Some(Value::Object(volume)) = self.options.get_mut("VolumeOptions") {
            // Docker always posts the driver, and the engine stores it even if it is empty.
            volume.entry("DriverConfig").or_insert_with(|| Value::Object(Map::new()));
        }
        mount.append(&mut self.options);
        Value::Object(mount)
    }
}

/// Whether the path is absolute on Linux or Windows, or a template, which is evaluated for each task.
fn is_absolute(path: &str) -> bool {
    let drive = |b: &[u8]| matches!(b, [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    path.starts_with('/') || path.starts_with("\\\\") || path.starts_with("{{") || drive(path.as_bytes())
}

/// Resolves `path` relative to `directory`, without `.` and `..`.
fn from_directory(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
#[path = "mount_tests.rs"]
mod tests;
