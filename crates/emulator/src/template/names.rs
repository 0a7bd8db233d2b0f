//! What `Ref` and `GetAtt` give of each type: every physical id follows from names, so it is known before anything is made.

use sha2::{Digest, Sha256};

use crate::config::Config;

/// The name of the emulator's one stack (`AWS::StackName`); it begins the names of resources that have none of their own.
pub const STACK_NAME: &str = "logmill";

/// The property that names a resource of this type, where there is one.
pub fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::CloudWatch::Alarm" => "AlarmName",
        "AWS::Events::Rule" | "AWS::Kinesis::Stream" | "AWS::Scheduler::Schedule" => "Name",
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::KinesisFirehose::DeliveryStream" => "DeliveryStreamName",
        "AWS::Lambda::Function" => "FunctionName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::Logs::LogStream" => "LogStreamName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        _ => return None,
    })
}

/// The name of a resource that the template gives none: the same at every start.
pub fn generated_name(kind: &str, id: &str) -> String {
    let name = format!("{STACK_NAME}-{id}-{}", hash(id));
    if kind == "AWS::S3::Bucket" { name.to_lowercase() } else { name }
}

fn hash(id: &str) -> String {
    let digest = Sha256::digest(format!("{STACK_NAME}/{id}"));
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A UUID that follows from the logical id.
fn uuid(id: &str) -> String {
    let hex: String =
        Sha256::digest(format!("{STACK_NAME}/{id}")).iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// A resource, by what its ids are made of.
pub struct Named<'r> {
    /// Its logical id.
    pub id: &'r str,
    /// `AWS::…`.
    pub kind: &'r str,
    /// Its physical name.
    pub name: &'r str,
}

impl Named<'_> {
    /// `!Ref`.
    pub fn reference(&self, config: &Config) -> String {
        match self.kind {
            "AWS::SNS::Topic" | "AWS::IAM::ManagedPolicy" => self.arn(config),
            "AWS::SNS::Subscription" => format!("{}:{}", config.arn("sns", self.name), uuid(self.id)),
            "AWS::SQS::Queue" => format!("{}/{}/{}", config.endpoint(), config.account, self.name),
            "AWS::Lambda::EventSourceMapping" => uuid(self.id),
            _ => self.name.to_owned(),
        }
    }

    /// `!GetAtt`, of the attributes that [`Named::attributes`] lists.
    pub fn attribute(&self, attribute: &str, config: &Config) -> Option<String> {
        if !self.attributes().contains(&attribute) {
            return None;
        }
        Some(match (self.kind, attribute) {
            (_, "Arn" | "TopicArn" | "EventSourceMappingArn") => self.arn(config),
            ("AWS::S3::Bucket", "DomainName") => format!("{}.s3.amazonaws.com", self.name),
            ("AWS::S3::Bucket", "RegionalDomainName") => format!("{}.s3.{}.amazonaws.com", self.name, config.region),
            (_, "FunctionUrl") => self.url_placeholder(config),
            (_, "RoleId") => format!("AROA{}", hash(self.id).to_uppercase()),
            (_, "QueueUrl" | "Id") => self.reference(config),
            _ => self.name.to_owned(), // QueueName, TopicName
        })
    }

    /// The attributes that the emulator knows.
    pub fn attributes(&self) -> &'static [&'static str] {
        match self.kind {
            "AWS::S3::Bucket" => &["Arn", "DomainName", "RegionalDomainName"],
            "AWS::SNS::Topic" => &["TopicArn", "TopicName"],
            "AWS::SQS::Queue" => &["Arn", "QueueName", "QueueUrl"],
            "AWS::IAM::Role" => &["Arn", "RoleId"],
            "AWS::Lambda::EventSourceMapping" => &["EventSourceMappingArn", "Id"],
            "AWS::Lambda::Url" => &["FunctionUrl"],
            "AWS::CloudWatch::Alarm"
            | "AWS::Events::Rule"
            | "AWS::Kinesis::Stream"
            | "AWS::KinesisFirehose::DeliveryStream"
            | "AWS::Lambda::Function"
            | "AWS::Logs::LogGroup"
            | "AWS::Scheduler::Schedule" => &["Arn"],
            _ => &[],
        }
    }

    fn arn(&self, config: &Config) -> String {
        let name = self.name;
        match self.kind {
            "AWS::CloudWatch::Alarm" => config.arn("cloudwatch", &format!("alarm:{name}")),
            "AWS::Events::Rule" => config.arn("events", &format!("rule/{name}")),
            "AWS::IAM::Role" => format!("arn:aws:iam::{}:role/{name}", config.account),
            "AWS::IAM::ManagedPolicy" => format!("arn:aws:iam::{}:policy/{name}", config.account),
            "AWS::Kinesis::Stream" => config.arn("kinesis", &format!("stream/{name}")),
            "AWS::KinesisFirehose::DeliveryStream" => config.arn("firehose", &format!("deliverystream/{name}")),
            "AWS::Lambda::Function" => config.arn("lambda", &format!("function:{name}")),
            "AWS::Lambda::EventSourceMapping" => {
                config.arn("lambda", &format!("event-source-mapping:{}", uuid(self.id)))
            }
            "AWS::Logs::LogGroup" => config.arn("logs", &format!("log-group:{name}:*")),
            "AWS::S3::Bucket" => format!("arn:aws:s3:::{name}"),
            "AWS::Scheduler::Schedule" => config.arn("scheduler", &format!("schedule/default/{name}")),
            "AWS::SNS::Topic" => config.arn("sns", name),
            _ => config.arn("sqs", name),
        }
    }

    /// A function URL has its port only once it is made: this stands for it until then (`deploy` puts the real one in its place).
    pub fn url_placeholder(&self, config: &Config) -> String {
        format!("https://{}.lambda-url.{}.on.aws/", hash(self.id), config.region)
    }
}
