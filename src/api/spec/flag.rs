//! One flag of `create` and `update`, as a row of its area's table.

use std::fmt;

use super::Edit;

/// One flag: the command line, its edits, the refusal on old engines and the documentation come from this row.
pub struct Flag {
    /// The long name, without dashes: Docker's wherever Docker has one.
    pub name: &'static str,
    /// The short name.
    pub short: Option<char>,
    /// Which command has it.
    pub on: On,
    /// What it takes.
    pub takes: Takes,
    /// Help: imperative, no full stop, at most 72 columns; singular for what may be repeated.
    pub help: &'static str,
    /// The API version from which the engine knows the field; an older engine would drop it without a word.
    pub since: Option<(u32, u32)>,
    /// The edits that the values mean, in their order on the command line (one value unless it may be repeated).
    pub edits: fn(&[&str]) -> Result<Vec<Edit>, BadValue>,
}

/// Which command has a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// `create` only.
    Create,
    /// `update` only.
    Update,
    /// Both.
    Both,
}

/// What a flag takes on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing, or `=true` or `=false`; its one value is `true` or `false`.
    Switch,
    /// One value, of this name in the help; of several the last counts.
    One(&'static str),
    /// One value each time, of this name in the help; may be repeated.
    Many(&'static str),
}

/// A value on the command line that cannot be one; nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// What is wrong, with the offending part in backticks.
    pub why: String,
    /// One value of the right form.
    pub example: &'static str,
}

impl BadValue {
    /// What is wrong with a value, and what a right one looks like.
    pub fn new(why: impl Into<String>, example: &'static str) -> Self {
        Self { why: why.into(), example }
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (for example: `{}`)", self.why, self.example)
    }
}

impl std::error::Error for BadValue {}
