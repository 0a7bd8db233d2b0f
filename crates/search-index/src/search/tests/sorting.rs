//! Sorting, paging, scores.

use super::*;

fn mappings() -> Value {
    json!({"properties": {
        "n": {"type": "long"}, "x": {"type": "double"}, "k": {"type": "keyword"}, "at": {"type": "date"}, "b": {"type": "boolean"},
        "t": {"type": "text"}
    }})
}

async fn fixture() -> Fixture {
    let f = Fixture::new();
    let documents = [
        json!({"n": 3, "x": 0.5, "k": "b", "at": "2026-11-20T00:00:00.003Z", "b": true, "t": "red"}),
        json!({"n": 1, "x": -2, "k": "a", "at": "2026-11-20T00:00:00.001Z", "b": false, "t": "red red red blue"}),
        json!({"n": [9, 2], "k": ["d", "c"], "at": "2026-11-19", "t": "blue"}),
        json!({"t": "green"}),
        json!({"n": 3, "x": 7, "k": "é", "at": "2026-11-21", "t": "red green"}),
    ];
    f.index("logs", mappings(), &documents, 2).await;
    f
}

async fn check(f: &Fixture, sort: Value, expected: &[&str], values: Value) {
    let answer = f.search(&["logs"], json!({"sort": sort})).await;
    assert_eq!(ids(&answer), expected, "{sort}");
    let found: Vec<&Vec<Value>> = answer.hits.iter().map(|hit| &hit.sort).collect();
    assert_eq!(json!(found), values, "{sort}");
    assert!(answer.hits.iter().all(|hit| hit.score.is_none()) && answer.max_score.is_none());
    // Page by page it is the same.
    let mut pages = Vec::new();
    let mut after: Option<Vec<Value>> = None;
    let keys = if sort.is_array() { sort.clone() } else { json!([sort]) };
    let mut keys = keys.as_array().unwrap().clone();
    keys.push(json!("_doc"));
    loop {
        let mut body = json!({"sort": keys, "size": 2});
        if let Some(after) = &after {
            body["search_after"] = json!(after);
        }
        let page = f.search(&["logs"], body).await;
        let Some(last) = page.hits.last() else { break };
        after = Some(last.sort.clone());
        pages.extend(page.hits.iter().map(|hit| hit.id.clone()));
    }
    assert_eq!(pages, expected, "{sort}, page by page");
    let paged = f.search(&["logs"], json!({"sort": sort, "from": 1, "size": 2})).await;
    assert_eq!(ids(&paged), expected[1..3], "{sort}");
}

#[tokio::test]
async fn by_fields() {
    let f = fixture().await;
    let (max, min) = (i64::MAX, i64::MIN);
    check(&f, json!("n"), &["1", "2", "0", "4", "3"], json!([[1], [2], [3], [3], [max]])).await;
    check(&f, json!({"n": "desc"}), &["2", "0", "4", "1", "3"], json!([[9], [3], [3], [1], [min]])).await;
    check(
        &f,
        json!({"n": {"order": "asc", "missing": "_first"}}),
        &["3", "1", "2", "0", "4"],
        json!([[min], [1], [2], [3], [3]]),
    )
    .await;
    check(
        &f,
        json!({"n": {"order": "asc", "missing": 2}}),
        &["1", "2", "3", "0", "4"],
        json!([[1], [2], [2], [3], [3]]),
    )
    .await;
    check(
        &f,
        json!([{"n": "desc"}, {"x": "desc"}]),
        &["2", "4", "0", "1", "3"],
        json!([[9, "-Infinity"], [3, 7.0], [3, 0.5], [1, -2.0], [min, "-Infinity"]]),
    )
    .await;
    check(
        &f,
        json!({"x": "asc"}),
        &["1", "0", "4", "2", "3"],
        json!([[-2.0], [0.5], [7.0], ["Infinity"], ["Infinity"]]),
    )
    .await;
    check(&f, json!("k"), &["1", "0", "2", "4", "3"], json!([["a"], ["b"], ["c"], ["é"], [null]])).await;
    check(&f, json!({"k": "desc"}), &["4", "2", "0", "1", "3"], json!([["é"], ["d"], ["b"], ["a"], [null]])).await;
    check(
        &f,
        json!({"k": {"order": "desc", "missing": "_first"}}),
        &["3", "4", "2", "0", "1"],
        json!([[null], ["é"], ["d"], ["b"], ["a"]]),
    )
    .await;
    check(
        &f,
        json!({"k": {"order": "asc", "missing": "bb"}}),
        &["1", "0", "3", "2", "4"],
        json!([["a"], ["b"], ["bb"], ["c"], ["é"]]),
    )
    .await;
    check(
        &f,
        json!({"at": {"order": "desc", "format": "yyyy-MM-dd HH:mm:ss.SSS"}}),
        &["4", "0", "1", "2", "3"],
        json!([
            ["2026-11-21 00:00:00.000"],
            ["2026-11-20 00:00:00.003"],
            ["2026-11-20 00:00:00.001"],
            ["2026-11-19 00:00:00.000"],
            [min]
        ]),
    )
    .await;
    check(&f, json!("b"), &["1", "0", "2", "3", "4"], json!([[0], [1], [max], [max], [max]])).await;
    check(
        &f,
        json!({"nowhere": {"order": "asc", "unmapped_type": "keyword"}}),
        &["0", "1", "2", "3", "4"],
        json!([[null], [null], [null], [null], [null]]),
    )
    .await;
}

