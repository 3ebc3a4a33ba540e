//! Lists of steps, and the number of tasks of a round.

use serde_json::json;

use super::*;

fn parse(text: &str) -> Result<String, InvalidSteps> {
    StepList::parse(text).map(|list| list.to_string())
}

#[test]
fn a_list_ends_with_100_percent() {
    for (text, list) in [
        ("1,25%,100%", "1,25%,100%"),
        ("1", "1,100%"),
        ("20%", "20%,100%"),
        ("100%", "100%"),
        ("1, 5 ,30%", "1,5,30%,100%"),
        ("5,10%,7,20%", "5,10%,7,20%,100%"),
        ("1,1", "1,1,100%"),
        ("007,08%", "7,8%,100%"),
        ("18446744073709551615", "18446744073709551615,100%"),
    ] {
        assert_eq!(parse(text).as_deref(), Ok(list), "{text}");
        assert_eq!(parse(list).as_deref(), Ok(list), "{list}");
    }
    assert_eq!(StepList::hold(Step::Count(3)).to_texts(), ["3", "100%"]);
    assert_eq!(StepList::hold(Step::Percent(100)).to_texts(), ["100%"]);
}

#[test]
fn a_list_that_makes_no_sense_is_refused() {
    let not_a_step = |text: &str| InvalidSteps::NotAStep(text.to_owned());
    let decreasing = |a, b| InvalidSteps::Decreasing(a, b);
    for (text, why) in [
        ("", InvalidSteps::Empty),
        (" ", InvalidSteps::Empty),
        (",", not_a_step("")),
        ("1,,2", not_a_step("")),
        ("1,", not_a_step("")),
        ("one", not_a_step("one")),
        ("-1", not_a_step("-1")),
        ("+1", not_a_step("+1")),
        ("1.5", not_a_step("1.5")),
        ("12.5%", not_a_step("12.5%")),
        ("%", not_a_step("%")),
        ("5%%", not_a_step("5%%")),
        ("18446744073709551616", not_a_step("18446744073709551616")),
        ("0", InvalidSteps::Zero("0".to_owned())),
        ("0%", InvalidSteps::Zero("0%".to_owned())),
        ("101%", InvalidSteps::Above100("101%".to_owned())),
        ("300%", InvalidSteps::Above100("300%".to_owned())),
        ("5,3", decreasing(Step::Count(5), Step::Count(3))),
        ("50%,25%", decreasing(Step::Percent(50), Step::Percent(25))),
        ("5,50%,4", decreasing(Step::Count(5), Step::Count(4))),
        ("100%,50%", decreasing(Step::Percent(100), Step::Percent(50))),
    ] {
        assert_eq!(parse(text), Err(why), "{text:?}");
    }
    let many = |steps: usize| vec!["1"; steps].join(",");
    assert!(parse(&many(MAX_STEPS)).is_ok());
    assert_eq!(parse(&many(MAX_STEPS + 1)), Err(InvalidSteps::TooMany));
}

#[test]
fn percentages_are_rounded_up_for_every_number_of_tasks() {
    for of in 1..=10_000_u64 {
        for percentage in 1..=100_u8 {
            let target = Step::Percent(percentage).target(of);
            assert!((1..=of).contains(&target), "{percentage}% of {of}: {target}");
            let exact = of * u64::from(percentage);
            assert!(target * 100 >= exact && (target - 1) * 100 < exact, "{percentage}% of {of}: {target}");
        }
        for count in [1, 2, of, of + 1, u64::MAX] {
            assert_eq!(Step::Count(count).target(of), count.min(of));
        }
    }
    assert_eq!(Step::Percent(100).target(u64::MAX), u64::MAX);
    assert_eq!(Step::Count(5).target(0), 1);
}

#[test]
fn a_step_that_allows_no_further_task_is_skipped() {
    let step =
        |skipped: &[usize], number, target| NextStep::Step { skipped: skipped.to_vec(), number, target };
    let done = |skipped: &[usize]| NextStep::Done { skipped: skipped.to_vec() };
    for (list, completed, new, of, next) in [
        ("1,25%", 0, 0, 20, step(&[], 1, 1)),
        ("1,25%", 1, 1, 20, step(&[], 2, 5)),
        ("1,25%", 2, 5, 20, step(&[], 3, 20)),
        ("1,25%", 3, 20, 20, done(&[])),
        // 25% of 4 tasks is 1.
        ("1,25%", 1, 1, 4, step(&[2], 3, 4)),
        ("1,2,3,50%", 0, 0, 4, step(&[], 1, 1)),
        ("1,2,3,50%", 3, 3, 4, step(&[4], 5, 4)),
        // The engine has replaced more than a step allows.
        ("1,5,50%", 1, 6, 20, step(&[2], 3, 10)),
        ("1,5,50%", 1, 10, 20, step(&[2, 3], 4, 20)),
        ("1,5,50%", 1, 20, 20, done(&[2, 3, 4])),
        // A count that covers all tasks leaves nothing for 100%.
        ("1,30", 2, 20, 20, done(&[3])),
        // The service was scaled down since the last step. The next step must still exceed the last one.
        ("5,6,100%", 1, 3, 20, step(&[], 2, 6)),
        ("5,25%,100%", 1, 3, 20, step(&[2], 3, 20)),
        // The service was scaled up since the last step.
        ("1,30", 2, 20, 40, step(&[], 3, 40)),
    ] {
        assert_eq!(StepList::parse(list).unwrap().next(completed, new, of), next, "{list} after {completed}");
    }
}

#[test]
fn the_steps_of_any_list_ascend_and_end_with_all_tasks() {
    for list in ["1", "1,25%", "100%", "3,3,3", "1%,2%,50%", "1,2,3,4,5,6,7,8,9", "10000"] {
        let list = StepList::parse(list).unwrap();
        for of in 1..=200 {
            let (mut completed, mut new) = (0, 0);
            while let NextStep::Step { number, target, skipped } = list.next(completed, new, of) {
                assert!(target > new && target <= of && number > completed);
                assert_eq!(skipped, (completed + 1..number).collect::<Vec<_>>());
                (completed, new) = (number, target);
            }
            assert_eq!(new, of, "{list} of {of}");
        }
    }
}

#[test]
fn a_round_never_replaces_more_than_parallelism_allows() {
    for (config, missing, size) in [
        (None, 7, 1),
        (Some(json!({})), 7, 7),
        (Some(json!({"Parallelism": 0})), 7, 7),
        (Some(json!({"Parallelism": 1})), 7, 1),
        (Some(json!({"Parallelism": 3})), 7, 3),
        (Some(json!({"Parallelism": 9})), 7, 7),
        (Some(json!({"Parallelism": 3})), 0, 0),
    ] {
        assert_eq!(round_size(config.as_ref(), missing), size, "{config:?}");
    }
}

#[test]
fn other_steps_can_replace_the_rest_of_a_list() {
    let list = StepList::parse("1,25%").unwrap();
    assert_eq!(list.with_rest(1, &StepList::parse("10,50%").unwrap()).to_string(), "1,10,50%,100%");
    assert_eq!(list.with_rest(2, &StepList::parse("3").unwrap()).to_string(), "1,25%,3,100%");
}
