//! The API: awsJson 1.1.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::configuration::{S3, invalid};
use super::put;
use super::streams::{self, Stream, arn};
use crate::Ctx;
use crate::config::Config;
use crate::error::ApiError;
use crate::wire::protocol::{Call, Reply};
use crate::wire::types::{Blob, Timestamp};

/// The id of a stream's only destination.
const DESTINATION_ID: &str = "destinationId-000000000001";

/// Default of ListDeliveryStreams' `Limit` (Firehose API).
const DEFAULT_LIST_LIMIT: usize = 10;

/// Greatest `Limit` of ListDeliveryStreams (Firehose API).
const MAX_LIST_LIMIT: usize = 10_000;

/// Default and greatest `Limit` of ListTagsForDeliveryStream (Firehose API: 1-50).
const MAX_TAGS_LIMIT: usize = 50;

/// Answers an operation.
pub async fn call(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        "CreateDeliveryStream" => create(ctx, call).await,
        "DeleteDeliveryStream" => delete(ctx, call).await,
        "DescribeDeliveryStream" => describe(ctx, call).await,
        "ListDeliveryStreams" => list(ctx, call).await,
        "ListTagsForDeliveryStream" => list_tags(ctx, call).await,
        "PutRecord" => put_record(ctx, call).await,
        "PutRecordBatch" => put_record_batch(ctx, call).await,
        "TagDeliveryStream" => tag(ctx, call).await,
        "UntagDeliveryStream" => untag(ctx, call).await,
        "UpdateDestination" => update_destination(ctx, call).await,
        other => Err(ApiError::not_emulated("firehose", other)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    delivery_stream_name: String,
}

async fn create(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let properties: Value = call.input()?;
    let Named { delivery_stream_name: name } = call.input()?;
    let output = json!({ "DeliveryStreamARN": arn(&ctx.config, &name) });
    ctx.store.write(move |tx| streams::create(tx, &name, &properties)).await?;
    call.reply(&output)
}

async fn delete(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let Named { delivery_stream_name: name } = call.input()?;
    ctx.store.write(move |tx| streams::delete(tx, &streams::get(tx, tx.config(), &name)?)).await?;
    call.reply(&json!({}))
}

async fn describe(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let Named { delivery_stream_name: name } = call.input()?;
    let config = ctx.config.clone();
    let stream = ctx.store.read(move |db| streams::get(db, &config, &name)).await?;
    call.reply(&json!({ "DeliveryStreamDescription": description(&ctx.config, &stream)? }))
}

fn description(config: &Config, stream: &Stream) -> Result<Value, ApiError> {
    let extended = s3_description(&stream.configuration.s3)?;
    let mut plain = extended.clone();
    let beyond_plain =
        ["ProcessingConfiguration", "S3BackupMode", "S3BackupDescription", "FileExtension", "CustomTimeZone"];
    plain.retain(|name, _| !beyond_plain.contains(&name.as_str()) && !name.ends_with("ConversionConfiguration"));
    plain.remove("DynamicPartitioningConfiguration");
    let mut description = json!({
        "DeliveryStreamName": stream.name,
        "DeliveryStreamARN": arn(config, &stream.name),
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": stream.configuration.delivery_stream_type,
        "VersionId": stream.version.to_string(),
        "CreateTimestamp": Timestamp(stream.created),
        "Destinations": [{
            "DestinationId": DESTINATION_ID,
            "S3DestinationDescription": plain,
            "ExtendedS3DestinationDescription": extended,
        }],
        "HasMoreDestinations": false,
    });
    if stream.version > 1 {
        description["LastUpdateTimestamp"] = json!(Timestamp(stream.updated));
    }
    if let Some(source) = &stream.configuration.kinesis_stream_source_configuration {
        description["Source"] = json!({ "KinesisStreamSourceDescription": {
            "KinesisStreamARN": source.stream_arn,
            "RoleARN": source.role_arn,
            "DeliveryStartTimestamp": Timestamp(stream.created),
        } });
    } else {
        // Firehose itself encrypts direct puts only (StartDeliveryStreamEncryption).
        description["DeliveryStreamEncryptionConfiguration"] = json!({ "Status": "DISABLED" });
    }
    Ok(description)
}

fn s3_description(s3: &S3) -> Result<Map<String, Value>, ApiError> {
    let Value::Object(mut description) = serde_json::to_value(s3).map_err(ApiError::internal)? else {
        return Err(ApiError::internal("an S3 configuration is not an object"));
    };
    description.remove("S3BackupConfiguration");
    if let Some(backup) = &s3.backup {
        let mut backup = s3_description(backup)?;
        backup.retain(|name, _| name != "ProcessingConfiguration" && name != "S3BackupMode");
        description.insert("S3BackupDescription".into(), Value::Object(backup));
    }
    Ok(description)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    limit: Option<usize>,
    delivery_stream_type: Option<String>,
    exclusive_start_delivery_stream_name: Option<String>,
}

async fn list(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let input: List = call.input()?;
    let limit = input.limit.unwrap_or(DEFAULT_LIST_LIMIT).clamp(1, MAX_LIST_LIMIT);
    let mut names = ctx.store.read(move |db| names(db, &input, limit + 1)).await?;
    let more = names.len() > limit;
    names.truncate(limit);
    call.reply(&json!({ "DeliveryStreamNames": names, "HasMoreDeliveryStreams": more }))
}

fn names(db: &Connection, input: &List, limit: usize) -> Result<Vec<String>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT name FROM firehose_streams WHERE name > ?1
         AND (?2 IS NULL OR json_extract(spec, '$.DeliveryStreamType') = ?2) ORDER BY name LIMIT ?3",
    )?;
    let after = input.exclusive_start_delivery_stream_name.as_deref().unwrap_or_default();
    let names = statement.query_map((after, &input.delivery_stream_type, limit as i64), |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    delivery_stream_name: String,
    current_delivery_stream_version_id: String,
    destination_id: String,
    #[serde(alias = "S3DestinationUpdate")]
    extended_s3_destination_update: Option<Value>,
}

