//! swarmctl is killed at random moments of a recorded batch and of its undo. The journal must state for each service
//! what the engine holds, and a repeated undo must complete.

use std::thread;
use std::time::Duration;

use super::*;
use crate::support::figures::{count_from_env, record_figure};
use crate::support::fixtures::NEW;

/// The number of services of the batch.
const SERVICES: usize = 60;

/// The number of kills of a command, by the moment of the kill.
struct Kills {
    /// Kills come within this time: the duration of the command, reduced whenever the command ends before a kill.
    duration: Duration,
    /// The kills before the record was complete.
    unrecorded: usize,
    /// The kills after the record and before the first post.
    before_posts: usize,
    /// The kills between two posts.
    within_posts: usize,
    /// The kills after the last post and before the outcome.
    before_outcome: usize,
    /// The kills after the outcome.
    after_outcome: usize,
}

impl Kills {
    fn new(duration: Duration) -> Self {
        Self {
            duration,
            unrecorded: 0,
            before_posts: 0,
            within_posts: 0,
            before_outcome: 0,
            after_outcome: 0,
        }
    }

    fn count(&self) -> usize {
        self.unrecorded + self.before_posts + self.within_posts + self.before_outcome + self.after_outcome
    }

    fn describe(&self) -> String {
        format!(
            "{} before the record, {} before the first post, {} between posts, {} before the outcome, {} after it",
            self.unrecorded, self.before_posts, self.within_posts, self.before_outcome, self.after_outcome
        )
    }
}

struct Batch {
    engine: &'static Engine,
    /// The specs before the batch, by service name.
    before: BTreeMap<String, String>,
}

impl Batch {
    fn update(&self) -> Swarmctl {
        let line = format!("update-image --no-resolve-image --detach --stack hk {NEW}");
        on(self.engine, &line.split(' ').collect::<Vec<_>>())
    }

    fn undo(&self, number: u64) -> Swarmctl {
        on(self.engine, &["undo", "--detach", "--json", &number.to_string()])
    }

    fn newest_run(&self) -> u64 {
        let json = run(self.engine, "history --json -n 1").succeeds().json();
        json["runs"][0]["run"].as_u64().unwrap_or(0)
    }

    /// Kills the command at a random moment, unless it ends earlier. Returns the number of its run if there is one.
    fn kill(&self, command: Swarmctl, kills: &mut Kills) -> Option<u64> {
        let (newest, before) = (self.newest_run(), specs(self.engine));
        let mut running = command.spawn();
        thread::sleep(kills.duration.mul_f64(fastrand::f64()));
        running.signal("KILL");
        let is_killed = running.wait().signal == Some(9);
        // A post that was being sent may still be accepted, also between the requests below.
        let (now, number, shown) = loop {
            let (now, number) = (specs(self.engine), self.newest_run());
            let shown = (number != newest).then(|| shown(self.engine, number));
            thread::sleep(Duration::from_millis(100));
            if specs(self.engine) == now && self.newest_run() == number {
                break (now, number, shown);
            }
        };
        let changed = now.iter().filter(|(name, spec)| before[*name] != **spec).count();
        let count = if let Some(shown) = shown {
            let services = check_states(&shown, &before, &now);
            match (changed, shown["outcome"] == "started") {
                (0, true) => &mut kills.before_posts,
                (changed, true) if changed < services => &mut kills.within_posts,
                (_, true) => &mut kills.before_outcome,
                (_, false) => &mut kills.after_outcome,
            }
        } else {
            assert_eq!(changed, 0, "posted without a record");
            &mut kills.unrecorded
        };
        if is_killed {
            *count += 1;
        } else if number != newest {
            kills.duration = kills.duration.mul_f64(0.9);
        }
        (number != newest).then_some(number)
    }
}

#[test]
fn a_killed_batch_is_known_and_its_undo_completes() {
    let engine = own("hkill");
    let rounds = count_from_env("SWARMCTL_TEST_KILLS", 6);
    let names: Vec<String> = (0..SERVICES).map(|n| format!("hk-{n:02}")).collect();
    let _services: Vec<Removed> = names.iter().map(|name| engine.create(&of_stack(name, "hk"))).collect();
    let batch = Batch { engine, before: specs(engine) };
    // The durations are those of the second runs, because the first ones are slower.
    let [mut of_batch, mut of_undo] = [Kills::new(Duration::ZERO), Kills::new(Duration::ZERO)];
    for _ in 0..2 {
        of_batch.duration = batch.update().run().succeeds().took;
        of_undo.duration = batch.undo(batch.newest_run()).run().succeeds().took;
    }
    while of_batch.count() < rounds || of_undo.count() < rounds {
        let Some(number) = batch.kill(batch.update(), &mut of_batch) else { continue };
        batch.kill(batch.undo(number), &mut of_undo);
        let run = batch.undo(number).run().succeeds();
        assert_eq!(specs(engine), batch.before, "every spec is as before\n{}", run.report());
    }
    record_figure(
        &format!(
            "{} kills (SIGKILL) at random moments of a recorded batch of {SERVICES} updates, and {} more of its undo",
            of_batch.count(),
            of_undo.count()
        ),
        &format!(
            "0 posts without a record, every state as the engine holds it, every repeated undo complete (batch: {}; undo: {})",
            of_batch.describe(),
            of_undo.describe()
        ),
    );
}
