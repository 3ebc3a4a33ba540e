//! The description of one flag of `create` and `update`.

use serde_json::{Map, Value};

use super::formats::{self, ValueFormat};
use crate::api::spec::values::text;
use crate::api::spec::{Edit, Place};
use crate::cli::messages::usage::{OrExample as _, ParseError, UsageError};

/// One flag. The command line, the edits, the error on older engines and the documentation are derived from it.
///
/// Flags are applied in the order of [`flags`](super::flags), not in that of the command line.
pub struct Flag {
    /// The long name without dashes. It is docker's name if docker has the flag.
    pub name: &'static str,
    /// The short name.
    pub short: Option<char>,
    /// The commands that have the flag.
    pub commands: Commands,
    /// The kind of value that the flag has.
    pub value_kind: ValueKind,
    /// The help: imperative or a noun phrase, no full stop, at most 72 characters.
    pub help: &'static str,
    /// The first API version whose engines know the field; older ones would drop it silently. Versions that
    /// depend on the value are in [`needs`](crate::api::spec::needs), and so are those from 1.32 on.
    pub since: Option<(u32, u32)>,
    /// Converts the values to edits; called by [`read`](Self::read).
    edits: ToEdits,
}

/// Converts the values of one flag to edits.
type ToEdits = fn(&FlagValues<'_>) -> Result<Vec<Edit>, UsageError>;

/// The commands that have a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commands {
    /// `create` only.
    Create,
    /// `update` only.
    Update,
    /// Both.
    Both,
}

/// The kind of value that a flag has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A switch: no value, `=true` or `=false`. Its value is `true` or `false`.
    Switch,
    /// One value. If the flag is repeated, the last value is used.
    One(ValueFormat),
    /// One value each time the flag is given.
    Many(ValueFormat),
}

/// What the conversion may read besides the values. The caller provides these functions, so that flags do no I/O.
pub struct Environment<'a> {
    /// Returns an environment variable, for `--env KEY` without a value.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Returns the absolute path of the current directory, for a mount whose source begins with a dot.
    pub directory: &'a dyn Fn() -> Result<String, String>,
    /// Reads a file, for a seccomp profile that is given as a path.
    pub file: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
}

/// The values of one flag, in the order of the command line.
pub struct FlagValues<'a> {
    values: &'a [&'a str],
    example: &'static str,
    environment: &'a Environment<'a>,
}

impl Flag {
    /// A switch of both commands.
    pub const fn switch(name: &'static str, help: &'static str, edits: ToEdits) -> Self {
        Self {
            name,
            short: None,
            commands: Commands::Both,
            value_kind: ValueKind::Switch,
            help,
            since: None,
            edits,
        }
    }

    /// A flag of both commands with one value.
    pub const fn one(name: &'static str, format: ValueFormat, help: &'static str, edits: ToEdits) -> Self {
        Self {
            name,
            short: None,
            commands: Commands::Both,
            value_kind: ValueKind::One(format),
            help,
            since: None,
            edits,
        }
    }

    /// A flag of both commands that may be repeated.
    pub const fn many(name: &'static str, format: ValueFormat, help: &'static str, edits: ToEdits) -> Self {
        Self {
            name,
            short: None,
            commands: Commands::Both,
            value_kind: ValueKind::Many(format),
            help,
            since: None,
            edits,
        }
    }

    /// Adds a short name.
    pub const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    /// Limits the flag to one of the commands.
    pub const fn only(mut self, commands: Commands) -> Self {
        self.commands = commands;
        self
    }

    /// Requires an API version.
    pub const fn since(mut self, major: u32, minor: u32) -> Self {
        self.since = Some((major, minor));
        self
    }

    /// Converts values to edits. Without values, there are no edits.
    ///
    /// # Errors
    /// A value is not valid.
    pub fn read(&self, values: &[&str], environment: &Environment<'_>) -> Result<Vec<Edit>, UsageError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let example = match self.value_kind {
            ValueKind::Switch => "true",
            ValueKind::One(format) | ValueKind::Many(format) => format.example,
        };
        (self.edits)(&FlagValues { values, example, environment })
    }
}

impl FlagValues<'_> {
    /// Returns all values.
    pub fn all(&self) -> &[&str] {
        self.values
    }

    /// Returns the last value, which is the one that counts for flags with one value.
    pub fn last(&self) -> &str {
        self.values.last().copied().unwrap_or_default()
    }

    /// Returns a valid value, for error messages.
    pub fn example(&self) -> &'static str {
        self.example
    }

    /// Returns the environment.
    pub fn environment(&self) -> &Environment<'_> {
        self.environment
    }

    /// Sets `path` to the last value. Zero values (0, false, an empty string or list) remove it, because the
    /// engine does not distinguish them from an absent field.
    pub fn set<T: Into<Value>, E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        let value = read(self.last()).or_example(self.example)?.into();
        let place = Place::at(path);
        Ok(vec![if is_zero_value(&value) { Edit::remove(place) } else { Edit::set(place, value) }])
    }

    /// Sets `path` to the last value, for fields for which the engine distinguishes 0 from an absent field.
    pub fn set_even_if_zero<T: Into<Value>, E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        Ok(vec![Edit::set(Place::at(path), read(self.last()).or_example(self.example)?)])
    }

    /// Replaces the list at `path` by the values.
    pub fn list<T: Into<Value>, E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        let items = self.values.iter().map(|text| read(text).map(Into::into).or_example(self.example));
        Ok(vec![Edit::set(Place::at(path), items.collect::<Result<Vec<Value>, _>>()?)])
    }

    /// Replaces the map at `path` by the values. If a key is given twice, the last value is used.
    pub fn map<E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<(String, String), E>,
    ) -> Result<Vec<Edit>, UsageError> {
        let mut map = Map::new();
        for text in self.values {
            let (key, value) = read(text).or_example(self.example)?;
            map.insert(key, value.into());
        }
        Ok(vec![Edit::set(Place::at(path), map)])
    }

    /// Adds the values to the list at `path`. Each one replaces the item with the same identity in its
    /// position, or is appended.
    pub fn add<T: Into<Value>, E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        self.each(|text| Ok(Edit::item(Place::at(path), read(text).or_example(self.example)?.into())))
    }

    /// Removes the named items from the list at `path`.
    pub fn remove_items<E: ParseError>(
        &self,
        path: &str,
        identity: impl Fn(&str) -> Result<String, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        self.each(|text| Ok(Edit::remove(Place::at(path).item(&identity(text).or_example(self.example)?))))
    }

    /// Adds the values to the map at `path`.
    pub fn add_keys<E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<(String, String), E>,
    ) -> Result<Vec<Edit>, UsageError> {
        self.each(|text| {
            let (key, value) = read(text).or_example(self.example)?;
            Ok(Edit::set(Place::at(path).key(&key), value))
        })
    }

    /// Makes one edit of each value.
    pub fn each(&self, edit: impl Fn(&str) -> Result<Edit, UsageError>) -> Result<Vec<Edit>, UsageError> {
        self.values.iter().map(|text| edit(text)).collect()
    }
}

/// Checks the name of something to remove. Docker accepts `NAME=VALUE` here and silently removes nothing.
///
/// # Errors
/// The name is empty or has a value.
pub fn only_name(text: &str, what: &str, example: &'static str) -> Result<String, UsageError> {
    text::not_empty(text).or_example(formats::text("").example)?;
    text::only_name(text, what).or_example(example)
}

/// Whether the engine does not distinguish the value from an absent field. An object of zero values is not such a
/// value here, unlike in [`is_zero`](crate::api::spec::is_zero).
fn is_zero_value(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) => false,
    }
}
