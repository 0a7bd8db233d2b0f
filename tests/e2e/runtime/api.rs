//! The REST API.

use bytes::Bytes;
use emulator::runtime::MAX_REQUEST;
use emulator::services::lambda;
use http::StatusCode;
use serde_json::json;

use super::rig::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_lambda_itself_refuses() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    rig.function("none", |spec| spec.reserved_concurrency = Some(0)).await;
    let invoke = |name: &str| format!("/2015-03-31/functions/{name}/invocations");
    let event = ("x-amz-invocation-type", "Event");
    let big = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for (path, header, body, status, code) in [
        (invoke("missing"), None, "{}".to_owned(), 404, "ResourceNotFoundException"),
        (invoke("probe:7"), None, "{}".to_owned(), 404, "ResourceNotFoundException"),
        (invoke("probe"), None, "{".to_owned(), 400, "InvalidRequestContentException"),
        (invoke("probe"), None, big(MAX_REQUEST + 1), 413, "RequestTooLargeException"),
        (invoke("probe"), Some(event), big(lambda::MAX_ASYNC_PAYLOAD + 1), 413, "RequestTooLargeException"),
        (invoke("missing"), Some(event), "{}".to_owned(), 404, "ResourceNotFoundException"),
        (
            invoke("probe"),
            Some(("x-amz-invocation-type", "Later")),
            "{}".to_owned(),
            400,
            "InvalidParameterValueException",
        ),
        (invoke("none"), None, "{}".to_owned(), 429, "TooManyRequestsException"),
        ("/2015-03-31/functions".to_owned(), None, "{}".to_owned(), 501, "NotImplemented"),
        ("/2015-03-31/functions/probe/versions".to_owned(), None, "{}".to_owned(), 501, "NotImplemented"),
    ] {
        let headers: Vec<_> = header.into_iter().collect();
        let answer = rig.call(&path, &headers, body).await;
        assert_eq!(answer.status(), status, "{path}: {}", answer.json());
        assert_eq!(answer.header("x-amzn-errortype"), Some(code), "{path}");
        assert!(answer.json()["Message"].is_string() && answer.json()["Type"].is_string(), "{path}: {}", answer.json());
    }
    let dry = rig.call(&invoke("probe"), &[("x-amz-invocation-type", "DryRun")], "").await;
    assert_eq!(dry.status(), 204);
    let largest = rig.call(&invoke("probe"), &[], big(MAX_REQUEST)).await;
    assert_eq!((largest.status(), largest.0.body().len()), (StatusCode::OK, MAX_REQUEST));
    assert!(rig.emulator.ctx().pool.snapshot().iter().any(|seen| seen.function == "none" && seen.throttles == 1));
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_listed_and_mappings_kept() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    let url = |path: &str| format!("{}{path}", rig.emulator.endpoint());
    let get = async |path: &str| send("GET", &url(path), &[], Bytes::new()).await;
    assert_eq!(get("/2015-03-31/functions/").await.json()["Functions"][0]["FunctionName"], "probe");
    let shown = get("/2015-03-31/functions/probe").await.json();
    assert_eq!(shown["Configuration"]["State"], "Active");
    assert_eq!(get("/2015-03-31/functions/probe/configuration").await.json(), shown["Configuration"]);

    let mappings = "/2015-03-31/event-source-mappings/";
    let spec =
        json!({"FunctionName": "probe", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q", "Enabled": false});
    let made = rig.call(mappings, &[], spec.to_string()).await;
    assert_eq!((made.status(), &made.json()["State"]), (StatusCode::ACCEPTED, &json!("Disabled")));
    let again = rig.call(mappings, &[], spec.to_string()).await;
    assert_eq!(
        (again.status(), again.header("x-amzn-errortype")),
        (StatusCode::CONFLICT, Some("ResourceConflictException"))
    );
    let one = format!("{mappings}{}", made.json()["UUID"].as_str().unwrap());
    let changed = send("PUT", &url(&one), &[], Bytes::from_static(b"{\"BatchSize\":7}")).await;
    assert_eq!((changed.status(), &changed.json()["BatchSize"]), (StatusCode::ACCEPTED, &json!(7)));
    assert_eq!(
        get(&format!("{mappings}?FunctionName=probe")).await.json()["EventSourceMappings"].as_array().unwrap().len(),
        1
    );
    assert_eq!(send("DELETE", &url(&one), &[], Bytes::new()).await.status(), 202);
    assert_eq!(get(&one).await.status(), 404);
    rig.emulator.stop().await;
}
