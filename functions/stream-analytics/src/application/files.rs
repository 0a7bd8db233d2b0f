//! The two files of an application, and what is wrong with them.

use crate::rule::{Exported, Rule};

use super::{Application, Definition};

/// What is wrong with an application, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Broken {
    /// The file's name: `<application>.json` or `<application>.sql`.
    pub file: String,
    /// From 1; 0 when no line is to blame.
    pub line: usize,
    /// From 1; 0 when no column is to blame.
    pub column: usize,
    /// What was found and what was expected.
    pub message: String,
}

/// Reads the two files of an application; `None`: it is switched off. `sql` is asked for only when it is needed. Its tables are
/// empty.
pub fn parse(name: &str, json: &str, sql: Option<&str>) -> Result<Option<Application>, Broken> {
    let file = format!("{name}.json");
    let (rule, code) = read_rule(json).map_err(|error| {
        let (line, column) = match error.line {
            // Of the rule as a whole: it begins with the key that is to blame.
            0 => place_of(json, error.message.split(':').next().unwrap_or_default()),
            line => (line, error.column),
        };
        Broken { file: file.clone(), line, column, message: error.message }
    })?;
    if rule == Rule::Off {
        return Ok(None);
    }
    let Some(text) = sql.or(code.as_deref()) else {
        let or = if Exported::is(json) { ", or its ApplicationCode" } else { "" };
        let message = format!("{name}.sql: no such file: expected the application's statements beside {file}{or}");
        return Err(Broken { file, line: 0, column: 0, message });
    };
    let application = Application::compile(name, Definition::new(rule, text));
    application.map(Some).map_err(|error| match error {
        // Lines and columns of the text that the string is.
        CompileError::Sql(_, error) if sql.is_none() => {
            CompileError::Sql(format!("{file}{CODE}"), error).place(json, file)
        }
        CompileError::Rule(string, message) if Exported::is(json) => {
            CompileError::Rule(string, Exported::renamed(message)).place(json, file)
        }
        error => error.place(json, file),
    })
}

/// What follows the file's name where a place is one in the statements that are in it.
pub const CODE: &str = ":ApplicationCode";

/// The statements that are in the file: those of an application that `describe-application` printed.
pub fn code(json: &str) -> Option<String> {
    read_rule(json).ok()?.1
}

/// The rule, and the statements if they are in it.
fn read_rule(json: &str) -> Result<(Rule, Option<String>), lambda::RuleError> {
    if !Exported::is(json) {
        return Ok((lambda::rules::parse_json(json)?, None));
    }
    let exported: Exported = lambda::rules::parse_json(json)?;
    exported.into_rule().map_err(|message| lambda::RuleError { line: 0, column: 0, message })
}

/// Why a definition does not compile.
#[derive(Debug)]
pub enum CompileError {
    /// The statements.
    Sql(String, stream_sql::SqlError),
    /// Something named in the rule: this string in it.
    Rule(String, String),
}

impl CompileError {
    fn place(self, json: &str, file: String) -> Broken {
        match self {
            CompileError::Sql(file, error) => {
                Broken { file, line: error.line as usize, column: error.column as usize, message: error.to_string() }
            }
            CompileError::Rule(string, message) => {
                let (line, column) = place_of(json, &string);
                Broken { file, line, column, message }
            }
        }
    }
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CompileError::Sql(file, error) => write!(f, "{file}: {error}"),
            CompileError::Rule(_, message) => f.write_str(message),
        }
    }
}

/// Where a string stands in a JSON text, last; the text's end where it does not.
fn place_of(json: &str, string: &str) -> (usize, usize) {
    let quoted = serde_json::Value::from(string).to_string();
    let at = json.rfind(&quoted).unwrap_or(json.trim_end().len().saturating_sub(1));
    let before = &json[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let json = "{\n  \"outputs\": [\n    {\"stream\": \"ä\\\"\", \"firehose\": \"B\"}]}";
        assert_eq!(place_of(json, "B"), (3, 35));
        assert_eq!(place_of(json, "ä\""), (3, 16));
        assert_eq!(place_of(json, "C"), (3, 40));
    }
}
