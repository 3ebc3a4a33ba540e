//! `--verify`: a command of the user that accepts or refuses each image before the first update.

use std::collections::VecDeque;
use std::io::{self, PipeReader, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::error::{Error, Result};
use crate::api::http::client::Client;
use crate::api::registry::image_ref::ImageRef;

/// Maximum number of output lines that are shown.
const MAX_LINES: usize = 20;
/// Maximum length of a line in bytes.
const MAX_LINE_LEN: usize = 4096;
/// Poll interval for the end of the command.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Maximum time to wait for the rest of the output after the end of the command: its children may keep the
/// pipe open.
const OUTPUT_TIMEOUT: Duration = Duration::from_millis(500);

/// An image that will be set, and its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageToVerify {
    /// The image with its digest. Images without a digest are refused.
    pub image: ImageRef,
    /// The names of the services, in their order.
    pub services: Vec<String>,
}

/// The result for one image.
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
/// It is empty, perhaps because a variable is not set: the shell would accept every image.
pub fn parse_command(text: &str) -> std::result::Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the command is empty, so it would accept every image");
    }
    Ok(text.to_owned())
}

/// Groups the images of services by digest, in the order of the services.
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
    let started = start(command, &verified.image_to_verify, digest);
    let (mut child, output) = match started {
        Ok(started) => started,
        Err(e) => {
            verified.refused = Some(format!("the command cannot be started: {e}"));
            return Ok(verified);
        }
    };
    let status = wait_for_exit(client, &mut child);
    if !matches!(status, Ok(Some(_))) {
        kill_group(&mut child);
    }
    verified.duration = began.elapsed();
    verified.output = output.last_lines();
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

/// Starts a shell in its own process group. Both output streams share one pipe.
fn start(command: &str, image_to_verify: &ImageToVerify, digest: &str) -> io::Result<(Child, Output)> {
    let (reader, writer) = io::pipe()?;
    let image = format!("{}@{digest}", image_to_verify.image.repository());
    let child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .env("SWARMCTL_IMAGE", image)
        .env("SWARMCTL_DIGEST", digest)
        .env("SWARMCTL_TAG", image_to_verify.image.tag().unwrap_or_default())
        .env("SWARMCTL_SERVICES", image_to_verify.services.join(" "))
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .spawn()?;
    Ok((child, Output::read(reader)?))
}

/// The output of a command, which a thread reads.
struct Output {
    lines: Arc<Mutex<LastLines>>,
    /// Disconnected at the end of the output.
    end: Receiver<()>,
}

/// The last lines of an output.
#[derive(Default)]
struct LastLines {
    complete: VecDeque<String>,
    /// The beginning of a line whose end has not been read.
    partial: Vec<u8>,
}

impl Output {
    fn read(reader: PipeReader) -> io::Result<Self> {
        let (lines, (until_end, end)) = (Arc::default(), channel());
        let shared = Arc::clone(&lines);
        thread::Builder::new().spawn(move || {
            read_lines(reader, &shared);
            drop(until_end);
        })?;
        Ok(Self { lines, end })
    }

    /// Waits for the end of the output, but at most for [`OUTPUT_TIMEOUT`]. Returns the last lines that were read.
    fn last_lines(&self) -> Vec<String> {
        // It ends without a message.
        let _ = self.end.recv_timeout(OUTPUT_TIMEOUT);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if !lines.partial.is_empty() {
            lines.end_line();
        }
        lines.complete.iter().cloned().collect()
    }
}

impl LastLines {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' || self.partial.len() == MAX_LINE_LEN {
                self.end_line();
            }
            if *byte != b'\n' {
                self.partial.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        if self.complete.len() == MAX_LINES {
            self.complete.pop_front();
        }
        self.complete.push_back(String::from_utf8_lossy(&self.partial).trim_end().to_owned());
        self.partial.clear();
    }
}

fn read_lines(mut reader: PipeReader, lines: &Mutex<LastLines>) {
    let mut buffer = [0; 8192];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                lines
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(buffer.get(..length).unwrap_or_default());
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Waits for the command to exit; `None` after a timeout.
fn wait_for_exit(client: &Client, child: &mut Child) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + client.timeouts().verify;
    loop {
        match child.try_wait() {
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

/// Kills the command and all processes that it started.
fn kill_group(child: &mut Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // The command may have exited in the meantime.
        let _ = signal_group(group);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn signal_group(group: i32) -> io::Result<()> {
    Command::new("/bin/sh")
        .args(["-c", "kill -s KILL -- \"-$0\"", &group.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map(drop)
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
    /// The item of `verify` in the JSON.
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
