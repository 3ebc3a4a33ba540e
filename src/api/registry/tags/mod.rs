//! Tags as versions, and the newest tag that a policy allows. Pure: the tag list is passed in.
//!
//! `docs/newest.md` has the grammar and the rules. The property test compares this module with an independent
//! oracle.

mod choice;
mod policy;
mod tag;

pub use choice::{Candidates, Listed, Rejected, Rules, Status, candidates, list};
pub use policy::{LABEL, Policy, PolicySource, PreReleases, TagPattern};
pub use tag::{PreRelease, Tag, Version};

#[cfg(test)]
mod tests;
