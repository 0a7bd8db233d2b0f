//! The configuration of a delivery stream as the API and CloudFormation write it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::error::ApiError;

/// What a stream is made of; kept with it, and what DescribeDeliveryStream shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    /// `DirectPut` or `KinesisStreamAsSource`.
    #[serde(default = "direct_put")]
    pub delivery_stream_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinesis_stream_source_configuration: Option<KinesisSource>,
    #[serde(rename = "ExtendedS3DestinationConfiguration")]
    pub s3: S3,
}

/// `KinesisStreamSourceConfiguration`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KinesisSource {
    #[serde(rename = "KinesisStreamARN")]
    pub stream_arn: String,
    #[serde(rename = "RoleARN")]
    pub role_arn: String,
}

/// `ExtendedS3DestinationConfiguration`; `S3BackupConfiguration` is a smaller one of the same shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct S3 {
    #[serde(rename = "RoleARN")]
    pub role_arn: String,
    #[serde(rename = "BucketARN")]
    pub bucket_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_output_prefix: Option<String>,
    #[serde(default)]
    pub buffering_hints: BufferingHints,
    #[serde(default = "uncompressed")]
    pub compression_format: String,
    #[serde(default = "unencrypted")]
    pub encryption_configuration: Value,
    #[serde(default)]
    pub cloud_watch_logging_options: Logging,
    #[serde(default)]
    pub processing_configuration: Processing,
    #[serde(rename = "S3BackupMode", default = "disabled")]
    pub backup_mode: String,
    #[serde(rename = "S3BackupConfiguration", skip_serializing_if = "Option::is_none")]
    pub backup: Option<Box<S3>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_format_conversion_configuration: Option<Switch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic_partitioning_configuration: Option<Switch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_time_zone: Option<String>,
}

/// `BufferingHints`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BufferingHints {
    #[serde(rename = "SizeInMBs", default = "default_size", deserialize_with = "number")]
    pub size: u64,
    #[serde(rename = "IntervalInSeconds", default = "default_interval", deserialize_with = "number")]
    pub interval: u64,
}

impl Default for BufferingHints {
    fn default() -> Self {
        BufferingHints { size: default_size(), interval: default_interval() }
    }
}

/// `CloudWatchLoggingOptions`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Logging {
    #[serde(default, deserialize_with = "flag")]
    pub enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_stream_name: Option<String>,
}

/// `ProcessingConfiguration`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Processing {
    #[serde(default, deserialize_with = "flag")]
    pub enabled: bool,
    #[serde(default)]
    pub processors: Vec<Processor>,
}

/// A processor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Processor {
    pub r#type: String,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
}

/// A parameter of a processor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parameter {
    pub parameter_name: String,
    #[serde(deserialize_with = "text")]
    pub parameter_value: String,
}

/// A feature that is only looked at to see whether it is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Switch {
    /// On when the configuration is given without it (Firehose API).
    #[serde(default = "on", deserialize_with = "flag")]
    pub enabled: bool,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Destinations of Firehose that are not S3.
const OTHER_DESTINATIONS: &[&str] = &[
    "AmazonOpenSearchServerlessDestinationConfiguration",
    "AmazonopensearchserviceDestinationConfiguration",
    "ElasticsearchDestinationConfiguration",
    "HttpEndpointDestinationConfiguration",
    "IcebergDestinationConfiguration",
    "RedshiftDestinationConfiguration",
    "SnowflakeDestinationConfiguration",
    "SplunkDestinationConfiguration",
];

/// Sources of Firehose that are not Kinesis.
const OTHER_SOURCES: &[&str] = &["DatabaseSourceConfiguration", "MSKSourceConfiguration"];

/// Properties of a stream that are no configuration of its delivery.
const BESIDE: &[&str] = &[
    "DeliveryStreamName",
    "Tags",
    // Accepted: everything here is on the same disk.
    "DeliveryStreamEncryptionConfigurationInput",
    // The direct put's own throughput hint: the quotas here are those of a stream without one.
    "DirectPutSourceConfiguration",
];

