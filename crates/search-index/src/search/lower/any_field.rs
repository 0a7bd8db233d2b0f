//! Leaves of `query_string` over a pattern of fields: `err*`, `[1 TO 2]`, `http.\*:/a+/`.

use search_query::query::Query;
use tantivy::query::DisjunctionMaxQuery;

use crate::Error;
use crate::search::field::matching;

use super::words::MAX_MULTI_FIELDS;
use super::{Lowered, Lowering, none};

impl Lowering<'_> {
    /// Any of the fields that a pattern means. One whose type cannot take the query is left out.
    pub(super) fn any_field(&mut self, query: &Query, pattern: &str) -> Result<Lowered, Error> {
        let names = matching(self.mapping, pattern);
        if names.len() > MAX_MULTI_FIELDS {
            return Err(Error::Request {
                kind: "illegal_argument_exception",
                reason: format!(
                    "field expansion matches too many fields, limit: {MAX_MULTI_FIELDS}, got: {}",
                    names.len()
                ),
            });
        }
        let mut any = Vec::new();
        for name in names {
            match self.kind(&query.over(&name)) {
                Ok(query) => any.push(query),
                Err(Error::Request { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        match any.len() {
            0 | 1 => Ok(any.pop().unwrap_or_else(none)),
            _ => Ok(Box::new(DisjunctionMaxQuery::new(any))),
        }
    }
}
