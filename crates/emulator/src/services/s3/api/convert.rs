//! Small conversions between s3s's types and ours.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::dto::{ChecksumType, ETag, EncodingType, Owner, Timestamp};

use crate::config::Config;
use crate::error::ApiError;
use crate::services::s3::checksum::{ALGORITHMS, Algorithm, Sums};
use crate::services::s3::errors::invalid_argument;
use crate::services::s3::headers::form_encode;

/// The header that says of what kind an object's checksum is.
pub(super) const CHECKSUM_TYPE: &str = "x-amz-checksum-type";

pub(super) fn etag(etag: &str) -> Option<ETag> {
    Some(ETag::Strong(etag.to_owned()))
}

/// Epoch ms to s3s's. S3 shows whole seconds, in lists as in headers.
pub(super) fn timestamp(ms: i64) -> Option<Timestamp> {
    let since = Duration::from_secs(u64::try_from(ms / 1000).unwrap_or(0));
    Some(Timestamp::from(SystemTime::UNIX_EPOCH + since))
}

pub(super) fn owner(config: &Config) -> Owner {
    Owner { display_name: None, id: Some(config.account.clone()) }
}

/// Headers of a reply from names and values.
pub(super) fn header_map<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> HeaderMap {
    let parse = |(name, value): (&str, &str)| -> Option<(HeaderName, HeaderValue)> {
        Some((name.parse().ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    headers.into_iter().filter_map(parse).collect()
}

/// Checksums as headers that an object keeps.
pub(super) fn sum_headers(sums: &Sums, kind: &'static str) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<_, _> =
        sums.iter().map(|(algorithm, sum)| (algorithm.header().to_owned(), sum.clone())).collect();
    if !headers.is_empty() {
        headers.insert(CHECKSUM_TYPE.to_owned(), kind.to_owned());
    }
    headers
}

/// Sets the checksum fields of one of s3s's types from a map by header name.
macro_rules! set_sums {
    ($target:expr, $headers:expr) => {{
        $target.checksum_crc32 = $headers.get("x-amz-checksum-crc32").cloned();
        $target.checksum_crc32c = $headers.get("x-amz-checksum-crc32c").cloned();
        $target.checksum_crc64nvme = $headers.get("x-amz-checksum-crc64nvme").cloned();
        $target.checksum_sha1 = $headers.get("x-amz-checksum-sha1").cloned();
        $target.checksum_sha256 = $headers.get("x-amz-checksum-sha256").cloned();
    }};
}
pub(super) use set_sums;

/// The checksum fields of one of s3s's types; the caller has `Algorithm` and `Sums` in scope.
macro_rules! sums_of {
    ($source:expr) => {
        [
            (Algorithm::Crc32, $source.checksum_crc32.clone()),
            (Algorithm::Crc32c, $source.checksum_crc32c.clone()),
            (Algorithm::Crc64Nvme, $source.checksum_crc64nvme.clone()),
            (Algorithm::Sha1, $source.checksum_sha1.clone()),
            (Algorithm::Sha256, $source.checksum_sha256.clone()),
        ]
        .into_iter()
        .filter_map(|(algorithm, sum)| Some((algorithm, sum?)))
        .collect::<Sums>()
    };
}
pub(super) use sums_of;

pub(super) fn checksum_type(headers: &BTreeMap<String, String>) -> Option<ChecksumType> {
    headers.get(CHECKSUM_TYPE).map(|kind| ChecksumType::from(kind.clone()))
}

/// The algorithm of the checksum that an object has.
pub(super) fn algorithm_of(headers: &BTreeMap<String, String>) -> Option<Algorithm> {
    ALGORITHMS.into_iter().find(|algorithm| headers.contains_key(algorithm.header()))
}

/// How keys are written in a list: as they are, or url-encoded.
pub(super) fn key_writer(encoding: Option<&EncodingType>) -> Result<fn(&str) -> String, ApiError> {
    match encoding.map(EncodingType::as_str) {
        None => Ok(str::to_owned),
        Some("url") => Ok(form_encode),
        Some(other) => Err(invalid_argument(format!("Invalid Encoding Method specified in Request: {other:?}"))),
    }
}

/// `max-keys` and its like: 0 to 1,000, and 1,000 for more.
pub(super) fn page_size(name: &str, given: Option<i32>) -> Result<usize, ApiError> {
    let given = given.unwrap_or(1000);
    usize::try_from(given)
        .map(|given| given.min(1000))
        .map_err(|_| invalid_argument(format!("Argument {name} must be an integer between 0 and 2147483647: {given}")))
}

/// Buckets here have no versions but the `null` one.
pub(super) fn check_version(version: Option<&str>) -> Result<(), ApiError> {
    match version {
        None | Some("null") => Ok(()),
        Some(version) => Err(ApiError::new(
            http::StatusCode::NOT_FOUND,
            "NoSuchVersion",
            format!("The specified version does not exist: {version} (the emulator keeps no versions)"),
        )),
    }
}
