//! Multipart uploads.

use std::fs::File;

use md5::{Digest, Md5};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::convert;
use crate::Ctx;
use crate::error::ApiError;
use crate::services::s3::checksum::{self, Algorithm, Hashers, Sums};
use crate::services::s3::errors::{header_not_implemented, invalid_request};
use crate::services::s3::objects;
use crate::services::s3::receive::receive;
use crate::services::s3::uploads::{self, Part as Stored, Upload, Wanted};
use crate::services::s3::{Body, NewObject, Precondition, conditions, files, headers};

pub(super) async fn create(
    ctx: &Ctx,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = request.input;
    let named = input.checksum_algorithm.as_ref().map(|name| Algorithm::parse(name.as_str())).transpose()?;
    let composite = is_composite(named, input.checksum_type.as_ref())?;
    let upload = Upload {
        id: uuid::Uuid::new_v4().simple().to_string(),
        bucket: input.bucket,
        key: input.key,
        created_at: 0,
        headers: headers::kept(&request.headers)?,
        tags: headers::tags_of_header(&request.headers)?,
        named,
        composite,
    };
    let output = CreateMultipartUploadOutput {
        bucket: Some(upload.bucket.clone()),
        checksum_algorithm: checksum_algorithm(&upload),
        checksum_type: checksum_type(&upload),
        key: Some(upload.key.clone()),
        server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
        upload_id: Some(upload.id.clone()),
        ..Default::default()
    };
    ctx.store.write(move |tx| uploads::create(tx, &upload)).await?;
    Ok(S3Response::new(output))
}

/// Which kind of checksum the object gets. CRC64NVME is only of the whole, the SHAs only of the parts' checksums, the other
/// CRCs of the latter unless asked for (S3 user guide, "Checking object integrity").
fn is_composite(algorithm: Option<Algorithm>, kind: Option<&ChecksumType>) -> Result<bool, ApiError> {
    let Some(algorithm) = algorithm else { return Ok(false) };
    let composite = match kind.map(ChecksumType::as_str) {
        None => algorithm != Algorithm::Crc64Nvme,
        Some(kind) => kind == ChecksumType::COMPOSITE,
    };
    if (composite && algorithm == Algorithm::Crc64Nvme) || (!composite && algorithm.only_composite()) {
        let kind = if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
        let message =
            format!("The {kind} checksum type cannot be used with the {} checksum algorithm.", algorithm.name());
        return Err(invalid_request(message));
    }
    Ok(composite)
}

/// The algorithm as S3 shows it: only when the client named it (CreateMultipartUpload, ListParts).
fn checksum_algorithm(upload: &Upload) -> Option<ChecksumAlgorithm> {
    upload.named.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name()))
}

/// The type of checksum, shown with the algorithm.
fn checksum_type(upload: &Upload) -> Option<ChecksumType> {
    let kind = if upload.composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    upload.named.map(|_| ChecksumType::from_static(kind))
}

pub(super) async fn part(ctx: &Ctx, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
    let input = request.input;
    uploads::check_number(input.part_number)?;
    if input.sse_customer_algorithm.is_some() {
        return Err(header_not_implemented("x-amz-server-side-encryption-customer-algorithm").into());
    }
    let upload = ctx.store.read(move |db| uploads::get(db, &input.bucket, &input.key, &input.upload_id)).await?;
    let (named, default) = (upload.named, upload.algorithm());
    let received = receive(ctx, &request.headers, &request.extensions, input.body, default, named);
    let (body, sums) = received.await?;
    let etag = body.md5.clone();
    let headers = convert::sum_headers(&sums, ChecksumType::FULL_OBJECT);
    store_part(ctx, upload, input.part_number, body, sums).await?;
    let mut output = UploadPartOutput {
        e_tag: convert::etag(&etag),
        server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
        ..Default::default()
    };
    convert::set_sums!(output, headers);
    Ok(S3Response::new(output))
}

/// Writes a part's row and removes the file that this left without a name.
pub(super) async fn store_part(ctx: &Ctx, upload: Upload, number: i32, body: Body, sums: Sums) -> Result<(), ApiError> {
    let ctx = ctx.clone();
    let stored = tokio::spawn(async move {
        let Body { file, size, md5 } = body.clone();
        let part = Stored { number, etag: md5, size, modified_at: 0, file, sums };
        match ctx.store.write(move |tx| uploads::put_part(tx, &upload, &part)).await {
            Ok(replaced) => {
                files::remove(&ctx, replaced.into_iter().collect()).await;
                Ok(())
            }
            Err(error) => {
                files::remove_body(&ctx, body).await;
                Err(error)
            }
        }
    });
    stored.await.map_err(ApiError::internal)?
}

