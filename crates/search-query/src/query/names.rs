//! Names of queries.

use super::parse::KNOWN;
use crate::RequestError;
use crate::suggestion::did_you_mean;
use crate::wire;

/// Queries of Elasticsearch that are not supported.
const UNSUPPORTED: &[&str] = &[
    "boosting",
    "combined_fields",
    "dis_max",
    "distance_feature",
    "field_masking_span",
    "function_score",
    "geo_bounding_box",
    "geo_distance",
    "geo_grid",
    "geo_polygon",
    "geo_shape",
    "has_child",
    "has_parent",
    "intervals",
    "knn",
    "match_bool_prefix",
    "more_like_this",
    "nested",
    "parent_id",
    "percolate",
    "pinned",
    "rank_feature",
    "rule",
    "script",
    "script_score",
    "semantic",
    "shape",
    "span_containing",
    "span_first",
    "span_multi",
    "span_near",
    "span_not",
    "span_or",
    "span_term",
    "span_within",
    "sparse_vector",
    "terms_set",
    "text_expansion",
    "weighted_tokens",
    "wrapper",
];

/// What to say of a kind of query that cannot be read: not supported, or not known at all.
pub(super) fn refused(kind: &str) -> RequestError {
    if UNSUPPORTED.contains(&kind) {
        return wire::unsupported("query", kind);
    }
    let known = KNOWN.iter().map(|(name, _)| *name).chain(UNSUPPORTED.iter().copied());
    RequestError::parsing(format!("unknown query [{kind}]{}", did_you_mean(kind, known)))
}
