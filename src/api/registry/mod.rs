//! Image references, and what registries know of them: digests and credentials.

pub mod auth;
pub mod digest;
pub mod helper;
pub mod image_ref;
