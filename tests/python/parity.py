#!/usr/bin/env python3
"""The same boto3 and awscli calls against the emulator and against moto: status, error code and shape compared.

usage: parity.py EMULATOR_ENDPOINT [--show]

moto runs in this process, on a free port. Whatever differs must stand in DIFFERENCES with its reason, and what stands there
must differ; else the call has failed and is printed. Leaves nothing behind. Ends with `N passed, N failed`.
"""

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

# Nothing of the user's own settings; moto's account is the emulator's.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
REGION = "us-east-1"
ACCOUNT = "000000000000"
os.environ.update(
    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION, AWS_PAGER="", AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, MOTO_ACCOUNT_ID=ACCOUNT, NO_PROXY="127.0.0.1,localhost",
)

import boto3
import botocore.config
import botocore.exceptions
from moto.server import ThreadedMotoServer

# calls, how they differ (+ in our answer only, - in moto's only), and why ours is AWS's answer
DIFFERENCES = [
    # S3
    ("s3_put_object s3_put_object_tagged s3_get_object s3_get_range s3_get_range_suffix s3_get_with_headers s3_head_object s3_put_if_match "
     "s3_copy s3_copy_replace s3_multipart_create s3_multipart_part s3_multipart_complete s3_multipart_named s3_multipart_named_part",
     ["+ServerSideEncryption"],
     "S3 encrypts every object with AES256 unless told otherwise, and says so in these answers; moto does neither."),
    ("s3_put_object s3_put_object_tagged s3_get_object s3_get_with_headers s3_put_if_match s3_multipart_complete s3_multipart_named",
     ["+ChecksumType"], "The type of a checksum goes with the checksum; moto does not know types."),
    ("s3_copy s3_copy_replace", ["+CopyObjectResult.ChecksumType"], "The same in the answer to a copy."),
    ("s3_list_v2 s3_list_v2_delimiter s3_list_v2_page s3_list_v2_after s3_list_v1 cli_s3api_list",
     ["+Contents[].ChecksumType"], "The same in lists."),
    ("s3_list_v1", ["+Contents[].ChecksumAlgorithm"], "moto shows the algorithm in version 2 of the list only."),
    ("s3_list_v1", ["+Marker"], "S3 repeats the marker, an empty one too; moto leaves it out."),
    ("s3_list_buckets", ["-Owner.DisplayName"], "S3 stopped returning names of owners in November 2025; moto still does."),
    ("s3_list_v1 s3_list_v2_after", ["-Contents[].Owner.DisplayName"], "The same in lists of objects."),
    ("s3_multipart_list_parts", ["-Owner.DisplayName", "-Initiator.DisplayName"], "The same in lists of parts."),
    ("s3_multipart_list", ["-Uploads[].Owner.DisplayName", "-Uploads[].Initiator.DisplayName"], "The same in lists of uploads."),
    ("s3_multipart_list", ["+NextKeyMarker", "+NextUploadIdMarker"],
     "S3 names the last upload listed whether more follow or not; moto never does."),
    ("s3_multipart_complete", ["+ChecksumCRC64NVME"],
     "S3 computes this checksum for an upload whose client named none; moto does not."),
    ("s3_multipart_complete", ["-VersionId"], "The bucket has no versions; moto makes one up."),
    ("s3_put_bad_checksum s3_put_bad_md5", ["400 BadDigest, moto 200"], "S3 compares what was announced with what it received; moto does not."),
    ("s3_multipart_part_missing_upload", ["404 NoSuchUpload, moto 500 500"], "moto breaks down."),
    ("s3_multipart_part_0", ["400 InvalidArgument, moto 404 NoSuchUpload"], "Parts are numbered from 1 to 10,000, as S3's message says; moto has the wrong code."),
    ("s3_put_lifecycle", ["+TransitionDefaultMinimumObjectSize"], "S3 says it in the answers to put and get; moto to get only."),
    ("s3_put_policy", ["204, moto 200"], "S3 answers without content."),
    ("s3_encryption", ["200, moto 404 ServerSideEncryptionConfigurationNotFoundError"],
     "Every bucket has had a default encryption since January 2023; moto's has none."),
    ("s3_bad_bucket_name", ["400 InvalidBucketName, moto 200"], "Names of buckets have no capitals and do not end with a dash; moto looks at their length only."),
    # Kinesis
    ("kinesis_summary", ["+StreamDescriptionSummary.ConsumerCount", "+StreamDescriptionSummary.MaxRecordSizeInKiB"],
     "Both are in the summary of every stream; moto leaves them out."),
    ("kinesis_describe", ["+StreamDescription.StreamModeDetails"], "The mode is in both descriptions; moto shows it in the summary only."),
    ("kinesis_put_by_hash", ["200, moto 500 500"], "The highest hash key, 2^128 - 1, is a valid one; moto breaks down."),
    ("kinesis_iterator_no_sequence kinesis_records_bad_iterator", ["400 InvalidArgumentException, moto 500 500"], "moto breaks down."),
    ("kinesis_put_long_key kinesis_iterator_bad_type", ["400 ValidationException, moto 400 InvalidArgumentException"],
     "What the service's model forbids (lengths, enumerations) is refused before the operation sees it, with ValidationException."),
    ("kinesis_records_too_many firehose_batch_too_many", ["400 ValidationException, moto 200"], "The same for numbers and lists; moto does not look."),
    # Firehose
    ("firehose_describe", ["-DeliveryStreamDescription.LastUpdateTimestamp"], "Firehose has it after the first update; moto from the start."),
    ("firehose_describe firehose_describe_updated", ["+DeliveryStreamDescription.DeliveryStreamEncryptionConfiguration"],
     "A stream of direct puts says whether it is encrypted; moto only after StartDeliveryStreamEncryption."),
    ("firehose_describe", [f"+DeliveryStreamDescription.Destinations[].{kind}DestinationDescription.BufferingHints" for kind in ("S3", "ExtendedS3")],
     "Firehose fills in the defaults of what was not configured; moto repeats the configuration."),
    ("firehose_describe firehose_describe_updated",
     [f"+DeliveryStreamDescription.Destinations[].{kind}DestinationDescription.{name}"
      for kind in ("S3", "ExtendedS3") for name in ("CloudWatchLoggingOptions", "EncryptionConfiguration")]
     + [f"+DeliveryStreamDescription.Destinations[].ExtendedS3DestinationDescription.{name}" for name in ("ProcessingConfiguration", "S3BackupMode")],
     "The same, before and after an update."),
    ("firehose_describe_updated",
     [f"+DeliveryStreamDescription.Destinations[].S3DestinationDescription.{name}" for name in ("BucketARN", "CompressionFormat", "Prefix", "RoleARN")],
     "An update leaves what it does not name; moto forgets it in the plain description."),
    # SQS, SNS
    ("sqs_create_bad_attribute", ["400 InvalidAttributeValue, moto 200"], "A visibility timeout is at most 43,200 s; moto does not look."),
    ("sqs_send_empty", ["400 MissingParameter, moto 200"], "A message has a body; moto takes an empty one."),
    ("sns_subscribe_bad_protocol sns_publish_empty", ["400 InvalidParameter, moto 200"],
     "SNS knows its protocols and wants a message; moto takes anything."),
    ("sns_filter_bad", ["400 InvalidParameter, moto ResponseParserError"], "moto breaks down at a policy that is not JSON."),
    ("sns_topic_attributes", ["-Attributes.DeliveryPolicy"], "It is shown when it was set; moto shows an empty one."),
    # Logs, CloudWatch
    ("logs_create_group_bad_name logs_retention_bad", ["400 InvalidParameterException, moto 200"],
     "Names of groups have no blanks and days of retention are of a fixed set; moto does not look."),
    ("logs_filter", ["-searchedLogStreams[]"], "Always empty since May 2020, says FilterLogEvents; moto fills it."),
    ("logs_groups", ["+logGroups[].logGroupClass"], "Every group has a class; moto shows one that was named only."),
    ("cloudwatch_put_twice", ["400 InvalidParameterCombination, moto 400 InvalidParameterValue"],
     "Value and Values exclude each other: that is what PutMetricData has this error for."),
]


