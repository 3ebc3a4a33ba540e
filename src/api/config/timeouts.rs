//! How long the program waits for whom: one value, handed down from the settings to everything that waits.

use std::time::Duration;

/// All timeouts and intervals. [`Timeouts::default`] has those of production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// An engine that is silent, has no leader or answers 503.
    pub unavailable: Duration,
    /// Retries of an update whose version index is stale, altogether.
    pub stale_version: Duration,
    /// Retries of a read whose response was broken off, or of a connection that was refused, altogether.
    pub broken_read: Duration,
    /// Attempts to find a created service whose response was lost, altogether.
    pub create_lookup: Duration,
    /// A connection to a socket, a port or a proxy, TLS handshake included.
    pub connect: Duration,
    /// A connection by ssh: it gives a host 30 s, and somebody may have to type a password.
    pub ssh_connect: Duration,
    /// The exit of an ssh that has closed its output.
    pub ssh_exit: Duration,
    /// Addresses of one name are tried side by side, each this long after the one before (RFC 8305).
    pub next_address: Duration,
    /// The first response of a manager, if another one can be asked instead.
    pub failover: Duration,
    /// A manager's response to the question who leads, if another one can be asked.
    pub leader_probe: Duration,
    /// Between two rounds of asking all managers who leads.
    pub leader_interval: Duration,
    /// A credential helper: one that asks a person for a passphrase needs a while.
    pub credential_helper: Duration,
    /// The rest of a credential helper's output when it has ended: a child of its own may hold its streams.
    pub helper_output: Duration,
    /// The next line of a failed task's log: its node may be gone.
    pub failure_log: Duration,
    /// One request to a registry, its body included.
    pub registry_request: Duration,
    /// The first pause before a request is repeated that a registry refuses for now; each further one is twice as long.
    pub registry_retry: Duration,
    /// The user's own command that accepts an image.
    pub verify: Duration,
    /// All requests of a shell completion.
    pub completion: Duration,
    /// Between two looks at a rollout: from this on, longer by half each time while nothing changes.
    pub rollout_interval: Duration,
    /// At most this long between two looks at a rollout.
    pub max_rollout_interval: Duration,
    /// Between two looks at the tasks of a removed service: from this on, longer by half each time.
    pub removal_interval: Duration,
    /// At most this long between two looks at the tasks of a removed service.
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
            completion: millis(900),
            rollout_interval: millis(200),
            max_rollout_interval: seconds(2),
            removal_interval: millis(50),
            max_removal_interval: seconds(1),
        }
    }
}

impl Timeouts {
    /// The pauses before a read is repeated whose response was broken off: 50, 250 and 500 ms of [`Self::broken_read`].
    pub fn pauses_after_break(&self) -> [Duration; 3] {
        [self.broken_read / 16, self.broken_read * 5 / 16, self.broken_read * 10 / 16]
    }

    /// The pauses before a socket is tried again that is missing or refuses: 250 and 500 ms of [`Self::broken_read`].
    pub fn pauses_after_refusal(&self) -> [Duration; 2] {
        let [_, first, second] = self.pauses_after_break();
        [first, second]
    }

    /// The pauses before a created service is looked up again: 100, 300 and 600 ms of [`Self::create_lookup`].
    pub fn pauses_of_create_lookup(&self) -> [Duration; 3] {
        [1, 3, 6].map(|tenths| self.create_lookup * tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// docs/design.md section 3 and docs/design.md section 5 promise these.
    #[test]
    fn production_waits_as_long_as_is_promised() {
        let production = Timeouts::default();
        assert_eq!(production.unavailable, Duration::from_secs(60));
        assert_eq!(production.stale_version, Duration::from_secs(30));
        assert!(production.broken_read < Duration::from_secs(1), "three attempts within a second");
        assert!(production.completion < Duration::from_secs(1));
        assert_eq!(production.credential_helper, Duration::from_secs(30));
    }

    #[test]
    fn pauses_are_shares_of_their_timeouts() {
        let millis = |pauses: &[Duration]| pauses.iter().map(Duration::as_millis).collect::<Vec<_>>();
        let production = Timeouts::default();
        assert_eq!(millis(&production.pauses_after_break()), [50, 250, 500]);
        assert_eq!(millis(&production.pauses_after_refusal()), [250, 500]);
        assert_eq!(millis(&production.pauses_of_create_lookup()), [100, 300, 600]);
    }
}
