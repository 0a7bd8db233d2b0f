//! The protocols that clients speak: the Rust SDK's of each service, and the CBOR of the KPL and older SDKs.

use std::time::SystemTime;

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use ciborium::Value;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use logmill_tests::stack::{Options, Stack, wait_until};

/// A Kinesis call in `application/x-amz-cbor-1.1`.
async fn cbor(stack: &Stack, operation: &str, input: Value) -> (http::StatusCode, Value) {
    let mut body = Vec::new();
    ciborium::into_writer(&input, &mut body).expect("CBOR");
    let request = http::Request::post(&stack.endpoint)
        .header("content-type", "application/x-amz-cbor-1.1")
        .header("x-amz-target", format!("Kinesis_20131202.{operation}"))
        .header("host", stack.endpoint.trim_start_matches("http://"))
        .body(Full::new(Bytes::from(body)))
        .expect("a request");
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.expect("an answer");
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (status, ciborium::from_reader(&body[..]).unwrap_or(Value::Null))
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (Value::Text(name.into()), value)).collect())
}

fn field<'v>(value: &'v Value, name: &str) -> &'v Value {
    let fields = value.as_map().unwrap_or_else(|| panic!("no map: {value:?}"));
    fields.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value).expect("the field")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinesis_in_cbor() {
    let stack = Stack::start(Options::default());
    let text = |text: &str| Value::Text(text.into());
    let record = map([("Data", Value::Bytes(vec![0, 255, 7])), ("PartitionKey", text("p"))]);
    let input = map([("StreamName", text("log-stream")), ("Records", Value::Array(vec![record]))]);
    let (status, answer) = cbor(&stack, "PutRecords", input).await;
    assert_eq!(status, 200, "{answer:?}");
    let put = &field(&answer, "Records").as_array().unwrap()[0];
    let input = map([
        ("StreamName", text("log-stream")),
        ("ShardId", field(put, "ShardId").clone()),
        ("ShardIteratorType", text("AT_SEQUENCE_NUMBER")),
        ("StartingSequenceNumber", field(put, "SequenceNumber").clone()),
    ]);
    let (_, iterator) = cbor(&stack, "GetShardIterator", input).await;
    let (_, records) =
        cbor(&stack, "GetRecords", map([("ShardIterator", field(&iterator, "ShardIterator").clone())])).await;
    let record = &field(&records, "Records").as_array().unwrap()[0];
    assert_eq!(field(record, "Data"), &Value::Bytes(vec![0, 255, 7]));
    // Tag 1 with milliseconds: this protocol's own reading of RFC 8949's epoch time.
    let Value::Tag(1, at) = field(record, "ApproximateArrivalTimestamp") else { panic!("{record:?}") };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i128;
    let at: i128 = at.as_integer().expect("an integer").into();
    assert!((now - at).abs() < 600_000, "{at} is not now in milliseconds");

    let (status, error) = cbor(&stack, "DescribeStream", map([("StreamName", text("none"))])).await;
    assert_eq!((status.as_u16(), field(&error, "__type")), (400, &text("ResourceNotFoundException")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_speaks_to_every_service() {
    let stack = Stack::start(Options::default());
    let sdk = stack.sdk();

    let identity = aws_sdk_sts::Client::new(&sdk).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("000000000000"));

    let cloudwatch = aws_sdk_cloudwatch::Client::new(&sdk);
    let dimension = Dimension::builder().name("Host").value("a").build();
    let datum =
        MetricDatum::builder().metric_name("Lines").dimensions(dimension).value(2.5).unit(StandardUnit::Count).build();
    cloudwatch.put_metric_data().namespace("Logmill").metric_data(datum).send().await.unwrap();
    let metrics = cloudwatch.list_metrics().namespace("Logmill").send().await.unwrap();
    assert_eq!(metrics.metrics()[0].dimensions()[0].value(), Some("a"));

    // Raw delivery from a topic to a queue, with the message's attributes kept.
    let (sns, sqs) = (aws_sdk_sns::Client::new(&sdk), aws_sdk_sqs::Client::new(&sdk));
    let topic = sns.create_topic().name("protocols").send().await.unwrap().topic_arn().unwrap().to_owned();
    let queue = sqs.create_queue().queue_name("protocols").send().await.unwrap().queue_url().unwrap().to_owned();
    let arn = "arn:aws:sqs:us-east-1:000000000000:protocols";
    sns.subscribe()
        .topic_arn(&topic)
        .protocol("sqs")
        .endpoint(arn)
        .attributes("RawMessageDelivery", "true")
        .send()
        .await
        .unwrap();
    sns.publish().topic_arn(&topic).message("hello").send().await.unwrap();
    let received = sqs.receive_message().queue_url(&queue).wait_time_seconds(20).send().await.unwrap();
    assert_eq!(received.messages()[0].body(), Some("hello"));
    let missing = sqs.get_queue_url().queue_name("none").send().await.unwrap_err().into_service_error();
    assert!(missing.is_queue_does_not_exist(), "{missing:?}");

    let lambda = aws_sdk_lambda::Client::new(&sdk);
    let event = r#"{"invocationId":"i","deliveryStreamArn":"arn:aws:firehose:us-east-1:000000000000:deliverystream/log-ingestion-stream",
        "region":"us-east-1","records":[{"recordId":"1","approximateArrivalTimestamp":5,"data":"eyJhIjoxfQ=="}]}"#;
    let invoked =
        lambda.invoke().function_name("logmill-firehose-transform").payload(Blob::new(event)).send().await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(invoked.payload().unwrap().as_ref()).unwrap();
    assert_eq!(answer["records"][0]["result"], "Ok");
    // What the function printed is in its group.
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk);
    wait_until("the function's log", async || {
        let events =
            logs.filter_log_events().log_group_name("/aws/lambda/logmill-firehose-transform").send().await.ok()?;
        events.events().iter().any(|event| event.message().is_some_and(|m| m.starts_with("REPORT"))).then_some(())
    })
    .await;

    let s3 = aws::s3_client(&sdk);
    let bucket = &stack.outputs["LakeBucketName"];
    let body: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    s3.put_object().bucket(bucket).key("a ü+%/b").body(ByteStream::from(body.clone())).send().await.unwrap();
    let signed = s3
        .get_object()
        .bucket(bucket)
        .key("a ü+%/b")
        .presigned(PresigningConfig::expires_in(std::time::Duration::from_secs(60)).unwrap());
    let uri = signed.await.unwrap().uri().to_owned();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.get(uri.parse().unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_emulated_is_named_and_foreign_pages_are_refused() {
    let stack = Stack::start(Options { template: "tests/templates/bucket.yaml".into(), ..Options::default() });
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let send = async |request: http::request::Builder| {
        let response = client.request(request.body(Full::default()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    };
    let post = || http::Request::post(&stack.endpoint);
    let (status, body) = send(post().header("x-amz-target", "DynamoDB_20120810.PutItem")).await;
    assert!(status == 501 && body.contains("DynamoDB_20120810.PutItem"), "{status} {body}");
    let (status, body) = send(post().header("x-amz-target", "Kinesis_20131202.RegisterStreamConsumer")).await;
    assert!(status == 501 && body.contains("RegisterStreamConsumer"), "{status} {body}");
    let (status, _) = send(http::Request::get(&stack.endpoint).header("origin", "https://evil.example")).await;
    assert_eq!(status, 403);
    let (status, _) = send(http::Request::get(&stack.endpoint).header("host", "evil.example")).await;
    assert_eq!(status, 403);
    let (status, body) = send(http::Request::get(format!("{}/_logmill/health?format=json", stack.endpoint))).await;
    let page: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, page["buckets"][0]["bucket"].as_str()), (200, Some("test-bucket")));
}
