//! A service, kept as the JSON that the engine sent.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use super::rows::Counts;
use super::service_head::{RawUpdateStatus, ServiceHead};
use super::time;
use crate::api::error::{Error, Result};
use crate::api::http::json_array::parse_first;
use crate::api::spec::splice::find;

/// The error for JSON that is not a service.
pub(in crate::api) const NOT_A_SERVICE: &str =
    "it is not a service: ID, Version.Index or Spec.Name is missing";

/// The key of the spec before the last update.
const PREVIOUS: &str = "PreviousSpec";

/// A service as the engine sent it, unchanged.
///
/// Parsed JSON takes ten times the memory of its text, so a service is kept as text until more than its head
/// is needed. Clones share the data.
#[derive(Clone, Debug)]
pub struct Service {
    id: Arc<str>,
    name: Arc<str>,
    version: u64,
    /// This field and the next two are parsed when the service is read, because selections need them for all services.
    is_job: bool,
    image: Option<Arc<str>>,
    update: RawUpdateStatus,
    text: Option<Arc<str>>,
    /// The position of the spec in the text. Empty if it is unknown.
    spec_at: Range<u32>,
    object: OnceLock<Arc<Value>>,
    /// The spec, parsed without the rest of the object, because the previous spec is as large.
    spec: OnceLock<Arc<Value>>,
    previous: OnceLock<Option<Arc<Value>>>,
}

impl Service {
    /// Wraps an engine's object. `None` if it lacks a field that every service has.
    pub fn new(object: Value) -> Option<Self> {
        let head = ServiceHead::from_json(&object);
        Some(Self { object: Arc::new(object).into(), ..Self::with(head, None)? })
    }

    /// Parses the service at the start of `text`, keeps its text, and returns its length in bytes. The fields that
    /// every service has are parsed, and the syntax of the rest is checked.
    ///
    /// # Errors
    /// The text is incomplete or invalid, or lacks a field that every service has.
    pub fn parse_first(text: &str) -> serde_json::Result<(Self, usize)> {
        let (head, length) = parse_first(text, |head: ServiceHead| head)?;
        let service = Self::with(head, Some(text[..length].trim_ascii_start()));
        service.map(|service| (service, length)).ok_or_else(|| serde_json::Error::custom(NOT_A_SERVICE))
    }

    fn with(head: ServiceHead, text: Option<&str>) -> Option<Self> {
        let spec_at = text.and_then(|text| {
            let spec = head.spec_in(text)?;
            let start = u32::try_from(spec.as_ptr().addr() - text.as_ptr().addr()).ok()?;
            Some(start..start.checked_add(u32::try_from(spec.len()).ok()?)?)
        });
        Some(Self {
            id: head.id?.into(),
            name: head.name?.into(),
            version: head.version?,
            is_job: head.is_job,
            image: head.image.map(Into::into),
            update: head.update,
            text: text.map(Into::into),
            spec_at: spec_at.unwrap_or_default(),
            object: OnceLock::new(),
            spec: OnceLock::new(),
            previous: OnceLock::new(),
        })
    }

    /// Drops the parsed JSON and keeps the text.
    pub fn release_parsed(&mut self) {
        self.spec.take();
        self.previous.take();
        if let Some(object) = self.object.take() {
            self.text.get_or_insert_with(|| object.to_string().into());
        }
    }

    /// Drops the JSON to save memory, and keeps the fields that were parsed when it was read. The spec is null afterwards.
    pub fn keep_head(&mut self) {
        self.text = None;
        self.object.take();
        self.spec.take();
        self.previous.take();
    }

