//! The parts of HTTP that a registry client needs beside requests. Pure.

mod challenge;
mod link;
mod url;

pub use challenge::{Challenge, challenges};
pub use link::next_link;
pub use url::{Scheme, Url};
