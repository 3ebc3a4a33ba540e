//! The modules of `api` import each other in one direction only: no cycle between neighbors in a directory, and the
//! order of docs/design.md section 2 between the parts of the library.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{code, paths, without_tests};
use super::{is_test, sources};

/// The parts of the library, the lowest layer first. A module imports only from its own part and from parts that are
/// listed before it.
const PARTS: &[(&str, &[&str])] = &[
    ("error", &["error"]),
    ("config", &["config", "cancellation"]),
    ("transport", &["transport"]),
    ("http", &["http"]),
    ("registry", &["registry"]),
    ("spec", &["spec"]),
    ("resources", &["resources"]),
    ("rollout", &["rollout"]),
    ("forecast", &["forecast"]),
    ("lint", &["lint"]),
    ("records", &["records"]),
    ("deploy", &["deploy"]),
    ("journal", &["journal"]),
];

/// A module by its path below `api`, as in `["spec", "edit"]`.
type Module = Vec<String>;

/// The imports of each module.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_modules_of_api_import_each_other() {
    let cycles = cycles(&imports(&sources()));
    assert!(cycles.is_empty(), "import cycles in src/api:\n  {}", cycles.join("\n  "));
}

#[test]
fn error_imports_nothing_from_the_rest_of_api() {
    let imports = imports(&sources());
    let own = imports.iter().filter(|(module, _)| module.first().is_some_and(|first| first == "error"));
    let foreign: Vec<String> = own
        .flat_map(|(_, used)| used)
        .filter(|used| used[0] != "error")
        .map(|used| used.join("::"))
        .collect();
    assert!(foreign.is_empty(), "src/api/error imports {}", foreign.join(", "));
}

#[test]
fn the_parts_of_api_import_downwards_only() {
    let mut wrong = Vec::new();
    for (module, used) in imports(&sources()) {
        for used in used {
            if part_of(&module) < part_of(&used) {
                let [from, to] = [&module, &used].map(|module| PARTS[part_of(module)].0);
                let [module, used] = [&module, &used].map(|module| module.join("::"));
                wrong.push(format!("{module} (in {from}) imports from {used} (in {to})"));
            }
        }
    }
    assert!(wrong.is_empty(), "imports upwards in src/api:\n  {}", wrong.join("\n  "));
}

#[test]
fn the_checker_finds_cycles_and_prints_them() {
    let found = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        cycles(&imports(&files.collect::<Vec<_>>()))
    };
    let two = [("api/a.rs", "use super::b::B;"), ("api/b.rs", "fn f() -> crate::api::a::A {}")];
    assert_eq!(found(&two), ["a -> b -> a"]);
    let three = [
        ("api/a.rs", "use super::b;"),
        ("api/b/x.rs", "use crate::api::c;"),
        ("api/c.rs", "use super::{a};"),
    ];
    assert_eq!(found(&three), ["a -> b -> c -> a"]);
    // Each module imports a name that their directory re-exports from the other module.
    let directory = [
        ("api/s/mod.rs", "mod a;\nmod b;\npub use self::a::A;\npub use b::{B, b as f};\nstruct Own;"),
        ("api/s/a.rs", "use super::{B, Own};"),
        ("api/s/b.rs", "use super::A;"),
    ];
    assert_eq!(found(&directory), ["s::a -> s::b -> s::a"]);
    // Names that the directory itself defines, and imports in tests, do not count as imports from a neighbor.
    let none = [
        ("api/s/mod.rs", "mod a;\npub use a::A;\nstruct Own;"),
        ("api/s/a.rs", "use super::Own;\n#[cfg(test)]\nmod tests { use super::super::b; }"),
        ("api/s/b.rs", "use super::A;"),
        ("api/s/a_tests.rs", "use super::b::B;"),
    ];
    assert!(found(&none).is_empty());
}

/// The position in [`PARTS`].
fn part_of(module: &Module) -> usize {
    let found = PARTS.iter().position(|(_, modules)| modules.contains(&module[0].as_str()));
    found
        .unwrap_or_else(|| panic!("src/api/{} belongs to no part: add it to PARTS in {}", module[0], file!()))
}

/// The imports of every module of `api` from other modules of `api`. A re-exported name counts as an import from the
/// module that defines it.
fn imports(files: &[(String, String)]) -> Imports {
    let files: BTreeMap<Module, (&str, String)> = files
        .iter()
        .filter(|(name, _)| !is_test(name) && !name.contains("tests/") && name != "api/mod.rs")
        .filter_map(|(name, text)| Some((module_of(name)?, (name.as_str(), without_tests(&code(text))))))
        .collect();
    let known: BTreeSet<Module> =
        files.keys().flat_map(|module| (1..=module.len()).map(|n| module[..n].to_vec())).collect();
    let exports = exports(&files, &known);
    let mut imports = Imports::new();
    for (module, (name, text)) in &files {
        let used = paths(text, name).into_iter().filter_map(|(_, path)| {
            let path = absolute(&path, module, &known)?;
            Some(target(&path, &known, &exports))
        });
        imports.entry(module.clone()).or_default().extend(used.filter(|used| !used.is_empty()));
    }
    imports
}

