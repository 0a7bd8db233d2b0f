//! What `aws kinesisanalytics describe-application` printed of an application (and `kinesisanalyticsv2`), as a rule.
//!
//! Keys that say how the application was, and not what it does (status, times, roles, ids), are passed over.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Destination, NAME_PREFIX, Output, OutputFormat, Rule, Running, S3Object, Schema, SourceStream, Table};

/// The file: the command's output as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Exported {
    /// The application.
    application_detail: Detail,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    /// The statements.
    application_code: Option<String>,
    #[serde(default)]
    input_descriptions: Vec<Input>,
    #[serde(default)]
    output_descriptions: Vec<OutputDescription>,
    #[serde(default)]
    reference_data_source_descriptions: Vec<Reference>,
    /// All of it in `kinesisanalyticsv2`.
    application_configuration_description: Option<Configuration>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Parts {
    #[serde(default)]
    input_descriptions: Vec<Input>,
    #[serde(default)]
    output_descriptions: Vec<OutputDescription>,
    #[serde(default)]
    reference_data_source_descriptions: Vec<Reference>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    sql_application_configuration_description: Option<Parts>,
    application_code_configuration_description: Option<Code>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Code {
    code_content_description: Option<CodeContent>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct CodeContent {
    text_content: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name_prefix: Option<String>,
    input_processing_configuration_description: Option<serde_json::Value>,
    kinesis_streams_input_description: Option<Resource>,
    kinesis_firehose_input_description: Option<Resource>,
    input_schema: Schema,
    input_parallelism: Option<Parallelism>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Resource {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Parallelism {
    count: u32,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct OutputDescription {
    name: String,
    kinesis_streams_output_description: Option<Resource>,
    kinesis_firehose_output_description: Option<Resource>,
    lambda_output_description: Option<Resource>,
    destination_schema: DestinationSchema,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct DestinationSchema {
    record_format_type: OutputFormat,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Reference {
    table_name: String,
    s3_reference_data_source_description: ReferenceObject,
    reference_schema: Schema,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct ReferenceObject {
    #[serde(rename = "BucketARN")]
    bucket_arn: String,
    file_key: String,
}

impl Exported {
    /// Whether a file is one, and not an application as it is written here.
    pub fn is(json: &str) -> bool {
        #[derive(Deserialize)]
        struct Probe {
            #[serde(rename = "ApplicationDetail")]
            _detail: serde::de::IgnoredAny,
        }
        serde_json::from_str::<Probe>(json).is_ok()
    }

    /// The rule, and the statements if it has them. An error begins with the key that is to blame.
    pub fn into_rule(self) -> Result<(Rule, Option<String>), String> {
        let detail = self.application_detail;
        let (parts, code) = match detail.application_configuration_description {
            Some(configuration) => (
                configuration.sql_application_configuration_description.ok_or(
                    "ApplicationConfigurationDescription: expected SqlApplicationConfigurationDescription: other runtimes than \
                     SQL-1_0 are not supported",
                )?,
                configuration
                    .application_code_configuration_description
                    .and_then(|code| code.code_content_description)
                    .and_then(|content| content.text_content),
            ),
            None => {
                let parts = Parts {
                    input_descriptions: detail.input_descriptions,
                    output_descriptions: detail.output_descriptions,
                    reference_data_source_descriptions: detail.reference_data_source_descriptions,
                };
                (parts, detail.application_code)
            }
        };
        let inputs = parts.input_descriptions.len();
        let mut inputs_left = parts.input_descriptions.into_iter();
        let (Some(input), None) = (inputs_left.next(), inputs_left.next()) else {
            return Err(format!("InputDescriptions: expected one, found {inputs}"));
        };
        let running = Running {
            source: source(&input)?,
            name_prefix: input.name_prefix.unwrap_or_else(|| NAME_PREFIX.to_owned()),
            input_parallelism: input.input_parallelism.map_or(1, |parallelism| parallelism.count),
            input_schema: input.input_schema,
            record_id_field: None,
            reference_tables: parts
                .reference_data_source_descriptions
                .into_iter()
                .map(table)
                .collect::<Result<_, _>>()?,
            revision: None,
            outputs: parts.output_descriptions.into_iter().map(output).collect::<Result<_, _>>()?,
        };
        Ok((Rule::On(Box::new(running.checked().map_err(Exported::renamed)?)), code))
    }

    /// An error that begins with a key of a rule, with the name that the key has here.
    pub fn renamed(error: String) -> String {
        match error.split_once(':') {
            Some(("outputs", rest)) => format!("OutputDescriptions:{rest}"),
            Some(("inputSchema", rest)) => format!("InputSchema:{rest}"),
            Some(("namePrefix", rest)) => format!("NamePrefix:{rest}"),
            Some(("inputParallelism", rest)) => format!("InputParallelism:{rest}"),
            Some(("referenceTables", rest)) => format!("ReferenceDataSourceDescriptions:{rest}"),
            _ => error,
        }
    }
}

fn source(input: &Input) -> Result<SourceStream, String> {
    if input.input_processing_configuration_description.as_ref().is_some_and(|lambda| !lambda.is_null()) {
        return Err(
            "InputProcessingConfigurationDescription: pre-processing by a Lambda function is not supported: let the \
                    statements do it, or put the function before the stream"
                .to_owned(),
        );
    }
    match (&input.kinesis_streams_input_description, &input.kinesis_firehose_input_description) {
        (Some(stream), None) => Ok(SourceStream::Kinesis(name("KinesisStreamsInputDescription", &stream.arn)?)),
        (None, Some(stream)) => Ok(SourceStream::Firehose(name("KinesisFirehoseInputDescription", &stream.arn)?)),
        _ => Err("InputDescriptions: expected one of KinesisStreamsInputDescription, KinesisFirehoseInputDescription"
            .to_owned()),
    }
}

fn output(output: OutputDescription) -> Result<Output, String> {
    let OutputDescription { name: stream, destination_schema, .. } = output;
    let streams = output.kinesis_streams_output_description;
    let firehose = output.kinesis_firehose_output_description;
    let destination =
        match (streams, firehose, output.lambda_output_description) {
            (Some(to), None, None) => Destination::Kinesis(name("KinesisStreamsOutputDescription", &to.arn)?),
            (None, Some(to), None) => Destination::Firehose(name("KinesisFirehoseOutputDescription", &to.arn)?),
            (None, None, Some(_)) => {
                return Err(
                    "LambdaOutputDescription: a function as an output is not supported: let it read a Kinesis stream"
                        .to_owned(),
                );
            }
            _ => return Err(
                "OutputDescriptions: expected one of KinesisStreamsOutputDescription, KinesisFirehoseOutputDescription"
                    .to_owned(),
            ),
        };
    Ok(Output { stream, destination, format: destination_schema.record_format_type })
}

fn table(reference: Reference) -> Result<Table, String> {
    let object = reference.s3_reference_data_source_description;
    let bucket =
        object.bucket_arn.rsplit(':').next().filter(|name| object.bucket_arn.starts_with("arn:") && !name.is_empty());
    let bucket = bucket.ok_or_else(|| format!("BucketARN: {:?}: expected arn:aws:s3:::NAME", object.bucket_arn))?;
    let s3 = S3Object { bucket: Some(bucket.to_owned()), key: object.file_key };
    Ok(Table { name: reference.table_name, s3, schema: reference.reference_schema })
}

/// The name of a stream or a delivery stream.
fn name(key: &str, arn: &str) -> Result<String, String> {
    let name = arn.rsplit_once('/').map(|(_, name)| name).filter(|name| arn.starts_with("arn:") && !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| format!("{key}: ResourceARN {arn:?}: expected a stream's ARN"))
}
