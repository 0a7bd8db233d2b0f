//! Aggregations as Elasticsearch answers them.

use std::cmp::Ordering;

use jiff::tz::TimeZone;
use search_query::aggregation::{Aggregation, BucketOrder, Kind};
use search_query::sort::Order;
use serde_json::{Map, Value, json};

use crate::Error;

use super::partial::{Bucket, Buckets, Key, Partial, Stats};
use super::plan::{Class, Node, NodeKind};
use super::rounding::Rounding;

/// Buckets of an answer at most (Elasticsearch's `search.max_buckets`).
const MAX_BUCKETS: usize = 65_535;

/// Writes the answer's `aggregations`.
pub(crate) struct Renderer {
    /// Buckets that may still be made.
    left: usize,
}

impl Renderer {
    pub fn new() -> Renderer {
        Renderer { left: MAX_BUCKETS }
    }

    /// Aggregations side by side, in the order of the request.
    pub fn all(
        &mut self,
        aggregations: &[(String, Aggregation)],
        nodes: &[Node],
        partials: Vec<Partial>,
    ) -> Result<Map<String, Value>, Error> {
        let mut all = Map::new();
        for (((name, aggregation), node), partial) in aggregations.iter().zip(nodes).zip(partials) {
            let mut one = Map::new();
            if let Some(meta) = &aggregation.meta {
                one.insert("meta".into(), meta.clone());
            }
            one.append(&mut self.one(aggregation, node, partial)?);
            all.insert(name.clone(), Value::Object(one));
        }
        Ok(all)
    }

    fn one(&mut self, aggregation: &Aggregation, node: &Node, partial: Partial) -> Result<Map<String, Value>, Error> {
        match (&aggregation.kind, partial) {
            (Kind::Terms { size, order, min_doc_count, .. }, Partial::Keyed(buckets)) => {
                self.terms(aggregation, node, buckets, *size as usize, order, *min_doc_count)
            }
            (Kind::DateHistogram { min_doc_count, .. }, Partial::Keyed(buckets)) => {
                self.date_histogram(aggregation, node, buckets, *min_doc_count)
            }
            (Kind::Histogram { interval, min_doc_count, .. }, Partial::Keyed(buckets)) => {
                self.histogram(aggregation, node, buckets, *interval, *min_doc_count)
            }
            (Kind::Range { ranges, .. }, Partial::Listed(found)) => {
                let mut out = Vec::new();
                for ((name, from, to), bucket) in ranges.iter().zip(found) {
                    let edge = |edge: &Option<f64>| edge.map_or("*".to_string(), |edge| format!("{edge:?}"));
                    let key = name.clone().unwrap_or_else(|| format!("{}-{}", edge(from), edge(to)));
                    let mut head = object(json!({"key": key}));
                    from.map(|from| head.insert("from".into(), json!(from)));
                    to.map(|to| head.insert("to".into(), json!(to)));
                    out.push(self.bucket(aggregation, node, head, bucket)?);
                }
                Ok(object(json!({"buckets": out})))
            }
            (Kind::Filter(_), Partial::Listed(found)) => {
                let bucket = found.into_iter().next().unwrap_or_default();
                Ok(object(self.bucket(aggregation, node, Map::new(), bucket)?))
            }
            (Kind::Filters(filters), Partial::Listed(found)) => {
                let mut out = Map::new();
                for ((name, _), bucket) in filters.iter().zip(found) {
                    out.insert(name.clone(), self.bucket(aggregation, node, Map::new(), bucket)?);
                }
                Ok(object(json!({"buckets": out})))
            }
            (kind, partial) => Ok(metric(kind, node, partial)),
        }
    }

    /// `doc_count` and what is inside, after what the bucket begins with.
    fn bucket(
        &mut self,
        aggregation: &Aggregation,
        node: &Node,
        mut head: Map<String, Value>,
        bucket: Bucket,
    ) -> Result<Value, Error> {
        self.left = self.left.checked_sub(1).ok_or_else(too_many)?;
        head.insert("doc_count".into(), json!(bucket.count));
        let subs = match bucket.subs.is_empty() {
            true => node.subs.iter().map(Node::empty).collect(),
            false => bucket.subs,
        };
        head.append(&mut self.all(&aggregation.aggregations, &node.subs, subs)?);
        Ok(Value::Object(head))
    }

