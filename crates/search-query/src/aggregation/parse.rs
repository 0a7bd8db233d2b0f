//! From JSON to aggregations: the table of kinds, and what all of them share.

use serde_json::{Map, Value};

use super::{Aggregation, Kind, buckets, histogram, metrics};
use crate::RequestError;
use crate::query::parse::Tree;
use crate::suggestion::did_you_mean;
use crate::wire;

/// Aggregations of a request at most. Elasticsearch bounds only their buckets (`search.max_buckets`); a request with more was made
/// by a mistake.
pub const MAX_AGGREGATIONS: usize = 1_000;

/// Aggregations of Elasticsearch that are not supported.
const UNSUPPORTED: &[&str] = &[
    "adjacency_matrix",
    "auto_date_histogram",
    "avg_bucket",
    "boxplot",
    "bucket_correlation",
    "bucket_count_ks_test",
    "bucket_script",
    "bucket_selector",
    "bucket_sort",
    "cardinality_change",
    "categorize_text",
    "change_point",
    "children",
    "composite",
    "cumulative_cardinality",
    "cumulative_sum",
    "date_range",
    "derivative",
    "diversified_sampler",
    "extended_stats_bucket",
    "frequent_item_sets",
    "geo_bounds",
    "geo_centroid",
    "geo_distance",
    "geo_line",
    "geohash_grid",
    "geohex_grid",
    "geotile_grid",
    "global",
    "inference",
    "ip_prefix",
    "ip_range",
    "matrix_stats",
    "max_bucket",
    "median_absolute_deviation",
    "min_bucket",
    "missing",
    "moving_avg",
    "moving_fn",
    "moving_percentiles",
    "multi_terms",
    "nested",
    "normalize",
    "parent",
    "percentile_ranks",
    "percentiles_bucket",
    "random_sampler",
    "rare_terms",
    "rate",
    "reverse_nested",
    "sampler",
    "scripted_metric",
    "serial_diff",
    "significant_terms",
    "significant_text",
    "stats_bucket",
    "string_stats",
    "sum_bucket",
    "t_test",
    "time_series",
    "top_hits",
    "top_metrics",
    "variable_width_histogram",
    "weighted_avg",
];

/// What is being read.
pub(super) struct Reading<'a> {
    /// The aggregation's name.
    pub name: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// What is inside the kind.
    pub body: &'a Value,
    /// Queries of all aggregations count together.
    pub queries: &'a mut Tree,
}

type Read = fn(Reading) -> Result<Kind, RequestError>;

/// The kinds of aggregations by name.
const KNOWN: &[(&str, Read)] = &[
    ("avg", metrics::avg),
    ("cardinality", metrics::cardinality),
    ("date_histogram", histogram::date_histogram),
    ("extended_stats", metrics::extended_stats),
    ("filter", buckets::filter),
    ("filters", buckets::filters),
    ("histogram", histogram::histogram),
    ("max", metrics::max),
    ("min", metrics::min),
    ("percentiles", metrics::percentiles),
    ("range", buckets::range),
    ("stats", metrics::stats),
    ("sum", metrics::sum),
    ("terms", buckets::terms),
    ("value_count", metrics::value_count),
];

impl Aggregation {
    /// Reads `aggs`, in the order of the request.
    ///
    /// # Errors
    /// What Elasticsearch says of it, naming the aggregation.
    pub fn parse_all(value: &Value) -> Result<Vec<(String, Aggregation)>, RequestError> {
        All { count: 0, queries: Tree::default() }.read(value, "aggregations")
    }
}

struct All {
    count: usize,
    queries: Tree,
}

