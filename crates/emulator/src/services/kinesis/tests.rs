use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::clock::now_ms;
use crate::store::Store;
use crate::wire::cbor::{self, Unit};

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
            "PutRecords" => write(self, super::put::put_records, input).await,
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

#[test]
fn uniform_ranges_are_those_of_the_service() {
    for (index, count, expected) in [
        (0, 1, 0),
        (0, 2, 0),
        (1, 2, 170_141_183_460_469_231_731_687_303_715_884_105_728),
        (1, 3, 113_427_455_640_312_821_154_458_202_477_256_070_485),
        (2, 3, 226_854_911_280_625_642_308_916_404_954_512_140_970),
        (3, 4, 3 << 126),
        (15, 16, 15 << 124),
    ] {
        assert_eq!(shards::uniform_start(index, count), expected, "{index} of {count}");
    }
}

#[tokio::test]
async fn a_record_goes_to_the_shard_of_its_hash_key() {
    let f = Fixture::with_stream(4).await;
    let quarter = 1u128 << 126;
    for (hash, shard) in [
        (0, 0),
        (quarter - 1, 0),
        (quarter, 1),
        (2 * quarter - 1, 1),
        (2 * quarter, 2),
        (3 * quarter, 3),
        (u128::MAX, 3),
    ] {
        assert_eq!(f.put(hash, "x").await.shard_id, shards::id(shard), "{hash}");
    }
    // By the MD5 of the key: "a" is 0cc1…, "b" 92eb…, "c" 4a8a…, "d" 8277…, "e" e167….
    for (key, shard) in [("a", 0), ("b", 2), ("c", 1), ("d", 2), ("e", 3)] {
        let output = f.ok("PutRecord", json!({ "StreamName": "s", "PartitionKey": key, "Data": "eA==" })).await;
        assert_eq!(output["ShardId"], shards::id(shard), "{key}");
    }
}

