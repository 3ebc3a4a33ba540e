//! The engine's clock, more exactly than the whole seconds of its `Date` headers.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// A lower bound of the engine's time, from the dates of its responses and the local clock in between.
///
/// A response of the second 12 arrived at 12.0 or later. If one arrives when the second has just changed, this is exact; until
/// then the bound is too low by less than a second. So a period never seems to be over before it is.
#[derive(Debug, Default)]
pub(in crate::api) struct EngineClock(Mutex<Option<(Instant, Timestamp)>>);

impl EngineClock {
    /// Returns the engine's time when it sent a response with this date, which has just arrived.
    pub fn refine(&self, date: Timestamp) -> Timestamp {
        self.refine_at(date, Instant::now())
    }

    fn refine_at(&self, date: Timestamp, arrived: Instant) -> Timestamp {
        let mut bound = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |(at, _): &(Instant, Timestamp)| {
            SignedDuration::try_from(arrived.saturating_duration_since(*at)).unwrap_or_default()
        };
        let projected = bound.as_ref().map(|it| it.1.saturating_add(since(it)).unwrap_or(date));
        match projected {
            Some(now)
                if now >= date && now < date.saturating_add(SignedDuration::from_secs(1)).unwrap_or(date) =>
            {
                now
            }
            // The first response, one that shows that the bound was too low, one that took long, or another manager.
            _ => {
                if projected.is_none_or(|now| now < date) {
                    *bound = Some((arrived, date));
                }
                date
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_is_refined_and_never_too_late() {
        let clock = EngineClock::default();
        let (start, zero) = (Instant::now(), Timestamp::from_second(1_000_000).unwrap());
        // The engine's time is 0.7 s at the start. Its dates are whole seconds.
        let mut last = None;
        for tenth in 0..60_u64 {
            let engine = SignedDuration::from_millis(700 + 100 * tenth as i64);
            let date = zero + SignedDuration::from_secs(engine.as_secs());
            let now = clock.refine_at(date, start + Duration::from_millis(100 * tenth));
            let truth = zero + engine;
            assert!(now <= truth && now >= date, "{tenth}: {now} {truth}");
            if tenth >= 10 {
                assert!(
                    truth.duration_since(now) <= SignedDuration::from_millis(1),
                    "{tenth}: {now} {truth}"
                );
            }
            last = Some(now);
        }
        // A manager whose clock is behind, and a response that took long.
        assert_eq!(clock.refine_at(zero, start + Duration::from_secs(6)), zero);
        assert!(last.is_some_and(|last| last > zero));
    }
}
