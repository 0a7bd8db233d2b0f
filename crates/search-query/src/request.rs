//! A search request.

mod body;
mod parameters;

use serde_json::Value;

use crate::RequestError;
use crate::aggregation::Aggregation;
use crate::query::Query;
use crate::sort::Sort;
use crate::source_filter::SourceFilter;
use crate::wire;

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
    /// Reads a body (empty: the defaults), then the URL's parameters, which win (`q` with `df`, `default_operator`, `lenient`; `from`,
    /// `size`, `sort`, `_source`, `_source_includes`, `_source_excludes`, `track_total_hits`, `seq_no_primary_term`, `version`,
    /// `stored_fields`, …). Parameters that do not concern the search itself are left to the caller.
    ///
    /// # Errors
    /// What Elasticsearch says of it: the place of a syntax error, the name of what is not known or not supported, the limit.
    pub fn parse(body: &[u8], parameters: &[(String, String)]) -> Result<SearchRequest, RequestError> {
        let mut request = SearchRequest::default();
        let mut stored = StoredFields::default();
        if let Some(body) = body::json(body)? {
            body::read(&body, &mut request, &mut stored)?;
        }
        parameters::read(parameters, &mut request, &mut stored)?;
        stored.apply(&mut request)?;
        request.validate()?;
        Ok(request)
    }

    fn validate(&self) -> Result<(), RequestError> {
        let window = self.from.saturating_add(self.size);
        if window > MAX_RESULT_WINDOW {
            return Err(RequestError::illegal(format!(
                "Result window is too large, from + size must be less than or equal to: [{MAX_RESULT_WINDOW}] but was [{window}]. See the \
                 scroll api for a more efficient way to request large data sets. This limit can be set by changing the \
                 [index.max_result_window] index level setting."
            )));
        }
        let Some(after) = &self.search_after else {
            return Ok(());
        };
        if self.from > 0 {
            return Err(RequestError::illegal("`from` parameter must be set to 0 when `search_after` is used."));
        }
        match (after.len(), self.sort.len()) {
            (_, 0) => Err(RequestError::illegal("Sort must contain at least one field.")),
            (values, keys) if values != keys => {
                Err(RequestError::illegal(format!("search_after has {values} value(s) but sort has {keys}.")))
            }
            _ => Ok(()),
        }
    }
}

impl Query {
    /// Reads the body of a request that is only a query (`_count`, `_delete_by_query`), with `q` and what belongs to it from the URL.
    ///
    /// # Errors
    /// As [`SearchRequest::parse`].
    pub fn parse_request(body: &[u8], parameters: &[(String, String)]) -> Result<Query, RequestError> {
        let mut query = None;
        if let Some(Value::Object(object)) = body::json(body)? {
            for (key, value) in &object {
                match key.as_str() {
                    "query" => query = Some(Query::parse(value)?),
                    _ => return Err(RequestError::parsing(format!("request does not support [{key}]"))),
                }
            }
        }
        Ok(parameters::query(parameters)?.or(query).unwrap_or(Query::MatchAll))
    }
}

/// `stored_fields`: no field is stored but `_source`, so it says only whether that comes back.
#[derive(Debug, Default)]
struct StoredFields {
    /// Present: with `_source` among them or not.
    with_source: Option<bool>,
    /// `_none_`.
    none: bool,
    /// The request says itself what of `_source` comes back.
    source_given: bool,
}

impl StoredFields {
    fn take(&mut self, names: &[String]) -> Result<(), RequestError> {
        self.none = names.iter().any(|name| name == "_none_");
        if self.none && names.len() > 1 {
            return Err(RequestError::illegal("cannot combine _none_ with other fields"));
        }
        if let Some(name) = names.iter().find(|name| !matches!(name.as_str(), "*" | "_none_" | "_source")) {
            return Err(wire::unsupported("stored_fields", name));
        }
        self.with_source = Some(names.iter().any(|name| name == "_source"));
        Ok(())
    }

    fn apply(&self, request: &mut SearchRequest) -> Result<(), RequestError> {
        let Some(with_source) = self.with_source else {
            return Ok(());
        };
        if self.none && self.source_given && !request.source.none {
            return Err(RequestError::illegal("[stored_fields] cannot be disabled if [_source] is requested"));
        }
        if !with_source && !self.source_given {
            request.source = SourceFilter::nothing();
        }
        Ok(())
    }
}

fn from(value: &Value) -> Result<usize, RequestError> {
    let from = wire::integer(value, "from")?;
    usize::try_from(from)
        .map_err(|_| RequestError::illegal(format!("[from] parameter cannot be negative but was [{from}]")))
}

fn size(value: &Value) -> Result<usize, RequestError> {
    let size = wire::integer(value, "size")?;
    usize::try_from(size)
        .map_err(|_| RequestError::illegal(format!("[size] parameter cannot be negative, found [{size}]")))
}

impl TrackTotalHits {
    fn parse(value: &Value) -> Result<TrackTotalHits, RequestError> {
        if let Ok(exact) = wire::boolean(value, "track_total_hits") {
            return Ok(if exact { TrackTotalHits::Exact } else { TrackTotalHits::No });
        }
        match wire::integer(value, "track_total_hits")? {
            -1 => Ok(TrackTotalHits::Exact),
            count => u64::try_from(count).map(TrackTotalHits::UpTo).map_err(|_| {
                RequestError::illegal(format!(
                    "[track_total_hits] parameter must be positive or equals to -1, got {count}"
                ))
            }),
        }
    }
}
