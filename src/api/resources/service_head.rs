//! What is known of a service without holding its JSON as a whole.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// What selections and rollouts ask for. Read in one pass of the text, which says also whether the rest can be read into a
/// [`Value`]: its numbers have room in one, its texts are Unicode, its depth has an end.
#[derive(Debug, Default)]
pub struct Head {
    /// `ID`.
    pub id: Option<String>,
    /// `Version.Index`.
    pub version: Option<u64>,
    /// `Spec.Name`.
    pub name: Option<String>,
    /// Whether `Spec.Mode` is one of those that run to an end.
    pub is_job: bool,
    /// `Spec.TaskTemplate.ContainerSpec.Image`.
    pub image: Option<String>,
    /// `UpdateStatus`.
    pub update: UpdateStatus,
}

/// `UpdateStatus`, of the last rollout that there was.
#[derive(Clone, Debug, Default)]
pub struct UpdateStatus {
    /// `State`.
    pub state: Option<Arc<str>>,
    /// `StartedAt`.
    pub started: Option<Arc<str>>,
    /// `Message`.
    pub message: Option<Arc<str>>,
}

impl Head {
    /// Of an object that is read already.
    pub fn of(service: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (spec, update) = (&service["Spec"], &service["UpdateStatus"]);
        let shared = |key: &str| update[key].as_str().map(Into::into);
        Self {
            id: text(&service["ID"]),
            version: service["Version"]["Index"].as_u64(),
            name: text(&spec["Name"]),
            is_job: !spec["Mode"]["ReplicatedJob"].is_null() || !spec["Mode"]["GlobalJob"].is_null(),
            image: text(&spec["TaskTemplate"]["ContainerSpec"]["Image"]),
            update: UpdateStatus {
                state: shared("State"),
                started: shared("StartedAt"),
                message: shared("Message"),
            },
        }
    }

    /// Of a key that is there twice the last one counts, as it does in a [`Value`].
    fn forget(&mut self, at: At) {
        match at {
            At::Id => self.id = None,
            At::Version | At::Index => self.version = None,
            At::Spec => (self.name, self.is_job, self.image) = (None, false, None),
            At::Name => self.name = None,
            At::Mode => self.is_job = false,
            At::Task | At::Container | At::Image => self.image = None,
            At::Update => self.update = UpdateStatus::default(),
            At::State => self.update.state = None,
            At::Started => self.update.started = None,
            At::Message => self.update.message = None,
            At::Service | At::JobMode | At::Elsewhere => {}
        }
    }
}

impl<'a> Deserialize<'a> for Head {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        let mut head = Self::default();
        Walk { head: &mut head, at: At::Service }.deserialize(from)?;
        Ok(head)
    }
}

/// Where in a service's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
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

impl At {
    fn below(self, key: &str) -> Self {
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

/// Goes through a value, and notes what belongs into the head.
struct Walk<'h> {
    head: &'h mut Head,
    at: At,
}

impl Walk<'_> {
    fn is_there(&mut self) {
        self.head.is_job |= self.at == At::JobMode;
    }
}

impl<'a> DeserializeSeed<'a> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Walk<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, _: bool) -> Result<(), E> {
        self.is_there();
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        self.is_there();
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, number: u64) -> Result<(), E> {
        self.is_there();
        if self.at == At::Index {
            self.head.version = Some(number);
        }
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        self.is_there();
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.is_there();
        match self.at {
            At::Id => self.head.id = Some(text.to_owned()),
            At::Name => self.head.name = Some(text.to_owned()),
            At::Image => self.head.image = Some(text.to_owned()),
            At::State => self.head.update.state = Some(text.into()),
            At::Started => self.head.update.started = Some(text.into()),
            At::Message => self.head.update.message = Some(text.into()),
            _ => {}
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.is_there();
        while items.next_element_seed(Walk { head: self.head, at: At::Elsewhere })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.is_there();
        while let Some(at) = entries.next_key_seed(Key(self.at))? {
            self.head.forget(at);
            entries.next_value_seed(Walk { head: self.head, at })?;
        }
        Ok(())
    }
}

/// A key below a place; gives the place of its value.
struct Key(At);

impl<'a> DeserializeSeed<'a> for Key {
    type Value = At;

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<At, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = At;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<At, E> {
        Ok(self.0.below(key))
    }
}
