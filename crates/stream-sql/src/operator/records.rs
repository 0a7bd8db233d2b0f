//! Calls of functions that return a record: its fields come behind the columns of the row.

use std::borrow::Cow;

use super::calc::holds;
use crate::expression::log::LogParser;
use crate::expression::{Expr, Row, RowError};
use crate::value::{Datum, Value};

#[derive(Debug, Clone)]
pub(crate) struct Records {
    pub(crate) condition: Option<Expr>,
    /// How many columns a row has that comes in.
    pub(crate) width: usize,
    pub(crate) calls: Vec<RecordCall>,
}

#[derive(Debug, Clone)]
pub(crate) struct RecordCall {
    pub(crate) parser: LogParser,
    /// What is parsed.
    pub(crate) line: Expr,
}

impl Records {
    /// The row with the fields behind its columns, or nothing if it does not meet the condition.
    pub(super) fn row<'r>(&'r self, row: Row<'r>) -> Result<Option<Vec<Datum<'r>>>, RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(None);
        }
        let fields: usize = self.calls.iter().map(|call| call.parser.fields().len()).sum();
        let mut values = Vec::with_capacity(row.values.len() + fields);
        values.extend(row.values.iter().map(Datum::borrow));
        for call in &self.calls {
            call.append(row, &mut values)?;
        }
        Ok(Some(values))
    }
}

impl RecordCall {
    /// Of a line that is NULL or does not match, all fields are NULL.
    fn append<'r>(&'r self, row: Row<'r>, values: &mut Vec<Datum<'r>>) -> Result<(), RowError> {
        let start = values.len();
        let is_match = match self.line.eval(row)? {
            Datum::Text(Cow::Borrowed(line)) => self.parser.parse(line, row.rowtime, values)?,
            Datum::Text(Cow::Owned(line)) => {
                let mut fields = Vec::new();
                let is_match = self.parser.parse(&line, row.rowtime, &mut fields)?;
                values.extend(fields.into_iter().map(|field| Datum::from(Value::from(field))));
                is_match
            }
            _ => false,
        };
        if !is_match {
            values.truncate(start);
        }
        values.resize(start + self.parser.fields().len(), Datum::Null);
        Ok(())
    }
}
