use super::*;

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

/// Random puts, splits, merges and scalings against the plainest model: a list of what was put under each hash key.
#[tokio::test]
async fn whatever_happens_to_the_shards_each_key_keeps_its_records_in_order() {
    for seed in 1..=5u64 {
        let f = Fixture::with_stream(2).await;
        let mut state = seed;
        let mut random = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        let mut model: Vec<Vec<String>> = vec![Vec::new(); 16];
        for step in 0..150 {
            let open = f.store.read(|db| shards::open(db, "s")).await.unwrap();
            let at = random(open.len());
            match random(10) {
                0 if open.len() < 40 => {
                    let shard = &open[at];
                    let middle = shard.hash_start + (shard.hash_end - shard.hash_start) / (2 + random(3) as u128);
                    let id = shards::id(shard.number);
                    let key = middle.to_string();
                    let input = json!({ "StreamName": "s", "ShardToSplit": id, "NewStartingHashKey": key });
                    f.ok("SplitShard", input).await;
                }
                1 if at + 1 < open.len() => {
                    let (left, right) = (shards::id(open[at].number), shards::id(open[at + 1].number));
                    let (one, other) = if random(2) == 0 { (left, right) } else { (right, left) };
                    let input = json!({ "StreamName": "s", "ShardToMerge": one, "AdjacentShardToMerge": other });
                    f.ok("MergeShards", input).await;
                }
                2 => {
                    f.sql("UPDATE kinesis_streams SET scalings = 0").await;
                    let target = open.len().div_ceil(2) + random(open.len());
                    let input =
                        json!({ "StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING" });
                    f.ok("UpdateShardCount", input).await;
                }
                _ => {
                    let key = random(16);
                    let data = format!("{key}:{step}");
                    f.put((key as u128) << 124, &data).await;
                    model[key].push(data);
                }
            }
        }
        let drained = drain(&f).await;
        assert_eq!(drained.len(), model.iter().map(Vec::len).sum::<usize>(), "seed {seed}");
        for (key, expected) in model.iter().enumerate() {
            let prefix = format!("{key}:");
            let got: Vec<&String> = drained.iter().filter(|data| data.starts_with(&prefix)).collect();
            assert_eq!(got, expected.iter().collect::<Vec<_>>(), "seed {seed}");
        }
    }
}