pub(super) async fn complete(
    ctx: &Ctx,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = request.input;
    let precondition = conditions::of_write(input.if_match.clone(), input.if_none_match.clone())?;
    let expected = sums_given(&input);
    let wanted: Vec<Wanted> = input
        .multipart_upload
        .and_then(|upload| upload.parts)
        .into_iter()
        .flatten()
        .map(|part| Wanted {
            number: part.part_number.unwrap_or_default(),
            etag: part.e_tag.as_ref().map(|etag| etag.value().trim_matches('"').to_owned()),
            sums: convert::sums_of!(part),
        })
        .collect();
    let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let (upload, parts) = ctx
        .store
        .read(move |db| {
            let upload = uploads::get(db, &bucket, &key, &id)?;
            let stored = uploads::parts(db, &upload.id, 0, uploads::MAX_PART as usize)?;
            Ok((upload, uploads::choose(stored, &wanted)?))
        })
        .await?;
    check_size(input.mpu_object_size, &parts)?;
    let (object, sizes) = assemble(ctx, &upload, parts).await?;
    let compared = compare(&expected, &object);
    let sums = object.headers.clone();
    let etag = commit(ctx, upload, object, sizes, precondition, compared).await?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("{}/{}/{}", ctx.config.endpoint(), input.bucket, headers::form_encode(&input.key))),
        bucket: Some(input.bucket),
        checksum_type: convert::checksum_type(&sums),
        e_tag: convert::etag(&etag),
        key: Some(input.key),
        server_side_encryption: Some(ServerSideEncryption::from_static(ServerSideEncryption::AES256)),
        ..Default::default()
    };
    convert::set_sums!(output, sums);
    Ok(S3Response::new(output))
}

fn sums_given(input: &CompleteMultipartUploadInput) -> Sums {
    convert::sums_of!(input)
}

fn check_size(expected: Option<i64>, parts: &[Stored]) -> Result<(), ApiError> {
    let size: i64 = parts.iter().map(|part| part.size).sum();
    match expected {
        Some(expected) if expected != size => Err(invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {expected} does not match what was computed: {size}"
        ))),
        _ => Ok(()),
    }
}

/// Writes the parts one after another into the object's body.
async fn assemble(ctx: &Ctx, upload: &Upload, parts: Vec<Stored>) -> Result<(NewObject, Vec<i64>), ApiError> {
    let clone = ctx.clone();
    let (algorithm, composite) = (upload.algorithm(), upload.composite);
    let of_whole = (!composite).then_some(algorithm);
    let sizes = parts.iter().map(|part| part.size).collect();
    let etag = multipart_etag(&parts);
    let composite_sum =
        composite.then(|| checksum::composite(algorithm, parts.iter().map(|part| &part.sums))).flatten();
    let (mut body, mut sums) = files::blocking(move || {
        let open = |part: Stored| match File::open(files::path(&clone, &part.file)) {
            Ok(file) => Ok((file, 0, part.size as u64)),
            // Uploaded again, aborted or completed since we looked.
            Err(_) => Err(ApiError::bad_request("InvalidPart", format!("part {} has just been replaced", part.number))),
        };
        let sources = parts.into_iter().map(open).collect::<Result<_, _>>()?;
        files::concatenate(&clone, sources, Hashers::new(of_whole))
    })
    .await?;
    body.md5 = etag;
    sums.extend(composite_sum.map(|sum| (algorithm, sum)));
    let mut headers = upload.headers.clone();
    let kind = if composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT };
    headers.extend(convert::sum_headers(&sums, kind));
    let event = "ObjectCreated:CompleteMultipartUpload";
    let (bucket, key, tags) = (upload.bucket.clone(), upload.key.clone(), upload.tags.clone());
    Ok((NewObject { bucket, key, body, headers, tags, event }, sizes))
}

/// The MD5 of the parts' MD5s, and their number.
fn multipart_etag(parts: &[Stored]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        let digits = part.etag.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
        let bytes: Vec<u8> = digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
        md5.update(&bytes);
    }
    format!("{}-{}", files::hex(&md5.finalize()), parts.len())
}

/// The checksum that the client gave for the whole, if it did.
fn compare(expected: &Sums, object: &NewObject) -> Result<(), ApiError> {
    for (algorithm, given) in expected {
        if object.headers.get(algorithm.header()).is_some_and(|own| own != given) {
            let name = algorithm.name();
            let message = format!("The {name} you specified did not match the calculated checksum.");
            return Err(ApiError::bad_request("BadDigest", message));
        }
    }
    Ok(())
}

/// Points the key to the assembled body and forgets the upload, in one transaction.
async fn commit(
    ctx: &Ctx,
    upload: Upload,
    object: NewObject,
    sizes: Vec<i64>,
    precondition: Precondition,
    compared: Result<(), ApiError>,
) -> Result<String, ApiError> {
    let ctx = ctx.clone();
    let committed = tokio::spawn(async move {
        let body = object.body.clone();
        let written = ctx.store.write(move |tx| {
            compared?;
            let mut unnamed = uploads::remove(tx, &upload)?;
            let put = objects::put(tx, &object, &sizes, &precondition)?;
            unnamed.extend(put.replaced);
            Ok((put.etag, unnamed))
        });
        match written.await {
            Ok((etag, unnamed)) => {
                files::remove(&ctx, unnamed).await;
                Ok(etag)
            }
            Err(error) => {
                files::remove_body(&ctx, body).await;
                Err(error)
            }
        }
    });
    committed.await.map_err(ApiError::internal)?
}

