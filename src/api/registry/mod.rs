//! Image references, and what registries know of them: digests and credentials.

pub mod auth;
pub mod client;
pub mod digest;
pub mod helper;
pub mod image_ref;
pub mod protocol;
pub mod tags;