impl Configuration {
    /// Reads the properties of a stream, as CreateDeliveryStream or CloudFormation has them.
    pub fn read(properties: &Value) -> Result<Configuration, ApiError> {
        let mut given = properties.as_object().cloned().ok_or_else(|| invalid("the properties are not an object"))?;
        given.retain(|name, value| !value.is_null() && !BESIDE.contains(&name.as_str()));
        for name in OTHER_DESTINATIONS.iter().chain(OTHER_SOURCES) {
            if given.contains_key(*name) {
                return Err(invalid(format!(
                    "{name} is not emulated: the Logmill emulator takes direct put and Kinesis sources, and S3 destinations"
                )));
            }
        }
        if let Some(plain) = given.remove("S3DestinationConfiguration")
            && given.insert("ExtendedS3DestinationConfiguration".into(), plain).is_some()
        {
            return Err(invalid("exactly one destination configuration is supported for a Firehose"));
        }
        if !given.contains_key("ExtendedS3DestinationConfiguration") {
            return Err(invalid("exactly one destination configuration is supported for a Firehose: none was given"));
        }
        let known = ["DeliveryStreamType", "KinesisStreamSourceConfiguration", "ExtendedS3DestinationConfiguration"];
        if let Some(unknown) = given.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(invalid(format!("unknown property {unknown}")));
        }
        if given.contains_key("KinesisStreamSourceConfiguration") && !given.contains_key("DeliveryStreamType") {
            given.insert("DeliveryStreamType".into(), "KinesisStreamAsSource".into());
        }
        serde_json::from_value(Value::Object(given)).map_err(invalid)
    }

    /// Whether a function transforms the records.
    pub fn transforms(&self) -> bool {
        let processing = &self.s3.processing_configuration;
        processing.enabled && processing.processors.iter().any(|processor| processor.r#type == "Lambda")
    }

    /// Whether records are kept as they came, too.
    pub fn backs_up(&self) -> bool {
        self.s3.backup_mode == "Enabled"
    }

    /// This configuration with the S3 settings that `update` (an `ExtendedS3DestinationUpdate` or `S3DestinationUpdate`) gives.
    pub fn updated(&self, update: &Value) -> Result<Configuration, ApiError> {
        let mut s3 = serde_json::to_value(&self.s3).map_err(ApiError::internal)?;
        merge(&mut s3, update)?;
        Ok(Configuration { s3: serde_json::from_value(s3).map_err(invalid)?, ..self.clone() })
    }
}

/// Settings that are given replace those that are there; the backup's are merged in the same way.
fn merge(into: &mut Value, update: &Value) -> Result<(), ApiError> {
    let (Some(into), Some(update)) = (into.as_object_mut(), update.as_object()) else {
        return Err(invalid("the destination update is not an object"));
    };
    for (name, value) in update.iter().filter(|(_, value)| !value.is_null()) {
        match (name.as_str(), into.get_mut("S3BackupConfiguration")) {
            ("S3BackupUpdate", Some(backup)) => merge(backup, value)?,
            ("S3BackupUpdate", None) => {
                into.insert("S3BackupConfiguration".into(), value.clone());
            }
            (name, _) => {
                into.insert(name.into(), value.clone());
            }
        }
    }
    Ok(())
}

/// InvalidArgumentException.
pub fn invalid(message: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request("InvalidArgumentException", message.to_string())
}

fn direct_put() -> String {
    "DirectPut".into()
}

fn uncompressed() -> String {
    "UNCOMPRESSED".into()
}

fn unencrypted() -> Value {
    serde_json::json!({ "NoEncryptionConfig": "NoEncryption" })
}

fn disabled() -> String {
    "Disabled".into()
}

fn on() -> bool {
    true
}

fn default_size() -> u64 {
    delivery::DEFAULT_SIZE_MB
}

fn default_interval() -> u64 {
    delivery::DEFAULT_INTERVAL_SECONDS
}

/// A scalar of a template: parameters are strings wherever they stand.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Flag(bool),
    Number(serde_json::Number),
    Text(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Flag(flag) => flag.fmt(f),
            Scalar::Number(number) => number.fmt(f),
            Scalar::Text(text) => text.fmt(f),
        }
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = Scalar::deserialize(deserializer)?.to_string();
    text.parse().map_err(|_| serde::de::Error::custom(format!("{text:?} is not a whole number")))
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let text = Scalar::deserialize(deserializer)?.to_string();
    text.parse().map_err(|_| serde::de::Error::custom(format!("{text:?} is neither true nor false")))
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Scalar::deserialize(deserializer)?.to_string())
}

impl rusqlite::types::FromSql for Configuration {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map_err(|e| rusqlite::types::FromSqlError::Other(Box::new(e)))
    }
}
