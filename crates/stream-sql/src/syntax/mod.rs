//! Text to syntax tree. Every node knows its place, so that whatever is found wrong later can say where.
//!
//! `lexer` makes tokens, `parser` (statements, queries, expressions) makes the `tree`. The lexer is our own: `//` comments and
//! `UESCAPE` texts are this dialect's.

mod call;
mod column;
mod expression;
mod lexer;
mod literal;
mod parser;
mod period;
mod query;
mod reserved;
mod statement;
pub(crate) mod tree;

pub(crate) use column::ColumnDescription;

use crate::error::SqlError;
use crate::value::SqlType;

/// The longest script ("Limits": 100 KB).
const MAX_SCRIPT: usize = 100 * 1024;
/// How deep expressions and queries may nest: the parser and the planner recurse.
const MAX_DEPTH: usize = 32;
/// How many operators of one precedence may follow each other: their tree is as deep. AND and OR have no such limit.
const MAX_CHAIN: usize = 64;
/// How many joins a FROM may have: each holds windows of its own.
const MAX_JOINS: usize = 16;

pub(crate) use reserved::is_reserved;

/// The statements of a script.
pub(crate) fn parse(sql: &str) -> Result<Vec<tree::Statement>, SqlError> {
    if sql.len() > MAX_SCRIPT {
        let message = format!("the script has {} bytes: {MAX_SCRIPT} are allowed", sql.len());
        return Err(SqlError { line: 1, column: 1, to: None, message });
    }
    parser::Parser::new(sql)?.script()
}

/// A type alone.
pub(crate) fn parse_type(text: &str) -> Result<SqlType, SqlError> {
    let mut parser = parser::Parser::new(text)?;
    let (sql_type, _) = parser.data_type()?;
    parser.end()?;
    Ok(sql_type)
}

/// Descriptions of columns alone.
pub(crate) fn parse_columns(text: &str) -> Result<Vec<ColumnDescription>, SqlError> {
    parser::Parser::new(text)?.column_descriptions()
}
