//! swarmctl is killed at random moments of a recorded batch and of its undo. The journal must state for each service what the
//! engine holds, and a repeated undo must complete.

use std::thread;
use std::time::Duration;

use super::*;
use crate::support::figures::{count_from_env, record_figure};
use crate::support::fixtures::NEW;

/// The number of services of the batch.
const SERVICES: usize = 60;

/// How often a process was killed, and when.
#[derive(Default)]
struct Kills {
    /// Before the record was complete.
    unrecorded: usize,
    /// After the record and before the first post.
    before_posts: usize,
    /// Between two posts.
    within_posts: usize,
    /// After the last post and before the outcome.
    before_outcome: usize,
    /// After the outcome.
    ended: usize,
}

impl Kills {
    fn describe(&self) -> String {
        format!(
            "{} before the record, {} before the first post, {} between posts, {} before the outcome, {} after it",
            self.unrecorded, self.before_posts, self.within_posts, self.before_outcome, self.ended
        )
    }
}

struct Batch {
    engine: &'static Engine,
    /// The specs before the batch.
    before: BTreeMap<String, String>,
    /// The duration of a run without a kill.
    whole: Duration,
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

    /// Kills the command at a random moment. Returns the specs, and the number of its run if there is one.
    fn kill(&self, command: Swarmctl, kills: &mut Kills) -> (BTreeMap<String, String>, Option<u64>) {
        let (newest, was) = (self.newest_run(), specs(self.engine));
        let mut running = command.spawn();
        // Most of the time is spent between the first and the last post.
        thread::sleep(self.whole.mul_f64(fastrand::f64() * 1.1));
        running.signal("KILL");
        running.wait();
        // A post that was being sent may still be accepted.
        thread::sleep(Duration::from_millis(100));
        let (now, number) = (specs(self.engine), self.newest_run());
        let changed = now.iter().filter(|(name, spec)| was[*name] != **spec).count();
        if number == newest {
            assert_eq!(changed, 0, "posted without a record");
            kills.unrecorded += 1;
            return (now, None);
        }
        let services = check_states(self.engine, number, &was, &now);
        let outcome = run(self.engine, &format!("history --json --run {number}")).json();
        match (changed, outcome["runs"][0]["outcome"] == "started") {
            (0, true) => kills.before_posts += 1,
            (changed, true) if changed < services => kills.within_posts += 1,
            (_, true) => kills.before_outcome += 1,
            (_, false) => kills.ended += 1,
        }
        (now, Some(number))
    }
}

#[test]
fn a_killed_batch_is_known_and_its_undo_completes() {
    let engine = own("hkill");
    let rounds = count_from_env("SWARMCTL_TEST_KILLS", 12);
    let names: Vec<String> = (0..SERVICES).map(|n| format!("hk-{n:02}")).collect();
    let _services: Vec<Removed> = names.iter().map(|name| engine.create(&of_stack(name, "hk"))).collect();
    let mut batch = Batch { engine, before: specs(engine), whole: Duration::ZERO };
    batch.whole = batch.update().run().succeeds().took;
    batch.undo(1).run().succeeds();
    let (mut of_batch, mut of_undo) = (Kills::default(), Kills::default());
    for _ in 0..rounds {
        let (_, Some(number)) = batch.kill(batch.update(), &mut of_batch) else { continue };
        batch.kill(batch.undo(number), &mut of_undo);
        let run = batch.undo(number).run().succeeds();
        assert_eq!(specs(engine), batch.before, "every spec is as before\n{}", run.report());
    }
    record_figure(
        &format!(
            "{rounds} kills (SIGKILL) at random moments of a recorded batch of {SERVICES} updates, and of its undo"
        ),
        &format!(
            "0 posts without a record, every state as the engine holds it, every repeated undo complete (batch: {}; undo: {})",
            of_batch.describe(),
            of_undo.describe()
        ),
    );
}
