//! Every kind of query, over one index of a few splits.

use super::*;

fn mappings() -> Value {
    json!({"properties": {
        "msg": {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 30}}},
        "host": {"type": "keyword"}, "status": {"type": "integer"}, "took": {"type": "double"},
        "at": {"type": "date"}, "day": {"type": "date", "format": "yyyy/MM/dd"}, "ok": {"type": "boolean"}, "ip": {"type": "ip"},
        "user": {"properties": {"name": {"type": "keyword"}, "age": {"type": "long"}}}
    }})
}

fn documents() -> Vec<Value> {
    vec![
        json!({"msg": "Quick brown fox", "host": "web-1", "status": 200, "took": 0.5, "at": "2026-11-20T10:00:00Z", "ok": true, "ip": "10.0.0.1"}),
        json!({"msg": "the quick blue hare", "host": "web-2", "status": 404, "took": 2, "at": "2026-11-20T10:30:00.500Z", "ok": false, "ip": "10.0.1.7"}),
        json!({"msg": "lazy dog sleeps over there for a long long time", "host": "db-1", "status": 500, "took": 10.25, "at": "2026-11-19T23:59:59.999Z", "ip": "192.168.0.1"}),
        json!({"msg": "fox and dog", "host": "Web-1", "status": [200, 301], "at": "2026-11-18", "user": {"name": "ann", "age": 30}}),
        json!({"msg": "", "status": -1, "took": -3.5, "day": "2026/11/01", "user": {"name": "bob"}, "ip": "2001:db8::1"}),
        json!({"new": "dynamic words", "host": null, "count": 12, "ratio": 1.5}),
    ]
}

async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.index("logs", mappings(), &documents(), 2).await;
    fixture
}

#[tokio::test]
async fn exact_values() {
    let f = fixture().await;
    for (query, expected) in [
        (json!({"match_all": {}}), &["0", "1", "2", "3", "4", "5"][..]),
        (json!({"match_none": {}}), &[]),
        (json!({"term": {"host": "web-1"}}), &["0"]),
        (json!({"term": {"host": {"value": "WEB-1", "case_insensitive": true}}}), &["0", "3"]),
        (json!({"term": {"msg": "quick"}}), &["0", "1"]),
        (json!({"term": {"msg": "Quick"}}), &[]),
        (json!({"term": {"msg.keyword": "Quick brown fox"}}), &["0"]),
        (json!({"term": {"status": 200}}), &["0", "3"]),
        (json!({"term": {"status": "200"}}), &["0", "3"]),
        (json!({"term": {"status": 200.5}}), &[]),
        (json!({"term": {"took": 2}}), &["1"]),
        (json!({"term": {"took": 10.25}}), &["2"]),
        (json!({"term": {"took": "-3.5"}}), &["4"]),
        (json!({"term": {"ok": true}}), &["0"]),
        (json!({"term": {"ok": "false"}}), &["1"]),
        (json!({"term": {"at": "2026-11-20T10:30:00.500Z"}}), &["1"]),
        (json!({"term": {"at": "2026-11-20"}}), &["0", "1"]),
        (json!({"term": {"at": "2026-11-18||/d"}}), &["3"]),
        (json!({"term": {"ip": "10.0.0.1"}}), &["0"]),
        (json!({"term": {"ip": "10.0.0.0/16"}}), &["0", "1"]),
        (json!({"term": {"ip": "2001:db8::/32"}}), &["4"]),
        (json!({"term": {"nothing": "x"}}), &[]),
        (json!({"term": {"user": "ann"}}), &[]),
        (json!({"terms": {"status": [404, 301, 999]}}), &["1", "3"]),
        (json!({"terms": {"host": ["db-1", "web-2"]}}), &["1", "2"]),
        (json!({"terms": {"host": []}}), &[]),
        (json!({"ids": {"values": ["1", "5", "9"]}}), &["1", "5"]),
        (json!({"term": {"_id": "3"}}), &["3"]),
        (json!({"term": {"_index": "logs"}}), &["0", "1", "2", "3", "4", "5"]),
        (json!({"term": {"_index": "other"}}), &[]),
        (json!({"term": {"new.keyword": "dynamic words"}}), &["5"]),
        (json!({"term": {"count": 12}}), &["5"]),
        (json!({"term": {"ratio": 1.5}}), &["5"]),
    ] {
        f.check(query, expected).await;
    }
}

