//! The handler over a lake and indexes in memory.

mod support;

use std::collections::HashMap;

use index_writer::event::Batch;
use index_writer::handler::handle;
use serde_json::{Value, json};
use support::*;

const AT: &str = "2026-11-20T16:36:01.000Z";
const AT_MS: i64 = 1_795_192_561_000;
const LOGS: &str = "logs/log-ingestion-stream/2026/11/20/16/a.gz";
const INBOX: &str = "inbox/things/2026/11/20/16/w.json";

fn access(day: u32, text: impl Into<Value>) -> String {
    json!({"datetime": format!("{day:02}/Nov/2026:10:00:00 +0000"), "text": text.into(), "@ingested": AT_MS})
        .to_string()
}

#[tokio::test]
async fn the_fixture_is_indexed() {
    let lake = MemoryLake::default();
    let key = "logs/log-ingestion-stream/2026/11/20/16/log-ingestion-stream-1-2026-11-20-16-36-00-a+b.gz";
    lake.add(key, gzip(&(access(20, "a") + "\n")), AT_MS);
    lake.add("inbox/request_data/2026/11/20/16/summary-1.json", "{\"_id\":\"i\",\"STATUS\":200}\n", AT_MS);
    let context = context(lake, MemoryIndexes::default());
    let batch: Batch = serde_json::from_str(include_str!("../events/s3-objects.json")).unwrap();
    let reply = handle(batch, &context).await.unwrap();
    assert_eq!(serde_json::to_value(reply).unwrap(), json!({"batchItemFailures": []}));
    assert_eq!(context.indexes.names(), ["access-log-2026.11.20", "request_data"]);
    assert_eq!(context.indexes.documents("request_data")["i"], json!({"STATUS": 200}));
    assert_eq!(context.indexes.documents("access-log-2026.11.20").len(), 1);
}

#[tokio::test]
async fn days_have_their_indexes_and_objects_share_commits() {
    let lake = MemoryLake::default();
    let mixed = [access(19, "a"), String::new(), access(20, "b"), access(21, "c")].join("\n");
    lake.add(LOGS, gzip(&mixed), AT_MS);
    lake.add("logs/log-stream/2026/11/20/16/b", mixed, AT_MS);
    let context = context(lake, MemoryIndexes::default());
    let messages = [message("1", LOGS, AT, None), message("2", "logs/log-stream/2026/11/20/16/b", AT, None)];
    assert_eq!(send(&context, &messages).await, [""; 0]);
    assert_eq!(context.indexes.names(), ["access-log-2026.11.19", "access-log-2026.11.20", "access-log-2026.11.21"]);
    assert_eq!(context.indexes.commits(), 3, "one of each index");
    assert_eq!(context.indexes.documents("access-log-2026.11.20").len(), 2);
}

#[tokio::test]
async fn repeats_change_nothing() {
    let lake = MemoryLake::default();
    lake.add(LOGS, gzip(&[access(20, "a"), access(20, 1), access(21, "b")].join("\n")), AT_MS);
    let context = context(lake, MemoryIndexes::default());
    let twice = [message("1", LOGS, AT, None), message("2", LOGS, "2026-11-20T23:59:59.999Z", None)];
    assert_eq!(send(&context, &twice).await, [""; 0]);
    let documents = context.indexes.documents("access-log-2026.11.20");
    let failures = context.lake.failures();
    assert_eq!(send(&context, &[message("3", LOGS, "2026-11-21T00:00:01.000Z", None)]).await, [""; 0]);
    assert_eq!(context.indexes.documents("access-log-2026.11.20"), documents);
    assert_eq!(documents.len(), 1);
    assert_eq!(context.lake.failures(), failures, "written again, under the same name");
    assert_eq!(failures.len(), 1);
}

