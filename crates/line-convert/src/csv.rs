//! `CSVTOJSON`: columns split by a Java regular expression, without quotes, into named strings.

use std::{borrow::Cow, collections::HashMap};

use java_regex::{Pattern, PatternError};
use serde_json::Value;

use crate::{
    ConfigError, StepResult,
    json::Keys,
    options::{Options, named},
    text::{decode, without_newline},
};

#[derive(Debug)]
pub(crate) struct CsvToJson {
    keys: Keys,
    /// `Err`: what the original finds out only at each record, an illegal expression, a null delimiter, no names.
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
            Some(_) => options.names("customFieldNames")?,
        };
        // An explicit null passes the original's start and fails at each record.
        let names = match names.map(named) {
            Some(Some(names)) => Ok(names),
            Some(None) => Err("CSVTOJSON: customFieldNames: a name is null".to_owned()),
            None => Err("CSVTOJSON: customFieldNames is null".to_owned()),
        };
        let delimiter = match options.value("delimiter") {
            Some(Value::Null) => Err("CSVTOJSON: delimiter is null".to_owned()),
            _ => Delimiter::new(&options.string("delimiter").unwrap_or_else(|| ",".into()))?,
        };
        let keys = Keys::new(names.as_deref().unwrap_or_default(), options.layout()?);
        Ok(CsvToJson { keys, delimiter: names.and(delimiter) })
    }

    pub(crate) fn apply(&self, record: &[u8], out: &mut Vec<u8>) -> StepResult {
        let delimiter = self.delimiter.as_ref().map_err(Clone::clone)?;
        let text = decode(without_newline(record));
        let columns = delimiter.split(&text)?;
        self.keys.write(|column| columns.get(column).map(|column| &**column), out);
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
    fn split<'a>(&self, text: &'a str) -> Result<Vec<Cow<'a, str>>, String> {
        let mut columns: Vec<Cow<'a, str>> = match self {
            Delimiter::Literal(delimiter) => text.split(*delimiter).map(Cow::Borrowed).collect(),
            Delimiter::Pattern(pattern) => split(pattern, text)?,
        };
        if columns.len() > 1 {
            let kept = columns.iter().rposition(|column| !column.is_empty()).map_or(0, |last| last + 1);
            columns.truncate(kept);
        }
        Ok(columns)
    }
}

fn split<'a>(pattern: &Pattern, text: &'a str) -> Result<Vec<Cow<'a, str>>, String> {
    let mut columns = Columns { text, list: Vec::new(), from: 0, after_half: false };
    let mut halved = halved(pattern, text)?.into_iter().peekable();
    let mut search = 0;
    while search <= text.len() {
        let found = pattern.find_at(text, search)?;
        while let Some(at) = halved.next_if(|at| found.is_none_or(|(start, _)| *at < start)) {
            if at >= columns.from {
                columns.cut_within(at);
            }
        }
        let Some((start, end)) = found else { break };
        // An empty match goes on one character later; one at the very start makes no column.
        search = if end > start { end } else { next(text, end) };
        if end > 0 {
            columns.cut(start, end);
        }
    }
    columns.cut(text.len(), text.len());
    Ok(columns.list)
}

fn next(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

/// Columns on their way.
struct Columns<'a> {
    text: &'a str,
    list: Vec<Cow<'a, str>>,
    /// Where the next column begins.
    from: usize,
    /// It begins with the second half of a character.
    after_half: bool,
}

impl Columns<'_> {
    fn cut(&mut self, start: usize, end: usize) {
        let column = &self.text[self.from..start];
        self.list.push(if self.after_half { format!("?{column}").into() } else { column.into() });
        (self.from, self.after_half) = (end, false);
    }

    /// Cuts the character at `at` in two, of which nothing but question marks can be written.
    fn cut_within(&mut self, at: usize) {
        let half = if self.after_half { "?" } else { "" };
        self.list.push(format!("{half}{}?", &self.text[self.from..at]).into());
        (self.from, self.after_half) = (next(self.text, at), true);
    }
}

/// The characters that an empty match cuts in two: Java's texts are UTF-16, and a match may be between the halves of a pair.
fn halved(pattern: &Pattern, text: &str) -> Result<Vec<usize>, String> {
    const FIRST_OF_A_PAIR: u8 = 0xF0;
    /// Private as the halves are: no letter, no blank.
    const HALVES: &str = "\u{E000}\u{E001}";
    let mut found = Vec::new();
    if text.bytes().all(|byte| byte < FIRST_OF_A_PAIR) {
        return Ok(found);
    }
    let mut halves = String::with_capacity(text.len() * 3 / 2);
    let mut middles = HashMap::new();
    for (at, c) in text.char_indices() {
        if c.len_utf16() == 2 {
            middles.insert(halves.len() + HALVES.len() / 2, at);
            halves.push_str(HALVES);
        } else {
            halves.push(c);
        }
    }
    let mut search = 0;
    while search <= halves.len() {
        let Some((start, end)) = pattern.find_at(&halves, search)? else { break };
        search = if end > start { end } else { next(&halves, end) };
        found.extend(middles.get(&start).filter(|_| start == end));
    }
    Ok(found)
}
