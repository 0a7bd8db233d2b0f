//! Scrolling, as elasticdump reads.

use serde_json::{Value, json};

use crate::server::Server;

async fn server() -> Server {
    let server = Server::new();
    let line = |index: &str, id: u32| {
        format!("{{\"index\":{{\"_index\":\"{index}\",\"_id\":\"{id}\"}}}}\n{{\"n\":{}}}\n", 100 - id)
    };
    let body: String = (0..7).map(|id| line("a", id)).chain((7..12).map(|id| line("b", id))).collect();
    server.check("POST /_bulk", &body, 200, json!({"errors": false})).await;
    server.check("PUT /empty", "", 200, json!({})).await;
    server
}

/// Ids of each page, until one is empty.
async fn pages(server: &Server, line: &str, body: &str) -> Vec<String> {
    let mut pages = Vec::new();
    let mut got = server.check(line, body, 200, json!({"_scroll_id": "*", "_shards": {"failed": 0}})).await;
    loop {
        let hits = got["hits"]["hits"].as_array().unwrap();
        if hits.is_empty() {
            return pages;
        }
        pages.push(hits.iter().map(|hit| hit["_id"].as_str().unwrap()).collect::<Vec<_>>().join(" "));
        let body = json!({"scroll": "1m", "scroll_id": got["_scroll_id"]}).to_string();
        let total: Value = got["hits"]["total"].clone();
        got = server.check("POST /_search/scroll", &body, 200, json!({"hits": {"total": total}})).await;
    }
}

#[tokio::test]
async fn all_documents_once() {
    let server = server().await;
    // As elasticdump asks.
    let body = r#"{"query":{"match_all":{}},"stored_fields":["*"],"_source":true,"size":5}"#;
    assert_eq!(pages(&server, "GET /a/_search?scroll=10m&from=0", body).await, ["0 1 2 3 4", "5 6"]);
    assert_eq!(pages(&server, "GET /_all/_search?scroll=1m&size=5", "").await, ["0 1 2 3 4", "5 6 7 8 9", "10 11"]);
    assert_eq!(pages(&server, "GET /empty/_search?scroll=1m", "").await, Vec::<String>::new());
    let range = r#"{"query":{"range":{"n":{"lte":95}}},"sort":["_doc"],"size":3}"#;
    assert_eq!(pages(&server, "GET /a,b/_search?scroll=1m", range).await, ["5 6 7", "8 9 10", "11"]);
}

#[tokio::test]
async fn in_an_order_of_its_own() {
    let server = server().await;
    assert_eq!(pages(&server, "GET /a/_search?scroll=1m&sort=n&size=4", "").await, ["6 5 4 3", "2 1 0"]);
    assert_eq!(pages(&server, "GET /a,b/_search?scroll=1m&sort=n&size=6", "").await, ["11 10 9 8 7 6", "5 4 3 2 1 0"]);
}

#[tokio::test]
async fn writes_meanwhile() {
    let server = server().await;
    let first =
        server.check("GET /a/_search?scroll=1m&size=5", "", 200, json!({"hits": {"total": {"value": 7}}})).await;
    server.check("DELETE /a/_doc/5", "", 200, json!({})).await;
    let body = json!({"scroll_id": first["_scroll_id"]}).to_string();
    server
        .check("POST /_search/scroll", &body, 200, json!({"hits": {"total": {"value": 7}, "hits": [{"_id": "6"}]}}))
        .await;
    server.check("DELETE /a", "", 200, json!({})).await;
    server.check("POST /_search/scroll", &body, 200, json!({"hits": {"hits": []}})).await;
}

#[tokio::test]
async fn scrolls_that_are_refused() {
    let server = server().await;
    let first = server.check("GET /a/_search?scroll=1m&size=5", "", 200, json!({})).await;
    let body = json!({"scroll_id": first["_scroll_id"]}).to_string();
    server.later(60_001);
    let over = json!({"error": {"root_cause": [{"type": "search_context_missing_exception"}]}, "status": 404});
    server.check("POST /_search/scroll", &body, 404, over).await;
    server.check("DELETE /_search/scroll", &body, 200, json!({"succeeded": true, "num_freed": 1})).await;
    server.check("DELETE /_search/scroll/_all", "", 200, json!({"succeeded": true})).await;
    server
        .check("GET /_search/scroll?scroll_id=x", "", 400, json!({"error": {"reason": "Cannot parse scroll id"}}))
        .await;
    server.check("GET /a/_search?scroll=2d", "", 400, json!({})).await;
    let from = json!({"error": {"reason": "Validation Failed: 1: using [from] is not allowed in a scroll context;"}});
    server.check("GET /a/_search?scroll=1m&from=3", "", 400, from).await;
    server.check("GET /a/_search?scroll=1m&size=0", "", 400, json!({})).await;
}
