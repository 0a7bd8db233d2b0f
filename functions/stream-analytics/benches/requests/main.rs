//! What a batch of 10,000 records of a shard asks of S3, and how much it writes: counted, not timed.
#![allow(missing_docs)]

mod store;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lambda::rules::RulesBucket;
use ledger::{FileStore, ObjectStore, Precondition};
use serde_json::json;
use store::{Counting, Counts};
use stream_analytics::catalog::Catalog;
use stream_analytics::folding::Folder;
use stream_analytics::handler::{Context, handle};
use stream_analytics::merge::Ahead;
use stream_analytics::outside::{From, Outside};
use stream_analytics::pages::Pages;
use stream_analytics::records::Record;
use stream_analytics::tables::Tables;

const BATCH: u64 = 10_000;

/// Batches of which the first two, which find nothing there, do not count.
const BATCHES: u64 = 12;
const FIRST: u64 = 2;

/// Records a second.
const RATE: u64 = 1_000;

const SHARD: &str = "shardId-000000000000";

const RULE: &str = r#"{"source": {"kinesis": "log-stream"}, "recordIdField": "line_id",
  "inputSchema": {"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "host", "SqlType": "VARCHAR(16)"}, {"Name": "response", "SqlType": "INTEGER"}, {"Name": "bytes", "SqlType": "INTEGER"}]},
  "outputs": [{"stream": "DESTINATION_SQL_STREAM", "firehose": "summary", "format": "JSON"}]}"#;

/// Queries, and what they are.
const QUERIES: [(&str, &str); 3] = [
    ("counts per minute and status", include_str!("../../../../infra/rules/analytics/log-aggregation.sql")),
    (
        "counts over a sliding minute, of errors alone",
        r#"CREATE STREAM "DESTINATION_SQL_STREAM" (status INTEGER, n INTEGER);
        CREATE PUMP "P" AS INSERT INTO "DESTINATION_SQL_STREAM"
        SELECT STREAM "response", COUNT(*) OVER (PARTITION BY "response" RANGE INTERVAL '1' MINUTE PRECEDING)
        FROM "SOURCE_SQL_STREAM_001" WHERE "response" = 500;"#,
    ),
    (
        "a sliding average of an hour by host, of errors alone",
        r#"CREATE STREAM "DESTINATION_SQL_STREAM" (host VARCHAR(16), average INTEGER);
        CREATE PUMP "P" AS INSERT INTO "DESTINATION_SQL_STREAM"
        SELECT STREAM "host", average FROM (
            SELECT STREAM "host", "response", AVG("bytes") OVER (PARTITION BY "host" RANGE INTERVAL '1' HOUR PRECEDING) AS average
            FROM "SOURCE_SQL_STREAM_001") WHERE "response" = 500;"#,
    ),
];

/// Streams that take everything.
struct Taking;

impl Outside for Taking {
    async fn put(&self, _: &str, records: &[&str]) -> Result<Vec<Option<String>>, String> {
        Ok(vec![None; records.len()])
    }

    async fn put_records(&self, _: &str, records: &[Record<'_>]) -> Result<Vec<Option<String>>, String> {
        Ok(vec![None; records.len()])
    }

    async fn shards(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(vec![SHARD.to_owned()])
    }

    async fn modified(&self, _: &str) -> Result<Option<i64>, String> {
        Ok(None)
    }

    async fn ahead(&self, _: &str, _: &str, _: &From) -> Result<Ahead, String> {
        Ok(Ahead::Nothing)
    }
}

/// The event of a batch of the shard.
fn batch(number: u64) -> String {
    let record = |n: u64| {
        let line = format!(
            r#"{{"host":"10.0.{}.7","datetime":"14/Nov/2023:22:14:36 +0000","request":"GET /{n} HTTP/1.1","response":"{}","bytes":"{}","agent":"Mozilla/5.0 (X11; Linux x86_64)","line_id":"f0-{n}-{}"}}"#,
            n * 7_919 % 1_000,
            [200, 200, 200, 200, 200, 200, 200, 304, 404, 500][n as usize % 10],
            100 + n * 37 % 90_000,
            n + 1
        );
        json!({
            "kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": (1_000 + n).to_string(),
                "data": BASE64.encode(line), "approximateArrivalTimestamp": 1_700_000_000.0 + n as f64 / RATE as f64},
            "eventSource": "aws:kinesis",
            "eventID": format!("{SHARD}:{}", 1_000 + n),
            "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/log-stream",
        })
    };
    json!({"Records": (number * BATCH..(number + 1) * BATCH).map(record).collect::<Vec<_>>()}).to_string()
}

async fn counts(sql: &str) -> Counts {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |name: &str| FileStore::open(folder.path().join(name)).expect("a store");
    let rules: Arc<dyn ObjectStore> = Arc::new(open("rules"));
    for (file, body) in [("x.json", RULE), ("x.sql", sql), ("log-aggregation.json", r#"{"enabled": false}"#)] {
        let key = format!("rules/analytics/{file}");
        rules.put(&key, body.to_owned().into(), &Precondition::None).await.expect("a rule");
    }
    let counting = Arc::new(Counting::new(open("index")));
    let index: Arc<dyn ObjectStore> = counting.clone();
    let lake: Arc<dyn ObjectStore> = Arc::new(open("lake"));
    let bucket = rules.clone();
    let tables = Tables::new(rules.clone(), Arc::new(move |_: &str| bucket.clone()), index.clone());
    let catalog = Catalog::new(RulesBucket(rules), index.clone(), tables, "ingestion", "summary");
    let pages = Pages::new(index.clone());
    let folder = Folder { index, lake, catalog, pages, outside: Taking, lake_lag: 30_000 };
    let context = Context { folder, function: "stream-analytics".to_owned() };
    for number in 0..BATCHES {
        if number == FIRST {
            counting.reset();
        }
        handle(&batch(number), &context).await.expect("a batch is taken");
    }
    counting.counts()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!(
        "S3 requests and bytes of a batch of {BATCH} records ({RATE} a second, one shard; rules are another few a minute)"
    );
    for (name, sql) in QUERIES {
        let Counts { gets, puts, deletes, lists, written, head } = counts(sql).await;
        let each = |count: u64| count as f64 / (BATCHES - FIRST) as f64;
        println!(
            "{name}: {:.1} GET, {:.1} PUT, {:.1} DELETE, {:.1} LIST; {:.0} KB written, the head {:.0} KB",
            each(gets),
            each(puts),
            each(deletes),
            each(lists),
            each(written) / 1e3,
            head as f64 / 1e3
        );
    }
}