#[tokio::test]
async fn sequence_numbers_rise_and_records_come_back_in_order() {
    let f = Fixture::with_stream(1).await;
    let mut last = String::new();
    for n in 0..20 {
        let put = f.put(0, &n.to_string()).await;
        assert!(put.sequence_number > last && put.sequence_number.len() == 56, "{}", put.sequence_number);
        last = put.sequence_number;
    }
    let all = f.read("shardId-000000000000", Position::TrimHorizon).await;
    assert_eq!(texts(&all), (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!((all.after.as_str(), all.ended, all.millis_behind_latest), (last.as_str(), false, 0));

    let tenth = all.records[10].sequence_number.clone();
    assert_eq!(texts(&f.read("shardId-000000000000", Position::At(tenth.clone())).await)[0], "10");
    assert_eq!(texts(&f.read("shardId-000000000000", Position::After(tenth)).await)[0], "11");
    assert_eq!(f.read("shardId-000000000000", Position::AtTimestamp(0)).await.records.len(), 20);
    assert_eq!(f.read("shardId-000000000000", Position::AtTimestamp(i64::MAX)).await.records.len(), 0);
    // Latest has nothing, and says where to go on.
    let tip = f.read("shardId-000000000000", Position::Latest).await;
    assert!(tip.records.is_empty());
    f.put(0, "new").await;
    assert_eq!(texts(&f.read("shardId-000000000000", Position::After(tip.after)).await), ["new"]);
}

#[tokio::test]
async fn a_read_is_bounded_by_records_and_bytes() {
    let f = Fixture::with_stream(1).await;
    for _ in 0..5 {
        f.put(0, &"x".repeat(100)).await;
    }
    for (limit, max_bytes, expected) in
        [(3, 1000, 3), (10, 250, 2), (10, 200, 2), (10, 100, 1), (10, 1, 1), (10, 10_000, 5)]
    {
        let batch = f
            .store
            .read(move |db| read(db, "s", "shardId-000000000000", &Position::TrimHorizon, limit, max_bytes))
            .await
            .unwrap();
        assert_eq!(batch.records.len(), expected, "{limit} {max_bytes}");
    }
    // What is not read yet has an age.
    f.sql("UPDATE kinesis_records SET arrival = arrival - 5000 WHERE ix > 1").await;
    let batch =
        f.store.read(|db| read(db, "s", "shardId-000000000000", &Position::TrimHorizon, 1, 1000)).await.unwrap();
    assert!((5000..65_000).contains(&batch.millis_behind_latest), "{}", batch.millis_behind_latest);
}

/// Reads every shard to its end, parents first, and returns the data in that order.
async fn drain(f: &Fixture) -> Vec<String> {
    let all = f.store.read(|db| shards(db, "s")).await.unwrap();
    let (mut done, mut data): (Vec<String>, Vec<String>) = Default::default();
    while done.len() < all.len() {
        let ready = |shard: &&Shard| !done.contains(&shard.id) && shard.parents.iter().all(|p| done.contains(p));
        let shard = all.iter().find(ready).expect("a shard whose parents are read");
        let batch = f.read(&shard.id, Position::TrimHorizon).await;
        assert_eq!(batch.ended, shard.closed, "{}", shard.id);
        data.extend(texts(&batch));
        done.push(shard.id.clone());
    }
    data
}

#[tokio::test]
async fn split_and_merge_keep_the_order_of_a_key() {
    let f = Fixture::with_stream(1).await;
    let half = 1u128 << 127;
    let first = f.put(5, "0").await;
    f.ok(
        "SplitShard",
        json!({ "StreamName": "s", "ShardToSplit": shards::id(0), "NewStartingHashKey": half.to_string() }),
    )
    .await;
    let second = f.put(5, "1").await;
    let right = f.put(half, "right").await;
    assert_eq!((second.shard_id, right.shard_id), (shards::id(1), shards::id(2)));
    f.ok(
        "MergeShards",
        json!({ "StreamName": "s", "ShardToMerge": shards::id(2), "AdjacentShardToMerge": shards::id(1) }),
    )
    .await;
    let third = f.put(5, "2").await;
    assert_eq!(third.shard_id, shards::id(3));
    assert!(first.sequence_number < second.sequence_number && second.sequence_number < third.sequence_number);

    let listed = f.ok("ListShards", json!({ "StreamName": "s" })).await;
    let all = listed["Shards"].as_array().unwrap();
    let field = |n: usize, name: &str| all[n][name].clone();
    assert_eq!(field(1, "ParentShardId"), shards::id(0));
    assert_eq!(field(3, "ParentShardId"), shards::id(2));
    assert_eq!(field(3, "AdjacentParentShardId"), shards::id(1));
    assert_eq!(field(3, "HashKeyRange"), json!({ "StartingHashKey": "0", "EndingHashKey": u128::MAX.to_string() }));
    for shard in all {
        let range = &shard["SequenceNumberRange"];
        let open = shard["ShardId"] == shards::id(3);
        assert_eq!(range.get("EndingSequenceNumber").is_none(), open, "{shard}");
        for parent in ["ParentShardId", "AdjacentParentShardId"] {
            if let Some(id) = shard.get(parent) {
                let parent = all.iter().find(|other| &other["ShardId"] == id).unwrap();
                let ending = parent["SequenceNumberRange"]["EndingSequenceNumber"].as_str().unwrap();
                assert!(range["StartingSequenceNumber"].as_str().unwrap() > ending, "{shard}");
            }
        }
    }
    assert_eq!(drain(&f).await, ["0", "1", "right", "2"]);
}

#[tokio::test]
async fn a_closed_shard_ends_with_its_children() {
    let f = Fixture::with_stream(1).await;
    f.put(0, "a").await;
    f.put(0, "b").await;
    f.ok("UpdateShardCount", json!({ "StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" }))
        .await;
    let iterator = f.iterator(json!({ "ShardIteratorType": "TRIM_HORIZON" })).await.unwrap();
    let output = f.ok("GetRecords", json!({ "ShardIterator": iterator, "Limit": 1 })).await;
    assert_eq!(output["Records"][0]["Data"], "YQ==");
    assert!(output.get("ChildShards").is_none(), "{output}");
    let output = f.ok("GetRecords", json!({ "ShardIterator": output["NextShardIterator"] })).await;
    assert_eq!(output["Records"][0]["Data"], "Yg==");
    assert_eq!(output.get("NextShardIterator"), None);
    let half = (1u128 << 127).to_string();
    assert_eq!(output["ChildShards"][1]["ParentShards"], json!([shards::id(0)]));
    assert_eq!(output["ChildShards"][1]["HashKeyRange"]["StartingHashKey"], half);
}

#[tokio::test]
async fn scaling_gives_equal_ranges_and_loses_nothing() {
    let f = Fixture::with_stream(2).await;
    for (n, target) in [3, 6, 5, 10, 7, 4, 2, 1].into_iter().enumerate() {
        for part in 0..8u128 {
            f.put(part << 125, &format!("{n}.{part}")).await;
        }
        f.ok(
            "UpdateShardCount",
            json!({ "StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING" }),
        )
        .await;
        let open = f.store.read(|db| shards::open(db, "s")).await.unwrap();
        let starts: Vec<u128> = open.iter().map(|shard| shard.hash_start).collect();
        let expected: Vec<u128> = (0..target).map(|index| shards::uniform_start(index, target)).collect();
        assert_eq!(starts, expected, "{target}");
        assert!(open.windows(2).all(|pair| pair[0].hash_end + 1 == pair[1].hash_start));
        assert_eq!(open.last().unwrap().hash_end, u128::MAX);
    }
    let drained = drain(&f).await;
    assert_eq!(drained.len(), 64);
    for part in 0..8 {
        let of_key: Vec<&String> = drained.iter().filter(|data| data.ends_with(&format!(".{part}"))).collect();
        assert!(of_key.is_sorted(), "{of_key:?}");
    }
}

#[tokio::test]
async fn each_kind_of_iterator_begins_where_it_says() {
    let f = Fixture::with_stream(1).await;
    let puts = [f.put(0, "0").await, f.put(0, "1").await, f.put(0, "2").await];
    f.sql("UPDATE kinesis_records SET arrival = 1000 * ix + (SELECT max(arrival) FROM kinesis_records) - 60000").await;
    let arrival: i64 = f
        .store
        .read(|db| Ok(db.query_row("SELECT arrival FROM kinesis_records WHERE ix = 2", [], |row| row.get(0))?))
        .await
        .unwrap();
    let seconds = |ms: i64| json!(ms as f64 / 1000.0);
    for (input, expected) in [
        (json!({ "ShardIteratorType": "TRIM_HORIZON" }), &["0", "1", "2"][..]),
        (json!({ "ShardIteratorType": "LATEST" }), &[]),
        (
            json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": puts[1].sequence_number }),
            &["1", "2"],
        ),
        (
            json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": puts[1].sequence_number }),
            &["2"],
        ),
        (json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": seconds(arrival) }), &["1", "2"]),
        (json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": seconds(arrival + 1) }), &["2"]),
        (json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": seconds(now_ms()) }), &[]),
        (json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 0 }), &["0", "1", "2"]),
    ] {
        f.sql("UPDATE kinesis_shards SET read_calls = 0").await;
        let iterator = f.iterator(input.clone()).await.unwrap();
        let output = f.ok("GetRecords", json!({ "ShardIterator": iterator })).await;
        let got: Vec<&str> =
            output["Records"].as_array().unwrap().iter().map(|r| r["Data"].as_str().unwrap()).collect();
        let base64 = |text: &&str| match *text {
            "0" => "MA==",
            "1" => "MQ==",
            _ => "Mg==",
        };
        assert_eq!(got, expected.iter().map(base64).collect::<Vec<_>>(), "{input}");
        assert_eq!(output["MillisBehindLatest"], 0);
    }
    // The latest is that of the iterator's making, not of its use.
    let iterator = f.iterator(json!({ "ShardIteratorType": "LATEST" })).await.unwrap();
    f.put(0, "0").await;
    f.sql("UPDATE kinesis_shards SET read_calls = 0").await;
    let output = f.ok("GetRecords", json!({ "ShardIterator": iterator })).await;
    assert_eq!(output["Records"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn iterators_expire_and_die_with_their_stream() {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    let f = Fixture::with_stream(1).await;
    let iterator = f.iterator(json!({ "ShardIteratorType": "LATEST" })).await.unwrap();
    let aged = |iterator: &str, ms: i64| {
        let mut token: Value = serde_json::from_slice(&BASE64_STANDARD.decode(iterator).unwrap()).unwrap();
        token["t"] = json!(token["t"].as_i64().unwrap() - ms);
        BASE64_STANDARD.encode(token.to_string())
    };
    f.ok("GetRecords", json!({ "ShardIterator": aged(&iterator, 290_000) })).await;
    let error = f.run("GetRecords", json!({ "ShardIterator": aged(&iterator, 300_001) })).await.unwrap_err();
    assert_eq!(error.code, "ExpiredIteratorException");
    assert!(error.message.contains("tolerated delay of 300000 milliseconds"), "{error}");

    f.ok("DeleteStream", json!({ "StreamName": "s" })).await;
    f.ok("CreateStream", json!({ "StreamName": "s", "ShardCount": 1 })).await;
    let error = f.run("GetRecords", json!({ "ShardIterator": iterator })).await.unwrap_err();
    assert_eq!(error.code, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_shard_over_its_rate_refuses_records_one_by_one() {
    let f = Fixture::with_stream(2).await;
    let half = 1u128 << 127;
    // 1,000 records a second: of 1,100 in one instant the last 100 fail, those for the other shard do not.
    let results = f
        .store
        .write(move |tx| {
            let mut records: Vec<NewRecord> = (0..1100).map(|_| record(0, vec![1])).collect();
            records.insert(1050, record(half, vec![1]));
            put(tx, "s", records)
        })
        .await
        .unwrap();
    let failed: Vec<usize> = (0..results.len()).filter(|n| results[*n].is_err()).collect();
    assert_eq!(failed, (1000..1101).filter(|n| *n != 1050).collect::<Vec<_>>());
    let error = results[1000].as_ref().unwrap_err();
    assert_eq!(error.code, "ProvisionedThroughputExceededException");
    let message = "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.";
    assert_eq!(error.message, message);
    assert_eq!(f.read("shardId-000000000000", Position::TrimHorizon).await.records.len(), 1000);

    // A second later there is room again.
    f.sql("UPDATE kinesis_shards SET metered = metered - 1000").await;
    // 1 MiB a second, keys included: the third record of 400 KiB is one too many, a small one still passes.
    let data = |bytes: usize| "A".repeat(bytes / 3 * 4);
    let entry = |bytes| json!({ "PartitionKey": "k", "ExplicitHashKey": "0", "Data": data(bytes) });
    let records = json!([entry(409_600), entry(409_600), entry(409_600), entry(3)]);
    let output = f.ok("PutRecords", json!({ "StreamName": "s", "Records": records })).await;
    assert_eq!(output["FailedRecordCount"], 1);
    let codes: Vec<Option<&str>> = (0..4).map(|n| output["Records"][n]["ErrorCode"].as_str()).collect();
    assert_eq!(codes, [None, None, Some("ProvisionedThroughputExceededException"), None]);
    let single = json!({ "StreamName": "s", "PartitionKey": "k", "ExplicitHashKey": "0", "Data": data(409_600) });
    let error = f.run("PutRecord", single).await.unwrap_err();
    assert_eq!(error.code, "ProvisionedThroughputExceededException");
}

#[tokio::test]
async fn readers_are_metered_by_calls_and_bytes() {
    let f = Fixture::with_stream(1).await;
    let iterator = f.iterator(json!({ "ShardIteratorType": "TRIM_HORIZON" })).await.unwrap();
    let get = json!({ "ShardIterator": iterator });
    f.store
        .write({
            let input: Value = get.clone();
            move |tx| {
                for call in 0..6 {
                    let outcome = super::read::get_records(tx, serde_json::from_value(input.clone()).unwrap());
                    assert_eq!(outcome.is_ok(), call < 5, "call {call}");
                }
                Ok(())
            }
        })
        .await
        .unwrap();
    // After a second of rest one answer of more than 2 MiB is given, and the next ones wait until it is made up for.
    f.sql("UPDATE kinesis_shards SET read_metered = read_metered - 1000").await;
    for _ in 0..4 {
        f.put(0, &"x".repeat(1_000_000)).await;
        f.sql("UPDATE kinesis_shards SET metered = metered - 1000").await;
    }
    assert_eq!(f.ok("GetRecords", get.clone()).await["Records"].as_array().unwrap().len(), 4);
    assert_eq!(f.run("GetRecords", get.clone()).await.unwrap_err().code, "ProvisionedThroughputExceededException");
    f.sql("UPDATE kinesis_shards SET read_metered = read_metered - 2000").await;
    f.ok("GetRecords", get).await;
}

#[tokio::test]
async fn records_past_the_retention_are_gone() {
    let f = Fixture::with_stream(1).await;
    f.put(0, "old").await;
    f.ok("UpdateShardCount", json!({ "StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" }))
        .await;
    f.put(0, "older").await;
    f.sql("UPDATE kinesis_records SET arrival = arrival - 25 * 3600000").await;
    f.sql("UPDATE kinesis_shards SET opened = opened - 25 * 3600000, closed = closed - 25 * 3600000").await;

    let left = f.store.read(|db| shards(db, "s")).await.unwrap();
    let left: Vec<(&str, usize)> = left.iter().map(|shard| (shard.id.as_str(), shard.parents.len())).collect();
    assert_eq!(left, [("shardId-000000000001", 0), ("shardId-000000000002", 0)]);
    let batch = f.read("shardId-000000000001", Position::TrimHorizon).await;
    assert!(batch.records.is_empty() && batch.millis_behind_latest == 0);

    // A longer retention brings back what was not yet removed; a put removes what is past it.
    let retention = |hours: i64| json!({ "StreamName": "s", "RetentionPeriodHours": hours });
    f.ok("IncreaseStreamRetentionPeriod", retention(48)).await;
    assert_eq!(texts(&f.read("shardId-000000000001", Position::TrimHorizon).await), ["older"]);
    f.ok("DecreaseStreamRetentionPeriod", retention(24)).await;
    f.put(u128::MAX, "new").await;
    let count = |db: &Connection| {
        Ok(db.query_row(
            "SELECT (SELECT count(*) FROM kinesis_records), (SELECT count(*) FROM kinesis_shards)",
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )?)
    };
    assert_eq!(f.store.read(count).await.unwrap(), (1, 2));
    assert_eq!(texts(&f.read("shardId-000000000002", Position::TrimHorizon).await), ["new"]);
}

#[tokio::test]
async fn shards_are_filtered_and_paged() {
    let f = Fixture::with_stream(2).await;
    f.sql("UPDATE kinesis_shards SET opened = opened - 3600000").await;
    let merge = json!({ "StreamName": "s", "ShardToMerge": shards::id(0), "AdjacentShardToMerge": shards::id(1) });
    f.ok("MergeShards", merge).await;
    let now = now_ms();
    let seconds = |ms: i64| ms as f64 / 1000.0;
    let filter = |kind: &str, at: i64| json!({ "Type": kind, "Timestamp": seconds(at) });
    for (filter, expected) in [
        (json!({ "Type": "AT_LATEST" }), &[2][..]),
        (json!({ "Type": "AT_TRIM_HORIZON" }), &[0, 1]),
        (json!({ "Type": "FROM_TRIM_HORIZON" }), &[0, 1, 2]),
        (json!({ "Type": "AFTER_SHARD_ID", "ShardId": shards::id(0) }), &[1, 2]),
        (filter("AT_TIMESTAMP", now - HOUR_MS / 2), &[0, 1]),
        (filter("AT_TIMESTAMP", now + HOUR_MS), &[2]),
        (filter("FROM_TIMESTAMP", now - HOUR_MS / 2), &[0, 1, 2]),
        (filter("FROM_TIMESTAMP", now + HOUR_MS), &[2]),
    ] {
        let output = f.ok("ListShards", json!({ "StreamName": "s", "ShardFilter": filter })).await;
        let ids: Vec<&str> =
            output["Shards"].as_array().unwrap().iter().map(|s| s["ShardId"].as_str().unwrap()).collect();
        assert_eq!(ids, expected.iter().map(|n| shards::id(*n)).collect::<Vec<_>>(), "{filter}");
    }
    let (mut seen, mut input) = (Vec::new(), json!({ "StreamName": "s", "MaxResults": 1 }));
    while seen.len() < 5 {
        let output = f.ok("ListShards", input).await;
        seen.push(output["Shards"][0]["ShardId"].clone());
        let Some(token) = output.get("NextToken") else { break };
        input = json!({ "NextToken": token, "MaxResults": 1 });
    }
    assert_eq!(json!(seen), json!([shards::id(0), shards::id(1), shards::id(2)]));
    let described = f.ok("DescribeStream", json!({ "StreamName": "s", "Limit": 2 })).await;
    let description = &described["StreamDescription"];
    assert_eq!((&description["HasMoreShards"], &description["StreamStatus"]), (&json!(true), &json!("ACTIVE")));
    let rest = json!({ "StreamName": "s", "ExclusiveStartShardId": shards::id(1) });
    let described = f.ok("DescribeStream", rest).await;
    assert_eq!(described["StreamDescription"]["Shards"].as_array().unwrap().len(), 1);
    let summary = f.ok("DescribeStreamSummary", json!({ "StreamName": "s" })).await;
    assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], 1);
}

#[tokio::test]
async fn streams_are_made_listed_tagged_and_deleted() {
    let f = Fixture::new();
    for name in ["b", "a", "c"] {
        let mode = json!({ "StreamMode": "ON_DEMAND" });
        let input = json!({ "StreamName": name, "StreamModeDetails": mode, "Tags": { "made": "here" } });
        f.ok("CreateStream", input).await;
    }
    let page = f.ok("ListStreams", json!({ "Limit": 2 })).await;
    assert_eq!((&page["StreamNames"], &page["HasMoreStreams"]), (&json!(["a", "b"]), &json!(true)));
    let page = f.ok("ListStreams", json!({ "NextToken": page["NextToken"] })).await;
    assert_eq!((&page["StreamNames"], &page["HasMoreStreams"]), (&json!(["c"]), &json!(false)));

    // By ARN as well as by name; four shards on demand.
    let arn = json!("arn:aws:kinesis:us-east-1:000000000000:stream/a");
    assert_eq!(page["StreamSummaries"][0]["StreamARN"], "arn:aws:kinesis:us-east-1:000000000000:stream/c");
    let summary = f.ok("DescribeStreamSummary", json!({ "StreamARN": arn })).await;
    assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], 4);
    assert_eq!(summary["StreamDescriptionSummary"]["StreamModeDetails"]["StreamMode"], "ON_DEMAND");

    f.ok("AddTagsToStream", json!({ "StreamARN": arn, "Tags": { "x": "1", "y": "2" } })).await;
    f.ok("RemoveTagsFromStream", json!({ "StreamARN": arn, "TagKeys": ["made", "z"] })).await;
    let tags = f.ok("ListTagsForStream", json!({ "StreamARN": arn, "Limit": 1 })).await;
    assert_eq!(tags, json!({ "Tags": [{ "Key": "x", "Value": "1" }], "HasMoreTags": true }));
    f.ok("DeleteStream", json!({ "StreamARN": arn })).await;
    let error = f.run("DescribeStream", json!({ "StreamName": "a" })).await.unwrap_err();
    assert_eq!(error.to_string(), "ResourceNotFoundException: Stream a under account 000000000000 not found.");
}

#[tokio::test]
async fn ensure_stream_makes_once_and_sets_the_retention() {
    let f = Fixture::new();
    for (shards, hours) in [(2, 24), (5, 48), (2, 24)] {
        let arn = f.store.write(move |tx| ensure_stream(tx, "s", shards, hours)).await.unwrap();
        assert_eq!(arn, "arn:aws:kinesis:us-east-1:000000000000:stream/s");
        let summary = f.ok("DescribeStreamSummary", json!({ "StreamName": "s" })).await;
        assert_eq!(summary["StreamDescriptionSummary"]["RetentionPeriodHours"], hours);
        assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], 2);
    }
    let error = f.store.write(|tx| ensure_stream(tx, "t", 1, 23)).await.unwrap_err();
    assert_eq!(error.code, "InvalidArgumentException");
}

#[tokio::test]
async fn a_put_wakes_its_stream() {
    let f = Fixture::with_stream(1).await;
    let mut watch = f.store.watch(crate::store::Wake::Stream("s".into()));
    let scale = json!({ "StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" });
    f.put(0, "x").await;
    // The answer may come before the wake.
    let patience = std::time::Duration::from_secs(10);
    tokio::time::timeout(patience, watch.changed()).await.unwrap().unwrap();
    f.ok("UpdateShardCount", scale).await;
    tokio::time::timeout(patience, watch.changed()).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_in_the_words_of_the_service() {
    let f = Fixture::with_stream(2).await;
    let put = |record: Value| json!({ "StreamName": "s", "Records": [record] });
    let entry = |key: &str, data: usize| json!({ "PartitionKey": key, "Data": "A".repeat(data / 3 * 4) });
    let many: Vec<Value> = (0..501).map(|_| entry("k", 3)).collect();
    let large: Vec<Value> = (0..11).map(|_| entry("k", 1_048_000)).collect();
    let half = (1u128 << 127).to_string();
    for (operation, input, expected) in [
        (
            "CreateStream",
            json!({ "StreamName": "s", "ShardCount": 1 }),
            "ResourceInUseException: Stream s under account",
        ),
        ("CreateStream", json!({ "StreamName": "t" }), "ValidationException: ShardCount must be given"),
        (
            "CreateStream",
            json!({ "ShardCount": 1 }),
            "ValidationException: 1 validation error detected: Value null at 'streamName'",
        ),
        ("CreateStream", json!({ "StreamName": "a b", "ShardCount": 1 }), "ValidationException"),
        (
            "CreateStream",
            json!({ "StreamName": "t", "ShardCount": 0 }),
            "ValidationException: 1 validation error detected: Value '0' at 'shardCount'",
        ),
        ("CreateStream", json!({ "StreamName": "t", "ShardCount": 20_001 }), "LimitExceededException"),
        (
            "CreateStream",
            json!({ "StreamName": "t", "ShardCount": 1, "MaxRecordSizeInKiB": 512 }),
            "ValidationException",
        ),
        (
            "DeleteStream",
            json!({ "StreamName": "t" }),
            "ResourceNotFoundException: Stream t under account 000000000000 not found.",
        ),
        ("DeleteStream", json!({}), "InvalidArgumentException"),
        ("DeleteStream", json!({ "StreamARN": "arn:aws:s3:::s" }), "ValidationException"),
        (
            "DeleteStream",
            json!({ "StreamARN": "arn:aws:kinesis:eu-west-1:000000000000:stream/s" }),
            "ResourceNotFoundException",
        ),
        (
            "DeleteStream",
            json!({ "StreamName": "t", "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s" }),
            "InvalidArgumentException",
        ),
        ("PutRecords", json!({ "StreamName": "t", "Records": [entry("k", 3)] }), "ResourceNotFoundException"),
        ("PutRecords", json!({ "StreamName": "s", "Records": [] }), "ValidationException"),
        (
            "PutRecords",
            json!({ "StreamName": "s", "Records": many }),
            "ValidationException: 1 validation error detected: Value '[501 records]' at 'records' failed to satisfy constraint: Member must have length less than or equal to 500",
        ),
        (
            "PutRecords",
            json!({ "StreamName": "s", "Records": large }),
            "InvalidArgumentException: Records size exceeds 10 MB limit",
        ),
        (
            "PutRecords",
            put(entry("", 3)),
            "ValidationException: 1 validation error detected: Value '' at 'records.1.member.partitionKey'",
        ),
        ("PutRecords", put(entry(&"é".repeat(257), 3)), "ValidationException"),
        (
            "PutRecords",
            put(entry("k", 1_048_578)),
            "ValidationException: 1 validation error detected: Value '1048578 bytes' at 'records.1.member.data'",
        ),
        (
            "PutRecords",
            put(entry(&"k".repeat(256), 1_048_575)),
            "InvalidArgumentException: records.1.member has 1048831 bytes",
        ),
        (
            "PutRecords",
            put(json!({ "PartitionKey": "k" })),
            "ValidationException: 1 validation error detected: Value null at 'records.1.member.data'",
        ),
        ("PutRecords", put(json!({ "PartitionKey": "k", "Data": "", "ExplicitHashKey": "01" })), "ValidationException"),
        (
            "PutRecords",
            put(
                json!({ "PartitionKey": "k", "Data": "", "ExplicitHashKey": "340282366920938463463374607431768211456" }),
            ),
            "InvalidArgumentException: Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1].",
        ),
        (
            "PutRecord",
            json!({ "StreamName": "s", "Data": "" }),
            "ValidationException: 1 validation error detected: Value null at 'partitionKey'",
        ),
        (
            "GetShardIterator",
            json!({ "StreamName": "s", "ShardId": shards::id(7), "ShardIteratorType": "LATEST" }),
            "ResourceNotFoundException: Shard shardId-000000000007 in stream s under account 000000000000 does not exist",
        ),
        (
            "GetShardIterator",
            json!({ "StreamName": "s", "ShardId": shards::id(0), "ShardIteratorType": "NEWEST" }),
            "ValidationException",
        ),
        (
            "GetShardIterator",
            json!({ "StreamName": "s", "ShardId": shards::id(0), "ShardIteratorType": "AT_SEQUENCE_NUMBER" }),
            "InvalidArgumentException: Must specify StartingSequenceNumber",
        ),
        (
            "GetShardIterator",
            json!({ "StreamName": "s", "ShardId": shards::id(0), "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": "12" }),
            "InvalidArgumentException: StartingSequenceNumber 12 used in",
        ),
        (
            "GetShardIterator",
            json!({ "StreamName": "s", "ShardId": shards::id(0), "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 99_999_999_999i64 }),
            "InvalidArgumentException: The timestampInMillis parameter cannot be greater",
        ),
        ("GetRecords", json!({ "ShardIterator": "nonsense" }), "InvalidArgumentException: Invalid ShardIterator."),
        ("GetRecords", json!({ "ShardIterator": "x", "Limit": 10_001 }), "ValidationException"),
        (
            "SplitShard",
            json!({ "StreamName": "s", "ShardToSplit": shards::id(0), "NewStartingHashKey": "1" }),
            "InvalidArgumentException: NewStartingHashKey 1 used in SplitShard()",
        ),
        (
            "SplitShard",
            json!({ "StreamName": "s", "ShardToSplit": shards::id(0), "NewStartingHashKey": half }),
            "InvalidArgumentException",
        ),
        (
            "MergeShards",
            json!({ "StreamName": "s", "ShardToMerge": shards::id(0), "AdjacentShardToMerge": shards::id(0) }),
            "InvalidArgumentException: Shards shardId-000000000000 and shardId-000000000000",
        ),
        (
            "UpdateShardCount",
            json!({ "StreamName": "s", "TargetShardCount": 5, "ScalingType": "UNIFORM_SCALING" }),
            "InvalidArgumentException: UpdateShardCount cannot scale to more than double",
        ),
        (
            "UpdateShardCount",
            json!({ "StreamName": "s", "TargetShardCount": 5, "ScalingType": "OTHER" }),
            "ValidationException",
        ),
        (
            "IncreaseStreamRetentionPeriod",
            json!({ "StreamName": "s", "RetentionPeriodHours": 8761 }),
            "InvalidArgumentException: Maximum allowed retention period is 8760 hours",
        ),
        (
            "DecreaseStreamRetentionPeriod",
            json!({ "StreamName": "s", "RetentionPeriodHours": 23 }),
            "InvalidArgumentException: Minimum allowed retention period is 24 hours",
        ),
        (
            "DecreaseStreamRetentionPeriod",
            json!({ "StreamName": "s", "RetentionPeriodHours": 25 }),
            "InvalidArgumentException: Requested retention period (25 hours)",
        ),
        (
            "ListShards",
            json!({ "StreamName": "s", "NextToken": "x" }),
            "InvalidArgumentException: NextToken and StreamName",
        ),
        (
            "ListShards",
            json!({ "StreamName": "s", "ShardFilter": { "Type": "AT_TIMESTAMP" } }),
            "InvalidArgumentException",
        ),
        ("ListShards", json!({ "StreamName": "s", "MaxResults": 0 }), "ValidationException"),
        ("ListStreams", json!({ "NextToken": "%" }), "InvalidArgumentException"),
    ] {
        let error = match f.run(operation, input.clone()).await {
            Err(error) => error.to_string(),
            Ok(output) => panic!("{operation} {input}: {output}"),
        };
        assert!(error.starts_with(expected), "{operation}: {error}");
    }
    // Nothing of the refused batches was stored.
    assert!(f.read("shardId-000000000000", Position::TrimHorizon).await.records.is_empty());
    f.ok("SplitShard", json!({ "StreamName": "s", "ShardToSplit": shards::id(0), "NewStartingHashKey": "1000" })).await;
    for operation in ["SplitShard", "MergeShards"] {
        let input = json!({
            "StreamName": "s", "ShardToSplit": shards::id(0), "NewStartingHashKey": "1000",
            "ShardToMerge": shards::id(0), "AdjacentShardToMerge": shards::id(1),
        });
        let error = f.run(operation, input).await.unwrap_err();
        assert!(error.message.contains("has already been merged or split"), "{error}");
    }
    for n in 0..10 {
        let input = json!({ "StreamName": "s", "TargetShardCount": 2 + n % 2, "ScalingType": "UNIFORM_SCALING" });
        f.ok("UpdateShardCount", input).await;
    }
    let input = json!({ "StreamName": "s", "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" });
    assert_eq!(f.run("UpdateShardCount", input).await.unwrap_err().code, "LimitExceededException");
}

/// The bodies of a CBOR client, as the Java SDK and the KPL write them (Jackson: maps and arrays of indefinite length, blobs as
/// byte strings, instants as tagged milliseconds).
#[tokio::test]
async fn the_bodies_of_cbor_clients_are_understood() {
    let f = Fixture::with_stream(1).await;
    let mut body = b"\xbf\x67Records\x9f".to_vec();
    for data in [&b"\x00\xff"[..], b"two"] {
        body.extend(b"\xbf\x64Data");
        body.push(0x40 + data.len() as u8);
        body.extend(data);
        body.extend(b"\x6cPartitionKey\x61k\xff");
    }
    body.extend(b"\xff\x6aStreamName\x61s\xff");
    let input = cbor::decode(&body, Unit::Milliseconds).unwrap();
    let output = f.store.write(move |tx| super::put::put_records(tx, input)).await.unwrap();
    assert_eq!((output.failed_record_count, output.records.len()), (0, 2));

    let before = now_ms() - 60_000;
    let mut body = b"\xbf\x69Timestamp\xc1\x1b".to_vec();
    body.extend(before.to_be_bytes());
    body.extend(b"\x67ShardId\x74shardId-000000000000\x71ShardIteratorType\x6cAT_TIMESTAMP\x6aStreamName\x61s\xff");
    let input = cbor::decode(&body, Unit::Milliseconds).unwrap();
    let config = f.config.clone();
    let iterator = f.store.read(move |db| super::read::get_shard_iterator(db, &config, input)).await.unwrap();
    let iterator = serde_json::to_value(iterator).unwrap();
    let input = serde_json::from_value(iterator).unwrap();
    let output = f.store.write(move |tx| super::read::get_records(tx, input)).await.unwrap();

    let reply = cbor::encode("", Unit::Milliseconds, &output).unwrap();
    let value: ciborium::Value = ciborium::from_reader(&reply.body[..]).unwrap();
    let field = |map: &ciborium::Value, name: &str| {
        let found = map.as_map().unwrap().iter().find(|(key, _)| key.as_text() == Some(name));
        found.unwrap_or_else(|| panic!("{name} in {map:?}")).1.clone()
    };
    let records = field(&value, "Records").into_array().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(field(&records[0], "Data").as_bytes().unwrap(), b"\x00\xff");
    let (tag, at) = field(&records[1], "ApproximateArrivalTimestamp").into_tag().unwrap();
    let at = i64::try_from(at.into_integer().unwrap()).unwrap();
    assert_eq!(tag, 1);
    assert!((before..=now_ms()).contains(&at), "{at}");
}
