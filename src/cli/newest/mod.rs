//! The newest tag that a policy allows: flags, choice and report, for `update-image`, `outdated` and `tags`.

mod age;
mod choose;
mod decision;
pub mod verify;

use std::time::Duration;

use clap::{Args, ValueEnum};

pub use age::{describe_age, parse_age};
pub use choose::{Chooser, ServiceImage, registry_login_hint};
pub use decision::{Choice, Decision, ImageRefusal, PUBLISHERS_AGE, Reason, UNKNOWN_PUSH};

use crate::api::registry::tags::{PreReleases, TagPattern};

/// Flags that limit which tags `--newest` may choose.
#[derive(Args, Clone, Debug)]
pub struct ChoiceArgs {
    /// Consider only tags that match; the group `version` is compared
    ///
    /// A regular expression in the syntax of the Rust crate regex-lite. It must match the whole tag and have a group
    /// `(?<version>...)`, as in 'main-(?<version>\d+)-\d+'. It replaces the rule that a newer tag has the same
    /// prefix, suffix and number of parts as the current one.
    #[arg(long, value_name = "REGEX", requires = "newest", value_parser = TagPattern::parse)]
    pub tags: Option<TagPattern>,
    /// Consider pre-releases
    ///
    /// Without this flag, pre-releases are considered only if the current tag is a pre-release of the same kind.
    #[arg(long, requires = "newest")]
    pub pre: bool,
    /// Skip tags that are younger than this, as in 3d
    ///
    /// Candidates are tried from the newest down, at most 20 for each service. A tag of unknown age is skipped too.
    #[arg(long, value_name = "DURATION", requires = "newest", value_parser = parse_age)]
    pub min_age: Option<Duration>,
    /// What the age is measured from: pushed or created [default: pushed]
    ///
    /// `pushed` is known for Docker Hub only. `created` is the time in the image's configuration, which its publisher
    /// sets.
    #[arg(long, value_name = "TIME", requires = "min_age", value_enum)]
    pub min_age_from: Option<AgeFrom>,
}

/// What the age of a tag is measured from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AgeFrom {
    /// When the tag was pushed, according to Docker Hub.
    #[default]
    Pushed,
    /// When the image was created, according to its publisher.
    Created,
}

/// The minimum age of a tag.
#[derive(Clone, Copy, Debug)]
pub struct MinAge {
    /// Younger tags are held back.
    pub age: Duration,
    /// What the age is measured from.
    pub from: AgeFrom,
}

impl ChoiceArgs {
    /// The minimum age, if there is one.
    pub fn min_age(&self) -> Option<MinAge> {
        self.min_age.map(|age| MinAge { age, from: self.min_age_from.unwrap_or_default() })
    }

    /// Which pre-releases to consider.
    pub fn pre_releases(&self) -> PreReleases {
        if self.pre { PreReleases::All } else { PreReleases::SameKind }
    }
}

impl AgeFrom {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Created => "created",
        }
    }
}
