//! A service, held as what the engine sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A service as the engine sent it, untouched.
///
/// Read JSON takes ten times the room of its text, so a service may be held as text, and is read when it is looked
/// into. A copy shares what it is a copy of.
#[derive(Clone, Debug)]
pub struct Service {
    id: Arc<str>,
    name: Arc<str>,
    version: u64,
    /// Kept, because selections ask for them of services that nothing else is read of.
    is_job: bool,
    image: Option<Arc<str>>,
    text: Option<Arc<str>>,
    object: OnceLock<Arc<Value>>,
}

impl Service {
    /// Takes an engine's object; `None` where it lacks what every service has.
    pub fn new(object: Value) -> Option<Self> {
        Some(Self {
            id: object["ID"].as_str()?.into(),
            name: object["Spec"]["Name"].as_str()?.into(),
            version: object["Version"]["Index"].as_u64()?,
            is_job: {
                let mode = &object["Spec"]["Mode"];
                !mode["ReplicatedJob"].is_null() || !mode["GlobalJob"].is_null()
            },
            image: object["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().map(Into::into),
            text: None,
            object: Arc::new(object).into(),
        })
    }

    /// Takes an engine's object as it was sent; read is what every service has, checked is all.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str::<Readable>(text).ok()?;
        let head: Head = serde_json::from_str(text).ok()?;
        let task = head.spec.task.and_then(|task| task.container).and_then(|container| container.image);
        Some(Self {
            id: head.id.into(),
            name: head.spec.name.into(),
            version: head.version.index,
            is_job: head.spec.mode.is_some_and(|mode| mode.replicated.is_some() || mode.global.is_some()),
            image: task.map(Into::into),
            text: Some(text.into()),
            object: OnceLock::new(),
        })
    }

    /// Holds no more than the text until it is looked into again.
    pub fn shelve(&mut self) {
        if let Some(object) = self.object.take() {
            self.text.get_or_insert_with(|| object.to_string().into());
        }
    }

    /// The whole object.
    pub fn object(&self) -> &Value {
        // The text was checked, so it can be read.
        let read = || {
            Arc::new(self.text.as_ref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
        };
        self.object.get_or_init(read)
    }

    /// Whether the spec is written just so, where that can be told without reading it.
    pub fn has_spec_text(&self, spec: &[u8]) -> bool {
        let stored = self.text.as_ref().and_then(|text| serde_json::from_str::<SpecOnly>(text).ok());
        stored.is_some_and(|stored| stored.spec.get().as_bytes() == spec)
    }

    /// The full ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `Version.Index`.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The spec.
    pub fn spec(&self) -> &Value {
        &self.object()["Spec"]
    }

    /// The spec before the last post, where the engine still has it.
    pub fn previous_spec(&self) -> Option<&Value> {
        self.object().get("PreviousSpec").filter(|spec| !spec.is_null())
    }

    /// `UpdateStatus.State`, of the last rollout that there was.
    pub fn update_state(&self) -> Option<&str> {
        self.object()["UpdateStatus"]["State"].as_str()
    }

    /// `UpdateStatus.StartedAt`, by the engine's clock.
    pub fn update_started(&self) -> Option<&str> {
        self.object()["UpdateStatus"]["StartedAt"].as_str()
    }

    /// `UpdateStatus.Message`.
    pub fn update_message(&self) -> Option<&str> {
        self.object()["UpdateStatus"]["Message"].as_str()
    }

    /// Whether it runs to an end (replicated-job, global-job): every post runs it again.
    pub fn is_job(&self) -> bool {
        self.is_job
    }

    /// The image, as stored; `None` where the service runs no container.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.object() == other.object()
    }
}

/// What is known of a service that is held as text.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "ID")]
    id: Cow<'a, str>,
    #[serde(rename = "Version")]
    version: Version,
    #[serde(borrow, rename = "Spec")]
    spec: Spec<'a>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "Index")]
    index: u64,
}

#[derive(Deserialize)]
struct Spec<'a> {
    #[serde(borrow, rename = "Name")]
    name: Cow<'a, str>,
    #[serde(rename = "Mode")]
    mode: Option<JobMode>,
    #[serde(borrow, rename = "TaskTemplate")]
    task: Option<Task<'a>>,
}

#[derive(Deserialize)]
struct JobMode {
    #[serde(rename = "ReplicatedJob")]
    replicated: Option<IgnoredAny>,
    #[serde(rename = "GlobalJob")]
    global: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Task<'a> {
    #[serde(borrow, rename = "ContainerSpec")]
    container: Option<Container<'a>>,
}

#[derive(Deserialize)]
struct Container<'a> {
    #[serde(borrow, rename = "Image")]
    image: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct SpecOnly<'a> {
    #[serde(borrow, rename = "Spec")]
    spec: &'a RawValue,
}

/// JSON that can be read into a [`Value`]: its numbers have room in one, its texts are Unicode, its depth has an end.
struct Readable;

impl<'a> Deserialize<'a> for Readable {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'a> Visitor<'a> for Readable {
    type Value = Self;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Self, A::Error> {
        while let Some(Self) = items.next_element()? {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'a>>(self, mut entries: A) -> Result<Self, A::Error> {
        while let Some((Self, Self)) = entries.next_entry()? {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(more: &str) -> String {
        format!(
            r#"{{"ID":"abc","Version":{{"Index":7}},"Spec":{{"Name":"web","Mode":{{"GlobalJob":{{}}}},"TaskTemplate":{{"ContainerSpec":{{"Image":"a:1"}}}},"More":{more}}}}}"#
        )
    }

    #[test]
    fn of_a_text_as_much_is_known_as_of_the_object() {
        let text = with("[1, -2, 0.5, true, null, \"\\u00e9\"]");
        let held = Service::from_text(&text).unwrap();
        let read = Service::new(serde_json::from_str(&text).unwrap()).unwrap();
        for service in [&held, &read] {
            assert_eq!((service.id(), service.name(), service.version()), ("abc", "web", 7));
            assert_eq!((service.is_job(), service.image()), (true, Some("a:1")));
        }
        assert_eq!(held, read);
        let replicated = text.replace("GlobalJob", "Replicated").replace(r#""Image":"a:1""#, "");
        let held = Service::from_text(&replicated).unwrap();
        assert_eq!((held.is_job(), held.image()), (false, None));
    }

    #[test]
    fn what_could_not_be_read_later_is_not_held() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for more in ["1e400", r#""\ud800""#, r#"{"\udc00": 1}"#, &deep] {
            assert!(serde_json::from_str::<Value>(&with(more)).is_err(), "{more}");
            assert!(Service::from_text(&with(more)).is_none(), "{more}");
        }
        for less in ["ID", "Version", "Name"] {
            assert!(Service::from_text(&with("1").replace(less, "x")).is_none(), "{less}");
        }
    }

    #[test]
    fn a_spec_is_known_by_its_text() {
        let (text, spec) = (with("1"), with("1").split_once("Spec\":").unwrap().1.to_owned());
        let spec = spec.strip_suffix('}').unwrap();
        let service = Service::from_text(&text).unwrap();
        assert!(service.has_spec_text(spec.as_bytes()));
        assert!(!service.has_spec_text(spec.replace("a:1", "a:2").as_bytes()));
    }
}
