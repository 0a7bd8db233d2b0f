//! Templates, policies, pipelines: what shippers set up.

use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn what_is_put_comes_back() {
    let server = Server::new();
    let acknowledged = || json!({"acknowledged": true});
    for (path, body, missing, expected) in [
        (
            "/_ilm/policy/filebeat",
            r#"{"policy":{"phases":{}}}"#,
            404,
            json!({"filebeat": {"version": 1, "policy": {"phases": {}}}}),
        ),
        (
            "/_template/logstash",
            r#"{"index_patterns":"logstash-*","settings":{"number_of_shards":1}}"#,
            404,
            json!({"logstash": {"order": 0, "index_patterns": ["logstash-*"], "settings": {"index": {"number_of_shards": "1"}}}}),
        ),
        (
            "/_index_template/filebeat-8",
            r#"{"index_patterns":["filebeat-8"]}"#,
            404,
            json!({"index_templates": [{"name": "filebeat-8", "index_template": {"index_patterns": ["filebeat-8"]}}]}),
        ),
        (
            "/_component_template/c",
            r#"{"template":{}}"#,
            404,
            json!({"component_templates": [{"name": "c", "component_template": {"template": {}}}]}),
        ),
        ("/_ingest/pipeline/p", r#"{"processors":[]}"#, 404, json!({"p": {"processors": []}})),
        ("/_data_stream/logs-x-y", "", 404, json!({"data_streams": [{"name": "logs-x-y", "status": "GREEN"}]})),
    ] {
        let (get, put, head, delete) =
            (format!("GET {path}"), format!("PUT {path}"), format!("HEAD {path}"), format!("DELETE {path}"));
        server.check(&get, "", missing, json!({})).await;
        server.check(&head, "", missing, json!(null)).await;
        server.check(&put, body, 200, acknowledged()).await;
        server.check(&get, "", 200, expected.clone()).await;
        server.check(&head, "", 200, json!(null)).await;
        let all = format!("GET {}", path.rsplit_once('/').unwrap().0);
        server.check(&all, "", 200, expected).await;
        server.check(&delete, "", 200, acknowledged()).await;
        server.check(&delete, "", missing, json!({})).await;
    }
}

#[tokio::test]
async fn what_is_not_kept() {
    let server = Server::new();
    server.check("PUT /_ingest/pipeline/p", "[1]", 400, json!({"error": {"type": "parse_exception"}})).await;
    let template = r#"{"index_patterns":["t"]}"#;
    server.check("PUT /_template/t?create=true", template, 200, json!({"acknowledged": true})).await;
    let exists = json!({"error": {"type": "illegal_argument_exception", "reason": "template [t] already exists"}});
    server.check("PUT /_template/t?create=true", template, 400, exists).await;
    server
        .check(
            "PUT /_template/u",
            "{}",
            400,
            json!({"error": {"reason": "Validation Failed: 1: index patterns are missing;"}}),
        )
        .await;
    server.check("DELETE /_template/*", "", 200, json!({"acknowledged": true})).await;
    server.check("GET /_template/t*", "", 200, json!({})).await;
}
