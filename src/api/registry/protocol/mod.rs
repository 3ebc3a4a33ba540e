//! Parsers of HTTP headers and URLs that a registry client needs. Pure.

mod challenge;
mod link;
mod url;

pub use challenge::{Challenge, challenges};
pub use link::next_link;
pub use url::{Scheme, Url};
