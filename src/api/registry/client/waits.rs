//! The waits that registries request, each reported once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shorter waits are not reported.
const MIN_REPORTED: Duration = Duration::from_secs(1);

/// When the last reported wait of each host ends.
#[derive(Debug, Default)]
pub(super) struct Waits(Mutex<HashMap<String, Instant>>);

impl Waits {
    /// The message about a wait. `None` if the wait is short, or if another request has reported a wait that ends at
    /// about the same time: there may be hundreds of repositories on one host.
    pub(super) fn announcement(
        &self,
        host: &str,
        status: u16,
        pause: Duration,
        now: Instant,
    ) -> Option<String> {
        let until = now.checked_add(pause).filter(|_| pause >= MIN_REPORTED)?;
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_reported = reported.get(host).is_some_and(|reported| until <= *reported + MIN_REPORTED);
        if is_reported {
            return None;
        }
        reported.insert(host.to_owned(), until);
        // Rounded up, so that no wait is longer than announced.
        let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
        Some(format!("`{host}` responded with {status}; retrying in {seconds} s"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_reported_once_for_all_requests_that_wait_as_long() {
        let (waits, now, second) = (Waits::default(), Instant::now(), Duration::from_secs(1));
        let announced = |host, pause, now| waits.announcement(host, 429, pause, now);
        let expected = "`a` responded with 429; retrying in 2 s";
        assert_eq!(announced("a", second * 3 / 2, now).as_deref(), Some(expected));
        assert_eq!(announced("a", second * 2, now), None);
        assert!(announced("b", second, now).is_some(), "another host");
        assert!(announced("a", second * 60, now).is_some(), "a longer wait");
        assert!(announced("a", second * 4, now + second * 60).is_some(), "the next wait");
        assert_eq!(announced("a", second / 2, now + second * 90), None, "a short one");
    }
}
