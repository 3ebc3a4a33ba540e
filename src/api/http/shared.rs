//! Copies of a client that share its connections, and a client with connections of its own for the last requests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::Client;
use crate::api::cancellation::Cancellation;
use crate::api::config::timeouts::Timeouts;

impl Client {
    /// A copy of the client with the same connections and limits.
    pub fn clone_shared(&self) -> Self {
        Self {
            failover: Arc::clone(&self.failover),
            timeouts: self.timeouts,
            cancellation: self.cancellation.clone(),
            deadline: self.deadline,
            observer: self.observer.clone(),
            first_date: Arc::clone(&self.first_date),
        }
    }

    /// A copy of the client with the same connections. Its deadline is at most `limit` from now.
    pub fn limited_to(&self, limit: Duration) -> Self {
        let end = Instant::now() + limit;
        let timeouts = Timeouts { unavailable: self.timeouts.unavailable.min(limit), ..self.timeouts };
        let deadline = Some(self.deadline.map_or(end, |own| own.min(end)));
        Self { timeouts, deadline, ..self.clone_shared() }
    }

    /// A client of the current manager, for requests that must be sent after the deadline or a signal. It has
    /// connections of its own, to which neither applies. `None` if no manager has been chosen yet.
    pub fn for_last_requests(&self, limit: Duration) -> Option<Self> {
        let connection = self.connection()?.clone();
        let client = Self::new(connection, Cancellation::default(), Some(Instant::now() + limit));
        Some(client.observed(self.observer.clone()))
    }
}
