//! The making of each resource type, through the service that has it. A type that nothing of ours reads (roles, permissions,
//! alarms) is known by its place in the stack alone.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::load::{Resource, Template};
use crate::error::ApiError;
use crate::services::lambda::{AsyncSpec, FunctionSpec};
use crate::services::s3::{BucketSpec, Notification};
use crate::services::sns::SubscriptionSpec;
use crate::services::sqs::QueueSpec;
use crate::services::{firehose, kinesis, lambda, logs, s3, sns, sqs};
use crate::store::Tx;

/// Lambda's defaults (AWS Lambda quotas and API reference, CreateFunction).
const DEFAULT_TIMEOUT: u32 = 3;
const DEFAULT_MEMORY: u32 = 128;
const DEFAULT_EPHEMERAL_STORAGE: u32 = 512;

/// SQS's defaults (API reference, CreateQueue), seconds.
const DEFAULT_VISIBILITY: i64 = 30;
const DEFAULT_QUEUE_RETENTION: i64 = 345_600;

/// Kinesis's defaults: hours kept; shards of an on-demand stream at its start.
const DEFAULT_STREAM_RETENTION: u64 = 24;
const ON_DEMAND_SHARDS: u64 = 4;

/// Makes a resource or brings it to what the template says. Returns the URL of an `AWS::Lambda::Url`.
pub fn resource(tx: &Tx<'_>, template: &Template, resource: &Resource) -> Result<Option<String>, ApiError> {
    let (name, properties) = (resource.name.as_str(), &resource.properties);
    match resource.kind.as_str() {
        "AWS::S3::Bucket" => s3::ensure_bucket(tx, &bucket(template, resource)?)?,
        "AWS::SNS::Topic" => topic(tx, template, resource)?,
        "AWS::SNS::Subscription" => subscription(tx, resource)?,
        "AWS::SQS::Queue" => drop(sqs::ensure_queue(tx, &queue(template, resource)?)?),
        "AWS::Kinesis::Stream" => {
            let on_demand = properties.pointer("/StreamModeDetails/StreamMode") == Some(&json!("ON_DEMAND"));
            let shards = number(properties, "ShardCount", if on_demand { ON_DEMAND_SHARDS } else { 1 });
            let retention = number(properties, "RetentionPeriodHours", DEFAULT_STREAM_RETENTION);
            kinesis::ensure_stream(tx, name, shards as u32, retention as u32)?;
        }
        "AWS::KinesisFirehose::DeliveryStream" => drop(firehose::ensure_stream(tx, name, properties)?),
        "AWS::Logs::LogGroup" => {
            let days = properties.get("RetentionInDays").and_then(Value::as_u64);
            logs::ensure_group(tx, name, days.map(|days| days as u32))?;
        }
        "AWS::Logs::LogStream" => logs::append(tx, resource.text("LogGroupName").unwrap_or_default(), name, &[])?,
        "AWS::Lambda::Function" => drop(lambda::ensure_function(tx, &function(template, resource)?)?),
        "AWS::Lambda::EventSourceMapping" => drop(lambda::ensure_mapping(tx, properties)?),
        "AWS::Lambda::Url" => {
            let target = resource.text("TargetFunctionArn").unwrap_or_default();
            let auth = resource.text("AuthType").unwrap_or("AWS_IAM");
            return lambda::ensure_url(tx, last_part(target), auth, properties.get("Cors")).map(Some);
        }
        "AWS::Events::Rule" => rule(tx, resource)?,
        "AWS::Scheduler::Schedule" => schedule(tx, resource)?,
        // Parts of the resource that they name, which takes them from the template (`attached`).
        "AWS::S3::BucketPolicy"
        | "AWS::SNS::TopicPolicy"
        | "AWS::SQS::QueuePolicy"
        | "AWS::Lambda::EventInvokeConfig" => {}
        // Nobody asks for permission here, and alarms are not evaluated by the emulator.
        "AWS::IAM::Role" | "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => {}
        "AWS::Lambda::Permission" | "AWS::CloudWatch::Alarm" => {}
        other => return Err(ApiError::not_emulated("cloudformation", other)),
    }
    Ok(None)
}

fn number(properties: &Value, name: &str, default: u64) -> u64 {
    properties.get(name).and_then(Value::as_u64).unwrap_or(default)
}

fn last_part(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// The resources of a type that name `target` in a property, which is text or a list of texts.
fn attached<'t>(
    template: &'t Template,
    kind: &str,
    property: &str,
    target: &str,
) -> impl Iterator<Item = &'t Resource> {
    template.resources.iter().filter(move |resource| {
        resource.kind == kind
            && match resource.properties.get(property) {
                Some(Value::String(text)) => text == target,
                Some(Value::Array(items)) => items.iter().any(|item| item == target),
                _ => false,
            }
    })
}

