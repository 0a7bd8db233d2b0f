//! Streams, and what comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use stream_analytics::merge::Ahead;
use stream_analytics::outside::{From, Outside};
use stream_analytics::records::Record;
use stream_analytics::sequence::Sequence;

use super::Dice;

/// 2018-08-27T10:15:00Z
pub const START: i64 = 1_535_364_900_000;

/// A record of a shard.
#[derive(Clone, Debug)]
pub struct Put {
    pub sequence: u64,
    pub arrival: i64,
    pub data: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
pub struct ShardLog {
    pub records: Vec<Put>,
    pub closed: bool,
    /// Nothing of it is read before its parent is done.
    pub parent: Option<usize>,
    /// Records that the mapping has a success for.
    pub done: usize,
}

/// Everything that is the same for all who look.
#[derive(Default)]
pub struct World {
    pub clock: i64,
    pub sequence: u64,
    pub shards: Vec<ShardLog>,
    /// `_id` → row.
    pub rows: BTreeMap<String, Value>,
    /// Lines of delivery streams that are no JSON.
    pub csv: Vec<String>,
    /// Partition key → record, of what was put into Kinesis.
    pub records: BTreeMap<String, String>,
    /// Streams that take nothing.
    pub refusing: BTreeSet<String>,
    /// Line → (its arrival, its status), of the earliest copy.
    pub lines: BTreeMap<String, (i64, i64)>,
}

impl World {
    /// Puts a line into a shard, or several of which the first tells.
    pub fn put(&mut self, shard: usize, line: &str) {
        self.sequence += 1 + self.sequence % 3;
        let put = Put { sequence: self.sequence, arrival: self.clock, data: line.as_bytes().to_vec() };
        self.shards[shard].records.push(put);
        let json: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
        let status = json["response"].as_str().unwrap().parse().unwrap();
        let earliest = (self.clock, status);
        self.lines.entry(json["id"].as_str().unwrap().to_owned()).or_insert(earliest);
    }

    pub fn event(&self, shard: usize, records: &[Put]) -> String {
        let record = |put: &Put| {
            json!({
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "1",
                    "sequenceNumber": put.sequence.to_string(),
                    "data": BASE64.encode(&put.data),
                    "approximateArrivalTimestamp": put.arrival as f64 / 1000.0,
                },
                "eventSource": "aws:kinesis",
                "eventID": format!("{}:{}", name(shard), put.sequence),
                "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/log-stream",
            })
        };
        json!({"Records": records.iter().map(record).collect::<Vec<_>>()}).to_string()
    }

    /// Minute (its end, as shown) and status → count, of what came out.
    pub fn counted(&self) -> BTreeMap<(String, i64), i64> {
        let mut counted = BTreeMap::new();
        for row in self.rows.values() {
            let key = (row["DATETIME"].as_str().unwrap().to_owned(), row["STATUS"].as_i64().unwrap());
            *counted.entry(key).or_default() += row["STATUSCOUNT"].as_i64().unwrap();
        }
        counted
    }

    /// The same of what was put in.
    pub fn expected(&self) -> BTreeMap<(String, i64), i64> {
        let mut expected = BTreeMap::new();
        for (arrival, status) in self.lines.values() {
            let end = (arrival.div_euclid(60_000) + 1) * 60_000;
            let at = jiff::Timestamp::from_millisecond(end).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            *expected.entry((at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(), *status)).or_default() += 1;
        }
        expected
    }
}

pub fn name(shard: usize) -> String {
    format!("shardId-{shard:012}")
}

/// Tick event of now.
pub fn tick(at: i64) -> String {
    json!({"source": "aws.events", "time": jiff::Timestamp::from_millisecond(at).unwrap().to_string()}).to_string()
}

/// What the function calls.
#[derive(Clone)]
pub struct Wires {
    pub world: Arc<Mutex<World>>,
    pub dice: Dice,
    pub faulty: Arc<Mutex<bool>>,
    /// When objects were written, where it matters.
    pub modified: Arc<Mutex<BTreeMap<String, i64>>>,
}

impl Wires {
    fn refuses(&self, stream: &str) -> bool {
        self.world.lock().unwrap().refusing.contains(stream)
    }

    fn fails(&self) -> bool {
        *self.faulty.lock().unwrap() && self.dice.once_in(6)
    }
}

impl Outside for Wires {
    async fn put(&self, stream: &str, records: &[&str]) -> Result<Vec<Option<String>>, String> {
        assert_eq!(stream, "summary");
        tokio::task::yield_now().await;
        if self.refuses(stream) || self.fails() {
            return Err("throttled".to_owned());
        }
        let mut results = Vec::new();
        for record in records {
            if self.fails() {
                results.push(Some("ServiceUnavailable".to_owned()));
                continue;
            }
            assert!(record.ends_with('\n'));
            for line in record.lines() {
                let Ok(row) = serde_json::from_str::<Value>(line) else {
                    self.world.lock().unwrap().csv.push(line.to_owned());
                    continue;
                };
                let id = row["_id"].as_str().unwrap().to_owned();
                let before = self.world.lock().unwrap().rows.insert(id, row.clone());
                assert!(before.is_none_or(|before| before == row), "two rows of one id: {row}");
            }
            results.push(None);
        }
        // Taken, and nobody learns of it.
        if self.fails() { Err("the answer is lost".to_owned()) } else { Ok(results) }
    }

    async fn put_records(&self, stream: &str, records: &[Record<'_>]) -> Result<Vec<Option<String>>, String> {
        assert!(records.len() <= 500);
        tokio::task::yield_now().await;
        if self.refuses(stream) || self.fails() {
            return Err("throttled".to_owned());
        }
        let mut results = Vec::new();
        for record in records {
            if self.fails() {
                results.push(Some("ProvisionedThroughputExceededException".to_owned()));
                continue;
            }
            let mut world = self.world.lock().unwrap();
            let before = world.records.insert(record.key.to_owned(), record.data.to_owned());
            assert!(before.is_none_or(|before| before == record.data), "two rows of one id: {record:?}");
            results.push(None);
        }
        if self.fails() { Err("the answer is lost".to_owned()) } else { Ok(results) }
    }

    async fn shards(&self, stream: &str) -> Result<Vec<String>, String> {
        assert_eq!(stream, "log-stream");
        Ok((0..self.world.lock().unwrap().shards.len()).map(name).collect())
    }

    async fn modified(&self, key: &str) -> Result<Option<i64>, String> {
        Ok(self.modified.lock().unwrap().get(key).copied())
    }

    async fn ahead(&self, _stream: &str, shard: &str, from: &From) -> Result<Ahead, String> {
        tokio::task::yield_now().await;
        let world = self.world.lock().unwrap();
        let names: BTreeSet<String> = (0..world.shards.len()).map(name).collect();
        let Some(index) = names.iter().position(|name| name == shard) else { return Ok(Ahead::Closed) };
        let log = &world.shards[index];
        let next = log.records.iter().find(|put| match from {
            From::After(sequence) => Sequence::parse(&put.sequence.to_string()).unwrap() > *sequence,
            From::At(at) => put.arrival >= *at,
        });
        Ok(match next {
            Some(put) => Ahead::Record(put.arrival),
            None if log.closed => Ahead::Closed,
            None => Ahead::Nothing,
        })
    }
}
