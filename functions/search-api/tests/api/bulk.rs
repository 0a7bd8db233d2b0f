//! `_bulk`.

use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn items_are_answered_in_order() {
    let server = Server::new();
    let body = concat!(
        "{\"index\":{\"_index\":\"a\",\"_id\":\"1\",\"_type\":\"_doc\"}}\n{\"n\":1}\n\n",
        "{\"create\":{\"_index\":\"b\",\"_id\":\"1\"}}\r\n{\"n\":1}\r\n",
        "{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"n\":2}\n",
        "{\"index\":{\"_index\":\"a\",\"_id\":\"2\"}}\n{\"n\":\"one\"}\n",
        "{\"update\":{\"_index\":\"a\",\"_id\":\"1\",\"_source\":true}}\n{\"doc\":{\"m\":2}}\n",
        "{\"delete\":{\"_index\":\"b\",\"_id\":\"9\"}}\n",
        "{\"index\":{\"_index\":\"Bad\"}}\n{}\n",
        "{\"index\":{\"_index\":\"a\"}}\n{\"n\":3}",
    );
    let items = json!({"took": "*", "errors": true, "items": [
        {"index": {"_index": "a", "_id": "1", "_version": 1, "result": "created", "status": 201, "_primary_term": 1}},
        {"create": {"_index": "b", "status": 201}},
        {"create": {"_index": "a", "_id": "1", "status": 409, "error": {"type": "version_conflict_engine_exception"}}},
        {"index": {"_id": "2", "status": 400, "error": {"type": "document_parsing_exception"}}},
        {"update": {"_id": "1", "status": 200, "result": "updated", "get": {"found": true, "_source": {"n": 1, "m": 2}}}},
        {"delete": {"_id": "9", "status": 404, "result": "not_found"}},
        {"index": {"_index": "Bad", "status": 400, "error": {"type": "invalid_index_name_exception"}}},
        {"index": {"_index": "a", "_id": "*", "status": 201}},
    ]});
    server.check("PUT /_bulk", body, 200, items).await;
    server.check("GET /a/_count", "", 200, json!({"count": 2})).await;
}

#[tokio::test]
async fn the_text_that_fluent_bit_looks_for() {
    let server = Server::new();
    let got = server
        .send("POST /logs/_doc/_bulk", &[("user-agent", "Fluent-Bit")], "{\"create\":{}}\n{\"log\":\"x\"}\n")
        .await;
    assert!(got.text.contains(r#","errors":false,"items":[{"create":{"_index":"logs","#), "{}", got.text);
}

#[tokio::test]
async fn what_fails_the_whole_request() {
    let server = Server::new();
    let malformed = "Malformed action/metadata line [3], expected START_OBJECT but found [VALUE_STRING]";
    let body = "{\"index\":{\"_index\":\"a\"}}\n{}\n\"x\"\n";
    server
        .check("POST /_bulk", body, 400, json!({"error": {"type": "illegal_argument_exception", "reason": malformed}}))
        .await;
    server.check("GET /a", "", 404, json!({})).await;
    server
        .check(
            "POST /_bulk",
            "",
            400,
            json!({"error": {"type": "parse_exception", "reason": "request body is required"}}),
        )
        .await;
}

#[tokio::test]
async fn the_last_of_two_writes_to_an_id_stays() {
    let server = Server::new();
    let body = "{\"index\":{\"_id\":\"1\"}}\n{\"n\":1}\n{\"index\":{\"_id\":\"1\"}}\n{\"n\":2}\n{\"delete\":{\"_id\":\"2\"}}\n";
    let items = json!({"items": [{"index": {"result": "created"}}, {"index": {"result": "updated", "_version": 2}}, {"delete": {}}]});
    server.check("POST /a/_bulk", body, 200, items).await;
    server.check("GET /a/_source/1", "", 200, json!({"n": 2})).await;
    server.check("GET /a/_count", "", 200, json!({"count": 1})).await;
}
