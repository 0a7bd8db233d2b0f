//! REGEX_LOG_PARSE: the groups of a Java regular expression, found anywhere in the line.

use std::borrow::Cow;

use super::field::{Field, Fields, default_fields};
use crate::expression::RowError;
use crate::syntax::ColumnDescription;
use crate::value::Datum;

#[derive(Debug, Clone)]
pub(crate) struct RegexLog {
    pattern: java_regex::Pattern,
    /// One for each group.
    fields: Fields,
}

impl RegexLog {
    /// The groups are COLUMN1 to COLUMNn; or as they are described, the first ones.
    pub(crate) fn new(pattern: &str, columns: &[ColumnDescription]) -> Result<RegexLog, String> {
        let compiled = java_regex::Pattern::anywhere(pattern);
        let pattern = compiled.map_err(|error| format!("{pattern:?} is not a regular expression: {error}"))?;
        let mut fields = default_fields(pattern.groups())?;
        if fields.is_empty() {
            return Err("the regular expression has no group: each one is a column".into());
        }
        for (number, column) in columns.iter().enumerate() {
            if column.place.is_some() {
                return Err(format!("{}: START is not for groups", column.name));
            }
            let groups = fields.len();
            let field = fields.get_mut(number);
            *field.ok_or_else(|| format!("column {} has no group: there are {groups}", column.name))? =
                Field::described(column)?;
        }
        Ok(RegexLog { pattern, fields })
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) fn parse<'t>(&self, line: &'t str, out: &mut Vec<Datum<'t>>) -> Result<bool, RowError> {
        let Some(spans) = self.pattern.spans_at(line, 0).map_err(RowError)? else { return Ok(false) };
        for (field, span) in self.fields.iter().zip(spans.into_iter().skip(1)) {
            out.push(field.value(span.map(|(from, to)| Cow::Borrowed(&line[from..to])))?);
        }
        Ok(true)
    }
}
