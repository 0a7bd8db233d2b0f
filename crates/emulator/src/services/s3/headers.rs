//! What is kept of a put's headers, tags, and how keys are written in lists and events.

use std::collections::BTreeMap;

use http::HeaderMap;

use super::errors::header_not_implemented;
use crate::error::ApiError;

/// Headers that come back as they were put, beside `x-amz-meta-…`.
const KEPT: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];

/// Headers of functions that are not emulated: an object put with one of them would not be what its writer thinks.
const REFUSED: &[&str] = &[
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write-acp",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-write-offset-bytes",
];

/// The type of an object put without one.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// User metadata: names and values, bytes (S3 user guide, "Working with object metadata").
const MAX_METADATA: usize = 2 * 1024;

/// Tags of an object (S3 user guide, "Categorizing your storage using tags").
const MAX_OBJECT_TAGS: usize = 10;

/// Characters of a tag's key.
const MAX_TAG_KEY: usize = 128;

/// Characters of a tag's value.
const MAX_TAG_VALUE: usize = 256;

/// The headers of a put that its object keeps.
pub(super) fn kept(headers: &HeaderMap) -> Result<BTreeMap<String, String>, ApiError> {
    if let Some(header) = REFUSED.iter().find(|name| headers.contains_key(**name)) {
        return Err(header_not_implemented(header));
    }
    check_acl(headers)?;
    let mut kept = BTreeMap::new();
    let mut metadata = 0;
    for (name, value) in headers {
        let meta = name.as_str().strip_prefix("x-amz-meta-");
        if meta.is_none() && !KEPT.contains(&name.as_str()) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        metadata += meta.map_or(0, |meta| meta.len() + value.len());
        kept.insert(name.as_str().to_owned(), value);
    }
    if metadata > MAX_METADATA {
        let message = format!("Your metadata headers exceed the maximum allowed metadata size ({MAX_METADATA} bytes)");
        return Err(ApiError::bad_request("MetadataTooLarge", message));
    }
    kept.entry("content-type".to_owned()).or_insert_with(|| DEFAULT_CONTENT_TYPE.to_owned());
    Ok(kept)
}

/// Buckets made today have their ACLs switched off: only those that say nothing else are taken.
fn check_acl(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get("x-amz-acl").map(|acl| acl.as_bytes()) {
        None | Some(b"private" | b"bucket-owner-full-control") => Ok(()),
        Some(_) => Err(ApiError::bad_request("AccessControlListNotSupported", "The bucket does not allow ACLs")),
    }
}

/// The tags of an `x-amz-tagging` header: `key=value&…`, url-encoded.
pub(super) fn tags_of_header(headers: &HeaderMap) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(header) = headers.get("x-amz-tagging") else { return Ok(BTreeMap::new()) };
    let header = String::from_utf8_lossy(header.as_bytes());
    tags(query_pairs(&header))
}

/// Checks tags and their limits.
pub(super) fn tags(pairs: impl IntoIterator<Item = (String, String)>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > MAX_TAG_KEY {
            return Err(invalid_tag(format!("The TagKey you have provided is invalid: {key:?}")));
        }
        if value.chars().count() > MAX_TAG_VALUE {
            return Err(invalid_tag(format!("The TagValue you have provided is invalid, of key {key:?}")));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(invalid_tag(format!("Cannot provide multiple Tags with the same key: {key:?}")));
        }
    }
    if tags.len() > MAX_OBJECT_TAGS {
        let message = format!("Object tags cannot be greater than {MAX_OBJECT_TAGS}");
        return Err(ApiError::bad_request("BadRequest", message));
    }
    Ok(tags)
}

fn invalid_tag(message: String) -> ApiError {
    ApiError::bad_request("InvalidTag", message)
}

/// The pairs of a query string or form, decoded.
pub(super) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

/// A key as S3's events and url-encoded lists have it: form-encoded, slashes as they are.
pub(super) fn form_encode(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' | b'/' => encoded.push(byte.into()),
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> HeaderMap {
        headers.iter().map(|(n, v)| (n.parse::<http::HeaderName>().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn keys_are_form_encoded() {
        for (key, encoded) in [
            ("logs/s/2026/11/20/a.gz", "logs/s/2026/11/20/a.gz"),
            ("a b+c", "a+b%2Bc"),
            ("Ü&=/%", "%C3%9C%26%3D/%25"),
            ("-._*~", "-._*%7E"),
        ] {
            assert_eq!(form_encode(key), encoded);
            assert_eq!(query_pairs(&format!("{encoded}=")), [(key.to_owned(), String::new())]);
        }
    }

    #[test]
    fn a_put_keeps_its_own_headers() {
        let kept = kept(&map(&[
            ("host", "h"),
            ("content-encoding", "gzip"),
            ("content-length", "5"),
            ("x-amz-meta-a", "b"),
            ("x-amz-acl", "bucket-owner-full-control"),
        ]))
        .unwrap();
        let kept: Vec<_> = kept.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            kept,
            [("content-encoding", "gzip"), ("content-type", "binary/octet-stream"), ("x-amz-meta-a", "b")]
        );
    }

    #[test]
    fn headers_that_are_refused() {
        for (name, value, code) in [
            ("x-amz-acl", "public-read", "AccessControlListNotSupported"),
            ("x-amz-object-lock-mode", "GOVERNANCE", "NotImplemented"),
            ("x-amz-meta-a", &"x".repeat(MAX_METADATA), "MetadataTooLarge"),
        ] {
            assert_eq!(kept(&map(&[(name, value)])).unwrap_err().code, code);
        }
    }

    #[test]
    fn tags_and_their_limits() {
        let parse = |header: &str| tags_of_header(&map(&[("x-amz-tagging", header)]));
        assert_eq!(
            parse("a=1&b%20c=x%26y").unwrap(),
            BTreeMap::from([("a".into(), "1".into()), ("b c".into(), "x&y".into())])
        );
        let eleven: Vec<_> = (0..11).map(|n| format!("k{n}=v")).collect();
        for (header, code) in [
            ("a=1&a=2", "InvalidTag"),
            ("=1", "InvalidTag"),
            (&format!("{}=1", "k".repeat(129)), "InvalidTag"),
            (&format!("k={}", "v".repeat(257)), "InvalidTag"),
            (&eleven.join("&"), "BadRequest"),
        ] {
            assert_eq!(parse(header).unwrap_err().code, code, "{header}");
        }
    }
}
