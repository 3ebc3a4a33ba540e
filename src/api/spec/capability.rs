//! The edits for `--cap-add` and `--cap-drop` on a service, by docker's rules.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place::Identity;
use super::{Edit, Op, Place, create};

const ALL: &str = "ALL";
const RESET: &str = "RESET";

/// One of the two lists of capabilities in a spec, and the values of its flag.
struct List {
    place: Place,
    /// The capabilities in the spec.
    current: BTreeSet<String>,
    /// The capabilities in the flag, without `RESET`.
    given: BTreeSet<String>,
    /// Whether the flag contains `RESET`: the list is emptied first.
    is_reset: bool,
    /// The capabilities that the list will contain.
    result: BTreeSet<String>,
}

/// Replaces the edits of the two lists by edits of single capabilities, or of a whole list for `ALL` and `RESET`.
///
/// A capability that is both added and dropped is added. Adding a dropped capability only removes it from the list of
/// dropped capabilities, and vice versa. `RESET` empties its list first, and `ALL` makes all other names in its list
/// redundant. Names are compared in the engine's notation: `net_admin` in a spec is `CAP_NET_ADMIN`.
pub(super) fn resolve_semantics(edits: Vec<Edit>, spec: &Value) -> Vec<Edit> {
    let (mut add, mut drop) =
        (List::new(create::CAP_ADD, &edits, spec), List::new(create::CAP_DROP, &edits, spec));
    let mut edits: Vec<Edit> =
        edits.into_iter().filter(|edit| edit.place != add.place && edit.place != drop.place).collect();
    let dropped: Vec<String> = drop.given.difference(&add.given).cloned().collect();
    for name in &dropped {
        move_to(name, &mut drop, &mut add);
    }
    for name in add.given.clone() {
        move_to(&name, &mut add, &mut drop);
    }
    edits.extend(drop.edits(spec, dropped.iter(), add.given.iter()));
    edits.extend(add.edits(spec, add.given.iter(), dropped.iter()));
    edits
}

/// Removes the name from the other list. If it is not in the other list, adds it to its own.
fn move_to(name: &str, own: &mut List, other: &mut List) {
    if !other.result.remove(name) {
        own.result.insert(name.to_owned());
    }
}

impl List {
    fn new(path: &str, edits: &[Edit], spec: &Value) -> Self {
        let place = Place::at(path);
        let names = |list: &Value| -> BTreeSet<String> {
            list.as_array().into_iter().flatten().map(|item| Identity::Capability.id_of_item(item)).collect()
        };
        let given = edits.iter().filter(|edit| edit.place == place).filter_map(|edit| match &edit.op {
            Op::Set(list) => Some(list),
            _ => None,
        });
        let mut given: BTreeSet<String> = given.flat_map(names).collect();
        let is_reset = given.remove(RESET);
        let current = place.get(spec).map(names).unwrap_or_default();
        let result = if is_reset { BTreeSet::new() } else { current.clone() };
        Self { place, current, given, is_reset, result }
    }

