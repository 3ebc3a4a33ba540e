//! JSON whose objects keep repeated keys, so that a service that is listed twice can be reported.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value; numbers are not kept.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonNode {
    /// An object, with all keys in their order.
    Object(Vec<(String, JsonNode)>),
    /// An array.
    Array(Vec<JsonNode>),
    /// A string.
    Text(String),
    /// A number, a boolean or null.
    Other,
}

impl JsonNode {
    /// Returns the value of a key. If the key is repeated, the last one is used, as in other parsers.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.object()?.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns the value at a path of keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Returns the entries of an object; `None` for other values.
    pub fn object(&self) -> Option<&[(String, Self)]> {
        if let Self::Object(entries) = self { Some(entries) } else { None }
    }

    /// Returns the text of a string; `None` for other values.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl<'de> Deserialize<'de> for JsonNode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(JsonNodeVisitor)
    }
}

struct JsonNodeVisitor;

impl<'de> Visitor<'de> for JsonNodeVisitor {
    type Value = JsonNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<JsonNode, E> {
        Ok(JsonNode::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<JsonNode, E> {
        Ok(JsonNode::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<JsonNode, E> {
        Ok(JsonNode::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<JsonNode, E> {
        Ok(JsonNode::Other)
    }

    fn visit_unit<E>(self) -> Result<JsonNode, E> {
        Ok(JsonNode::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<JsonNode, E> {
        Ok(JsonNode::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<JsonNode, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(JsonNode::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<JsonNode, A::Error> {
        let mut nodes = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            nodes.push(entry);
        }
        Ok(JsonNode::Object(nodes))
    }
}
