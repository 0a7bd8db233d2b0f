"""Kinesis and Firehose."""


def kinesis_create(s): return s.kinesis.create_stream(StreamName="parity", ShardCount=2)
def kinesis_create_again(s): return s.kinesis.create_stream(StreamName="parity", ShardCount=2)
def kinesis_summary(s):
    s.kinesis.get_waiter("stream_exists").wait(StreamName="parity", WaiterConfig={"Delay": 1})
    return s.kinesis.describe_stream_summary(StreamName="parity")
def kinesis_describe(s): return s.kinesis.describe_stream(StreamName="parity")
def kinesis_list(s): return s.kinesis.list_streams()
def kinesis_list_shards(s): return s.kinesis.list_shards(StreamName="parity")
def kinesis_put(s): return s.kinesis.put_record(StreamName="parity", Data=b"1", PartitionKey="a")
def kinesis_put_missing(s): return s.kinesis.put_record(StreamName="none", Data=b"1", PartitionKey="a")
def kinesis_put_by_hash(s): return s.kinesis.put_record(StreamName="parity", Data=b"1", PartitionKey="a", ExplicitHashKey=str((1 << 128) - 1))
def kinesis_put_bad_hash(s): return s.kinesis.put_record(StreamName="parity", Data=b"1", PartitionKey="a", ExplicitHashKey=str(1 << 128))
def kinesis_put_long_key(s): return s.kinesis.put_record(StreamName="parity", Data=b"1", PartitionKey="a" * 257)
def kinesis_puts(s): return s.kinesis.put_records(StreamName="parity", Records=[{"Data": b"2", "PartitionKey": str(n)} for n in range(9)])
def kinesis_puts_too_many(s): return s.kinesis.put_records(StreamName="parity", Records=[{"Data": b"2", "PartitionKey": "k"}] * 501)
def kinesis_iterator(s):
    answer = s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")
    s.kept["iterator"] = answer["ShardIterator"]
    return answer
def kinesis_iterator_missing_shard(s):
    return s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000009", ShardIteratorType="LATEST")
def kinesis_iterator_at_time(s):
    return s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000001", ShardIteratorType="AT_TIMESTAMP", Timestamp=1)
def kinesis_iterator_no_sequence(s):
    return s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000001", ShardIteratorType="AT_SEQUENCE_NUMBER")
def kinesis_iterator_bad_type(s):
    return s.kinesis.get_shard_iterator(StreamName="parity", ShardId="shardId-000000000001", ShardIteratorType="NEVER")
def kinesis_records_bad_iterator(s): return s.kinesis.get_records(ShardIterator="none")
def kinesis_records(s): return s.kinesis.get_records(ShardIterator=s.kept["iterator"])
def kinesis_records_too_many(s): return s.kinesis.get_records(ShardIterator=s.kept["iterator"], Limit=10001)
def kinesis_split(s):
    return s.kinesis.split_shard(StreamName="parity", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 125))
def kinesis_split_missing_shard(s):
    s.kinesis.get_waiter("stream_exists").wait(StreamName="parity", WaiterConfig={"Delay": 1})
    return s.kinesis.split_shard(StreamName="parity", ShardToSplit="shardId-000000000009", NewStartingHashKey=str(1 << 125))
def kinesis_merge_not_adjacent(s):
    return s.kinesis.merge_shards(StreamName="parity", ShardToMerge="shardId-000000000002", AdjacentShardToMerge="shardId-000000000001")
def kinesis_shards_after_split(s): return s.kinesis.list_shards(StreamName="parity")
def kinesis_retention(s): return s.kinesis.increase_stream_retention_period(StreamName="parity", RetentionPeriodHours=48)
def kinesis_retention_lower(s): return s.kinesis.increase_stream_retention_period(StreamName="parity", RetentionPeriodHours=25)
def kinesis_tag(s): return s.kinesis.add_tags_to_stream(StreamName="parity", Tags={"a": "b"})
def kinesis_tags(s): return s.kinesis.list_tags_for_stream(StreamName="parity")
def kinesis_delete(s): return s.kinesis.delete_stream(StreamName="parity")
def kinesis_describe_missing(s): return s.kinesis.describe_stream(StreamName="none")
def firehose_create(s):
    return s.firehose.create_delivery_stream(
        DeliveryStreamName="parity", DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::parity",
                                            "Prefix": "p/", "CompressionFormat": "GZIP"})
def firehose_create_again(s):
    return s.firehose.create_delivery_stream(
        DeliveryStreamName="parity",
        ExtendedS3DestinationConfiguration={"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::parity"})
def firehose_describe(s): return s.firehose.describe_delivery_stream(DeliveryStreamName="parity")
def firehose_describe_missing(s): return s.firehose.describe_delivery_stream(DeliveryStreamName="none")
def firehose_update(s):
    return s.firehose.update_destination(
        DeliveryStreamName="parity", CurrentDeliveryStreamVersionId="1", DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60}})
def firehose_update_old_version(s):
    return s.firehose.update_destination(
        DeliveryStreamName="parity", CurrentDeliveryStreamVersionId="1", DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"Prefix": "q/"})
def firehose_describe_updated(s): return s.firehose.describe_delivery_stream(DeliveryStreamName="parity")
def firehose_tag(s): return s.firehose.tag_delivery_stream(DeliveryStreamName="parity", Tags=[{"Key": "a", "Value": "b"}])
def firehose_tags(s): return s.firehose.list_tags_for_delivery_stream(DeliveryStreamName="parity")
def firehose_list(s): return s.firehose.list_delivery_streams()
def firehose_put(s): return s.firehose.put_record(DeliveryStreamName="parity", Record={"Data": b"x\n"})
def firehose_put_missing(s): return s.firehose.put_record(DeliveryStreamName="none", Record={"Data": b"x\n"})
def firehose_batch(s): return s.firehose.put_record_batch(DeliveryStreamName="parity", Records=[{"Data": b"x\n"}] * 3)
def firehose_batch_too_many(s): return s.firehose.put_record_batch(DeliveryStreamName="parity", Records=[{"Data": b"x"}] * 501)
def firehose_delete(s): return s.firehose.delete_delivery_stream(DeliveryStreamName="parity")
# The bucket of the S3 calls, where Firehose delivered to.
def s3_delete_bucket(s):
    for listed in s.s3.list_objects_v2(Bucket="parity").get("Contents", []):
        s.s3.delete_object(Bucket="parity", Key=listed["Key"])
    return s.s3.delete_bucket(Bucket="parity")
def s3_delete_bucket_missing(s): return s.s3.delete_bucket(Bucket="parity")


CLEANING = [kinesis_delete, firehose_delete, s3_delete_bucket]