def shape(value):
    """Names and types of an answer, without its values; the items of a list as one."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        items = [shape(item) for item in value]
        if items and all(isinstance(item, dict) for item in items):
            items = [{key: inner for item in reversed(items) for key, inner in item.items()}]
        return items[:1]
    return "stream" if hasattr(value, "read") else type(value).__name__


def differences(ours, theirs, path=""):
    """`+NAME` is in our answer only, `-NAME` in moto's only."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            name = f"{path}.{key}" if path else key
            if key in ours and key in theirs:
                yield from differences(ours[key], theirs[key], name)
            else:
                yield f"{'+' if key in ours else '-'}{name}"
    elif isinstance(ours, list) and isinstance(theirs, list):
        if ours and theirs:
            yield from differences(ours[0], theirs[0], path + "[]")
        elif ours or theirs:
            yield f"{'+' if ours else '-'}{path}[]"
    elif ours != theirs:
        yield f"{path}: {ours}, moto {theirs}"


class Side:
    """One of the two services, and what the calls before have left to those after."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.config = botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        self.clients = {}
        self.kept = {}

    def __getattr__(self, service):
        return self.client(service)

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(service, endpoint_url=self.endpoint, config=self.config)
        return self.clients[service]

    def cli(self, *arguments, data=None, folder=None):
        aws = os.path.join(os.path.dirname(sys.executable), "aws")
        command = [aws, "--endpoint-url", self.endpoint, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, input=data, timeout=60, cwd=folder)
        code = re.search(r"An error occurred \((\w+)\)", done.stderr)
        outcome = {"status": done.returncode, "code": code and code[1]}
        if done.stdout.startswith("{"):
            return outcome | {"answer": shape(json.loads(done.stdout))}
        # Dates, sizes and which of two uploads was first are not compared.
        return outcome | {"answer": " | ".join(sorted(re.sub(r"\d+", "0", done.stdout).splitlines()))}

    def fetch(self, url, data=None):
        """A request without the SDK."""
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=data, method="PUT" if data else "GET"), timeout=60) as answer:
                return {"status": answer.status, "code": None, "answer": shape(answer.read())}
        except urllib.error.HTTPError as error:
            return {"status": error.code, "code": re.search("<Code>(.*)</Code>", error.read().decode())[1]}

    def run(self, function):
        """Status, error code and shape of the answer to one call."""
        try:
            answer = function(self)
        except botocore.exceptions.ClientError as error:
            answer = error.response
            return {"status": answer["ResponseMetadata"]["HTTPStatusCode"], "code": answer["Error"]["Code"]}
        except Exception as error:
            return {"status": None, "code": type(error).__name__}
        if "status" in answer:
            return answer
        return {"status": answer["ResponseMetadata"]["HTTPStatusCode"], "code": None, "answer": shape(answer)}


CALLS = []
CLEANING = []


def call(function):
    """In the order of this file."""
    CALLS.append(function)
    return function


def cleaning(function):
    """One that is also made when the run ends early."""
    CLEANING.append(function)
    return call(function)


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
def s3_put_bad_checksum(s): return s.s3.put_object(Bucket="parity", Key="bad", Body=b"one", ChecksumCRC32="AAAAAA==")
@call
def s3_put_bad_md5(s): return s.s3.put_object(Bucket="parity", Key="bad", Body=b"one", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
@call
def s3_put_missing_bucket(s): return s.s3.put_object(Bucket="parity-none", Key="a", Body=b"one")
@call
def s3_put_presigned(s): return s.fetch(s.s3.generate_presigned_url("put_object", Params={"Bucket": "parity", "Key": "signed"}), b"body")
@call
def s3_get_presigned(s): return s.fetch(s.s3.generate_presigned_url("get_object", Params={"Bucket": "parity", "Key": "signed"}))
@call
def s3_get_presigned_missing(s): return s.fetch(s.s3.generate_presigned_url("get_object", Params={"Bucket": "parity", "Key": "none"}))
@call
def s3_get_object(s): return s.s3.get_object(Bucket="parity", Key="a/one")
@call
def s3_get_range(s): return s.s3.get_object(Bucket="parity", Key="a/two ü+%", Range="bytes=5-9")
@call
def s3_get_range_beyond(s): return s.s3.get_object(Bucket="parity", Key="a/one", Range="bytes=100-")
@call
def s3_get_range_suffix(s): return s.s3.get_object(Bucket="parity", Key="a/one", Range="bytes=-2")
@call
def s3_get_with_headers(s): return s.s3.get_object(Bucket="parity", Key="a/one", ResponseContentType="x/y", ResponseCacheControl="no-store")
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
def s3_list_v2_after(s): return s.s3.list_objects_v2(Bucket="parity", StartAfter="a/one", FetchOwner=True)
@call
def s3_list_v2_bad_token(s): return s.s3.list_objects_v2(Bucket="parity", ContinuationToken="")
@call
def s3_list_missing_bucket(s): return s.s3.list_objects_v2(Bucket="parity-none")
@call
def s3_list_v1(s): return s.s3.list_objects(Bucket="parity", Prefix="a/")
@call
def s3_copy(s): return s.s3.copy_object(Bucket="parity", Key="b/copy", CopySource={"Bucket": "parity", "Key": "a/two ü+%"})
@call
def s3_copy_onto_itself(s): return s.s3.copy_object(Bucket="parity", Key="b/copy", CopySource={"Bucket": "parity", "Key": "b/copy"})
@call
def s3_copy_missing(s): return s.s3.copy_object(Bucket="parity", Key="b/none", CopySource={"Bucket": "parity", "Key": "none"})
@call
def s3_copy_replace(s):
    return s.s3.copy_object(Bucket="parity", Key="b/copy", CopySource={"Bucket": "parity", "Key": "b/copy"},
                            MetadataDirective="REPLACE", Metadata={"n": "2"})
@call
def s3_get_tagging(s): return s.s3.get_object_tagging(Bucket="parity", Key="a/two ü+%")
@call
def s3_put_tagging(s): return s.s3.put_object_tagging(Bucket="parity", Key="a/one", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
@call
def s3_delete_tagging(s): return s.s3.delete_object_tagging(Bucket="parity", Key="a/one")
@call
def s3_get_tagging_missing(s): return s.s3.get_object_tagging(Bucket="parity", Key="none")
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
def s3_multipart_part_missing_upload(s): return s.s3.upload_part(Bucket="parity", Key="big", UploadId="none", PartNumber=1, Body=b"p")
@call
def s3_multipart_part_0(s): return s.s3.upload_part(Bucket="parity", Key="big", UploadId=s.kept["upload"], PartNumber=0, Body=b"p")
@call
def s3_multipart_copy_part(s):
    return s.s3.upload_part_copy(Bucket="parity", Key="big", UploadId=s.kept["upload"], PartNumber=2,
                                 CopySource={"Bucket": "parity", "Key": "a/two ü+%"}, CopySourceRange="bytes=0-9")
@call
def s3_multipart_list_parts(s): return s.s3.list_parts(Bucket="parity", Key="big", UploadId=s.kept["upload"])
@call
def s3_multipart_list(s): return s.s3.list_multipart_uploads(Bucket="parity")
@call
def s3_multipart_bad_part(s):
    return s.s3.complete_multipart_upload(Bucket="parity", Key="big", UploadId=s.kept["upload"],
                                          MultipartUpload={"Parts": [{"PartNumber": 3, "ETag": '"0"'}]})
@call
def s3_multipart_empty(s):
    return s.s3.complete_multipart_upload(Bucket="parity", Key="big", UploadId=s.kept["upload"], MultipartUpload={"Parts": []})
@call
def s3_multipart_complete(s):
    return s.s3.complete_multipart_upload(Bucket="parity", Key="big", UploadId=s.kept["upload"],
                                          MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": s.kept["part"]}]})
@call
def s3_multipart_named(s):
    answer = s.s3.create_multipart_upload(Bucket="parity", Key="named", ChecksumAlgorithm="SHA256")
    s.kept["upload"] = answer["UploadId"]
    return answer
@call
def s3_multipart_named_part(s):
    return s.s3.upload_part(Bucket="parity", Key="named", UploadId=s.kept["upload"], PartNumber=1, Body=b"p", ChecksumAlgorithm="SHA256")
@call
def s3_multipart_abort(s): return s.s3.abort_multipart_upload(Bucket="parity", Key="named", UploadId=s.kept["upload"])
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
def s3_put_bucket_tagging(s): return s.s3.put_bucket_tagging(Bucket="parity", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
@call
def s3_get_bucket_tagging(s): return s.s3.get_bucket_tagging(Bucket="parity")
@call
def s3_put_lifecycle(s):
    return s.s3.put_bucket_lifecycle_configuration(Bucket="parity", LifecycleConfiguration={"Rules": [
        {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 7}}]})
@call
def s3_get_lifecycle(s): return s.s3.get_bucket_lifecycle_configuration(Bucket="parity")
@call
def s3_put_public_access(s):
    blocked = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    return s.s3.put_public_access_block(Bucket="parity", PublicAccessBlockConfiguration=blocked)
@call
def s3_get_public_access(s): return s.s3.get_public_access_block(Bucket="parity")
@call
def s3_put_policy(s):
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::parity/*",
                 "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    return s.s3.put_bucket_policy(Bucket="parity", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
@call
def s3_get_policy(s): return s.s3.get_bucket_policy(Bucket="parity")
@call
def s3_delete_policy(s): return s.s3.delete_bucket_policy(Bucket="parity")
@call
def s3_no_versioning(s): return s.s3.get_bucket_versioning(Bucket="parity")
@call
def s3_no_notifications(s): return s.s3.get_bucket_notification_configuration(Bucket="parity")
@call
def s3_encryption(s): return s.s3.get_bucket_encryption(Bucket="parity")
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
def kinesis_put_by_hash(s): return s.kinesis.put_record(StreamName="parity", Data=b"1", PartitionKey="a", ExplicitHashKey=str((1 << 128) - 1))
@call
def kinesis_put_bad_hash(s): return s.kinesis.put_record(StreamName="parity", Data=b"1", PartitionKey="a", ExplicitHashKey=str(1 << 128))
@call
def kinesis_put_long_key(s): return s.kinesis.put_record(StreamName="parity", Data=b"1", PartitionKey="a" * 257)
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
def kinesis_iterator_at_time(s):
    return s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000001", ShardIteratorType="AT_TIMESTAMP", Timestamp=1)
@call
def kinesis_iterator_no_sequence(s):
    return s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000001", ShardIteratorType="AT_SEQUENCE_NUMBER")
@call
def kinesis_iterator_bad_type(s):
    return s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000001", ShardIteratorType="NEVER")
@call
def kinesis_records_bad_iterator(s): return s.kinesis.get_records(ShardIterator="none")
@call
def kinesis_records(s): return s.kinesis.get_records(ShardIterator=s.kept["iterator"])
@call
def kinesis_records_too_many(s): return s.kinesis.get_records(ShardIterator=s.kept["iterator"], Limit=10001)
@call
def kinesis_split(s):
    return s.kinesis.split_shard(StreamName="parity", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 125))
@call
def kinesis_split_missing_shard(s):
    s.kinesis.get_waiter("stream_exists").wait(StreamName="parity", WaiterConfig={"Delay": 1})
    return s.kinesis.split_shard(StreamName="parity", ShardToSplit="shardId-000000000009", NewStartingHashKey=str(1 << 125))
@call
def kinesis_merge_not_adjacent(s):
    return s.kinesis.merge_shards(StreamName="parity", ShardToMerge="shardId-000000000002", AdjacentShardToMerge="shardId-000000000001")
@call
def kinesis_shards_after_split(s): return s.kinesis.list_shards(StreamName="parity")
@call
def kinesis_retention(s): return s.kinesis.increase_stream_retention_period(StreamName="parity", RetentionPeriodHours=48)
@call
def kinesis_retention_lower(s): return s.kinesis.increase_stream_retention_period(StreamName="parity", RetentionPeriodHours=25)
@call
def kinesis_tag(s): return s.kinesis.add_tags_to_stream(StreamName="parity", Tags={"a": "b"})
@call
def kinesis_tags(s): return s.kinesis.list_tags_for_stream(StreamName="parity")
@cleaning
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
def firehose_update(s):
    return s.firehose.update_destination(
        DeliveryStreamName="parity", CurrentDeliveryStreamVersionId="1", DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60}})
@call
def firehose_update_old_version(s):
    return s.firehose.update_destination(
        DeliveryStreamName="parity", CurrentDeliveryStreamVersionId="1", DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"Prefix": "q/"})
@call
def firehose_describe_updated(s): return s.firehose.describe_delivery_stream(DeliveryStreamName="parity")
@call
def firehose_tag(s): return s.firehose.tag_delivery_stream(DeliveryStreamName="parity", Tags=[{"Key": "a", "Value": "b"}])
@call
def firehose_tags(s): return s.firehose.list_tags_for_delivery_stream(DeliveryStreamName="parity")
@call
def firehose_list(s): return s.firehose.list_delivery_streams()
@call
def firehose_put(s): return s.firehose.put_record(DeliveryStreamName="parity", Record={"Data": b"x\n"})
@call
def firehose_put_missing(s): return s.firehose.put_record(DeliveryStreamName="none", Record={"Data": b"x\n"})
@call
def firehose_batch(s): return s.firehose.put_record_batch(DeliveryStreamName="parity", Records=[{"Data": b"x\n"}] * 3)
@call
def firehose_batch_too_many(s): return s.firehose.put_record_batch(DeliveryStreamName="parity", Records=[{"Data": b"x"}] * 501)
@cleaning
def firehose_delete(s): return s.firehose.delete_delivery_stream(DeliveryStreamName="parity")
@cleaning
def s3_delete_bucket(s):
    for listed in s.s3.list_objects_v2(Bucket="parity").get("Contents", []):
        s.s3.delete_object(Bucket="parity", Key=listed["Key"])
    return s.s3.delete_bucket(Bucket="parity")
@call
def s3_delete_bucket_missing(s): return s.s3.delete_bucket(Bucket="parity")


# SQS and SNS ----------------------------------------------------------------------------------------------------------


@call
def sqs_create(s):
    answer = s.sqs.create_queue(QueueName="parity", Attributes={"VisibilityTimeout": "5"})
    s.kept["queue"] = answer["QueueUrl"]
    return answer
@call
def sqs_create_again(s): return s.sqs.create_queue(QueueName="parity", Attributes={"VisibilityTimeout": "5"})
@call
def sqs_create_otherwise(s): return s.sqs.create_queue(QueueName="parity", Attributes={"VisibilityTimeout": "6"})
@call
def sqs_create_bad_name(s): return s.sqs.create_queue(QueueName="a b")
@call
def sqs_create_bad_attribute(s): return s.sqs.create_queue(QueueName="parity-bad", Attributes={"VisibilityTimeout": "43201"})
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
def sqs_attributes_all(s): return s.sqs.get_queue_attributes(QueueUrl=s.kept["queue"], AttributeNames=["All"])
@call
def sqs_attributes_unknown(s): return s.sqs.get_queue_attributes(QueueUrl=s.kept["queue"], AttributeNames=["Colour"])
@call
def sqs_attributes_missing_queue(s): return s.sqs.get_queue_attributes(QueueUrl=s.kept["queue"] + "-none", AttributeNames=["All"])
@call
def sqs_set_attributes(s): return s.sqs.set_queue_attributes(QueueUrl=s.kept["queue"], Attributes={"VisibilityTimeout": "7"})
@call
def sqs_tag(s): return s.sqs.tag_queue(QueueUrl=s.kept["queue"], Tags={"a": "b"})
@call
def sqs_tags(s): return s.sqs.list_queue_tags(QueueUrl=s.kept["queue"])
@call
def sqs_send(s):
    return s.sqs.send_message(QueueUrl=s.kept["queue"], MessageBody="hello",
                              MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
@call
def sqs_send_missing(s): return s.sqs.send_message(QueueUrl=s.kept["queue"] + "-none", MessageBody="hello")
@call
def sqs_send_empty(s): return s.sqs.send_message(QueueUrl=s.kept["queue"], MessageBody="")
@call
def sqs_send_late(s): return s.sqs.send_message(QueueUrl=s.kept["queue"], MessageBody="hello", DelaySeconds=901)
@call
def sqs_send_batch(s): return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": str(n), "MessageBody": "b"} for n in range(3)])
@call
def sqs_send_batch_same_ids(s): return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": "1", "MessageBody": "b"}] * 2)
@call
def sqs_send_batch_empty(s): return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[])
@call
def sqs_send_batch_too_many(s):
    return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": str(n), "MessageBody": "b"} for n in range(11)])
@call
def sqs_receive(s):
    answer = s.sqs.receive_message(QueueUrl=s.kept["queue"], MessageAttributeNames=["All"], WaitTimeSeconds=1)
    s.kept["receipt"] = answer["Messages"][0]["ReceiptHandle"]
    return answer
@call
def sqs_receive_system_attributes(s): return s.sqs.receive_message(QueueUrl=s.kept["queue"], MessageSystemAttributeNames=["All"], MaxNumberOfMessages=1)
@call
def sqs_receive_too_many(s): return s.sqs.receive_message(QueueUrl=s.kept["queue"], MaxNumberOfMessages=11)
@call
def sqs_visibility(s): return s.sqs.change_message_visibility(QueueUrl=s.kept["queue"], ReceiptHandle=s.kept["receipt"], VisibilityTimeout=9)
@call
def sqs_delete(s): return s.sqs.delete_message(QueueUrl=s.kept["queue"], ReceiptHandle=s.kept["receipt"])
@call
def sqs_delete_again(s): return s.sqs.delete_message(QueueUrl=s.kept["queue"], ReceiptHandle=s.kept["receipt"])
@call
def sqs_delete_bad_receipt(s): return s.sqs.delete_message(QueueUrl=s.kept["queue"], ReceiptHandle="none")
@call
def sqs_delete_batch(s):
    return s.sqs.delete_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": "1", "ReceiptHandle": s.kept["receipt"]}])
@call
def sqs_list(s): return s.sqs.list_queues(QueueNamePrefix="parity")
@call
def sns_create(s):
    answer = s.sns.create_topic(Name="parity")
    s.kept["topic"] = answer["TopicArn"]
    return answer
@call
def sns_create_again(s): return s.sns.create_topic(Name="parity")
@call
def sns_create_bad_name(s): return s.sns.create_topic(Name="a b")
@call
def sns_subscribe(s):
    answer = s.sns.subscribe(TopicArn=s.kept["topic"], Protocol="sqs", Endpoint=s.kept["queue-arn"], ReturnSubscriptionArn=True)
    s.kept["subscription"] = answer["SubscriptionArn"]
    return answer
@call
def sns_subscribe_missing(s): return s.sns.subscribe(TopicArn=s.kept["topic"] + "-none", Protocol="sqs", Endpoint=s.kept["queue-arn"])
@call
def sns_subscribe_bad_protocol(s): return s.sns.subscribe(TopicArn=s.kept["topic"], Protocol="pigeon", Endpoint=s.kept["queue-arn"])
@call
def sns_subscription(s): return s.sns.get_subscription_attributes(SubscriptionArn=s.kept["subscription"])
@call
def sns_subscription_missing(s): return s.sns.get_subscription_attributes(SubscriptionArn=s.kept["subscription"][:-1] + "x")
@call
def sns_filter(s):
    return s.sns.set_subscription_attributes(SubscriptionArn=s.kept["subscription"], AttributeName="FilterPolicy",
                                             AttributeValue='{"kind": ["a", {"prefix": "b"}]}')
@call
def sns_filter_bad(s):
    return s.sns.set_subscription_attributes(SubscriptionArn=s.kept["subscription"], AttributeName="FilterPolicy", AttributeValue="{")
@call
def sns_list_all(s): return s.sns.list_subscriptions()
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
def sns_publish_attributes(s):
    return s.sns.publish(TopicArn=s.kept["topic"], Message="m", MessageAttributes={"kind": {"DataType": "String", "StringValue": "a"}})
@call
def sns_publish_structured(s): return s.sns.publish(TopicArn=s.kept["topic"], Message='{"default": "m"}', MessageStructure="json")
@call
def sns_publish_no_default(s): return s.sns.publish(TopicArn=s.kept["topic"], Message='{"sqs": "m"}', MessageStructure="json")
@call
def sns_publish_too_long(s): return s.sns.publish(TopicArn=s.kept["topic"], Message="m" * (256 * 1024 + 1))
@call
def sns_publish_empty(s): return s.sns.publish(TopicArn=s.kept["topic"], Message="")
@call
def sns_publish_missing(s): return s.sns.publish(TopicArn=s.kept["topic"] + "-none", Message="m")
@call
def sns_publish_batch(s): return s.sns.publish_batch(TopicArn=s.kept["topic"], PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}])
@call
def sns_unsubscribe(s): return s.sns.unsubscribe(SubscriptionArn=s.kept["subscription"])
@cleaning
def sns_delete(s): return s.sns.delete_topic(TopicArn=s.kept["topic"])
@call
def sqs_purge(s): return s.sqs.purge_queue(QueueUrl=s.kept["queue"])
@cleaning
def sqs_delete_queue(s): return s.sqs.delete_queue(QueueUrl=s.kept["queue"])


# Logs, CloudWatch, STS, Lambda --------------------------------------------------------------------------------------------


@call
def logs_create_group(s): return s.logs.create_log_group(logGroupName="parity")
@call
def logs_create_group_again(s): return s.logs.create_log_group(logGroupName="parity")
@call
def logs_create_stream(s): return s.logs.create_log_stream(logGroupName="parity", logStreamName="s")
@call
def logs_create_stream_again(s): return s.logs.create_log_stream(logGroupName="parity", logStreamName="s")
@call
def logs_create_stream_missing_group(s): return s.logs.create_log_stream(logGroupName="none", logStreamName="s")
@call
def logs_create_group_bad_name(s): return s.logs.create_log_group(logGroupName="a b")
@call
def logs_retention(s): return s.logs.put_retention_policy(logGroupName="parity", retentionInDays=7)
@call
def logs_retention_bad(s): return s.logs.put_retention_policy(logGroupName="parity", retentionInDays=8)
@call
def logs_put(s):
    now = int(time.time() * 1000)
    return s.logs.put_log_events(logGroupName="parity", logStreamName="s",
                                 logEvents=[{"timestamp": now, "message": "one"}, {"timestamp": now + 1, "message": "two ERROR"}])
@call
def logs_put_missing(s):
    return s.logs.put_log_events(logGroupName="none", logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": "m"}])
@call
def logs_put_missing_stream(s):
    return s.logs.put_log_events(logGroupName="parity", logStreamName="none", logEvents=[{"timestamp": int(time.time() * 1000), "message": "m"}])
@call
def logs_put_old(s): return s.logs.put_log_events(logGroupName="parity", logStreamName="s", logEvents=[{"timestamp": 1, "message": "m"}])
@call
def logs_put_unsorted(s):
    now = int(time.time() * 1000)
    return s.logs.put_log_events(logGroupName="parity", logStreamName="s",
                                 logEvents=[{"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}])
@call
def logs_get(s): return s.logs.get_log_events(logGroupName="parity", logStreamName="s", startFromHead=True)
@call
def logs_get_missing(s): return s.logs.get_log_events(logGroupName="parity", logStreamName="none")
@call
def logs_filter(s): return s.logs.filter_log_events(logGroupName="parity", filterPattern="ERROR")
@call
def logs_filter_missing(s): return s.logs.filter_log_events(logGroupName="none")
@call
def logs_groups(s): return s.logs.describe_log_groups(logGroupNamePrefix="parity")
@call
def logs_streams(s): return s.logs.describe_log_streams(logGroupName="parity")
@cleaning
def logs_delete(s): return s.logs.delete_log_group(logGroupName="parity")
@call
def logs_streams_missing(s): return s.logs.describe_log_streams(logGroupName="none")
@call
def logs_streams_by_time(s): return s.logs.describe_log_streams(logGroupName="parity", orderBy="LastEventTime", descending=True)
@call
def logs_delete_missing(s): return s.logs.delete_log_group(logGroupName="none")
@call
def cloudwatch_put(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[
        {"MetricName": "m", "Value": 1.5, "Unit": "Count", "Dimensions": [{"Name": "d", "Value": "v"}]},
        {"MetricName": "n", "StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}}])
@call
def cloudwatch_put_values(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[{"MetricName": "v", "Values": [1, 2.5], "Counts": [3, 4]}])
@call
def cloudwatch_put_twice(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[{"MetricName": "v", "Value": 1, "Values": [1]}])
@call
def cloudwatch_put_counts(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[{"MetricName": "v", "Values": [1], "Counts": [1, 2]}])
@call
def cloudwatch_put_reserved(s): return s.cloudwatch.put_metric_data(Namespace="AWS/Parity", MetricData=[{"MetricName": "v", "Value": 1}])
@call
def cloudwatch_put_nan(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[{"MetricName": "v", "Value": float("nan")}])
@call
def cloudwatch_list(s): return s.cloudwatch.list_metrics(Namespace="Parity")
@call
def cloudwatch_list_dimension(s): return s.cloudwatch.list_metrics(Namespace="Parity", Dimensions=[{"Name": "d", "Value": "v"}])
@call
def cloudwatch_list_none(s): return s.cloudwatch.list_metrics(Namespace="None")
@call
def sts_identity(s): return s.sts.get_caller_identity()
@call
def lambda_get_missing(s): return s.client("lambda").get_function(FunctionName="none")
@call
def lambda_configuration_missing(s): return s.client("lambda").get_function_configuration(FunctionName="none")
@call
def lambda_invoke_missing(s): return s.client("lambda").invoke(FunctionName="none", Payload=b"{}")
@call
def lambda_list(s): return s.client("lambda").list_functions()
@call
def lambda_mappings(s): return s.client("lambda").list_event_source_mappings()
@call
def lambda_mapping_missing(s): return s.client("lambda").get_event_source_mapping(UUID="14e0db71-0000-4000-8000-000000000000")
@call
def lambda_mapping_missing_function(s):
    return s.client("lambda").create_event_source_mapping(FunctionName="none", EventSourceArn="arn:aws:sqs:us-east-1:000000000000:none")


# awscli ---------------------------------------------------------------------------------------------------------------


@call
def cli_s3_mb(s): return s.cli("s3", "mb", "s3://parity-cli")
@call
def cli_s3_cp(s): return s.cli("s3", "cp", "-", "s3://parity-cli/from/stdin.txt", "--no-progress", data="hello\n")
@call
def cli_s3_sync(s):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a", "b"):
            with open(os.path.join(folder, name), "w") as file:
                file.write(name * 100)
        return s.cli("s3", "sync", ".", "s3://parity-cli/synced/", "--no-progress", folder=folder)
@call
def cli_s3_ls(s): return s.cli("s3", "ls", "s3://parity-cli/", "--recursive")
@call
def cli_s3_ls_missing(s): return s.cli("s3", "ls", "s3://parity-none/")
@call
def cli_s3_cat(s): return s.cli("s3", "cp", "s3://parity-cli/from/stdin.txt", "-")
@call
def cli_s3_mv(s): return s.cli("s3", "mv", "s3://parity-cli/from/stdin.txt", "s3://parity-cli/to/moved.txt", "--no-progress")
@call
def cli_s3api_list(s): return s.cli("s3api", "list-objects-v2", "--bucket", "parity-cli")
@cleaning
def cli_s3_rb(s): return s.cli("s3", "rb", "s3://parity-cli", "--force")
@call
def cli_kinesis_create(s): return s.cli("kinesis", "create-stream", "--stream-name", "cli", "--shard-count", "1")
@call
def cli_kinesis_put(s):
    return s.cli("kinesis", "put-record", "--stream-name", "cli", "--partition-key", "k", "--data", "aGVsbG8=")
@cleaning
def cli_kinesis_delete(s): return s.cli("kinesis", "delete-stream", "--stream-name", "cli")
@call
def cli_sqs_create(s): return s.cli("sqs", "create-queue", "--queue-name", "cli")
@cleaning
def cli_sqs_delete(s): return s.cli("sqs", "delete-queue", "--queue-url", s.sqs.get_queue_url(QueueName="cli")["QueueUrl"])
@call
def cli_sns_create(s): return s.cli("sns", "create-topic", "--name", "cli")
@cleaning
def cli_sns_delete(s): return s.cli("sns", "delete-topic", "--topic-arn", s.sns.create_topic(Name="cli")["TopicArn"])
@call
def cli_logs_create(s): return s.cli("logs", "create-log-group", "--log-group-name", "cli")
@cleaning
def cli_logs_delete(s): return s.cli("logs", "delete-log-group", "--log-group-name", "cli")
@call
def cli_sts(s): return s.cli("sts", "get-caller-identity")
@call
def cli_error(s): return s.cli("kinesis", "describe-stream", "--stream-name", "none")

def compare(ours, theirs):
    """What differs between two outcomes; the answers only of calls that went the same way."""
    ended = [" ".join(str(outcome[key]) for key in ("status", "code") if outcome[key] is not None) for outcome in (ours, theirs)]
    if ended[0] != ended[1]:
        return {f"{ended[0]}, moto {ended[1]}"}
    if ours["status"] is None:
        # The client itself failed: nothing has been compared.
        return {f"no answer: {ended[0]}"}
    return set(differences(ours.get("answer"), theirs.get("answer")))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("emulator", help="its endpoint")
    arguments.add_argument("--show", action="store_true", help="print the table of differences with their reasons")
    arguments = arguments.parse_args()
    expected = {}
    for calls, found, reason in DIFFERENCES:
        for name in calls.split():
            for difference in found:
                expected[name, difference] = reason
    unknown = {name for name, _ in expected} - {function.__name__ for function in CALLS}
    assert not unknown, f"DIFFERENCES has calls that are not made: {unknown}"
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    ours, theirs = Side(arguments.emulator), Side(f"http://{host}:{port}")
    failed = 0
    try:
        for function in CALLS:
            name = function.__name__
            outcome, other = ours.run(function), theirs.run(function)
            found = {(name, difference) for difference in compare(outcome, other)}
            listed = {key for key in expected if key[0] == name}
            if found != listed:
                failed += 1
                print(name)
                for difference in sorted(difference for _, difference in found - listed):
                    print(f"  not listed          {difference}")
                for difference in sorted(difference for _, difference in listed - found):
                    print(f"  listed, but is not  {difference}")
                print(f"  emulator {outcome}\n  moto     {other}")
    except BaseException:
        for function in CLEANING:
            ours.run(function)
        raise
    finally:
        moto.stop()
    if arguments.show:
        for calls, found, reason in DIFFERENCES:
            print(f"{calls}\n  {', '.join(found)}\n  {reason}")
    print(f"{len(CALLS)} calls, {len({name for name, _ in expected})} with listed differences")
    print(f"{len(CALLS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
