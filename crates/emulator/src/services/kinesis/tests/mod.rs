mod lifecycle;
mod limits;
mod records;
mod resharding;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::clock::now_ms;
use crate::store::Store;

const HOUR_MS: i64 = 3_600_000;

/// A store with the tables of Kinesis; operations take their input and give their output as JSON, as on the wire.
struct Fixture {
    store: Store,
    config: Arc<Config>,
    _dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = Arc::new(Config::new(dir.path()));
        let store = Store::open(&config, &[SCHEMA]).unwrap();
        Fixture { store, config, _dir: dir }
    }

    async fn with_stream(shards: i64) -> Self {
        let fixture = Self::new();
        fixture.run("CreateStream", json!({ "StreamName": "s", "ShardCount": shards })).await.unwrap();
        fixture
    }

    async fn run(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        async fn write<I, O>(
            fixture: &Fixture,
            op: fn(&Tx<'_>, I) -> Result<O, ApiError>,
            input: Value,
        ) -> Result<Value, ApiError>
        where
            I: DeserializeOwned + Send + 'static,
            O: Serialize + Send + 'static,
        {
            let input = serde_json::from_value(input).unwrap();
            let output = fixture.store.write(move |tx| op(tx, input)).await?;
            Ok(serde_json::to_value(output).unwrap())
        }
        async fn see<I, O>(
            fixture: &Fixture,
            op: fn(&Connection, &Config, I) -> Result<O, ApiError>,
            input: Value,
        ) -> Result<Value, ApiError>
        where
            I: DeserializeOwned + Send + 'static,
            O: Serialize + Send + 'static,
        {
            let input = serde_json::from_value(input).unwrap();
            let config = fixture.config.clone();
            let output = fixture.store.read(move |db| op(db, &config, input)).await?;
            Ok(serde_json::to_value(output).unwrap())
        }
        match operation {
            "AddTagsToStream" => write(self, tags::add, input).await,
            "CreateStream" => write(self, streams::create, input).await,
            "DecreaseStreamRetentionPeriod" => write(self, streams::decrease_retention, input).await,
            "DeleteStream" => write(self, streams::delete, input).await,
            "DescribeStream" => see(self, streams::describe, input).await,
            "DescribeStreamSummary" => see(self, streams::summary, input).await,
            "GetRecords" => write(self, read::get_records, input).await,
            "GetShardIterator" => see(self, read::get_shard_iterator, input).await,
            "IncreaseStreamRetentionPeriod" => write(self, streams::increase_retention, input).await,
            "ListShards" => see(self, shards::list, input).await,
            "ListStreams" => see(self, streams::list, input).await,
            "ListTagsForStream" => see(self, tags::list, input).await,
            "MergeShards" => write(self, reshard::merge_shards, input).await,
            "PutRecord" => write(self, super::put::put_record, input).await,
            "PutRecords" => write(self, |tx, input| super::put::put_records(tx, input, &[]), input).await,
            "RemoveTagsFromStream" => write(self, tags::remove, input).await,
            "SplitShard" => write(self, reshard::split_shard, input).await,
            "UpdateShardCount" => write(self, reshard::update_shard_count, input).await,
            other => panic!("{other}"),
        }
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.run(operation, input.clone()).await.unwrap_or_else(|e| panic!("{operation} {input}: {e}"))
    }

    async fn put(&self, hash: u128, data: &str) -> Put {
        let record = record(hash, data.as_bytes().to_vec());
        self.store.write(move |tx| put(tx, "s", vec![record])).await.unwrap().pop().unwrap().unwrap()
    }

    async fn read(&self, shard: &str, from: Position) -> Batch {
        let shard = shard.to_owned();
        self.store.read(move |db| read(db, "s", &shard, &from, 1000, 1 << 20)).await.unwrap()
    }

    async fn sql(&self, statement: &'static str) {
        self.store.write(move |tx| Ok(tx.execute_batch(statement)?)).await.unwrap();
    }

    async fn iterator(&self, input: Value) -> Result<String, ApiError> {
        let mut whole = json!({ "StreamName": "s", "ShardId": shards::id(0) });
        whole.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        let output = self.run("GetShardIterator", whole).await?;
        Ok(output["ShardIterator"].as_str().unwrap().to_owned())
    }
}

fn record(hash: u128, data: Vec<u8>) -> NewRecord {
    NewRecord { partition_key: "k".into(), explicit_hash_key: Some(hash.to_string()), data: data.into() }
}

fn texts(batch: &Batch) -> Vec<String> {
    batch.records.iter().map(|record| String::from_utf8(record.data.to_vec()).unwrap()).collect()
}
