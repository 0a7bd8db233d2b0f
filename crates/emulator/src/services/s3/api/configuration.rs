//! A bucket's notifications, and what is kept about it only to be shown.

use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Ctx;
use crate::error::ApiError;
use crate::services::s3::configuration::{self, Kind};
use crate::services::s3::errors::invalid_argument;
use crate::services::s3::{Notification, buckets, notifications};

/// Which objects a lifecycle moves by default (GetBucketLifecycleConfiguration); shown only, as all of a lifecycle.
const SMALLEST: &str = TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K;

async fn load<T: DeserializeOwned + Send + 'static>(
    ctx: &Ctx,
    bucket: String,
    kind: Kind,
) -> Result<Option<T>, ApiError> {
    ctx.store.read(move |db| configuration::load(db, &bucket, kind)).await
}

async fn save<T, O>(ctx: &Ctx, bucket: String, kind: Kind, value: T) -> S3Result<S3Response<O>>
where
    T: Serialize + Send + 'static,
    O: Default,
{
    ctx.store.write(move |tx| configuration::save(tx, &bucket, kind, &value)).await?;
    Ok(S3Response::new(O::default()))
}

async fn remove<O: Default>(ctx: &Ctx, bucket: String, kind: Kind) -> S3Result<S3Response<O>> {
    ctx.store.write(move |tx| configuration::remove(tx, &bucket, kind)).await?;
    Ok(S3Response::new(O::default()))
}

fn missing(code: &str, what: &str) -> S3Error {
    ApiError::new(StatusCode::NOT_FOUND, code, format!("The {what} does not exist")).into()
}

pub(super) async fn get_encryption(
    ctx: &Ctx,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    let saved = load(ctx, request.input.bucket, Kind::Encryption).await?;
    let configuration = saved.unwrap_or_else(|| {
        let by_default = ServerSideEncryptionByDefault {
            kms_master_key_id: None,
            sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
        };
        let rule = ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(by_default),
            bucket_key_enabled: Some(false),
        };
        ServerSideEncryptionConfiguration { rules: vec![rule] }
    });
    let server_side_encryption_configuration = Some(configuration);
    Ok(S3Response::new(GetBucketEncryptionOutput { server_side_encryption_configuration }))
}

pub(super) async fn put_encryption(
    ctx: &Ctx,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
    let PutBucketEncryptionInput { bucket, server_side_encryption_configuration: mut configuration, .. } =
        request.input;
    for rule in &mut configuration.rules {
        rule.bucket_key_enabled.get_or_insert(false);
    }
    save(ctx, bucket, Kind::Encryption, configuration).await
}

pub(super) async fn delete_encryption(
    ctx: &Ctx,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Result<S3Response<DeleteBucketEncryptionOutput>> {
    remove(ctx, request.input.bucket, Kind::Encryption).await
}

pub(super) async fn get_lifecycle(
    ctx: &Ctx,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let saved: Option<BucketLifecycleConfiguration> = load(ctx, request.input.bucket, Kind::Lifecycle).await?;
    let saved = saved.ok_or_else(|| missing("NoSuchLifecycleConfiguration", "lifecycle configuration"))?;
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules: Some(saved.rules),
        transition_default_minimum_object_size: Some(TransitionDefaultMinimumObjectSize::from_static(SMALLEST)),
    }))
}

pub(super) async fn put_lifecycle(
    ctx: &Ctx,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let input = request.input;
    if input.transition_default_minimum_object_size.is_some_and(|smallest| smallest.as_str() != SMALLEST) {
        let operation = format!("PutBucketLifecycleConfiguration with another minimum size than {SMALLEST}");
        return Err(ApiError::not_emulated("s3", &operation).into());
    }
    let PutBucketLifecycleConfigurationInput { bucket, lifecycle_configuration, .. } = input;
    let Some(configuration) = lifecycle_configuration else {
        return Err(ApiError::bad_request("MalformedXML", "a lifecycle configuration is expected").into());
    };
    let mut saved: S3Response<PutBucketLifecycleConfigurationOutput> =
        save(ctx, bucket, Kind::Lifecycle, configuration).await?;
    saved.output.transition_default_minimum_object_size =
        Some(TransitionDefaultMinimumObjectSize::from_static(SMALLEST));
    Ok(saved)
}

pub(super) async fn delete_lifecycle(
    ctx: &Ctx,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
    remove(ctx, request.input.bucket, Kind::Lifecycle).await
}

pub(super) async fn get_public_access_block(
    ctx: &Ctx,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    let saved = load(ctx, request.input.bucket, Kind::PublicAccessBlock).await?;
    let saved =
        saved.ok_or_else(|| missing("NoSuchPublicAccessBlockConfiguration", "public access block configuration"))?;
    Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration: Some(saved) }))
}

pub(super) async fn put_public_access_block(
    ctx: &Ctx,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    let PutPublicAccessBlockInput { bucket, public_access_block_configuration: block, .. } = request.input;
    // What is not set is off, and shown so.
    let off = |setting: Option<bool>| Some(setting.unwrap_or(false));
    let block = PublicAccessBlockConfiguration {
        block_public_acls: off(block.block_public_acls),
        block_public_policy: off(block.block_public_policy),
        ignore_public_acls: off(block.ignore_public_acls),
        restrict_public_buckets: off(block.restrict_public_buckets),
    };
    save(ctx, bucket, Kind::PublicAccessBlock, block).await
}

