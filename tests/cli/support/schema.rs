//! Validates all JSON output of all tests with docs/schema.
//!
//! This is a small validator for the keywords that those files use. Any other keyword is an error, so that no keyword
//! is ignored. The crates for JSON Schema would add 58 dependencies and a minute of build time.

use serde_json::{Map, Value};

/// The kinds of output that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutputKind {
    /// The object of commands that change services, and of `status` and `wait`.
    Result,
    Outdated,
    Images,
    Lint,
    Tags,
    ContextLs,
    ContextShow,
    Version,
    /// The file of `--plan`.
    Plan,
    History,
    Journal,
    /// A line of `--progress json`.
    Progress,
}

impl OutputKind {
    pub const ALL: [Self; 12] = [
        Self::Result,
        Self::Outdated,
        Self::Images,
        Self::Lint,
        Self::Tags,
        Self::ContextLs,
        Self::ContextShow,
        Self::Version,
        Self::Plan,
        Self::History,
        Self::Journal,
        Self::Progress,
    ];

    /// Reads the schema.
    pub fn schema(self) -> Value {
        let text = match self {
            Self::Result => include_str!("../../../docs/schema/result.schema.json"),
            Self::Outdated => include_str!("../../../docs/schema/outdated.schema.json"),
            Self::Images => include_str!("../../../docs/schema/images.schema.json"),
            Self::Lint => include_str!("../../../docs/schema/lint.schema.json"),
            Self::Tags => include_str!("../../../docs/schema/tags.schema.json"),
            Self::ContextLs => include_str!("../../../docs/schema/context-ls.schema.json"),
            Self::ContextShow => include_str!("../../../docs/schema/context-show.schema.json"),
            Self::Version => include_str!("../../../docs/schema/version.schema.json"),
            Self::Plan => include_str!("../../../docs/schema/plan.schema.json"),
            Self::History => include_str!("../../../docs/schema/history.schema.json"),
            Self::Journal => include_str!("../../../docs/schema/journal.schema.json"),
            Self::Progress => include_str!("../../../docs/schema/progress.schema.json"),
        };
        serde_json::from_str(text).expect("a schema is JSON")
    }
}

/// The commands that print [`OutputKind::Result`]. `auth` stands for `auth refresh`.
const ACTING: &[&str] = &[
    "apply",
    "auth",
    "continue",
    "create",
    "restart",
    "rm",
    "rollback",
    "scale",
    "status",
    "undo",
    "update",
    "update-image",
    "wait",
];

/// Validates the output of a run. Returns the kinds of output that it contains. `shown` is the command line
/// as in [`super::run::Run`].
pub fn check(shown: &str, stdout: &str, stderr: &str) -> Result<Vec<OutputKind>, String> {
    let words: Vec<&str> = shown.split('"').skip(1).step_by(2).collect();
    let mut found = Vec::new();
    if let Some(kind) = kind_of(&words).filter(|_| stdout.starts_with(['{', '['])) {
        let value: Value = serde_json::from_str(stdout).map_err(|e| format!("stdout is no JSON: {e}"))?;
        fits(&kind.schema(), &value).map_err(|why| format!("docs/schema, {kind:?}: {why}"))?;
        found.push(kind);
    }
    let is_json = |pair: &[&str]| pair == ["--progress", "json"];
    if words.windows(2).any(is_json) || words.contains(&"--progress=json") {
        let schema = OutputKind::Progress.schema();
        for line in stderr.lines().filter(|line| line.starts_with('{')) {
            let value: Value = serde_json::from_str(line).map_err(|e| format!("{line}: {e}"))?;
            fits(&schema, &value)?;
            found.push(OutputKind::Progress);
        }
    }
    Ok(found)
}

fn kind_of(words: &[&str]) -> Option<OutputKind> {
    if words.windows(2).any(|pair| pair == ["--plan", "-"]) {
        return Some(OutputKind::Plan);
    }
    if !words.contains(&"--json") && !words.contains(&"--json=true") {
        return None;
    }
    let is_command = |word: &&&str| {
        ACTING.contains(*word)
            || ["outdated", "images", "lint", "tags", "context", "history", "journal", "version"]
                .contains(*word)
    };
    let first = words.iter().position(|word| is_command(&word))?;
    match words[first] {
        "outdated" => Some(OutputKind::Outdated),
        "images" => Some(OutputKind::Images),
        "lint" => Some(OutputKind::Lint),
        "tags" => Some(OutputKind::Tags),
        "version" => Some(OutputKind::Version),
        "history" => Some(OutputKind::History),
        "journal" => Some(OutputKind::Journal),
        "context" if words.get(first + 1) == Some(&"show") => Some(OutputKind::ContextShow),
        "context" => Some(OutputKind::ContextLs),
        _ => Some(OutputKind::Result),
    }
}

/// Validates a value; the error names the invalid part.
pub fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    at("$", schema, value)
}

fn at(path: &str, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = schema.as_object().ok_or_else(|| format!("{path}: its schema is not an object"))?;
    for (keyword, says) in schema {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" => true,
            "type" => each(says).iter().any(|name| is_of_type(value, name)),
            "enum" => each(says).contains(value),
            "minimum" => {
                value.as_f64().is_none_or(|number| says.as_f64().is_some_and(|least| number >= least))
            }
            "required" => {
                value.as_object().is_none_or(|it| each(says).iter().all(|key| it.contains_key(text(key))))
            }
            "properties" => {
                properties(path, says, value)?;
                true
            }
            "additionalProperties" => {
                others(path, schema, says, value)?;
                true
            }
            "propertyNames" => {
                for key in value.as_object().into_iter().flat_map(Map::keys) {
                    at(&format!("{path}.{key}"), says, &Value::from(key.as_str()))?;
                }
                true
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    at(&format!("{path}[{index}]"), says, item)?;
                }
                true
            }
            other => return Err(format!("{path}: the tests cannot read the keyword `{other}`")),
        };
        if !holds {
            return Err(format!("{path}: {keyword} is {says}, and this is {value}"));
        }
    }
    Ok(())
}

fn properties(path: &str, known: &Value, value: &Value) -> Result<(), String> {
    for (key, item) in value.as_object().into_iter().flatten() {
        if let Some(schema) = known.get(key) {
            at(&format!("{path}.{key}"), schema, item)?;
        }
    }
    Ok(())
}

/// Validates the keys that are not in `properties`.
fn others(path: &str, schema: &Map<String, Value>, says: &Value, value: &Value) -> Result<(), String> {
    let is_known = |key: &str| schema.get("properties").is_some_and(|known| known.get(key).is_some());
    for (key, item) in value.as_object().into_iter().flatten().filter(|(key, _)| !is_known(key)) {
        match says {
            Value::Bool(true) => {}
            Value::Bool(false) => return Err(format!("{path}: the schema knows no `{key}`")),
            schema => at(&format!("{path}.{key}"), schema, item)?,
        }
    }
    Ok(())
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match text(name) {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("JSON Schema has no type `{other}`"),
    }
}

/// Returns the names in a value that is one name or a list of names.
fn each(says: &Value) -> &[Value] {
    says.as_array().map_or(std::slice::from_ref(says), Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