    /// The edits that produce the result. An edit that removes a name is included even if the list does not
    /// contain the name, so that another writer who adds it at the same time causes a conflict.
    fn edits<'a>(
        &self,
        spec: &Value,
        entered: impl Iterator<Item = &'a String>,
        left: impl Iterator<Item = &'a String>,
    ) -> Vec<Edit> {
        let set = |names: &[&str]| match names {
            [] => Edit::remove(self.place.clone()),
            names => Edit::set(self.place.clone(), names.to_vec()),
        };
        let has_all = self.result.contains(ALL);
        if has_all && (self.is_reset || !self.current.contains(ALL)) {
            return vec![set(&[ALL])];
        }
        if self.is_reset {
            return vec![set(&self.result.iter().map(String::as_str).collect::<Vec<_>>())];
        }
        let removed = left.map(|name| Edit::remove(self.place.clone().item(name)));
        let added = entered.filter(|name| self.result.contains(*name) && !has_all).map(|name| {
            let place = self.place.clone().item(name);
            // A capability that the list has in another notation is not rewritten.
            let item = place.get(spec).cloned().unwrap_or_else(|| name.as_str().into());
            Edit { place, op: Op::Set(item) }
        });
        removed.chain(added).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::values::container::capabilities;
    use super::super::{apply_all, values};
    use super::*;

    /// Docker's own algorithm, which works on sets. It was compared with docker 28.2 in 2628 updates. Each started
    /// from a state of the test below, and had one to three of the test's names.
    fn docker(state: [&[&str]; 2], line: [&[&str]; 2]) -> [Vec<String>; 2] {
        let set = |names: &[&str]| -> BTreeSet<String> {
            names.iter().map(|name| values::container::capability(name).unwrap()).collect()
        };
        let ([mut add, mut drop], [mut to_add, mut to_drop]) = (state.map(set), line.map(set));
        for (list, given) in [(&mut add, &mut to_add), (&mut drop, &mut to_drop)] {
            if given.remove(RESET) {
                list.clear();
            }
        }
        for name in to_drop.difference(&to_add) {
            if !add.remove(name) {
                drop.insert(name.clone());
            }
        }
        for name in to_add {
            if !drop.remove(&name) {
                add.insert(name);
            }
        }
        [add, drop]
            .map(|list| if list.contains(ALL) { vec![ALL.to_owned()] } else { list.into_iter().collect() })
    }

    fn spec(state: [&[&str]; 2]) -> Value {
        json!({"TaskTemplate": {"ContainerSpec": {"CapabilityAdd": state[0], "CapabilityDrop": state[1]}}})
    }

    fn edited(state: [&[&str]; 2], line: [&[&str]; 2]) -> Value {
        let lists = [create::CAP_ADD, create::CAP_DROP];
        let given = lists.iter().zip(line).filter(|(_, names)| !names.is_empty());
        let given = given.map(|(path, names)| Edit::set(Place::at(path), capabilities(names).unwrap()));
        let mut after = spec(state);
        let edits = resolve_semantics(given.collect(), &after);
        apply_all(&mut after, &edits);
        let once = after.clone();
        apply_all(&mut after, &edits);
        assert_eq!(after, once, "applied twice: {state:?} {line:?}");
        after
    }

    /// The names in each of the two lists. If a list has `ALL`, its other names are left out.
    fn names(spec: &Value) -> [Vec<String>; 2] {
        [create::CAP_ADD, create::CAP_DROP].map(|path| {
            let list = Place::at(path).get(spec).and_then(Value::as_array).cloned().unwrap_or_default();
            let names: BTreeSet<String> =
                list.iter().map(|item| Identity::Capability.id_of_item(item)).collect();
            if names.contains(ALL) { vec![ALL.to_owned()] } else { names.into_iter().collect() }
        })
    }

    #[test]
    fn adds_and_drops_what_docker_adds_and_drops_from_every_state() {
        const STATES: [&[&str]; 6] = [
            &[],
            &["CAP_NET_ADMIN"],
            &["NET_ADMIN"],
            &["ALL"],
            &["all", "CAP_NET_ADMIN"],
            &["CAP_CHOWN", "net_admin"],
        ];
        const WORDS: [&str; 5] = ["ALL", "RESET", "NET_ADMIN", "CAP_NET_ADMIN", "net_admin"];
        let mut given: Vec<Vec<&str>> = vec![Vec::new()];
        given.extend(WORDS.iter().map(|word| vec![*word]));
        given.extend(WORDS.iter().flat_map(|one| WORDS.iter().map(|other| vec![*one, *other])));
        for state in STATES.iter().flat_map(|add| STATES.iter().map(|drop| [*add, *drop])) {
            for line in given.iter().flat_map(|add| given.iter().map(|drop| [&add[..], &drop[..]])) {
                assert_eq!(names(&edited(state, line)), docker(state, line), "{state:?} {line:?}");
            }
        }
    }

    #[test]
    fn what_is_there_already_stays_as_it_is_written() {
        for (state, line) in [
            ([&["net_admin", "CHOWN"][..], &[][..]], [&["NET_ADMIN"][..], &[][..]]),
            ([&[], &["NET_ADMIN", "CAP_KILL"]], [&[], &["CAP_NET_ADMIN"]]),
            ([&["KILL", "all"], &[]], [&["NET_ADMIN", "ALL"], &[]]),
        ] {
            assert_eq!(edited(state, line), spec(state), "{line:?}");
        }
        let after = edited([&["SYS_TIME", "net_admin"], &[]], [&["KILL"], &["CAP_NET_ADMIN"]]);
        assert_eq!(after, spec([&["SYS_TIME", "CAP_KILL"], &[]]));
    }
}
