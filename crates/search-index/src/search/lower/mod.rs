//! Queries of Elasticsearch as the engine's, by the mapping of one index.
//!
//! One file per family of queries; a new kind goes into its family's file and gets its line in [`Lowering::query`]. Whatever a query
//! reads of a split is written into [`Lowering::wanted`] where the query is made, so that it can be read ahead in one go.

mod any_field;
mod column;
mod compound;
mod exists;
mod number;
mod pattern;
mod range;
mod regexp;
mod term;
mod words;

use search_query::query::Query;
use tantivy::query as engine;
use tantivy::query::{AllQuery, BoostQuery, ConstScoreQuery, EmptyQuery};

use crate::Error;
use crate::mapping::Mapping;
use crate::split::{Rows, Wanted};

pub(in crate::search) use range::{DateRange, whole};

/// A query of the engine.
pub(crate) type Lowered = Box<dyn engine::Query>;

/// Clauses inside each other at most (Elasticsearch's `indices.query.bool.max_nested_depth`).
const MAX_DEPTH: usize = 30;

/// Makes the engine's queries for one index.
pub(crate) struct Lowering<'a> {
    /// Of the index.
    pub mapping: &'a Mapping,
    /// Its name.
    pub index: &'a str,
    /// Epoch ms.
    pub now: i64,
    /// `_seq_no`s of a split, and what the manifest adds to them: for ranges on `_seq_no`. Without, those match nothing.
    pub rows: Option<(&'a Rows, u64)>,
    /// What the queries so far read of a split.
    pub wanted: Wanted,
    /// Scores are looked at.
    scored: bool,
    /// Inside `query_string`: patterns on text are lower case as its words are.
    normalised: bool,
    depth: usize,
}

impl<'a> Lowering<'a> {
    /// For an index.
    pub fn new(mapping: &'a Mapping, index: &'a str, now: i64, scored: bool) -> Lowering<'a> {
        Lowering { mapping, index, now, rows: None, wanted: Wanted::default(), scored, normalised: false, depth: 0 }
    }

    /// The engine's query.
    pub fn query(&mut self, query: &Query) -> Result<Lowered, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::Request {
                kind: "illegal_argument_exception",
                reason: format!(
                    "The nested depth of the query exceeds the maximum nested depth for bool queries set in [indices.query.bool.max_nested_depth]: [{MAX_DEPTH}]"
                ),
            });
        }
        let lowered = self.kind(query);
        self.depth -= 1;
        lowered
    }

    fn kind(&mut self, query: &Query) -> Result<Lowered, Error> {
        if self.normalised
            && let Some(pattern) = query.pattern()
        {
            return self.any_field(query, pattern);
        }
        Ok(match query {
            Query::MatchAll => all(),
            Query::MatchNone => none(),
            Query::Term { field, value, case_insensitive } => self.term(field, value, *case_insensitive)?,
            Query::Terms { field, values } => self.terms(field, values)?,
            Query::Match { field, value, operator, minimum_should_match } => {
                self.match_words(field, value, *operator, minimum_should_match.as_deref())?
            }
            Query::MatchPhrase { field, value, slop } => self.match_phrase(field, value, *slop)?,
            Query::MatchPhrasePrefix { field, value } => self.match_phrase_prefix(field, value)?,
            Query::MultiMatch { fields, value, operator, phrase } => {
                self.multi_match(fields, value, *operator, *phrase)?
            }
            Query::Range { field, from, to, format, time_zone } => {
                self.range(field, from, to, format.as_deref(), time_zone.as_deref())?
            }
            Query::Exists { field } => self.exists(field),
            Query::Prefix { field, value, case_insensitive } => self.prefix(field, value, *case_insensitive)?,
            Query::Wildcard { field, value, case_insensitive } => self.wildcard(field, value, *case_insensitive)?,
            Query::Regexp { field, value, case_insensitive } => self.regexp(field, value, *case_insensitive)?,
            Query::Fuzzy { field, value, distance } => self.fuzzy(field, value, *distance)?,
            Query::Ids { values } => self.ids(values)?,
            Query::Bool { must, filter, should, must_not, minimum_should_match } => {
                self.boolean(must, filter, should, must_not, minimum_should_match.as_deref())?
            }
            Query::ConstantScore { filter, boost } => Box::new(ConstScoreQuery::new(self.unscored(filter)?, *boost)),
            Query::Boost { query, boost } => Box::new(BoostQuery::new(self.query(query)?, *boost)),
            Query::QueryString(query) => {
                let outer = std::mem::replace(&mut self.normalised, true);
                let lowered = self.query(query);
                self.normalised = outer;
                lowered?
            }
        })
    }

    /// A query whose score nobody looks at.
    pub fn unscored(&mut self, query: &Query) -> Result<Lowered, Error> {
        let outer = std::mem::replace(&mut self.scored, false);
        let lowered = self.query(query);
        self.scored = outer;
        lowered
    }
}

fn all() -> Lowered {
    Box::new(AllQuery)
}

fn none() -> Lowered {
    Box::new(EmptyQuery)
}

/// Matches with score 1, as Elasticsearch scores ranges, patterns and sets of terms.
fn constant(query: impl engine::Query) -> Lowered {
    Box::new(ConstScoreQuery::new(Box::new(query), 1.0))
}

/// `query_shard_exception`: the query does not fit the field.
fn misfit(reason: String) -> Error {
    Error::Request { kind: "query_shard_exception", reason: format!("failed to create query: {reason}") }
}

/// Whether a query looks at `_seq_no`.
pub(crate) fn uses_seq_no(query: &Query) -> bool {
    match query {
        Query::Term { field, .. }
        | Query::Terms { field, .. }
        | Query::Range { field, .. }
        | Query::Match { field, .. } => field == "_seq_no",
        Query::Bool { must, filter, should, must_not, .. } => {
            must.iter().chain(filter).chain(should).chain(must_not).any(uses_seq_no)
        }
        Query::ConstantScore { filter: query, .. } | Query::Boost { query, .. } | Query::QueryString(query) => {
            uses_seq_no(query)
        }
        _ => false,
    }
}
