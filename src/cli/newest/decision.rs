//! What was decided for one service, as text and JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::{AgeFrom, MinAge, describe_age};
use crate::api::registry::image_ref::ImageRef;

/// The note about `created`.
pub const PUBLISHERS_AGE: &str =
    "the age is measured from the creation time in the image, which its publisher sets";
/// The hint if an age is not known.
pub const UNKNOWN_PUSH: &str = "only Docker Hub reports when a tag was pushed; see `--min-age-from created`";

/// Why a service gets no newer tag although it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its current tag is not a version.
    NoVersion,
    /// It has no label with a policy.
    NoPolicy,
    /// Its label is not a policy.
    BadPolicy,
    /// The tag list is not available.
    NoTagList,
    /// Tag list and engine do not agree.
    RegistryMismatch,
    /// No node can run the image.
    NoPlatform,
    /// The command of `--verify` did not accept the image.
    VerifyFailed,
}

/// A refusal, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// Its kind.
    pub reason: Reason,
    /// A sentence.
    pub why: String,
    /// A command to paste.
    pub hint: Option<String>,
}

/// A candidate that was not chosen because of its age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The tag.
    pub tag: String,
    /// Why it was not chosen.
    pub why: HeldWhy,
}

/// Why a candidate is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldWhy {
    /// It is younger than the minimum.
    TooNew(Duration),
    /// Nobody says how old it is.
    UnknownAge,
}

/// What a service gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This image, which has a newer tag.
    Newer(ImageRef),
    /// Nothing: no tag is newer.
    NoNewer,
    /// Nothing yet: the newer tags are too young.
    HeldBack,
    /// Nothing: it cannot be decided.
    Refused(Declined),
}

/// What was decided for one service, and on which grounds.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The policy, if the service has one.
    pub policy: Option<String>,
    /// `flag` or `label`.
    pub policy_from: &'static str,
    /// The tag that it runs.
    pub current: Option<String>,
    /// How many tags the repository has.
    pub tags: usize,
    /// How many of them are allowed and newer.
    pub candidates: usize,
    /// The age of the chosen tag.
    pub age: Option<Duration>,
    /// The minimum age that was asked for.
    pub min_age: Option<MinAge>,
    /// Candidates that were not chosen because of their age.
    pub held_back: Vec<Held>,
    /// What the service gets.
    pub choice: Choice,
}

impl Reason {
    /// As JSON writes it.
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

    /// The kind of the refusal.
    pub fn reason(&self) -> Option<Reason> {
        match &self.choice {
            Choice::Refused(refusal) => Some(refusal.reason),
            _ => None,
        }
    }

    /// Why nothing could be decided, in a sentence.
    pub fn error(&self) -> Option<&str> {
        match &self.choice {
            Choice::Refused(refusal) => Some(&refusal.why),
            _ => None,
        }
    }

    /// Why the service stays as it is.
    pub fn unchanged(&self) -> String {
        let policy = self.policy.as_deref().unwrap_or_default();
        let current = self.current.as_deref().unwrap_or_default();
        match self.held_back.as_slice() {
            [] => format!("no tag newer than {current} (policy {policy})"),
            held => held.iter().map(|one| self.describe(one)).collect::<Vec<_>>().join("; "),
        }
    }

    /// What to know of the choice beside its result.
    pub fn notes(&self) -> Vec<String> {
        let held = match self.choice {
            Choice::HeldBack => &[][..],
            _ => &self.held_back,
        };
        let held = held.iter().map(|one| self.describe(one));
        held.chain(self.has_publishers_age().then(|| PUBLISHERS_AGE.to_owned())).collect()
    }

    /// Whether an age is shown that the publisher of the image sets.
    pub fn has_publishers_age(&self) -> bool {
        let is_known = |held: &Held| matches!(held.why, HeldWhy::TooNew(_));
        self.min_age.is_some_and(|min| min.from == AgeFrom::Created)
            && (self.age.is_some() || self.held_back.iter().any(is_known))
    }

    /// `held back 1.8.1 (1 h old, minimum 3 d)`.
    pub fn describe(&self, held: &Held) -> String {
        let minimum = self.min_age.map(|min| describe_age(min.age)).unwrap_or_default();
        match held.why {
            HeldWhy::TooNew(age) => {
                format!("held back {} ({} old, minimum {minimum})", held.tag, describe_age(age))
            }
            HeldWhy::UnknownAge => format!("held back {} (unknown age, minimum {minimum})", held.tag),
        }
    }

    /// Whether another way to measure the age may help.
    pub fn has_unknown_push(&self) -> bool {
        self.min_age.is_some_and(|min| min.from == AgeFrom::Pushed)
            && self.held_back.iter().any(|held| held.why == HeldWhy::UnknownAge)
    }

    /// The object `newest` of the JSON.
    pub fn json(&self) -> Value {
        let held = |held: &Held| {
            let (age, why) = match held.why {
                HeldWhy::TooNew(age) => (Some(age.as_secs()), "too_new"),
                HeldWhy::UnknownAge => (None, "unknown_age"),
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
