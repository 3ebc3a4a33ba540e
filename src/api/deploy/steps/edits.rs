//! The edits of a held update, and how they are reverted.

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use crate::api::records::edits::edits_of_run;
use crate::api::records::held_value::{Holds, holds};
use crate::api::records::plan::{Difference, PlannedEdit, check_edit, parse_edit};
use crate::api::spec::{Edit, Op, Place, apply_all, changes};

/// An edit, and what is needed to revert it exactly. If the restored spec differed from the old one, the engine would
/// also replace the tasks that still run the old spec.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldEdit {
    /// The edit, with the values before and after.
    pub edit: PlannedEdit,
    /// Where the item was, if the edit removes an item of a list.
    pub position: Option<Position>,
    /// How many of the objects and lists that enclose the place were created by the edit.
    pub created: usize,
}

/// Where an item of a list was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its index.
    pub at: u64,
    /// A hash of the items that the update does not change.
    pub rest: String,
}

/// The value that each place of an update must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The value after the update.
    New,
    /// The value before the update.
    Old,
}

impl HeldEdit {
    /// The edits that change one spec to another.
    pub(super) fn all_between(before: &Value, after: &Value) -> Vec<Self> {
        let edits = edits_of_run(&changes(before, after), Some((before, after)));
        let places: Vec<Place> = edits.iter().map(|edit| edit.place().clone()).collect();
        let held = |edit: PlannedEdit| {
            let position = position(&edit, &places, before);
            let created = created(&edit, before);
            Self { edit, position, created }
        };
        edits.into_iter().map(held).collect()
    }

    /// The edit as in a plan file, with the position (`at` and `rest`) if there is one, and `created` unless it is 0.
    pub fn to_json(&self) -> Value {
        let mut object = self.edit.to_json();
        if let Some(Position { at, rest }) = &self.position {
            object["at"] = (*at).into();
            object["rest"] = rest.as_str().into();
        }
        if self.created > 0 {
            object["created"] = self.created.into();
        }
        object
    }

    /// Parses one edit.
    ///
    /// # Errors
    /// The reason why it is not a valid edit.
    pub(super) fn parse(object: &Map<String, Value>) -> Result<Self, String> {
        let mut object = object.clone();
        let (at, rest, created) =
            (object.shift_remove("at"), object.shift_remove("rest"), object.shift_remove("created"));
        let edit = parse_edit(&object)?;
        if !matches!(edit.edit.op, Op::Set(_) | Op::Remove) || edit.edit.place.pattern().is_some() {
            return Err("only `set` and `remove` of one place can be held".to_owned());
        }
        // An abort posts the old value, so the old value is checked too.
        check_edit(&inverse(&edit)).map_err(|why| format!("`from`: {why}"))?;
        let position = match (&at, &rest) {
            (None, None) => None,
            (Some(at), Some(Value::String(rest))) if at.is_u64() && edit.place().item_id().is_some() => {
                at.as_u64().map(|at| Position { at, rest: rest.clone() })
            }
            _ => return Err("`at` and `rest` are not the position of an item".to_owned()),
        };
        let around = edit.place().keys().len();
        let created = match created {
            None => 0,
            Some(created) => match created.as_u64().and_then(|created| usize::try_from(created).ok()) {
                Some(created) if (1..=around).contains(&created) => created,
                _ => return Err("`created` is out of range".to_owned()),
            },
        };
        Ok(Self { edit, position, created })
    }
}

/// The places that hold another value than expected.
pub(super) fn differences(edits: &[HeldEdit], spec: &Value, expected: Expected) -> Vec<Difference> {
    let differs = |held: &&HeldEdit| {
        let PlannedEdit { edit, from, to } = &held.edit;
        // `holds` compares with `to`, so the values are swapped if the old one is expected.
        let asked = match expected {
            Expected::New => held.edit.clone(),
            Expected::Old => PlannedEdit { edit: edit.clone(), from: to.clone(), to: from.clone() },
        };
        holds(&asked, spec) != Holds::To
    };
    let difference = |held: &HeldEdit| Difference {
        place: held.edit.place().clone(),
        planned_from: held.edit.from.clone(),
        now: held.edit.place().get(spec).cloned(),
        planned_to: held.edit.to.clone(),
    };
    edits.iter().filter(differs).map(difference).collect()
}

