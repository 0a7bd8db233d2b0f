//! Compressed requests: the SDKs send PutMetricData of 10 KiB and more as gzip.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::error::ApiError;

/// The body as the client meant it, at most `limit` bytes. `aws-chunked` and `identity` change nothing.
pub fn decode(headers: &HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, ApiError> {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !encoding.split(',').any(|encoding| encoding.trim().eq_ignore_ascii_case("gzip")) {
        return Ok(body);
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(&body[..])
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|e| ApiError::bad_request("SerializationException", format!("request body: not gzip: {e}")))?;
    if plain.len() > limit {
        let message = format!("the request's body is more than {limit} bytes when it is decompressed");
        return Err(ApiError::new(http::StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLarge", message));
    }
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn gzip_is_undone_within_bounds() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&[7; 100]).unwrap();
        let gzip = Bytes::from(encoder.finish().unwrap());
        let plain = Bytes::from(vec![7; 100]);
        for (encoding, body, limit, expected) in [
            (None, &gzip, 100, Some(&gzip)),
            (Some("identity"), &gzip, 100, Some(&gzip)),
            (Some("gzip"), &gzip, 100, Some(&plain)),
            (Some("GZIP"), &gzip, 1000, Some(&plain)),
            (Some("gzip"), &gzip, 99, None),
            (Some("gzip"), &plain, 100, None),
            (Some("gzip"), &gzip.slice(..10), 100, None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(encoding) = encoding {
                headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
            }
            assert_eq!(decode(&headers, body.clone(), limit).ok().as_ref(), expected, "{encoding:?} {limit}");
        }
    }
}
