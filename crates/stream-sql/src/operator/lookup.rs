//! Joins of a stream with a reference table: a row looks the table up when it arrives.

use super::calc::holds;
use super::equality::Hashed;
use crate::expression::{Expr, Row, RowError};
use crate::table::Table;
use crate::value::Datum;

/// The table's columns follow those of the row.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    /// Of the rows that come in.
    pub(crate) condition: Option<Expr>,
    /// Which table: its place in the application.
    pub(crate) table: usize,
    /// How many columns a row has that comes in.
    pub(crate) offset: usize,
    /// The table's columns that somebody reads.
    pub(crate) columns: Vec<usize>,
    /// How many columns the table has.
    pub(crate) width: usize,
    /// None: every row of the table.
    pub(crate) on: Option<Expr>,
    /// What of the row must equal the keys of an index of the table. None: all its rows are tried.
    pub(crate) index: Option<(usize, Vec<Expr>)>,
    /// Whether a row that finds nothing comes out with NULLs.
    pub(crate) outer: bool,
}

impl Lookup {
    /// Gives the row with what the table has for it. A condition that fails on a row of the table makes that pair fail, which is
    /// told once for all of them, and is not the same as finding nothing.
    pub(super) fn row(&self, table: &Table, row: Row<'_>, emit: &mut dyn FnMut(Row<'_>)) -> Result<(), RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(());
        }
        let mut values: Vec<Datum<'_>> = Vec::with_capacity(self.offset + self.width);
        values.extend(row.values.iter().map(Datum::borrow));
        values.resize(self.offset, Datum::Null);
        values.resize(self.offset + self.width, Datum::Null);
        let (mut found, mut failed) = (false, None);
        let mut pair = |number| {
            for column in &self.columns {
                values[self.offset + column] = table.value(*column, number);
            }
            let row = Row { values: &values, ..row };
            match holds(self.on.as_ref(), row) {
                Ok(false) => {}
                Ok(true) => {
                    found = true;
                    emit(row);
                }
                Err(error) => failed = failed.take().or(Some(error)),
            }
        };
        match &self.index {
            None => (0..table.len()).for_each(&mut pair),
            Some((index, keys)) => match Hashed::of(keys, row) {
                Hashed::Value(hash) => table.find(*index, hash).for_each(&mut pair),
                Hashed::Null => {}
                Hashed::Failed => (0..table.len()).for_each(&mut pair),
            },
        }
        match failed {
            Some(error) => Err(error),
            None if !found && self.outer => {
                values[self.offset..].fill(Datum::Null);
                emit(Row { values: &values, ..row });
                Ok(())
            }
            None => Ok(()),
        }
    }
}
