//! Tags of objects and buckets.

use std::collections::BTreeMap;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::convert::check_version;
use crate::Ctx;
use crate::error::ApiError;
use crate::services::s3::configuration::{self, Kind};
use crate::services::s3::{headers, objects};

/// Tags of a bucket (S3 user guide, "Using cost allocation S3 bucket tags").
const MAX_BUCKET_TAGS: usize = 50;

fn pairs(tags: TagSet) -> impl Iterator<Item = (String, String)> {
    tags.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
}

pub(super) async fn get_object(
    ctx: &Ctx,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    let object = ctx.store.read(move |db| objects::get(db, &input.bucket, &input.key)).await?;
    let tags = object.tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) });
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set: tags.collect(), version_id: None }))
}

pub(super) async fn put_object(
    ctx: &Ctx,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    let tags = headers::tags(pairs(input.tagging.tag_set))?;
    ctx.store.write(move |tx| objects::set_tags(tx, &input.bucket, &input.key, &tags)).await?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

pub(super) async fn delete_object(
    ctx: &Ctx,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    check_version(input.version_id.as_deref())?;
    ctx.store.write(move |tx| objects::set_tags(tx, &input.bucket, &input.key, &BTreeMap::new())).await?;
    Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
}

pub(super) async fn get_bucket(
    ctx: &Ctx,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let load = move |db: &rusqlite::Connection| configuration::load(db, &request.input.bucket, Kind::Tagging);
    let saved: Option<Tagging> = ctx.store.read(load).await?;
    let saved =
        saved.ok_or_else(|| ApiError::new(http::StatusCode::NOT_FOUND, "NoSuchTagSet", "The TagSet does not exist"))?;
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: saved.tag_set }))
}

pub(super) async fn put_bucket(
    ctx: &Ctx,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let PutBucketTaggingInput { bucket, tagging, .. } = request.input;
    if tagging.tag_set.len() > MAX_BUCKET_TAGS {
        let message = format!("Bucket tag count cannot be greater than {MAX_BUCKET_TAGS}");
        return Err(ApiError::bad_request("BadRequest", message).into());
    }
    ctx.store.write(move |tx| configuration::save(tx, &bucket, Kind::Tagging, &tagging)).await?;
    let mut saved = S3Response::new(PutBucketTaggingOutput::default());
    // s3s passes a status on only in this way.
    saved.extensions.insert(http::StatusCode::NO_CONTENT);
    Ok(saved)
}

pub(super) async fn delete_bucket(
    ctx: &Ctx,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    ctx.store.write(move |tx| configuration::remove(tx, &request.input.bucket, Kind::Tagging)).await?;
    Ok(S3Response::new(DeleteBucketTaggingOutput::default()))
}
