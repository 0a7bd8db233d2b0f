//! `LOGTOJSON`: a record that matches a format as a whole becomes an object of strings and nulls; any other is skipped.

use java_regex::{Pattern, PatternError};

use crate::{
    ConfigError, StepResult,
    apache::{self, Format, MONTHS},
    json::Keys,
    options::{Options, named},
    text::{decode, without_newline},
};

/// The names of `logFormat`, in the original's order.
pub(crate) const FORMATS: [&str; 5] =
    ["COMMONAPACHELOG", "COMBINEDAPACHELOG", "APACHEERRORLOG", "SYSLOG", "RFC3339SYSLOG"];

const ERROR_FIELDS: [&str; 7] = ["timestamp", "module", "severity", "processid", "threadid", "client", "message"];
const SYSLOG_FIELDS: [&str; 5] = ["timestamp", "hostname", "program", "processid", "message"];

#[derive(Debug)]
pub(crate) struct LogToJson {
    /// `None`: a name is null, so what matches cannot be written.
    keys: Option<Keys>,
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    Apache(Format),
    /// `dash_is_null`: the original's Apache parsers turn a group that is `-` into null, the syslog ones do not.
    Pattern {
        pattern: Box<Pattern>,
        dash_is_null: bool,
    },
    /// As many names as the pattern has groups were expected: no record ever matches, and nothing says so at the start.
    Never,
}

impl LogToJson {
    pub(crate) fn new(options: &Options<'_>) -> Result<LogToJson, ConfigError> {
        let layout = options.layout()?;
        let format = options.one_of("logFormat", &FORMATS)?;
        let names = options.names("customFieldNames")?;
        let Some(pattern) = options.string("matchPattern") else {
            let (reader, fields) = builtin(format)?;
            let keys = match names {
                None => Some(Keys::new(fields, layout)),
                Some(names) if names.len() == fields.len() => named(names).map(|names| Keys::new(&names, layout)),
                Some(names) => return Err(wrong_count(format, fields, names.len())),
            };
            return Ok(LogToJson { keys, reader });
        };
        let names = names.ok_or_else(|| {
            ConfigError::new("LOGTOJSON: matchPattern: customFieldNames must be given with it, a name for each group")
        })?;
        let pattern = Pattern::whole(&pattern).map_err(|error| in_pattern(&error, &pattern))?;
        let reader = if pattern.groups() == names.len() {
            Reader::Pattern { pattern: Box::new(pattern), dash_is_null: is_apache(format) }
        } else {
            Reader::Never
        };
        Ok(LogToJson { keys: named(names).map(|names| Keys::new(&names, layout)), reader })
    }

    pub(crate) fn apply(&self, record: &[u8], out: &mut Vec<u8>) -> StepResult {
        let line = without_newline(record);
        let Some(keys) = &self.keys else { return self.unnamed(line) };
        let matched = match &self.reader {
            Reader::Apache(format) => apache::to_json(line, *format, keys, out),
            Reader::Pattern { pattern, dash_is_null } => {
                let text = decode(line);
                let groups = pattern.captures(&text)?;
                groups.is_some_and(|groups| {
                    let shown = |text: &&str| !(*dash_is_null && *text == "-");
                    keys.write(|column| groups.get(column).copied().flatten().filter(shown), out);
                    true
                })
            }
            Reader::Never => false,
        };
        if matched {
            out.push(b'\n');
        }
        Ok(matched)
    }

    /// A line where a name is null: skipped as ever when it does not match.
    fn unnamed(&self, line: &[u8]) -> StepResult {
        let matched = match &self.reader {
            Reader::Apache(format) => apache::matches(line, *format),
            Reader::Pattern { pattern, .. } => pattern.captures(&decode(line))?.is_some(),
            Reader::Never => false,
        };
        if matched { Err("LOGTOJSON: customFieldNames: a name is null".into()) } else { Ok(false) }
    }
}

fn is_apache(format: &str) -> bool {
    format.ends_with("APACHELOG") || format == "APACHEERRORLOG"
}

fn wrong_count(format: &str, fields: &[&str], found: usize) -> ConfigError {
    let (expected, fields) = (fields.len(), fields.join(","));
    ConfigError::new(format!(
        "LOGTOJSON: customFieldNames: {format} has {expected} fields ({fields}), found {found} names; \
         expected as many, or a matchPattern"
    ))
}

fn in_pattern(error: &PatternError, pattern: &str) -> ConfigError {
    ConfigError::new(format!("LOGTOJSON: matchPattern {pattern:?}: {error}"))
}

/// The reader of a format without a pattern of the user's, and its field names.
fn builtin(format: &'static str) -> Result<(Reader, &'static [&'static str]), ConfigError> {
    match format {
        "COMMONAPACHELOG" => return Ok((Reader::Apache(Format::Common), &apache::COMMON_FIELDS)),
        "COMBINEDAPACHELOG" => return Ok((Reader::Apache(Format::Combined), &apache::COMBINED_FIELDS)),
        _ => {}
    }
    let (rule, fields): (String, &'static [&'static str]) = match format {
        "APACHEERRORLOG" => (error_log(), &ERROR_FIELDS),
        "SYSLOG" => (syslog(&format!(r"{}\s+{DAY_OF_MONTH}\s+{TIME}", name_of(&MONTHS))), &SYSLOG_FIELDS),
        _ => (syslog(RFC3339), &SYSLOG_FIELDS),
    };
    let pattern = Pattern::whole(&rule).map_err(|error| in_pattern(&error, &rule))?;
    Ok((Reader::Pattern { pattern: Box::new(pattern), dash_is_null: is_apache(format) }, fields))
}

// The formats below are read by expressions in the users' own dialect (Java's).

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const DAY_OF_MONTH: &str = "(?:0?[1-9]|[12][0-9]|3[01])";
/// Hours to 23, seconds to 60, a fraction after any of `:.,`.
const TIME: &str = "(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?";
/// No range is checked.
const RFC3339: &str = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})";

/// One of the names, whole or its first three letters.
fn name_of(names: &[&str]) -> String {
    let both: Vec<String> = names.iter().map(|name| format!("{name}|{}", &name[..3])).collect();
    format!("(?:{})", both.join("|"))
}

/// `[Day Mon d time yyyy] [module:severity] [pid N:tid N] [client host:port] message`.
fn error_log() -> String {
    let (weekday, month) = (name_of(&WEEKDAYS), name_of(&MONTHS));
    let date = format!(r"{weekday}\s+{month}\s+{DAY_OF_MONTH}\s+{TIME}\s+[1-9]\d*");
    let host = r"(?:[\w-]+(?:\.[\w-]+)*\.?|[\d.]+)";
    format!(r"\[({date})\] \[(?:(\w+):)?(\w+)\] \[pid (\d+)(?::tid (\d+))?\] \[client ({host}(?::[1-9]\d*)?)\] (.*)")
}

/// `timestamp [<n.n> ]host program[pid]: message`; the facility is not kept, its dot stands for any character.
fn syslog(timestamp: &str) -> String {
    format!(r"({timestamp}) (?:<\d+.\d+> )?([\w.-]+) ([\w./%-]+)(?:\[([1-9]\d*)\])?: (.*)")
}
