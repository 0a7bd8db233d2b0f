#!/usr/bin/env python3
"""The same boto3 and awscli calls against the emulator and against moto: status, error code and shape compared.

usage: parity.py EMULATOR_ENDPOINT [--show]

moto is started here on a free port. A difference must stand in DIFFERENCES with its reason; one that stands there and is
gone fails too. Ends with `N passed, N failed`.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

# name of the call -> why the emulator answers otherwise than moto, which is not AWS either.
DIFFERENCES = {}

REGION = "us-east-1"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def shape(value):
    """Names and types of an answer, without its values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items()) if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if hasattr(value, "read"):
        return "stream"
    return type(value).__name__


class Side:
    """One of the two services, and what the calls before have left to those after."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.config = botocore.config.Config(
            retries={"max_attempts": 1}, s3={"addressing_style": "path"}, region_name=REGION
        )
        self.clients = {}
        self.kept = {}

    def __getattr__(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service, endpoint_url=self.endpoint, config=self.config, region_name=REGION, **CREDENTIALS
            )
        return self.clients[service]

    def cli(self, *arguments, data=None):
        environment = dict(
            os.environ,
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
            AWS_DEFAULT_REGION=REGION,
            AWS_PAGER="",
            AWS_EC2_METADATA_DISABLED="true",
        )
        done = subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "aws"), "--endpoint-url", self.endpoint, *arguments],
            env=environment, capture_output=True, text=True, input=data, timeout=120,
        )
        return done

    def run(self, call):
        """(status, error code, shape) of one call."""
        try:
            answer = call(self)
        except botocore.exceptions.ClientError as error:
            answer = error.response
            return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], None
        if isinstance(answer, subprocess.CompletedProcess):
            try:
                out = shape(json.loads(answer.stdout)) if answer.stdout.strip().startswith(("{", "[")) else None
            except json.JSONDecodeError:
                out = None
            code = answer.stderr.split("(")[1].split(")")[0] if "An error occurred (" in answer.stderr else None
            return answer.returncode, code, out
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 200) if isinstance(answer, dict) else 200
        return status, None, shape(answer)


CALLS = []


def call(function):
    CALLS.append((function.__name__, function))
    return function


# S3 -------------------------------------------------------------------------------------------------------------------


@call
def s3_create_bucket(s): return s.s3.create_bucket(Bucket="parity")
@call
def s3_head_bucket(s): return s.s3.head_bucket(Bucket="parity")
@call
def s3_head_missing_bucket(s): return s.s3.head_bucket(Bucket="parity-none")
@call
def s3_list_buckets(s): return s.s3.list_buckets()
@call
def s3_put_object(s): return s.s3.put_object(Bucket="parity", Key="a/one", Body=b"one", Metadata={"m": "1"}, ContentType="text/plain")
@call
def s3_put_object_tagged(s): return s.s3.put_object(Bucket="parity", Key="a/two ü+%", Body=b"two" * 1000, Tagging="k=v")
@call
def s3_get_object(s): return s.s3.get_object(Bucket="parity", Key="a/one")
@call
def s3_get_range(s): return s.s3.get_object(Bucket="parity", Key="a/two ü+%", Range="bytes=5-9")
@call
def s3_get_range_beyond(s): return s.s3.get_object(Bucket="parity", Key="a/one", Range="bytes=100-")
@call
def s3_get_missing(s): return s.s3.get_object(Bucket="parity", Key="none")
@call
def s3_get_missing_bucket(s): return s.s3.get_object(Bucket="parity-none", Key="none")
@call
def s3_head_object(s): return s.s3.head_object(Bucket="parity", Key="a/one")
@call
def s3_head_missing(s): return s.s3.head_object(Bucket="parity", Key="none")
@call
def s3_get_if_none_match(s):
    return s.s3.get_object(Bucket="parity", Key="a/one", IfNoneMatch=s.s3.head_object(Bucket="parity", Key="a/one")["ETag"])
@call
def s3_get_if_match_other(s): return s.s3.get_object(Bucket="parity", Key="a/one", IfMatch='"0"')
@call
def s3_put_if_none_match_exists(s): return s.s3.put_object(Bucket="parity", Key="a/one", Body=b"x", IfNoneMatch="*")
@call
def s3_put_if_match(s):
    return s.s3.put_object(Bucket="parity", Key="a/one", Body=b"x", IfMatch=s.s3.head_object(Bucket="parity", Key="a/one")["ETag"])
@call
def s3_put_if_match_missing(s): return s.s3.put_object(Bucket="parity", Key="none", Body=b"x", IfMatch='"0"')
@call
def s3_list_v2(s): return s.s3.list_objects_v2(Bucket="parity")
@call
def s3_list_v2_delimiter(s): return s.s3.list_objects_v2(Bucket="parity", Delimiter="/")
@call
def s3_list_v2_page(s): return s.s3.list_objects_v2(Bucket="parity", MaxKeys=1)
@call
def s3_list_v1(s): return s.s3.list_objects(Bucket="parity", Prefix="a/")
@call
def s3_copy(s): return s.s3.copy_object(Bucket="parity", Key="b/copy", CopySource={"Bucket": "parity", "Key": "a/two ü+%"})
@call
def s3_get_tagging(s): return s.s3.get_object_tagging(Bucket="parity", Key="a/two ü+%")
@call
def s3_put_tagging(s): return s.s3.put_object_tagging(Bucket="parity", Key="a/one", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
@call
def s3_multipart_create(s):
    answer = s.s3.create_multipart_upload(Bucket="parity", Key="big")
    s.kept["upload"] = answer["UploadId"]
    return answer
@call
def s3_multipart_part(s):
    answer = s.s3.upload_part(Bucket="parity", Key="big", UploadId=s.kept["upload"], PartNumber=1, Body=b"p" * (5 << 20))
    s.kept["part"] = answer["ETag"]
    return answer
@call
def s3_multipart_list_parts(s): return s.s3.list_parts(Bucket="parity", Key="big", UploadId=s.kept["upload"])
@call
def s3_multipart_list(s): return s.s3.list_multipart_uploads(Bucket="parity")
@call
def s3_multipart_bad_part(s):
    return s.s3.complete_multipart_upload(Bucket="parity", Key="big", UploadId=s.kept["upload"],
                                          MultipartUpload={"Parts": [{"PartNumber": 2, "ETag": '"0"'}]})
@call
def s3_multipart_complete(s):
    return s.s3.complete_multipart_upload(Bucket="parity", Key="big", UploadId=s.kept["upload"],
                                          MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": s.kept["part"]}]})
@call
def s3_multipart_abort_missing(s): return s.s3.abort_multipart_upload(Bucket="parity", Key="big", UploadId="none")
@call
def s3_delete_object(s): return s.s3.delete_object(Bucket="parity", Key="b/copy")
@call
def s3_delete_missing(s): return s.s3.delete_object(Bucket="parity", Key="none")
@call
def s3_delete_bucket_not_empty(s): return s.s3.delete_bucket(Bucket="parity")
@call
def s3_delete_objects(s):
    return s.s3.delete_objects(Bucket="parity", Delete={"Objects": [{"Key": key} for key in ("a/two ü+%", "big", "none")]})
@call
def s3_location(s): return s.s3.get_bucket_location(Bucket="parity")
@call
def s3_no_lifecycle(s): return s.s3.get_bucket_lifecycle_configuration(Bucket="parity")
@call
def s3_no_policy(s): return s.s3.get_bucket_policy(Bucket="parity")
@call
def s3_no_tagging(s): return s.s3.get_bucket_tagging(Bucket="parity")
@call
def s3_bad_bucket_name(s):
    return s.s3.create_bucket(Bucket="Parity.Bad-")


# Kinesis --------------------------------------------------------------------------------------------------------------


@call
def kinesis_create(s): return s.kinesis.create_stream(StreamName="parity", ShardCount=2)
@call
def kinesis_create_again(s): return s.kinesis.create_stream(StreamName="parity", ShardCount=2)
@call
def kinesis_summary(s):
    s.kinesis.get_waiter("stream_exists").wait(StreamName="parity", WaiterConfig={"Delay": 1})
    return s.kinesis.describe_stream_summary(StreamName="parity")
@call
def kinesis_describe(s): return s.kinesis.describe_stream(StreamName="parity")
@call
def kinesis_list(s): return s.kinesis.list_streams()
@call
def kinesis_list_shards(s): return s.kinesis.list_shards(StreamName="parity")
@call
def kinesis_put(s): return s.kinesis.put_record(StreamName="parity", Data=b"1", PartitionKey="a")
@call
def kinesis_put_missing(s): return s.kinesis.put_record(StreamName="none", Data=b"1", PartitionKey="a")
@call
def kinesis_puts(s): return s.kinesis.put_records(StreamName="parity", Records=[{"Data": b"2", "PartitionKey": str(n)} for n in range(9)])
@call
def kinesis_puts_too_many(s): return s.kinesis.put_records(StreamName="parity", Records=[{"Data": b"2", "PartitionKey": "k"}] * 501)
@call
def kinesis_iterator(s):
    answer = s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")
    s.kept["iterator"] = answer["ShardIterator"]
    return answer
@call
def kinesis_iterator_missing_shard(s):
    return s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000009", ShardIteratorType="LATEST")
@call
def kinesis_records(s): return s.kinesis.get_records(ShardIterator=s.kept["iterator"])
@call
def kinesis_split(s):
    return s.kinesis.split_shard(StreamName="parity", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 125))
@call
def kinesis_retention(s): return s.kinesis.increase_stream_retention_period(StreamName="parity", RetentionPeriodHours=48)
@call
def kinesis_delete(s): return s.kinesis.delete_stream(StreamName="parity")
@call
def kinesis_describe_missing(s): return s.kinesis.describe_stream(StreamName="none")


# Firehose -------------------------------------------------------------------------------------------------------------


@call
def firehose_create(s):
    return s.firehose.create_delivery_stream(
        DeliveryStreamName="parity", DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::parity",
                                            "Prefix": "p/", "CompressionFormat": "GZIP"})
@call
def firehose_create_again(s):
    return s.firehose.create_delivery_stream(
        DeliveryStreamName="parity",
        ExtendedS3DestinationConfiguration={"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::parity"})
@call
def firehose_describe(s): return s.firehose.describe_delivery_stream(DeliveryStreamName="parity")
@call
def firehose_describe_missing(s): return s.firehose.describe_delivery_stream(DeliveryStreamName="none")
@call
def firehose_list(s): return s.firehose.list_delivery_streams()
@call
def firehose_put(s): return s.firehose.put_record(DeliveryStreamName="parity", Record={"Data": b"x\n"})
@call
def firehose_put_missing(s): return s.firehose.put_record(DeliveryStreamName="none", Record={"Data": b"x\n"})
@call
def firehose_batch(s): return s.firehose.put_record_batch(DeliveryStreamName="parity", Records=[{"Data": b"x\n"}] * 3)
@call
def firehose_delete(s): return s.firehose.delete_delivery_stream(DeliveryStreamName="parity")


# SQS and SNS ----------------------------------------------------------------------------------------------------------


@call
def sqs_create(s):
    answer = s.sqs.create_queue(QueueName="parity", Attributes={"VisibilityTimeout": "5"})
    s.kept["queue"] = answer["QueueUrl"]
    return answer
@call
def sqs_url(s): return s.sqs.get_queue_url(QueueName="parity")
@call
def sqs_url_missing(s): return s.sqs.get_queue_url(QueueName="none")
@call
def sqs_attributes(s):
    answer = s.sqs.get_queue_attributes(QueueUrl=s.kept["queue"], AttributeNames=["QueueArn", "VisibilityTimeout", "ApproximateNumberOfMessages"])
    s.kept["queue-arn"] = answer["Attributes"]["QueueArn"]
    return answer
@call
def sqs_send(s):
    return s.sqs.send_message(QueueUrl=s.kept["queue"], MessageBody="hello",
                              MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
@call
def sqs_send_batch(s): return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": str(n), "MessageBody": "b"} for n in range(3)])
@call
def sqs_send_batch_same_ids(s): return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": "1", "MessageBody": "b"}] * 2)
@call
def sqs_receive(s):
    answer = s.sqs.receive_message(QueueUrl=s.kept["queue"], MessageAttributeNames=["All"], WaitTimeSeconds=1)
    s.kept["receipt"] = answer["Messages"][0]["ReceiptHandle"]
    return answer
@call
def sqs_visibility(s): return s.sqs.change_message_visibility(QueueUrl=s.kept["queue"], ReceiptHandle=s.kept["receipt"], VisibilityTimeout=9)
@call
def sqs_delete(s): return s.sqs.delete_message(QueueUrl=s.kept["queue"], ReceiptHandle=s.kept["receipt"])
@call
def sqs_list(s): return s.sqs.list_queues(QueueNamePrefix="parity")
@call
def sns_create(s):
    answer = s.sns.create_topic(Name="parity")
    s.kept["topic"] = answer["TopicArn"]
    return answer
@call
def sns_subscribe(s):
    answer = s.sns.subscribe(TopicArn=s.kept["topic"], Protocol="sqs", Endpoint=s.kept["queue-arn"], ReturnSubscriptionArn=True)
    s.kept["subscription"] = answer["SubscriptionArn"]
    return answer
@call
def sns_subscribe_missing(s): return s.sns.subscribe(TopicArn=s.kept["topic"] + "-none", Protocol="sqs", Endpoint=s.kept["queue-arn"])
@call
def sns_list_topics(s): return s.sns.list_topics()
@call
def sns_topic_attributes(s): return s.sns.get_topic_attributes(TopicArn=s.kept["topic"])
@call
def sns_subscriptions(s): return s.sns.list_subscriptions_by_topic(TopicArn=s.kept["topic"])
@call
def sns_raw(s):
    return s.sns.set_subscription_attributes(SubscriptionArn=s.kept["subscription"], AttributeName="RawMessageDelivery", AttributeValue="true")
@call
def sns_publish(s): return s.sns.publish(TopicArn=s.kept["topic"], Message="m", Subject="s")
@call
def sns_publish_missing(s): return s.sns.publish(TopicArn=s.kept["topic"] + "-none", Message="m")
@call
def sns_publish_batch(s): return s.sns.publish_batch(TopicArn=s.kept["topic"], PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}])
@call
def sns_unsubscribe(s): return s.sns.unsubscribe(SubscriptionArn=s.kept["subscription"])
@call
def sns_delete(s): return s.sns.delete_topic(TopicArn=s.kept["topic"])
@call
def sqs_purge(s): return s.sqs.purge_queue(QueueUrl=s.kept["queue"])
@call
def sqs_delete_queue(s): return s.sqs.delete_queue(QueueUrl=s.kept["queue"])


# Logs, CloudWatch, STS ------------------------------------------------------------------------------------------------


@call
def logs_create_group(s): return s.logs.create_log_group(logGroupName="parity")
@call
def logs_create_group_again(s): return s.logs.create_log_group(logGroupName="parity")
@call
def logs_create_stream(s): return s.logs.create_log_stream(logGroupName="parity", logStreamName="s")
@call
def logs_retention(s): return s.logs.put_retention_policy(logGroupName="parity", retentionInDays=7)
@call
def logs_put(s):
    now = int(time.time() * 1000)
    return s.logs.put_log_events(logGroupName="parity", logStreamName="s",
                                 logEvents=[{"timestamp": now, "message": "one"}, {"timestamp": now + 1, "message": "two ERROR"}])
@call
def logs_put_missing(s):
    return s.logs.put_log_events(logGroupName="none", logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": "m"}])
@call
def logs_get(s): return s.logs.get_log_events(logGroupName="parity", logStreamName="s", startFromHead=True)
@call
def logs_filter(s): return s.logs.filter_log_events(logGroupName="parity", filterPattern="ERROR")
@call
def logs_groups(s): return s.logs.describe_log_groups(logGroupNamePrefix="parity")
@call
def logs_streams(s): return s.logs.describe_log_streams(logGroupName="parity")
@call
def logs_delete(s): return s.logs.delete_log_group(logGroupName="parity")
@call
def cloudwatch_put(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[
        {"MetricName": "m", "Value": 1.5, "Unit": "Count", "Dimensions": [{"Name": "d", "Value": "v"}]},
        {"MetricName": "n", "StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}}])
@call
def cloudwatch_list(s): return s.cloudwatch.list_metrics(Namespace="Parity")
@call
def sts_identity(s): return s.sts.get_caller_identity()


# awscli ---------------------------------------------------------------------------------------------------------------


@call
def cli_s3_mb(s): return s.cli("s3", "mb", "s3://parity-cli")
@call
def cli_s3_cp(s): return s.cli("s3", "cp", "-", "s3://parity-cli/from/stdin.txt", data="hello\n")
@call
def cli_s3_sync(s):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a", "b"):
            with open(os.path.join(folder, name), "w") as file:
                file.write(name * 100)
        return s.cli("s3", "sync", folder, "s3://parity-cli/synced/")
@call
def cli_s3_ls(s): return s.cli("s3", "ls", "s3://parity-cli/", "--recursive")
@call
def cli_s3api_list(s): return s.cli("s3api", "list-objects-v2", "--bucket", "parity-cli")
@call
def cli_s3_rm(s): return s.cli("s3", "rb", "s3://parity-cli", "--force")
@call
def cli_kinesis_create(s): return s.cli("kinesis", "create-stream", "--stream-name", "cli", "--shard-count", "1")
@call
def cli_kinesis_put(s):
    return s.cli("kinesis", "put-record", "--stream-name", "cli", "--partition-key", "k", "--data", "aGVsbG8=")
@call
def cli_sqs_create(s): return s.cli("sqs", "create-queue", "--queue-name", "cli")
@call
def cli_sns_create(s): return s.cli("sns", "create-topic", "--name", "cli")
@call
def cli_logs_create(s): return s.cli("logs", "create-log-group", "--log-group-name", "cli")
@call
def cli_sts(s): return s.cli("sts", "get-caller-identity")
@call
def cli_error(s): return s.cli("kinesis", "describe-stream", "--stream-name", "none")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_moto():
    port = free_port()
    server = os.path.join(os.path.dirname(sys.executable), "moto_server")
    process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=dict(os.environ, MOTO_ACCOUNT_ID="000000000000"))
    endpoint = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(endpoint + "/moto-api/", timeout=1).close()
            return process, endpoint
        except OSError:
            if time.monotonic() > deadline:
                process.kill()
                raise SystemExit("moto did not start")
            time.sleep(0.1)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("emulator")
    arguments.add_argument("--show", action="store_true", help="print every answer's shape")
    arguments = arguments.parse_args()
    process, endpoint = start_moto()
    passed = failed = 0
    try:
        emulator, moto = Side(arguments.emulator), Side(endpoint)
        for name, function in CALLS:
            ours, theirs = emulator.run(function), moto.run(function)
            if arguments.show:
                print(name, ours)
            same = ours == theirs
            if same != (name in DIFFERENCES):
                passed += 1
                continue
            failed += 1
            if same:
                print(f"{name}: is listed as different and is not: take it off the list")
            else:
                print(f"{name}\n  emulator {ours}\n  moto     {theirs}")
    finally:
        process.kill()
    print(f"{len(CALLS)} calls, {len(DIFFERENCES)} known differences")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
