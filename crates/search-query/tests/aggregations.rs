//! Aggregations in JSON.

use search_query::aggregation::{Aggregation, BucketOrder, CalendarUnit, Interval, Kind};
use search_query::query::Query;
use search_query::sort::Order::{Asc, Desc};
use serde_json::{Value, json};

fn kind(value: Value) -> Kind {
    let mut parsed = Aggregation::parse_all(&json!({"n": value})).unwrap_or_else(|e| panic!("{value}: {e}"));
    parsed.remove(0).1.kind
}

fn refused(value: Value, error_kind: &str, reason: &str) {
    let error = Aggregation::parse_all(&json!({"n": value})).expect_err(&value.to_string());
    assert_eq!((error.kind, error.reason.as_str()), (error_kind, reason), "{value}");
}

#[test]
fn terms() {
    let terms = |size, order: Vec<BucketOrder>, min_doc_count, missing| Kind::Terms {
        field: "f".into(),
        size,
        order,
        min_doc_count,
        missing,
    };
    let (count, key) = (BucketOrder::Count, BucketOrder::Key);
    assert_eq!(kind(json!({"terms": {"field": "f"}})), terms(10, vec![count(Desc), key(Asc)], 1, None));
    assert_eq!(
        kind(
            json!({"terms": {"field": "f", "size": 3, "shard_size": 9, "min_doc_count": 0, "missing": "N/A", "execution_hint": "map"}})
        ),
        terms(3, vec![count(Desc), key(Asc)], 0, Some(json!("N/A"))),
    );
    for (order, expected) in [
        (json!({"_count": "asc"}), vec![count(Asc), key(Asc)]),
        (json!({"_key": "desc"}), vec![key(Desc)]),
        (json!({"_term": "asc"}), vec![key(Asc)]),
        (
            json!([{"m.avg": "desc"}, {"_count": "DESC"}]),
            vec![BucketOrder::Metric("m.avg".into(), Desc), count(Desc), key(Asc)],
        ),
        (json!([{"_count": "desc"}, {"_key": "desc"}]), vec![count(Desc), key(Desc)]),
    ] {
        assert_eq!(kind(json!({"terms": {"field": "f", "order": order}})), terms(10, expected, 1, None), "{order}");
    }
}

fn by_time(interval: Interval) -> Kind {
    Kind::DateHistogram {
        field: "t".into(),
        interval,
        format: None,
        time_zone: None,
        offset: 0,
        min_doc_count: 0,
        extended_bounds: None,
    }
}

#[test]
fn intervals() {
    for (option, value, expected) in [
        ("calendar_interval", json!("1d"), Interval::Calendar(CalendarUnit::Day)),
        ("calendar_interval", json!("minute"), Interval::Calendar(CalendarUnit::Minute)),
        ("calendar_interval", json!("1M"), Interval::Calendar(CalendarUnit::Month)),
        ("calendar_interval", json!("1q"), Interval::Calendar(CalendarUnit::Quarter)),
        ("calendar_interval", json!("1s"), Interval::Fixed(1_000)),
        ("fixed_interval", json!("1d"), Interval::Fixed(86_400_000)),
        ("fixed_interval", json!("90m"), Interval::Fixed(5_400_000)),
        ("fixed_interval", json!("250ms"), Interval::Fixed(250)),
        ("interval", json!("month"), Interval::Calendar(CalendarUnit::Month)),
        ("interval", json!("1m"), Interval::Calendar(CalendarUnit::Minute)),
        ("interval", json!("30s"), Interval::Fixed(30_000)),
        ("interval", json!(1000), Interval::Fixed(1_000)),
    ] {
        assert_eq!(
            kind(json!({"date_histogram": {"field": "t", option: value}})),
            by_time(expected),
            "{option} {value}"
        );
    }
}

#[test]
fn histograms() {
    assert_eq!(
        kind(json!({"date_histogram": {
            "field": "t", "fixed_interval": "1h", "format": "yyyy", "time_zone": "Europe/Berlin", "offset": "-6h", "min_doc_count": 1,
            "extended_bounds": {"min": "now-1d", "max": 5}, "order": {"_key": "asc"}, "keyed": false,
        }})),
        Kind::DateHistogram {
            field: "t".into(),
            interval: Interval::Fixed(3_600_000),
            format: Some("yyyy".into()),
            time_zone: Some("Europe/Berlin".into()),
            offset: -21_600_000,
            min_doc_count: 1,
            extended_bounds: Some((json!("now-1d"), json!(5))),
        },
    );
    assert_eq!(
        kind(json!({"histogram": {"field": "v", "interval": 0.5, "offset": "1", "min_doc_count": 2}})),
        Kind::Histogram { field: "v".into(), interval: 0.5, offset: 1.0, min_doc_count: 2 },
    );
}

