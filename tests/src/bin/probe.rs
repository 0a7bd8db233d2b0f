//! A function for tests: it does what its event, or its environment, tells it to.
//!
//! | event | what it does |
//! | --- | --- |
//! | `{"fail": MESSAGE}` | answers with an error |
//! | `{"panic": MESSAGE}` | panics |
//! | `{"exit": CODE}` | ends the process |
//! | `{"sleep_ms": N}` | waits, then echoes |
//! | `{"print": TEXT}` | prints, then echoes |
//! | `{"answer": VALUE}` | answers with that |
//! | `{"answer_bytes": N}` | answers with a string of that length |
//! | `{"fill_tmp": N}` | writes a sparse file of that length into TMPDIR, then echoes |
//! | `{"environment": true}` | answers with its environment |
//! | `{"process": true}` | answers with its process id |
//! | `{"Records": […]}` | `batchItemFailures` for the items whose body or data contains `PROBE_FAIL_ITEMS`; an error when one contains `PROBE_FAIL_BATCH` |
//! | anything else | echoes |
//!
//! Environment: `PROBE_LOG` names a file that each event is appended to, as a line, before anything else; `PROBE_INIT=exit`
//! ends before the first `next`, `PROBE_INIT=sleep` never comes to it.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::var("PROBE_INIT").as_deref() {
        Ok("exit") => std::process::exit(3),
        Ok("sleep") => std::future::pending().await,
        _ => lambda_runtime::run(service_fn(handle)).await,
    }
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let event = event.payload;
    log(&event)?;
    if let Some(message) = event["fail"].as_str() {
        return Err(message.into());
    }
    if let Some(message) = event["panic"].as_str() {
        panic!("{message}");
    }
    if let Some(code) = event["exit"].as_i64() {
        std::process::exit(code as i32);
    }
    if let Some(ms) = event["sleep_ms"].as_u64() {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if let Some(text) = event["print"].as_str() {
        println!("{text}");
    }
    if let Some(length) = event["answer_bytes"].as_u64() {
        return Ok(Value::String("x".repeat(length as usize)));
    }
    if let Some(length) = event["fill_tmp"].as_u64() {
        std::fs::File::create(std::env::temp_dir().join("filler"))?.set_len(length)?;
    }
    if event["environment"] == true {
        return Ok(json!(std::env::vars().collect::<HashMap<_, _>>()));
    }
    if event["process"] == true {
        return Ok(json!(std::process::id()));
    }
    if let Some(records) = event["Records"].as_array() {
        return batch(records);
    }
    Ok(event.get("answer").cloned().unwrap_or(event))
}

fn log(event: &Value) -> Result<(), Error> {
    if let Ok(path) = std::env::var("PROBE_LOG") {
        // One write: several processes append to this file.
        std::fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(format!("{event}\n").as_bytes())?;
    }
    Ok(())
}

fn batch(records: &[Value]) -> Result<Value, Error> {
    let marked = |name: &str| {
        let mark = std::env::var(name).ok().filter(|mark| !mark.is_empty());
        records.iter().filter(move |record| mark.as_ref().is_some_and(|mark| text(record).contains(mark)))
    };
    if let Some(record) = marked("PROBE_FAIL_BATCH").next() {
        return Err(format!("told to fail by {}", text(record)).into());
    }
    let id = |record: &Value| record.get("messageId").unwrap_or(&record["kinesis"]["sequenceNumber"]).clone();
    let failures: Vec<Value> =
        marked("PROBE_FAIL_ITEMS").map(|record| json!({ "itemIdentifier": id(record) })).collect();
    Ok(json!({ "batchItemFailures": failures }))
}

/// What a record of a queue or a stream says.
fn text(record: &Value) -> String {
    match record["kinesis"]["data"].as_str() {
        Some(data) => String::from_utf8_lossy(&BASE64_STANDARD.decode(data).unwrap_or_default()).into_owned(),
        None => record["body"].as_str().unwrap_or_default().to_owned(),
    }
}
