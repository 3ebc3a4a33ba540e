//! Reads all tags of a repository, page by page.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer};

use super::error::{RequestError, RequestErrorKind};
use super::session::Session;
use crate::api::registry::image_ref::is_tag;
use crate::api::registry::protocol::next_link;

/// The maximum size of all pages of one list, in bytes.
const MAX_LIST_LEN: usize = 64 << 20;
const MAX_PAGES: usize = 200;
/// Requests larger pages than registries send by default.
const PAGE_QUERY: &str = "n=1000";

#[derive(Deserialize)]
struct Page {
    /// May be `null`, but must be present. serde treats a missing field as `null` unless it has a
    /// deserializer of its own.
    #[serde(deserialize_with = "list_or_null")]
    tags: Vec<String>,
}

fn list_or_null<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// `GET /v2/PATH/tags/list`, all pages. Strings that are not valid tags are skipped.
///
/// # Errors
/// A page cannot be read. A partial list is never returned.
pub(super) fn fetch(session: &mut Session) -> Result<Vec<String>, RequestError> {
    let path = format!("/v2/{}/tags/list", session.path());
    let mut query = Some(PAGE_QUERY.to_owned());
    let (mut all, mut seen, mut length) = (Vec::new(), HashSet::new(), 0);
    for page in 0.. {
        if page == MAX_PAGES {
            let why = format!("the tag list of `{}` has more than {MAX_PAGES} pages", session.path());
            return Err(RequestError::new(RequestErrorKind::TooLong, why));
        }
        let target = |query: &Option<String>| match query {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        };
        seen.insert(query.clone().unwrap_or_default());
        let too_long = too_long(session.path());
        let mut response = session.get(&target(&query), None, MAX_LIST_LEN - length).map_err(&too_long)?;
        if page == 0 && matches!(response.status, 400 | 405) {
            // Some registries refuse any page size, or one above their own maximum.
            query = None;
            seen.insert(String::new());
            response = session.get(&target(&query), None, MAX_LIST_LEN).map_err(&too_long)?;
        }
        if response.status != 200 {
            return Err(match session.refusal(&response) {
                // The repository exists: its first page was read.
                RequestError { kind: RequestErrorKind::NotFound, .. } if page > 0 => {
                    RequestError::invalid(&format!("GET {}", response.url), "status 404")
                }
                error => error,
            });
        }
        length += response.body.len();
        let name = format!("GET {}", response.url);
        let own: Page =
            serde_json::from_slice(&response.body).map_err(|e| RequestError::invalid(&name, e))?;
        all.extend(own.tags.into_iter().filter(|tag| is_tag(tag)));
        let links = response.headers.get_all("Link").iter().map(|it| {
            it.to_str().map_err(|_| RequestError::invalid(&name, "the header `Link` is not valid text"))
        });
        let links = links.collect::<Result<Vec<_>, _>>()?;
        let Some(link) = next_link(links).map_err(|why| RequestError::invalid(&name, why))? else { break };
        let next = response.url.join(&link).map_err(|why| RequestError::invalid(&name, why))?;
        if !next.has_origin_of(&response.url) {
            let why = format!("its next page is on `{}`, which is not followed", next.origin());
            return Err(RequestError::invalid(&name, why));
        }
        if seen.contains(next.query.as_deref().unwrap_or_default()) {
            return Err(RequestError::invalid(&name, "its next page was read already"));
        }
        query = next.query;
    }
    Ok(all)
}

/// Replaces the error of a page that is too long: the limit is for the whole list.
fn too_long(path: &str) -> impl Fn(RequestError) -> RequestError + use<> {
    let why = format!("the tag list of `{path}` is longer than {} MiB", MAX_LIST_LEN >> 20);
    move |error| match error.kind {
        RequestErrorKind::TooLong => RequestError::new(RequestErrorKind::TooLong, why.clone()),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_needs_its_list() {
        let tags = |text: &str| serde_json::from_str::<Page>(text).map(|page| page.tags);
        assert_eq!(tags(r#"{"name": "a", "tags": ["1"]}"#).unwrap(), ["1"]);
        assert!(tags(r#"{"tags": null}"#).unwrap().is_empty());
        for text in
            [r#"{"name": "a"}"#, "{}", "[]", r#"{"tags": "1"}"#, r#"{"tags": [1]}"#, r#"{"tags": ["1"]"#]
        {
            assert!(tags(text).is_err(), "{text}");
        }
    }
}
