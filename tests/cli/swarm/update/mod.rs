//! `update` on a real engine: the same command lines with docker and swarmctl must have the same result.

mod compare;
mod edits;
mod lines;
