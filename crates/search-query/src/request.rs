//! A search request.

use serde_json::Value;

use crate::RequestError;
use crate::aggregation::Aggregation;
use crate::query::Query;
use crate::sort::Sort;
use crate::source_filter::SourceFilter;

/// `from + size` at most (Elasticsearch's `index.max_result_window`).
pub const MAX_RESULT_WINDOW: usize = 10_000;

/// How exactly hits are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackTotalHits {
    /// `true`.
    Exact,
    /// `false`: no `hits.total`.
    No,
    /// A number (default 10,000): counted up to it, then `gte`.
    UpTo(u64),
}

/// The body of `_search`, with what the URL's parameters say.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// `query`; `match_all` by default.
    pub query: Query,
    /// `post_filter`: of the hits, what is given back and counted in `hits.total`. Aggregations do not see it.
    pub post_filter: Option<Query>,
    /// `from`.
    pub from: usize,
    /// `size`, 10 by default.
    pub size: usize,
    /// `sort`; by score when empty.
    pub sort: Vec<Sort>,
    /// `search_after`: a value for each key of `sort`.
    pub search_after: Option<Vec<Value>>,
    /// `_source`.
    pub source: SourceFilter,
    /// `track_total_hits`.
    pub track_total_hits: TrackTotalHits,
    /// `aggs` / `aggregations`, in the order of the request.
    pub aggregations: Vec<(String, Aggregation)>,
    /// `seq_no_primary_term`: hits carry `_seq_no` and `_primary_term`.
    pub seq_no_primary_term: bool,
    /// `version`: hits carry `_version`.
    pub version: bool,
    /// `min_score`.
    pub min_score: Option<f32>,
}

impl Default for SearchRequest {
    fn default() -> SearchRequest {
        SearchRequest {
            query: Query::MatchAll,
            post_filter: None,
            from: 0,
            size: 10,
            sort: Vec::new(),
            search_after: None,
            source: SourceFilter::default(),
            track_total_hits: TrackTotalHits::UpTo(10_000),
            aggregations: Vec::new(),
            seq_no_primary_term: false,
            version: false,
            min_score: None,
        }
    }
}

impl SearchRequest {
    /// Reads a body (empty: the defaults), then the URL's parameters, which win (`q`, `df`, `default_operator`, `from`, `size`,
    /// `sort`, `_source`, `_source_includes`, `_source_excludes`, `track_total_hits`, `seq_no_primary_term`, `version`, …).
    /// Parameters that do not concern the search itself are left to the caller.
    pub fn parse(_body: &[u8], _parameters: &[(String, String)]) -> Result<SearchRequest, RequestError> {
        Err(RequestError::parsing("to be written"))
    }
}
