//! Indexes, their mappings and settings, `_cat`.

use serde_json::json;

use crate::server::{NOW, Server};

#[tokio::test]
async fn an_index_lives() {
    let server = Server::new();
    let body = r#"{"settings":{"number_of_shards":2,"index":{"logmill.retention_days":30}},
        "mappings":{"properties":{"at":{"type":"date"},"host":{"type":"keyword"}}}}"#;
    server.check("PUT /a", body, 200, json!({"acknowledged": true, "shards_acknowledged": true, "index": "a"})).await;
    let exists = json!({"error": {"type": "resource_already_exists_exception", "index": "a"}, "status": 400});
    server.check("PUT /a", "", 400, exists).await;
    server.check("HEAD /a", "", 200, json!(null)).await;
    let index = json!({"a": {
        "aliases": {},
        "mappings": {"properties": {"at": {"type": "date"}, "host": {"type": "keyword"}}},
        "settings": {"index": {"number_of_shards": "2", "logmill": {"retention_days": "30"}, "creation_date": NOW.to_string(),
            "provided_name": "a", "uuid": "*", "version": {"created": "8150099"}}},
    }});
    server.check("GET /a", "", 200, index).await;
    server
        .check("PUT /a/_settings", r#"{"index":{"refresh_interval":"5s"}}"#, 200, json!({"acknowledged": true}))
        .await;
    let settings = json!({"a": {"settings": {"index.refresh_interval": "5s", "index.number_of_shards": "2"}}});
    server.check("GET /a/_settings?flat_settings=true", "", 200, settings).await;
    let fixed = json!({"error": {"reason": "Can't update non dynamic settings [[index.number_of_shards]] for open indices [[a]]"}});
    server.check("PUT /a/_settings", r#"{"number_of_shards":3}"#, 400, fixed).await;
    server.check("DELETE /a", "", 200, json!({"acknowledged": true})).await;
    server.check("HEAD /a", "", 404, json!(null)).await;
    server.check("DELETE /a", "", 404, json!({"error": {"type": "index_not_found_exception"}})).await;
    // One that is made again begins anew.
    server.check("PUT /a", "", 200, json!({})).await;
    let got = server.check("GET /a/_settings", "", 200, json!({})).await;
    assert!(got["a"]["settings"]["index"].get("refresh_interval").is_none());
}

#[tokio::test]
async fn patterns_of_indexes() {
    let server = Server::new();
    for name in ["logs-1", "logs-2", "other"] {
        server.check(&format!("PUT /{name}"), "", 200, json!({})).await;
    }
    let names = async |line: &str| {
        let got = server.send(line, &[], "").await;
        let mut names: Vec<String> = got.json().as_object().unwrap().keys().cloned().collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names("GET /logs-*").await, "logs-1 logs-2");
    assert_eq!(names("GET /_all/_mapping").await, "logs-1 logs-2 other");
    assert_eq!(names("GET /*,-logs-1/_mapping").await, "logs-2 other");
    assert_eq!(names("GET /other,logs-1/_settings").await, "logs-1 other");
    assert_eq!(names("GET /none*").await, "");
    assert_eq!(names("GET /none,other?ignore_unavailable=true").await, "other");
    assert_eq!(names("GET /logs-*?expand_wildcards=none").await, "");
    server.check("GET /none,other", "", 404, json!({"error": {"index": "none"}})).await;
    server.check("GET /none*?allow_no_indices=false", "", 404, json!({"error": {"index": "none*"}})).await;
    server
        .check("POST /logs-*/_refresh", "", 200, json!({"_shards": {"total": 2, "successful": 2, "failed": 0}}))
        .await;
    server.check("DELETE /logs-*", "", 200, json!({"acknowledged": true})).await;
    assert_eq!(names("GET /_all").await, "other");
}

#[tokio::test]
async fn mappings_grow() {
    let server = Server::new();
    server.check("PUT /a/_doc/1", r#"{"text":"x","n":1,"o":{"t":true}}"#, 201, json!({})).await;
    let keyword = json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}});
    let properties = json!({"text": keyword, "n": {"type": "long"}, "o": {"properties": {"t": {"type": "boolean"}}}});
    server.check("GET /a/_mapping", "", 200, json!({"a": {"mappings": {"properties": properties}}})).await;
    server.check("PUT /a/_mapping", r#"{"properties":{"ip":{"type":"ip"}}}"#, 200, json!({"acknowledged": true})).await;
    let field = json!({"a": {"mappings": {"o.t": {"full_name": "o.t", "mapping": {"t": {"type": "boolean"}}}}}});
    server.check("GET /a/_mapping/field/o.*", "", 200, field).await;
    let conflict = json!({"error": {"type": "illegal_argument_exception"}});
    server.check("PUT /a/_mapping", r#"{"properties":{"n":{"type":"keyword"}}}"#, 400, conflict).await;
    let unknown = json!({"error": {"type": "mapper_parsing_exception"}});
    server.check("PUT /a/_mapping", r#"{"properties":{"g":{"type":"geo_shape"}}}"#, 400, unknown).await;
    server.check("PUT /none/_mapping", r#"{"properties":{}}"#, 404, json!({})).await;
}

#[tokio::test]
async fn tables() {
    let server = Server::new();
    server
        .check("POST /b/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n{\"index\":{}}\n{}\n", 200, json!({"errors": false}))
        .await;
    server.check("DELETE /b/_doc/1", "", 200, json!({})).await;
    server.check("PUT /a", "", 200, json!({})).await;
    let row = json!({"health": "green", "status": "open", "index": "a", "uuid": "*", "pri": "1", "rep": "0", "docs.count": "0",
        "docs.deleted": "0", "store.size": "0b", "pri.store.size": "0b"});
    server.check("GET /_cat/indices/a?format=json", "", 200, json!([row])).await;
    let table = server.send("GET /_cat/indices?v&h=i,docs.count,dd&s=i:desc", &[], "").await;
    assert_eq!(table.text, "i docs.count dd\nb          1  1\na          0  0\n");
    assert_eq!(server.send("GET /_cat/count/b?h=count", &[], "").await.text, "1\n");
    server
        .check(
            "GET /_cat/indices?s=nothing",
            "",
            400,
            json!({"error": {"reason": "Unable to sort by unknown sort key `nothing`"}}),
        )
        .await;
    server.check("GET /_cat/indices/none", "", 404, json!({})).await;
}

#[tokio::test]
async fn aliases_are_not_there_yet() {
    let server = Server::new();
    server.check("PUT /a", "", 200, json!({})).await;
    server.check("GET /a/_alias", "", 200, json!({"a": {"aliases": {}}})).await;
    server.check("HEAD /_alias/logstash", "", 404, json!(null)).await;
    server.check("GET /_alias/logstash", "", 404, json!({"error": "alias [logstash] missing", "status": 404})).await;
    server.check("PUT /a/_alias/x", "", 400, json!({"error": {"reason": "an alias is not supported"}})).await;
}
