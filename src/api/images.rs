//! Images that the engine itself has: one function an endpoint of `/images`.

use serde::Deserialize;

use super::client::Client;
use super::error::Result;
use super::path::Path;

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "RepoTags")]
    tags: Option<Vec<String>>,
}

/// `GET /images/json`: the tags, as in `nginx:1.25`.
pub fn list_tags(client: &Client) -> Result<Vec<String>> {
    let images: Vec<Image> = client.get_json(&Path::new(&["images", "json"]))?;
    let tags = images.into_iter().filter_map(|image| image.tags).flatten();
    Ok(tags.filter(|tag| !tag.contains("<none>")).collect())
}