#[tokio::test]
async fn text() {
    let f = fixture().await;
    for (query, expected) in [
        (json!({"match": {"msg": "QUICK dog"}}), &["0", "1", "2", "3"][..]),
        (json!({"match": {"msg": {"query": "quick fox", "operator": "and"}}}), &["0"]),
        (json!({"match": {"msg": {"query": "quick brown dog fox", "minimum_should_match": 2}}}), &["0", "3"]),
        (json!({"match": {"msg": {"query": "quick brown dog fox", "minimum_should_match": "75%"}}}), &["0"]),
        (json!({"match": {"msg": "..."}}), &[]),
        (json!({"match": {"status": "404"}}), &["1"]),
        (json!({"match": {"host": "web-1"}}), &["0"]),
        (json!({"match_phrase": {"msg": "quick blue"}}), &["1"]),
        (json!({"match_phrase": {"msg": "blue quick"}}), &[]),
        (json!({"match_phrase": {"msg": {"query": "quick hare", "slop": 1}}}), &["1"]),
        (json!({"match_phrase": {"msg": "fox"}}), &["0", "3"]),
        (json!({"match_phrase_prefix": {"msg": "quick b"}}), &["0", "1"]),
        (json!({"match_phrase_prefix": {"msg": "quick br"}}), &["0"]),
        (json!({"match_phrase_prefix": {"msg": "do"}}), &["2", "3"]),
        (json!({"multi_match": {"query": "fox", "fields": ["msg", "host^2"]}}), &["0", "3"]),
        (json!({"multi_match": {"query": "ann", "fields": ["user.*"]}}), &["3"]),
        (json!({"multi_match": {"query": "12"}}), &["5"]),
        (json!({"multi_match": {"query": "quick brown", "type": "phrase", "fields": ["msg"]}}), &["0"]),
        (json!({"query_string": {"query": "status:404 OR msg:dog"}}), &["1", "2", "3"]),
        (json!({"query_string": {"query": "+quick -blue"}}), &["0"]),
        (json!({"query_string": {"query": "msg:QUI*"}}), &["0", "1"]),
        (json!({"query_string": {"query": "bro*"}}), &["0"]),
        (json!({"query_string": {"query": "took:[2 TO *]"}}), &["1", "2"]),
        (json!({"query_string": {"query": "\"lazy dog\""}}), &["2"]),
    ] {
        f.check(query, expected).await;
    }
}

#[tokio::test]
async fn ranges() {
    let f = fixture().await;
    for (query, expected) in [
        (json!({"range": {"status": {"gte": 200, "lt": 404}}}), &["0", "3"][..]),
        (json!({"range": {"status": {"gt": 200}}}), &["1", "2", "3"]),
        (json!({"range": {"status": {"gt": 199.5, "lt": 300.5}}}), &["0", "3"]),
        (json!({"range": {"status": {"lte": "-1"}}}), &["4"]),
        (json!({"range": {"status": {"gt": 5, "lt": 5}}}), &[]),
        (json!({"range": {"took": {"gte": 0.5, "lte": 2}}}), &["0", "1"]),
        (json!({"range": {"took": {"gt": 0.5, "lt": 10.25}}}), &["1"]),
        (json!({"range": {"took": {"lt": 0}}}), &["4"]),
        (json!({"range": {"at": {"gte": "2026-11-20"}}}), &["0", "1"]),
        (json!({"range": {"at": {"gt": "2026-11-19"}}}), &["0", "1"]),
        (json!({"range": {"at": {"lte": "2026-11-19"}}}), &["2", "3"]),
        (json!({"range": {"at": {"lt": "2026-11-19"}}}), &["3"]),
        (json!({"range": {"at": {"gte": "now-2h", "lt": "now"}}}), &["0", "1"]),
        (json!({"range": {"at": {"gte": "now-1d/d", "lt": "now/d"}}}), &["2"]),
        (json!({"range": {"at": {"gte": 1_795_168_800_000_i64, "lte": 1_795_168_800_000_i64}}}), &["0"]),
        (json!({"range": {"at": {"gte": "20/11/2026", "format": "dd/MM/yyyy"}}}), &["0", "1"]),
        (
            json!({"range": {"at": {"gte": "2026-11-20T11:00:00", "lt": "2026-11-20T11:30:00", "time_zone": "+01:00"}}}),
            &["0"],
        ),
        (json!({"range": {"day": {"gte": "2026/11/01", "lte": "2026/11/01"}}}), &["4"]),
        (json!({"range": {"host": {"gte": "web-1"}}}), &["0", "1"]),
        (json!({"range": {"host": {"gt": "Web-1", "lt": "web-1"}}}), &["2"]),
        (json!({"range": {"ip": {"gte": "10.0.0.2", "lt": "192.168.0.1"}}}), &["1"]),
        (json!({"range": {"msg": {"gte": "hare", "lte": "hare"}}}), &["1"]),
        (json!({"range": {"ok": {"gte": true}}}), &["0"]),
        (json!({"range": {"user.age": {"gte": 30}}}), &["3"]),
        (json!({"range": {"nothing": {"gte": 1}}}), &[]),
        (json!({"range": {"_seq_no": {"gte": 1_048_576, "lt": 2_097_152}}}), &["0", "1"]),
        (json!({"range": {"_seq_no": {"gt": 2_097_152}}}), &["3", "4", "5"]),
        (json!({"term": {"_seq_no": 2_097_153}}), &["3"]),
        (json!({"range": {"at": {}}}), &["0", "1", "2", "3"]),
    ] {
        f.check(query, expected).await;
    }
}

