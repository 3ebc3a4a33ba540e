//! Files that this program writes and reads again: plans. All of it is pure; who calls it reads and writes the files.

pub mod plan;
