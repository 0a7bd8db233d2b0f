//! What a configuration means: checked, with every default resolved.

use delivery::{Hints, Prefixes};
use jiff::tz::TimeZone;

use super::configuration::{Configuration, Processor, S3, invalid};
use crate::error::ApiError;

/// Default of a Lambda processor's `BufferSizeInMBs` (data transformation, Firehose guide), MB.
const DEFAULT_LAMBDA_SIZE_MB: f64 = 1.0;

/// Bounds of `BufferSizeInMBs` (data transformation, Firehose guide), MB.
const LAMBDA_SIZE_MB: std::ops::RangeInclusive<f64> = 0.2..=3.0;

/// Default of a Lambda processor's `BufferIntervalInSeconds` (ProcessorParameter, Firehose API).
const DEFAULT_LAMBDA_INTERVAL: u64 = 60;

/// Default of `NumberOfRetries` (data transformation failures, Firehose guide).
const DEFAULT_RETRIES: u32 = 3;

/// Greatest `NumberOfRetries` (ProcessorParameter, Firehose API).
const MAX_RETRIES: u32 = 300;

/// A stream's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the Kinesis stream that it reads.
    pub source: Option<Source>,
    /// Where records go, and failed ones.
    pub target: Target,
    /// The function that transforms records.
    pub transform: Option<Transform>,
    /// Appended to each record of a delivered object.
    pub delimiter: Option<String>,
    /// Where all records go as they came, while `Configuration::backs_up`.
    pub backup: Option<Target>,
    /// Log group and stream for errors.
    pub log: Option<(String, String)>,
}

/// The stream's source.
#[derive(Debug, Clone)]
pub struct Source {
    pub stream: String,
    pub arn: String,
}

/// A place in S3.
#[derive(Debug, Clone)]
pub struct Target {
    pub bucket: String,
    pub prefixes: Prefixes,
    pub zone: TimeZone,
    pub hints: Hints,
    pub gzip: bool,
    /// With its dot, or empty.
    pub extension: String,
}

/// The function that transforms records.
#[derive(Debug, Clone)]
pub struct Transform {
    pub arn: String,
    /// Its name: what is invoked.
    pub function: String,
    pub retries: u32,
    /// Of raw bytes.
    pub hints: Hints,
}

impl Settings {
    /// Checks a configuration.
    pub fn resolve(configuration: &Configuration) -> Result<Settings, ApiError> {
        let s3 = &configuration.s3;
        for (feature, switch) in [
            ("DataFormatConversionConfiguration", &s3.data_format_conversion_configuration),
            ("DynamicPartitioningConfiguration", &s3.dynamic_partitioning_configuration),
        ] {
            if switch.as_ref().is_some_and(|switch| switch.enabled) {
                return Err(ApiError::not_emulated("firehose", feature));
            }
        }
        let (transform, delimiter) = processors(s3)?;
        Ok(Settings {
            source: source(configuration)?,
            target: target(s3)?,
            transform,
            delimiter,
            backup: backup(s3)?,
            log: log(s3)?,
        })
    }
}

fn source(configuration: &Configuration) -> Result<Option<Source>, ApiError> {
    match (configuration.delivery_stream_type.as_str(), &configuration.kinesis_stream_source_configuration) {
        ("DirectPut", None) => Ok(None),
        ("DirectPut", Some(_)) => Err(invalid("KinesisStreamSourceConfiguration is not allowed with DirectPut")),
        ("KinesisStreamAsSource", Some(source)) => {
            let stream = last_of_arn(&source.stream_arn, "kinesis", "stream/")?;
            Ok(Some(Source { stream, arn: source.stream_arn.clone() }))
        }
        ("KinesisStreamAsSource", None) => {
            Err(invalid("KinesisStreamSourceConfiguration is required with KinesisStreamAsSource"))
        }
        (other, _) => Err(invalid(format!(
            "DeliveryStreamType {other:?} is not emulated: expected DirectPut or KinesisStreamAsSource"
        ))),
    }
}

