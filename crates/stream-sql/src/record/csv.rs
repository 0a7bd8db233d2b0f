//! CSV records: columns in their order, the leading ones alone.

use std::borrow::Cow;

use super::convert::from_text;
use super::{SYSTEM_COLUMNS, Sink};
use crate::schema::Column;
use crate::value::{Datum, SqlType};

#[derive(Debug, Clone)]
pub(crate) struct CsvReader {
    columns: Vec<(String, SqlType, bool)>,
    column_delimiter: String,
    row_delimiter: String,
}

impl CsvReader {
    pub(super) fn new(columns: &[Column], used: &[bool], column_delimiter: &str, row_delimiter: &str) -> CsvReader {
        let columns = columns.iter().enumerate().map(|(place, column)| {
            (column.name.clone(), column.sql_type, used.get(place).copied().unwrap_or_default())
        });
        CsvReader {
            columns: columns.collect(),
            column_delimiter: column_delimiter.to_owned(),
            row_delimiter: row_delimiter.to_owned(),
        }
    }

    pub(super) fn read<'r>(&'r self, record: &'r [u8], sink: &mut Sink<'_, 'r>) {
        let Ok(mut rest) = std::str::from_utf8(record) else {
            return sink.fail("the record is not UTF-8");
        };
        while !rest.is_empty() {
            let (values, after) = self.row(rest, &mut sink.truncated);
            sink.piece = &rest.as_bytes()[..rest.len() - after.len()];
            rest = after;
            match values {
                Ok(Some(mut values)) => (sink.take)(Ok(&mut values)),
                Ok(None) => {}
                Err(error) => sink.fail(error),
            }
        }
    }

    /// A row's values, or nothing of an empty line; and what follows.
    fn row<'r>(&'r self, text: &'r str, truncated: &mut u64) -> (Result<Option<Vec<Datum<'r>>>, String>, &'r str) {
        let mut values = Vec::with_capacity(self.columns.len() + SYSTEM_COLUMNS);
        let mut failed = None;
        let mut rest = text;
        let mut place = 0;
        let mut tail = None;
        loop {
            let (field, end, after) = self.field(rest, &mut tail);
            if end && place == 0 && field.trim().is_empty() {
                return (Ok(None), after);
            }
            if let Some((name, sql_type, used)) = self.columns.get(place) {
                let value = if !used || (field.is_empty() && !sql_type.is_text()) {
                    Some(Datum::Null)
                } else {
                    from_text(field, *sql_type, truncated)
                };
                if value.is_none() && failed.is_none() {
                    failed = Some(format!("column {name:?}: the value is no {sql_type}"));
                }
                values.push(value.unwrap_or(Datum::Null));
            }
            place += 1;
            rest = after;
            if end {
                break;
            }
        }
        values.resize(self.columns.len(), Datum::Null);
        (failed.map_or(Ok(Some(values)), Err), rest)
    }

    /// One field, whether it is the row's last, and what follows its delimiter. Quotes protect delimiters; doubled ones are one.
    fn field<'r>(&self, text: &'r str, tail: &mut Option<usize>) -> (Cow<'r, str>, bool, &'r str) {
        if let Some(quoted) = text.strip_prefix('"') {
            let mut end = 0;
            while let Some(quote) = quoted[end..].find('"') {
                end += quote;
                if !quoted[end + 1..].starts_with('"') {
                    let (_, last, after) = self.bare(&quoted[end + 1..], tail);
                    let content = &quoted[..end];
                    let content =
                        if content.contains("\"\"") { content.replace("\"\"", "\"").into() } else { content.into() };
                    return (content, last, after);
                }
                end += 2;
            }
        }
        let (field, last, after) = self.bare(text, tail);
        (field.into(), last, after)
    }

    /// `tail`: how many bytes there are from the row's end on, so that it is looked for once and not for each field.
    fn bare<'r>(&self, text: &'r str, tail: &mut Option<usize>) -> (&'r str, bool, &'r str) {
        // A quoted field may have gone past it.
        let known = tail.filter(|tail| *tail <= text.len());
        let length = known.unwrap_or_else(|| text.find(&self.row_delimiter).map_or(0, |at| text.len() - at));
        *tail = Some(length);
        let line = &text[..text.len() - length];
        match line.find(&self.column_delimiter) {
            Some(at) => (&text[..at], false, &text[at + self.column_delimiter.len()..]),
            None => {
                let after = if length == 0 { "" } else { &text[line.len() + self.row_delimiter.len()..] };
                (line.strip_suffix('\r').unwrap_or(line), true, after)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first fields of each row.
    fn rows(record: &str, row_delimiter: &str) -> Vec<[String; 2]> {
        let reader =
            CsvReader { columns: Vec::new(), column_delimiter: ",".into(), row_delimiter: row_delimiter.into() };
        let (mut rows, mut rest, mut tail) = (Vec::new(), record, None);
        while !rest.is_empty() {
            let mut fields = Vec::new();
            loop {
                let (field, last, after) = reader.field(rest, &mut tail);
                fields.push(field.into_owned());
                rest = after;
                if last {
                    break;
                }
            }
            tail = None;
            fields.resize(2, String::new());
            let [first, second] = [0, 1].map(|place| fields[place].clone());
            rows.push([first, second]);
        }
        rows
    }

    #[test]
    fn fields_end_with_their_row() {
        let check = |record: &str, row_delimiter: &str, expected: &[[&str; 2]]| {
            assert_eq!(rows(record, row_delimiter), expected, "{record:?}");
        };
        check("a,b\nc\nd,e", "\n", &[["a", "b"], ["c", ""], ["d", "e"]]);
        check("\"a\nb\",c\n\"d\n\n\",\"e\n\"\n", "\n", &[["a\nb", "c"], ["d\n\n", "e\n"]]);
        check("a;;b,c;;\"x;;\"\"y\";;,;;", ";;", &[["a", ""], ["b", "c"], ["x;;\"y", ""], ["", ""]]);
        check("\"open,b\nc", "\n", &[["\"open", "b"], ["c", ""]]);
    }

    #[test]
    fn a_row_of_a_million_fields_is_read_once() {
        assert_eq!(rows(&format!("a,b{}\nc", ",".repeat(1_000_000)), "\n"), [["a", "b"], ["c", ""]]);
    }
}
