//! The choice of an image for one service, as text and JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::{AgeFrom, MinAge, describe_age};
use crate::api::registry::image_ref::ImageRef;

/// The note about ages with `--min-age-from created`.
pub const PUBLISHERS_AGE: &str =
    "the age is measured from the creation time in the image, which its publisher sets";
/// The hint if the age of a pushed tag is not known.
pub const UNKNOWN_PUSH: &str = "only Docker Hub reports when a tag was pushed; see `--min-age-from created`";

/// Why no image could be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The current tag of the service is not a version.
    NoVersion,
    /// The service has no label with a policy.
    NoPolicy,
    /// The label of the service is not a policy.
    BadPolicy,
    /// The tag list is not available.
    NoTagList,
    /// The tag list and the engine contradict each other.
    RegistryMismatch,
    /// No node can run the image.
    NoPlatform,
    /// The command of `--verify` did not accept the image.
    VerifyFailed,
}

/// A refusal, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRefusal {
    /// The kind of refusal.
    pub reason: Reason,
    /// The reason, as a sentence.
    pub why: String,
    /// What the user can do, with a command to paste.
    pub hint: Option<String>,
}

/// A candidate that was not chosen because of its age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBackTag {
    /// The tag.
    pub tag: String,
    /// Why the tag was not chosen.
    pub why: HeldBackReason,
}

/// Why a candidate is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBackReason {
    /// The tag is younger than the minimum age. This is its age.
    TooNew(Duration),
    /// The age of the tag is unknown.
    UnknownAge,
}

/// The chosen image, or why the service keeps its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// An image with a newer tag.
    Newer(ImageRef),
    /// No tag is newer.
    NoNewer,
    /// Newer tags exist, but none of them is known to be old enough.
    HeldBack,
    /// No choice is possible.
    Refused(ImageRefusal),
}

/// The choice for one service, and what it is based on.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The policy, if there is one.
    pub policy: Option<String>,
    /// `flag` or `label`.
    pub policy_from: &'static str,
    /// The current tag.
    pub current: Option<String>,
    /// The number of tags of the repository.
    pub tags: usize,
    /// The number of newer tags that the policy allows.
    pub candidates: usize,
    /// The age of the chosen tag.
    pub age: Option<Duration>,
    /// The minimum age, if there is one.
    pub min_age: Option<MinAge>,
    /// Candidates that were not chosen because of their age.
    pub held_back: Vec<HeldBackTag>,
    /// The choice.
    pub choice: Choice,
}

impl Reason {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoVersion => "no_version",
            Self::NoPolicy => "no_policy",
            Self::BadPolicy => "bad_policy",
            Self::NoTagList => "no_tag_list",
            Self::RegistryMismatch => "registry_mismatch",
            Self::NoPlatform => "no_platform",
            Self::VerifyFailed => "verify_failed",
        }
    }
}

impl Decision {
    /// The chosen tag.
    pub fn chosen(&self) -> Option<&str> {
        match &self.choice {
            Choice::Newer(image) => image.tag(),
            _ => None,
        }
    }

    /// The kind of refusal, if there is one.
    pub fn reason(&self) -> Option<Reason> {
        match &self.choice {
            Choice::Refused(refusal) => Some(refusal.reason),
            _ => None,
        }
    }

    /// Why no choice was possible.
    pub fn error(&self) -> Option<&str> {
        match &self.choice {
            Choice::Refused(refusal) => Some(&refusal.why),
            _ => None,
        }
    }

    /// Whether the service keeps its image, because no newer tag is allowed or old enough.
    pub fn keeps_image(&self) -> bool {
        matches!(self.choice, Choice::NoNewer | Choice::HeldBack)
    }

    /// Describes why the service keeps its image.
    pub fn unchanged(&self) -> String {
        let policy = self.policy.as_deref().unwrap_or_default();
        let current = self.current.as_deref().unwrap_or_default();
        match self.held_back.as_slice() {
            [] => format!("no tag newer than {current} (policy {policy})"),
            held => held.iter().map(|one| self.describe(one)).collect::<Vec<_>>().join("; "),
        }
    }

    /// Returns notes about the choice.
    pub fn notes(&self) -> Vec<String> {
        let held = match self.choice {
            Choice::HeldBack => &[][..],
            _ => &self.held_back,
        };
        let held = held.iter().map(|one| self.describe(one));
        held.chain(self.has_publishers_age().then(|| PUBLISHERS_AGE.to_owned())).collect()
    }

    /// Whether the output contains an age that is based on the publisher's data.
    pub fn has_publishers_age(&self) -> bool {
        let is_known = |held: &HeldBackTag| matches!(held.why, HeldBackReason::TooNew(_));
        self.min_age.is_some_and(|min| min.from == AgeFrom::Created)
            && (self.age.is_some() || self.held_back.iter().any(is_known))
    }

    /// Describes a candidate that was held back: `held back 1.8.1 (1 h old, minimum 3 d)`.
    pub fn describe(&self, held: &HeldBackTag) -> String {
        let minimum = self.min_age.map(|min| describe_age(min.age)).unwrap_or_default();
        match held.why {
            HeldBackReason::TooNew(age) => {
                format!("held back {} ({} old, minimum {minimum})", held.tag, describe_age(age))
            }
            HeldBackReason::UnknownAge => format!("held back {} (unknown age, minimum {minimum})", held.tag),
        }
    }

    /// Whether a tag was held back because its push time is unknown, so that `--min-age-from created` may help.
    pub fn has_unknown_push(&self) -> bool {
        self.min_age.is_some_and(|min| min.from == AgeFrom::Pushed)
            && self.held_back.iter().any(|held| held.why == HeldBackReason::UnknownAge)
    }

    /// Returns the object `newest` in JSON.
    pub fn json(&self) -> Value {
        let held = |held: &HeldBackTag| {
            let (age, why) = match held.why {
                HeldBackReason::TooNew(age) => (Some(age.as_secs()), "too_new"),
                HeldBackReason::UnknownAge => (None, "unknown_age"),
            };
            json!({ "tag": held.tag, "age_s": age, "why": why })
        };
        json!({
            "policy": self.policy,
            "policy_from": self.policy_from,
            "current": self.current,
            "tags": self.tags,
            "candidates": self.candidates,
            "chosen": self.chosen(),
            "age_s": self.age.map(|age| age.as_secs()),
            "age_from": self.min_age.map(|min| min.from.as_str()),
            "held_back": self.held_back.iter().map(held).collect::<Vec<_>>(),
            "error": self.error(),
        })
    }
}