#[tokio::test]
async fn patterns() {
    let f = fixture().await;
    for (query, expected) in [
        (json!({"exists": {"field": "host"}}), &["0", "1", "2", "3"][..]),
        (json!({"exists": {"field": "msg"}}), &["0", "1", "2", "3", "4"]),
        (json!({"exists": {"field": "msg.keyword"}}), &["0", "1", "3", "4"]),
        (json!({"exists": {"field": "user"}}), &["3", "4"]),
        (json!({"exists": {"field": "user.age"}}), &["3"]),
        (json!({"exists": {"field": "nothing"}}), &[]),
        (json!({"exists": {"field": "at"}}), &["0", "1", "2", "3"]),
        (json!({"prefix": {"host": "web"}}), &["0", "1"]),
        (json!({"prefix": {"host": {"value": "WEB", "case_insensitive": true}}}), &["0", "1", "3"]),
        (json!({"prefix": {"msg": "do"}}), &["2", "3"]),
        (json!({"prefix": {"msg": "Do"}}), &[]),
        (json!({"wildcard": {"host": "*-1"}}), &["0", "2", "3"]),
        (json!({"wildcard": {"host": "?eb-2"}}), &["1"]),
        (json!({"wildcard": {"msg": "F?X"}}), &["0", "3"]),
        (json!({"regexp": {"host": "web-[0-9]"}}), &["0", "1"]),
        (json!({"regexp": {"msg": "(fo|bo)x"}}), &["0", "3"]),
        (json!({"fuzzy": {"msg": "quikc"}}), &["0", "1"]),
        (json!({"fuzzy": {"host": {"value": "web-3", "fuzziness": 1}}}), &["0", "1"]),
        (json!({"wildcard": {"_index": "lo*"}}), &["0", "1", "2", "3", "4", "5"]),
    ] {
        f.check(query, expected).await;
    }
}

#[tokio::test]
async fn compound() {
    let f = fixture().await;
    let quick = json!({"match": {"msg": "quick"}});
    let fox = json!({"match": {"msg": "fox"}});
    let dog = json!({"match": {"msg": "dog"}});
    for (query, expected) in [
        (json!({"bool": {}}), &["0", "1", "2", "3", "4", "5"][..]),
        (json!({"bool": {"must": [quick], "must_not": [fox]}}), &["1"]),
        (json!({"bool": {"must_not": [quick]}}), &["2", "3", "4", "5"]),
        (json!({"bool": {"should": [quick, fox]}}), &["0", "1", "3"]),
        (json!({"bool": {"filter": [fox], "should": [dog]}}), &["0", "3"]),
        (json!({"bool": {"filter": [fox], "should": [dog], "minimum_should_match": 1}}), &["3"]),
        (json!({"bool": {"should": [quick, fox, dog], "minimum_should_match": 2}}), &["0", "3"]),
        (json!({"bool": {"should": [quick, fox, dog], "minimum_should_match": "-1"}}), &["0", "3"]),
        (json!({"bool": {"should": [quick], "minimum_should_match": 2}}), &[]),
        (
            json!({"bool": {"must": [{"range": {"at": {"gte": "2026-11-20"}}}], "filter": [{"term": {"host": "web-2"}}]}}),
            &["1"],
        ),
        (json!({"constant_score": {"filter": fox, "boost": 2}}), &["0", "3"]),
        (json!({"bool": {"must_not": [{"bool": {"must_not": [quick]}}]}}), &["0", "1"]),
    ] {
        f.check(query, expected).await;
    }
}

