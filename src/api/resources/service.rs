//! A service, held as what the engine sent.

use std::sync::{Arc, OnceLock};

use serde::de::Error as _;
use serde_json::Value;

use super::service_head::{Head, UpdateStatus};
use crate::api::error::{Error, Result};
use crate::api::http::json_array::first;
use crate::api::spec::splice::find;

/// What is wrong with an object that is none.
pub(in crate::api) const NO_SERVICE: &str = "it is not a service: ID, Version.Index or Spec.Name is missing";

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
    update: UpdateStatus,
    text: Option<Arc<str>>,
    object: OnceLock<Arc<Value>>,
    /// Read alone where no more is looked into: the previous spec is as large.
    spec: OnceLock<Arc<Value>>,
}

impl Service {
    /// Takes an engine's object; `None` where it lacks what every service has.
    pub fn new(object: Value) -> Option<Self> {
        let head = Head::of(&object);
        Some(Self { object: Arc::new(object).into(), ..Self::with(head, None)? })
    }

    /// Takes the object that a text begins with, as it was sent: read is what every service has, and whether the rest
    /// can be. Gives its length, too, in bytes.
    ///
    /// # Errors
    /// It is not there as a whole, cannot be read, or lacks what every service has.
    pub fn first_of(text: &str) -> serde_json::Result<(Self, usize)> {
        let (head, length) = first(text, |head: Head| head)?;
        let service = Self::with(head, Some(text[..length].trim_ascii_start().into()));
        service.map(|service| (service, length)).ok_or_else(|| serde_json::Error::custom(NO_SERVICE))
    }

    fn with(head: Head, text: Option<Arc<str>>) -> Option<Self> {
        Some(Self {
            id: head.id?.into(),
            name: head.name?.into(),
            version: head.version?,
            is_job: head.is_job,
            image: head.image.map(Into::into),
            update: head.update,
            text,
            object: OnceLock::new(),
            spec: OnceLock::new(),
        })
    }

    /// Holds no more than the text until it is looked into again.
    pub fn release_parsed(&mut self) {
        self.spec.take();
        if let Some(object) = self.object.take() {
            self.text.get_or_insert_with(|| object.to_string().into());
        }
    }

    /// The whole object.
    pub fn object(&self) -> &Value {
        // The text was checked, so it can be read.
        let read = || {
            Arc::new(
                self.text.as_ref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null),
            )
        };
        self.object.get_or_init(read)
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
        if let Some(spec) = self.spec.get() {
            return spec;
        }
        if self.object.get().is_none()
            && let Some(text) = self.spec_text()
        {
            return self.spec.get_or_init(|| Arc::new(serde_json::from_str(text).unwrap_or(Value::Null)));
        }
        &self.object()["Spec"]
    }

    /// The spec, to be edited and posted.
    ///
    /// # Errors
    /// [`Error::Internal`]: the text, which was checked when it was received, cannot be parsed.
    pub fn spec_to_edit(&self) -> Result<&Value> {
        match self.spec() {
            Value::Null => Err(Error::internal("the spec of a service cannot be parsed")),
            spec => Ok(spec),
        }
    }

    /// The spec as the engine wrote it, where that can be told without reading it.
    pub fn spec_text(&self) -> Option<&str> {
        let text = self.text.as_deref()?;
        text.get(find(text, &["Spec"])?)
    }

    /// The spec before the last post, where the engine still has it.
    pub fn previous_spec(&self) -> Option<&Value> {
        self.object().get("PreviousSpec").filter(|spec| !spec.is_null())
    }

    /// `UpdateStatus.State`, of the last rollout that there was.
    pub fn update_state(&self) -> Option<&str> {
        self.update.state.as_deref()
    }

    /// Whether the engine has paused its rollout, or the way back: any post resumes it.
    pub fn is_paused(&self) -> bool {
        matches!(self.update_state(), Some("paused" | "rollback_paused"))
    }

    /// `UpdateStatus.StartedAt`, by the engine's clock.
    pub fn update_started(&self) -> Option<&str> {
        self.update.started.as_deref()
    }

    /// `UpdateStatus.Message`.
    pub fn update_message(&self) -> Option<&str> {
        self.update.message.as_deref()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with(more: &str) -> String {
        format!(
            r#"{{"ID":"abc","Version":{{"Index":7}},"Spec":{{"Name":"web","Mode":{{"GlobalJob":{{}}}},"TaskTemplate":{{"ContainerSpec":{{"Image":"a:1"}}}},"More":{more}}}}}"#
        )
    }

    fn hold(text: &str) -> Option<Service> {
        Service::first_of(text).ok().map(|(service, _)| service)
    }

    #[test]
    fn of_a_text_as_much_is_known_as_of_the_object() {
        let text = with("[1, -2, 0.5, true, null, \"\\u00e9\"]");
        let held = hold(&text).unwrap();
        let read = Service::new(serde_json::from_str(&text).unwrap()).unwrap();
        for service in [&held, &read] {
            assert_eq!((service.id(), service.name(), service.version()), ("abc", "web", 7));
            assert_eq!((service.is_job(), service.image()), (true, Some("a:1")));
        }
        assert_eq!(held, read);
        let replicated = text.replace("GlobalJob", "Replicated").replace(r#""Image":"a:1""#, "");
        let held = hold(&replicated).unwrap();
        assert_eq!((held.is_job(), held.image()), (false, None));
    }

    #[test]
    fn what_could_not_be_read_later_is_not_held() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for more in ["1e400", r#""\ud800""#, r#"{"\udc00": 1}"#, &deep] {
            assert!(serde_json::from_str::<Value>(&with(more)).is_err(), "{more}");
            assert!(hold(&with(more)).is_none(), "{more}");
        }
        for less in ["ID", "Version", "Name"] {
            assert!(hold(&with("1").replace(less, "x")).is_none(), "{less}");
        }
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_one_counts() {
        let twice = |from: &str, to: &str| with("1").replace(from, to);
        for text in [
            twice(r#""ID":"abc""#, r#""ID":"xyz","ID":"abc""#),
            twice(r#""Spec":"#, r#""Spec":{"Name":"x","Mode":{"Replicated":{}}},"Spec":"#),
            twice(r#""Mode":"#, r#""Mode":{"Replicated":{}},"Mode":"#),
            twice(r#""Image":"a:1""#, r#""Image":"b:1","Image":null"#),
            twice(r#""ContainerSpec":"#, r#""ContainerSpec":{"Image":"b:1"},"ContainerSpec":"#),
            twice(r#"{"ID""#, r#"{"UpdateStatus":{"State":"paused"},"UpdateStatus":{"Message":"m"},"ID""#),
        ] {
            let read = Service::new(serde_json::from_str(&text).unwrap()).unwrap();
            let held = hold(&text).unwrap();
            assert_eq!((held.id(), held.name(), held.version()), (read.id(), read.name(), read.version()));
            assert_eq!((held.is_job(), held.image()), (read.is_job(), read.image()), "{text}");
            assert_eq!(
                (held.update_state(), held.update_message()),
                (read.update_state(), read.update_message())
            );
            assert_eq!(held.spec(), read.spec(), "{text}");
            assert_eq!(held, read);
        }
    }

    #[test]
    fn a_spec_is_there_as_it_was_written() {
        let (text, spec) = (with("1"), with("1").split_once("Spec\":").unwrap().1.to_owned());
        let spec = spec.strip_suffix('}').unwrap();
        let service = hold(&text).unwrap();
        assert_eq!(service.spec_text(), Some(spec));
        assert_eq!(Service::new(serde_json::from_str(&text).unwrap()).unwrap().spec_text(), None);
    }
}
