//! Documents by their id.

use serde_json::json;

use crate::server::Server;

fn error(kind: &str) -> serde_json::Value {
    json!({"error": {"type": kind, "root_cause": [{"type": kind}]}})
}

#[tokio::test]
async fn a_document_lives() {
    let server = Server::new();
    let created = server
        .check(
            "PUT /a/_doc/1",
            r#"{"n": 1.10}"#,
            201,
            json!({"_index": "a", "_id": "1", "_version": 1, "result": "created",
            "_shards": {"total": 1, "successful": 1, "failed": 0}, "_seq_no": "*", "_primary_term": 1}),
        )
        .await;
    let found = json!({"_index": "a", "_id": "1", "_version": 1, "found": true, "_source": {"n": 1.1}, "_seq_no": created["_seq_no"]});
    server.check("GET /a/_doc/1", "", 200, found).await;
    // Byte for byte.
    assert_eq!(server.send("GET /a/_source/1", &[], "").await.text, r#"{"n": 1.10}"#);
    server.check("HEAD /a/_doc/1", "", 200, json!(null)).await;
    server.check("PUT /a/_doc/1", r#"{"n": 2}"#, 200, json!({"_version": 2, "result": "updated"})).await;
    server.check("PUT /a/_create/1", "{}", 409, error("version_conflict_engine_exception")).await;
    server.check("PUT /a/_doc/1?op_type=create", "{}", 409, error("version_conflict_engine_exception")).await;
    server
        .check(
            "DELETE /a/_doc/1?refresh=true",
            "",
            200,
            json!({"result": "deleted", "_version": 3, "forced_refresh": true}),
        )
        .await;
    server.check("DELETE /a/_doc/1", "", 404, json!({"result": "not_found"})).await;
    server.check("GET /a/_doc/1", "", 404, json!({"_index": "a", "_id": "1", "found": false})).await;
    server.check("GET /a/_source/1", "", 404, error("resource_not_found_exception")).await;
}

#[tokio::test]
async fn ids_that_are_made() {
    let server = Server::new();
    let made = server.check("POST /a/_doc", "{}", 201, json!({"result": "created"})).await;
    let id = made["_id"].as_str().unwrap();
    assert!(id.len() >= 20, "{id}");
    server.check(&format!("GET /a/_doc/{id}"), "", 200, json!({"found": true})).await;
    // As clients before version 7 write them.
    server.check("PUT /a/event/x%2Fy", "{}", 201, json!({"_id": "x/y"})).await;
    server.check("GET /a/_doc/x%2Fy", "", 200, json!({"_id": "x/y"})).await;
    let long = "i".repeat(513);
    server.check(&format!("PUT /a/_doc/{long}"), "{}", 400, error("action_request_validation_exception")).await;
}

#[tokio::test]
async fn writes_on_a_condition() {
    let server = Server::new();
    let first = server.check("PUT /a/_doc/1", "{}", 201, json!({})).await;
    let seq_no = first["_seq_no"].as_u64().unwrap();
    let conflict = || error("version_conflict_engine_exception");
    let line = |seq_no: u64, term: u64| format!("PUT /a/_doc/1?if_seq_no={seq_no}&if_primary_term={term}");
    server.check(&line(seq_no + 1, 1), "{}", 409, conflict()).await;
    server.check(&line(seq_no, 2), "{}", 409, conflict()).await;
    server.check(&line(seq_no, 1), "{}", 200, json!({"_version": 2})).await;
    server.check(&line(seq_no, 1), "{}", 409, conflict()).await;
    server.check("PUT /a/_doc/1?if_seq_no=1", "{}", 400, error("action_request_validation_exception")).await;
    server.check("PUT /a/_doc/1?version=3&version_type=external", "{}", 400, error("illegal_argument_exception")).await;
    server.check("GET /a/_doc/1?version=1", "", 409, conflict()).await;
    server.check("PUT /a/_doc/1?require_alias", "{}", 404, error("index_not_found_exception")).await;
}

#[tokio::test]
async fn updates() {
    let server = Server::new();
    let update = "POST /a/_update/1";
    server.check(update, r#"{"doc":{"x":1}}"#, 404, error("document_missing_exception")).await;
    server.check(update, r#"{"doc":{"x":1},"doc_as_upsert":true}"#, 201, json!({"result": "created"})).await;
    server.check(update, r#"{"doc":{"y":{"z":2}}}"#, 200, json!({"result": "updated", "_version": 2})).await;
    server.check(update, r#"{"doc":{"x":1}}"#, 200, json!({"result": "noop", "_version": 2})).await;
    let line = "POST /a/_update/1?_source=y";
    server.check(line, r#"{"doc":{"x":3}}"#, 200, json!({"get": {"found": true, "_source": {"y": {"z": 2}}}})).await;
    server.check("GET /a/_source/1", "", 200, json!({"x": 3, "y": {"z": 2}})).await;
    server.check("POST /a/_update/2", r#"{"doc":{"x":1},"upsert":{"u":1}}"#, 201, json!({})).await;
    server.check("GET /a/_source/2", "", 200, json!({"u": 1})).await;
    let unsupported = json!({"error": {"reason": "[script] of an update is not supported"}});
    server.check(update, r#"{"script":"x"}"#, 400, unsupported).await;
    server
        .check(update, r#"{"dco":{}}"#, 400, json!({"error": {"reason": "[UpdateRequest] unknown field [dco]"}}))
        .await;
}

#[tokio::test]
async fn many_at_once() {
    let server = Server::new();
    server.check("PUT /a/_doc/1", r#"{"x":1,"y":2}"#, 201, json!({})).await;
    server.check("PUT /b/_doc/1", r#"{"x":3}"#, 201, json!({})).await;
    let body = r#"{"docs":[{"_index":"a","_id":"1","_source":["x"]},{"_index":"b","_id":1},{"_index":"a","_id":"9"},{"_index":"c","_id":"1"}]}"#;
    let docs = json!({"docs": [
        {"_index": "a", "_id": "1", "found": true, "_source": {"x": 1}},
        {"_index": "b", "found": true},
        {"_index": "a", "_id": "9", "found": false},
        {"_index": "c", "_id": "1", "error": {"type": "index_not_found_exception"}},
    ]});
    let got = server.check("POST /_mget", body, 200, docs).await;
    assert!(got["docs"][0]["_source"].get("y").is_none());
    server
        .check("GET /a/_mget", r#"{"ids":["1","2"]}"#, 200, json!({"docs": [{"found": true}, {"found": false}]}))
        .await;
    let missing =
        json!({"error": {"reason": "Validation Failed: 1: index is missing for doc 0; 2: id is missing for doc 0;"}});
    server.check("POST /_mget", r#"{"docs":[{}]}"#, 400, missing).await;
    server
        .check("POST /a/_mget", "{}", 400, json!({"error": {"reason": "Validation Failed: 1: no documents to get;"}}))
        .await;
}

#[tokio::test]
async fn documents_that_are_refused() {
    let server = Server::new();
    server.check("PUT /a/_doc/1", r#"{"n":1}"#, 201, json!({})).await;
    server.check("PUT /a/_doc/2", r#"{"n":"one"}"#, 400, error("document_parsing_exception")).await;
    server.check("PUT /a/_doc/2", r#"{"n":"#, 400, error("document_parsing_exception")).await;
    server.check("PUT /a/_doc/2", "", 400, error("parse_exception")).await;
    server.check("PUT /Upper/_doc/2", "{}", 400, error("invalid_index_name_exception")).await;
    server.check("PUT /a*/_doc/2", "{}", 400, error("invalid_index_name_exception")).await;
    let missing = json!({"error": {"type": "index_not_found_exception", "resource.id": "none", "index_uuid": "_na_"}, "status": 404});
    server.check("GET /none/_doc/1", "", 404, missing).await;
    server.check("DELETE /none/_doc/1", "", 404, error("index_not_found_exception")).await;
}
