//! Queries.
//!
//! A kind of query is read in the file of its family below `query/`, found through the table in `query/parse.rs`. A new kind: a
//! variant here, a line in the table, a function in its family.

pub(crate) mod compound;
pub(crate) mod full_text;
mod names;
pub(crate) mod parse;
mod range;
mod term_level;
mod written;

use serde_json::Value;

use crate::date::Bound;
use crate::pattern::is_pattern;

pub use parse::{MAX_CLAUSES, MAX_NESTED_DEPTH};

/// How the parts of a text are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Operator {
    /// Any of them.
    #[default]
    Or,
    /// All of them.
    And,
}

/// A query, as a tree. Values are kept as the JSON they came as: what they mean depends on the field's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// Everything, with score 1.
    MatchAll,
    /// Nothing.
    MatchNone,
    /// An exact value.
    Term {
        /// The field.
        field: String,
        /// A string, number or boolean.
        value: Value,
        /// Compare without case.
        case_insensitive: bool,
    },
    /// One of several exact values.
    Terms {
        /// The field.
        field: String,
        /// Strings, numbers or booleans.
        values: Vec<Value>,
    },
    /// Text, analysed as the field is.
    Match {
        /// The field.
        field: String,
        /// A string, number or boolean.
        value: Value,
        /// Between its words.
        operator: Operator,
        /// Of its words, as Elasticsearch writes it (`2`, `-1`, `75%`).
        minimum_should_match: Option<String>,
    },
    /// Words one after the other.
    MatchPhrase {
        /// The field.
        field: String,
        /// The words.
        value: String,
        /// How far they may be apart.
        slop: u32,
    },
    /// Words one after the other, the last one a prefix.
    MatchPhrasePrefix {
        /// The field.
        field: String,
        /// The words.
        value: String,
    },
    /// `multi_match`, as `best_fields` (each document's best field counts).
    MultiMatch {
        /// Names, patterns (`*`), with their boosts. Empty: all fields.
        fields: Vec<(String, f32)>,
        /// The text.
        value: Value,
        /// Between its words.
        operator: Operator,
        /// As a phrase.
        phrase: bool,
    },
    /// Between two bounds.
    Range {
        /// The field.
        field: String,
        /// The lower bound.
        from: Bound,
        /// The upper bound.
        to: Bound,
        /// `format` of dates in the bounds.
        format: Option<String>,
        /// `time_zone` of dates in the bounds.
        time_zone: Option<String>,
    },
    /// The field has a value.
    Exists {
        /// The field.
        field: String,
    },
    /// Terms that begin so.
    Prefix {
        /// The field.
        field: String,
        /// The beginning.
        value: String,
        /// Compare without case.
        case_insensitive: bool,
    },
    /// Terms of a pattern of `*` and `?`.
    Wildcard {
        /// The field.
        field: String,
        /// The pattern.
        value: String,
        /// Compare without case.
        case_insensitive: bool,
    },
    /// Terms of a regular expression (Lucene's syntax).
    Regexp {
        /// The field.
        field: String,
        /// The expression, for the whole term.
        value: String,
        /// Compare without case.
        case_insensitive: bool,
    },
    /// Terms that differ little.
    Fuzzy {
        /// The field.
        field: String,
        /// The term.
        value: String,
        /// Edits, at most 2; `None`: by length (`AUTO`).
        distance: Option<u8>,
    },
    /// Documents by `_id`.
    Ids {
        /// The ids.
        values: Vec<String>,
    },
    /// `bool`.
    Bool {
        /// All of these, scored.
        must: Vec<Query>,
        /// All of these, not scored.
        filter: Vec<Query>,
        /// As many of these as `minimum_should_match` says (default: 1 without `must` and `filter`, else 0), scored.
        should: Vec<Query>,
        /// None of these.
        must_not: Vec<Query>,
        /// As Elasticsearch writes it.
        minimum_should_match: Option<String>,
    },
    /// A query whose hits all have one score.
    ConstantScore {
        /// The query.
        filter: Box<Query>,
        /// The score.
        boost: f32,
    },
    /// A query whose score is multiplied.
    Boost {
        /// The query.
        query: Box<Query>,
        /// The factor.
        boost: f32,
    },
    /// `query_string`, `simple_query_string` and `q=`, parsed: a tree of the above. Words whose fields the text leaves open are
    /// [`Query::MultiMatch`]. In all else below this node (`MatchPhrase` with slop, `Prefix`, `Wildcard`, `Regexp`, `Fuzzy`, `Range`,
    /// `Exists`) the field may be a pattern of names (`*`, `http.*`; [`Query::pattern`], [`Query::over`]): any of the fields will do,
    /// and one whose type cannot take the value is left out.
    QueryString(Box<Query>),
}

impl Query {
    /// The pattern of fields that a leaf below [`Query::QueryString`] is over, if it is one.
    pub fn pattern(&self) -> Option<&str> {
        match self {
            Query::Match { field, .. }
            | Query::MatchPhrase { field, .. }
            | Query::MatchPhrasePrefix { field, .. }
            | Query::Range { field, .. }
            | Query::Exists { field }
            | Query::Prefix { field, .. }
            | Query::Wildcard { field, .. }
            | Query::Regexp { field, .. }
            | Query::Fuzzy { field, .. } => is_pattern(field).then_some(field),
            _ => None,
        }
    }

    /// The same leaf over one field. What is no leaf over a field stays as it is.
    pub fn over(&self, name: &str) -> Query {
        let mut query = self.clone();
        if let Query::Match { field, .. }
        | Query::MatchPhrase { field, .. }
        | Query::MatchPhrasePrefix { field, .. }
        | Query::Range { field, .. }
        | Query::Exists { field }
        | Query::Prefix { field, .. }
        | Query::Wildcard { field, .. }
        | Query::Regexp { field, .. }
        | Query::Fuzzy { field, .. } = &mut query
        {
            name.clone_into(field);
        }
        query
    }
}