fn policy(template: &Template, kind: &str, property: &str, target: &str) -> Option<Value> {
    attached(template, kind, property, target).find_map(|resource| resource.properties.get("PolicyDocument").cloned())
}

fn invalid(what: &str, error: serde_json::Error) -> ApiError {
    ApiError::bad_request("ValidationError", format!("{what}: {error}"))
}

fn bucket(template: &Template, resource: &Resource) -> Result<BucketSpec, ApiError> {
    let properties = resource.properties.as_object().into_iter().flatten();
    let kept = properties.filter(|(key, _)| !["BucketName", "NotificationConfiguration"].contains(&key.as_str()));
    let mut configuration: BTreeMap<String, Value> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    let policy = policy(template, "AWS::S3::BucketPolicy", "Bucket", &resource.name);
    configuration.extend(policy.map(|policy| ("Policy".to_owned(), policy)));
    let notifications = match resource.properties.get("NotificationConfiguration") {
        Some(configuration) => notifications(resource, configuration)?,
        None => Vec::new(),
    };
    Ok(BucketSpec { name: resource.name.clone(), notifications, configuration })
}

/// The three lists of a `NotificationConfiguration`, with the key that holds the destination.
const DESTINATIONS: [(&str, &str); 3] =
    [("TopicConfigurations", "Topic"), ("QueueConfigurations", "Queue"), ("LambdaConfigurations", "Function")];

fn notifications(resource: &Resource, configuration: &Value) -> Result<Vec<Notification>, ApiError> {
    let mut notifications = Vec::new();
    for (list, destination) in DESTINATIONS {
        for item in configuration.get(list).and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut notification = Notification {
                id: format!("{}-{}", resource.id, notifications.len()),
                events: vec![text("Event")],
                prefix: None,
                suffix: None,
                destination: text(destination),
            };
            for rule in item.pointer("/Filter/S3Key/Rules").and_then(Value::as_array).into_iter().flatten() {
                let value = rule["Value"].as_str().map(str::to_owned);
                match rule["Name"].as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "prefix" => notification.prefix = value,
                    "suffix" => notification.suffix = value,
                    other => {
                        let message = format!("notification filter {other:?}: expected prefix or suffix");
                        return Err(ApiError::bad_request("InvalidArgument", message));
                    }
                }
            }
            notifications.push(notification);
        }
    }
    Ok(notifications)
}

