//! Files that this program writes and reads again: plans. Pure: callers read and write the files.

pub mod plan;
