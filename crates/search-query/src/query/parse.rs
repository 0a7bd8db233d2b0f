//! From JSON to queries: the table of kinds, and what all of them share.

use serde_json::{Map, Value};

use super::{Query, compound, full_text, names, range, term_level, written};
use crate::RequestError;
use crate::wire;

/// Queries inside each other at most (Elasticsearch's `indices.query.bool.max_nested_depth`).
pub const MAX_NESTED_DEPTH: usize = 30;

/// Queries in a tree at most (Lucene's default for `indices.query.bool.max_clause_count`).
pub const MAX_CLAUSES: usize = 1_024;

/// Reads the body of a kind of query.
pub(super) type Read = fn(&Map<String, Value>, &mut Tree) -> Result<Query, RequestError>;

/// The kinds of queries by name.
pub(super) const KNOWN: &[(&str, Read)] = &[
    ("bool", compound::bool),
    ("constant_score", compound::constant_score),
    ("exists", term_level::exists),
    ("fuzzy", term_level::fuzzy),
    ("ids", term_level::ids),
    ("match", full_text::match_),
    ("match_all", compound::match_all),
    ("match_none", compound::match_none),
    ("match_phrase", full_text::match_phrase),
    ("match_phrase_prefix", full_text::match_phrase_prefix),
    ("multi_match", full_text::multi_match),
    ("prefix", term_level::prefix),
    ("query_string", written::query_string),
    ("range", range::range),
    ("regexp", term_level::regexp),
    ("simple_query_string", written::simple_query_string),
    ("term", term_level::term),
    ("terms", term_level::terms),
    ("wildcard", term_level::wildcard),
];

/// How much of a tree was read.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    depth: usize,
    clauses: usize,
}

impl Tree {
    /// Reads `{"<kind>": {…}}`.
    pub(crate) fn query(&mut self, value: &Value) -> Result<Query, RequestError> {
        let Value::Object(object) = value else {
            return Err(RequestError::parsing(format!(
                "[_na] query malformed, must start with start_object, found [{}]",
                wire::token(value)
            )));
        };
        let mut entries = object.iter();
        let Some((kind, body)) = entries.next() else {
            return Err(RequestError::illegal("query malformed, empty clause found"));
        };
        if let Some((second, _)) = entries.next() {
            return Err(RequestError::parsing(format!(
                "[{kind}] malformed query, expected [END_OBJECT] but found [FIELD_NAME] [{second}]"
            )));
        }
        let Some((_, read)) = KNOWN.iter().find(|(name, _)| name == kind) else {
            return Err(names::refused(kind));
        };
        let Value::Object(body) = body else {
            return Err(RequestError::parsing(format!("[{kind}] query malformed, no start_object after query name")));
        };
        self.enter()?;
        let query = read(body, self);
        self.depth -= 1;
        query
    }

    fn enter(&mut self) -> Result<(), RequestError> {
        self.clauses += 1;
        if self.clauses > MAX_CLAUSES {
            return Err(too_many_clauses());
        }
        self.depth += 1;
        if self.depth > MAX_NESTED_DEPTH {
            return Err(RequestError::illegal(format!(
                "The nested depth of the query exceeds the maximum nested depth [{MAX_NESTED_DEPTH}] for queries set in \
                 [indices.query.bool.max_nested_depth]"
            )));
        }
        Ok(())
    }
}

impl Query {
    /// Reads a query in Elasticsearch's form, `{"<kind>": {…}}`.
    ///
    /// # Errors
    /// What Elasticsearch says of it, naming the kind and the key.
    pub fn parse(value: &Value) -> Result<Query, RequestError> {
        Tree::default().query(value)
    }
}

pub(crate) fn too_many_clauses() -> RequestError {
    RequestError {
        kind: "too_many_nested_clauses",
        reason: format!("Query contains too many nested clauses; maxClauseCount is set to {MAX_CLAUSES}"),
        status: 400,
    }
}

/// What every query takes: `boost`, and `_name`, which is not given back.
pub(super) struct Common {
    kind: &'static str,
    boost: f32,
}

impl Common {
    pub(super) fn new(kind: &'static str) -> Common {
        Common { kind, boost: 1.0 }
    }

    /// Takes a key that the kind itself does not know.
    pub(super) fn take(&mut self, key: &str, value: &Value) -> Result<(), RequestError> {
        match key {
            "boost" => self.boost = wire::score(value, key)?,
            "_name" => {
                wire::text(value, key)?;
            }
            _ => return Err(self.unknown(key)),
        }
        Ok(())
    }

    pub(super) fn unknown(&self, key: &str) -> RequestError {
        RequestError::parsing(format!("[{}] query does not support [{key}]", self.kind))
    }

    /// An option that Elasticsearch has and this crate does not.
    pub(super) fn unsupported(&self, key: &str) -> RequestError {
        RequestError::illegal(format!("[{}] query: the option [{key}] is not supported", self.kind))
    }

    /// Takes an option that is only supported where it changes nothing.
    pub(super) fn only(&self, key: &str, harmless: bool) -> Result<(), RequestError> {
        if harmless { Ok(()) } else { Err(self.unsupported(key)) }
    }

    pub(super) fn boosted(&self, query: Query) -> Query {
        boosted(query, self.boost)
    }
}

/// A query with its boost, if it has one.
pub(crate) fn boosted(query: Query, boost: f32) -> Query {
    if boost == 1.0 { query } else { Query::Boost { query: Box::new(query), boost } }
}
