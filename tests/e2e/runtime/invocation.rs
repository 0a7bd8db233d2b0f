//! Invocations and what can become of them.

use emulator::runtime::MAX_RESPONSE;
use serde_json::json;

use super::rig::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_is_answered_whatever_the_function_does() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:probe:$LATEST";
    for (function, event, error, expected) in [
        ("probe", json!({"a": [1, 2]}), None, json!({"a": [1, 2]})),
        ("probe", json!("text"), None, json!("text")),
        (arn, json!({"answer": null}), None, json!(null)),
        ("probe", json!({"fail": "no"}), Some("Unhandled"), json!({"errorMessage": "no"})),
        ("probe", json!({"panic": "oh"}), Some("Unhandled"), json!({"errorMessage": "oh"})),
        ("probe", json!({"exit": 7}), Some("Unhandled"), json!({"errorType": "Runtime.ExitError"})),
        ("probe", json!({"exit": 0}), Some("Unhandled"), json!({"errorType": "Runtime.ExitError"})),
        ("probe", json!({"after": "exit"}), None, json!({"after": "exit"})),
        ("probe", json!({"fill_tmp": 512 << 20}), None, json!({"fill_tmp": 512 << 20})),
        ("probe", json!({"fill_tmp": (512 << 20) + 1}), Some("Unhandled"), json!({"errorType": "Runtime.ExitError"})),
        (
            "probe",
            json!({"answer_bytes": MAX_RESPONSE}),
            Some("Unhandled"),
            json!({"errorType": "Function.ResponseSizeTooLarge"}),
        ),
    ] {
        let answer = rig.invoke(function, event.clone()).await;
        assert_eq!(answer.status(), 200, "{event}");
        assert_eq!(answer.header("x-amz-function-error"), error, "{event}: {}", answer.json());
        assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
        match (error, answer.json()) {
            (None, got) => assert_eq!(got, expected, "{event}"),
            (Some(_), got) => {
                let (name, value) = expected.as_object().unwrap().iter().next().unwrap();
                let (got, value) = (got[name].as_str().unwrap(), value.as_str().unwrap());
                assert!(got.ends_with(value), "{event}: {got}");
            }
        }
    }
    let exit = rig.invoke("probe", json!({"exit": 7})).await;
    let message = exit.json()["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("Error: Runtime exited with error: exit status 7"), "{message}");
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tail_tells_of_the_invocation() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    let first = rig.invoke("probe", json!({"print": "a line of its own"})).await;
    let id = first.header("x-amzn-requestid").unwrap();
    let tail = first.tail();
    let lines: Vec<&str> = tail.lines().collect();
    let [start, line, end, report] = lines.as_slice() else { panic!("{tail}") };
    assert_eq!(*start, format!("START RequestId: {id} Version: $LATEST"));
    assert_eq!(*line, "a line of its own");
    assert_eq!(*end, format!("END RequestId: {id}"));
    assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report}");
    assert!(report.contains("Memory Size: 128 MB") && report.contains("Init Duration: "), "{report}");
    assert!(!report.contains("Max Memory Used: 0 MB"), "{report}");
    let second = rig.invoke("probe", json!({"print": "again"})).await.tail();
    assert!(!second.contains("a line of its own") && !second.contains("Init Duration"), "{second}");
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_takes_too_long_is_killed() {
    let rig = Rig::start().await;
    rig.function("probe", |spec| spec.timeout = 1).await;
    let process = rig.process("probe").await;
    let answer = rig.invoke("probe", json!({"sleep_ms": 600_000})).await;
    assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"));
    assert_eq!(answer.json()["errorType"], "Sandbox.Timedout");
    assert!(answer.json()["errorMessage"].as_str().unwrap().ends_with("Task timed out after 1.00 seconds"));
    assert!(answer.tail().contains("Task timed out after 1.00 seconds"), "{}", answer.tail());
    eventually("the process ends", async || !is_alive(process)).await;
    assert_ne!(rig.process("probe").await, process);
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_not_start_is_an_error_of_the_function() {
    let rig = Rig::start().await;
    rig.function("exits", |spec| drop(spec.environment.insert("PROBE_INIT".into(), "exit".into()))).await;
    rig.function("missing", |spec| spec.binary = "no-such-binary".into()).await;
    for (function, kind, message) in
        [("exits", "Runtime.ExitError", "exit status 3"), ("missing", "Runtime.InvalidEntrypoint", "no-such-binary")]
    {
        let answer = rig.invoke(function, json!({})).await;
        assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"), "{function}");
        assert_eq!(answer.json()["errorType"], kind);
        assert!(answer.json()["errorMessage"].as_str().unwrap().contains(message), "{}", answer.json());
    }
    rig.emulator.stop().await;
}
