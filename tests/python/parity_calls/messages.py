"""SQS and SNS."""


def sqs_create(s):
    answer = s.sqs.create_queue(QueueName="parity", Attributes={"VisibilityTimeout": "5"})
    s.kept["queue"] = answer["QueueUrl"]
    return answer
def sqs_create_again(s): return s.sqs.create_queue(QueueName="parity", Attributes={"VisibilityTimeout": "5"})
def sqs_create_otherwise(s): return s.sqs.create_queue(QueueName="parity", Attributes={"VisibilityTimeout": "6"})
def sqs_create_bad_name(s): return s.sqs.create_queue(QueueName="a b")
def sqs_create_bad_attribute(s): return s.sqs.create_queue(QueueName="parity-bad", Attributes={"VisibilityTimeout": "43201"})
def sqs_url(s): return s.sqs.get_queue_url(QueueName="parity")
def sqs_url_missing(s): return s.sqs.get_queue_url(QueueName="none")
def sqs_attributes(s):
    answer = s.sqs.get_queue_attributes(QueueUrl=s.kept["queue"], AttributeNames=["QueueArn", "VisibilityTimeout", "ApproximateNumberOfMessages"])
    s.kept["queue-arn"] = answer["Attributes"]["QueueArn"]
    return answer
def sqs_attributes_all(s): return s.sqs.get_queue_attributes(QueueUrl=s.kept["queue"], AttributeNames=["All"])
def sqs_attributes_unknown(s): return s.sqs.get_queue_attributes(QueueUrl=s.kept["queue"], AttributeNames=["Colour"])
def sqs_attributes_missing_queue(s): return s.sqs.get_queue_attributes(QueueUrl=s.kept["queue"] + "-none", AttributeNames=["All"])
def sqs_set_attributes(s): return s.sqs.set_queue_attributes(QueueUrl=s.kept["queue"], Attributes={"VisibilityTimeout": "7"})
def sqs_tag(s): return s.sqs.tag_queue(QueueUrl=s.kept["queue"], Tags={"a": "b"})
def sqs_tags(s): return s.sqs.list_queue_tags(QueueUrl=s.kept["queue"])
def sqs_send(s):
    return s.sqs.send_message(QueueUrl=s.kept["queue"], MessageBody="hello",
                              MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
def sqs_send_missing(s): return s.sqs.send_message(QueueUrl=s.kept["queue"] + "-none", MessageBody="hello")
def sqs_send_empty(s): return s.sqs.send_message(QueueUrl=s.kept["queue"], MessageBody="")
def sqs_send_late(s): return s.sqs.send_message(QueueUrl=s.kept["queue"], MessageBody="hello", DelaySeconds=901)
def sqs_send_batch(s): return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": str(n), "MessageBody": "b"} for n in range(3)])
def sqs_send_batch_same_ids(s): return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": "1", "MessageBody": "b"}] * 2)
def sqs_send_batch_empty(s): return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[])
def sqs_send_batch_too_many(s):
    return s.sqs.send_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": str(n), "MessageBody": "b"} for n in range(11)])
def sqs_receive(s):
    answer = s.sqs.receive_message(QueueUrl=s.kept["queue"], MessageAttributeNames=["All"], WaitTimeSeconds=1)
    s.kept["receipt"] = answer["Messages"][0]["ReceiptHandle"]
    return answer
def sqs_receive_system_attributes(s): return s.sqs.receive_message(QueueUrl=s.kept["queue"], MessageSystemAttributeNames=["All"], MaxNumberOfMessages=1)
def sqs_receive_too_many(s): return s.sqs.receive_message(QueueUrl=s.kept["queue"], MaxNumberOfMessages=11)
def sqs_visibility(s): return s.sqs.change_message_visibility(QueueUrl=s.kept["queue"], ReceiptHandle=s.kept["receipt"], VisibilityTimeout=9)
def sqs_delete(s): return s.sqs.delete_message(QueueUrl=s.kept["queue"], ReceiptHandle=s.kept["receipt"])
def sqs_delete_again(s): return s.sqs.delete_message(QueueUrl=s.kept["queue"], ReceiptHandle=s.kept["receipt"])
def sqs_delete_bad_receipt(s): return s.sqs.delete_message(QueueUrl=s.kept["queue"], ReceiptHandle="none")
def sqs_delete_batch(s):
    return s.sqs.delete_message_batch(QueueUrl=s.kept["queue"], Entries=[{"Id": "1", "ReceiptHandle": s.kept["receipt"]}])
