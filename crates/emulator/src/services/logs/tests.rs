use serde_json::{Value, json};

use crate::clock::now_ms;
use crate::services::sqs::testing::{Bench, json_call, outcome};

const DAY: i64 = 86_400_000;

impl Bench {
    async fn logs(&self, operation: &str, input: Value) -> Result<Value, String> {
        outcome(super::call(&self.ctx, &json_call(operation, input)).await)
    }

    /// The group `g` with the streams `a` and `b`.
    async fn with_group() -> Bench {
        let bench = Bench::new();
        bench.logs("CreateLogGroup", json!({"logGroupName": "g"})).await.unwrap();
        for stream in ["a", "b"] {
            bench.logs("CreateLogStream", json!({"logGroupName": "g", "logStreamName": stream})).await.unwrap();
        }
        bench
    }

    async fn append(&self, stream: &'static str, events: &[(i64, &str)]) {
        let events: Vec<(i64, String)> = events.iter().map(|(at, message)| (*at, (*message).to_owned())).collect();
        self.ctx.store.write(move |tx| super::append(tx, "g", stream, &events)).await.unwrap();
    }

    async fn filter(&self, extra: Value) -> (Vec<String>, Value) {
        let mut input = json!({"logGroupName": "g"});
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let answer = self.logs("FilterLogEvents", input).await.unwrap();
        (messages(&answer), answer["nextToken"].clone())
    }
}