    /// The complete object.
    pub fn object(&self) -> &Value {
        // The text was checked when it was received, so parsing does not fail.
        let read = || {
            Arc::new(
                self.text.as_ref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null),
            )
        };
        self.object.get_or_init(read)
    }

    /// `UpdatedAt`: when the engine last wrote the service. A change of the update status counts too. `None` if the
    /// engine does not report it.
    pub fn updated_at(&self) -> Option<Timestamp> {
        self.object()["UpdatedAt"].as_str().and_then(time::parse_engine_time)
    }

    /// The number of running and desired tasks. `None` if they were not requested, or if the engine did not count them.
    pub fn task_counts(&self) -> Option<Counts> {
        Counts::deserialize(self.object().get("ServiceStatus")?).ok()
    }

    /// Whether a key may be somewhere in the object. Does not parse the object.
    pub fn may_have(&self, key: &str) -> bool {
        self.text.as_ref().is_none_or(|text| text.contains(key))
    }

    /// The object as text: as the engine sent it or, if only the parsed object is kept, serialized.
    pub fn to_text(&self) -> Cow<'_, str> {
        match &self.text {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.object().to_string()),
        }
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

    /// The spec, to edit and post it.
    ///
    /// # Errors
    /// [`Error::Internal`]: the text, which was checked when it was received, cannot be parsed.
    pub fn spec_to_edit(&self) -> Result<&Value> {
        match self.spec() {
            Value::Null => Err(Error::internal("the spec of a service cannot be parsed")),
            spec => Ok(spec),
        }
    }

    /// The text of the spec as the engine sent it, if its position is known.
    pub fn spec_text(&self) -> Option<&str> {
        let at = self.spec_at.start as usize..self.spec_at.end as usize;
        self.text.as_deref()?.get(at).filter(|spec| !spec.is_empty())
    }

    /// The spec before the last update, if the engine has it.
    pub fn previous_spec(&self) -> Option<&Value> {
        let parsed = match self.text.as_deref().filter(|_| self.object.get().is_none()) {
            Some(text) => self.previous.get_or_init(|| self.parse_previous(text).map(Arc::new)).as_deref(),
            None => self.object().get(PREVIOUS),
        };
        parsed.filter(|spec| !spec.is_null())
    }

    /// Parses only the previous spec, because the rest of the object is as large.
    fn parse_previous(&self, text: &str) -> Option<Value> {
        if !self.may_have(PREVIOUS) {
            return None;
        }
        match find(text, &[PREVIOUS]).and_then(|at| text.get(at)) {
            Some(spec) => serde_json::from_str(spec).ok(),
            // The key is in another place, or occurs twice.
            None => self.object().get(PREVIOUS).cloned(),
        }
    }

    /// `UpdateStatus.State` of the last rollout.
    pub fn update_state(&self) -> Option<&str> {
        self.update.state.as_deref()
    }

    /// Whether the engine has paused the rollout or the rollback. Any update resumes it.
    pub fn is_paused(&self) -> bool {
        matches!(self.update_state(), Some("paused" | "rollback_paused"))
    }

    /// `UpdateStatus.StartedAt`, in the engine's time.
    pub fn update_started(&self) -> Option<&str> {
        self.update.started.as_deref()
    }

    /// `UpdateStatus.Message`.
    pub fn update_message(&self) -> Option<&str> {
        self.update.message.as_deref()
    }

    /// Whether the service is a job (replicated-job or global-job). Any update runs it again.
    pub fn is_job(&self) -> bool {
        self.is_job
    }

    /// The image as stored. `None` if the service runs no container.
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
        Service::parse_first(text).ok().map(|(service, _)| service)
    }

    #[test]
    fn a_text_and_its_object_have_the_same_fields() {
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
    fn the_last_of_two_equal_keys_counts() {
        let twice = |from: &str, to: &str| with("1").replace(from, to);
        for text in [
            twice(r#""ID":"abc""#, r#""ID":"xyz","ID":"abc""#),
            twice(r#""Spec":"#, r#""Spec":{"Name":"x","Mode":{"Replicated":{}}},"Spec":"#),
            twice(r#""Mode":"#, r#""Mode":{"Replicated":{}},"Mode":"#),
            twice(r#""Image":"a:1""#, r#""Image":"b:1","Image":null"#),
            twice(r#""ContainerSpec":"#, r#""ContainerSpec":{"Image":"b:1"},"ContainerSpec":"#),
            twice(r#""Spec":"#, r#""PreviousSpec":{"a":1},"PreviousSpec":{"b":2},"Spec":"#),
            twice(r#""Spec":"#, r#""PreviousSpec":{"a":1},"PreviousSpec":null,"Spec":"#),
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
            assert_eq!(held.previous_spec(), read.previous_spec(), "{text}");
            assert_eq!(held, read);
        }
    }

    #[test]
    fn the_text_of_the_spec_is_as_it_was_sent() {
        let (text, spec) = (with("1"), with("1").split_once("Spec\":").unwrap().1.to_owned());
        let spec = spec.strip_suffix('}').unwrap();
        assert_eq!(hold(&text).unwrap().spec_text(), Some(spec));
        assert_eq!(Service::new(serde_json::from_str(&text).unwrap()).unwrap().spec_text(), None);
        for key in [r#","UpdatedAt":"x""#, " , \"\" : [1, 2] \n", r#","PreviousSpec":{"Name":"y"},"Spec2":1"#]
        {
            let text = text.strip_suffix('}').unwrap().to_owned() + key + " }";
            assert_eq!(hold(&format!(" {text}, ")).unwrap().spec_text(), Some(spec), "{text}");
        }
        let spaced = text.replace("\"Spec\":", " \n\"Spec\"\t: ");
        assert_eq!(hold(&spaced).unwrap().spec_text(), Some(spec));
        for unknown in [
            text.replace("Spec", r"\u0053pec"),
            text.strip_suffix('}').unwrap().to_owned() + r#","\u0041":1}"#,
        ] {
            let service = hold(&unknown).unwrap();
            assert_eq!(
                (service.spec_text(), service.spec()["Name"].as_str()),
                (None, Some("web")),
                "{unknown}"
            );
        }
    }
}
