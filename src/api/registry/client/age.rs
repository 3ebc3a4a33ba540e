//! When a tag was pushed, or its image created.

use jiff::Timestamp;
use serde::Deserialize;

use super::MAX_BODY;
use super::failure::Failure;
use super::session::Session;

/// Docker's first public release: no image is older.
const FIRST_IMAGE: i64 = 1_363_737_600;
/// Clocks differ; a time that is further in the future is wrong, in seconds.
const MAX_SKEW: i64 = 5 * 60;

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// What Docker Hub says of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// When it was pushed; `None` if that is not known.
    pub at: Option<Timestamp>,
    /// The digest that it was pushed with, if it says so.
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

/// The tag's page of Docker Hub, read without credentials.
///
/// # Errors
/// A signal came, or `--timeout` expired. Any other failure means that the age is not known.
pub fn pushed(session: &mut Session, tag: &str) -> Result<Option<Pushed>, Failure> {
    let target = format!("/v2/repositories/{}/tags/{tag}", session.path());
    let response = match session.get(&target, None, MAX_BODY) {
        Ok(response) if response.status == 200 => response,
        Err(failure) if failure.is_final() => return Err(failure),
        _ => return Ok(None),
    };
    let Ok(tag) = serde_json::from_slice::<HubTag>(&response.body) else { return Ok(None) };
    let at = tag.tag_last_pushed.and_then(|text| plausible(&text, Timestamp::now()));
    Ok(Some(Pushed { at, digest: tag.digest.filter(|digest| !digest.is_empty()) }))
}

/// `created` of the image's configuration, which the publisher of the image sets.
///
/// # Errors
/// A signal came, or `--timeout` expired. Any other failure means that the age is not known.
pub fn created(session: &mut Session, digest: &str) -> Result<Option<Timestamp>, Failure> {
    let mut digest = digest.to_owned();
    // An index, its manifest, and the configuration: an index within an index has no image of its own.
    for _ in 0..2 {
        let target = format!("/v2/{}/manifests/{digest}", session.path());
        let Some(manifest) = read::<Manifest>(session, &target, Some(MANIFESTS))? else { return Ok(None) };
        match (manifest.manifests, manifest.config) {
            (Some(all), _) => match chosen(&all) {
                Some(one) => digest = one.digest.clone(),
                None => return Ok(None),
            },
            (None, Some(config)) => {
                let target = format!("/v2/{}/blobs/{}", session.path(), config.digest);
                let config = read::<Config>(session, &target, Some("*/*"))?;
                let created = config.and_then(|config| config.created);
                return Ok(created.and_then(|text| plausible(&text, Timestamp::now())));
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
) -> Result<Option<T>, Failure> {
    match session.get(target, accept, MAX_BODY) {
        Ok(response) if response.status == 200 => Ok(serde_json::from_slice(&response.body).ok()),
        Err(failure) if failure.is_final() => Err(failure),
        _ => Ok(None),
    }
}

/// The manifest for linux/amd64, else the first one for a known platform: attestations have none.
fn chosen(all: &[Descriptor]) -> Option<&Descriptor> {
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

/// A time that can be true: not before there were images, and not in the future.
fn plausible(text: &str, now: Timestamp) -> Option<Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    (FIRST_IMAGE..=now.as_second() + MAX_SKEW).contains(&time.as_second()).then_some(time)
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
            assert_eq!(plausible(text, now).is_some(), is_known, "{text}");
        }
    }

    #[test]
    fn of_an_index_the_common_platform_is_read() {
        let index = |text: &str| {
            let manifest: Manifest = serde_json::from_str(text).unwrap();
            chosen(&manifest.manifests.unwrap()).map(|one| one.digest.clone())
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
