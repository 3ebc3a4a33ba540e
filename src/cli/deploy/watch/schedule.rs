//! Determines when to poll next. The results of polls do not depend on the schedule.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::api::config::timeouts::Timeouts;

/// The minimum delay, as a multiple of the duration of the last poll: many services must not keep the engine busy.
const MIN_DELAY_FACTOR: u32 = 4;

/// Determines the delays between polls. They grow while nothing changes, and are cut short if a change is due.
#[derive(Debug)]
pub struct Schedule {
    first_interval: Duration,
    max_interval: Duration,
    interval: Duration,
    /// An instant, and a time that the engine's clock had reached by then. The engine's responses show only whole seconds
    /// and the times of its writes, so its clock may be ahead of this time.
    reached: Option<(Instant, Timestamp)>,
}

impl Schedule {
    /// Creates a schedule that starts with the shortest interval.
    pub fn new(timeouts: &Timeouts) -> Self {
        let Timeouts { rollout_interval, max_rollout_interval, .. } = *timeouts;
        Self {
            first_interval: rollout_interval,
            max_interval: max_rollout_interval,
            interval: rollout_interval,
            reached: None,
        }
    }

    /// Starts with the shortest interval again, because something has changed.
    pub fn restart(&mut self) {
        self.interval = self.first_interval;
    }

    /// Lengthens the interval, because nothing has changed.
    pub fn slow_down(&mut self) {
        self.interval = (self.interval * 3 / 2).min(self.max_interval);
    }

    /// Records a time of the engine in a response that arrived at this moment.
    pub fn record(&mut self, time: Timestamp, at: Instant) {
        if self.engine_time(at).is_none_or(|known| known < time) {
            self.reached = Some((at, time));
        }
    }

    /// The delay from `at` to the next poll. `due` is the engine's time at which a state is due to change, and `took` is the
    /// duration of the last poll. If the change is late, the delays grow with the lateness.
    pub fn delay(&self, due: Option<Timestamp>, at: Instant, took: Duration) -> Duration {
        let shortest = (self.first_interval / 4).max(took * MIN_DELAY_FACTOR).min(self.interval);
        let left = due.zip(self.engine_time(at)).map(|(due, now)| due.duration_since(now).unsigned_abs());
        left.map_or(self.interval, |left| left.clamp(shortest, self.interval))
    }

    /// The time that the engine's clock has certainly reached.
    fn engine_time(&self, at: Instant) -> Option<Timestamp> {
        let (since, time) = self.reached?;
        let passed = SignedDuration::try_from(at.saturating_duration_since(since)).ok()?;
        time.checked_add(passed).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Duration = Duration::ZERO;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn engine(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap()
    }

    #[test]
    fn intervals_grow_while_nothing_changes_up_to_a_maximum() {
        let (mut schedule, at) = (Schedule::new(&Timeouts::default()), Instant::now());
        let mut delays = Vec::new();
        for _ in 0..8 {
            delays.push(schedule.delay(None, at, ZERO).as_millis());
            schedule.slow_down();
        }
        assert_eq!(delays, [200, 300, 450, 675, 1012, 1518, 2000, 2000]);
        schedule.restart();
        assert_eq!(schedule.delay(None, at, ZERO), millis(200));
    }

    #[test]
    fn a_poll_takes_place_when_a_change_is_due_and_then_at_growing_distances() {
        let (mut schedule, start) = (Schedule::new(&Timeouts::default()), Instant::now());
        (0..8).for_each(|_| schedule.slow_down());
        // Without a time of the engine, it is not known when the change is due.
        assert_eq!(schedule.delay(Some(engine(900)), start, ZERO), millis(2000));
        schedule.record(engine(0), start);
        let delay = |at: u64, due| schedule.delay(Some(engine(due)), start + millis(at), ZERO).as_millis();
        assert_eq!([delay(0, 900), delay(300, 900), delay(880, 900)], [900, 600, 50]);
        assert_eq!([delay(910, 900), delay(1000, 900), delay(1700, 900)], [50, 100, 800]);
        assert_eq!([delay(0, 5000), delay(9000, 900)], [2000, 2000]);
    }

    #[test]
    fn the_latest_known_time_of_the_engine_counts() {
        let (mut schedule, start) = (Schedule::new(&Timeouts::default()), Instant::now());
        (0..8).for_each(|_| schedule.slow_down());
        schedule.record(engine(1000), start);
        // A `Date` is rounded down, so it may be earlier than the time that is already known.
        schedule.record(engine(1000), start + millis(700));
        let delay = |schedule: &Schedule| schedule.delay(Some(engine(2500)), start + millis(800), ZERO);
        assert_eq!(delay(&schedule), millis(700));
        schedule.record(engine(2000), start + millis(800));
        assert_eq!(delay(&schedule), millis(500));
    }

    #[test]
    fn polls_of_many_services_leave_the_engine_time_for_its_work() {
        let (mut schedule, start) = (Schedule::new(&Timeouts::default()), Instant::now());
        schedule.record(engine(0), start);
        let delay = |took| schedule.delay(Some(engine(60)), start, millis(took)).as_millis();
        assert_eq!([delay(1), delay(30), delay(400)], [60, 120, 200]);
    }
}
