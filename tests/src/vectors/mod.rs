//! Case files and how each kind is run. One file per kind; the next kind goes into [`Kind`] and beside [`converter`].

mod converter;
mod property;
mod stream_sql;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Kinds whose engine comes with a later issue.
const NOT_BUILT: &[&str] = &["filter-patterns", "alarms", "event-patterns", "config"];

/// A kind of case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The agent's dataProcessingOptions.
    Converter,
    /// The SQL dialect.
    StreamSql,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As expected.
    Pass,
    /// Otherwise.
    Fail {
        /// What the case says.
        expected: String,
        /// What the engine gave.
        got: String,
    },
    /// The case is marked uncertain: reported, never counted.
    NotBinding {
        /// What the engine gave where it differs.
        differs: Option<String>,
    },
}

impl Kind {
    /// The kind of this name.
    pub fn parse(name: &str) -> Result<Kind, String> {
        match name {
            "converter" => Ok(Kind::Converter),
            "stream-sql" => Ok(Kind::StreamSql),
            name if NOT_BUILT.contains(&name) => Err(format!("kind {name} is not built yet")),
            name => Err(format!("unknown kind {name:?}: expected converter, stream-sql, {}", NOT_BUILT.join(", "))),
        }
    }

    /// What the engine gives for a case, as one JSON line.
    pub fn emit(self, case: &Value) -> Result<String, String> {
        match self {
            Kind::Converter => converter::emit(case),
            Kind::StreamSql => stream_sql::emit(case),
        }
    }

    /// Compares what the engine gives with what the case expects.
    pub fn judge(self, case: &Value) -> Result<Verdict, String> {
        let verdict = match self {
            Kind::Converter => converter::judge(case)?,
            Kind::StreamSql => stream_sql::judge(case)?,
        };
        if is_binding(case) {
            return Ok(verdict);
        }
        let differs = match verdict {
            Verdict::Fail { got, .. } => Some(got),
            _ => None,
        };
        Ok(Verdict::NotBinding { differs })
    }
}

/// Cases marked `uncertain`, `low` or `ambiguous` are not binding.
fn is_binding(case: &Value) -> bool {
    let ambiguous = case.get("ambiguous").is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)));
    let confidence = case.get("confidence").and_then(Value::as_str).unwrap_or_default();
    !ambiguous && !matches!(confidence, "uncertain" | "low")
}

/// The name of a case.
pub fn name(case: &Value) -> Result<&str, String> {
    case.get("name")
        .or_else(|| case.get("id"))
        .and_then(Value::as_str)
        .ok_or_else(|| format!("a case without a name: {case}"))
}

/// The cases of files, or of all `.json` files of folders: `{"cases": […]}`, a list, or one case a file.
pub fn read_cases(paths: &[PathBuf]) -> Result<Vec<Value>, String> {
    let mut cases = Vec::new();
    for path in paths {
        for file in files(path)? {
            let text = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            let value: Value = serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", file.display()))?;
            match value {
                Value::Array(list) => cases.extend(list),
                Value::Object(mut object) => match object.remove("cases") {
                    Some(Value::Array(list)) => cases.extend(list),
                    _ => cases.push(Value::Object(object)),
                },
                _ => return Err(format!("{}: expected an object or a list of cases", file.display())),
            }
        }
    }
    Ok(cases)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}