/// The edits that restore the old values in this spec.
pub(super) fn inverse_edits(edits: &[HeldEdit], spec: &Value) -> Vec<Edit> {
    let mut back: Vec<Edit> = edits.iter().map(|held| inverse(&held.edit)).collect();
    let mut after = spec.clone();
    apply_all(&mut after, &back);
    for held in edits {
        if let Some(list) = reordered(held, edits, &after, spec) {
            apply_all(&mut after, std::slice::from_ref(&list));
            back.push(list);
        }
    }
    let mut empty: Vec<(Place, Value)> = Vec::new();
    for held in edits {
        let depth = held.edit.place().keys().len() - usize::from(held.edit.place().item_id().is_none());
        for depth in (1..=depth).rev().take(held.created) {
            let place = ancestor(held.edit.place(), depth);
            let is_empty = match place.get(&after) {
                Some(Value::Object(map)) => map.is_empty(),
                Some(Value::Array(items)) => items.is_empty(),
                _ => false,
            };
            if is_empty && let Some(value) = place.get(&after).cloned() {
                apply_all(&mut after, &[Edit::remove(place.clone())]);
                empty.push((place, value));
            }
        }
    }
    back.extend(empty.into_iter().map(|(place, value)| Edit::clear(place, value)));
    back
}

fn inverse(edit: &PlannedEdit) -> Edit {
    match &edit.from {
        Some(from) => Edit::set(edit.place().clone(), from.clone()),
        None => Edit::remove(edit.place().clone()),
    }
}

/// The edit that moves restored items of a list to their old positions. `None` if they are in their old positions, or
/// if other items of the list have changed.
fn reordered(held: &HeldEdit, edits: &[HeldEdit], after: &Value, now: &Value) -> Option<Edit> {
    let place = held.edit.place();
    let list = place.list();
    let of_list = || edits.iter().filter(|other| other.edit.place().list() == list);
    // One edit is enough for all items of the list, so only the first item has an edit.
    let is_first = of_list().find(|other| other.position.is_some()).is_some_and(|first| first == held);
    let position = held.position.as_ref().filter(|_| is_first)?;
    let places: Vec<Place> = of_list().map(|other| other.edit.place().clone()).collect();
    if rest_of(&list, &places, now) != position.rest {
        return None;
    }
    let mut removed: Vec<(u64, &HeldEdit)> =
        of_list().filter_map(|other| Some((other.position.as_ref()?.at, other))).collect();
    removed.sort_by_key(|(at, _)| *at);
    let mut items = list.get(after).and_then(Value::as_array)?.clone();
    let is_removed =
        |item: &Value| removed.iter().any(|(_, it)| *it.edit.place() == list.clone().item_of(item));
    items.retain(|item| !is_removed(item));
    for (at, item) in removed {
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(items.len());
        items.insert(at, item.edit.from.clone()?);
    }
    let items = Value::Array(items);
    (list.get(after) != Some(&items)).then(|| Edit::set(list, items))
}

fn position(edit: &PlannedEdit, places: &[Place], before: &Value) -> Option<Position> {
    let place = edit.place();
    place.item_id().filter(|_| edit.to.is_none())?;
    let list = place.list();
    let items = list.get(before)?.as_array()?;
    let at = items.iter().position(|item| list.clone().item_of(item) == *place)?;
    Some(Position { at: at as u64, rest: rest_of(&list, places, before) })
}

/// A hash of the items of a list, except those at these places.
fn rest_of(list: &Place, places: &[Place], spec: &Value) -> String {
    let items = list.get(spec).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rest: Vec<&Value> =
        items.iter().filter(|item| !places.contains(&list.clone().item_of(item))).collect();
    let text = Value::from(rest.into_iter().cloned().collect::<Vec<_>>()).to_string();
    digest(&SHA256, text.as_bytes()).as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The number of objects and lists that enclose the place of an edit and do not exist before it.
fn created(edit: &PlannedEdit, before: &Value) -> usize {
    if edit.from.is_some() {
        return 0;
    }
    let place = edit.place();
    let depth = place.keys().len() - usize::from(place.item_id().is_none());
    (1..=depth).rev().take_while(|depth| ancestor(place, *depth).get(before).is_none()).count()
}

/// The place that the first `depth` keys of another place lead to.
fn ancestor(place: &Place, depth: usize) -> Place {
    let mut keys = place.keys().iter().take(depth);
    let top = Place::top(keys.next().map_or("", String::as_str));
    keys.fold(top, |place, key| place.key(key))
}
