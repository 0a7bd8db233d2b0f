use super::*;

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
        ("PutRecord", json!({ "StreamName": "s", "DryRun": true }), "NotImplemented"),
        ("GetRecords", json!({ "ShardIterator": "x", "DryRun": true }), "NotImplemented"),
        ("CreateStream", json!({ "StreamName": "t", "RecordDistributionStrategy": "AUTO" }), "NotImplemented"),
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
