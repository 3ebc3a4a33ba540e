//! `--from`: services and images as other tools write them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Deserializer, Value};

use super::wanted::New;
use crate::api::spec::BadValue;
use crate::cli::flags::files;

/// In MiB; longer than any list of services, also of whole services as the engine has them.
const LONGEST: u64 = 64;

/// Reads a file, or stdin (`-`): `SERVICE IMAGE` a line, or JSON.
///
/// # Errors
/// It cannot be read, a line is none, or a service shall have two images.
pub fn read(from: &str) -> Result<Vec<(String, New)>, BadValue> {
    let bad = |why: String| BadValue::new(format!("--from {from}: {why}"), "web shop/web:1.8");
    let text = files::read_text(from, LONGEST).map_err(|e| bad(format!("it cannot be read: {e}")))?;
    let pairs = parse(text.trim_start_matches('\u{feff}')).map_err(bad)?;
    match pairs.is_empty() {
        true => Err(bad("it names no service".to_owned())),
        false => Ok(pairs),
    }
}

/// Reads lines or JSON, whichever it is.
pub fn parse(text: &str) -> Result<Vec<(String, New)>, String> {
    let (mut pairs, mut known) = (Vec::<(String, New)>::new(), HashMap::<String, usize>::new());
    let mut add = |place: String, service: &str, image: &str| {
        let new = New::parse(image).map_err(|bad| format!("{place}: {}", bad.why))?;
        match known.entry(service.to_owned()) {
            Entry::Occupied(at) if pairs[*at.get()].1 != new => {
                return Err(format!("{place}: `{service}` shall have another image as well"));
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => {
                free.insert(pairs.len());
                pairs.push((service.to_owned(), new));
            }
        }
        Ok(())
    };
    if text.trim_start().starts_with(['[', '{']) {
        let mut count = 0;
        for value in Deserializer::from_str(text).into_iter::<Value>() {
            for item in items(value.map_err(|e| format!("it is no JSON: {e}"))?) {
                count += 1;
                let named = pair(&item).filter(|(service, _)| !service.trim().is_empty());
                let (service, image) = named.ok_or_else(|| {
                    format!("entry {count} has no service and image: {}", shortened(&item.to_string()))
                })?;
                add(format!("entry {count}"), service, image)?;
            }
        }
        return Ok(pairs);
    }
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("line {}", number + 1);
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [service, image] => add(place, service, image)?,
            _ => return Err(format!("{place} is not `SERVICE IMAGE`: {}", shortened(line))),
        }
    }
    Ok(pairs)
}

/// The entries of a list, of an object that has an image a service, or the one that it is.
fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Object(map) if !map.contains_key("image") && map.values().all(Value::is_string) => {
            map.into_iter().map(|(service, image)| Value::Array(vec![service.into(), image])).collect()
        }
        other => vec![other],
    }
}

/// `["web", "shop/web:1.8"]`, `{"service": ..., "image": ...}` (also by `name` or `id`), or a service as the engine has it.
fn pair(item: &Value) -> Option<(&str, &str)> {
    if let [service, image] = item.as_array().map_or(&[][..], Vec::as_slice) {
        return Some((service.as_str()?, image.as_str()?));
    }
    if let Some(spec) = item.get("Spec") {
        return Some((spec["Name"].as_str()?, spec["TaskTemplate"]["ContainerSpec"]["Image"].as_str()?));
    }
    let service = ["service", "name", "id"].iter().find_map(|key| item.get(key)?.as_str())?;
    Some((service, item.get("image")?.as_str()?))
}

fn shortened(text: &str) -> String {
    if text.chars().count() > 80 {
        format!("{}...", text.chars().take(80).collect::<String>())
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let shown = |(service, new): (String, New)| match new {
            New::Image(image) => format!("{service} {}", image.familiar()),
            other => format!("{other:?}"),
        };
        parse(text).map(|pairs| pairs.into_iter().map(shown).collect())
    }

    #[test]
    fn lists_of_lines_and_of_every_kind_of_json_are_read() {
        let expected = Ok(vec!["web shop/web:1.8".to_owned(), "api shop/api:latest".to_owned()]);
        for text in [
            "web shop/web:1.8\napi\tshop/api\n",
            "# of today\r\n\r\n  web   shop/web:1.8  \r\napi shop/api\r\nweb shop/web:1.8",
            r#"{"web": "shop/web:1.8", "api": "shop/api"}"#,
            r#"[{"service": "web", "image": "shop/web:1.8"}, {"name": "api", "image": "shop/api"}]"#,
            "{\"service\": \"web\", \"image\": \"shop/web:1.8\"}\n{\"id\": \"api\", \"image\": \"shop/api\"}\n",
            r#"[["web", "shop/web:1.8"], ["api", "shop/api"]]"#,
            r#"[{"ID": "x", "Spec": {"Name": "web", "TaskTemplate": {"ContainerSpec": {"Image": "shop/web:1.8"}}}},
                {"service": "api", "image": "shop/api"}]"#,
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, place) in [
            ("web a:1\nweb a:2", "line 2"),
            ("web", "line 1"),
            ("web a:1 b:2", "line 1"),
            ("\nweb UPPER", "line 2"),
            ("[1]", "entry 1"),
            ("[{\"service\": \"web\"}]", "entry 1"),
            (r#"[["", "a:1"]]"#, "entry 1"),
            ("{\"web\": \"a:1\"", "no JSON"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(place), "{text}: {why}");
        }
        assert_eq!(read("# nothing\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_long_list_is_read_in_no_time() {
        let lines: String = (0..50_000).map(|i| format!("service-{i} a:1\n")).collect();
        let begun = std::time::Instant::now();
        assert_eq!(parse(&lines).unwrap().len(), 50_000);
        // Each line compared with all before it would take minutes.
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