#[tokio::test]
async fn what_does_not_fit_the_field_is_refused() {
    let f = fixture().await;
    let shard = "query_shard_exception";
    for (query, kind, reason) in [
        (json!({"term": {"status": "abc"}}), shard, "failed to create query: For input string: \"abc\""),
        (json!({"match": {"took": "x"}}), shard, "For input string: \"x\""),
        (json!({"term": {"ok": "yes"}}), shard, "Can't parse boolean value [yes], expected [true] or [false]"),
        (json!({"term": {"ip": "somewhere"}}), shard, "'somewhere' is not an IP string literal."),
        (
            json!({"range": {"at": {"gte": "yesterday"}}}),
            "parse_exception",
            "failed to parse date field [yesterday] with format [strict_date_optional_time||epoch_millis]",
        ),
        (
            json!({"prefix": {"status": "2"}}),
            shard,
            "Can only use prefix queries on keyword, text and wildcard fields - not on [status] which is of type [integer]",
        ),
        (json!({"match_phrase_prefix": {"host": "w"}}), shard, "Can only use phrase prefix queries on text fields"),
        (json!({"regexp": {"host": "("}}), "illegal_argument_exception", "invalid regular expression"),
    ] {
        f.check_refused(json!({"query": query}), kind, reason).await;
        // Also when no split is left to be read.
        let pruned = json!({"bool": {"filter": [{"range": {"at": {"gt": "2030"}}}, query]}});
        f.check_refused(json!({"query": pruned}), kind, reason).await;
    }
}

#[tokio::test]
async fn splits_that_cannot_match_are_not_read() {
    let f = fixture().await;
    for (query, skipped) in [
        (json!({"match_all": {}}), 0),
        (json!({"range": {"at": {"gte": "2026-11-20"}}}), 2),
        (json!({"range": {"at": {"gt": "2027"}}}), 3),
        (json!({"term": {"host": "web-1"}}), 2),
        (json!({"terms": {"host": ["web-1", "db-1"]}}), 1),
        (json!({"range": {"_seq_no": {"gte": 3_145_728}}}), 2),
        (
            json!({"bool": {"filter": [{"term": {"host": "db-1"}}], "must": [{"range": {"at": {"lt": "2026-11-20"}}}]}}),
            2,
        ),
        (json!({"bool": {"must_not": [{"term": {"host": "db-1"}}]}}), 0),
        (json!({"bool": {"should": [{"term": {"host": "db-1"}}, {"term": {"host": "web-1"}}]}}), 1),
        (json!({"exists": {"field": "day"}}), 2),
        (json!({"term": {"nothing": 1}}), 3),
    ] {
        f.store.take();
        let answer = f.search(&["logs"], json!({"query": query, "size": 0})).await;
        assert_eq!((answer.splits, answer.skipped), (3, skipped), "{query}");
    }
}

#[tokio::test]
async fn deleted_and_replaced_documents_are_not_found() {
    let f = fixture().await;
    let replace = |id: &str, source: Value| Op::Index {
        id: DocumentId::Given(id.into()),
        source: Bytes::from(source.to_string()),
        if_seq_no: None,
    };
    f.write(
        "logs",
        vec![
            Op::Delete { id: "0".into(), if_seq_no: None },
            replace("1", json!({"msg": "slow hare", "host": "web-9", "status": 404})),
        ],
    )
    .await;
    f.check(json!({"match": {"msg": "quick"}}), &[]).await;
    f.check(json!({"term": {"status": 404}}), &["1"]).await;
    f.check(json!({"range": {"status": {"gte": 200}}}), &["2", "3", "1"]).await;
    f.check(json!({"match_all": {}}), &["2", "3", "4", "5", "1"]).await;
}

#[tokio::test]
async fn fields_of_any_name() {
    let f = Fixture::new();
    let names = [r"a\b", "a b", "é.ü", "$x-@y", "a\"b", "*", "a:b", "A", "_x", r"end\"];
    let documents: Vec<Value> = names.iter().enumerate().map(|(n, name)| json!({*name: n})).collect();
    f.index("logs", json!({}), &documents, 4).await;
    for (n, name) in names.iter().enumerate() {
        let id = n.to_string();
        f.check(json!({"term": {*name: n}}), &[&id]).await;
        f.check(json!({"range": {*name: {"gte": n, "lte": n}}}), &[&id]).await;
        f.check(json!({"exists": {"field": name}}), &[&id]).await;
        let body = json!({"size": 0, "aggs": {"x": {"sum": {"field": name}}}});
        assert_eq!(f.search(&["logs"], body).await.aggregations.unwrap()["x"]["value"], n as f64, "{name}");
    }
}