/// The names that directories re-export from their own modules, with the path of each. A name that is re-exported from
/// elsewhere counts as defined by the directory.
fn exports(files: &BTreeMap<Module, (&str, String)>, known: &BTreeSet<Module>) -> BTreeMap<Module, Module> {
    let mut exports = BTreeMap::new();
    for (module, (name, text)) in files {
        for statement in text.split(';').filter_map(|part| part.split_once("pub").map(|(_, rest)| rest)) {
            let Some((_, tree)) = statement.split_once("use ").filter(|(scope, _)| !scope.contains('{'))
            else {
                continue;
            };
            for (_, path) in paths(&format!("use {tree};"), name) {
                let Some(path) = absolute(&path, module, known).filter(|path| path.starts_with(module))
                else {
                    continue;
                };
                let last = path.last().cloned().unwrap_or_default();
                exports.insert(module.iter().cloned().chain([last]).collect(), path);
            }
        }
    }
    exports
}

/// Converts a Rust path to a path below `api`; `None` if it is outside of `api`.
fn absolute(path: &str, module: &Module, known: &BTreeSet<Module>) -> Option<Module> {
    let words: Module = path.split("::").map(str::to_owned).collect();
    if let Some(rest) = path.strip_prefix("crate::api::") {
        return Some(rest.split("::").map(str::to_owned).collect());
    }
    // A child module is visible without `self::`.
    let child: Module = module.iter().chain(words.first()).cloned().collect();
    known.contains(&child).then(|| module.iter().cloned().chain(words).collect())
}

/// The module that a path refers to.
fn target(path: &Module, known: &BTreeSet<Module>, exports: &BTreeMap<Module, Module>) -> Module {
    let mut path = path.clone();
    // Re-exports of re-exports end after a few steps.
    for _ in 0..8 {
        let Some(n) = (1..=path.len()).find(|n| exports.contains_key(&path[..*n])) else { break };
        let whole = exports[&path[..n]].iter().chain(&path[n..]).cloned().collect();
        if whole == path {
            break;
        }
        path = whole;
    }
    (0..=path.len()).rev().map(|n| path[..n].to_vec()).find(|path| known.contains(path)).unwrap_or_default()
}

/// Converts the path of a file, such as `api/spec/edit.rs` or `api/spec/mod.rs`, to a module below `api`.
fn module_of(name: &str) -> Option<Module> {
    let path = name.strip_prefix("api/")?.strip_suffix(".rs")?;
    Some(path.strip_suffix("/mod").unwrap_or(path).split('/').map(str::to_owned).collect())
}

/// Finds cycles between neighbors: modules of one directory, each with everything below it. Returns at least one cycle
/// for each set of modules that import each other.
fn cycles(imports: &Imports) -> Vec<String> {
    let mut directories: BTreeMap<Module, Imports> = BTreeMap::new();
    for (module, used) in imports {
        for used in used {
            let common = module.iter().zip(used).take_while(|(a, b)| a == b).count();
            // Imports between a directory's own module and a module below it do not count.
            if common == module.len() || common == used.len() {
                continue;
            }
            let neighbors = directories.entry(module[..common].to_vec()).or_default();
            neighbors.entry(module[..=common].to_vec()).or_default().insert(used[..=common].to_vec());
        }
    }
    directories.values().flat_map(cycles_between).collect()
}

fn cycles_between(neighbors: &Imports) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for start in neighbors.keys() {
        if seen.contains(start) {
            continue;
        }
        if let Some(cycle) = way_back(start, neighbors) {
            let names: Vec<String> = cycle.iter().map(|module| module.join("::")).collect();
            found.push(names.join(" -> "));
            seen.extend(cycle);
        }
    }
    found
}

/// The shortest path from a module back to itself.
fn way_back(start: &Module, neighbors: &Imports) -> Option<Vec<Module>> {
    let mut ways = vec![vec![start.clone()]];
    let mut visited = BTreeSet::new();
    while !ways.is_empty() {
        let mut next = Vec::new();
        for way in ways {
            for used in way.last().and_then(|last| neighbors.get(last)).into_iter().flatten() {
                let longer: Vec<Module> = way.iter().chain([used]).cloned().collect();
                if used == start {
                    return Some(longer);
                }
                if visited.insert(used.clone()) {
                    next.push(longer);
                }
            }
        }
        ways = next;
    }
    None
}
