//! Clients that share their connections, with other limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::Client;
use crate::api::cancellation::Cancellation;
use crate::api::config::timeouts::Timeouts;

impl Client {
    /// A client with the same connections and limits.
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

    /// A client with the same connections. Its waits end after `limit`, or earlier if those of this client do.
    pub fn limited_to(&self, limit: Duration) -> Self {
        let end = Instant::now() + limit;
        let timeouts = Timeouts { unavailable: self.timeouts.unavailable.min(limit), ..self.timeouts };
        let deadline = Some(self.deadline.map_or(end, |own| own.min(end)));
        Self { timeouts, deadline, ..self.clone_shared() }
    }

    /// A client of the current manager for what must still be sent after the deadline or a signal. It has connections of its own,
    /// which the deadline and the signal do not end. `None` if nothing was sent yet.
    pub fn for_last_requests(&self, limit: Duration) -> Option<Self> {
        let connection = self.connection()?.clone();
        let client = Self::new(connection, Cancellation::default(), Some(Instant::now() + limit));
        Some(client.observed(self.observer.clone()))
    }
}