fn target(s3: &S3) -> Result<Target, ApiError> {
    let bucket = s3.bucket_arn.strip_prefix("arn:aws:s3:::").filter(|name| !name.is_empty() && !name.contains('/'));
    let bucket =
        bucket.ok_or_else(|| invalid(format!("BucketARN {:?}: expected arn:aws:s3:::BUCKET", s3.bucket_arn)))?;
    let gzip = match s3.compression_format.as_str() {
        "UNCOMPRESSED" => false,
        "GZIP" => true,
        other @ ("ZIP" | "Snappy" | "HADOOP_SNAPPY") => {
            return Err(ApiError::not_emulated("firehose", &format!("CompressionFormat {other}")));
        }
        other => return Err(invalid(format!("CompressionFormat {other:?}: expected UNCOMPRESSED or GZIP"))),
    };
    let zone = match s3.custom_time_zone.as_deref().filter(|name| !name.is_empty()) {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name).map_err(|_| invalid(format!("CustomTimeZone {name:?} is not known")))?,
    };
    Ok(Target {
        bucket: bucket.to_owned(),
        prefixes: prefixes(s3, &zone)?,
        zone,
        hints: Hints::new(s3.buffering_hints.size, s3.buffering_hints.interval).map_err(invalid)?,
        gzip,
        extension: extension(s3, gzip)?,
    })
}

fn prefixes(s3: &S3, zone: &TimeZone) -> Result<Prefixes, ApiError> {
    let prefixes =
        Prefixes::parse(s3.prefix.as_deref(), s3.error_output_prefix.as_deref(), Some(zone)).map_err(invalid)?;
    if prefixes.uses_partition_keys() {
        return Err(invalid("Prefix uses partition keys, but DynamicPartitioningConfiguration is not enabled"));
    }
    Ok(prefixes)
}

/// `FileExtension` (Firehose API: a dot, then lower-case letters, digits and `!-_.*'()`, at most 128 characters) or what the
/// compression gives.
fn extension(s3: &S3, gzip: bool) -> Result<String, ApiError> {
    let Some(given) = s3.file_extension.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(if gzip { ".gz" } else { "" }.to_owned());
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "!-_.*'()".contains(c);
    match given.strip_prefix('.') {
        Some(rest) if !rest.is_empty() && given.len() <= 128 && rest.chars().all(allowed) => Ok(given.to_owned()),
        _ => Err(invalid(format!("FileExtension {given:?}: expected a dot and then a-z, 0-9 or any of !-_.*'()"))),
    }
}

fn backup(s3: &S3) -> Result<Option<Target>, ApiError> {
    match (s3.backup_mode.as_str(), &s3.backup) {
        // Switched off: what waits is still delivered.
        ("Disabled" | "Enabled", Some(backup)) => target(backup).map(Some),
        ("Disabled", None) => Ok(None),
        ("Enabled", None) => Err(invalid("S3BackupConfiguration is required when S3BackupMode is Enabled")),
        (other, _) => Err(invalid(format!("S3BackupMode {other:?}: expected Enabled or Disabled"))),
    }
}

fn log(s3: &S3) -> Result<Option<(String, String)>, ApiError> {
    let logging = &s3.cloud_watch_logging_options;
    match (logging.enabled, &logging.log_group_name, &logging.log_stream_name) {
        (false, ..) => Ok(None),
        (true, Some(group), Some(stream)) => Ok(Some((group.clone(), stream.clone()))),
        (true, ..) => Err(invalid("CloudWatchLoggingOptions needs LogGroupName and LogStreamName when it is enabled")),
    }
}