#[tokio::test]
async fn by_arrival() {
    let f = fixture().await;
    let answer = f.search(&["logs"], json!({"sort": [{"_seq_no": "desc"}], "size": 3})).await;
    assert_eq!(ids(&answer), ["4", "3", "2"]);
    let seq_nos: Vec<u64> = answer.hits.iter().map(|hit| hit.seq_no).collect();
    assert_eq!(json!(answer.hits[0].sort), json!([seq_nos[0]]));
    assert!(seq_nos.windows(2).all(|pair| pair[0] > pair[1]));
    let body =
        json!({"sort": ["_seq_no"], "search_after": [seq_nos[2]], "query": {"range": {"_seq_no": {"gt": seq_nos[2]}}}});
    let tail = f.search(&["logs"], body).await;
    assert_eq!(ids(&tail), ["3", "4"]);
    assert_eq!(tail.skipped, 1);
}

#[tokio::test]
async fn by_score() {
    let f = fixture().await;
    let answer = f.search(&["logs"], json!({"query": {"match": {"t": "red"}}})).await;
    assert_eq!(ids(&answer), ["1", "0", "4"]);
    assert_eq!(answer.max_score, answer.hits[0].score);
    // Rarity counts over all splits: of two words that occur once in a document, the rarer one is worth more.
    let answer = f.search(&["logs"], json!({"query": {"match": {"t": "green red"}}})).await;
    assert_eq!(ids(&answer)[0], "4");
    let same = f.search(&["logs"], json!({"query": {"match": {"t": "red"}}, "sort": ["_score", {"n": "desc"}]})).await;
    assert_eq!(ids(&same), ["1", "0", "4"]);
    assert_eq!(same.hits[0].score, same.max_score);
    let least = answer.max_score.unwrap() - 0.001;
    let best = f.search(&["logs"], json!({"query": {"match": {"t": "green red"}}, "min_score": least})).await;
    assert_eq!(ids(&best), ["4"]);
    let constant = f
        .search(&["logs"], json!({"query": {"constant_score": {"filter": {"term": {"t": "red"}}, "boost": 3.0}}}))
        .await;
    assert_eq!(ids(&constant), ["0", "1", "4"]);
    assert_eq!(constant.max_score, Some(3.0));
    let all = f.search(&["logs"], json!({})).await;
    assert_eq!((ids(&all).as_slice(), all.max_score), (&["0", "1", "2", "3", "4"][..], Some(1.0)));
}

#[tokio::test]
async fn totals() {
    let f = fixture().await;
    for (track, value, at_least) in
        [(json!(true), 5, false), (json!(3), 3, true), (json!(5), 5, false), (json!(100), 5, false)]
    {
        for body in [
            json!({"size": 0}),
            json!({"size": 1}),
            json!({"size": 1, "sort": ["_doc"]}),
            json!({"size": 1, "sort": ["n"]}),
        ] {
            let mut body = body;
            body["track_total_hits"] = track.clone();
            let total = f.search(&["logs"], body.clone()).await.total.unwrap();
            assert_eq!((total.value, total.at_least), (value, at_least), "{body}");
        }
    }
    assert_eq!(f.search(&["logs"], json!({"track_total_hits": false})).await.total, None);
    let filtered = json!({"post_filter": {"term": {"t": "red"}}, "aggs": {"all": {"value_count": {"field": "n"}}}});
    let answer = f.search(&["logs"], filtered).await;
    assert_eq!(ids(&answer), ["0", "1", "4"]);
    assert_eq!(answer.total.unwrap().value, 3);
    assert_eq!(answer.aggregations.unwrap(), json!({"all": {"value": 5}}));
    assert_eq!(f.search(&["logs"], json!({"post_filter": {"term": {"t": "red"}}})).await.total.unwrap().value, 3);
}

#[tokio::test]
async fn several_indices() {
    let f = fixture().await;
    let mappings = json!({"properties": {"n": {"type": "double"}, "k": {"type": "long"}}});
    f.index("other", mappings, &[json!({"n": 2.5, "k": 1}), json!({"n": 0.5})], 1).await;
    let answer = f.search(&["logs", "other"], json!({"sort": ["n"], "size": 4})).await;
    let found: Vec<(&str, &str)> = answer.hits.iter().map(|hit| (hit.index.as_str(), hit.id.as_str())).collect();
    assert_eq!(found, [("other", "1"), ("logs", "1"), ("logs", "2"), ("other", "0")]);
    assert_eq!(answer.total.unwrap().value, 7);
    let body = json!({"sort": ["k"]});
    let error = f.try_search(&["logs", "other"], body).await.unwrap_err().to_string();
    assert!(error.starts_with("Can't sort on field [k]; the field has incompatible sort types"), "{error}");
    let one = f.search(&["logs", "other"], json!({"query": {"term": {"_index": "other"}}})).await;
    assert_eq!((one.hits.len(), one.skipped), (2, 3));
    let none = f.search(&[], json!({"aggs": {"n": {"avg": {"field": "n"}}}})).await;
    assert_eq!((none.hits.len(), none.total.unwrap().value), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_sorted_by_is_refused() {
    let f = fixture().await;
    for (sort, kind, reason) in [
        (json!("nowhere"), "query_shard_exception", "No mapping found for [nowhere] in order to sort on"),
        (
            json!("t"),
            "illegal_argument_exception",
            "Text fields are not optimised for operations that require per-document field data",
        ),
        (json!("_id"), "illegal_argument_exception", "Fielddata access on the _id field is disallowed"),
    ] {
        f.check_refused(json!({"sort": [sort]}), kind, reason).await;
    }
    f.check_refused(
        json!({"sort": ["n"], "search_after": ["x"]}),
        "illegal_argument_exception",
        "Failed to parse search_after value",
    )
    .await;
}
