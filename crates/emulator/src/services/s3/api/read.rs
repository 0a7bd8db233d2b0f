//! GetObject and HeadObject.

use std::collections::BTreeMap;
use std::ops;

use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::convert;
use crate::Ctx;
use crate::services::s3::conditions::{ReadConditions, Verdict};
use crate::services::s3::errors::{header_not_implemented, invalid_request, precondition_failed};
use crate::services::s3::files;
use crate::services::s3::headers::query_pairs;
use crate::services::s3::objects::{self, Object as Stored};

/// What a reader asks for.
struct Reading {
    conditions: ReadConditions,
    range: Option<Range>,
    part: Option<i32>,
    /// `x-amz-checksum-mode: ENABLED`.
    checksums: bool,
    /// `response-content-type` and its like.
    overrides: BTreeMap<String, String>,
}

macro_rules! reading {
    ($request:expr) => {{
        convert::check_version($request.input.version_id.as_deref())?;
        if $request.input.sse_customer_algorithm.is_some() {
            return Err(header_not_implemented("x-amz-server-side-encryption-customer-algorithm").into());
        }
        Reading {
            conditions: ReadConditions {
                if_match: $request.input.if_match,
                if_none_match: $request.input.if_none_match,
                if_modified_since: $request.input.if_modified_since,
                if_unmodified_since: $request.input.if_unmodified_since,
            },
            range: $request.input.range,
            part: $request.input.part_number,
            checksums: $request.input.checksum_mode.is_some_and(|mode| mode.as_str().eq_ignore_ascii_case("enabled")),
            overrides: overrides($request.uri.query().unwrap_or_default()),
        }
    }};
}

/// The part of an object that is sent.
#[derive(Debug, PartialEq, Eq)]
struct Slice {
    bytes: ops::Range<u64>,
    /// `bytes 0-9/100`, if it is not simply the whole.
    content_range: Option<String>,
    parts_count: Option<i32>,
}

