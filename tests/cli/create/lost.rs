//! `create` with lost responses. Requests: 1 ping, 2 the nodes, 3 post.

use std::time::Duration;

use super::{create, posted, swarm};
use crate::support::exit::Exit;
use crate::support::fake_swarm::{FakeSwarm, InjectedFault, RequestKind};
use crate::support::fixtures::{OLD, spec};
use crate::support::run::quiet;
use crate::support::server::{Answer, Listener, ResponseFault};

#[test]
fn a_created_service_is_found_by_its_name_after_a_lost_response() {
    for fault in
        [ResponseFault::Cut(0), ResponseFault::Cut(60), ResponseFault::Garble(0), ResponseFault::Garble(60)]
    {
        let swarm = swarm();
        swarm.breaks(InjectedFault::by(3, fault));
        let run = create(&["--name", "t001", "-p", "80:80", "img"]).host(swarm.host()).run().succeeds();
        assert_eq!(run.stdout, format!("{}\n", swarm.service("t001").id));
        assert_eq!((swarm.world().services.len(), swarm.posts().len()), (1, 1));
    }
}

#[test]
fn a_created_service_without_a_name_is_found_by_its_spec_after_a_lost_response() {
    let swarm = FakeSwarm::start();
    // Neither an older service with an equal spec nor a new service with another spec is taken for the created one.
    let mut older = posted(&["--label", "a=b", "-e", "X=1", "img"]);
    older["Name"] = "older".into();
    swarm.world().add(older);
    swarm.after(RequestKind::Create, 1, |world| {
        world.add(spec("someone-elses", OLD));
        world.service("someone-elses").created = jiff::Timestamp::now();
    });
    swarm.breaks(InjectedFault::lost(3));
    let run = create(&["--label", "a=b", "-e", "X=1", "img"]).host(swarm.host()).run().succeeds();
    let world = swarm.world();
    let ours: Vec<_> = world.services.iter().filter(|service| !service.taken.is_empty()).collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(run.stdout, format!("{}\n", ours[0].id));
}

#[test]
fn fails_with_unknown_if_several_new_services_have_equal_specs() {
    let swarm = FakeSwarm::start();
    swarm.after(RequestKind::Create, 1, |world| {
        let mut twin = world.services[0].clone();
        twin.id = "twin0000000000000000twin0".into();
        twin.spec["Name"] = "twin".into();
        world.services.push(twin);
    });
    swarm.breaks(InjectedFault::lost(3));
    create(&["img"]).host(swarm.host()).run().fails_with(Exit::Unknown).tells_an_error();
    assert_eq!(swarm.posts().len(), 1);
}

#[test]
fn a_lost_create_is_not_repeated_or_reported_as_applied() {
    for name in [&["--name", "t001"][..], &[]] {
        let swarm = FakeSwarm::start();
        swarm.breaks(InjectedFault::lost(3).unhandled());
        let run = create(&[name, &["img"]].concat()).host(swarm.host()).run();
        let made = swarm.world().services.len();
        match run.code {
            Some(0) => assert_eq!(made, 1, "{}", run.report()),
            Some(1 | 8) => assert_eq!(made, 0, "{}", run.report()),
            _ => panic!("{}", run.report()),
        }
        if name.is_empty() {
            assert_eq!(swarm.posts().len(), 1, "nothing guards a second post without a name");
        }
    }
}

#[test]
fn an_older_service_of_that_name_is_not_taken_for_the_created_one() {
    for handled in [true, false] {
        let swarm = FakeSwarm::start();
        let mut theirs = posted(&["--name", "t001", "img"]);
        theirs["Labels"]["theirs"] = "yes".into();
        swarm.world().add(theirs);
        let mut broken = InjectedFault::lost(3);
        broken.handled = handled;
        swarm.breaks(broken);
        let run = create(&["--name", "t001", "img"])
            .host(swarm.host())
            .run()
            .fails_with(Exit::Failed)
            .tells_an_error();
        run.says(&["t001"]);
        assert_eq!(swarm.world().services.len(), 1);
    }
}

#[test]
fn fails_with_unknown_if_a_lost_response_cannot_be_looked_up() {
    for listener in [Listener::Closing, Listener::Refusing] {
        for handled in [true, false] {
            for name in [&["--name", "t001"][..], &[]] {
                let swarm = FakeSwarm::start();
                let mut broken = InjectedFault::lost(3).then(listener);
                broken.handled = handled;
                swarm.breaks(broken);
                let run = create(&[name, &["img"]].concat())
                    .host(swarm.host())
                    .run()
                    .fails_with(Exit::Unknown)
                    .tells_an_error();
                assert!(run.took < Duration::from_secs(5), "{}", run.report());
                assert_eq!(swarm.posts().len(), 1);
            }
        }
    }
}

#[test]
fn compares_creation_times_with_the_engines_clock() {
    for hours in [-30, 30] {
        for name in [&["--name", "t001"][..], &[]] {
            let swarm = FakeSwarm::start();
            swarm.world().clock = jiff::SignedDuration::from_hours(hours);
            swarm.breaks(InjectedFault::lost(3));
            let run = create(&[name, &["img"]].concat()).host(swarm.host()).run().succeeds();
            assert_eq!(run.stdout, format!("{}\n", swarm.world().services[0].id));
        }
    }
}

#[test]
fn fails_with_unknown_if_the_clocks_of_the_managers_differ() {
    for name in [&["--name", "t001"][..], &[]] {
        let swarm = FakeSwarm::start();
        swarm.after(RequestKind::Create, 1, |world| {
            world.services[0].created -= jiff::SignedDuration::from_secs(5);
        });
        swarm.breaks(InjectedFault::lost(3));
        create(&[name, &["img"]].concat())
            .host(swarm.host())
            .run()
            .fails_with(Exit::Unknown)
            .tells_an_error();
        assert_eq!(swarm.posts().len(), 1);
    }
}

#[test]
fn a_response_without_an_id_is_looked_up() {
    for body in ["{}", "", "null", "<html>", "{\"ID\":\"\"}", "{\"ID\":7}"] {
        let swarm = FakeSwarm::start();
        swarm.breaks(InjectedFault::instead(3, Answer::json(201, body)));
        let run = create(&["--name", "t001", "img"]).host(swarm.host()).run().succeeds();
        assert_eq!(run.stdout, format!("{}\n", swarm.service("t001").id), "{body:?}");
        assert_eq!(swarm.posts().len(), 1);
    }
}

#[test]
fn a_signal_during_the_post_reports_that_it_may_have_been_applied() {
    let _quiet = quiet();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let swarm = FakeSwarm::start();
        swarm.breaks(InjectedFault::by(3, ResponseFault::Stall(0)));
        let mut running = create(&["--name", "t001", "img"]).host(swarm.host()).spawn();
        swarm.wait_for_requests(3);
        let sent = std::time::Instant::now();
        running.signal(signal);
        let run = running.wait().exits(code).tells_an_error();
        assert!(sent.elapsed() < Duration::from_millis(500), "{}", run.report());
        run.says(&["may have been"]);
    }
}