    fn terms(
        &mut self,
        aggregation: &Aggregation,
        node: &Node,
        buckets: Buckets,
        size: usize,
        order: &[BucketOrder],
        min_doc_count: u64,
    ) -> Result<Map<String, Value>, Error> {
        let Buckets { by_key, left_out, error } = buckets;
        let mut found: Vec<(Key, Bucket)> =
            by_key.into_iter().filter(|(_, bucket)| bucket.count >= min_doc_count).collect();
        for order in order {
            if let BucketOrder::Metric(path, _) = order {
                check_metric(aggregation, path)?;
            }
        }
        let default = [BucketOrder::Count(Order::Desc)];
        let order = if order.is_empty() { default.as_slice() } else { order };
        let compare = |a: &(Key, Bucket), b: &(Key, Bucket)| compare(aggregation, order, a, b);
        let all: u64 = found.iter().map(|(_, bucket)| bucket.count).sum();
        if found.len() > size && size > 0 {
            found.select_nth_unstable_by(size - 1, compare);
        }
        found.truncate(size);
        found.sort_by(compare);
        let shown: u64 = found.iter().map(|(_, bucket)| bucket.count).sum();
        let class = class(node);
        let mut out = Vec::with_capacity(found.len());
        for (key, bucket) in found {
            let mut head = Map::new();
            head.insert("key".into(), shown_key(&key));
            if let Some(text) = key_as_string(class, &key) {
                head.insert("key_as_string".into(), text);
            }
            out.push(self.bucket(aggregation, node, head, bucket)?);
        }
        Ok(object(json!({
            "doc_count_error_upper_bound": error,
            "sum_other_doc_count": all - shown + left_out,
            "buckets": out,
        })))
    }

    fn date_histogram(
        &mut self,
        aggregation: &Aggregation,
        node: &Node,
        buckets: Buckets,
        min_doc_count: u64,
    ) -> Result<Map<String, Value>, Error> {
        let NodeKind::DateHistogram { source, rounding, zone, bounds } = &node.kind else {
            return Ok(Map::new());
        };
        let mut found = whole_keys(buckets);
        if min_doc_count == 0 {
            fill_time(&mut found, rounding, *bounds, self.left)?;
        }
        let format = if let Class::Date(format) = &source.class { Some(format) } else { None };
        let mut out = Vec::new();
        for (start, bucket) in found.into_iter().filter(|(_, bucket)| bucket.count >= min_doc_count) {
            let mut head = Map::new();
            if let Some(format) = format {
                head.insert("key_as_string".into(), json!(format.format(start, zone)));
            }
            head.insert("key".into(), json!(start));
            out.push(self.bucket(aggregation, node, head, bucket)?);
        }
        Ok(object(json!({"buckets": out})))
    }