fn processors(s3: &S3) -> Result<(Option<Transform>, Option<String>), ApiError> {
    let (mut transform, mut delimiter) = (None, None);
    if !s3.processing_configuration.enabled {
        return Ok((transform, delimiter));
    }
    for processor in &s3.processing_configuration.processors {
        let twice = match processor.r#type.as_str() {
            "Lambda" => transform.replace(lambda(processor)?).is_some(),
            "AppendDelimiterToRecord" => delimiter.replace(unescape(parameter(processor, "Delimiter"))).is_some(),
            known @ ("RecordDeAggregation" | "Decompression" | "CloudWatchLogProcessing" | "MetadataExtraction") => {
                return Err(ApiError::not_emulated("firehose", &format!("processor {known}")));
            }
            other => return Err(invalid(format!("processor type {other:?} is not known"))),
        };
        if twice {
            return Err(invalid(format!("processor {} is given twice", processor.r#type)));
        }
    }
    Ok((transform, delimiter))
}

fn parameter<'p>(processor: &'p Processor, name: &str) -> Option<&'p str> {
    processor.parameters.iter().find(|p| p.parameter_name == name).map(|p| p.parameter_value.as_str())
}

/// `\n` as two characters is how templates and consoles write a line feed; it is the default too.
fn unescape(delimiter: Option<&str>) -> String {
    delimiter.unwrap_or("\\n").replace("\\n", "\n").replace("\\t", "\t")
}

fn lambda(processor: &Processor) -> Result<Transform, ApiError> {
    let arn = parameter(processor, "LambdaArn").ok_or_else(|| invalid("processor Lambda has no LambdaArn"))?;
    let function = last_of_arn(arn, "lambda", "function:")?;
    let retries = whole(processor, "NumberOfRetries", DEFAULT_RETRIES.into(), MAX_RETRIES.into())? as u32;
    let interval =
        whole(processor, "BufferIntervalInSeconds", DEFAULT_LAMBDA_INTERVAL, delivery::MAX_INTERVAL_SECONDS)?;
    let size =
        match parameter(processor, "BufferSizeInMBs") {
            None => DEFAULT_LAMBDA_SIZE_MB,
            Some(text) => text.parse().ok().filter(|size| LAMBDA_SIZE_MB.contains(size)).ok_or_else(|| {
                invalid(format!("BufferSizeInMBs {text:?} of the Lambda processor: expected 0.2 to 3"))
            })?,
        };
    Ok(Transform {
        arn: arn.to_owned(),
        // `name:alias`: the emulator has one version of a function.
        function: function.split(':').next().unwrap_or_default().to_owned(),
        retries,
        hints: Hints::from_bytes((size * 1024.0 * 1024.0) as u64, interval),
    })
}

fn whole(processor: &Processor, name: &str, default: u64, most: u64) -> Result<u64, ApiError> {
    match parameter(processor, name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|value| *value <= most)
            .ok_or_else(|| invalid(format!("{name} {text:?} of the Lambda processor: expected 0 to {most}"))),
    }
}

