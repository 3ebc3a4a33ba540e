//! Parsers of flag values, by docker's rules. Errors name the invalid part.

mod base64;
pub mod container;
pub mod duration;
pub mod env_file;
pub mod file;
pub mod mount;
pub mod network;
pub mod number;
pub mod placement;
pub mod port;
pub mod text;

use crate::api::config::csv;
