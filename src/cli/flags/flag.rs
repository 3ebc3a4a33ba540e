//! One flag of `create` and `update`, as a row of its area's table.

use serde_json::{Map, Value};

use super::formats::{self, Format};
use crate::api::spec::values::text;
use crate::api::spec::{Edit, Place};
use crate::cli::usage::{OrExample as _, ParseError, UsageError};

/// One flag: the command line, its edits, the refusal on old engines and the documentation come from this row.
///
/// Rows are applied in the order of [`flags`](super::flags), not in that of the command line.
pub struct Flag {
    /// The long name, without dashes: Docker's wherever Docker has one.
    pub name: &'static str,
    /// The short name.
    pub short: Option<char>,
    /// Which command has it.
    pub on: Commands,
    /// What it takes.
    pub takes: ValueKind,
    /// Help: imperative, no full stop, at most 72 columns; singular for what may be repeated.
    pub help: &'static str,
    /// The API version from which the engine knows the flag's field; an older engine would drop it without a
    /// word. What only some values need is told by [`needs`](crate::api::spec::needs).
    pub since: Option<(u32, u32)>,
    /// The edits that the values mean; called by [`read`](Self::read).
    edits: ToEdits,
}

/// The edits that the values of one flag mean.
type ToEdits = fn(&FlagValues<'_>) -> Result<Vec<Edit>, UsageError>;

/// Which command has a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commands {
    /// `create` only.
    Create,
    /// `update` only.
    Update,
    /// Both.
    Both,
}

/// What a flag takes on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Nothing, or `=true` or `=false`; its one value is `true` or `false`.
    Switch,
    /// One value; the last of several counts.
    One(Format),
    /// One value each time; the flag may be repeated.
    Many(Format),
}

/// What a value may draw on besides itself. The caller reads it; the rows do no I/O.
pub struct Environment<'a> {
    /// The value of an environment variable: `--env KEY` without a value takes it from there.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The absolute path of the current directory: a mount's source may begin with a dot.
    pub directory: &'a str,
    /// What a file holds, or why that cannot be read: a seccomp profile is given by its path.
    pub file: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
}

/// The values given for one flag, in their order on the command line.
pub struct FlagValues<'a> {
    values: &'a [&'a str],
    example: &'static str,
    environment: &'a Environment<'a>,
}

impl Flag {
    /// A flag of both commands that takes nothing.
    pub const fn switch(name: &'static str, help: &'static str, edits: ToEdits) -> Self {
        Self { name, short: None, on: Commands::Both, takes: ValueKind::Switch, help, since: None, edits }
    }

    /// A flag of both commands that takes one value of this form.
    pub const fn one(name: &'static str, format: Format, help: &'static str, edits: ToEdits) -> Self {
        Self {
            name,
            short: None,
            on: Commands::Both,
            takes: ValueKind::One(format),
            help,
            since: None,
            edits,
        }
    }

    /// A flag of both commands that may be repeated, with values of this form.
    pub const fn many(name: &'static str, format: Format, help: &'static str, edits: ToEdits) -> Self {
        Self {
            name,
            short: None,
            on: Commands::Both,
            takes: ValueKind::Many(format),
            help,
            since: None,
            edits,
        }
    }

    /// The same flag with a short name.
    pub const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    /// The same flag of one command only.
    pub const fn only(mut self, on: Commands) -> Self {
        self.on = on;
        self
    }

    /// The same flag, known to the engine from this API version on.
    pub const fn since(mut self, major: u32, minor: u32) -> Self {
        self.since = Some((major, minor));
        self
    }

    /// The edits that these values mean; none where there are no values.
    ///
    /// # Errors
    /// A value that cannot be one.
    pub fn read(&self, values: &[&str], environment: &Environment<'_>) -> Result<Vec<Edit>, UsageError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let example = match self.takes {
            ValueKind::Switch => "true",
            ValueKind::One(format) | ValueKind::Many(format) => format.example,
        };
        (self.edits)(&FlagValues { values, example, environment })
    }
}

impl FlagValues<'_> {
    /// All values.
    pub fn all(&self) -> &[&str] {
        self.values
    }

    /// The value that counts where the flag takes one.
    pub fn last(&self) -> &str {
        self.values.last().copied().unwrap_or_default()
    }

    /// A valid value, for error messages.
    pub fn example(&self) -> &'static str {
        self.example
    }

    /// What the values may draw on besides themselves.
    pub fn environment(&self) -> &Environment<'_> {
        self.environment
    }

    /// The last value is set at `path`. Nothing at all is set for what the engine does not tell from nothing
    /// (0, false, an empty text or list): there, what was there is removed.
    pub fn set<T: Into<Value>, E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        let value = read(self.last()).or_example(self.example)?.into();
        let place = Place::at(path);
        Ok(vec![if is_nothing(&value) { Edit::remove(place) } else { Edit::set(place, value) }])
    }

    /// The last value is set at `path`, where the engine tells 0 from nothing.
    pub fn set_even_if_zero<T: Into<Value>, E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        Ok(vec![Edit::set(Place::at(path), read(self.last()).or_example(self.example)?)])
    }

    /// The values are the whole list at `path`.
    pub fn list<T: Into<Value>, E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        let items = self.values.iter().map(|text| read(text).map(Into::into).or_example(self.example));
        Ok(vec![Edit::set(Place::at(path), items.collect::<Result<Vec<Value>, _>>()?)])
    }

    /// The values are the whole map at `path`; of equal keys the last counts.
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

    /// The values are items of the list at `path`: each replaces its like where that stands, or comes last.
    pub fn add<T: Into<Value>, E: ParseError>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        self.each(|text| Ok(Edit::item(Place::at(path), read(text).or_example(self.example)?.into())))
    }

    /// The items of the list at `path` that the values name are not there.
    pub fn remove_items<E: ParseError>(
        &self,
        path: &str,
        identity: impl Fn(&str) -> Result<String, E>,
    ) -> Result<Vec<Edit>, UsageError> {
        self.each(|text| Ok(Edit::remove(Place::at(path).item(&identity(text).or_example(self.example)?))))
    }

    /// The values are keys of the map at `path` and what stands there.
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

    /// One edit for each value.
    pub fn each(&self, edit: impl Fn(&str) -> Result<Edit, UsageError>) -> Result<Vec<Edit>, UsageError> {
        self.values.iter().map(|text| edit(text)).collect()
    }
}

/// The name of something that is removed: Docker accepts `NAME=VALUE` too, and silently removes nothing.
///
/// # Errors
/// It is empty, or has a value.
pub fn only_name(text: &str, what: &str, example: &'static str) -> Result<String, UsageError> {
    text::some(text).or_example(formats::text("").example)?;
    text::only_name(text, what).or_example(example)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) => false,
    }
}
