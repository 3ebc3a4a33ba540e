//! Applies edits that set strings directly in the text of a spec, so that thousands of specs need not be
//! parsed and serialized.

use std::fmt;
use std::ops::Range;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Change, Edit, Op};

/// Applies the edits to the text of a spec, and returns the changes. All other bytes are preserved. `None` if
/// the edits do more than replace strings.
pub fn splice(spec: &str, edits: &[Edit]) -> Option<(String, Vec<Change>)> {
    if !can_splice(edits) {
        return None;
    }
    let mut set: Vec<(Range<usize>, String, Change)> = Vec::new();
    for edit in edits {
        let Op::Set(new) = &edit.op else { return None };
        let at = find(spec, edit.place.keys())?;
        let old: String = serde_json::from_str(&spec[at.clone()]).ok()?;
        let change = Change { place: edit.place.clone(), old: Some(old.into()), new: Some(new.clone()) };
        set.push((at, new.to_string(), change));
    }
    set.sort_by_key(|(at, ..)| at.start);
    if set.windows(2).any(|two| two[0].0.end > two[1].0.start) {
        return None;
    }
    let (mut text, mut done) = (String::with_capacity(spec.len() + 64), 0);
    for (at, new, _) in &set {
        text.push_str(&spec[done..at.start]);
        text.push_str(new);
        done = at.end;
    }
    text.push_str(&spec[done..]);
    let changes = set.into_iter().map(|(_, _, change)| change).filter(|change| change.old != change.new);
    Some((text, changes.collect()))
}

/// Whether these edits only set strings.
pub fn can_splice(edits: &[Edit]) -> bool {
    edits.iter().all(|edit| {
        let is_plain = edit.place.item_id().is_none() && edit.place.pattern().is_none();
        // An edit of networks may require moving the list first, so it is excluded.
        matches!(edit.op, Op::Set(Value::String(_)))
            && is_plain
            && !edit.place.is_within("TaskTemplate.Networks")
    })
}

/// The range of the value at these keys in the text of an object. `None` if the value is missing, or if a key occurs
/// twice.
pub fn find(text: &str, keys: &[impl AsRef<str>]) -> Option<Range<usize>> {
    let found = ValueAt(keys).deserialize(&mut serde_json::Deserializer::from_str(text)).ok()??;
    // `found` is a slice of `text`, so its address gives its position.
    let start = found.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    Some(start..start + found.len()).filter(|at| text.get(at.clone()) == Some(found))
}

/// Deserializes the value at these keys.
struct ValueAt<'k, K>(&'k [K]);

impl<'a, K: AsRef<str>> DeserializeSeed<'a> for ValueAt<'_, K> {
    type Value = Option<&'a str>;

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => <&RawValue>::deserialize(from).map(|raw| Some(raw.get())),
            _ => from.deserialize_map(self),
        }
    }
}

impl<'a, K: AsRef<str>> Visitor<'a> for ValueAt<'_, K> {
    type Value = Option<&'a str>;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let Some((first, rest)) = self.0.split_first() else { return Ok(None) };
        let mut found = None;
        while let Some(is_it) = entries.next_key_seed(KeyIs(first.as_ref()))? {
            match (is_it, found) {
                (false, _) => _ = entries.next_value::<IgnoredAny>()?,
                (true, None) => found = Some(entries.next_value_seed(ValueAt(rest))?),
                (true, Some(_)) => return Err(A::Error::custom("a key occurs twice")),
            }
        }
        Ok(found.flatten())
    }
}

/// Reads a key, and returns whether it equals the key in this struct.
struct KeyIs<'k>(&'k str);

impl<'a> DeserializeSeed<'a> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::spec::{Place, apply_all, changes};

    const SPEC: &str = r#"{"Name":"web", "Ratio":0.10,"TaskTemplate":{"Image":"x","ContainerSpec":{"Env":["A=<\u003c"],"Image":"a\u003a1" ,"Dir":""}},"Labels":{"a.b":"c"}}"#;

    fn set(path: &str, value: Value) -> Edit {
        Edit::set(Place::at(path), value)
    }

    #[test]
    fn a_string_is_replaced_and_all_other_bytes_are_unchanged() {
        let image = set("TaskTemplate.ContainerSpec.Image", json!("b:\"2\"\n"));
        let label = Edit::set(Place::at("Labels").key("a.b"), json!("d"));
        for edits in [&[image.clone(), label.clone()][..], &[label, image]] {
            let (text, changed) = splice(SPEC, edits).unwrap();
            let expected = SPEC.replace(r#""a\u003a1""#, r#""b:\"2\"\n""#).replace(r#":"c""#, r#":"d""#);
            assert_eq!(text, expected);
            let before: Value = serde_json::from_str(SPEC).unwrap();
            let mut after = before.clone();
            apply_all(&mut after, edits);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), after);
            assert_eq!(changed, changes(&before, &after));
        }
    }

    #[test]
    fn setting_the_current_value_changes_nothing() {
        let (_, changed) = splice(SPEC, &[set("TaskTemplate.ContainerSpec.Image", json!("a:1"))]).unwrap();
        assert_eq!(changed, []);
        assert_eq!(splice(SPEC, &[]).unwrap(), (SPEC.to_owned(), Vec::new()));
    }

    #[test]
    fn other_fields_are_checked_by_their_readers() {
        let image = || set("TaskTemplate.ContainerSpec.Image", json!("b"));
        for edits in [
            vec![set("TaskTemplate.ContainerSpec.Nothing", json!("x"))],
            vec![set("Ratio", json!("x"))],
            vec![set("Ratio", json!(1))],
            vec![set("Name.First", json!("x"))],
            vec![set("TaskTemplate.ContainerSpec", json!("x"))],
            vec![set("TaskTemplate.Networks", json!("x"))],
            vec![image(), image()],
            vec![image(), Edit::increment(Place::at("TaskTemplate.ForceUpdate"))],
            vec![Edit::item(Place::at("TaskTemplate.ContainerSpec.Env"), json!("A=1"))],
            vec![Edit::remove(Place::at("Name"))],
        ] {
            assert_eq!(splice(SPEC, &edits), None, "{edits:?}");
        }
        for twice in [
            SPEC.replace(r#""Dir""#, r#""Image""#),
            SPEC.replace(r#""Labels""#, r#""TaskTemplate""#),
            "[]".to_owned(),
            "{".to_owned(),
        ] {
            assert_eq!(splice(&twice, &[image()]), None, "{twice}");
        }
    }
}
