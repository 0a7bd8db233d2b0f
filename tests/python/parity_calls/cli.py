"""awscli."""

import os
import tempfile


def cli_s3_mb(s): return s.cli("s3", "mb", "s3://parity-cli")
def cli_s3_cp(s): return s.cli("s3", "cp", "-", "s3://parity-cli/from/stdin.txt", "--no-progress", data="hello\n")
def cli_s3_sync(s):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a", "b"):
            with open(os.path.join(folder, name), "w") as file:
                file.write(name * 100)
        return s.cli("s3", "sync", ".", "s3://parity-cli/synced/", "--no-progress", folder=folder)
def cli_s3_ls(s): return s.cli("s3", "ls", "s3://parity-cli/", "--recursive")
def cli_s3_ls_missing(s): return s.cli("s3", "ls", "s3://parity-none/")
def cli_s3_cat(s): return s.cli("s3", "cp", "s3://parity-cli/from/stdin.txt", "-")
def cli_s3_mv(s): return s.cli("s3", "mv", "s3://parity-cli/from/stdin.txt", "s3://parity-cli/to/moved.txt", "--no-progress")
def cli_s3api_list(s): return s.cli("s3api", "list-objects-v2", "--bucket", "parity-cli")
def cli_s3_rb(s): return s.cli("s3", "rb", "s3://parity-cli", "--force")
def cli_kinesis_create(s): return s.cli("kinesis", "create-stream", "--stream-name", "cli", "--shard-count", "1")
def cli_kinesis_put(s):
    s.kinesis.get_waiter("stream_exists").wait(StreamName="cli", WaiterConfig={"Delay": 1})
    return s.cli("kinesis", "put-record", "--stream-name", "cli", "--partition-key", "k", "--data", "aGVsbG8=")
def cli_kinesis_delete(s): return s.cli("kinesis", "delete-stream", "--stream-name", "cli")
def cli_sqs_create(s): return s.cli("sqs", "create-queue", "--queue-name", "cli")
def cli_sqs_delete(s): return s.cli("sqs", "delete-queue", "--queue-url", s.sqs.get_queue_url(QueueName="cli")["QueueUrl"])
def cli_sns_create(s): return s.cli("sns", "create-topic", "--name", "cli")
def cli_sns_delete(s): return s.cli("sns", "delete-topic", "--topic-arn", s.sns.create_topic(Name="cli")["TopicArn"])
def cli_logs_create(s): return s.cli("logs", "create-log-group", "--log-group-name", "cli")
def cli_logs_delete(s): return s.cli("logs", "delete-log-group", "--log-group-name", "cli")
def cli_sts(s): return s.cli("sts", "get-caller-identity")
def cli_error(s): return s.cli("kinesis", "describe-stream", "--stream-name", "none")


CLEANING = [cli_s3_rb, cli_kinesis_delete, cli_sqs_delete, cli_sns_delete, cli_logs_delete]