pub(super) async fn abort(
    ctx: &Ctx,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    let aborted = ctx.store.write(move |tx| {
        let upload = uploads::get(tx, &input.bucket, &input.key, &input.upload_id)?;
        uploads::remove(tx, &upload)
    });
    let unnamed = aborted.await?;
    files::remove(ctx, unnamed).await;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub(super) async fn list_parts(ctx: &Ctx, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let max = convert::page_size("max-parts", input.max_parts)?;
    let after = input.part_number_marker.unwrap_or(0);
    let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
    let (upload, mut parts) = ctx
        .store
        .read(move |db| {
            let upload = uploads::get(db, &bucket, &key, &id)?;
            Ok((upload, uploads::parts(db, &id, after, max + 1)?))
        })
        .await?;
    let truncated = parts.len() > max;
    parts.truncate(max);
    let last = parts.last().map_or(0, |part| part.number);
    let owner = convert::owner(&ctx.config);
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: checksum_algorithm(&upload),
        checksum_type: checksum_type(&upload),
        initiator: Some(Initiator { display_name: None, id: owner.id.clone() }),
        is_truncated: Some(truncated),
        key: Some(input.key),
        max_parts: Some(max as i32),
        next_part_number_marker: Some(last),
        owner: Some(owner),
        part_number_marker: Some(after),
        parts: Some(parts.into_iter().map(|part| listed_part(&upload, part)).collect()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(input.upload_id),
        ..Default::default()
    }))
}

/// Shows the part's checksum when the client named an algorithm.
fn listed_part(upload: &Upload, mut part: Stored) -> Part {
    part.sums.retain(|algorithm, _| upload.named == Some(*algorithm));
    let sums = convert::sum_headers(&part.sums, ChecksumType::FULL_OBJECT);
    let mut listed = Part {
        e_tag: convert::etag(&part.etag),
        last_modified: convert::timestamp(part.modified_at),
        part_number: Some(part.number),
        size: Some(part.size),
        ..Default::default()
    };
    convert::set_sums!(listed, sums);
    listed
}

pub(super) async fn list(
    ctx: &Ctx,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    if input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(ApiError::not_emulated("s3", "ListMultipartUploads with a delimiter").into());
    }
    let write = convert::key_writer(input.encoding_type.as_ref())?;
    let max = convert::page_size("max-uploads", input.max_uploads)?;
    let (bucket, prefix) = (input.bucket.clone(), input.prefix.clone().unwrap_or_default());
    let (key, id) = (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone().unwrap_or_default());
    let listed = ctx.store.read(move |db| uploads::list(db, &bucket, &prefix, (&key, &id), max + 1));
    let mut found = listed.await?;
    let truncated = found.len() > max;
    found.truncate(max);
    // S3 names the last one listed whether more follow or not.
    let last = found.last().map(|upload| (write(&upload.key), upload.id.clone()));
    let (next_key_marker, next_upload_id_marker) = last.unwrap_or_default();
    let owner = convert::owner(&ctx.config);
    let uploads = found.into_iter().map(|upload| MultipartUpload {
        checksum_algorithm: checksum_algorithm(&upload),
        checksum_type: checksum_type(&upload),
        initiated: convert::timestamp(upload.created_at),
        initiator: Some(Initiator { display_name: None, id: owner.id.clone() }),
        key: Some(write(&upload.key)),
        owner: Some(owner.clone()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        upload_id: Some(upload.id),
    });
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        encoding_type: input.encoding_type,
        is_truncated: Some(truncated),
        key_marker: Some(input.key_marker.as_deref().map(write).unwrap_or_default()),
        max_uploads: Some(max as i32),
        next_key_marker: Some(next_key_marker),
        next_upload_id_marker: Some(next_upload_id_marker),
        prefix: input.prefix.as_deref().map(write),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        uploads: Some(uploads.collect()),
        ..Default::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_checksum() {
        let kind = |name: &'static str| ChecksumType::from_static(name);
        for (algorithm, asked, expected) in [
            (None, None, Some(false)),
            (Some(Algorithm::Crc32), None, Some(true)),
            (Some(Algorithm::Crc32), Some("FULL_OBJECT"), Some(false)),
            (Some(Algorithm::Crc64Nvme), None, Some(false)),
            (Some(Algorithm::Crc64Nvme), Some("COMPOSITE"), None),
            (Some(Algorithm::Sha256), None, Some(true)),
            (Some(Algorithm::Sha256), Some("FULL_OBJECT"), None),
        ] {
            let got = is_composite(algorithm, asked.map(kind).as_ref()).ok();
            assert_eq!(got, expected, "{algorithm:?} {asked:?}");
        }
    }

    #[test]
    fn etag_of_parts() {
        let part = |etag: &str| Stored {
            number: 1,
            etag: etag.to_owned(),
            size: 0,
            modified_at: 0,
            file: String::new(),
            sums: Sums::new(),
        };
        // md5(md5("hello") bytes), as computed by md5sum.
        let parts = [part("5d41402abc4b2a76b9719d911017c592")];
        assert_eq!(multipart_etag(&parts), "62109206880d38a4010a98e11243924a-1");
    }
}
