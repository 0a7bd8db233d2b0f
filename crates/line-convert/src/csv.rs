//! `CSVTOJSON`: columns split by a Java regular expression, without quotes, into named strings.

use crate::{
    ConfigError, StepResult,
    json::Keys,
    options::Options,
    pattern::{Pattern, PatternError},
    text::{decode, without_newline},
};

#[derive(Debug)]
pub(crate) struct CsvToJson {
    keys: Keys,
    /// `Err`: what the original finds out only at each record, an illegal expression or no names.
    delimiter: Result<Delimiter, String>,
}

#[derive(Debug)]
enum Delimiter {
    Literal(char),
    Pattern(Pattern),
}

impl CsvToJson {
    pub(crate) fn new(options: &Options<'_>) -> Result<CsvToJson, ConfigError> {
        let names = match options.value("customFieldNames") {
            None => return Err(ConfigError::new("Required list missing: customFieldNames")),
            Some(_) => options.strings("customFieldNames")?,
        };
        let Some(names) = names else {
            // An explicit null passes the original's start and fails at each record.
            let delimiter = Err("CSVTOJSON: customFieldNames is null".into());
            return Ok(CsvToJson { keys: Keys::new::<String>(&[], options.layout()?), delimiter });
        };
        let delimiter = options.string("delimiter").unwrap_or_else(|| ",".into());
        Ok(CsvToJson { keys: Keys::new(&names, options.layout()?), delimiter: Delimiter::new(&delimiter)? })
    }

    pub(crate) fn apply(&self, record: &[u8], out: &mut Vec<u8>) -> StepResult {
        let delimiter = self.delimiter.as_ref().map_err(Clone::clone)?;
        let text = decode(without_newline(record));
        let columns = delimiter.split(&text)?;
        self.keys.write(|column| columns.get(column).copied(), out);
        out.push(b'\n');
        Ok(true)
    }
}

impl Delimiter {
    fn new(text: &str) -> Result<Result<Delimiter, String>, ConfigError> {
        let mut chars = text.chars();
        if let (Some(only), None) = (chars.next(), chars.next())
            && !".$|()[{^?*+\\".contains(only)
        {
            return Ok(Ok(Delimiter::Literal(only)));
        }
        match Pattern::anywhere(text) {
            Ok(pattern) => Ok(Ok(Delimiter::Pattern(pattern))),
            Err(PatternError::Illegal(why)) => Ok(Err(format!("CSVTOJSON: delimiter {text:?}: {why}"))),
            Err(PatternError::Unsupported(why)) => {
                Err(ConfigError::new(format!("CSVTOJSON: delimiter {text:?}: {why}")))
            }
        }
    }

    /// Java's `String.split`: trailing empty columns are gone; a text without delimiter is one column, even when empty.
    fn split<'a>(&self, text: &'a str) -> Result<Vec<&'a str>, String> {
        let mut columns: Vec<&str> = match self {
            Delimiter::Literal(delimiter) => text.split(*delimiter).collect(),
            Delimiter::Pattern(pattern) => split(pattern, text)?,
        };
        if columns.len() > 1 {
            let kept = columns.iter().rposition(|column| !column.is_empty()).map_or(0, |last| last + 1);
            columns.truncate(kept);
        }
        Ok(columns)
    }
}

fn split<'a>(pattern: &Pattern, text: &'a str) -> Result<Vec<&'a str>, String> {
    let mut columns = Vec::new();
    let (mut column, mut search) = (0, 0);
    while search <= text.len() {
        let Some((start, end)) = pattern.find_at(text, search)? else { break };
        // An empty match goes on one character later; one at the very start makes no column.
        search = if end > start { end } else { end + text[end..].chars().next().map_or(1, char::len_utf8) };
        if end > 0 {
            columns.push(&text[column..start]);
            column = end;
        }
    }
    columns.push(&text[column..]);
    Ok(columns)
}
