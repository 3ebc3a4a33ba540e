//! `--filter KEY=VALUE`: the only parser of filters.

use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Filter;
use crate::api::resources::tasks::TaskState;
use crate::cli::messages::usage::{IMAGE, OrExample as _, UsageError};

/// The keys of filters of services. `image` is applied here, the others by the engine.
const SERVICE_KEYS: [&str; 5] = ["id", "image", "label", "mode", "name"];
/// The keys of filters of tasks, and those that select the services whose tasks are listed.
const TASK_KEYS: [&str; 7] = ["desired-state", "id", "image", "label", "mode", "name", "node"];
/// The values of `mode`. The engine accepts any other value and matches nothing.
const MODES: [&str; 4] = ["global", "global-job", "replicated", "replicated-job"];

/// Parses a filter that selects services to act on.
///
/// Docker has no such flag. An empty value is an error, because the engine matches every service with it: a variable
/// that is not set must not select them all.
///
/// # Errors
/// Why the filter is not valid, as a message for the user.
pub fn parse_selection(text: &str) -> Result<Filter, String> {
    let (key, value) = parse(text, &SERVICE_KEYS)?;
    if value.is_empty() || value.starts_with('=') {
        return Err(format!("`{key}` has no value; --all selects all services"));
    }
    Ok((key, value))
}

/// Parses a filter of a list of services. As with docker, an empty value is passed to the engine.
///
/// # Errors
/// Why the filter is not valid, as a message for the user.
pub fn parse_for_services(text: &str) -> Result<Filter, String> {
    parse(text, &SERVICE_KEYS)
}

/// Parses a filter of a list of tasks. As with docker, an empty value is passed to the engine.
///
/// # Errors
/// Why the filter is not valid, as a message for the user.
pub fn parse_for_tasks(text: &str) -> Result<Filter, String> {
    parse(text, &TASK_KEYS)
}

/// Parses `KEY=VALUE` as docker does: keys are not case-sensitive, and white space around key and value is ignored.
fn parse(text: &str, keys: &[&str]) -> Result<Filter, String> {
    let (key, value) = text.split_once('=').ok_or("a filter must be `KEY=VALUE`, as in `name=web`")?;
    let (key, mut value) = (key.trim().to_lowercase(), value.trim().to_owned());
    if !keys.contains(&key.as_str()) {
        return Err(format!("valid keys are {}", keys.join(", ")));
    }
    match key.as_str() {
        "mode" if !MODES.contains(&value.as_str()) => {
            return Err(format!("valid modes are {}", MODES.join(", ")));
        }
        "image" => {
            ImageFilter::parse(&value).map_err(|bad| bad.to_string())?;
        }
        "desired-state" => {
            let state = TaskState::from_name(&value.to_lowercase())
                .ok_or("the value must be a task state, such as running, shutdown or accepted")?;
            value = state.as_str().to_owned();
        }
        _ => {}
    }
    Ok((key, value))
}

/// The filter `image=REF`: a repository, optionally with a tag or a digest.
#[derive(Clone, Debug)]
pub struct ImageFilter {
    image: ImageRef,
    has_tag: bool,
}

impl ImageFilter {
    /// Parses `REF`.
    ///
    /// # Errors
    /// `REF` is not a valid image reference.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        let image = ImageRef::parse(text).or_example(IMAGE)?;
        let name = text.split('@').next().unwrap_or_default();
        let has_tag = name.rsplit('/').next().unwrap_or_default().contains(':');
        Ok(Self { image, has_tag })
    }

    /// Splits filters into those by image and those that the engine applies.
    ///
    /// # Errors
    /// The value of an `image` filter is not a valid image reference.
    pub fn split(filters: &[Filter]) -> Result<(Vec<Self>, Vec<Filter>), UsageError> {
        let (images, others): (Vec<_>, Vec<_>) = filters.iter().cloned().partition(|(key, _)| key == "image");
        let images = images.iter().map(|(_, image)| Self::parse(image)).collect::<Result<_, _>>()?;
        Ok((images, others))
    }

    /// Whether a service with this image matches.
    pub fn matches(&self, image: &str) -> bool {
        let Ok(image) = ImageRef::parse(image) else { return false };
        image.same_repository(&self.image)
            && (!self.has_tag || image.tag() == self.image.tag())
            && self.image.digest().is_none_or(|digest| image.digest() == Some(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(key: &str, value: &str) -> Result<Filter, String> {
        Ok((key.to_owned(), value.to_owned()))
    }

    #[test]
    fn an_image_filter_matches_a_repository_a_tag_or_a_digest() {
        let digest = format!("sha256:{}", "1".repeat(64));
        let pinned = format!("shop/web:1.7@{digest}");
        for (given, image, matches) in [
            ("shop/web", "shop/web:1.7", true),
            ("shop/web", &pinned, true),
            ("docker.io/shop/web", "shop/web:latest", true),
            ("shop/web:1.7", &pinned, true),
            ("shop/web:1.8", &pinned, false),
            ("shop/web:latest", "shop/web", true),
            (&format!("shop/web@{digest}"), &pinned, true),
            (&format!("shop/web@{digest}"), "shop/web:1.7", false),
            ("localhost:5000/web", "localhost:5000/web:2", true),
            ("localhost:5000/web", "web:2", false),
            ("shop/we", "shop/web:1", false),
        ] {
            assert_eq!(ImageFilter::parse(given).unwrap().matches(image), matches, "{given} {image}");
        }
    }

    #[test]
    fn filters_are_parsed_as_by_docker() {
        for parse in [parse_selection, parse_for_services, parse_for_tasks] {
            assert_eq!(parse("name=web.1"), filter("name", "web.1"));
            assert_eq!(parse(" Label = a=b "), filter("label", "a=b"));
            assert_eq!(parse("mode=replicated-job"), filter("mode", "replicated-job"));
            assert_eq!(parse("Image= shop/web "), filter("image", "shop/web"));
            assert!(parse("web").unwrap_err().contains("KEY=VALUE"));
            assert!(parse("").unwrap_err().contains("KEY=VALUE"));
            assert!(parse("mode=job").unwrap_err().contains("global-job"));
            for invalid in ["image=UPPER", "image=", "image=web/UPPER", "color=red", "=x"] {
                assert!(parse(invalid).is_err(), "{invalid}");
            }
        }
    }

    #[test]
    fn a_filter_that_selects_services_to_act_on_has_a_value() {
        for text in ["name=", "id= ", "label=", "label==x"] {
            assert!(parse_selection(text).unwrap_err().contains("has no value"), "{text}");
            assert!(parse_for_services(text).is_ok() && parse_for_tasks(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn tasks_have_more_keys_than_services() {
        assert_eq!(parse_for_tasks(" Desired-State = Running "), filter("desired-state", "running"));
        assert_eq!(parse_for_tasks("node=a=b"), filter("node", "a=b"));
        assert_eq!(
            parse_for_tasks("slot=1").unwrap_err(),
            "valid keys are desired-state, id, image, label, mode, name, node"
        );
        assert_eq!(parse_for_services("node=a").unwrap_err(), "valid keys are id, image, label, mode, name");
        for state in ["desired-state=up", "desired-state=", "desired-state=unknown"] {
            assert!(parse_for_tasks(state).unwrap_err().contains("running"), "{state}");
        }
    }
}
