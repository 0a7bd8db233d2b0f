use super::*;

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

fn cbor_call(body: Vec<u8>) -> Call {
    let protocol = crate::wire::protocol::Protocol::AwsCbor11;
    let (headers, request_id) = Default::default();
    Call { operation: String::new(), protocol, body: body.into(), headers, request_id }
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
    let input = cbor_call(body).input().unwrap();
    let output = f.store.write(move |tx| super::put::put_records(tx, input, &[])).await.unwrap();
    assert_eq!((output.failed_record_count, output.records.len()), (0, 2));

    let before = now_ms() - 60_000;
    let mut body = b"\xbf\x69Timestamp\xc1\x1b".to_vec();
    body.extend(before.to_be_bytes());
    body.extend(b"\x67ShardId\x74shardId-000000000000\x71ShardIteratorType\x6cAT_TIMESTAMP\x6aStreamName\x61s\xff");
    let input = cbor_call(body).input().unwrap();
    let config = f.config.clone();
    let iterator = f.store.read(move |db| super::read::get_shard_iterator(db, &config, input)).await.unwrap();
    let iterator = serde_json::to_value(iterator).unwrap();
    let input = serde_json::from_value(iterator).unwrap();
    let output = f.store.write(move |tx| super::read::get_records(tx, input)).await.unwrap();

    let reply = cbor_call(Vec::new()).reply(&output).unwrap();
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
