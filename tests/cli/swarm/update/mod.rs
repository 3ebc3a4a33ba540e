//! `update` on a real engine: equal command lines must have equal results with docker and swarmctl.

mod compare;
mod edits;
pub mod lines;
