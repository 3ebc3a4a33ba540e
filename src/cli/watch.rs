//! Waiting for a rollout to end.
use super::report::Entry;
use crate::api::client::Client;
pub fn until_done(_client: &Client, _entries: &mut [Entry]) {}
