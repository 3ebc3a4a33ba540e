//! `status` and `wait` on a real engine: the tasks decide, whatever the engine reports.

use super::engine::{engine, small};
use crate::support::exit::Exit;
use crate::support::fixtures::{NEW, OLD};

#[test]
fn a_service_is_under_way_until_it_has_converged() {
    let engine = engine();
    let _web = engine.create(&small("st-web", OLD));
    // Even if the task runs already, the monitor period has not passed yet.
    engine.swarmctl(&["status", "st-web"]).run().answers(Exit::Different).prints(&["in progress"]);
    engine.swarmctl(&["wait", "st-web"]).run().succeeds().prints(&["st-web: converged"]);
    engine.swarmctl(&["status", "st-web"]).run().succeeds().prints(&["converged", "1/1", OLD]);

    engine.swarmctl(&["update-image", "-d", "--no-resolve-image", "st-web", NEW]).run().succeeds();
    engine.swarmctl(&["status", "st-web"]).run().answers(Exit::Different);
    engine.swarmctl(&["wait", "-q", "st-web"]).run().succeeds();
    engine.swarmctl(&["rollback", "-q", "st-web"]).run().succeeds();
    // A rollback that was requested is not a failure.
    engine.swarmctl(&["status", "st-web"]).run().succeeds().prints(&[OLD]);
    engine.swarmctl(&["wait", "st-web"]).run().succeeds();
}

#[test]
fn failed_and_removed_services_do_not_end_the_wait_for_the_others() {
    let engine = engine();
    let _good = engine.create(&small("st-good", OLD));
    let mut bad = small("st-bad", "opera443399/whoami:none");
    bad["TaskTemplate"]["RestartPolicy"]["Condition"] = "any".into();
    let _bad = engine.create(&bad);
    let mut stuck = small("st-stuck", OLD);
    stuck["UpdateConfig"]["Monitor"] = 600_000_000_000_u64.into();
    let stuck = engine.create(&stuck);

    let mut running = engine.swarmctl(&["wait", "st-stuck", "st-bad", "st-good"]).spawn();
    engine
        .wait_until("the service that will be removed runs", |engine| engine.running_tasks(stuck.id()) == 1);
    std::thread::sleep(std::time::Duration::from_millis(500));
    drop(stuck);
    let run = running.wait().fails_with(Exit::RolloutFailed).prints(&["st-good: converged"]);
    run.says(&[
        "No such image: opera443399/whoami:none",
        "service `st-stuck`",
        "removed while swarmctl waited for it",
    ]);
    // Between the end of a task and the start of the next one, `status` reports no failure yet.
    engine.wait_until("the status is that it failed", |engine| {
        let run = engine.swarmctl(&["status", "st-good", "st-bad"]).run().exits_one_of(&[5, 10]);
        run.prints(&["st-good   converged"]).code == Some(5)
    });
}
