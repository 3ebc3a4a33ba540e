//! Formats that this program writes and reads: plans, edits with their values, and names of labels and configs. Pure:
//! callers do the I/O.

pub mod edits;
pub mod fields;
pub mod held_value;
pub mod names;
pub mod plan;
mod run_id;
#[cfg(test)]
pub(in crate::api) mod test_spec;
mod unique;

pub use self::run_id::RunId;