#[tokio::test]
async fn what_fails_comes_again_and_the_rest_is_done() {
    let lake = MemoryLake::default();
    let second = "inbox/others/x.json";
    lake.add(LOGS, gzip(&[access(20, "a"), access(21, "b"), access(21, 1)].join("\n")), AT_MS);
    lake.add(second, "{\"a\":1}", AT_MS);
    let context = context(lake, MemoryIndexes::default());
    context.indexes.fail.replace(HashMap::from([("access-log-2026.11.21".to_owned(), 1)]));
    let messages = [message("1", LOGS, AT, None), message("2", second, AT, None)];
    assert_eq!(send(&context, &messages).await, ["1"]);
    assert_eq!(context.indexes.documents("access-log-2026.11.20").len(), 1);
    assert_eq!(context.indexes.documents("others").len(), 1);
    assert_eq!(context.lake.failures().len(), 0, "told when all is known");
    assert_eq!(send(&context, &messages[..1]).await, [""; 0]);
    assert_eq!(context.indexes.documents("access-log-2026.11.20").len(), 1);
    assert_eq!(context.indexes.documents("access-log-2026.11.21").len(), 1);
    assert_eq!(context.lake.only_failures().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_loses_no_failure() {
    let lake = MemoryLake::default();
    lake.add(LOGS, gzip(&[access(20, "a"), access(20, 1), "x".to_owned()].join("\n")), AT_MS);
    let context = context(lake, MemoryIndexes::default());
    context.indexes.lose_answer.replace(Some("access-log-2026.11.20".to_owned()));
    assert_eq!(send(&context, &[message("1", LOGS, AT, None)]).await, ["1"]);
    assert_eq!(send(&context, &[message("1", LOGS, AT, None)]).await, [""; 0]);
    let lines: Vec<_> = context.lake.only_failures().iter().map(|line| line["line"].clone()).collect();
    assert_eq!(lines, [2, 3]);
    context.lake.objects.borrow_mut().retain(|key, _| !key.starts_with("failed/"));
    context.lake.refuse_puts.set(1);
    assert_eq!(send(&context, &[message("1", LOGS, AT, None)]).await, ["1"], "the failures could not be written");
    assert_eq!(send(&context, &[message("1", LOGS, AT, None)]).await, [""; 0]);
    assert_eq!(context.lake.only_failures().len(), 2);
}

#[tokio::test]
async fn failures_say_what_and_why() {
    let lake = MemoryLake::default();
    let lines: Vec<Vec<u8>> = vec![
        b"{\"a\":1}".to_vec(),
        access(20, 1).into_bytes(),
        b"{\"a\":".to_vec(),
        b"{\"text\":\"\xff\"}".to_vec(),
        access(20, "good").into_bytes(),
    ];
    lake.add(LOGS, lines.join(&b'\n'), AT_MS);
    let context = context(lake, MemoryIndexes::default());
    assert_eq!(send(&context, &[message("1", LOGS, AT, None)]).await, [""; 0]);
    assert_eq!(context.indexes.documents("access-log-2026.11.20").len(), 1);
    let (key, failures) = context.lake.failures().pop_first().unwrap();
    assert!(key.starts_with("failed/index-writer/2026/11/20/16/") && key.ends_with("-1.json"), "{key}");
    let told: Vec<_> = failures.iter().map(|f| (f["line"].as_u64().unwrap(), f["index"].as_str())).collect();
    assert_eq!(told, [(1, None), (2, Some("access-log-2026.11.20")), (3, None), (4, None)]);
    assert!(failures[0]["reason"].as_str().unwrap().contains("no time"), "{failures:?}");
    assert_eq!(failures[1]["reason"], "failed to parse field [text]");
    assert_eq!(failures[1]["type"], "document_parsing_exception");
    assert_eq!(failures[1]["raw"], access(20, 1));
    assert_eq!(failures[2]["raw"], "{\"a\":");
    assert_eq!(failures[3]["rawBase64"], "eyJ0ZXh0Ijoi/yJ9");
    assert_eq!(failures[3]["source"]["key"], LOGS);
}

#[tokio::test]
async fn an_inbox_updates_creates_and_deletes() {
    let lake = MemoryLake::default();
    let lines = [
        r#"{"_id":"a","v":1}"#,
        r#"{"_id":"a","v":2}"#,
        r#"{"_id":"a","_op":"create","v":3}"#,
        r#"{"_id":"b","_op":"create","v":4}"#,
        r#"{"_id":"c","v":5}"#,
        r#"{"_op":"delete","_id":"c"}"#,
    ];
    lake.add(INBOX, lines.join("\n"), AT_MS);
    lake.add("inbox/Wrong/x", "{}\n", AT_MS);
    let context = context(lake, MemoryIndexes::default());
    assert_eq!(send(&context, &[message("1", INBOX, AT, None)]).await, [""; 0]);
    let documents = context.indexes.documents("things");
    assert_eq!(json!(documents), json!({"a": {"v": 2}, "b": {"v": 4}}));
    assert_eq!(context.lake.failures().len(), 0, "a create that finds its id taken has what it wants");
    assert_eq!(send(&context, &[message("2", "inbox/Wrong/x", AT, None)]).await, [""; 0]);
    assert_eq!(context.lake.only_failures()[0]["type"], "invalid_index_name_exception");
}

#[tokio::test]
async fn objects_that_cannot_be_read_are_told_once_and_done() {
    let lake = MemoryLake::default();
    let whole = gzip(&(access(20, "a") + "\n"));
    lake.add(LOGS, whole[..whole.len() - 3].to_vec(), AT_MS);
    let context = context(lake, MemoryIndexes::default());
    assert_eq!(send(&context, &[message("1", LOGS, AT, None)]).await, [""; 0]);
    assert_eq!(send(&context, &[message("2", LOGS, AT, None)]).await, [""; 0]);
    let failures = context.lake.only_failures();
    assert_eq!((failures.len(), &failures[0]["type"]), (1, &json!("not_gzip")));
    assert_eq!(send(&context, &[message("3", "logs/log-stream/gone", AT, None)]).await, [""; 0]);
    assert_eq!(send(&context, &[message("4", "logs/unknown/x", AT, None)]).await, [""; 0]);
}

#[tokio::test]
async fn a_broken_connection_is_tried_again() {
    let lake = MemoryLake::default();
    lake.add(INBOX, "{\"a\":1}\n{\"a\":2}\n", AT_MS);
    lake.break_after.set(Some(9));
    let context = context(lake, MemoryIndexes::default());
    assert_eq!(send(&context, &[message("1", INBOX, AT, None)]).await, ["1"]);
    assert_eq!(context.indexes.documents("things").len(), 0);
    assert_eq!(send(&context, &[message("1", INBOX, AT, None)]).await, [""; 0]);
    assert_eq!(context.indexes.documents("things").len(), 2);
}

#[tokio::test]
async fn messages_that_mean_nothing_go_to_the_dead_letters() {
    let context = context(MemoryLake::default(), MemoryIndexes::default());
    let foreign = json!({"Records": [{"eventName": "ObjectCreated:Put", "eventTime": AT,
        "s3": {"bucket": {"name": "another"}, "object": {"key": "logs/a"}}}]});
    let messages = [
        json!({"messageId": "1", "body": "hello"}),
        json!({"messageId": "2", "body": foreign.to_string()}),
        json!({"messageId": "3", "body": "{\"Event\":\"s3:TestEvent\"}"}),
    ];
    assert_eq!(send(&context, &messages).await, ["1", "2"]);
}

#[tokio::test]
async fn a_document_of_two_megabytes() {
    let lake = MemoryLake::default();
    let large = "x".repeat(2 * 1024 * 1024);
    lake.add(INBOX, gzip(&json!({"_id": "large", "text": large}).to_string()), AT_MS);
    let context = context(lake, MemoryIndexes::default());
    assert_eq!(send(&context, &[message("1", INBOX, AT, None)]).await, [""; 0]);
    assert_eq!(context.indexes.documents("things")["large"]["text"], large);
}

#[tokio::test]
async fn what_is_stale_is_told_and_indexed_by_a_replay_once() {
    let lake = MemoryLake::default();
    lake.add(LOGS, gzip(&[access(1, "a"), access(1, "b")].join("\n")), AT_MS - 20 * DAY);
    let context = context(lake, MemoryIndexes::default());
    assert_eq!(send(&context, &[message("1", LOGS, AT, None)]).await, [""; 0]);
    let failures = context.lake.only_failures();
    assert_eq!((&failures[0]["type"], failures[0].get("line")), (&json!("stale_source"), None));
    assert_eq!(context.indexes.documents("access-log-2026.11.01").len(), 0);
    for id in ["2", "3"] {
        assert_eq!(send(&context, &[message(id, LOGS, AT, Some(json!({})))]).await, [""; 0]);
        assert_eq!(context.indexes.documents("access-log-2026.11.01").len(), 2);
    }
}

#[tokio::test]
async fn lines_are_replayed_by_their_numbers() {
    let lake = MemoryLake::default();
    lake.add(LOGS, gzip(&[access(20, "a"), access(20, 1), access(20, "c")].join("\n")), AT_MS);
    let context = context(lake, MemoryIndexes::default());
    let lines = |lines: &[u64]| [message("1", LOGS, AT, Some(json!({"lines": lines})))];
    assert_eq!(send(&context, &lines(&[3])).await, [""; 0]);
    assert_eq!(context.indexes.documents("access-log-2026.11.20").len(), 1);
    assert_eq!(send(&context, &lines(&[1, 3])).await, [""; 0]);
    assert_eq!(context.indexes.documents("access-log-2026.11.20").len(), 2);
    assert_eq!(send(&context, &lines(&[2])).await, [""; 0]);
    let (key, failures) = context.lake.failures().pop_first().unwrap();
    assert!(key.ends_with("-1-replay.json"), "{key}");
    assert_eq!(failures[0]["line"], 2);
}
