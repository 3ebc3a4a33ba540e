//! The images that the connected engine has: the requests to `/images`.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::api::error::Result;
use crate::api::http::client::Client;
use crate::api::http::request_path::Path;
use crate::api::registry::image_ref::ImageRef;

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "RepoTags")]
    tags: Option<Vec<String>>,
}

/// Whether the connected engine has the image (`GET /images/{name}/json`). `false` if the request is not allowed.
pub fn has(client: &Client, image: &ImageRef) -> Result<bool> {
    match client.get_json::<IgnoredAny>(&Path::for_image("images", &image.familiar(), "json")) {
        Ok(_) => Ok(true),
        Err(e) if e.is_not_found() || e.is_endpoint_unavailable() => Ok(false),
        Err(e) => Err(e),
    }
}

/// `GET /images/json`: the tags, such as `nginx:1.25`.
pub fn list_tags(client: &Client) -> Result<Vec<String>> {
    let images: Vec<Image> = client.get_json(&Path::new(&["images", "json"]))?;
    let tags = images.into_iter().filter_map(|image| image.tags).flatten();
    Ok(tags.filter(|tag| !tag.contains("<none>")).collect())
}