def sqs_list(s): return s.sqs.list_queues(QueueNamePrefix="parity")
def sns_create(s):
    answer = s.sns.create_topic(Name="parity")
    s.kept["topic"] = answer["TopicArn"]
    return answer
def sns_create_again(s): return s.sns.create_topic(Name="parity")
def sns_create_bad_name(s): return s.sns.create_topic(Name="a b")
def sns_subscribe(s):
    answer = s.sns.subscribe(TopicArn=s.kept["topic"], Protocol="sqs", Endpoint=s.kept["queue-arn"], ReturnSubscriptionArn=True)
    s.kept["subscription"] = answer["SubscriptionArn"]
    return answer
def sns_subscribe_missing(s): return s.sns.subscribe(TopicArn=s.kept["topic"] + "-none", Protocol="sqs", Endpoint=s.kept["queue-arn"])
def sns_subscribe_bad_protocol(s): return s.sns.subscribe(TopicArn=s.kept["topic"], Protocol="pigeon", Endpoint=s.kept["queue-arn"])
def sns_subscription(s): return s.sns.get_subscription_attributes(SubscriptionArn=s.kept["subscription"])
def sns_subscription_missing(s): return s.sns.get_subscription_attributes(SubscriptionArn=s.kept["subscription"][:-1] + "x")
def sns_filter(s):
    return s.sns.set_subscription_attributes(SubscriptionArn=s.kept["subscription"], AttributeName="FilterPolicy",
                                             AttributeValue='{"kind": ["a", {"prefix": "b"}]}')
def sns_filter_bad(s):
    return s.sns.set_subscription_attributes(SubscriptionArn=s.kept["subscription"], AttributeName="FilterPolicy", AttributeValue="{")
def sns_list_all(s): return s.sns.list_subscriptions()
def sns_list_topics(s): return s.sns.list_topics()
def sns_topic_attributes(s): return s.sns.get_topic_attributes(TopicArn=s.kept["topic"])
def sns_subscriptions(s): return s.sns.list_subscriptions_by_topic(TopicArn=s.kept["topic"])
def sns_raw(s):
    return s.sns.set_subscription_attributes(SubscriptionArn=s.kept["subscription"], AttributeName="RawMessageDelivery", AttributeValue="true")
def sns_publish(s): return s.sns.publish(TopicArn=s.kept["topic"], Message="m", Subject="s")
def sns_publish_attributes(s):
    return s.sns.publish(TopicArn=s.kept["topic"], Message="m", MessageAttributes={"kind": {"DataType": "String", "StringValue": "a"}})
def sns_publish_structured(s): return s.sns.publish(TopicArn=s.kept["topic"], Message='{"default": "m"}', MessageStructure="json")
def sns_publish_no_default(s): return s.sns.publish(TopicArn=s.kept["topic"], Message='{"sqs": "m"}', MessageStructure="json")
def sns_publish_too_long(s): return s.sns.publish(TopicArn=s.kept["topic"], Message="m" * (256 * 1024 + 1))
def sns_publish_empty(s): return s.sns.publish(TopicArn=s.kept["topic"], Message="")
def sns_publish_missing(s): return s.sns.publish(TopicArn=s.kept["topic"] + "-none", Message="m")
def sns_publish_batch(s): return s.sns.publish_batch(TopicArn=s.kept["topic"], PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}])
def sns_unsubscribe(s): return s.sns.unsubscribe(SubscriptionArn=s.kept["subscription"])
def sns_delete(s): return s.sns.delete_topic(TopicArn=s.kept["topic"])
def sqs_purge(s): return s.sqs.purge_queue(QueueUrl=s.kept["queue"])
def sqs_delete_queue(s): return s.sqs.delete_queue(QueueUrl=s.kept["queue"])


CLEANING = [sns_delete, sqs_delete_queue]
