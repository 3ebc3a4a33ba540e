//! The commands, one file or directory each, with the arguments (their doc comments are the help) and a
//! function `run`.

pub mod apply;
pub mod auth;
pub mod completion;
pub mod context;
pub mod create;
pub mod help;
pub mod images;
pub mod inspect;
pub mod lint;
pub mod logs;
pub mod ls;
pub mod outdated;
pub mod plugin;
pub mod ps;
pub mod restart;
pub mod rm;
pub mod rollback;
pub mod scale;
pub mod status;
pub mod tags;
pub mod update;
pub mod update_image;
pub mod version;
pub mod wait;