pub(super) async fn get(ctx: &Ctx, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
    let reading = reading!(request);
    let (object, file) = files::open(ctx, &request.input.bucket, &request.input.key).await?;
    let slice = reading.slice(&object)?;
    let headers = reading.headers(&object, &slice);
    let length = slice.bytes.end - slice.bytes.start;
    let body = files::stream(file, slice.bytes.start, length);
    let output = GetObjectOutput {
        body: Some(StreamingBlob::wrap(body)),
        content_length: Some(length as i64),
        content_range: slice.content_range,
        e_tag: convert::etag(&object.etag),
        last_modified: convert::timestamp(object.modified_at),
        ..Default::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

pub(super) async fn head(ctx: &Ctx, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
    let reading = reading!(request);
    let (bucket, key) = (request.input.bucket, request.input.key);
    let object = ctx.store.read(move |db| objects::get(db, &bucket, &key)).await?;
    let slice = reading.slice(&object)?;
    let headers = reading.headers(&object, &slice);
    let output = HeadObjectOutput {
        content_length: Some((slice.bytes.end - slice.bytes.start) as i64),
        content_range: slice.content_range,
        e_tag: convert::etag(&object.etag),
        last_modified: convert::timestamp(object.modified_at),
        ..Default::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

impl Reading {
    /// Checks the conditions, then finds what is to be sent.
    fn slice(&self, object: &Stored) -> S3Result<Slice> {
        match self.conditions.verdict(&object.etag, object.modified_at) {
            Verdict::Proceed => {}
            Verdict::Failed(condition) => return Err(precondition_failed(condition).into()),
            Verdict::NotModified => {
                let mut error = S3Error::new(S3ErrorCode::NotModified);
                error.set_headers(convert::header_map([("etag", format!("\"{}\"", object.etag).as_str())]));
                return Err(error);
            }
        }
        let size = object.size as u64;
        match (self.range, self.part) {
            (Some(_), Some(_)) => {
                Err(invalid_request("Cannot specify both Range header and partNumber query parameter").into())
            }
            (None, Some(number)) => part(object, number),
            (None, None) => Ok(Slice { bytes: 0..size, content_range: None, parts_count: None }),
            (Some(range), None) => {
                // A suffix longer than the object is the whole object; of an empty one there is no byte to send.
                let bytes = range.check(size).ok().filter(|bytes| !bytes.is_empty());
                let bytes = bytes.ok_or_else(|| not_satisfiable(size))?;
                Ok(Slice { content_range: Some(content_range(&bytes, size)), bytes, parts_count: None })
            }
        }
    }

    fn headers(&self, object: &Stored, slice: &Slice) -> HeaderMap {
        let mut headers = object.headers.clone();
        // The checksum is that of the whole object.
        let whole = slice.content_range.is_none();
        headers.retain(|name, value| match name.as_str() {
            "x-amz-storage-class" => value != "STANDARD",
            name => !name.starts_with("x-amz-checksum-") || (self.checksums && whole),
        });
        headers.insert("accept-ranges".to_owned(), "bytes".to_owned());
        headers.entry("x-amz-server-side-encryption".to_owned()).or_insert_with(|| "AES256".to_owned());
        if !object.tags.is_empty() {
            headers.insert("x-amz-tagging-count".to_owned(), object.tags.len().to_string());
        }
        if let Some(count) = slice.parts_count {
            headers.insert("x-amz-mp-parts-count".to_owned(), count.to_string());
        }
        headers.extend(self.overrides.clone());
        convert::header_map(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// A part as it was uploaded; an object that was put at once is its own part 1.
fn part(object: &Stored, number: i32) -> S3Result<Slice> {
    let size = object.size as u64;
    let count = object.parts.len() as i32;
    let index = usize::try_from(number - 1).ok().filter(|&index| index < object.parts.len().max(1));
    let Some(index) = index else {
        let mut error = S3Error::with_message(
            S3ErrorCode::from_bytes(b"InvalidPartNumber").unwrap_or(S3ErrorCode::InvalidRange),
            format!("The requested partnumber is not satisfiable: {number}"),
        );
        error.set_status_code(http::StatusCode::RANGE_NOT_SATISFIABLE);
        return Err(error);
    };
    if object.parts.is_empty() {
        let content_range = (size > 0).then(|| content_range(&(0..size), size));
        return Ok(Slice { bytes: 0..size, content_range, parts_count: None });
    }
    let start: i64 = object.parts[..index].iter().sum();
    let bytes = start as u64..(start + object.parts[index]) as u64;
    let content_range = (!bytes.is_empty()).then(|| content_range(&bytes, size));
    Ok(Slice { bytes, content_range, parts_count: Some(count) })
}

fn content_range(bytes: &ops::Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1)
}

fn not_satisfiable(size: u64) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
    error.set_status_code(http::StatusCode::RANGE_NOT_SATISFIABLE);
    error.set_headers(convert::header_map([("content-range", format!("bytes */{size}").as_str())]));
    error
}

/// Headers that the query asks for in place of the object's own.
fn overrides(query: &str) -> BTreeMap<String, String> {
    let known = |name: &str| {
        let name = name.strip_prefix("response-")?;
        let all =
            ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];
        all.contains(&name).then(|| name.to_owned())
    };
    query_pairs(query).into_iter().filter_map(|(name, value)| Some((known(&name)?, value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(size: i64, parts: &[i64]) -> Stored {
        Stored {
            key: "k".into(),
            etag: "e".into(),
            size,
            modified_at: 0,
            file: String::new(),
            headers: BTreeMap::new(),
            tags: BTreeMap::new(),
            parts: parts.to_vec(),
        }
    }

    fn slice(
        object: &Stored,
        range: Option<&str>,
        part: Option<i32>,
    ) -> Result<(ops::Range<u64>, Option<String>), String> {
        let reading = Reading {
            conditions: ReadConditions::default(),
            range: range.map(|range| Range::parse(range).unwrap()),
            part,
            checksums: false,
            overrides: BTreeMap::new(),
        };
        let slice = reading.slice(object).map_err(|error| error.code().as_str().to_owned())?;
        Ok((slice.bytes, slice.content_range))
    }

    #[test]
    fn ranges_and_parts() {
        let range = |text: &str| Some(text.to_owned());
        for (size, parts, asked, part, expected) in [
            (10, &[][..], None, None, Ok((0..10, None))),
            (10, &[], Some("bytes=0-3"), None, Ok((0..4, range("bytes 0-3/10")))),
            (10, &[], Some("bytes=8-"), None, Ok((8..10, range("bytes 8-9/10")))),
            (10, &[], Some("bytes=8-100"), None, Ok((8..10, range("bytes 8-9/10")))),
            (10, &[], Some("bytes=-3"), None, Ok((7..10, range("bytes 7-9/10")))),
            (10, &[], Some("bytes=-30"), None, Ok((0..10, range("bytes 0-9/10")))),
            (10, &[], Some("bytes=10-"), None, Err("InvalidRange")),
            (10, &[], Some("bytes=-0"), None, Err("InvalidRange")),
            (0, &[], Some("bytes=0-"), None, Err("InvalidRange")),
            (0, &[], Some("bytes=-5"), None, Err("InvalidRange")),
            (10, &[], None, Some(1), Ok((0..10, range("bytes 0-9/10")))),
            (10, &[], None, Some(2), Err("InvalidPartNumber")),
            (10, &[4, 6], None, Some(2), Ok((4..10, range("bytes 4-9/10")))),
            (10, &[4, 6], None, Some(3), Err("InvalidPartNumber")),
            (10, &[4, 6], None, Some(0), Err("InvalidPartNumber")),
            (10, &[], Some("bytes=0-3"), Some(1), Err("InvalidRequest")),
        ] {
            let got = slice(&stored(size, parts), asked, part);
            assert_eq!(got, expected.map_err(str::to_owned), "size {size}, parts {parts:?}, {asked:?}, part {part:?}");
        }
    }
}
