//! `--verify`: a command of the user that accepts or refuses each image before the first update.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;
use crate::cli::deploy::shell_command::RunningCommand;

/// Interval between checks whether the command has exited.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// An image that will be set, and its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageToVerify {
    /// The image with its digest. Images without a digest are refused.
    pub image: ImageRef,
    /// The names of the services that will run this image.
    pub services: Vec<String>,
}

/// The result of `--verify` for one image.
#[derive(Clone, Debug)]
pub struct VerifyResult {
    /// The image and its services.
    pub image_to_verify: ImageToVerify,
    /// The exit code, if the command exited.
    pub exit_code: Option<i32>,
    /// How long the command ran.
    pub duration: Duration,
    /// Why the image was not accepted.
    pub refused: Option<String>,
    /// The last lines of the command's output.
    pub output: Vec<String>,
}

/// Parses the command.
///
/// # Errors
/// The command is empty, perhaps because a variable is not set. A shell that runs it would accept every image.
pub fn parse_command(text: &str) -> std::result::Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the command is empty, so it would accept every image");
    }
    Ok(text.to_owned())
}

/// Groups the images of services by repository and digest, in the order of the services.
pub fn images_to_verify<'s>(images: impl IntoIterator<Item = (&'s str, &'s ImageRef)>) -> Vec<ImageToVerify> {
    let mut all: Vec<ImageToVerify> = Vec::new();
    for (service, image) in images {
        let same = all.iter_mut().find(|other| {
            other.image.same_repository(image)
                && other.image.digest() == image.digest()
                && (image.digest().is_some() || other.image.tag() == image.tag())
        });
        match same {
            Some(image_to_verify) => image_to_verify.services.push(service.to_owned()),
            None => all.push(ImageToVerify { image: image.clone(), services: vec![service.to_owned()] }),
        }
    }
    all
}

/// Runs the command for each image, one at a time, until it refuses one.
///
/// # Errors
/// A signal was received, or `--timeout` expired.
pub fn verify(
    client: &Client,
    command: &str,
    images_to_verify: Vec<ImageToVerify>,
) -> Result<Vec<VerifyResult>> {
    let mut all = Vec::with_capacity(images_to_verify.len());
    for image_to_verify in images_to_verify {
        let verified = verify_image(client, command, image_to_verify)?;
        let is_refused = verified.refused.is_some();
        all.push(verified);
        if is_refused {
            break;
        }
    }
    Ok(all)
}

fn verify_image(client: &Client, command: &str, image_to_verify: ImageToVerify) -> Result<VerifyResult> {
    let mut verified = VerifyResult {
        image_to_verify,
        exit_code: None,
        duration: Duration::ZERO,
        refused: None,
        output: vec![],
    };
    let Some(digest) = verified.image_to_verify.image.digest() else {
        verified.refused = Some("the image has no digest".to_owned());
        return Ok(verified);
    };
    client.cancellation().check()?;
    let began = Instant::now();
    let started = RunningCommand::start(command, variables(&verified.image_to_verify, digest));
    let mut running = match started {
        Ok(running) => running,
        Err(e) => {
            verified.refused = Some(format!("the command cannot be started: {e}"));
            return Ok(verified);
        }
    };
    let status = wait_for_exit(client, &mut running);
    if !matches!(status, Ok(Some(_))) {
        running.kill();
    }
    verified.duration = began.elapsed();
    verified.output = running.last_lines();
    let limit = client.timeouts().verify;
    verified.refused = match status? {
        None => Some(format!("the command did not exit within {} s", limit.as_secs_f32().ceil())),
        Some(status) => {
            verified.exit_code = status.code();
            describe(status)
        }
    };
    Ok(verified)
}

/// Returns the environment variables that the command gets.
fn variables(image_to_verify: &ImageToVerify, digest: &str) -> [(&'static str, String); 4] {
    let ImageToVerify { image, services } = image_to_verify;
    [
        ("SWARMCTL_IMAGE", format!("{}@{digest}", image.repository())),
        ("SWARMCTL_DIGEST", digest.to_owned()),
        ("SWARMCTL_TAG", image.tag().unwrap_or_default().to_owned()),
        ("SWARMCTL_SERVICES", services.join(" ")),
    ]
}

/// Waits for the command to exit; `None` after a timeout, or if the status cannot be read.
fn wait_for_exit(client: &Client, running: &mut RunningCommand) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + client.timeouts().verify;
    loop {
        match running.exit_status() {
            Ok(Some(status)) => return Ok(Some(status)),
            Ok(None) => {}
            Err(_) => return Ok(None),
        }
        if client.time_left().is_some_and(|left| left.is_zero()) {
            return Err(Error::DeadlineExceeded { request: "the update".to_owned() });
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        client.cancellation().sleep(POLL_INTERVAL)?;
    }
}

fn describe(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("the command exited with {code}")),
        (None, Some(signal)) => Some(format!("the command was killed by signal {signal}")),
        (None, None) => Some(format!("the command ended with {status}")),
    }
}

impl VerifyResult {
    /// Returns the result as an item of the array `verify` in the JSON output.
    pub fn json(&self) -> Value {
        let ImageToVerify { image, services } = &self.image_to_verify;
        let image = match image.digest() {
            Some(digest) => format!("{}@{digest}", image.repository()),
            None => image.to_string(),
        };
        json!({
            "image": image,
            "services": services,
            "exit_code": self.exit_code,
            "duration_ms": u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_verified_once_for_all_of_its_services() {
        let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let image = |text: &str, digit: &str| ImageRef::parse(&format!("{text}@{}", digest(digit))).unwrap();
        let images = [
            ("web", image("shop/web:1.8", "1")),
            ("api", image("shop/api:2", "1")),
            ("web2", image("shop/web:1", "1")),
            ("web3", image("shop/web:1.8", "2")),
        ];
        let found = images_to_verify(images.iter().map(|(name, image)| (*name, image)));
        let services: Vec<_> =
            found.iter().map(|image_to_verify| image_to_verify.services.join(" ")).collect();
        assert_eq!(services, ["web web2", "api", "web3"]);
        assert_eq!(found[0].image.tag(), Some("1.8"), "the tag of the first service");
    }
}