/// What stands after `arn:aws:SERVICE:REGION:ACCOUNT:KIND`.
fn last_of_arn(arn: &str, service: &str, kind: &str) -> Result<String, ApiError> {
    let rest = arn.strip_prefix(&format!("arn:aws:{service}:")).and_then(|rest| rest.splitn(3, ':').nth(2));
    rest.and_then(|rest| rest.strip_prefix(kind))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| invalid(format!("{arn:?}: expected arn:aws:{service}:REGION:ACCOUNT:{kind}NAME")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn resolve(s3: Value) -> Result<Settings, ApiError> {
        let mut all = json!({ "RoleARN": "arn:aws:iam::0:role/r", "BucketARN": "arn:aws:s3:::lake" });
        all.as_object_mut().unwrap().extend(s3.as_object().unwrap().clone());
        Settings::resolve(&Configuration::read(&json!({ "ExtendedS3DestinationConfiguration": all }))?)
    }

    fn processing(processors: Value) -> Value {
        json!({ "ProcessingConfiguration": { "Enabled": "true", "Processors": processors } })
    }

    const LAMBDA: &str = "arn:aws:lambda:us-east-1:000000000000:function:shape";

    #[test]
    fn defaults_are_firehoses() {
        let settings = resolve(json!({})).unwrap();
        assert_eq!(settings.target.hints, Hints::new(5, 300).unwrap());
        assert_eq!((settings.target.gzip, settings.target.extension.as_str()), (false, ""));
        assert!(settings.transform.is_none() && settings.backup.is_none() && settings.log.is_none());
        let parameters = json!([{ "ParameterName": "LambdaArn", "ParameterValue": format!("{LAMBDA}:live") }]);
        let settings = resolve(processing(json!([{ "Type": "Lambda", "Parameters": parameters },
            { "Type": "AppendDelimiterToRecord", "Parameters": [] }])))
        .unwrap();
        let transform = settings.transform.unwrap();
        assert_eq!((transform.function.as_str(), transform.retries), ("shape", 3));
        assert_eq!((transform.hints.size, transform.hints.interval_ms), (1024 * 1024, 60_000));
        assert_eq!(settings.delimiter.as_deref(), Some("\n"));
    }

    #[test]
    fn a_templates_strings_are_numbers() {
        let settings = resolve(json!({ "BufferingHints": { "SizeInMBs": "1", "IntervalInSeconds": "0" },
            "CompressionFormat": "GZIP" }))
        .unwrap();
        assert_eq!(settings.target.hints, Hints::new(1, 0).unwrap());
        assert_eq!(settings.target.extension, ".gz");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let lambda = |name: &str, value: &str| {
            processing(json!([{ "Type": "Lambda", "Parameters": [
                { "ParameterName": "LambdaArn", "ParameterValue": LAMBDA },
                { "ParameterName": name, "ParameterValue": value }] }]))
        };
        for (s3, expected) in [
            (json!({ "BucketARN": "lake" }), "BucketARN \"lake\": expected arn:aws:s3:::BUCKET"),
            (json!({ "CompressionFormat": "ZIP" }), "does not emulate firehose CompressionFormat ZIP"),
            (json!({ "CompressionFormat": "gzip" }), "CompressionFormat \"gzip\": expected UNCOMPRESSED or GZIP"),
            (json!({ "BufferingHints": { "SizeInMBs": 0 } }), "SizeInMBs is 0: expected 1 to 128"),
            (json!({ "BufferingHints": { "SizeInMBs": "x" } }), "\"x\" is not a whole number"),
            (json!({ "BufferHints": {} }), "unknown field `BufferHints`"),
            (json!({ "Prefix": "a/!{timestamp:yyyy}/" }), "ErrorOutputPrefix must be given"),
            (json!({ "CustomTimeZone": "Mars/Base" }), "CustomTimeZone \"Mars/Base\" is not known"),
            (json!({ "FileExtension": "gz" }), "FileExtension \"gz\": expected a dot"),
            (json!({ "S3BackupMode": "Enabled" }), "S3BackupConfiguration is required"),
            (json!({ "CloudWatchLoggingOptions": { "Enabled": true } }), "needs LogGroupName and LogStreamName"),
            (json!({ "DynamicPartitioningConfiguration": { "Enabled": true } }), "firehose DynamicPartitioning"),
            (processing(json!([{ "Type": "Lambda" }])), "processor Lambda has no LambdaArn"),
            (processing(json!([{ "Type": "Decompression" }])), "does not emulate firehose processor Decompression"),
            (lambda("NumberOfRetries", "301"), "NumberOfRetries \"301\" of the Lambda processor: expected 0 to 300"),
            (lambda("BufferSizeInMBs", "4"), "BufferSizeInMBs \"4\" of the Lambda processor: expected 0.2 to 3"),
        ] {
            let error = resolve(s3.clone()).unwrap_err().message;
            assert!(error.contains(expected), "{s3}: {error}");
        }
    }
}