fn messages(answer: &Value) -> Vec<String> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn operations_answer_or_refuse() {
    let bench = Bench::with_group().await;
    let (invalid, missing, exists) =
        ("InvalidParameterException", "ResourceNotFoundException", "ResourceAlreadyExistsException");
    let put = |group: &str, stream: &str, message: &str| {
        let events = json!([{"timestamp": now_ms(), "message": message}]);
        json!({"logGroupName": group, "logStreamName": stream, "logEvents": events, "sequenceToken": "any"})
    };
    let filter = |pattern: &str| json!({"logGroupName": "g", "filterPattern": pattern});
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
    for (operation, input, expected) in [
        ("CreateLogGroup", json!({"logGroupName": "/aws/lambda/f", "tags": {"k": "v"}}), ""),
        ("CreateLogGroup", json!({"logGroupName": "g"}), exists),
        ("CreateLogGroup", json!({"logGroupName": "a b"}), invalid),
        ("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "a"}), exists),
        ("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "a:b"}), invalid),
        ("CreateLogStream", json!({"logGroupName": "x", "logStreamName": "a"}), missing),
        ("CreateLogStream", json!({"logStreamName": "a"}), invalid),
        ("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 7}), ""),
        ("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 8}), invalid),
        ("PutRetentionPolicy", json!({"logGroupName": "g"}), invalid),
        ("DeleteRetentionPolicy", json!({"logGroupName": "g"}), ""),
        ("DescribeLogGroups", json!({"limit": 51}), invalid),
        ("DescribeLogGroups", json!({"nextToken": "?"}), invalid),
        ("DescribeLogStreams", json!({"logGroupIdentifier": format!("{arn}:*")}), ""),
        ("DescribeLogStreams", json!({"logGroupName": "g", "orderBy": "Size"}), invalid),
        (
            "DescribeLogStreams",
            json!({"logGroupName": "g", "orderBy": "LastEventTime", "logStreamNamePrefix": "a"}),
            invalid,
        ),
        ("PutLogEvents", put("g", "a", "m"), ""),
        ("PutLogEvents", put("g", "a", ""), invalid),
        ("PutLogEvents", put("g", "x", "m"), missing),
        ("PutLogEvents", put("x", "a", "m"), missing),
        ("PutLogEvents", json!({"logGroupName": "g", "logStreamName": "a", "logEvents": []}), invalid),
        ("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "x"}), missing),
        ("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "a", "nextToken": "f/1"}), invalid),
        ("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "a", "limit": 10_001}), invalid),
        ("FilterLogEvents", filter("a \"b c\""), ""),
        ("FilterLogEvents", filter("{ $.a = 1 }"), invalid),
        ("FilterLogEvents", json!({"logGroupName": "g", "nextToken": "?"}), invalid),
        ("FilterLogEvents", json!({"logGroupName": "g", "logStreamNames": ["x"]}), missing),
        ("FilterLogEvents", json!({"logGroupName": "g", "logStreamNames": ["a"], "logStreamNamePrefix": "a"}), invalid),
        ("TagResource", json!({"resourceArn": arn, "tags": {"k": "v"}}), ""),
        ("UntagResource", json!({"resourceArn": arn, "tagKeys": ["k"]}), ""),
        ("ListTagsForResource", json!({"resourceArn": format!("{arn}x")}), missing),
        ("PutSubscriptionFilter", json!({}), "NotImplemented"),
        ("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "a"}), ""),
        ("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "a"}), missing),
        ("DeleteLogGroup", json!({"logGroupName": "g"}), ""),
        ("DeleteLogGroup", json!({"logGroupName": "g"}), missing),
    ] {
        let shown = format!("{operation} {input}");
        assert_eq!(bench.logs(operation, input).await.err().unwrap_or_default(), expected, "{shown}");
    }
}

#[tokio::test]
async fn what_is_put_is_read_and_described() {
    let bench = Bench::with_group().await;
    let now = now_ms();
    let events =
        json!([{"timestamp": now - 15 * DAY, "message": "old"}, {"timestamp": now - 15 * DAY, "message": "old"}]);
    let put = |events: Value| json!({"logGroupName": "g", "logStreamName": "a", "logEvents": events});
    let answer = bench.logs("PutLogEvents", put(events)).await.unwrap();
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 2}));
    let events = json!([{"timestamp": now - 5, "message": "one"}, {"timestamp": now, "message": "two"}]);
    let answer = bench.logs("PutLogEvents", put(events)).await.unwrap();
    assert_eq!(answer.get("rejectedLogEventsInfo"), None);
    assert_eq!(answer["nextSequenceToken"].as_str().unwrap().len(), 56);

    let group =
        bench.logs("DescribeLogGroups", json!({"logGroupNamePrefix": "g"})).await.unwrap()["logGroups"][0].clone();
    assert_eq!(group["storedBytes"], 6 + 2 * 26);
    assert_eq!(group["arn"], "arn:aws:logs:us-east-1:000000000000:log-group:g:*");
    let input = json!({"logGroupName": "g", "orderBy": "LastEventTime", "descending": true, "limit": 1});
    let streams = bench.logs("DescribeLogStreams", input.clone()).await.unwrap();
    let first = &streams["logStreams"][0];
    assert_eq!((&first["logStreamName"], &first["lastEventTimestamp"]), (&json!("a"), &json!(now)));
    let mut next = input;
    next["nextToken"] = streams["nextToken"].clone();
    let streams = bench.logs("DescribeLogStreams", next).await.unwrap();
    assert_eq!((&streams["logStreams"][0]["logStreamName"], streams.get("nextToken")), (&json!("b"), None));
}

#[tokio::test]
async fn a_stream_is_read_in_pages_both_ways() {
    let bench = Bench::with_group().await;
    let now = now_ms();
    bench.append("a", &[(now + 1, "1"), (now + 2, "2"), (now + 2, "3"), (now + 4, "4"), (now + 3, "3b")]).await;
    let read = async |extra: Value| {
        let mut input = json!({"logGroupName": "g", "logStreamName": "a", "limit": 2});
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let answer = bench.logs("GetLogEvents", input).await.unwrap();
        (messages(&answer).join(" "), answer["nextForwardToken"].clone(), answer["nextBackwardToken"].clone())
    };
    let (first, forward, _) = read(json!({"startFromHead": true})).await;
    let (second, forward, _) = read(json!({"nextToken": forward})).await;
    let (third, forward, backward) = read(json!({"nextToken": forward})).await;
    assert_eq!([first, second, third], ["1 2", "3 3b", "4"]);
    let (end, same, back) = read(json!({"nextToken": forward})).await;
    assert_eq!((end.as_str(), &same), ("", &forward));
    assert_eq!(read(json!({"nextToken": back})).await.0, "3b 4");
    assert_eq!(read(json!({"nextToken": backward})).await.0, "3 3b");

    let (last, _, backward) = read(json!({})).await;
    let (before, _, backward) = read(json!({"nextToken": backward})).await;
    let (start, _, backward) = read(json!({"nextToken": backward})).await;
    assert_eq!([last, before, start], ["3b 4", "2 3", "1"]);
    let (nothing, forward, same) = read(json!({"nextToken": backward})).await;
    assert_eq!((nothing.as_str(), &same), ("", &backward));
    assert_eq!(read(json!({"nextToken": forward})).await.0, "1 2");

    let within = json!({"startTime": now + 2, "endTime": now + 3, "startFromHead": true, "limit": 10});
    assert_eq!(read(within).await.0, "2 3");
    bench.append("a", &[(now + 5, "late")]).await;
    assert_eq!(read(json!({"nextToken": same_forward(&bench, now).await})).await.0, "late");
}

/// The forward token of a reader that has seen everything up to `now + 4`.
async fn same_forward(bench: &Bench, now: i64) -> Value {
    let input = json!({"logGroupName": "g", "logStreamName": "a", "startFromHead": true, "endTime": now + 5});
    bench.logs("GetLogEvents", input).await.unwrap()["nextForwardToken"].clone()
}

#[tokio::test]
async fn a_group_is_filtered_across_streams() {
    let bench = Bench::with_group().await;
    let now = now_ms();
    bench.append("a", &[(now + 1, "GET 200"), (now + 3, "GET 500")]).await;
    bench.append("b", &[(now + 2, "PUT 200"), (now + 4, "PUT 500"), (now + 5, "")]).await;
    for (input, expected) in [
        (json!({}), vec!["GET 200", "PUT 200", "GET 500", "PUT 500"]),
        (json!({"filterPattern": "500"}), vec!["GET 500", "PUT 500"]),
        (json!({"filterPattern": "\"PUT 5\""}), vec!["PUT 500"]),
        (json!({"logStreamNames": ["b"]}), vec!["PUT 200", "PUT 500"]),
        (json!({"logStreamNamePrefix": "a"}), vec!["GET 200", "GET 500"]),
        (json!({"logStreamNamePrefix": "x"}), vec![]),
        (json!({"startTime": now + 2, "endTime": now + 3}), vec!["PUT 200", "GET 500"]),
    ] {
        let shown = input.to_string();
        assert_eq!(
            bench.filter(input).await,
            (expected.into_iter().map(str::to_owned).collect(), Value::Null),
            "{shown}"
        );
    }
    let (first, token) = bench.filter(json!({"limit": 3})).await;
    let (second, end) = bench.filter(json!({"limit": 3, "nextToken": token})).await;
    assert_eq!((first.len(), second, end), (3, vec!["PUT 500".to_owned()], Value::Null));
}

#[tokio::test]
async fn a_page_ends_at_its_bytes() {
    let bench = Bench::with_group().await;
    let now = now_ms();
    let large = "x".repeat(600_000);
    bench.append("a", &[(now, &large), (now, &large), (now, &large)]).await;
    let (first, token) = bench.filter(json!({})).await;
    let (second, _) = bench.filter(json!({"nextToken": token})).await;
    assert_eq!((first.len(), second.len()), (1, 1));
}

#[tokio::test]
async fn expired_events_are_not_read_and_then_removed() {
    let bench = Bench::with_group().await;
    let now = now_ms();
    bench.append("a", &[(now - 2 * DAY, "old"), (now, "new")]).await;
    assert_eq!(bench.filter(json!({})).await.0, ["old", "new"]);
    bench.ctx.store.write(|tx| super::ensure_group(tx, "g", Some(1))).await.unwrap();
    assert_eq!(bench.filter(json!({})).await.0, ["new"]);
    let read = bench.logs("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "a"})).await.unwrap();
    assert_eq!(messages(&read), ["new"]);
    bench.append("b", &[(now, "more")]).await;
    let (left, bytes): (i64, i64) = bench
        .ctx
        .store
        .read(|db| {
            Ok((
                db.query_row("SELECT count(*) FROM logs_events", [], |row| row.get(0))?,
                db.query_row("SELECT bytes FROM logs_groups", [], |row| row.get(0))?,
            ))
        })
        .await
        .unwrap();
    assert_eq!((left, bytes), (2, 7 + 2 * 26));
}

#[tokio::test]
async fn what_a_function_prints_makes_its_group() {
    let bench = Bench::new();
    bench.append("s", &[(1, "line")]).await;
    bench.append("s", &[(2, "")]).await;
    assert_eq!(bench.filter(json!({})).await.0, ["line"]);
}
