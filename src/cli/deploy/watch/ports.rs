//! Finds out which services have the ports that tasks are still waiting for at the deadline.

use super::{Ending, GaveUp, Watched, end_all};
use crate::api::deploy::failures;
use crate::api::http::client::Client;

/// Ends the watch of all services at the deadline. If a task waits for a port, a last request finds the service that
/// has the port.
pub fn end_at_deadline(client: &Client, watched: &mut [Watched]) {
    let open = watched.iter_mut().filter(|one| one.ending.is_none());
    let judged = open.filter_map(|one| Some((&one.service, one.judgement.as_mut()?)));
    if let Some(client) = client.for_last_requests(client.timeouts().last_requests) {
        failures::add_taken_ports(&client, judged);
    }
    end_all(watched, &Ending::GaveUp(GaveUp::TimedOut));
}
