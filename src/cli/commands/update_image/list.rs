//! Parses lists of services and images in several formats.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Deserializer;

use super::compose;
use super::entries::{items, pair};
use super::json::JsonNode;
use crate::api::registry::image_ref::ImageRef;
use crate::cli::flags::files;
use crate::cli::messages::usage::UsageError;

/// Maximum file size in MiB. Even a list of complete services is shorter.
const MAX_FILE_MIB: u64 = 64;

/// An example of a Compose file and its stack.
const WITH_STACK: &str = "swarmctl update-image --from shop.json --stack shop";

/// Services and their images, without repetitions.
pub type Images = Vec<(String, ImageRef)>;

/// Reads a file, or stdin for `-`: lines `SERVICE IMAGE`, JSON, or the output of `docker compose config`,
/// which requires the name of the `stack`.
///
/// # Errors
/// The file cannot be read, an entry is not a service and an image, a service has two images, or the stack is
/// missing or not allowed.
pub fn read(from: &str, stack: Option<&str>) -> Result<Images, UsageError> {
    let bad = |why: &str, example| UsageError::new(format!("`--from {from}`: {why}"), example);
    let (file, entry) = if stack.is_some() {
        (WITH_STACK, r#""web": {"image": "shop/web:1.8"}"#)
    } else {
        ("swarmctl update-image --from images.txt", "web shop/web:1.8")
    };
    let read = files::read_text(from, MAX_FILE_MIB);
    let text = read.map_err(|e| bad(&format!("it cannot be read: {e}"), file))?;
    match parse(text.trim_start_matches('\u{feff}'), stack) {
        Ok(images) if images.is_empty() => Err(bad("it lists no services", entry)),
        Ok(images) => Ok(images),
        Err(ListError::Stack(why)) => Err(bad(&why, WITH_STACK)),
        Err(ListError::Invalid(why)) => Err(bad(&why, entry)),
    }
}

/// An error in a list.
#[derive(Debug, PartialEq)]
pub enum ListError {
    /// The list is a Compose file without `--stack`, or another list with it.
    Stack(String),
    /// The list is not valid for this reason.
    Invalid(String),
}

impl From<String> for ListError {
    fn from(why: String) -> Self {
        Self::Invalid(why)
    }
}

/// Parses lines, JSON or a Compose file.
pub fn parse(text: &str, stack: Option<&str>) -> Result<Images, ListError> {
    let is_json = text.trim_start().starts_with(['[', '{']);
    let values = if is_json { values(text)? } else { Vec::new() };
    if let [value] = &values[..]
        && let Some(services) = compose::services(value)
    {
        let mut list = List::default();
        for (service, image) in compose::images(services, compose::required_stack(stack, value)?)? {
            list.add(&format!("service `{service}`"), &service, image)?;
        }
        return Ok(list.images);
    }
    if stack.is_some() {
        let why = "it is not a Compose file (an object with `services`), so its services belong to no stack";
        return Err(ListError::Stack(why.to_owned()));
    }
    Ok(if is_json { parse_values(values)? } else { parse_lines(text)? })
}

fn values(text: &str) -> Result<Vec<JsonNode>, String> {
    let values = Deserializer::from_str(text).into_iter::<JsonNode>();
    values.map(|value| value.map_err(|e| format!("invalid JSON: {e}"))).collect()
}

fn parse_values(values: Vec<JsonNode>) -> Result<Images, String> {
    let mut list = List::default();
    for (at, item) in values.into_iter().flat_map(items).enumerate() {
        let place = format!("entry {}", at + 1);
        let named = pair(&item).filter(|(service, _)| !service.trim().is_empty());
        let (service, image) =
            named.ok_or_else(|| format!("{place} does not have a service and an image"))?;
        list.add(&place, service, image)?;
    }
    Ok(list.images)
}

fn parse_lines(text: &str) -> Result<Images, String> {
    let mut list = List::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("line {}", number + 1);
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [service, image] => list.add(&place, service, image)?,
            _ => return Err(format!("{place} is not `SERVICE IMAGE`: {}", shortened(line))),
        }
    }
    Ok(list.images)
}

/// The entries that have been read.
#[derive(Default)]
struct List {
    images: Images,
    known: HashMap<String, usize>,
}

impl List {
    /// Adds an entry. A repeated service must have the same image.
    fn add(&mut self, place: &str, service: &str, image: &str) -> Result<(), String> {
        let image = ImageRef::parse(image).map_err(|bad| format!("{place}: {bad}"))?;
        match self.known.entry(service.to_owned()) {
            Entry::Occupied(at) if self.images[*at.get()].1 != image => {
                return Err(format!("{place}: `{service}` is already listed with another image"));
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => {
                free.insert(self.images.len());
                self.images.push((service.to_owned(), image));
            }
        }
        Ok(())
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() > 80 {
        format!("{}...", text.chars().take(80).collect::<String>())
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
