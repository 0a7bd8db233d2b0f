//! PutObject, DeleteObject, DeleteObjects.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::convert;
use crate::Ctx;
use crate::error::ApiError;
use crate::services::s3::checksum::DEFAULT;
use crate::services::s3::receive::receive;
use crate::services::s3::{NewObject, Precondition, conditions, files, headers, objects};

/// Keys of one DeleteObjects (API reference).
const MAX_DELETES: usize = 1000;

pub(super) async fn put(ctx: &Ctx, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let input = request.input;
    let precondition = conditions::of_write(input.if_match, input.if_none_match)?;
    let mut kept = headers::kept(&request.headers)?;
    let tags = headers::tags_of_header(&request.headers)?;
    let (body, sums) = receive(ctx, &request.headers, &request.extensions, input.body, DEFAULT, None).await?;
    let sums = convert::sum_headers(&sums, ChecksumType::FULL_OBJECT);
    kept.extend(sums.clone());
    let encryption = kept.get("x-amz-server-side-encryption").map_or("AES256", String::as_str).to_owned();
    let object =
        NewObject { bucket: input.bucket, key: input.key, body, headers: kept, tags, event: "ObjectCreated:Put" };
    let etag = commit(ctx, object, precondition).await?;
    let mut output = PutObjectOutput {
        checksum_type: convert::checksum_type(&sums),
        e_tag: convert::etag(&etag),
        server_side_encryption: Some(ServerSideEncryption::from(encryption)),
        ..Default::default()
    };
    convert::set_sums!(output, sums);
    Ok(S3Response::new(output))
}

/// Points the key to the body, and removes the file that this left without a name: the old one, or the body's own if the
/// condition did not hold. Goes on to its end when the client has gone away.
pub(super) async fn commit(ctx: &Ctx, object: NewObject, precondition: Precondition) -> Result<String, ApiError> {
    let ctx = ctx.clone();
    let committed = tokio::spawn(async move {
        let body = object.body.clone();
        match ctx.store.write(move |tx| objects::put(tx, &object, &[], &precondition)).await {
            Ok(put) => {
                files::remove(&ctx, put.replaced.into_iter().collect()).await;
                Ok(put.etag)
            }
            Err(error) => {
                files::remove_body(&ctx, body).await;
                Err(error)
            }
        }
    });
    committed.await.map_err(ApiError::internal)?
}

pub(super) async fn delete(
    ctx: &Ctx,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    convert::check_version(input.version_id.as_deref())?;
    let file =
        ctx.store.write(move |tx| objects::delete(tx, &input.bucket, &input.key, input.if_match.as_ref())).await?;
    files::remove(ctx, file.into_iter().collect()).await;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

/// What became of one key of a DeleteObjects.
type Outcome = (String, Result<Option<String>, ApiError>);

pub(super) async fn delete_many(
    ctx: &Ctx,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let DeleteObjectsInput { bucket, delete, .. } = request.input;
    if delete.objects.is_empty() || delete.objects.len() > MAX_DELETES {
        let message = format!("a DeleteObjects names 1 to {MAX_DELETES} keys, not {}", delete.objects.len());
        return Err(ApiError::bad_request("MalformedXML", message).into());
    }
    let outcomes: Vec<Outcome> = ctx
        .store
        .write(move |tx| {
            let mut outcomes = Vec::with_capacity(delete.objects.len());
            for object in delete.objects {
                let expected = object.e_tag.map(ETagCondition::ETag);
                let deleted = convert::check_version(object.version_id.as_deref())
                    .and_then(|()| objects::delete(tx, &bucket, &object.key, expected.as_ref()));
                match deleted {
                    // The caller's fault with this key says nothing of the others; of a bucket, it does.
                    Err(error) if error.status.is_server_error() || error.code == "NoSuchBucket" => return Err(error),
                    deleted => outcomes.push((object.key, deleted)),
                }
            }
            Ok(outcomes)
        })
        .await?;
    let quiet = delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors, mut unnamed) = (Vec::new(), Vec::new(), Vec::new());
    for (key, outcome) in outcomes {
        match outcome {
            Ok(file) => {
                unnamed.extend(file);
                deleted.extend((!quiet).then(|| DeletedObject { key: Some(key), ..Default::default() }));
            }
            Err(error) => {
                let (code, message) = (Some(error.code), Some(error.message));
                errors.push(Error { code, key: Some(key), message, version_id: None });
            }
        }
    }
    files::remove(ctx, unnamed).await;
    Ok(S3Response::new(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), request_charged: None }))
}