async fn update_destination(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let input: Update = call.input()?;
    ctx.store
        .write(move |tx| {
            let stream = streams::get(tx, tx.config(), &input.delivery_stream_name)?;
            if input.current_delivery_stream_version_id != stream.version.to_string() {
                let message = format!(
                    "Cannot update firehose: {} since the current version id: {} and specified version id: {} do not match",
                    stream.name, stream.version, input.current_delivery_stream_version_id
                );
                return Err(ApiError::bad_request("ConcurrentModificationException", message));
            }
            if input.destination_id != DESTINATION_ID {
                return Err(invalid(format!("Destination Id {} not found", input.destination_id)));
            }
            let update = input.extended_s3_destination_update.as_ref();
            let update = update.ok_or_else(|| invalid("only S3 destinations are emulated: no S3 update was given"))?;
            streams::change(tx, &stream, &stream.configuration.updated(update)?)
        })
        .await?;
    call.reply(&json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    data: Blob,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecord {
    delivery_stream_name: String,
    record: Record,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecordBatch {
    delivery_stream_name: String,
    records: Vec<Record>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchReply {
    failed_put_count: usize,
    encrypted: bool,
    request_responses: Vec<Response>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Response {
    #[serde(rename_all = "PascalCase")]
    Taken { record_id: String },
    #[serde(rename_all = "PascalCase")]
    Failed { error_code: String, error_message: String },
}

/// As long as Firehose's, as random, and without meaning.
fn record_id() -> String {
    (0..3).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect()
}

async fn put_record(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let PutRecord { delivery_stream_name: name, record } = call.input()?;
    let records = vec![record.data];
    put::check(&records)?;
    let taken = ctx.store.write(move |tx| put::put(tx, &name, &records, &[])).await?;
    if taken != [true] {
        return Err(put::slow_down());
    }
    call.reply(&json!({ "RecordId": record_id(), "Encrypted": false }))
}

async fn put_record_batch(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let PutRecordBatch { delivery_stream_name: name, records } = call.input()?;
    let records: Vec<Blob> = records.into_iter().map(|record| record.data).collect();
    put::check(&records)?;
    let refused = ctx.faults.entries(records.len());
    let taken = ctx.store.write(move |tx| put::put(tx, &name, &records, &refused)).await?;
    let response = |taken: &bool| {
        if *taken {
            return Response::Taken { record_id: record_id() };
        }
        let ApiError { code, message, .. } = put::slow_down();
        Response::Failed { error_code: code, error_message: message }
    };
    call.reply(&BatchReply {
        failed_put_count: taken.iter().filter(|taken| !**taken).count(),
        encrypted: false,
        request_responses: taken.iter().map(response).collect(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    delivery_stream_name: String,
    tags: Value,
}

async fn tag(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let input: Tag = call.input()?;
    ctx.store
        .write(move |tx| {
            let stream = streams::get(tx, tx.config(), &input.delivery_stream_name)?;
            streams::tag(tx, stream.id, &input.tags)
        })
        .await?;
    call.reply(&json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Untag {
    delivery_stream_name: String,
    tag_keys: Vec<String>,
}

async fn untag(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let input: Untag = call.input()?;
    ctx.store
        .write(move |tx| {
            let stream = streams::get(tx, tx.config(), &input.delivery_stream_name)?;
            for key in &input.tag_keys {
                tx.execute("DELETE FROM firehose_tags WHERE stream = ?1 AND key = ?2", (stream.id, key))?;
            }
            Ok(())
        })
        .await?;
    call.reply(&json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    delivery_stream_name: String,
    exclusive_start_tag_key: Option<String>,
    limit: Option<usize>,
}

async fn list_tags(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let input: ListTags = call.input()?;
    let limit = input.limit.unwrap_or(MAX_TAGS_LIMIT).clamp(1, MAX_TAGS_LIMIT);
    let config = ctx.config.clone();
    let mut tags = ctx.store.read(move |db| tags(db, &config, &input, limit + 1)).await?;
    let more = tags.len() > limit;
    tags.truncate(limit);
    call.reply(&json!({ "Tags": tags, "HasMoreTags": more }))
}

fn tags(db: &Connection, config: &Config, input: &ListTags, limit: usize) -> Result<Vec<Value>, ApiError> {
    let stream = streams::get(db, config, &input.delivery_stream_name)?;
    let mut statement =
        db.prepare_cached("SELECT key, value FROM firehose_tags WHERE stream = ?1 AND key > ?2 ORDER BY key LIMIT ?3")?;
    let after = input.exclusive_start_tag_key.as_deref().unwrap_or_default();
    let tags = statement.query_map((stream.id, after, limit as i64), |row| {
        let (key, value): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        Ok(value.map_or_else(|| json!({ "Key": key }), |value| json!({ "Key": key, "Value": value })))
    })?;
    Ok(tags.collect::<Result<_, _>>()?)
}
