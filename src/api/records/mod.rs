//! Files that this program writes and reads again: plans. Pure: callers read and write the files.

pub mod fields;
pub mod plan;
#[cfg(test)]
pub(in crate::api) mod test_spec;
mod unique;
