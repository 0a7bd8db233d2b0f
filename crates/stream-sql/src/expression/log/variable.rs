//! VARIABLE_COLUMN_LOG_PARSE: fields between delimiters.

use std::borrow::Cow;

use super::field::{Field, Fields, default_fields};
use crate::expression::RowError;
use crate::syntax::ColumnDescription;
use crate::value::Datum;

#[derive(Debug, Clone)]
pub(crate) struct VariableColumnLog {
    fields: Fields,
    delimiter: Box<str>,
    /// Before a delimiter, a quote or itself: that is a character of the field.
    escape: Option<Box<str>>,
    /// Between the first and the second, a delimiter is a character of the field.
    quotes: Option<(char, char)>,
}

impl VariableColumnLog {
    /// COLUMN1 to COLUMNn.
    pub(crate) fn numbered(count: usize) -> Result<VariableColumnLog, String> {
        if count == 0 {
            return Err("expected a number of columns above 0".into());
        }
        Ok(VariableColumnLog { fields: default_fields(count)?, delimiter: "".into(), escape: None, quotes: None })
    }

    pub(crate) fn described(columns: &[ColumnDescription]) -> Result<VariableColumnLog, String> {
        if let Some(column) = columns.iter().find(|column| column.place.is_some()) {
            return Err(format!("column {}: START is for FIXED_COLUMN_LOG_PARSE", column.name));
        }
        let fields = columns.iter().map(Field::described).collect::<Result<Fields, _>>()?;
        Ok(VariableColumnLog { fields, delimiter: "".into(), escape: None, quotes: None })
    }

    pub(crate) fn delimited_by(mut self, delimiter: &str) -> Result<VariableColumnLog, String> {
        if delimiter.is_empty() {
            return Err("the delimiter is empty".into());
        }
        self.delimiter = delimiter.into();
        Ok(self)
    }

    pub(crate) fn escaped_by(mut self, escape: &str) -> VariableColumnLog {
        self.escape = (!escape.is_empty()).then(|| escape.into());
        self
    }

    /// One character begins and ends what is quoted, or one begins and another ends it.
    pub(crate) fn quoted_by(mut self, quotes: &str) -> Result<VariableColumnLog, String> {
        let mut characters = quotes.chars();
        self.quotes = match (characters.next(), characters.next(), characters.next()) {
            (None, ..) => None,
            (Some(begin), end, None) => Some((begin, end.unwrap_or(begin))),
            _ => return Err(format!("quotes are one or two characters, not {quotes:?}")),
        };
        Ok(self)
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Fields that the line does not have are NULL; what follows the last one is ignored.
    pub(super) fn parse<'t>(&self, line: &'t str, out: &mut Vec<Datum<'t>>) -> Result<bool, RowError> {
        let mut rest = Some(line);
        for field in &self.fields {
            let text = rest.map(|text| {
                let (part, after) = self.take(text);
                rest = after;
                part
            });
            out.push(field.value(text)?);
        }
        Ok(true)
    }

    /// The first field, and what follows its delimiter, if there is one.
    fn take<'t>(&self, text: &'t str) -> (Cow<'t, str>, Option<&'t str>) {
        if self.escape.is_none() && self.quotes.is_none() {
            return match text.split_once(&*self.delimiter) {
                Some((part, rest)) => (part.into(), Some(rest)),
                None => (text.into(), None),
            };
        }
        let mut part = String::new();
        let (mut rest, mut is_quoted) = (text, false);
        while let Some(c) = rest.chars().next() {
            if let Some(escaped) = self.escaped(rest) {
                let after = &rest[self.escape.as_deref().map_or(0, str::len)..];
                part.push_str(&after[..escaped]);
                rest = &after[escaped..];
                continue;
            }
            match (self.quotes, is_quoted) {
                (Some((begin, end)), true) if c == end => {
                    let after = &rest[c.len_utf8()..];
                    // A quote that stands twice is one, where it cannot begin another text.
                    if begin == end && after.starts_with(end) {
                        part.push(c);
                        rest = &after[c.len_utf8()..];
                        continue;
                    }
                    is_quoted = false;
                }
                (Some((begin, _)), false) if c == begin => is_quoted = true,
                (_, false) if rest.starts_with(&*self.delimiter) => {
                    return (part.into(), Some(&rest[self.delimiter.len()..]));
                }
                _ => part.push(c),
            }
            rest = &rest[c.len_utf8()..];
        }
        (part.into(), None)
    }

    /// How many bytes behind the escape are a delimiter, a quote or an escape.
    fn escaped(&self, text: &str) -> Option<usize> {
        let escape = self.escape.as_deref()?;
        let after = text.strip_prefix(escape)?;
        let (begin, end) = self.quotes.unzip();
        let quote = [begin, end].into_iter().flatten().find(|quote| after.starts_with(*quote));
        let others = [&*self.delimiter, escape].into_iter().find(|other| after.starts_with(other));
        others.map(str::len).or(quote.map(char::len_utf8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split() {
        let cases = [
            ("a,b", ",", "", "", ["a", "b", "-"]),
            ("a,,c,d", ",", "", "", ["a", "", "c"]),
            ("a\\,b,c", ",", "\\", "", ["a,b", "c", "-"]),
            ("a\\nb\\\\,c\\", ",", "\\", "", ["a\\nb\\", "c\\", "-"]),
            ("a::b:c::", "::", "", "", ["a", "b:c", ""]),
            ("\"a,b\",c", ",", "", "\"", ["a,b", "c", "-"]),
            ("\"a\"\"b\",\"c", ",", "", "\"", ["a\"b", "c", "-"]),
            ("x[a,b]y,[c", ",", "", "[]", ["xa,by", "c", "-"]),
            ("\"a\\\"b\",c", ",", "\\", "\"", ["a\"b", "c", "-"]),
            ("ä§ö,§b", ",§", "", "", ["ä§ö", "b", "-"]),
            ("", ",", "", "", ["", "-", "-"]),
        ];
        for (line, delimiter, escape, quotes, expected) in cases {
            let log = VariableColumnLog::numbered(3).unwrap().delimited_by(delimiter).unwrap();
            let log = log.escaped_by(escape).quoted_by(quotes).unwrap();
            let mut out = Vec::new();
            assert_eq!(log.parse(line, &mut out), Ok(true));
            let shown = out.iter().map(|value| if let Datum::Text(text) = value { text } else { "-" });
            assert_eq!(shown.collect::<Vec<_>>(), expected, "{line}");
        }
    }
}
