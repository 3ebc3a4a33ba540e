//! Image references, and access to registries: digests, tags and credentials.

pub mod auth;
pub mod client;
pub mod digest;
pub mod helper;
pub mod image_ref;
pub mod protocol;
pub mod tags;
