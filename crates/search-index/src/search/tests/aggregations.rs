//! Aggregations, in Elasticsearch's shape.

use super::*;

fn mappings() -> Value {
    json!({"properties": {
        "host": {"type": "keyword"}, "status": {"type": "integer"}, "took": {"type": "double"}, "at": {"type": "date"},
        "ok": {"type": "boolean"}, "msg": {"type": "text"}, "tags": {"type": "keyword"}
    }})
}

async fn fixture() -> Fixture {
    let f = Fixture::new();
    let documents = [
        json!({"host": "a", "status": 200, "took": 1.0, "at": "2026-10-31T23:30:00Z", "ok": true, "msg": "red", "tags": ["x", "y", "x"]}),
        json!({"host": "b", "status": 200, "took": 2.0, "at": "2026-11-01T00:30:00Z", "ok": true, "msg": "blue", "tags": "x"}),
        json!({"host": "a", "status": 404, "took": 3.0, "at": "2026-11-01T01:10:00Z", "ok": false, "msg": "red blue"}),
        json!({"host": "a", "status": 500, "took": 10.5, "at": "2026-11-01T05:00:00Z", "ok": false, "msg": "red"}),
        json!({"status": 200, "at": "2027-01-02T00:00:00Z"}),
    ];
    f.index("logs", mappings(), &documents, 2).await;
    f
}

async fn check(f: &Fixture, aggregation: Value, expected: Value) {
    let answer = f.search(&["logs"], json!({"size": 0, "aggs": {"x": aggregation}})).await;
    let found = &answer.aggregations.unwrap()["x"];
    // As text: the order of names counts too.
    assert_eq!(found.to_string(), expected.to_string(), "{aggregation}");
}

#[tokio::test]
async fn terms() {
    let f = fixture().await;
    let terms =
        |buckets: Value| json!({"doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": buckets});
    check(
        &f,
        json!({"terms": {"field": "host"}}),
        terms(json!([{"key": "a", "doc_count": 3}, {"key": "b", "doc_count": 1}])),
    )
    .await;
    check(
        &f,
        json!({"terms": {"field": "tags"}}),
        terms(json!([{"key": "x", "doc_count": 2}, {"key": "y", "doc_count": 1}])),
    )
    .await;
    check(
        &f,
        json!({"terms": {"field": "status", "size": 1}}),
        json!({"doc_count_error_upper_bound": 0, "sum_other_doc_count": 2, "buckets": [{"key": 200, "doc_count": 3}]}),
    )
    .await;
    check(
        &f,
        json!({"terms": {"field": "status", "order": {"_key": "desc"}, "min_doc_count": 2}}),
        terms(json!([{"key": 200, "doc_count": 3}])),
    )
    .await;
    check(&f, json!({"terms": {"field": "ok"}}), terms(json!([{"key": 0, "key_as_string": "false", "doc_count": 2}, {"key": 1, "key_as_string": "true", "doc_count": 2}]))).await;
    check(&f, json!({"terms": {"field": "took", "size": 2}}), json!({"doc_count_error_upper_bound": 0, "sum_other_doc_count": 2, "buckets": [{"key": 1.0, "doc_count": 1}, {"key": 2.0, "doc_count": 1}]})).await;
    check(
        &f,
        json!({"terms": {"field": "host", "missing": "a"}}),
        terms(json!([{"key": "a", "doc_count": 4}, {"key": "b", "doc_count": 1}])),
    )
    .await;
    check(&f, json!({"terms": {"field": "at", "size": 1}}), json!({"doc_count_error_upper_bound": 0, "sum_other_doc_count": 4, "buckets": [{"key": 1_793_489_400_000_i64, "key_as_string": "2026-10-31T23:30:00.000Z", "doc_count": 1}]})).await;
    check(&f, json!({"terms": {"field": "nowhere"}}), terms(json!([]))).await;
    check(
        &f,
        json!({"terms": {"field": "host", "order": {"slow": "desc"}}, "meta": {"m": 1}, "aggs": {"slow": {"max": {"field": "took"}}, "all": {"terms": {"field": "status"}}}}),
        json!({"meta": {"m": 1}, "doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": [
            {"key": "a", "doc_count": 3, "slow": {"value": 10.5}, "all": terms(json!([{"key": 200, "doc_count": 1}, {"key": 404, "doc_count": 1}, {"key": 500, "doc_count": 1}]))},
            {"key": "b", "doc_count": 1, "slow": {"value": 2.0}, "all": terms(json!([{"key": 200, "doc_count": 1}]))}]}),
    )
    .await;
}