pub(super) async fn delete_public_access_block(
    ctx: &Ctx,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
    remove(ctx, request.input.bucket, Kind::PublicAccessBlock).await
}

pub(super) async fn get_policy(
    ctx: &Ctx,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    let saved = load(ctx, request.input.bucket, Kind::Policy).await?;
    let saved = saved.ok_or_else(|| missing("NoSuchBucketPolicy", "bucket policy"))?;
    Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(saved) }))
}

pub(super) async fn put_policy(
    ctx: &Ctx,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    let PutBucketPolicyInput { bucket, policy, .. } = request.input;
    ctx.store.write(move |tx| configuration::put_policy(tx, &bucket, &policy)).await?;
    Ok(S3Response::new(PutBucketPolicyOutput::default()))
}

pub(super) async fn delete_policy(
    ctx: &Ctx,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    remove(ctx, request.input.bucket, Kind::Policy).await
}

pub(super) async fn get_versioning(
    ctx: &Ctx,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let saved: Option<VersioningConfiguration> = load(ctx, request.input.bucket, Kind::Versioning).await?;
    let status = saved.and_then(|saved| saved.status);
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
}

pub(super) async fn put_versioning(
    ctx: &Ctx,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let PutBucketVersioningInput { bucket, versioning_configuration, .. } = request.input;
    save(ctx, bucket, Kind::Versioning, versioning_configuration).await
}

pub(super) async fn get_notifications(
    ctx: &Ctx,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
    let bucket = ctx.store.read(move |db| buckets::get(db, &request.input.bucket)).await?;
    let mut output = GetBucketNotificationConfigurationOutput::default();
    for Notification { id, events, prefix, suffix, destination } in bucket.notifications {
        let filter = filter(prefix, suffix);
        let (id, events) = (Some(id), events.into_iter().map(Event::from).collect());
        match notifications::service(&destination)? {
            "sns" => output.topic_configurations.get_or_insert_default().push(TopicConfiguration {
                events,
                filter,
                id,
                topic_arn: destination,
            }),
            "sqs" => output.queue_configurations.get_or_insert_default().push(QueueConfiguration {
                events,
                filter,
                id,
                queue_arn: destination,
            }),
            _ => output.lambda_function_configurations.get_or_insert_default().push(LambdaFunctionConfiguration {
                events,
                filter,
                id,
                lambda_function_arn: destination,
            }),
        }
    }
    Ok(S3Response::new(output))
}

pub(super) async fn put_notifications(
    ctx: &Ctx,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
    let PutBucketNotificationConfigurationInput { bucket, notification_configuration: wanted, .. } = request.input;
    if wanted.event_bridge_configuration.is_some() {
        return Err(ApiError::not_emulated("s3", "EventBridgeConfiguration of a bucket's notifications").into());
    }
    let topics = wanted.topic_configurations.into_iter().flatten().map(|c| (c.id, c.events, c.filter, c.topic_arn));
    let queues = wanted.queue_configurations.into_iter().flatten().map(|c| (c.id, c.events, c.filter, c.queue_arn));
    let functions = wanted.lambda_function_configurations.into_iter().flatten();
    let functions = functions.map(|c| (c.id, c.events, c.filter, c.lambda_function_arn));
    let wanted: Vec<Notification> = topics
        .chain(queues)
        .chain(functions)
        .map(|(id, events, filter, destination)| {
            let (prefix, suffix) = prefix_and_suffix(filter)?;
            let id = id.unwrap_or_else(notifications::new_id);
            Ok(Notification { id, events: events.into_iter().map(String::from).collect(), prefix, suffix, destination })
        })
        .collect::<Result<_, ApiError>>()?;
    ctx.store.write(move |tx| buckets::set_notifications(tx, &bucket, &wanted)).await?;
    Ok(S3Response::new(PutBucketNotificationConfigurationOutput::default()))
}

fn filter(prefix: Option<String>, suffix: Option<String>) -> Option<NotificationConfigurationFilter> {
    let rule = |name: &'static str, value: Option<String>| {
        value.map(|value| FilterRule { name: Some(FilterRuleName::from_static(name)), value: Some(value) })
    };
    let rules: Vec<_> = [rule("Prefix", prefix), rule("Suffix", suffix)].into_iter().flatten().collect();
    if rules.is_empty() {
        return None;
    }
    Some(NotificationConfigurationFilter { key: Some(S3KeyFilter { filter_rules: Some(rules) }) })
}

fn prefix_and_suffix(
    filter: Option<NotificationConfigurationFilter>,
) -> Result<(Option<String>, Option<String>), ApiError> {
    let (mut prefix, mut suffix) = (None, None);
    for rule in filter.and_then(|filter| filter.key).and_then(|key| key.filter_rules).into_iter().flatten() {
        let name = rule.name.as_ref().map(FilterRuleName::as_str).unwrap_or_default().to_ascii_lowercase();
        let slot = match name.as_str() {
            "prefix" => &mut prefix,
            "suffix" => &mut suffix,
            _ => return Err(invalid_argument("filter rule name must be either prefix or suffix")),
        };
        if slot.replace(rule.value.unwrap_or_default()).is_some() {
            return Err(invalid_argument(format!("Cannot specify more than one {name} rule in a filter.")));
        }
    }
    Ok((prefix, suffix))
}
