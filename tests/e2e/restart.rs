//! What survives `kill -9`.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use logmill_tests::stack::{Options, Stack, wait_for};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    let mut stack = Stack::start(Options::default());
    let s3 = aws::s3_client(&stack.sdk());
    let bucket = stack.outputs["LakeBucketName"].clone();
    let sqs = aws_sdk_sqs::Client::new(&stack.sdk());
    let kinesis = aws_sdk_kinesis::Client::new(&stack.sdk());
    let logs = aws_sdk_cloudwatchlogs::Client::new(&stack.sdk());

    s3.put_object().bucket(&bucket).key("kept/one").body(ByteStream::from_static(b"one")).send().await.unwrap();
    let upload = s3.create_multipart_upload().bucket(&bucket).key("kept/two").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = s3
        .upload_part()
        .bucket(&bucket)
        .key("kept/two")
        .upload_id(id)
        .part_number(1)
        .body(ByteStream::from_static(b"two"))
        .send()
        .await
        .unwrap();
    let queue = sqs.create_queue().queue_name("kept").send().await.unwrap().queue_url().unwrap().to_owned();
    sqs.send_message().queue_url(&queue).message_body("hello").send().await.unwrap();
    let put = kinesis
        .put_record()
        .stream_name("log-stream")
        .partition_key("p")
        .data(aws_sdk_kinesis::primitives::Blob::new("kept"))
        .send()
        .await
        .unwrap();
    logs.create_log_group().log_group_name("kept").send().await.unwrap();

    stack.kill();
    stack.restart();

    let one = s3.get_object().bucket(&bucket).key("kept/one").send().await.unwrap();
    assert_eq!(one.body.collect().await.unwrap().into_bytes(), "one");
    let parts = CompletedPart::builder().part_number(1).e_tag(part.e_tag().unwrap()).build();
    s3.complete_multipart_upload()
        .bucket(&bucket)
        .key("kept/two")
        .upload_id(id)
        .multipart_upload(CompletedMultipartUpload::builder().parts(parts).build())
        .send()
        .await
        .unwrap();
    let two = s3.get_object().bucket(&bucket).key("kept/two").send().await.unwrap();
    assert_eq!(two.body.collect().await.unwrap().into_bytes(), "two");
    let received = sqs.receive_message().queue_url(&queue).send().await.unwrap();
    assert_eq!(received.messages()[0].body(), Some("hello"));
    let iterator = kinesis
        .get_shard_iterator()
        .stream_name("log-stream")
        .shard_id(put.shard_id())
        .shard_iterator_type(aws_sdk_kinesis::types::ShardIteratorType::AtSequenceNumber)
        .starting_sequence_number(put.sequence_number())
        .send()
        .await
        .unwrap();
    let records = kinesis.get_records().shard_iterator(iterator.shard_iterator().unwrap()).send().await.unwrap();
    assert_eq!(records.records()[0].data().as_ref(), b"kept");
    let groups = logs.describe_log_groups().log_group_name_prefix("kept").send().await.unwrap();
    assert_eq!(groups.log_groups().len(), 1);
    assert_eq!(stack.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn function_processes_end_with_an_emulator_that_is_killed() {
    let mut stack = Stack::start(Options::default());
    let lambda = aws_sdk_lambda::Client::new(&stack.sdk());
    let event = r#"{"invocationId":"i","deliveryStreamArn":"arn:aws:firehose:us-east-1:000000000000:deliverystream/s",
        "region":"us-east-1","records":[]}"#;
    let function = "logmill-firehose-transform";
    lambda.invoke().function_name(function).payload(aws_sdk_lambda::primitives::Blob::new(event)).send().await.unwrap();
    let processes = stack.function_processes("firehose-transform");
    assert_eq!(processes.len(), 1);
    stack.kill();
    let gone = |pid: &u32| !std::path::Path::new(&format!("/proc/{pid}/exe")).exists();
    wait_for("its process to end", || processes.iter().all(gone).then_some(()));
}
