use super::*;
use crate::api::resources::logs::Channel;

const NOW: Timestamp = Timestamp::constant(1_000, 0);

fn until(end: &str, query: &mut LogQuery) -> EndTime {
    EndTime::new(&super::super::since::parse(end).unwrap(), NOW, query)
}

fn admitted(until: &EndTime, message: &str) -> Option<String> {
    until.admit(message.into()).map(|it| String::from_utf8(it.message).unwrap())
}

#[test]
fn keeps_what_was_logged_up_to_the_end_in_the_form_that_was_requested() {
    let (at, after) = ("1970-01-01T00:10:00.000000000Z", "1970-01-01T00:10:00.000000001Z");
    for (times, details, last, shown) in [
        (false, false, None, "x\n"),
        (false, false, Some(3), "x\n"),
        (true, false, Some(3), &*format!("{at} x\n")),
        (true, true, None, &*format!("{at} a=b x\n")),
        (false, true, Some(3), "a=b x\n"),
    ] {
        let mut query = LogQuery { timestamps: times, details, tail: last, ..LogQuery::default() };
        let until = until("600", &mut query);
        assert!(query.timestamps && query.tail.is_none());
        let sent = if query.details { "a=b x\n" } else { "x\n" };
        assert_eq!(admitted(&until, &format!("{at} {sent}")).as_deref(), Some(shown), "{shown}");
        assert_eq!(admitted(&until, &format!("{after} {sent}")), None);
    }
    assert_eq!(admitted(&until("600", &mut LogQuery::default()), "no time\n").as_deref(), Some("no time\n"));
}

#[test]
fn follows_until_an_end_in_the_future_and_not_after_one_in_the_past() {
    for (end, follows) in [("10s", false), ("1000", false), ("1001", true), ("-5s", true)] {
        let mut query = LogQuery { follow: true, tail: Some(2), ..LogQuery::default() };
        let until = until(end, &mut query);
        assert_eq!(
            (query.follow, query.deadline.is_some(), query.tail.is_some()),
            (follows, follows, follows),
            "{end}"
        );
        assert!(!until.has_passed());
    }
}

#[test]
fn the_last_lines_are_those_of_each_task() {
    let until = until("10s", &mut LogQuery { tail: Some(2), ..LogQuery::default() });
    let mut last = until.last_lines().unwrap();
    for line in ["a1", "b1", "a2", "a3"] {
        last.push(line[..1].into(), Channel::Stdout, line.into()).unwrap();
    }
    let lines: Vec<_> = last.into_lines().map(|(_, line)| String::from_utf8(line).unwrap()).collect();
    assert_eq!(lines, ["b1", "a2", "a3"]);
    let mut none = EndTime { last: Some(0), ..until }.last_lines().unwrap();
    none.push(Vec::new(), Channel::Stdout, b"x".to_vec()).unwrap();
    assert_eq!(none.into_lines().count(), 0);
}
