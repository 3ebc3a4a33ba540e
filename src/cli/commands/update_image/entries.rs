//! The entries of a JSON list of services and images.

use super::json::JsonNode;

/// Returns the entries of an array, of a map of images, or a single entry.
pub fn items(value: JsonNode) -> Vec<JsonNode> {
    match value {
        JsonNode::Array(items) => items,
        JsonNode::Object(entries) if is_map_of_images(&entries) => entries
            .into_iter()
            .map(|(service, image)| JsonNode::Array(vec![JsonNode::Text(service), image]))
            .collect(),
        other => vec![other],
    }
}

/// Whether the object maps services to images. `{"name": "web", "image": "web:1"}` is a single service, whereas
/// `{"name": "a:1", "image": "b:1"}` has the services `name` and `image`, because `a:1` is not a valid service name.
fn is_map_of_images(entries: &[(String, JsonNode)]) -> bool {
    let value = |key: &str| entries.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.text());
    let can_be_name = |text: &str| !text.contains(['/', ':', '@', '.']);
    let is_one_service = value("image").is_some()
        && ["service", "name", "id"].iter().find_map(|key| value(key)).is_some_and(can_be_name);
    !is_one_service && entries.iter().all(|(_, value)| value.text().is_some())
}

/// Returns service and image of `["web", "shop/web:1.8"]`, `{"service": ..., "image": ...}` (or `name`,
/// `id`), or an object of the engine.
pub fn pair(item: &JsonNode) -> Option<(&str, &str)> {
    if let JsonNode::Array(items) = item {
        let [service, image] = &items[..] else { return None };
        return Some((service.text()?, image.text()?));
    }
    if let Some(spec) = item.get("Spec") {
        let image = spec.at(&["TaskTemplate", "ContainerSpec", "Image"])?;
        return Some((spec.get("Name")?.text()?, image.text()?));
    }
    let service = ["service", "name", "id"].iter().find_map(|key| item.get(key)?.text())?;
    Some((service, item.get("image")?.text()?))
}