#[tokio::test]
async fn date_histograms() {
    let f = fixture().await;
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let bucket = |text: &str, count: u64| json!({"key_as_string": text, "key": at(text), "doc_count": count});
    check(
        &f,
        json!({"date_histogram": {"field": "at", "calendar_interval": "month"}}),
        json!({"buckets": [bucket("2026-10-01T00:00:00.000Z", 1), bucket("2026-11-01T00:00:00.000Z", 3), bucket("2026-12-01T00:00:00.000Z", 0), bucket("2027-01-01T00:00:00.000Z", 1)]}),
    )
    .await;
    check(
        &f,
        json!({"date_histogram": {"field": "at", "calendar_interval": "1y", "format": "yyyy", "min_doc_count": 1}}),
        json!({"buckets": [{"key_as_string": "2026", "key": at("2026-01-01T00:00:00Z"), "doc_count": 4}, {"key_as_string": "2027", "key": at("2027-01-01T00:00:00Z"), "doc_count": 1}]}),
    )
    .await;
    check(
        &f,
        json!({"date_histogram": {"field": "at", "fixed_interval": "1d", "time_zone": "+01:00", "min_doc_count": 1}}),
        json!({"buckets": [
            {"key_as_string": "2026-11-01T00:00:00.000+01:00", "key": at("2026-10-31T23:00:00Z"), "doc_count": 4},
            {"key_as_string": "2027-01-02T00:00:00.000+01:00", "key": at("2027-01-01T23:00:00Z"), "doc_count": 1}]}),
    )
    .await;
    let in_november = json!({"size": 0, "query": {"range": {"at": {"gte": "2026-11-01", "lt": "2026-11-02"}}}, "aggs": {"h": {
        "date_histogram": {"field": "at", "fixed_interval": "2h", "extended_bounds": {"min": "2026-10-31T22:00:00Z", "max": "2026-11-01T06:00:00Z"}},
        "aggs": {"s": {"terms": {"field": "status"}}}}}});
    let answer = f.search(&["logs"], in_november).await.aggregations.unwrap();
    let counts: Vec<(u64, usize)> = answer["h"]["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| (bucket["doc_count"].as_u64().unwrap(), bucket["s"]["buckets"].as_array().unwrap().len()))
        .collect();
    assert_eq!(counts, [(0, 0), (2, 2), (0, 0), (1, 1), (0, 0)]);
}

#[tokio::test]
async fn listed_buckets() {
    let f = fixture().await;
    check(
        &f,
        json!({"range": {"field": "took", "ranges": [{"to": 2}, {"from": 2, "to": 5, "key": "mid"}, {"from": 5}]}, "aggs": {"n": {"value_count": {"field": "took"}}}}),
        json!({"buckets": [
            {"key": "*-2.0", "to": 2.0, "doc_count": 1, "n": {"value": 1}},
            {"key": "mid", "from": 2.0, "to": 5.0, "doc_count": 2, "n": {"value": 2}},
            {"key": "5.0-*", "from": 5.0, "doc_count": 1, "n": {"value": 1}}]}),
    )
    .await;
    check(
        &f,
        json!({"filter": {"match": {"msg": "red"}}, "aggs": {"took": {"avg": {"field": "took"}}}}),
        json!({"doc_count": 3, "took": {"value": 14.5 / 3.0}}),
    )
    .await;
    check(
        &f,
        json!({"filters": {"filters": {"red": {"match": {"msg": "red"}}, "recent": {"range": {"at": {"gte": "2027"}}}, "none": {"term": {"host": "z"}}}}}),
        json!({"buckets": {"red": {"doc_count": 3}, "recent": {"doc_count": 1}, "none": {"doc_count": 0}}}),
    )
    .await;
    check(
        &f,
        json!({"histogram": {"field": "took", "interval": 2}}),
        json!({"buckets": [{"key": 0.0, "doc_count": 1}, {"key": 2.0, "doc_count": 2}, {"key": 4.0, "doc_count": 0}, {"key": 6.0, "doc_count": 0}, {"key": 8.0, "doc_count": 0}, {"key": 10.0, "doc_count": 1}]}),
    )
    .await;
    check(
        &f,
        json!({"histogram": {"field": "took", "interval": 5, "offset": -3, "min_doc_count": 1}}),
        json!({"buckets": [{"key": -3.0, "doc_count": 1}, {"key": 2.0, "doc_count": 2}, {"key": 7.0, "doc_count": 1}]}),
    )
    .await;
}

#[tokio::test]
async fn metrics() {
    let f = fixture().await;
    for (aggregation, expected) in [
        (json!({"stats": {"field": "took"}}), json!({"count": 4, "min": 1.0, "max": 10.5, "avg": 4.125, "sum": 16.5})),
        (json!({"avg": {"field": "status"}}), json!({"value": 300.8})),
        (json!({"sum": {"field": "nowhere"}}), json!({"value": 0.0})),
        (json!({"avg": {"field": "nowhere"}}), json!({"value": null})),
        (
            json!({"stats": {"field": "nowhere"}}),
            json!({"count": 0, "min": null, "max": null, "avg": null, "sum": 0.0}),
        ),
        (
            json!({"max": {"field": "at"}}),
            json!({"value": 1_798_848_000_000.0, "value_as_string": "2027-01-02T00:00:00.000Z"}),
        ),
        (json!({"min": {"field": "took"}}), json!({"value": 1.0})),
        (json!({"value_count": {"field": "tags"}}), json!({"value": 3})),
        (json!({"cardinality": {"field": "tags"}}), json!({"value": 2})),
        (json!({"cardinality": {"field": "status"}}), json!({"value": 3})),
        (json!({"cardinality": {"field": "nowhere"}}), json!({"value": 0})),
        (
            json!({"percentiles": {"field": "took", "percents": [50, 100]}}),
            json!({"values": {"50.0": 2.5, "100.0": 10.5}}),
        ),
    ] {
        check(&f, aggregation, expected).await;
    }
    let extended =
        f.search(&["logs"], json!({"aggs": {"x": {"extended_stats": {"field": "took"}}}})).await.aggregations.unwrap();
    assert_eq!(extended["x"]["sum_of_squares"], json!(124.25));
    assert_eq!(extended["x"]["variance"], json!(124.25 / 4.0 - 4.125 * 4.125));
    assert!(extended["x"]["std_deviation_bounds"]["upper"].as_f64().unwrap() > 4.125);
}

#[tokio::test]
async fn of_several_indices() {
    let f = fixture().await;
    f.index("other", json!({}), &[json!({"host": "a"})], 1).await;
    let body = json!({"size": 0, "aggs": {
        "h": {"terms": {"field": "host"}}, "k": {"terms": {"field": "host.keyword"}}, "t": {"max": {"field": "at"}}}});
    // The text field of the other index cannot be aggregated on, its sub-field can.
    let error = f.try_search(&["logs", "other"], body).await.unwrap_err().to_string();
    assert!(error.contains("Fielddata is disabled on [host] in [other]"), "{error}");
    let body = json!({"size": 0, "aggs": {"k": {"terms": {"field": "host.keyword"}}, "t": {"max": {"field": "at"}}}});
    let answer = f.search(&["other", "logs"], body).await.aggregations.unwrap();
    assert_eq!(answer["k"]["buckets"], json!([{"key": "a", "doc_count": 1}]));
    assert_eq!(answer["t"]["value_as_string"], "2027-01-02T00:00:00.000Z");
}

#[tokio::test]
async fn what_cannot_be_aggregated_is_refused() {
    let f = fixture().await;
    let illegal = "illegal_argument_exception";
    for (aggregation, kind, reason) in [
        (json!({"terms": {"field": "msg"}}), illegal, "Text fields are not optimised for operations"),
        (
            json!({"avg": {"field": "host"}}),
            illegal,
            "Field [host] of type [keyword] is not supported for aggregation [avg]",
        ),
        (
            json!({"date_histogram": {"field": "status", "fixed_interval": "1h"}}),
            illegal,
            "Field [status] of type [long] is not supported for aggregation [date_histogram]",
        ),
        (
            json!({"date_histogram": {"field": "at", "fixed_interval": "1s"}}),
            "too_many_buckets_exception",
            "Must be less than or equal to: [65535]",
        ),
        (json!({"filter": {"term": {"status": "x"}}}), "query_shard_exception", "For input string"),
        (
            json!({"terms": {"field": "host", "order": {"none": "asc"}}}),
            "aggregation_execution_exception",
            "Invalid aggregation order path [none]",
        ),
    ] {
        f.check_refused(json!({"aggs": {"x": aggregation}}), kind, reason).await;
    }
}
