//! Messages about errors: the causes, and what to do.

mod connection;
mod hint;
pub mod invalid_spec;
mod names;
mod print;
pub mod registry;
pub mod settings;

pub use self::hint::{engine_login_hint, hint, hint_with_digest};
pub use self::names::for_unknown_services;
pub use self::print::{error_chain, print_command_error, print_error, print_final_error};