#[test]
fn other_buckets() {
    assert_eq!(
        kind(json!({"range": {"field": "v", "ranges": [{"to": 1}, {"key": "k", "from": "1", "to": null}]}})),
        Kind::Range { field: "v".into(), ranges: vec![(None, None, Some(1.0)), (Some("k".into()), Some(1.0), None)] },
    );
    assert_eq!(kind(json!({"filter": {"match_all": {}}})), Kind::Filter(Query::MatchAll));
    assert_eq!(
        kind(json!({"filters": {"filters": {"z": {"match_all": {}}, "a": {"match_none": {}}}}})),
        Kind::Filters(vec![("z".into(), Query::MatchAll), ("a".into(), Query::MatchNone)]),
    );
}

#[test]
fn metrics() {
    let field = || "f".to_owned();
    for (name, expected) in [
        ("avg", Kind::Avg(field())),
        ("sum", Kind::Sum(field())),
        ("min", Kind::Min(field())),
        ("max", Kind::Max(field())),
        ("stats", Kind::Stats(field())),
        ("extended_stats", Kind::ExtendedStats(field())),
        ("value_count", Kind::ValueCount(field())),
        ("cardinality", Kind::Cardinality(field())),
        ("percentiles", Kind::Percentiles { field: field(), percents: vec![1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0] }),
    ] {
        assert_eq!(kind(json!({name: {"field": "f"}})), expected);
    }
    assert_eq!(kind(json!({"cardinality": {"field": "f", "precision_threshold": 100}})), Kind::Cardinality(field()));
    for how in [json!({"compression": 200}), json!({"compression": 0})] {
        let value = json!({"percentiles": {"field": "f", "percents": [50, 99.9], "tdigest": how, "keyed": true}});
        assert_eq!(kind(value), Kind::Percentiles { field: field(), percents: vec![50.0, 99.9] });
    }
    kind(json!({"percentiles": {"field": "f", "hdr": {"number_of_significant_value_digits": 3}}}));
}

#[test]
fn order_and_meta_are_kept() {
    let parsed = Aggregation::parse_all(&json!({
        "z": {"terms": {"field": "f"}, "meta": {"a": [1]}, "aggs": {"y": {"avg": {"field": "v"}}, "b": {"max": {"field": "v"}}}},
        "a": {"aggregations": {"c": {"filter": {"match_all": {}}, "aggs": {}}}, "filter": {"match_all": {}}},
    }))
    .unwrap();
    let names = |of: &[(String, Aggregation)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&parsed), ["z", "a"]);
    assert_eq!(names(&parsed[0].1.aggregations), ["y", "b"]);
    assert_eq!(names(&parsed[1].1.aggregations), ["c"]);
    assert_eq!(parsed[0].1.meta, Some(json!({"a": [1]})));
}