fn topic(tx: &Tx<'_>, template: &Template, resource: &Resource) -> Result<(), ApiError> {
    let properties = resource.properties.as_object().into_iter().flatten();
    let kept = properties.filter(|(key, _)| !["TopicName", "Subscription", "Tags"].contains(&key.as_str()));
    let mut attributes: BTreeMap<String, String> = kept.map(|(key, value)| (key.clone(), text(value))).collect();
    let policy = policy(template, "AWS::SNS::TopicPolicy", "Topics", &resource.physical_id);
    attributes.extend(policy.map(|policy| ("Policy".to_owned(), policy.to_string())));
    let topic_arn = sns::ensure_topic(tx, &resource.name, &attributes)?;
    for item in resource.properties.get("Subscription").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        subscribe(tx, topic_arn.clone(), part("Protocol"), part("Endpoint"), &Value::Null)?;
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn subscription(tx: &Tx<'_>, resource: &Resource) -> Result<(), ApiError> {
    let part = |name: &str| resource.text(name).unwrap_or_default().to_owned();
    subscribe(tx, part("TopicArn"), part("Protocol"), part("Endpoint"), &resource.properties)
}

fn subscribe(
    tx: &Tx<'_>,
    topic_arn: String,
    protocol: String,
    endpoint: String,
    options: &Value,
) -> Result<(), ApiError> {
    // The emulator delivers to queues and functions; an e-mail address or a URL of the world outside gets nothing from it.
    if ["email", "email-json", "sms", "http", "https"].contains(&protocol.as_str()) {
        tracing::info!(
            topic = topic_arn,
            protocol,
            endpoint,
            "subscription not made: the emulator delivers to sqs and lambda"
        );
        return Ok(());
    }
    let spec = SubscriptionSpec {
        topic_arn,
        protocol,
        endpoint,
        raw: options.get("RawMessageDelivery") == Some(&Value::Bool(true)),
        filter_policy: options.get("FilterPolicy").cloned(),
        filter_body: options.get("FilterPolicyScope").and_then(Value::as_str) == Some("MessageBody"),
    };
    sns::ensure_subscription(tx, &spec).map(drop)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Redrive {
    dead_letter_target_arn: String,
    max_receive_count: Value, // a number, or text where it came from a parameter
}

fn queue(template: &Template, resource: &Resource) -> Result<QueueSpec, ApiError> {
    const OWN: [&str; 7] = [
        "QueueName",
        "VisibilityTimeout",
        "MessageRetentionPeriod",
        "DelaySeconds",
        "ReceiveMessageWaitTimeSeconds",
        "RedrivePolicy",
        "Tags",
    ];
    let properties = &resource.properties;
    let seconds = |name: &str, default: i64| properties.get(name).and_then(Value::as_i64).unwrap_or(default);
    let redrive = match properties.get("RedrivePolicy") {
        Some(value) => {
            let redrive: Redrive = serde_json::from_value(value.clone()).map_err(|e| invalid("RedrivePolicy", e))?;
            let count = text(&redrive.max_receive_count).parse().map_err(|_| {
                let message =
                    format!("RedrivePolicy: maxReceiveCount {}: expected a number", redrive.max_receive_count);
                ApiError::bad_request("ValidationError", message)
            })?;
            Some((redrive.dead_letter_target_arn, count))
        }
        None => None,
    };
    let kept = properties.as_object().into_iter().flatten().filter(|(key, _)| !OWN.contains(&key.as_str()));
    let mut attributes: BTreeMap<String, String> = kept.map(|(key, value)| (key.clone(), text(value))).collect();
    let policy = policy(template, "AWS::SQS::QueuePolicy", "Queues", &resource.physical_id);
    attributes.extend(policy.map(|policy| ("Policy".to_owned(), policy.to_string())));
    Ok(QueueSpec {
        name: resource.name.clone(),
        visibility_timeout: seconds("VisibilityTimeout", DEFAULT_VISIBILITY),
        retention: seconds("MessageRetentionPeriod", DEFAULT_QUEUE_RETENTION),
        delay: seconds("DelaySeconds", 0),
        receive_wait: seconds("ReceiveMessageWaitTimeSeconds", 0),
        redrive,
        attributes,
    })
}

fn function(template: &Template, resource: &Resource) -> Result<FunctionSpec, ApiError> {
    let properties = &resource.properties;
    let variables = properties.pointer("/Environment/Variables").and_then(Value::as_object).into_iter().flatten();
    let small = |pointer: &str, default: u32| {
        properties.pointer(pointer).and_then(Value::as_u64).map_or(default, |value| value as u32)
    };
    Ok(FunctionSpec {
        name: resource.name.clone(),
        binary: resource.binary.clone().unwrap_or_else(|| resource.name.clone()),
        environment: variables.map(|(key, value)| (key.clone(), text(value))).collect(),
        timeout: small("/Timeout", DEFAULT_TIMEOUT),
        memory: small("/MemorySize", DEFAULT_MEMORY),
        ephemeral_storage: small("/EphemeralStorage/Size", DEFAULT_EPHEMERAL_STORAGE),
        reserved_concurrency: properties.get("ReservedConcurrentExecutions").and_then(Value::as_u64).map(|n| n as u32),
        asynchronous: asynchronous(template, resource),
    })
}

fn asynchronous(template: &Template, function: &Resource) -> AsyncSpec {
    let dead_letter = function.properties.pointer("/DeadLetterConfig/TargetArn").map(text);
    let name = function.name.as_str();
    let Some(config) = attached(template, "AWS::Lambda::EventInvokeConfig", "FunctionName", name).next() else {
        return AsyncSpec { dead_letter, ..AsyncSpec::default() };
    };
    let small = |name: &str| config.properties.get(name).and_then(Value::as_u64).map(|value| value as u32);
    AsyncSpec {
        retries: small("MaximumRetryAttempts"),
        max_age: small("MaximumEventAgeInSeconds"),
        on_success: config.properties.pointer("/DestinationConfig/OnSuccess/Destination").map(text),
        on_failure: config.properties.pointer("/DestinationConfig/OnFailure/Destination").map(text),
        dead_letter,
    }
}

/// A rule of EventBridge: a schedule with its targets. Event patterns have no source here.
fn rule(tx: &Tx<'_>, resource: &Resource) -> Result<(), ApiError> {
    let Some(expression) = resource.text("ScheduleExpression") else {
        return Err(ApiError::not_emulated("events", "rule with an EventPattern"));
    };
    let enabled = resource.text("State") != Some("DISABLED");
    for target in resource.properties.get("Targets").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| target.get(name).and_then(Value::as_str);
        let name = format!("{}/{}", resource.name, part("Id").unwrap_or_default());
        let arn = part("Arn").unwrap_or_default();
        lambda::ensure_schedule(tx, &name, expression, arn, part("Input"), enabled)?;
    }
    Ok(())
}

fn schedule(tx: &Tx<'_>, resource: &Resource) -> Result<(), ApiError> {
    let target = |name: &str| resource.properties.pointer(&format!("/Target/{name}")).and_then(Value::as_str);
    let enabled = resource.text("State") != Some("DISABLED");
    let expression = resource.text("ScheduleExpression").unwrap_or_default();
    lambda::ensure_schedule(tx, &resource.name, expression, target("Arn").unwrap_or_default(), target("Input"), enabled)
}
