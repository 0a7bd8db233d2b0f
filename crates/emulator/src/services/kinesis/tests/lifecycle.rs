use super::*;

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
