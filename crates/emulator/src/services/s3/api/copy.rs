//! CopyObject and UploadPartCopy.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::convert;
use super::upload::store_part;
use super::write::commit;
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::services::s3::checksum::{ALGORITHMS, Algorithm, DEFAULT, Hashers};
use crate::services::s3::conditions::{ReadConditions, Verdict};
use crate::services::s3::errors::{invalid_argument, invalid_request, precondition_failed};
use crate::services::s3::objects::Object as Stored;
use crate::services::s3::{Body, NewObject, Precondition, files, headers, uploads};

/// Larger objects are copied in parts (S3 user guide, "Copying, moving, and renaming objects").
const MAX_COPY: i64 = 5 * 1024 * 1024 * 1024;

macro_rules! source_conditions {
    ($input:expr) => {
        ReadConditions {
            if_match: $input.copy_source_if_match.clone(),
            if_none_match: $input.copy_source_if_none_match.clone(),
            if_modified_since: $input.copy_source_if_modified_since.clone(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.clone(),
        }
    };
}

/// Opens the source of a copy and checks the conditions on it.
async fn open_source(ctx: &Ctx, source: &CopySource, conditions: ReadConditions) -> Result<(Stored, File), ApiError> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(ApiError::not_emulated("s3", "copy from an access point or outpost"));
    };
    convert::check_version(version_id.as_deref())?;
    let (object, file) = files::open(ctx, bucket, key).await?;
    match conditions.verdict(&object.etag, object.modified_at) {
        Verdict::Proceed => Ok((object, file)),
        Verdict::NotModified => Err(precondition_failed("x-amz-copy-source-if-none-match or -if-modified-since")),
        Verdict::Failed(_) => Err(precondition_failed("x-amz-copy-source-if-match or -if-unmodified-since")),
    }
}

pub(super) async fn object(ctx: &Ctx, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
    let input = &request.input;
    let (source, file) = open_source(ctx, &input.copy_source, source_conditions!(input)).await?;
    let own = headers::kept(&request.headers)?;
    let replaces =
        |directive: Option<&str>| directive.is_some_and(|directive| directive.eq_ignore_ascii_case("replace"));
    let new_metadata = replaces(input.metadata_directive.as_ref().map(MetadataDirective::as_str));
    let new_tags = replaces(input.tagging_directive.as_ref().map(TaggingDirective::as_str));
    check_self_copy(input, new_metadata, &own)?;
    if source.size > MAX_COPY {
        let message = format!("The specified copy source is larger than the maximum allowable size: {MAX_COPY} bytes");
        return Err(invalid_request(message).into());
    }
    let mut kept = if new_metadata { own.clone() } else { inherited(&source, &own) };
    let tags = if new_tags { headers::tags_of_header(&request.headers)? } else { source.tags.clone() };
    let body = copy_body(ctx, source, file, &mut kept, input.checksum_algorithm.as_ref()).await?;
    let sums = kept.clone();
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let new = NewObject { bucket, key, body, headers: kept, tags, event: "ObjectCreated:Copy" };
    let etag = commit(ctx, new, Precondition::None).await?;
    let mut result = CopyObjectResult {
        checksum_type: convert::checksum_type(&sums),
        e_tag: convert::etag(&etag),
        last_modified: convert::timestamp(now_ms()),
        ..Default::default()
    };
    convert::set_sums!(result, sums);
    let server_side_encryption = Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256));
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        server_side_encryption,
        ..Default::default()
    }))
}

/// An object is copied onto itself only to change something about it.
fn check_self_copy(
    input: &CopyObjectInput,
    new_metadata: bool,
    own: &BTreeMap<String, String>,
) -> Result<(), ApiError> {
    let CopySource::Bucket { bucket, key, .. } = &input.copy_source else { return Ok(()) };
    let changes = ["x-amz-storage-class", "x-amz-website-redirect-location", "x-amz-server-side-encryption"];
    let changed = new_metadata || changes.iter().any(|name| own.contains_key(*name));
    if **bucket != *input.bucket || **key != *input.key || changed {
        return Ok(());
    }
    Err(invalid_request(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
         metadata, storage class, website redirect location or encryption attributes.",
    ))
}

