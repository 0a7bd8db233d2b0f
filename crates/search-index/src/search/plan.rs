//! A request as one index understands it.

use search_query::query::Query;
use search_query::sort::{Key, Missing, Order, Sort};
use search_query::{SearchRequest, TrackTotalHits};

use crate::split::{Rows, Wanted};
use crate::{Error, Reader};

use super::aggregate::{self, Node};
use super::lower::{Lowered, Lowering, uses_seq_no};
use super::sort::{self, By, SortKey, SortValue};

/// A request as one index understands it.
pub(super) struct Plan {
    query: Lowered,
    /// The query as it came, if `_seq_no` has to be looked up for each split.
    by_seq_no: Option<Query>,
    now: i64,
    /// `post_filter`, of hits only.
    pub after_aggregations: Option<Lowered>,
    pub wanted: Wanted,
    pub keys: Vec<SortKey>,
    pub after: Option<Vec<SortValue>>,
    pub nodes: Vec<Node>,
    /// Hits wanted of each split.
    pub size: usize,
    /// Hits are counted exactly up to so many.
    pub count_to: u64,
    pub min_score: Option<f32>,
    pub scored: bool,
}

impl Plan {
    pub fn new(reader: &Reader, request: &SearchRequest, now: i64) -> Result<Plan, Error> {
        let sorts = sorts(request);
        let size = if request.size == 0 { 0 } else { request.from + request.size };
        let by_score = size > 0 && sorts.iter().any(|sort| sort.key == Key::Score);
        let scored = by_score || request.min_score.is_some();
        let mut lowering = Lowering::new(&reader.state.mapping, &reader.name, now, scored);
        let whole = whole(request);
        let query = lowering.query(&whole)?;
        let after_aggregations = match &request.post_filter {
            Some(filter) if !request.aggregations.is_empty() => Some(lowering.unscored(filter)?),
            _ => None,
        };
        let keys = sort::plan(&sorts, &mut lowering)?;
        let nodes = aggregate::plan(&request.aggregations, &mut lowering)?;
        let after = match &request.search_after {
            Some(values) if values.len() != keys.len() => {
                return Err(Error::Request {
                    kind: "illegal_argument_exception",
                    reason: format!("search_after has {} value(s) but sort has {}.", values.len(), keys.len()),
                });
            }
            Some(values) => {
                Some(keys.iter().zip(values).map(|(key, value)| key.read(value)).collect::<Result<_, _>>()?)
            }
            None => None,
        };
        let in_filters = request.aggregations.iter().any(|(_, aggregation)| aggregate_uses_seq_no(aggregation));
        if in_filters || (after_aggregations.is_some() && request.post_filter.as_ref().is_some_and(uses_seq_no)) {
            return Err(Error::Request {
                kind: "illegal_argument_exception",
                reason: "filters of aggregations, and beside aggregations, on the field [_seq_no] are not supported"
                    .into(),
            });
        }
        Ok(Plan {
            query,
            by_seq_no: uses_seq_no(&whole).then_some(whole),
            after_aggregations,
            now,
            wanted: lowering.wanted,
            keys,
            after,
            nodes,
            size,
            count_to: match request.track_total_hits {
                TrackTotalHits::Exact => u64::MAX,
                TrackTotalHits::No => 0,
                TrackTotalHits::UpTo(limit) => limit,
            },
            min_score: request.min_score,
            scored,
        })
    }

    /// `_seq_no`s of documents are looked at.
    pub fn needs_rows(&self) -> bool {
        self.by_seq_no.is_some() || (self.size > 0 && self.keys.iter().any(|key| key.by == By::SeqNo))
    }

    /// The query for one split.
    pub fn query_of(&self, reader: &Reader, rows: Option<(&Rows, u64)>) -> Result<Lowered, Error> {
        let Some(query) = &self.by_seq_no else {
            return Ok(self.query.box_clone());
        };
        let mut lowering = Lowering::new(&reader.state.mapping, &reader.name, self.now, self.scored);
        lowering.rows = rows;
        lowering.query(query)
    }
}

/// The query, with `post_filter` unless aggregations are to see what it leaves out.
fn whole(request: &SearchRequest) -> Query {
    match &request.post_filter {
        Some(filter) if request.aggregations.is_empty() => Query::Bool {
            must: vec![request.query.clone()],
            filter: vec![filter.clone()],
            should: Vec::new(),
            must_not: Vec::new(),
            minimum_should_match: None,
        },
        _ => request.query.clone(),
    }
}

fn aggregate_uses_seq_no(aggregation: &search_query::aggregation::Aggregation) -> bool {
    use search_query::aggregation::Kind;
    let own = match &aggregation.kind {
        Kind::Filter(query) => uses_seq_no(query),
        Kind::Filters(queries) => queries.iter().any(|(_, query)| uses_seq_no(query)),
        _ => false,
    };
    own || aggregation.aggregations.iter().any(|(_, inside)| aggregate_uses_seq_no(inside))
}

/// The sort keys of a request: by score when it names none.
pub(super) fn sorts(request: &SearchRequest) -> Vec<Sort> {
    if request.sort.is_empty() {
        let (key, order, missing) = (Key::Score, Order::Desc, Missing::Last);
        return vec![Sort { key, order, missing, unmapped_type: None, format: None }];
    }
    request.sort.clone()
}
