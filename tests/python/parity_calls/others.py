"""Logs, CloudWatch, STS, and Lambda without a function: those are made from a template only."""

import time


def logs_create_group(s): return s.logs.create_log_group(logGroupName="parity")
def logs_create_group_again(s): return s.logs.create_log_group(logGroupName="parity")
def logs_create_stream(s): return s.logs.create_log_stream(logGroupName="parity", logStreamName="s")
def logs_create_stream_again(s): return s.logs.create_log_stream(logGroupName="parity", logStreamName="s")
def logs_create_stream_missing_group(s): return s.logs.create_log_stream(logGroupName="none", logStreamName="s")
def logs_create_group_bad_name(s): return s.logs.create_log_group(logGroupName="a b")
def logs_retention(s): return s.logs.put_retention_policy(logGroupName="parity", retentionInDays=7)
def logs_retention_bad(s): return s.logs.put_retention_policy(logGroupName="parity", retentionInDays=8)
def logs_put(s):
    now = int(time.time() * 1000)
    return s.logs.put_log_events(logGroupName="parity", logStreamName="s",
                                 logEvents=[{"timestamp": now, "message": "one"}, {"timestamp": now + 1, "message": "two ERROR"}])
def logs_put_missing(s):
    return s.logs.put_log_events(logGroupName="none", logStreamName="s", logEvents=[{"timestamp": int(time.time() * 1000), "message": "m"}])
def logs_put_missing_stream(s):
    return s.logs.put_log_events(logGroupName="parity", logStreamName="none", logEvents=[{"timestamp": int(time.time() * 1000), "message": "m"}])
def logs_put_old(s): return s.logs.put_log_events(logGroupName="parity", logStreamName="s", logEvents=[{"timestamp": 1, "message": "m"}])
def logs_put_unsorted(s):
    now = int(time.time() * 1000)
    return s.logs.put_log_events(logGroupName="parity", logStreamName="s",
                                 logEvents=[{"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}])
def logs_get(s): return s.logs.get_log_events(logGroupName="parity", logStreamName="s", startFromHead=True)
def logs_get_missing(s): return s.logs.get_log_events(logGroupName="parity", logStreamName="none")
def logs_filter(s): return s.logs.filter_log_events(logGroupName="parity", filterPattern="ERROR")
def logs_filter_missing(s): return s.logs.filter_log_events(logGroupName="none")
def logs_groups(s): return s.logs.describe_log_groups(logGroupNamePrefix="parity")
def logs_streams(s): return s.logs.describe_log_streams(logGroupName="parity")
def logs_streams_missing(s): return s.logs.describe_log_streams(logGroupName="none")
def logs_streams_by_time(s): return s.logs.describe_log_streams(logGroupName="parity", orderBy="LastEventTime", descending=True)
def logs_delete(s): return s.logs.delete_log_group(logGroupName="parity")
def logs_delete_missing(s): return s.logs.delete_log_group(logGroupName="none")
def cloudwatch_put(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[
        {"MetricName": "m", "Value": 1.5, "Unit": "Count", "Dimensions": [{"Name": "d", "Value": "v"}]},
        {"MetricName": "n", "StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}}])
def cloudwatch_put_values(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[{"MetricName": "v", "Values": [1, 2.5], "Counts": [3, 4]}])
def cloudwatch_put_twice(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[{"MetricName": "v", "Value": 1, "Values": [1]}])
def cloudwatch_put_counts(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[{"MetricName": "v", "Values": [1], "Counts": [1, 2]}])
def cloudwatch_put_reserved(s): return s.cloudwatch.put_metric_data(Namespace="AWS/Parity", MetricData=[{"MetricName": "v", "Value": 1}])
def cloudwatch_put_nan(s):
    return s.cloudwatch.put_metric_data(Namespace="Parity", MetricData=[{"MetricName": "v", "Value": float("nan")}])
def cloudwatch_list(s): return s.cloudwatch.list_metrics(Namespace="Parity")
def cloudwatch_list_dimension(s): return s.cloudwatch.list_metrics(Namespace="Parity", Dimensions=[{"Name": "d", "Value": "v"}])
def cloudwatch_list_none(s): return s.cloudwatch.list_metrics(Namespace="None")
def sts_identity(s): return s.sts.get_caller_identity()
def lambda_get_missing(s): return s.client("lambda").get_function(FunctionName="none")
def lambda_configuration_missing(s): return s.client("lambda").get_function_configuration(FunctionName="none")
def lambda_invoke_missing(s): return s.client("lambda").invoke(FunctionName="none", Payload=b"{}")
def lambda_list(s): return s.client("lambda").list_functions()
def lambda_mappings(s): return s.client("lambda").list_event_source_mappings()
def lambda_mapping_missing(s): return s.client("lambda").get_event_source_mapping(UUID="14e0db71-0000-4000-8000-000000000000")
def lambda_mapping_missing_function(s):
    return s.client("lambda").create_event_source_mapping(FunctionName="none", EventSourceArn="arn:aws:sqs:us-east-1:000000000000:none")


CLEANING = [logs_delete]
