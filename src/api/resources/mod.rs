//! The engine's objects: their types, and the requests that read and change them.

pub mod addresses;
pub mod configs;
pub mod images;
pub mod log_stream;
pub mod logs;
pub mod networks;
pub mod nodes;
pub mod references;
pub mod rows;
pub mod service;
pub mod service_head;
pub mod services;
pub mod system;
pub mod task;
pub mod tasks;
pub mod time;