/// The source's headers; its storage class and encryption are not inherited.
fn inherited(source: &Stored, own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let set_by_request = |name: &str| name == "x-amz-storage-class" || name.starts_with("x-amz-server-side-encryption");
    let mut headers = source.headers.clone();
    headers.retain(|name, _| !set_by_request(name));
    headers.extend(own.iter().filter(|(name, _)| set_by_request(name)).map(|(n, v)| (n.clone(), v.clone())));
    headers
}

/// The body of the copy. The bytes of a body that was put at once are shared, its ETag and checksums being those of the whole;
/// a multipart one is written anew, because the copy's ETag is the MD5 of the whole.
async fn copy_body(
    ctx: &Ctx,
    source: Stored,
    file: File,
    headers: &mut BTreeMap<String, String>,
    algorithm: Option<&ChecksumAlgorithm>,
) -> Result<Body, ApiError> {
    let current = convert::algorithm_of(&source.headers);
    let wanted = match algorithm {
        Some(algorithm) => Algorithm::parse(algorithm.as_str())?,
        None => current.unwrap_or(DEFAULT),
    };
    let clone = ctx.clone();
    let share = source.parts.is_empty() && current == Some(wanted);
    let (body, sums) = files::blocking(move || {
        if share && let Ok(file) = files::link(&clone, &source) {
            let sum = source.headers.get(wanted.header()).map(|sum| (wanted, sum.clone()));
            return Ok((Body { file, size: source.size, md5: source.etag }, sum.into_iter().collect()));
        }
        files::concatenate(&clone, vec![(file, 0, source.size as u64)], Hashers::new([wanted]))
    })
    .await?;
    headers.retain(|name, _| name != convert::CHECKSUM_TYPE && ALGORITHMS.iter().all(|a| a.header() != name));
    headers.extend(convert::sum_headers(&sums, ChecksumType::FULL_OBJECT));
    Ok(body)
}

pub(super) async fn part(
    ctx: &Ctx,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = request.input;
    uploads::check_number(input.part_number)?;
    let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let upload = ctx.store.read(move |db| uploads::get(db, &bucket, &key, &id)).await?;
    let (source, file) = open_source(ctx, &input.copy_source, source_conditions!(input)).await?;
    let bytes = match &input.copy_source_range {
        Some(range) => source_range(range, source.size as u64)?,
        None => 0..source.size as u64,
    };
    // The checksum is shown when the client named an algorithm (CopyPartResult).
    let (clone, named) = (ctx.clone(), upload.named);
    let (body, sums) = files::blocking(move || {
        let source = vec![(file, bytes.start, bytes.end - bytes.start)];
        files::concatenate(&clone, source, Hashers::new(named))
    })
    .await?;
    let etag = body.md5.clone();
    let headers = convert::sum_headers(&sums, ChecksumType::FULL_OBJECT);
    store_part(ctx, upload, input.part_number, body, sums).await?;
    let mut result = CopyPartResult {
        e_tag: convert::etag(&etag),
        last_modified: convert::timestamp(now_ms()),
        ..Default::default()
    };
    convert::set_sums!(result, headers);
    Ok(S3Response::new(UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() }))
}

/// `bytes=0-9`: both ends given, both within the source.
fn source_range(range: &str, size: u64) -> Result<ops::Range<u64>, ApiError> {
    match Range::parse(range) {
        Ok(Range::Int { first, last: Some(last) }) if last < size => Ok(first..last + 1),
        Ok(Range::Int { last: Some(_), .. }) => {
            Err(invalid_argument(format!("Range specified is not valid for source object of size: {size}")))
        }
        _ => {
            let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last \
                           are the zero-based offsets of the first and last bytes to copy";
            Err(invalid_argument(message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_ranges() {
        for (range, expected) in [
            ("bytes=0-9", Some(0..10)),
            ("bytes=5-5", Some(5..6)),
            ("bytes=0-10", None),
            ("bytes=5-", None),
            ("bytes=-5", None),
            ("0-9", None),
        ] {
            assert_eq!(source_range(range, 10).ok(), expected, "{range}");
        }
    }
}
