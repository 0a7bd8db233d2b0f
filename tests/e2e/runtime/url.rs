//! Function URLs.

use bytes::Bytes;
use emulator::runtime::MAX_REQUEST;
use emulator::services::lambda;
use http::StatusCode;
use serde_json::json;

use super::rig::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_url_calls_its_function() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    let store = &rig.emulator.ctx().store;
    let url = store.write(|tx| lambda::ensure_url(tx, "probe", "NONE", None)).await.unwrap();
    let again = store.write(|tx| lambda::ensure_url(tx, "probe", "NONE", None)).await.unwrap();
    assert_eq!(url, again);
    let address: std::net::SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    eventually("the URL is served", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;

    let event = send("GET", &format!("{url}a/b?x=1"), &[("cookie", "c=1"), ("X-Name", "v")], Bytes::new()).await.json();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["rawPath"], "/a/b");
    assert_eq!(event["queryStringParameters"], json!({"x": "1"}));
    assert_eq!((&event["cookies"], &event["headers"]["x-name"]), (&json!(["c=1"]), &json!("v")));
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");

    let posted = send("POST", &url, &[("content-type", "application/json")], Bytes::from_static(b"{\"a\":1}")).await;
    assert_eq!((&posted.json()["body"], &posted.json()["isBase64Encoded"]), (&json!("{\"a\":1}"), &json!(false)));
    let head = send("HEAD", &url, &[], Bytes::new()).await;
    assert_eq!((head.status(), head.0.body().len()), (StatusCode::OK, 0));
    let foreign = send("GET", &url, &[("origin", "https://evil.example")], Bytes::new()).await;
    assert_eq!(foreign.status(), 403);
    let too_large = send("POST", &url, &[], vec![b'x'; MAX_REQUEST + 1].into()).await;
    assert_eq!(too_large.status(), 413);

    let rig = rig.restart().await;
    assert_eq!(send("GET", &url, &[], Bytes::new()).await.status(), 200, "the port is remembered");
    rig.emulator.stop().await;
}
