//! Buckets themselves.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::convert;
use crate::Ctx;
use crate::error::ApiError;
use crate::services::s3::errors::header_not_implemented;
use crate::services::s3::{buckets, files};

/// Buckets of a page (API reference, ListBuckets, `max-buckets`).
const MAX_BUCKETS: usize = 10_000;

pub(super) async fn list(ctx: &Ctx, request: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
    let input = request.input;
    let max =
        input.max_buckets.and_then(|max| usize::try_from(max).ok()).map_or(MAX_BUCKETS, |max| max.min(MAX_BUCKETS));
    let (prefix, after) = (input.prefix.clone().unwrap_or_default(), input.continuation_token.unwrap_or_default());
    let mut found = ctx.store.read(move |db| buckets::list(db, &prefix, &after, max + 1)).await?;
    let more = found.len() > max;
    found.truncate(max);
    let next = found.last().filter(|_| more).map(|bucket| bucket.name.clone());
    let buckets = found.into_iter().map(|bucket| Bucket {
        bucket_region: None,
        creation_date: convert::timestamp(bucket.created_at),
        name: Some(bucket.name),
    });
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        continuation_token: next,
        owner: Some(convert::owner(&ctx.config)),
        prefix: input.prefix,
    }))
}

pub(super) async fn create(
    ctx: &Ctx,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let input = request.input;
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(header_not_implemented("x-amz-bucket-object-lock-enabled").into());
    }
    check_region(ctx, input.create_bucket_configuration.as_ref())?;
    let (name, region) = (input.bucket.clone(), ctx.config.region.clone());
    let created = ctx.store.write(move |tx| {
        // In us-east-1 a bucket that the caller owns is made again without a complaint.
        if region != "us-east-1" && buckets::find(tx, &name)?.is_some() {
            let message =
                format!("Your previous request to create the named bucket succeeded and you already own it: {name}");
            return Err(ApiError::new(http::StatusCode::CONFLICT, "BucketAlreadyOwnedByYou", message));
        }
        buckets::create(tx, &name)
    });
    created.await?;
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) }))
}

fn check_region(ctx: &Ctx, configuration: Option<&CreateBucketConfiguration>) -> Result<(), ApiError> {
    let own = ctx.config.region.as_str();
    let given = configuration.and_then(|c| c.location_constraint.as_ref()).map(|c| c.as_str()).unwrap_or(own);
    if given == own || given.is_empty() {
        return Ok(());
    }
    let message = format!("The {given} location constraint is incompatible: the emulator's region is {own}");
    Err(ApiError::bad_request("IllegalLocationConstraintException", message))
}

pub(super) async fn head(ctx: &Ctx, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
    ctx.store.read(move |db| buckets::check(db, &request.input.bucket)).await?;
    let bucket_region = Some(ctx.config.region.clone());
    Ok(S3Response::new(HeadBucketOutput { bucket_region, ..Default::default() }))
}

pub(super) async fn delete(
    ctx: &Ctx,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let files = ctx.store.write(move |tx| buckets::delete(tx, &request.input.bucket)).await?;
    files::remove(ctx, files).await;
    Ok(S3Response::new(DeleteBucketOutput::default()))
}

pub(super) async fn location(
    ctx: &Ctx,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    ctx.store.read(move |db| buckets::check(db, &request.input.bucket)).await?;
    // us-east-1 is written as nothing at all.
    let region = Some(ctx.config.region.clone()).filter(|region| region != "us-east-1");
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: region.map(BucketLocationConstraint::from) }))
}
