//! The values of a template: JSON together with the zero values of Go's types.
//!
//! A value is looked up in the JSON first, and then in the document of zero values (see [`zero`](super::zero)).

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value as Json};

use super::zero::{DEFAULT, MAP_VALUES, POINTED, ZERO_DURATION, ZERO_TIME};
use crate::output::json::json_visible;
use crate::output::{Destination, visible};

/// A value of a template.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// The value of a key that a map does not have.
    Nil,
    /// A nil pointer.
    NilPointer,
    /// `true`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string of the data.
    DataString(&'a str),
    /// A string that the template made.
    TemplateString(Cow<'a, str>),
    /// A time, as the string in the JSON.
    Time(&'a str),
    /// A duration in nanoseconds.
    Duration(i64),
    /// A list of the data.
    Array {
        /// The items; `None` is Go's nil.
        json: Option<&'a Vec<Json>>,
        /// The zero value of an item.
        zero: Option<&'a Json>,
    },
    /// An object of the data.
    Object(Object<'a>),
    /// A list that the template made.
    List(Vec<Value<'a>>),
}

/// An object of the data.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    json: Option<&'a Map<String, Json>>,
    kind: ObjectKind<'a>,
}

#[derive(Clone, Copy, Debug)]
enum ObjectKind<'a> {
    Struct(&'a Map<String, Json>),
    Map(&'a Json),
    Unknown,
}

impl<'a> Value<'a> {
    /// The JSON value, or the zero value if there is none.
    pub fn new(json: Option<&'a Json>, zero: Option<&'a Json>) -> Self {
        let json = json.filter(|json| !json.is_null());
        let pointed = zero.and_then(|zero| zero.get(POINTED));
        let json = json.or_else(|| zero.filter(|_| pointed.is_some())?.get(DEFAULT));
        if pointed.is_some() && json.is_none() {
            return Self::NilPointer;
        }
        let zero = pointed.or(zero);
        match (json, zero) {
            (None, None) => Self::Nil,
            (None | Some(Json::String(_)), Some(Json::String(mark))) if mark == ZERO_TIME => {
                Self::Time(json.and_then(Json::as_str).unwrap_or(ZERO_TIME))
            }
            (None | Some(Json::Number(_)), Some(Json::String(mark))) if mark == ZERO_DURATION => {
                Self::Duration(json.and_then(Json::as_i64).unwrap_or_default())
            }
            (Some(Json::Object(map)), zero) => Self::Object(Object::new(Some(map), zero)),
            (None, Some(zero @ Json::Object(_))) => Self::Object(Object::new(None, Some(zero))),
            (Some(Json::Array(items)), zero) => Self::Array { json: Some(items), zero: item_of(zero) },
            (None, Some(zero @ Json::Array(_))) => Self::Array { json: None, zero: item_of(Some(zero)) },
            (Some(scalar), _) | (None, Some(scalar)) => match scalar {
                Json::String(text) => Self::DataString(text),
                Json::Number(number) => Self::Number(number.clone()),
                Json::Bool(boolean) => Self::Bool(*boolean),
                _ => Self::Nil,
            },
        }
    }

    /// Returns the field `name`.
    pub fn field(&self, name: &str) -> Result<Self, String> {
        match self {
            // Go accepts any field of a missing map value.
            Self::Nil => Ok(Self::Nil),
            Self::NilPointer => Err(format!(
                "this is not set, so it has no `{name}`; check that first, as in {{{{with .X}}}}{{{{.{name}}}}}{{{{end}}}}"
            )),
            Self::Object(object) => object.field(name),
            other => Err(format!("{} has no fields, so no `{name}`", other.kind())),
        }
    }

    /// Returns the item at an index, or the value of a key.
    pub fn index(&self, key: &Value) -> Result<Self, String> {
        match (self, key) {
            (Self::Object(object), Value::DataString(key)) => object.index(key),
            (Self::Object(object), Value::TemplateString(key)) => object.index(key),
            (Self::Nil | Self::NilPointer, _) => Err("a value that is not set has no items".to_owned()),
            (
                Self::Array { .. } | Self::List(_) | Self::DataString(_) | Self::TemplateString(_),
                Value::Number(number),
            ) => {
                let length = self.length().unwrap_or_default();
                let at = number.as_u64().and_then(|at| usize::try_from(at).ok()).filter(|at| *at < length);
                let at =
                    at.ok_or_else(|| format!("there is no item {number} in a list of length {length}"))?;
                Ok(match self {
                    Self::DataString(text) => Self::Number(text.as_bytes()[at].into()),
                    Self::TemplateString(text) => Self::Number(text.as_bytes()[at].into()),
                    _ => self.items().into_iter().nth(at).unwrap_or(Self::Nil),
                })
            }
            _ => Err(format!("{} cannot be indexed by {}", self.kind(), key.kind())),
        }
    }

    /// Returns the items of a list.
    pub fn items(&self) -> Vec<Self> {
        match self {
            Self::Array { json, zero } => {
                json.iter().flat_map(|items| items.iter()).map(|item| Self::new(Some(item), *zero)).collect()
            }
            Self::List(items) => items.clone(),
            _ => Vec::new(),
        }
    }

    /// Returns the result of `len`.
    pub fn length(&self) -> Option<usize> {
        match self {
            Self::DataString(text) => Some(text.len()),
            Self::TemplateString(text) => Some(text.len()),
            Self::Array { json, .. } => Some(json.map_or(0, Vec::len)),
            Self::List(items) => Some(items.len()),
            Self::Object(Object { kind: ObjectKind::Struct(_), .. }) => None,
            Self::Object(object) => Some(object.json.map_or(0, Map::len)),
            _ => None,
        }
    }

    /// Returns whether `if` treats the value as true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil | Self::NilPointer => false,
            Self::Bool(boolean) => *boolean,
            Self::Number(number) => number.as_f64() != Some(0.0),
            Self::Duration(nanos) => *nanos != 0,
            Self::Time(_) | Self::Object(Object { kind: ObjectKind::Struct(_), .. }) => true,
            other => other.length() != Some(0),
        }
    }

    /// Returns the kind of value, for error messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil | Self::NilPointer => "a value that is not set",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::DataString(_) | Self::TemplateString(_) => "a string",
            Self::Time(_) => "a time",
            Self::Duration(_) => "a duration",
            Self::Array { .. } | Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// Returns the printed value. For a terminal, control characters in data are escaped.
    pub fn shown(&self, to: Destination) -> Cow<'_, str> {
        let text = |text: &'a str| if to == Destination::Terminal { visible(text) } else { text.into() };
        match self {
            Self::Nil => "<no value>".into(),
            Self::NilPointer => "<nil>".into(),
            Self::Bool(boolean) => boolean.to_string().into(),
            Self::Number(number) => number.to_string().into(),
            Self::DataString(given) => text(given),
            Self::TemplateString(made) => made.as_ref().into(),
            Self::Time(time) => text(time).replacen('T', " ", 1).replace('Z', " +0000 UTC").into(),
            Self::Duration(nanos) => go_duration(*nanos).into(),
            Self::Array { .. } | Self::List(_) => {
                let items: Vec<String> =
                    self.items().iter().map(|item| item.shown(to).into_owned()).collect();
                format!("[{}]", items.join(" ")).into()
            }
            Self::Object(Object { json, kind: ObjectKind::Struct(zero) }) => {
                let field = |name: &str| Value::new(json.and_then(|json| json.get(name)), zero.get(name));
                // Go's type `Version` has a method that prints its index.
                if zero.keys().eq(["Index"]) {
                    return field("Index").shown(to).into_owned().into();
                }
                let new = json.iter().flat_map(|json| json.keys()).filter(|name| !zero.contains_key(*name));
                let fields: Vec<String> =
                    zero.keys().chain(new).map(|name| field(name).shown(to).into_owned()).collect();
                format!("{{{}}}", fields.join(" ")).into()
            }
            Self::Object(object) => {
                let mut entries = object.entries();
                entries.sort_by_key(|(key, _)| *key);
                let entry = |(key, value): (&'a str, Value)| format!("{}:{}", text(key), value.shown(to));
                format!("map[{}]", entries.into_iter().map(entry).collect::<Vec<_>>().join(" ")).into()
            }
        }
    }

    /// Returns the value as JSON on one line, with the keys in the order of the data.
    pub fn json(&self, to: Destination) -> String {
        let quoted = |text: &str| Json::from(text).to_string();
        let json = match self {
            Self::Nil | Self::NilPointer => "null".to_owned(),
            Self::Bool(boolean) => boolean.to_string(),
            Self::Number(number) => number.to_string(),
            Self::DataString(text) | Self::Time(text) => quoted(text),
            Self::TemplateString(text) => quoted(text),
            Self::Duration(nanos) => nanos.to_string(),
            Self::Array { json, .. } => {
                json.map_or("null".to_owned(), |items| Json::Array(items.clone()).to_string())
            }
            Self::Object(Object { json, kind }) => match (json, kind) {
                (Some(map), _) => Json::Object((*map).clone()).to_string(),
                (None, ObjectKind::Struct(_)) => "{}".to_owned(),
                (None, _) => "null".to_owned(),
            },
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.json(Destination::Other)).collect();
                format!("[{}]", items.join(","))
            }
        };
        if to == Destination::Terminal { json_visible(&json).into_owned() } else { json }
    }

    /// Compares for equality. Fails if the values are not comparable.
    pub fn equals(&self, other: &Self) -> Result<bool, String> {
        match (self, other) {
            (Self::Nil | Self::NilPointer, Self::Nil | Self::NilPointer) => Ok(true),
            (Self::Nil | Self::NilPointer, _) | (_, Self::Nil | Self::NilPointer) => Ok(false),
            (Self::Bool(a), Self::Bool(b)) => Ok(a == b),
            _ => self.compare(other).map(Ordering::is_eq),
        }
    }

    /// Compares two values. Fails if they have no order.
    pub fn compare(&self, other: &Self) -> Result<Ordering, String> {
        let order = match (self.number(), other.number(), self.text(), other.text()) {
            (Some(a), Some(b), ..) => match (a.as_i128(), b.as_i128()) {
                (Some(a), Some(b)) => Some(a.cmp(&b)),
                (None, None) => a.as_f64().partial_cmp(&b.as_f64()),
                _ => None,
            },
            (.., Some(a), Some(b)) => Some(a.cmp(b)),
            _ => None,
        };
        order.ok_or_else(|| format!("{} cannot be compared with {}", self.kind(), other.kind()))
    }

    /// Returns a number, or the nanoseconds of a duration.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::Duration(nanos) => Some((*nanos).into()),
            _ => None,
        }
    }

    /// Returns the text of a string or a time, without escapes.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::DataString(text) | Self::Time(text) => Some(text),
            Self::TemplateString(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Object<'a> {
    fn new(json: Option<&'a Map<String, Json>>, zero: Option<&'a Json>) -> Self {
        let kind = match zero {
            Some(Json::Object(zero)) => match zero.get(MAP_VALUES) {
                Some(item) => ObjectKind::Map(item),
                None => ObjectKind::Struct(zero),
            },
            _ => ObjectKind::Unknown,
        };
        Self { json, kind }
    }

    fn get(&self, name: &str) -> Option<&'a Json> {
        self.json.and_then(|json| json.get(name))
    }

    fn field(&self, name: &str) -> Result<Value<'a>, String> {
        match (self.kind, self.get(name)) {
            (ObjectKind::Struct(zero), json) if json.is_some() || zero.contains_key(name) => {
                Ok(Value::new(json, zero.get(name)))
            }
            (ObjectKind::Map(zero), Some(json)) => Ok(Value::new(Some(json), Some(zero))),
            (ObjectKind::Map(_), None) => Ok(Value::Nil),
            (ObjectKind::Unknown, Some(json)) => Ok(Value::new(Some(json), None)),
            _ => Err(format!("there is no field `{name}`")),
        }
    }

    fn index(&self, key: &str) -> Result<Value<'a>, String> {
        match (self.kind, self.get(key)) {
            (ObjectKind::Map(zero), json) => Ok(Value::new(json, Some(zero))),
            (ObjectKind::Unknown, None) => Ok(Value::Nil),
            _ => self.field(key),
        }
    }

    /// Returns the entries of the JSON, in its order. Fields of a struct that the JSON does not have are left out.
    pub fn entries(&self) -> Vec<(&'a str, Value<'a>)> {
        let zero = |key: &str| match self.kind {
            ObjectKind::Struct(zero) => zero.get(key),
            ObjectKind::Map(zero) => Some(zero),
            ObjectKind::Unknown => None,
        };
        let entries = self.json.into_iter().flatten();
        entries.map(|(key, json)| (key.as_str(), Value::new(Some(json), zero(key)))).collect()
    }

    /// Returns whether this is a struct and not a map.
    pub fn is_struct(&self) -> bool {
        matches!(self.kind, ObjectKind::Struct(_))
    }
}

/// Returns the zero value of a list's items.
fn item_of(zero: Option<&Json>) -> Option<&Json> {
    zero.and_then(|zero| zero.get(0))
}

/// Formats a duration as Go does: `1m30s`, `1.5s`, `100ms`, `0s`.
fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let text = match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(nanos, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 6)),
        _ => {
            let (minutes, seconds) = (nanos / 60_000_000_000, decimal(nanos % 60_000_000_000, 9));
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// Returns `value` divided by 10 to the power of `digits`, without trailing zeros.
fn decimal(value: u64, digits: u32) -> String {
    let unit = 10_u64.pow(digits);
    let fraction = format!("{:01$}", value % unit, digits as usize);
    match fraction.trim_end_matches('0') {
        "" => (value / unit).to_string(),
        fraction => format!("{}.{fraction}", value / unit),
    }
}
