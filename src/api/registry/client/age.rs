//! Reads when a tag was pushed, or when its image was created.

use jiff::Timestamp;
use serde::Deserialize;

use super::MAX_BODY_LEN;
use super::error::RequestError;
use super::session::Session;

/// The date of docker's first public release, in Unix time. No image is older.
const OLDEST_IMAGE: i64 = 1_363_737_600;
/// The maximum clock difference, in seconds. A time further in the future is not plausible.
const MAX_SKEW: i64 = 5 * 60;

const MANIFEST_TYPES: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// What Docker Hub reports about a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// When it was pushed. `None` if unknown.
    pub at: Option<Timestamp>,
    /// The digest that was pushed, if Docker Hub reports it.
    pub digest: Option<String>,
}

#[derive(Deserialize)]
struct HubTag {
    #[serde(default)]
    tag_last_pushed: Option<String>,
    #[serde(default)]
    digest: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
struct Descriptor {
    #[serde(default)]
    digest: String,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Platform {
    architecture: String,
    os: String,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    created: Option<String>,
}

/// Reads the tag's page on Docker Hub, without credentials. `None` if the age is unknown.
///
/// # Errors
/// The command was canceled, its deadline expired, or Docker Hub limits the rate of requests. Other errors only mean
/// that the age is unknown.
pub(super) fn pushed(session: &mut Session, tag: &str) -> Result<Option<Pushed>, RequestError> {
    let target = format!("/v2/repositories/{}/tags/{tag}", session.path());
    let response = match session.get(&target, None, MAX_BODY_LEN) {
        Ok(response) if response.status == 200 => response,
        Ok(response) if matches!(response.status, 429 | 503) => return Err(session.refusal(&response)),
        Err(error) if error.is_final() => return Err(error),
        _ => return Ok(None),
    };
    let Ok(tag) = serde_json::from_slice::<HubTag>(&response.body) else { return Ok(None) };
    let at = tag.tag_last_pushed.and_then(|text| parse_plausible_time(&text, Timestamp::now()));
    Ok(Some(Pushed { at, digest: tag.digest.filter(|digest| !digest.is_empty()) }))
}

/// Reads `created` from the image's configuration, which the publisher of the image sets. `None` if it is
/// unknown.
///
/// # Errors
/// The command was canceled, or its deadline expired. Other errors only mean that the time is unknown.
pub(super) fn created(session: &mut Session, digest: &str) -> Result<Option<Timestamp>, RequestError> {
    let mut digest = digest.to_owned();
    // At most an index and one manifest are read: an index inside an index does not describe an image.
    for _ in 0..2 {
        let target = format!("/v2/{}/manifests/{digest}", session.path());
        let Some(manifest) = read::<Manifest>(session, &target, Some(MANIFEST_TYPES))? else {
            return Ok(None);
        };
        match (manifest.manifests, manifest.config) {
            (Some(all), _) => match select_manifest(&all) {
                Some(one) => digest = one.digest.clone(),
                None => return Ok(None),
            },
            (None, Some(config)) => {
                let target = format!("/v2/{}/blobs/{}", session.path(), config.digest);
                let config = read::<Config>(session, &target, Some("*/*"))?;
                let created = config.and_then(|config| config.created);
                return Ok(created.and_then(|text| parse_plausible_time(&text, Timestamp::now())));
            }
            (None, None) => return Ok(None),
        }
    }
    Ok(None)
}

fn read<T: for<'de> Deserialize<'de>>(
    session: &mut Session,
    target: &str,
    accept: Option<&str>,
) -> Result<Option<T>, RequestError> {
    match session.get(target, accept, MAX_BODY_LEN) {
        Ok(response) if response.status == 200 => Ok(serde_json::from_slice(&response.body).ok()),
        Err(error) if error.is_final() => Err(error),
        _ => Ok(None),
    }
}

/// Selects the manifest for linux/amd64, otherwise the first one with a known platform. Attestations have no
/// known platform.
fn select_manifest(all: &[Descriptor]) -> Option<&Descriptor> {
    let platform = |one: &Descriptor| {
        let platform = one.platform.as_ref()?;
        Some((platform.os.clone(), platform.architecture.clone()))
    };
    let is_known = |part: &str| !part.is_empty() && part != "unknown";
    let common = all.iter().find(|one| platform(one) == Some(("linux".to_owned(), "amd64".to_owned())));
    common.or_else(|| {
        all.iter().find(|one| {
            platform(one).is_some_and(|(os, architecture)| is_known(&os) && is_known(&architecture))
        })
    })
}

/// Parses a time, and rejects those before the first image and in the future.
fn parse_plausible_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    (OLDEST_IMAGE..=now.as_second() + MAX_SKEW).contains(&time.as_second()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_cannot_be_true_are_unknown() {
        let now: Timestamp = "2026-11-29T10:00:00Z".parse().unwrap();
        for (text, is_known) in [
            ("2013-03-20T00:00:00Z", true),
            ("2013-03-19T23:59:59Z", false),
            ("1970-01-01T00:00:00Z", false),
            ("0001-01-01T00:00:00Z", false),
            ("2026-11-29T10:04:59.9Z", true),
            ("2026-11-29T10:05:00Z", true),
            ("2026-11-29T10:05:01Z", false),
            ("yesterday", false),
        ] {
            assert_eq!(parse_plausible_time(text, now).is_some(), is_known, "{text}");
        }
    }

    #[test]
    fn of_an_index_the_common_platform_is_read() {
        let index = |text: &str| {
            let manifest: Manifest = serde_json::from_str(text).unwrap();
            select_manifest(&manifest.manifests.unwrap()).map(|one| one.digest.clone())
        };
        let arm = r#"{"digest": "arm", "platform": {"os": "linux", "architecture": "arm64"}}"#;
        let amd = r#"{"digest": "amd", "platform": {"os": "linux", "architecture": "amd64"}}"#;
        let none = r#"{"digest": "x", "platform": {"os": "unknown", "architecture": "unknown"}}"#;
        for (text, digest) in [
            (format!("[{arm},{amd}]"), Some("amd")),
            (format!("[{none},{arm}]"), Some("arm")),
            (format!(r#"[{none},{{"digest": "y"}}]"#), None),
        ] {
            assert_eq!(index(&format!(r#"{{"manifests": {text}}}"#)).as_deref(), digest);
        }
    }
}
