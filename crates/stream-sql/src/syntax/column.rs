//! Descriptions of columns, as FIXED_COLUMN_LOG_PARSE and its kin take them in a text.

use super::lexer::Token;
use super::parser::Parser;
use crate::error::SqlError;
use crate::value::SqlType;

/// `name [[TYPE] type ['format']] [NOT NULL] [START n [FOR m]]`
#[derive(Debug)]
pub(crate) struct ColumnDescription {
    pub(crate) name: String,
    pub(crate) sql_type: Option<SqlType>,
    /// How a date or time is written (SimpleDateFormat).
    pub(crate) format: Option<String>,
    pub(crate) not_null: bool,
    /// Where it begins, in characters from 0, and how many it has.
    pub(crate) place: Option<(u32, Option<u32>)>,
}

impl Parser {
    pub(super) fn column_descriptions(&mut self) -> Result<Vec<ColumnDescription>, SqlError> {
        let columns = self.comma_separated(Parser::column_description)?;
        self.end()?;
        Ok(columns)
    }

    fn column_description(&mut self) -> Result<ColumnDescription, SqlError> {
        let name = self.new_name()?.text;
        let is_untyped = matches!(self.token(), Token::End | Token::Symbol(",")) || self.is_word("NOT");
        let typed = self.word("TYPE") || (!is_untyped && !self.is_word("START"));
        let sql_type = if typed { Some(self.data_type()?.0) } else { None };
        let format = match self.token().clone() {
            Token::Text(format) => {
                self.advance();
                Some(format)
            }
            _ => None,
        };
        let not_null = self.words(&["NOT", "NULL"]);
        let place = if self.word("START") {
            let start = self.unsigned()?;
            Some((start, if self.word("FOR") { Some(self.unsigned()?) } else { None }))
        } else {
            None
        };
        Ok(ColumnDescription { name, sql_type, format, not_null, place })
    }
}
