//! Timeouts and intervals, in one value that is passed to everything that waits, so that tests can shorten them.

use std::time::Duration;

/// Timeouts and intervals. [`Timeouts::default`] has the production values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// How long an engine may be silent, have no leader, or respond with 503.
    pub unavailable: Duration,
    /// Total time for retries after version conflicts.
    pub stale_version: Duration,
    /// Total time for retries of a read whose response was broken, or of a refused connection.
    pub broken_read: Duration,
    /// Total time to look up a service after the response to its creation was lost.
    pub create_lookup: Duration,
    /// Connecting to a socket, port or proxy, including the TLS handshake.
    pub connect: Duration,
    /// Connecting over ssh. The user may have to type a password.
    pub ssh_connect: Duration,
    /// Waiting for the exit of an ssh process that has closed its output.
    pub ssh_exit: Duration,
    /// The delay between attempts to connect to several addresses of a host (RFC 8305).
    pub next_address: Duration,
    /// Waiting for a response of a manager, if there are alternatives. It grows with each switch, to at most six times
    /// this value.
    pub failover: Duration,
    /// Waiting for a manager's response about the leader, if there are alternatives.
    pub leader_probe: Duration,
    /// The interval between queries of all managers for the leader.
    pub leader_interval: Duration,
    /// Waiting for a credential helper, which may ask the user for a passphrase.
    pub credential_helper: Duration,
    /// Waiting for the rest of the output of a credential helper that has exited. A child process may keep
    /// the pipe open.
    pub helper_output: Duration,
    /// Waiting for the next line of a failed task's log. Its node may be down.
    pub failure_log: Duration,
    /// One request to a registry, including the body of its response.
    pub registry_request: Duration,
    /// The first delay before a request that a registry refused temporarily is retried. It doubles with each
    /// retry.
    pub registry_retry: Duration,
    /// The user's command that verifies an image.
    pub verify: Duration,
    /// One run of a gate: the command, or the wait for the response of the URL.
    pub gate_run: Duration,
    /// Waiting for the processes of a gate that is stopped. Then they are killed.
    pub gate_stop: Duration,
    /// All requests of a shell completion.
    pub completion: Duration,
    /// Reading or writing the journal. An update must not wait longer for its record.
    pub journal: Duration,
    /// All requests that are still sent after a signal or the deadline. A canceled program must exit within 500 ms.
    pub last_requests: Duration,
    /// The first interval between polls of a rollout. It grows by half while nothing changes.
    pub rollout_interval: Duration,
    /// The maximum interval between polls of a rollout.
    pub max_rollout_interval: Duration,
    /// The maximum age of the list of nodes while a judgement depends on it. The list is also read again at the end of the last
    /// rollout.
    pub max_node_age: Duration,
    /// The first interval between polls of the tasks of a removed service. It grows by half each time.
    pub removal_interval: Duration,
    /// The maximum interval between polls of the tasks of a removed service.
    pub max_removal_interval: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let (seconds, millis) = (Duration::from_secs, Duration::from_millis);
        Self {
            unavailable: seconds(60),
            stale_version: seconds(30),
            broken_read: millis(800),
            create_lookup: seconds(1),
            connect: seconds(10),
            ssh_connect: seconds(60),
            ssh_exit: seconds(1),
            next_address: millis(250),
            failover: seconds(10),
            leader_probe: seconds(4),
            leader_interval: millis(500),
            credential_helper: seconds(30),
            helper_output: millis(500),
            failure_log: seconds(3),
            registry_request: seconds(30),
            registry_retry: seconds(1),
            verify: seconds(600),
            gate_run: seconds(30),
            gate_stop: seconds(5),
            completion: millis(900),
            journal: seconds(5),
            last_requests: millis(300),
            rollout_interval: millis(200),
            max_rollout_interval: seconds(2),
            max_node_age: seconds(10),
            removal_interval: millis(50),
            max_removal_interval: seconds(1),
        }
    }
}

impl Timeouts {
    /// The delays before retries of a read whose response was broken: 50, 250 and 500 ms with the default
    /// [`Self::broken_read`].
    pub fn connection_lost_delays(&self) -> [Duration; 3] {
        [self.broken_read / 16, self.broken_read * 5 / 16, self.broken_read * 10 / 16]
    }

    /// The delays before retries of a connection to a socket that is missing or refuses it: 250 and 500 ms with the
    /// default [`Self::broken_read`].
    pub fn connection_refused_delays(&self) -> [Duration; 2] {
        let [_, first, second] = self.connection_lost_delays();
        [first, second]
    }

    /// The delays before repeated lookups of a created service: 100, 300 and 600 ms with the default
    /// [`Self::create_lookup`].
    pub fn create_lookup_delays(&self) -> [Duration; 3] {
        [1, 3, 6].map(|tenths| self.create_lookup * tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// docs/design.md promises the first three values in sections 3 and 5.
    #[test]
    fn production_waits_as_long_as_is_promised() {
        let production = Timeouts::default();
        assert_eq!(production.unavailable, Duration::from_secs(60));
        assert_eq!(production.stale_version, Duration::from_secs(30));
        assert!(production.broken_read < Duration::from_secs(1), "three attempts within a second");
        assert!(production.completion < Duration::from_secs(1));
        assert_eq!(production.credential_helper, Duration::from_secs(30));
        // Promised in docs/history.md.
        assert_eq!(production.journal, Duration::from_secs(5));
    }

    #[test]
    fn pauses_are_shares_of_their_timeouts() {
        let millis = |pauses: &[Duration]| pauses.iter().map(Duration::as_millis).collect::<Vec<_>>();
        let production = Timeouts::default();
        assert_eq!(millis(&production.connection_lost_delays()), [50, 250, 500]);
        assert_eq!(millis(&production.connection_refused_delays()), [250, 500]);
        assert_eq!(millis(&production.create_lookup_delays()), [100, 300, 600]);
    }
}
