//! The fields of a service that are parsed without parsing the whole object.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The fields that selections and rollouts need. They are parsed in one pass over the text, which also checks that
/// the rest can be parsed into a [`Value`] (numbers, Unicode and nesting depth).
#[derive(Debug, Default)]
pub struct ServiceHead {
    /// `ID`.
    pub id: Option<String>,
    /// `Version.Index`.
    pub version: Option<u64>,
    /// `Spec.Name`.
    pub name: Option<String>,
    /// Whether `Spec.Mode` is that of a job.
    pub is_job: bool,
    /// `Spec.TaskTemplate.ContainerSpec.Image`.
    pub image: Option<String>,
    /// `UpdateStatus`.
    pub update: RawUpdateStatus,
    /// Where `Spec` is.
    spec: SpecPosition,
}

/// Where the value of `Spec` is in the text, as addresses in memory, so that the text need not be searched for it again.
/// serde reports no offsets, but a borrowed key is a slice of the text, and the keys before and after the value delimit it.
#[derive(Debug, Default, PartialEq, Eq)]
enum SpecPosition {
    /// The key has not been read yet.
    #[default]
    Ahead,
    /// From the end of the key to the end of the object, unless another key follows.
    From(usize),
    /// From the end of the key to the start of the next key.
    Between(Range<usize>),
    /// It is unknown, because the key occurs twice, or because one of the keys is written with escapes.
    Unknown,
}

impl SpecPosition {
    /// The position after this key of the service has been read.
    fn after(self, key: &Key) -> Self {
        match (self, &key.addresses) {
            (Self::Ahead, Some(at)) if key.at == Position::Spec => Self::From(at.end),
            (Self::From(start), Some(at)) if key.at != Position::Spec => Self::Between(start..at.start),
            (Self::Ahead | Self::Between(_), _) if key.at == Position::Spec => Self::Unknown,
            (Self::From(_), _) => Self::Unknown,
            (same, _) => same,
        }
    }
}

/// The strings in `UpdateStatus`.
#[derive(Clone, Debug, Default)]
pub struct RawUpdateStatus {
    /// `State`.
    pub state: Option<Arc<str>>,
    /// `StartedAt`.
    pub started: Option<Arc<str>>,
    /// `Message`.
    pub message: Option<Arc<str>>,
}

impl ServiceHead {
    /// Reads the fields of a parsed object.
    pub fn from_json(service: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (spec, update) = (&service["Spec"], &service["UpdateStatus"]);
        let shared = |key: &str| update[key].as_str().map(Into::into);
        Self {
            id: text(&service["ID"]),
            version: service["Version"]["Index"].as_u64(),
            name: text(&spec["Name"]),
            is_job: !spec["Mode"]["ReplicatedJob"].is_null() || !spec["Mode"]["GlobalJob"].is_null(),
            image: text(&spec["TaskTemplate"]["ContainerSpec"]["Image"]),
            update: RawUpdateStatus {
                state: shared("State"),
                started: shared("StartedAt"),
                message: shared("Message"),
            },
            spec: SpecPosition::Unknown,
        }
    }

    /// The text of the spec in `service`, the text from which this head was parsed. `None` if its position is unknown.
    pub(super) fn spec_in<'a>(&self, service: &'a str) -> Option<&'a str> {
        let offset = |address: usize| address.checked_sub(service.as_ptr().addr());
        let (from, end) = match &self.spec {
            SpecPosition::From(start) => (service.get(offset(*start)?..)?, "}"),
            SpecPosition::Between(at) => {
                // This slice ends with the opening quote of the next key.
                (service.get(offset(at.start)?..offset(at.end)?)?.strip_suffix('"')?, ",")
            }
            SpecPosition::Ahead | SpecPosition::Unknown => return None,
        };
        let value = from.strip_prefix('"')?.trim_ascii_start().strip_prefix(':')?;
        Some(value.trim_ascii_end().strip_suffix(end)?.trim_ascii())
    }

    /// Resets a field when its key is read. If a key is repeated, the last value must count, as in a [`Value`].
    fn reset(&mut self, at: Position) {
        match at {
            Position::Id => self.id = None,
            Position::Version | Position::Index => self.version = None,
            Position::Spec => (self.name, self.is_job, self.image) = (None, false, None),
            Position::Name => self.name = None,
            Position::Mode => self.is_job = false,
            Position::Task | Position::Container | Position::Image => self.image = None,
            Position::Update => self.update = RawUpdateStatus::default(),
            Position::State => self.update.state = None,
            Position::Started => self.update.started = None,
            Position::Message => self.update.message = None,
            Position::Service | Position::JobMode | Position::Elsewhere => {}
        }
    }
}

