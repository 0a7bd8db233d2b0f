//! `_search`, `_count`, `_msearch`.

use serde_json::json;

use crate::server::Server;

async fn server() -> Server {
    let server = Server::new();
    let mut body = String::new();
    for (index, id, status, path, at) in [
        ("logs-1", 1, 200, "/index.html", "2026-11-19T10:00:00Z"),
        ("logs-1", 2, 404, "/missing page", "2026-11-19T10:01:00Z"),
        ("logs-1", 3, 404, "/robots.txt", "2026-11-19T11:00:00Z"),
        ("logs-2", 4, 500, "/index.html", "2026-11-20T10:00:00Z"),
        ("logs-2", 5, 200, "/a page", "2026-11-20T11:00:00Z"),
    ] {
        body += &format!("{{\"index\":{{\"_index\":\"{index}\",\"_id\":\"{id}\"}}}}\n");
        body += &format!("{{\"status\":{status},\"path\":\"{path}\",\"at\":\"{at}\"}}\n");
    }
    server.check("POST /_bulk", &body, 200, json!({"errors": false})).await;
    server
}

#[tokio::test]
async fn searches() {
    let server = server().await;
    let whole = json!({"took": "*", "timed_out": false, "_shards": {"total": 2, "successful": 2, "failed": 0},
        "hits": {"total": {"value": 5, "relation": "eq"}, "max_score": 1.0, "hits": [{}, {}, {}, {}, {}]}});
    server.check("GET /_search", "", 200, whole).await;
    let ids = async |line: &str, body: &str| {
        let got = server.send(line, &[], body.to_owned()).await;
        let json = got.json();
        let hits = json["hits"]["hits"].as_array().unwrap_or_else(|| panic!("{line} {body}: {json}"));
        hits.iter().map(|hit| hit["_id"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    let by_time = "POST /logs-*/_search?sort=at";
    assert_eq!(ids(by_time, "").await, "1 2 3 4 5");
    assert_eq!(ids(by_time, r#"{"query":{"term":{"status":404}}}"#).await, "2 3");
    assert_eq!(ids("GET /logs*/_search?q=status:404&sort=at:desc", "").await, "3 2");
    assert_eq!(ids(by_time, r#"{"query":{"match":{"path":"page"}}}"#).await, "2 5");
    assert_eq!(ids(by_time, r#"{"query":{"terms":{"path.keyword":["/index.html"]}}}"#).await, "1 4");
    assert_eq!(ids(by_time, r#"{"query":{"range":{"at":{"gte":"2026-11-20"}}}}"#).await, "4 5");
    assert_eq!(ids("POST /logs-1/_search?sort=at", r#"{"query":{"match_all":{}},"from":1,"size":1}"#).await, "2");
    let not = r#"{"query":{"bool":{"must":[{"exists":{"field":"path"}}],"must_not":[{"term":{"status":200}}]}}}"#;
    assert_eq!(ids(by_time, not).await, "2 3 4");
    assert_eq!(ids("GET /none*/_search", "").await, "");
}

#[tokio::test]
async fn forms_of_an_answer() {
    let server = server().await;
    let line = "POST /logs-1/_search?rest_total_hits_as_int=true&seq_no_primary_term=true&version=true&_source=status&sort=at&size=1";
    let hit = json!({"_index": "logs-1", "_id": "1", "_version": 1, "_seq_no": "*", "_primary_term": 1, "_score": null,
        "_source": {"status": 200}, "sort": [1_795_082_400_000_u64]});
    let got = server.check(line, "", 200, json!({"hits": {"total": 3, "max_score": null, "hits": [hit]}})).await;
    assert_eq!(got["hits"]["hits"][0]["_source"].as_object().unwrap().len(), 1);
    let got =
        server.check("POST /logs-1/_search?_source=false&track_total_hits=false&size=1", "", 200, json!({})).await;
    assert!(got["hits"].get("total").is_none() && got["hits"]["hits"][0].get("_source").is_none(), "{got}");
    let aggs = r#"{"size":0,"aggs":{"s":{"terms":{"field":"status"},"aggs":{"last":{"max":{"field":"at"}}}},"c":{"cardinality":{"field":"path.keyword"}}}}"#;
    let answer = json!({"hits": {"hits": []}, "aggregations": {"c": {"value": 4}, "s": {"sum_other_doc_count": 0, "buckets": [
        {"key": 200, "doc_count": 2, "last": {"value": "*"}}, {"key": 404, "doc_count": 2}, {"key": 500, "doc_count": 1}]}}});
    server.check("POST /logs-*/_search", aggs, 200, answer).await;
}

#[tokio::test]
async fn counts() {
    let server = server().await;
    server
        .check(
            "GET /_count",
            "",
            200,
            json!({"count": 5, "_shards": {"total": 2, "successful": 2, "skipped": 0, "failed": 0}}),
        )
        .await;
    server.check("POST /logs-1/_count", r#"{"query":{"term":{"status":404}}}"#, 200, json!({"count": 2})).await;
    server.check("GET /logs-*/_count?q=status:200", "", 200, json!({"count": 2})).await;
    server
        .check(
            "GET /logs-1/_count",
            r#"{"size":3}"#,
            400,
            json!({"error": {"reason": "request does not support [size]"}}),
        )
        .await;
}

#[tokio::test]
async fn many_searches() {
    let server = server().await;
    let body = "{\"index\":\"logs-1\"}\n{\"query\":{\"term\":{\"status\":404}}}\n{}\n{\"size\":0}\n{\"index\":\"none\"}\n{}\n\
                {\"index\":[\"none\",\"logs-2\"],\"ignore_unavailable\":true}\n{}\n";
    let expected = json!({"took": "*", "responses": [
        {"hits": {"total": {"value": 2}}, "status": 200},
        {"hits": {"total": {"value": 5}, "hits": []}, "status": 200},
        {"error": {"type": "index_not_found_exception", "root_cause": [{}]}, "status": 404},
        {"hits": {"total": {"value": 2}}, "status": 200},
    ]});
    server.check("POST /_msearch?max_concurrent_shard_requests=5", body, 200, expected).await;
}

#[tokio::test]
async fn searches_that_are_refused() {
    let server = server().await;
    server
        .check("GET /none/_search", "", 404, json!({"error": {"type": "index_not_found_exception", "index": "none"}}))
        .await;
    let got = server
        .check("POST /_search", r#"{"query":{"flurry":{}}}"#, 400, json!({"error": {"type": "parsing_exception"}}))
        .await;
    assert!(got["error"]["reason"].as_str().unwrap().contains("[flurry]"), "{got}");
    let got = server
        .check(
            "POST /_search",
            r#"{"sort":"nothing"}"#,
            400,
            json!({"error": {"type": "search_phase_execution_exception",
        "root_cause": [{"type": "*"}], "failed_shards": [{"reason": {"reason": "*"}}]}}),
        )
        .await;
    assert!(got["error"]["root_cause"][0]["reason"].as_str().unwrap().contains("[nothing]"), "{got}");
    server.check("POST /_search", "{", 400, json!({"error": {"type": "*", "reason": "*"}})).await;
    server.check("GET /_search?from=9999&size=2", "", 400, json!({})).await;
    let typed = r#"{"aggs":{"a":{"max":{"field":"status"}}}}"#;
    server
        .check("GET /_search?typed_keys", typed, 400, json!({"error": {"reason": "[typed_keys] is not supported"}}))
        .await;
}

#[tokio::test]
async fn a_corrupt_split_is_told() {
    let server = server().await;
    let splits = server.store.list("splits/", None).await.unwrap();
    assert_eq!(splits.len(), 2);
    let key = splits[0].key.clone();
    let size = splits[0].size as usize;
    server.store.put(&key, vec![0; size].into(), &ledger::Precondition::None).await.unwrap();
    let server = server.restarted();
    let got = server
        .check("GET /_search?q=status:404", "", 200, json!({"_shards": {"total": 2, "successful": 1, "failed": 1}}))
        .await;
    let reason = got["_shards"]["failures"][0]["reason"]["reason"].as_str().unwrap();
    assert!(reason.contains(&key), "{got}");
}
