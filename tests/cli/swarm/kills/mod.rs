//! Commands that are killed at random moments.
//!
//! The tests run in the order of their names. These take a minute or two: near the end, they would run alone.

mod batches;
mod steps;
