//! Tests of the program as users run it: one file or directory for each subject, such as a command, against a scripted
//! engine (`support`), and in `swarm` against a real engine that the tests start and end themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::result_large_err,
    reason = "a test reports a failure by a panic, and the size of an error does not matter in tests"
)]

mod api_version;
mod auth;
mod batch;
mod complete;
mod context;
mod create;
mod credentials;
mod debug;
mod doc_pages;
mod dry_run;
mod endpoints;
mod exit_codes;
mod faults;
mod format;
mod from_file;
mod gates;
mod global_flags;
mod grammar;
mod hazards;
mod held;
mod help;
mod history;
mod hostile;
mod images;
mod inspect;
mod json_results;
mod judgement;
mod layers;
mod lint;
mod lint_before_posts;
mod load;
mod logs;
mod ls;
mod managers;
mod meant;
mod moved_networks;
mod newest;
mod outdated;
mod paused;
mod plan;
mod plugin;
mod polls;
mod progress;
mod ps;
mod readme;
mod refused;
mod replicas;
mod resolve;
mod rm;
mod rollback;
mod round_trip;
mod schema;
mod screens;
mod scripts;
mod settings;
mod shells;
mod ssh;
mod status;
mod steps;
mod support;
mod swarm;
mod tags;
mod tls;
mod unchanged;
mod undo;
#[cfg(target_os = "linux")]
mod unwritten;
mod update;
mod update_image;
mod wait;