    fn histogram(
        &mut self,
        aggregation: &Aggregation,
        node: &Node,
        buckets: Buckets,
        interval: f64,
        min_doc_count: u64,
    ) -> Result<Map<String, Value>, Error> {
        let number = |key: &Key| match key {
            Key::Float(bits) => tantivy::u64_to_f64(*bits),
            Key::Whole(whole) => *whole as f64,
            Key::Text(_) => f64::NAN,
        };
        let mut found: Vec<(f64, Bucket)> =
            buckets.by_key.into_iter().map(|(key, bucket)| (number(&key), bucket)).collect();
        found.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let mut out = Vec::new();
        let mut last: Option<f64> = None;
        for (key, bucket) in found.into_iter().filter(|(_, bucket)| bucket.count >= min_doc_count) {
            if let (0, Some(last)) = (min_doc_count, last) {
                let gaps = ((key - last) / interval).round() - 1.0;
                if gaps > self.left as f64 {
                    return Err(too_many());
                }
                for gap in 1..=gaps as u64 {
                    let head = object(json!({"key": last + gap as f64 * interval}));
                    out.push(self.bucket(aggregation, node, head, Bucket::default())?);
                }
            }
            last = Some(key);
            out.push(self.bucket(aggregation, node, object(json!({"key": key})), bucket)?);
        }
        Ok(object(json!({"buckets": out})))
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn whole_keys(buckets: Buckets) -> Vec<(i64, Bucket)> {
    let whole = |(key, bucket)| if let Key::Whole(start) = key { Some((start, bucket)) } else { None };
    let mut found: Vec<(i64, Bucket)> = buckets.by_key.into_iter().filter_map(whole).collect();
    found.sort_by_key(|(start, _)| *start);
    found
}

/// Puts empty buckets where there are gaps, from the first bucket or bound to the last.
fn fill_time(
    found: &mut Vec<(i64, Bucket)>,
    rounding: &Rounding,
    bounds: (Option<i64>, Option<i64>),
    limit: usize,
) -> Result<(), Error> {
    let (from, to) = (bounds.0.map(|from| rounding.floor(from)), bounds.1.map(|to| rounding.floor(to)));
    let first = found.first().map(|(first, _)| *first).into_iter().chain(from).min();
    let last = found.last().map(|(last, _)| *last).into_iter().chain(to).max();
    let (Some(from), Some(to)) = (first, last) else {
        return Ok(());
    };
    let mut filled: Vec<(i64, Bucket)> = Vec::with_capacity(found.len());
    let mut there = std::mem::take(found).into_iter().peekable();
    let mut start = from;
    while start <= to {
        let bucket = there.next_if(|(next, _)| *next <= start).map_or_else(Bucket::default, |(_, bucket)| bucket);
        filled.push((start, bucket));
        if filled.len() > limit {
            return Err(too_many());
        }
        let next = rounding.next(start);
        // A stretch that a changed clock has moved is not stepped over.
        start = there.peek().map_or(next, |(there, _)| next.min(*there)).max(start + 1);
    }
    filled.extend(there);
    *found = filled;
    Ok(())
}

fn class(node: &Node) -> &Class {
    node.source().map_or(&Class::Unknown, |source| &source.class)
}

fn shown_key(key: &Key) -> Value {
    match key {
        Key::Whole(whole) => json!(whole),
        Key::Float(bits) => json!(tantivy::u64_to_f64(*bits)),
        Key::Text(text) => json!(text),
    }
}

fn key_as_string(class: &Class, key: &Key) -> Option<Value> {
    match (class, key) {
        (Class::Boolean, Key::Whole(whole)) => Some(json!(if *whole == 0 { "false" } else { "true" })),
        (Class::Date(format), Key::Whole(millis)) => Some(json!(format.format(*millis, &TimeZone::UTC))),
        _ => None,
    }
}

/// An order of terms must name a metric inside.
fn check_metric(aggregation: &Aggregation, path: &str) -> Result<(), Error> {
    let name = path.split(['.', '>']).next().unwrap_or_default();
    match aggregation.aggregations.iter().find(|(sub, _)| sub == name) {
        Some((_, sub)) if sub.aggregations.is_empty() || matches!(sub.kind, Kind::Filter(_)) => Ok(()),
        _ => Err(Error::Request {
            kind: "aggregation_execution_exception",
            reason: format!(
                "Invalid aggregation order path [{path}]. The provided aggregation [{name}] either does not exist, or is a pipeline aggregation and cannot be used to sort the buckets."
            ),
        }),
    }
}

fn compare(aggregation: &Aggregation, order: &[BucketOrder], a: &(Key, Bucket), b: &(Key, Bucket)) -> Ordering {
    let directed = |order: &Order, ordering: Ordering| match order {
        Order::Asc => ordering,
        Order::Desc => ordering.reverse(),
    };
    for one in order {
        let ordering = match one {
            BucketOrder::Count(order) => directed(order, a.1.count.cmp(&b.1.count)),
            BucketOrder::Key(order) => directed(order, a.0.cmp(&b.0)),
            BucketOrder::Metric(path, order) => {
                // Buckets without a value come last, whichever way.
                match (measure(aggregation, path, &a.1), measure(aggregation, path, &b.1)) {
                    (Some(a), Some(b)) => directed(order, a.total_cmp(&b)),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                }
            }
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    a.0.cmp(&b.0)
}

/// The number that a metric inside a bucket has.
fn measure(aggregation: &Aggregation, path: &str, bucket: &Bucket) -> Option<f64> {
    let (name, property) = path.split_once('.').unwrap_or((path, ""));
    let place = aggregation.aggregations.iter().position(|(sub, _)| sub == name)?;
    let kind = &aggregation.aggregations.get(place)?.1.kind;
    match (kind, bucket.subs.get(place)?) {
        (Kind::Filter(_), Partial::Listed(buckets)) => buckets.first().map(|bucket| bucket.count as f64),
        (_, Partial::Distinct(sketch)) => Some(sketch.count() as f64),
        (_, Partial::Percentiles(digest)) => digest.clone().percentile(property.parse().ok()?),
        (kind, Partial::Stats(stats)) => {
            let some = (stats.count > 0).then_some(());
            let property = match kind {
                Kind::Avg(_) => "avg",
                Kind::Sum(_) => "sum",
                Kind::Min(_) => "min",
                Kind::Max(_) => "max",
                Kind::ValueCount(_) => "count",
                _ => property,
            };
            match property {
                "count" => Some(stats.count as f64),
                "sum" => Some(stats.sum),
                "avg" => some.map(|()| stats.sum / stats.count as f64),
                "min" => some.map(|()| stats.min),
                "max" => some.map(|()| stats.max),
                "sum_of_squares" => Some(stats.squares),
                "variance" => some.map(|()| variance(stats)),
                "std_deviation" => some.map(|()| variance(stats).sqrt()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn variance(stats: &Stats) -> f64 {
    let count = stats.count as f64;
    ((stats.squares - stats.sum * stats.sum / count) / count).max(0.0)
}

fn metric(kind: &Kind, node: &Node, partial: Partial) -> Map<String, Value> {
    let class = class(node);
    match (kind, partial) {
        (Kind::Cardinality(_), Partial::Distinct(sketch)) => object(json!({"value": sketch.count()})),
        (Kind::Percentiles { percents, .. }, Partial::Percentiles(mut digest)) => {
            let mut values = Map::new();
            for percent in percents {
                values.insert(format!("{percent:?}"), json!(digest.percentile(*percent)));
            }
            object(json!({"values": values}))
        }
        (Kind::ValueCount(_), Partial::Stats(stats)) => object(json!({"value": stats.count})),
        (Kind::Sum(_), Partial::Stats(stats)) => value(class, Some(stats.sum)),
        (Kind::Avg(_), Partial::Stats(stats)) => value(class, average(&stats)),
        (Kind::Min(_), Partial::Stats(stats)) => value(class, (stats.count > 0).then_some(stats.min)),
        (Kind::Max(_), Partial::Stats(stats)) => value(class, (stats.count > 0).then_some(stats.max)),
        (kind, Partial::Stats(found)) => stats(class, &found, matches!(kind, Kind::ExtendedStats(_))),
        _ => Map::new(),
    }
}

fn average(stats: &Stats) -> Option<f64> {
    (stats.count > 0).then(|| stats.sum / stats.count as f64)
}

fn value(class: &Class, value: Option<f64>) -> Map<String, Value> {
    let mut out = object(json!({"value": value}));
    if let Some(text) = value.and_then(|value| as_string(class, value)) {
        out.insert("value_as_string".into(), text);
    }
    out
}

fn as_string(class: &Class, value: f64) -> Option<Value> {
    match class {
        Class::Date(format) => Some(json!(format.format(value as i64, &TimeZone::UTC))),
        Class::Boolean => Some(json!(if value == 0.0 { "false" } else { "true" })),
        _ => None,
    }
}

fn stats(class: &Class, stats: &Stats, extended: bool) -> Map<String, Value> {
    let some = |value: f64| if stats.count > 0 { Some(value) } else { None };
    let shown = [("min", some(stats.min)), ("max", some(stats.max)), ("avg", average(stats)), ("sum", Some(stats.sum))];
    let mut out = object(json!({"count": stats.count}));
    for (name, value) in shown {
        out.insert(name.into(), json!(value));
    }
    for (name, value) in shown {
        if let Some(text) = value.filter(|_| stats.count > 0).and_then(|value| as_string(class, value)) {
            out.insert(format!("{name}_as_string"), text);
        }
    }
    if extended {
        extend(&mut out, stats);
    }
    out
}

fn extend(out: &mut Map<String, Value>, stats: &Stats) {
    let count = stats.count as f64;
    let some = |value: f64| (stats.count > 0 && value.is_finite()).then_some(value);
    let population = variance(stats);
    let sampling = if stats.count > 1 { population * count / (count - 1.0) } else { f64::NAN };
    let average = stats.sum / count;
    let bound = |deviation: f64, sign: f64| some(average + sign * 2.0 * deviation);
    let (deviation, sampled) = (population.sqrt(), sampling.sqrt());
    out.insert("sum_of_squares".into(), json!(if stats.count > 0 { Some(stats.squares) } else { None }));
    for (name, value) in [
        ("variance", population),
        ("variance_population", population),
        ("variance_sampling", sampling),
        ("std_deviation", deviation),
        ("std_deviation_population", deviation),
        ("std_deviation_sampling", sampled),
    ] {
        out.insert(name.into(), json!(some(value)));
    }
    let bounds = json!({
        "upper": bound(deviation, 1.0), "lower": bound(deviation, -1.0),
        "upper_population": bound(deviation, 1.0), "lower_population": bound(deviation, -1.0),
        "upper_sampling": bound(sampled, 1.0), "lower_sampling": bound(sampled, -1.0),
    });
    out.insert("std_deviation_bounds".into(), bounds);
}

pub(crate) fn too_many() -> Error {
    Error::Request {
        kind: "too_many_buckets_exception",
        reason: format!(
            "Trying to create too many buckets. Must be less than or equal to: [{MAX_BUCKETS}] but this number of buckets was exceeded. This limit can be set by changing the [search.max_buckets] cluster level setting."
        ),
    }
}
