//! The body of a request, unpacked.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::error::ApiError;

/// The longest body, unpacked: Elasticsearch's `http.max_content_length`.
pub const MAX_BODY: usize = 100 << 20;

/// A body may grow to this many times its size: logs grow five to fifty times, a bomb a thousand times.
pub const MAX_RATIO: usize = 250;

/// What any body may grow to, however short it was.
const RATIO_FLOOR: usize = 1 << 20;

/// Unpacks a body of this `Content-Encoding`.
pub fn unpack(body: Bytes, encoding: Option<&str>) -> Result<Bytes, ApiError> {
    let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
    match encoding.as_str() {
        "" | "identity" => Ok(body),
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(&*body), body.len(), &encoding),
        // RFC 9110: zlib; some clients send the bare stream. A zlib header is a multiple of 31.
        "deflate" if is_zlib(&body) => read(ZlibDecoder::new(&*body), body.len(), &encoding),
        "deflate" => read(DeflateDecoder::new(&*body), body.len(), &encoding),
        _ => Err(ApiError::illegal(format!(
            "Content-Encoding [{encoding}] is not supported, expected gzip, deflate or identity"
        ))
        .with_status(415)),
    }
}

fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

fn read(decoder: impl Read, packed: usize, encoding: &str) -> Result<Bytes, ApiError> {
    let most = MAX_BODY.min(RATIO_FLOOR.max(packed.saturating_mul(MAX_RATIO)));
    let mut unpacked = Vec::with_capacity(most.min(packed.saturating_mul(8)));
    let mut decoder = decoder.take(most as u64 + 1);
    decoder
        .read_to_end(&mut unpacked)
        .map_err(|error| ApiError::new(400, "parse_exception", format!("the body is not valid {encoding}: {error}")))?;
    if unpacked.len() > most {
        return Err(ApiError::too_large(format!(
            "the body of {packed} bytes is over {most} bytes when unpacked, the limit is {MAX_BODY} bytes and {MAX_RATIO} times \
             its size"
        )));
    }
    Ok(unpacked.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write};

    use super::*;

    fn gzip(text: &[u8]) -> Bytes {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let mut zlib = write::ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"{}").unwrap();
        let mut raw = write::DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(b"{}").unwrap();
        let two_members = [gzip(b"{"), gzip(b"}")].concat().into();
        for (encoding, body) in [
            (None, Bytes::from("{}")),
            (Some("identity"), Bytes::from("{}")),
            (Some("GZIP"), gzip(b"{}")),
            (Some("gzip"), two_members),
            (Some("deflate"), zlib.finish().unwrap().into()),
            (Some("deflate"), raw.finish().unwrap().into()),
        ] {
            assert_eq!(unpack(body, encoding).unwrap(), "{}", "{encoding:?}");
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_refused() {
        let bomb = gzip(&vec![b' '; 2 << 20]);
        for (encoding, body, status, reason) in [
            ("gzip", Bytes::from("{}"), 400, "not valid gzip"),
            ("zstd", Bytes::from("{}"), 415, "[zstd] is not supported"),
            ("gzip", bomb, 413, "250 times"),
        ] {
            let error = unpack(body, Some(encoding)).unwrap_err();
            assert_eq!(error.status, status, "{error}");
            assert!(error.reason.contains(reason), "{error}");
        }
    }
}
