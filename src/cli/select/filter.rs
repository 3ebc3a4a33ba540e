//! `--filter KEY=VALUE`: the only parser of filters.

use clap::ArgMatches;

use super::STACK;
use crate::api::registry::image_ref::ImageRef;
use crate::api::resources::services::Filter;
use crate::api::resources::tasks::TaskState;
use crate::cli::messages::shell;
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
    let filter = parse(text, &SERVICE_KEYS)?;
    check_selection(&filter)?;
    Ok(filter)
}

/// Checks that a filter that selects services has a value.
///
/// # Errors
/// The value is empty, so the engine would match every service, or every service with the label.
pub fn check_selection((key, value): &Filter) -> Result<(), String> {
    let has_no_value = format!("`{key}` has no value; --all selects all services");
    match value.split_once('=') {
        _ if value.is_empty() || value.starts_with('=') => Err(has_no_value),
        Some((label, "")) if key == "label" => Err(format!(
            "the label `{label}` has no value; `label={label}` selects services with any value of this label"
        )),
        _ => Ok(()),
    }
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

/// Converts filters and a stack to filters by image and those that the engine applies.
///
/// If there are several conditions on one label, the engine applies only one of them, at random. All of them must be
/// true, so they are combined: `label=team` and `label=team=a` are the same as `label=team=a`.
///
/// # Errors
/// No service can match, because a label would need two values, or the value of an `image` filter is not a valid image
/// reference.
pub fn for_engine(
    given: &[Filter],
    stack: Option<&str>,
) -> Result<(Vec<ImageFilter>, Vec<Filter>), UsageError> {
    let stack = stack.map(|name| ("label".to_owned(), format!("{STACK}={name}")));
    let (mut images, mut others) = (Vec::new(), Vec::<Filter>::new());
    for (key, value) in given.iter().cloned().chain(stack) {
        if key == "image" {
            images.push(ImageFilter::parse(&value)?);
            continue;
        }
        let (label, wanted) = label_and_value(&value);
        let mut labels = others.iter_mut().filter(|(other, _)| key == "label" && other == "label");
        match labels.find(|(_, other)| label_and_value(other).0 == label) {
            None => others.push((key, value)),
            Some((_, other)) => match label_and_value(other).1 {
                "" => *other = value,
                known if wanted.is_empty() || wanted == known => {}
                _ => {
                    let why = format!("no service can have both `{other}` and `{value}`");
                    let example = shell::argument(format!("label={value}").as_bytes()).into_owned();
                    return Err(UsageError::new(why, format!("--filter {example}")));
                }
            },
        }
    }
    Ok((images, others))
}

/// Checks the filters and the stack on a command line, before a request is sent.
///
/// # Errors
/// No service can match.
pub fn check(matches: &ArgMatches) -> Result<(), UsageError> {
    let filters = matches.try_get_many::<Filter>("filter").ok().flatten().unwrap_or_default();
    let stack = matches.try_get_one::<String>("stack").ok().flatten();
    for_engine(&filters.cloned().collect::<Vec<_>>(), stack.map(String::as_str)).map(drop)
}

/// Splits a condition on a label. An empty value matches any value.
pub fn label_and_value(condition: &str) -> (&str, &str) {
    condition.split_once('=').unwrap_or((condition, ""))
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
        for text in ["name=", "id= ", "label=", "label==x", "label=team=", "label=team= "] {
            assert!(parse_selection(text).unwrap_err().contains("has no value"), "{text}");
            assert!(parse_for_services(text).is_ok() && parse_for_tasks(text).is_ok(), "{text}");
        }
        assert!(parse_selection("label=team=").unwrap_err().contains("`label=team` selects"));
        for text in ["label=team", "label=team=a", "label=team==", "name=a="] {
            assert!(parse_selection(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn conditions_on_one_label_are_combined() {
        let label = |value: &&str| ("label".to_owned(), (*value).to_owned());
        let combined = |labels: &[&str], stack| {
            let (_, found) = for_engine(&labels.iter().map(label).collect::<Vec<_>>(), stack)?;
            Ok::<_, UsageError>(found.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        };
        for (given, expected) in [
            (&["team", "team=a"][..], &["team=a"][..]),
            (&["team=a", "team"], &["team=a"]),
            (&["team=a", "team=", "team=a"], &["team=a"]),
            (&["team", "team"], &["team"]),
            (&["team", "tier=a", "Team=b", "team=b=c"], &["team=b=c", "tier=a", "Team=b"]),
        ] {
            assert_eq!(combined(given, None).unwrap(), expected);
        }
        let of_stack = ["com.docker.stack.namespace=shop"];
        assert_eq!(combined(&["com.docker.stack.namespace"], Some("shop")).unwrap(), of_stack);
        assert_eq!(combined(&of_stack, Some("shop")).unwrap(), of_stack);
        let both = combined(&["team=a", "tier", "team=b"], None).unwrap_err().why;
        assert_eq!(both, "no service can have both `team=a` and `team=b`");
        assert!(combined(&of_stack, Some("shop2")).is_err());
        // A service has one name, but its beginning may be one of several.
        let names = ["a", "b"].map(|name| ("name".to_owned(), name.to_owned()));
        assert_eq!(for_engine(&names, None).unwrap().1, names);
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
