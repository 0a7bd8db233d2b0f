//! What every request meets: events, routes, media types, shapes of answers, keys.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use ledger::Precondition;
use search_api::handler::handle;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::server::{Server, got};

fn sha256(of: impl AsRef<[u8]>) -> String {
    Sha256::digest(of).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn events_of_a_function_url() {
    let server = Server::new();
    let root = got(handle(include_str!("../../events/get-root.json"), &server.context).await.unwrap());
    assert_eq!(root.headers["X-Elastic-Product"], "Elasticsearch");
    assert_eq!(root.headers["Content-Type"], "application/vnd.elasticsearch+json;compatible-with=8");
    let bulk = got(handle(include_str!("../../events/bulk-gzip.json"), &server.context).await.unwrap());
    assert_eq!(bulk.text, r#"{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}"#);
    let search = got(handle(include_str!("../../events/search.json"), &server.context).await.unwrap());
    assert_eq!(search.json()["hits"]["hits"][0]["_source"]["message"], "failed", "{}", search.text);
    assert!(handle("{}", &server.context).await.unwrap_err().to_string().contains("rawPath"));
}

#[tokio::test]
async fn what_clients_ask_first() {
    let server = Server::new();
    let version = json!({"number": "8.15.0", "build_flavor": "default", "lucene_version": "*"});
    let root = server.check(
        "GET /",
        "",
        200,
        json!({"cluster_name": "logmill", "version": version, "tagline": "You Know, for Search"}),
    );
    assert_eq!(root.await["cluster_uuid"].as_str().map(str::len), Some(22));
    server
        .check(
            "GET /_license?human=false",
            "",
            200,
            json!({"license": {"type": "basic", "status": "active", "uid": "*"}}),
        )
        .await;
    server.check("GET /_xpack?human=false&categories=build", "", 200, json!({"build": {"hash": "*"}})).await;
    server.check("GET /_nodes/http", "", 200, json!({"_nodes": {"total": 1}, "nodes": "*"})).await;
    server
        .check("GET /_cluster/health", "", 200, json!({"status": "green", "number_of_nodes": 1, "active_shards": 0}))
        .await;
    let head = server.send("HEAD /", &[], "").await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let server = Server::new();
    let error =
        |reason: &str| json!({"error": {"type": "illegal_argument_exception", "reason": reason}, "status": "*"});
    server.check("GET /_foo?x=1", "", 400, error("no handler found for uri [/_foo] and method [GET]")).await;
    let wrong = "Incorrect HTTP method for uri [/_bulk] and method [GET], allowed: [POST, PUT]";
    server.check("GET /_bulk", "", 405, error(wrong)).await;
    assert_eq!(server.send("PATCH /_bulk", &[], "").await.headers["Allow"], "POST, PUT");
    assert_eq!(server.send("POST /", &[], "").await.headers["Allow"], "GET, HEAD");
}

#[tokio::test]
async fn shapes_of_an_answer() {
    let server = Server::new();
    let only = server.send("GET /?filter_path=version.number,tagline", &[], "").await;
    assert_eq!(only.text, r#"{"version":{"number":"8.15.0"},"tagline":"You Know, for Search"}"#);
    let pretty = server.send("GET /?filter_path=tagline&pretty", &[], "").await;
    assert_eq!(pretty.text, "{\n  \"tagline\" : \"You Know, for Search\"\n}\n");
    let wrong = server.send("GET /?pretty=perhaps", &[], "").await;
    assert_eq!((wrong.status, wrong.headers["X-Elastic-Product"].as_str()), (400, "Elasticsearch"));
    let cat = server.send("GET /_cat/health?v&h=cluster,status", &[], "").await;
    assert_eq!(
        (cat.text.as_str(), cat.headers["Content-Type"].as_str()),
        ("cluster status\nlogmill green\n", "text/plain; charset=UTF-8")
    );
    server
        .check("GET /_cat/health?format=json&h=cluster,shards", "", 200, json!([{"cluster": "logmill", "shards": "0"}]))
        .await;
    let help = server.send("GET /_cat/count?help", &[], "").await;
    assert!(help.text.contains("count     | dc,docs.count,docsCount | the document count"), "{}", help.text);
}

#[tokio::test]
async fn long_answers_are_packed() {
    let server = Server::new();
    let body = format!(r#"{{"description": "{}"}}"#, "x".repeat(10_000));
    server.check("PUT /_ingest/pipeline/long", &body, 200, json!({"acknowledged": true})).await;
    let plain = server.send("GET /_ingest/pipeline/long", &[], "").await;
    assert!(!plain.headers.contains_key("Content-Encoding"));
    let packed = server.send("GET /_ingest/pipeline/long", &[("accept-encoding", "deflate, gzip;q=0.9")], "").await;
    assert_eq!(packed.headers["Content-Encoding"], "gzip");
    assert_eq!(packed.text, plain.text);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_refused_by_name() {
    let server = Server::new();
    // Of 8 texts of 0.9 MB that do not pack.
    for number in 0..8u32 {
        let noise: String = (0..14_000u32).map(|at| sha256((at ^ (number << 20)).to_le_bytes())).collect();
        let body = json!({"description": noise}).to_string();
        server.check(&format!("PUT /_ingest/pipeline/{number}"), &body, 200, json!({"acknowledged": true})).await;
    }
    let refused = json!({"error": {"type": "content_too_long_exception"}, "status": 413});
    let refused = server.check("GET /_ingest/pipeline", "", 413, refused).await;
    assert!(refused["error"]["reason"].as_str().unwrap().contains("6291456 bytes of a Function URL"), "{refused}");
    server.check("GET /_ingest/pipeline?filter_path=x", "", 200, json!({})).await;
}

#[tokio::test]
async fn keys() {
    let server = Server::new();
    assert!(
        search_api::auth::Keys::load(server.store.clone())
            .await
            .is_err_and(|error| error.to_string().contains("no key"))
    );
    let stored = json!({"name": "shipper", "sha256": sha256("secret")}).to_string();
    server.store.put("auth/one", Bytes::from(stored), &Precondition::None).await.unwrap();
    let server = server.with_keys().await;
    let encoded = |text: &str| BASE64_STANDARD.encode(text);
    for (header, status) in [
        (Some(format!("ApiKey {}", encoded("one:secret"))), 200),
        (Some(format!("Basic {}", encoded("one:secret"))), 200),
        (Some(format!("ApiKey {}", encoded("one:other"))), 401),
        (Some(format!("ApiKey {}", encoded("two:secret"))), 401),
        (Some("Bearer x".to_owned()), 401),
        (Some("ApiKey %".to_owned()), 401),
        (None, 401),
    ] {
        let headers: Vec<_> = header.iter().map(|header| ("authorization", header.as_str())).collect();
        let got = server.send("GET /", &headers, "").await;
        assert_eq!(got.status, status, "{header:?}");
        if status == 401 {
            assert_eq!(got.json()["error"]["type"], "security_exception");
            assert!(got.headers.contains_key("WWW-Authenticate"));
        }
    }
}
