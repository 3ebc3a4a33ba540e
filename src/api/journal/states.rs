//! What became of the services that a run did not change, as the text of a label: `0=not_applied,2-9=not_started`.

use std::collections::BTreeMap;

use super::places::RunState;
use crate::api::records::fields::MAX_SERVICES;

/// The states of services, by their positions in the record.
pub type States = BTreeMap<usize, RunState>;

/// Formats the states. Adjacent services with the same state are one range.
pub(super) fn to_text(states: &States) -> String {
    let mut ranges: Vec<(usize, usize, RunState)> = Vec::new();
    for (&at, &state) in states {
        match ranges.last_mut() {
            Some((_, last, same)) if *last + 1 == at && *same == state => *last = at,
            _ => ranges.push((at, at, state)),
        }
    }
    let range = |(first, last, state): &(usize, usize, RunState)| {
        let last = if last == first { String::new() } else { format!("-{last}") };
        format!("{first}{last}={}", state.as_str())
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(",")
}

/// Parses the text. Invalid ranges are left out.
pub(super) fn parse(text: &str) -> States {
    let mut states = States::new();
    for (first, last, state) in text.split(',').filter_map(parse_range) {
        // The ranges are in ascending order, so that a forged label takes no longer than a valid one.
        let is_next = states.last_key_value().is_none_or(|(newest, _)| *newest < first);
        if is_next && last < MAX_SERVICES {
            states.extend((first..=last).map(|at| (at, state)));
        }
    }
    states
}

fn parse_range(text: &str) -> Option<(usize, usize, RunState)> {
    let (range, state) = text.split_once('=')?;
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let known = [RunState::NotStarted, RunState::NotApplied];
    let state = known.into_iter().find(|known| known.as_str() == state)?;
    Some((first.parse().ok()?, last.parse().ok()?, state))
}
