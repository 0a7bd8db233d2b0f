//! ListObjects and ListObjectsV2.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::convert;
use crate::Ctx;
use crate::error::ApiError;
use crate::services::s3::errors::invalid_argument;
use crate::services::s3::listing::{self, Page, Query};

pub(super) async fn version_1(
    ctx: &Ctx,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let write = convert::key_writer(input.encoding_type.as_ref())?;
    let query = Query {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone().unwrap_or_default(),
        max: convert::page_size("max-keys", input.max_keys)?,
    };
    let max = query.max;
    let page = ctx.store.read(move |db| listing::page(db, &query)).await?;
    let owner = Some(convert::owner(&ctx.config));
    Ok(S3Response::new(ListObjectsOutput {
        common_prefixes: common_prefixes(&page, write),
        contents: contents(&page, write, owner.as_ref()),
        delimiter: input.delimiter.as_deref().map(write),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.next.is_some()),
        marker: Some(input.marker.as_deref().map(write).unwrap_or_default()),
        max_keys: Some(max as i32),
        name: Some(input.bucket),
        // Without a delimiter the last key is the next marker, and S3 does not repeat it.
        next_marker: page.next.as_deref().filter(|_| input.delimiter.is_some()).map(write),
        prefix: Some(input.prefix.as_deref().map(write).unwrap_or_default()),
        request_charged: None,
    }))
}

pub(super) async fn version_2(
    ctx: &Ctx,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let write = convert::key_writer(input.encoding_type.as_ref())?;
    let after = match &input.continuation_token {
        Some(token) => read_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    let query = Query {
        bucket: input.bucket.clone(),
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after,
        max: convert::page_size("max-keys", input.max_keys)?,
    };
    let max = query.max;
    let page = ctx.store.read(move |db| listing::page(db, &query)).await?;
    let owner = input.fetch_owner.unwrap_or(false).then(|| convert::owner(&ctx.config));
    Ok(S3Response::new(ListObjectsV2Output {
        common_prefixes: common_prefixes(&page, write),
        contents: contents(&page, write, owner.as_ref()),
        continuation_token: input.continuation_token,
        delimiter: input.delimiter.as_deref().map(write),
        encoding_type: input.encoding_type,
        is_truncated: Some(page.next.is_some()),
        key_count: Some((page.objects.len() + page.common_prefixes.len()) as i32),
        max_keys: Some(max as i32),
        name: Some(input.bucket),
        next_continuation_token: page.next.as_deref().map(|next| BASE64_URL_SAFE_NO_PAD.encode(next)),
        prefix: Some(input.prefix.as_deref().map(write).unwrap_or_default()),
        request_charged: None,
        start_after: input.start_after.as_deref().map(write),
    }))
}

/// The key or common prefix that the page before ended with.
fn read_token(token: &str) -> Result<String, ApiError> {
    let key = BASE64_URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.filter(|key| !key.is_empty()).ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}

fn common_prefixes(page: &Page, write: fn(&str) -> String) -> Option<CommonPrefixList> {
    let prefixes = page.common_prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(write(prefix)) });
    Some(prefixes.collect())
}

fn contents(page: &Page, write: fn(&str) -> String, owner: Option<&Owner>) -> Option<ObjectList> {
    let objects = page.objects.iter().map(|object| {
        let class = object.headers.get("x-amz-storage-class").map_or("STANDARD", String::as_str);
        Object {
            checksum_algorithm: convert::algorithm_of(&object.headers)
                .map(|algorithm| vec![ChecksumAlgorithm::from_static(algorithm.name())]),
            checksum_type: convert::checksum_type(&object.headers),
            e_tag: convert::etag(&object.etag),
            key: Some(write(&object.key)),
            last_modified: convert::timestamp(object.modified_at),
            owner: owner.cloned(),
            restore_status: None,
            size: Some(object.size),
            storage_class: Some(ObjectStorageClass::from(class.to_owned())),
        }
    });
    Some(objects.collect())
}