#[test]
fn refused_aggregations() {
    let (parsing, illegal, content) = ("parsing_exception", "illegal_argument_exception", "x_content_parse_exception");
    refused(json!({"foo": {}}), parsing, "Unknown aggregation type [foo]");
    refused(json!({"term": {}}), parsing, "Unknown aggregation type [term] did you mean [terms]?");
    for name in
        ["composite", "moving_fn", "max_bucket", "nested", "significant_terms", "top_hits", "date_range", "ip_range"]
    {
        refused(json!({name: {}}), illegal, &format!("aggregation type [{name}] of [n] is not supported"));
    }
    refused(json!({}), parsing, "Missing definition for aggregation [n]");
    refused(json!({"meta": {}}), parsing, "Missing definition for aggregation [n]");
    refused(
        json!("x"),
        parsing,
        "Aggregation definition for [n] starts with a [VALUE_STRING], expected a [START_OBJECT].",
    );
    refused(json!({"avg": 5}), parsing, "Expected [START_OBJECT] under [avg], but got a [VALUE_NUMBER] in [n]");
    refused(
        json!({"avg": {"field": "f"}, "max": {"field": "f"}}),
        parsing,
        "Found two aggregation type definitions in [n]: [avg] and [max]",
    );
    refused(
        json!({"terms": {"field": "f"}, "aggs": {}, "aggregations": {}}),
        parsing,
        "Found two sub aggregation definitions under [n]",
    );
    refused(
        json!({"avg": {"field": "f"}, "aggs": {"m": {"max": {"field": "f"}}}}),
        "aggregation_initialization_exception",
        "Aggregator [n] of type [avg] cannot accept sub-aggregations",
    );
    refused(
        json!({"terms": {"field": "f"}, "aggs": {"a>b": {"max": {"field": "f"}}}}),
        parsing,
        "Invalid aggregation name [a>b]. Aggregation names can contain any character except '[', ']', and '>'",
    );
    refused(json!({"avg": {}}), illegal, "Required one of fields [field, script], but none were specified in [n]");
    refused(json!({"avg": {"field": "f", "foo": 1}}), content, "[avg] unknown field [foo]");
    refused(json!({"avg": {"script": "x"}}), illegal, "[avg] aggregation [n]: the option [script] is not supported");
    refused(
        json!({"sum": {"field": "f", "missing": 1}}),
        illegal,
        "[sum] aggregation [n]: the option [missing] is not supported",
    );
    refused(json!({"terms": {"field": "f", "size": 0}}), illegal, "[size] must be greater than 0. Found [0] in [n]");
    refused(json!({"terms": {"field": "f", "order": {"_count": "up"}}}), parsing, "Unknown order direction [up]");
    refused(
        json!({"terms": {"field": "f", "include": "a.*"}}),
        illegal,
        "[terms] aggregation [n]: the option [include] is not supported",
    );
    refused(
        json!({"date_histogram": {"field": "t"}}),
        illegal,
        "Required one of fields [interval, calendar_interval, fixed_interval], but none were specified in [n]",
    );
    refused(
        json!({"date_histogram": {"field": "t", "calendar_interval": "2d"}}),
        illegal,
        "The supplied interval [2d] could not be parsed as a calendar interval.",
    );
    refused(
        json!({"date_histogram": {"field": "t", "fixed_interval": "1M"}}),
        illegal,
        "failed to parse setting [date_histogram.fixedInterval] with value [1M] as a time value: unit is missing or unrecognized",
    );
    refused(
        json!({"date_histogram": {"field": "t", "fixed_interval": "1d", "calendar_interval": "1d"}}),
        illegal,
        "Cannot use [calendar_interval] with [fixed_interval] configuration option.",
    );
    refused(
        json!({"date_histogram": {"field": "t", "fixed_interval": "1d", "order": {"_count": "desc"}}}),
        illegal,
        "[date_histogram] aggregation [n]: the option [order] is not supported",
    );
    refused(
        json!({"histogram": {"field": "v", "interval": 0}}),
        illegal,
        "[interval] must be >0 for histogram aggregation [n]",
    );
    refused(json!({"range": {"field": "v", "ranges": []}}), illegal, "No [ranges] specified for the [n] aggregation");
    refused(json!({"filter": {"foo": {}}}), parsing, "unknown query [foo]");
    for empty in [json!({}), json!({"filters": {}}), json!({"filters": []})] {
        refused(json!({"filters": empty}), illegal, "[filters] cannot be empty");
    }
    refused(json!({"percentiles": {"field": "f", "percents": []}}), illegal, "[percents] must not be empty");
    refused(
        json!({"percentiles": {"field": "f", "tdigest": {"compression": -1}}}),
        illegal,
        "[compression] must be greater than or equal to 0. Found [-1.0] in [n]",
    );
    refused(
        json!({"percentiles": {"field": "f", "hdr": {"number_of_significant_value_digits": 10}}}),
        illegal,
        "[numberOfSignificantValueDigits] must be between 0 and 5",
    );
    refused(
        json!({"cardinality": {"field": "f", "precision_threshold": -1}}),
        illegal,
        "[precisionThreshold] must be greater than or equal to 0. Found [-1] in [n]",
    );
    let many: Value =
        (0..1_001).map(|i| (format!("a{i}"), json!({"avg": {"field": "f"}}))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(Aggregation::parse_all(&many).unwrap_err().reason, "more than [1000] aggregations");
}