impl All {
    fn read(&mut self, value: &Value, place: &str) -> Result<Vec<(String, Aggregation)>, RequestError> {
        wire::object(value, place)?
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.aggregation(name, value)?)))
            .collect()
    }

    fn aggregation(&mut self, name: &str, value: &Value) -> Result<Aggregation, RequestError> {
        self.count += 1;
        if self.count > MAX_AGGREGATIONS {
            return Err(RequestError::illegal(format!("more than [{MAX_AGGREGATIONS}] aggregations")));
        }
        if name.is_empty() || name.contains(['[', ']', '>']) {
            return Err(RequestError::parsing(format!(
                "Invalid aggregation name [{name}]. Aggregation names can contain any character except '[', ']', and '>'"
            )));
        }
        let Value::Object(definition) = value else {
            return Err(RequestError::parsing(format!(
                "Aggregation definition for [{name}] starts with a [{}], expected a [START_OBJECT].",
                wire::token(value)
            )));
        };
        let mut found: Option<(&str, Kind)> = None;
        let mut inside: Option<Vec<(String, Aggregation)>> = None;
        let mut meta = None;
        for (key, value) in definition {
            match key.as_str() {
                "meta" => {
                    wire::object(value, "meta")?;
                    meta = Some(value.clone());
                }
                "aggs" | "aggregations" if inside.is_some() => {
                    return Err(RequestError::parsing(format!("Found two sub aggregation definitions under [{name}]")));
                }
                "aggs" | "aggregations" => inside = Some(self.read(value, key)?),
                kind => {
                    if let Some((first, _)) = found {
                        return Err(RequestError::parsing(format!(
                            "Found two aggregation type definitions in [{name}]: [{first}] and [{kind}]"
                        )));
                    }
                    found = Some((kind, self.kind(name, kind, value)?));
                }
            }
        }
        let Some((kind_name, kind)) = found else {
            return Err(RequestError::parsing(format!("Missing definition for aggregation [{name}]")));
        };
        let aggregations = inside.unwrap_or_default();
        if !aggregations.is_empty() && !kind.has_buckets() {
            return Err(RequestError {
                kind: "aggregation_initialization_exception",
                reason: format!("Aggregator [{name}] of type [{kind_name}] cannot accept sub-aggregations"),
                status: 400,
            });
        }
        Ok(Aggregation { kind, aggregations, meta })
    }

    fn kind(&mut self, name: &str, kind: &str, body: &Value) -> Result<Kind, RequestError> {
        let Some((_, read)) = KNOWN.iter().find(|(known, _)| *known == kind) else {
            return Err(refused(name, kind));
        };
        if !body.is_object() {
            return Err(RequestError::parsing(format!(
                "Expected [START_OBJECT] under [{kind}], but got a [{}] in [{name}]",
                wire::token(body)
            )));
        }
        read(Reading { name, kind, body, queries: &mut self.queries })
    }
}

/// What to say of a kind that cannot be read: not supported, or not known at all.
fn refused(name: &str, kind: &str) -> RequestError {
    if UNSUPPORTED.contains(&kind) {
        return RequestError::illegal(format!("aggregation type [{kind}] of [{name}] is not supported"));
    }
    let known = KNOWN.iter().map(|(name, _)| *name).chain(UNSUPPORTED.iter().copied());
    RequestError::parsing(format!("Unknown aggregation type [{kind}]{}", did_you_mean(kind, known)))
}

impl Kind {
    /// Whether aggregations may be inside.
    fn has_buckets(&self) -> bool {
        matches!(
            self,
            Kind::Terms { .. }
                | Kind::DateHistogram { .. }
                | Kind::Histogram { .. }
                | Kind::Range { .. }
                | Kind::Filter(_)
                | Kind::Filters(_)
        )
    }
}

impl<'a> Reading<'a> {
    /// The options, with their names.
    pub(super) fn options(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.body.as_object().into_iter().flat_map(Map::iter).map(|(key, value)| (key.as_str(), value))
    }

    pub(super) fn unknown(&self, key: &str) -> RequestError {
        RequestError {
            kind: "x_content_parse_exception",
            reason: format!("[{}] unknown field [{key}]", self.kind),
            status: 400,
        }
    }

    /// An option that Elasticsearch has and this crate does not.
    pub(super) fn unsupported(&self, key: &str) -> RequestError {
        RequestError::illegal(format!(
            "[{}] aggregation [{}]: the option [{key}] is not supported",
            self.kind, self.name
        ))
    }

    /// Takes an option that is only supported where it changes nothing.
    pub(super) fn only(&self, key: &str, harmless: bool) -> Result<(), RequestError> {
        if harmless { Ok(()) } else { Err(self.unsupported(key)) }
    }

    /// A field that must be there.
    pub(super) fn required<T>(&self, option: Option<T>, names: &str) -> Result<T, RequestError> {
        option.ok_or_else(|| {
            RequestError::illegal(format!(
                "Required one of fields [{names}], but none were specified in [{}]",
                self.name
            ))
        })
    }
}
