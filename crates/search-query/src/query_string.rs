//! `query_string` and `q=`: Lucene's syntax for queries.
//!
//! ```text
//! text ─ lexer ─▶ tokens ─ parser: clauses with their occurrences ─ fields ─▶ Query::QueryString
//! ```
//!
//! Terms, `"phrases"~2`, `field:value`, `field:(a b)`, `field:[a TO b}`, `field:>=5`, wildcards, `/regular expressions/`, `fuzzy~1`,
//! `boost^2`, `AND OR NOT && || ! + -`, groups, `\` before what is meant as it stands, `*:*`, `field:*`, `_exists_:field`.

mod fields;
mod lexer;
mod parser;

use crate::RequestError;
use crate::query::{Operator, Query};

pub(crate) use fields::Fields;

/// Groups inside each other at most, as for queries in JSON.
pub const MAX_GROUP_DEPTH: usize = crate::query::MAX_NESTED_DEPTH;

/// How a text is read.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryStringOptions {
    /// Where words without a field are looked for, with boosts; empty: everywhere.
    pub fields: Vec<(String, f32)>,
    /// Between clauses without an operator.
    pub operator: Operator,
    /// Of phrases that have none.
    pub phrase_slop: u32,
    /// A pattern may begin with `*` or `?`.
    pub leading_wildcard: bool,
    /// `time_zone` of dates in ranges.
    pub time_zone: Option<String>,
}

impl Default for QueryStringOptions {
    fn default() -> QueryStringOptions {
        QueryStringOptions {
            fields: Vec::new(),
            operator: Operator::Or,
            phrase_slop: 0,
            leading_wildcard: true,
            time_zone: None,
        }
    }
}

/// What is wrong with a text, and where (characters from its beginning).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    at: usize,
    what: String,
}

/// Reads a text.
///
/// # Errors
/// `query_shard_exception` with the column (from 0, as Lucene counts) for a syntax error.
pub fn parse(text: &str, options: &QueryStringOptions) -> Result<Query, RequestError> {
    let tokens = lexer::tokens(text).map_err(|e| refused(text, &e))?;
    if tokens.iter().filter(|token| token.kind.is_clause()).count() > crate::query::MAX_CLAUSES {
        return Err(crate::query::parse::too_many_clauses());
    }
    let query = parser::parse(&tokens, text.chars().count(), &Fields::new(options)).map_err(|e| refused(text, &e))?;
    Ok(Query::QueryString(Box::new(query)))
}

fn refused(text: &str, error: &SyntaxError) -> RequestError {
    RequestError {
        kind: "query_shard_exception",
        reason: format!("Failed to parse query [{text}]: {} at line 1, column {}.", error.what, error.at),
        status: 400,
    }
}