impl<'a> Deserialize<'a> for ServiceHead {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        let mut head = Self::default();
        HeadVisitor { head: &mut head, at: Position::Service }.deserialize(from)?;
        Ok(head)
    }
}

/// A position in the JSON of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Service,
    Id,
    Version,
    Index,
    Spec,
    Name,
    Mode,
    JobMode,
    Task,
    Container,
    Image,
    Update,
    State,
    Started,
    Message,
    Elsewhere,
}

impl Position {
    fn child(self, key: &str) -> Self {
        match (self, key) {
            (Self::Service, "ID") => Self::Id,
            (Self::Service, "Version") => Self::Version,
            (Self::Version, "Index") => Self::Index,
            (Self::Service, "Spec") => Self::Spec,
            (Self::Spec, "Name") => Self::Name,
            (Self::Spec, "Mode") => Self::Mode,
            (Self::Mode, "ReplicatedJob" | "GlobalJob") => Self::JobMode,
            (Self::Spec, "TaskTemplate") => Self::Task,
            (Self::Task, "ContainerSpec") => Self::Container,
            (Self::Container, "Image") => Self::Image,
            (Self::Service, "UpdateStatus") => Self::Update,
            (Self::Update, "State") => Self::State,
            (Self::Update, "StartedAt") => Self::Started,
            (Self::Update, "Message") => Self::Message,
            _ => Self::Elsewhere,
        }
    }
}

/// Walks through a value and sets the fields of the head.
struct HeadVisitor<'h> {
    head: &'h mut ServiceHead,
    at: Position,
}

impl HeadVisitor<'_> {
    fn mark_present(&mut self) {
        self.head.is_job |= self.at == Position::JobMode;
    }
}

impl<'a> DeserializeSeed<'a> for HeadVisitor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for HeadVisitor<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, _: bool) -> Result<(), E> {
        self.mark_present();
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        self.mark_present();
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, number: u64) -> Result<(), E> {
        self.mark_present();
        if self.at == Position::Index {
            self.head.version = Some(number);
        }
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        self.mark_present();
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.mark_present();
        match self.at {
            Position::Id => self.head.id = Some(text.to_owned()),
            Position::Name => self.head.name = Some(text.to_owned()),
            Position::Image => self.head.image = Some(text.to_owned()),
            Position::State => self.head.update.state = Some(text.into()),
            Position::Started => self.head.update.started = Some(text.into()),
            Position::Message => self.head.update.message = Some(text.into()),
            _ => {}
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.mark_present();
        while items.next_element_seed(HeadVisitor { head: self.head, at: Position::Elsewhere })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.mark_present();
        while let Some(key) = entries.next_key_seed(KeySeed(self.at))? {
            let at = key.at;
            self.head.reset(at);
            if self.at == Position::Service {
                self.head.spec = std::mem::take(&mut self.head.spec).after(&key);
            }
            entries.next_value_seed(HeadVisitor { head: self.head, at })?;
        }
        Ok(())
    }
}

/// A key of an object.
struct Key {
    /// The position of its value.
    at: Position,
    /// The addresses of its text in the text of the service. `None` if it is written with escapes.
    addresses: Option<Range<usize>>,
}

/// Deserializes a key of the object at this position.
struct KeySeed(Position);

impl<'a> DeserializeSeed<'a> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<Key, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for KeySeed {
    type Value = Key;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'a str) -> Result<Key, E> {
        let start = key.as_ptr().addr();
        Ok(Key { at: self.0.child(key), addresses: Some(start..start + key.len()) })
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(Key { at: self.0.child(key), addresses: None })
    }
}
