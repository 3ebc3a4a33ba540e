//! Requests to one engine or several managers: limits, retries, failover, and the decoding of responses.

pub mod client;
pub mod date;
pub mod failover;
pub mod go_json;
pub mod host;
pub mod json_array;
pub mod limit;
pub mod observer;
pub mod request_path;
pub mod response;
pub mod retry;
mod shared;
pub mod stream;
