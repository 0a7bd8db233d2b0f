//! Receiving a body: from the request's stream to a file, a block at a time, with its digests compared with those announced.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use http::{Extensions, HeaderMap, StatusCode};
use s3s::dto::StreamingBlob;

use super::Body;
use super::checksum::{ALGORITHMS, Algorithm, Hashers, Sums};
use super::errors::invalid_request;
use super::files::{self, Sink};
use crate::Ctx;
use crate::error::ApiError;

/// The largest body of one request (S3 user guide, "Uploading objects": a single put, a single part).
const MAX_BODY: u64 = 5 * 1024 * 1024 * 1024;

/// Collected before it is hashed and written: most objects need one hop to the blocking pool.
const BLOCK: usize = 1024 * 1024;

/// The trailers of an `aws-chunked` body, there once it has been read.
#[derive(Debug, Clone, Default)]
pub(super) struct Trailers(pub Arc<Mutex<HeaderMap>>);

/// What the client says about its body.
#[derive(Debug, Default)]
struct Announced {
    /// To compute and keep.
    algorithms: BTreeSet<Algorithm>,
    /// Whose value comes in a trailer.
    in_trailer: Vec<Algorithm>,
    /// Base64.
    sums: Sums,
    /// Hex.
    md5: Option<String>,
    /// Hex.
    sha256: Option<String>,
}

/// Receives the body of a put or a part. `wanted` is computed in any case; `default` when the client named no algorithm.
pub(super) async fn receive(
    ctx: &Ctx,
    headers: &HeaderMap,
    extensions: &Extensions,
    body: Option<StreamingBlob>,
    default: Algorithm,
    wanted: Option<Algorithm>,
) -> Result<(Body, Sums), ApiError> {
    check_length(headers)?;
    let mut announced = Announced::read(headers)?;
    if announced.algorithms.is_empty() {
        announced.algorithms.insert(default);
    }
    announced.algorithms.extend(wanted);
    let extra = announced.sha256.as_ref().map(|_| Algorithm::Sha256);
    let hashers = Hashers::new(announced.algorithms.iter().copied().chain(extra).collect::<BTreeSet<_>>());
    let (body, mut sums) = store(ctx, body, hashers).await?;
    let trailers = extensions.get::<Trailers>().map(|trailers| trailers.0.lock().expect("trailers").clone());
    if let Err(error) = announced.compare(&body, &sums, &trailers.unwrap_or_default()) {
        files::remove_body(ctx, body).await;
        return Err(error);
    }
    sums.retain(|algorithm, _| announced.algorithms.contains(algorithm));
    Ok((body, sums))
}

fn check_length(headers: &HeaderMap) -> Result<(), ApiError> {
    let length = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_none() && headers.contains_key("transfer-encoding") {
        let message = "You must provide the Content-Length HTTP header";
        return Err(ApiError::new(StatusCode::LENGTH_REQUIRED, "MissingContentLength", message));
    }
    if length.is_some_and(|length| length > MAX_BODY) {
        let message = format!("Your proposed upload exceeds the maximum allowed size ({MAX_BODY} bytes)");
        return Err(ApiError::bad_request("EntityTooLarge", message));
    }
    Ok(())
}

async fn store(ctx: &Ctx, body: Option<StreamingBlob>, hashers: Hashers) -> Result<(Body, Sums), ApiError> {
    let mut pending: Vec<Bytes> = Vec::new();
    let mut pending_bytes = 0;
    let mut sink = None;
    let mut hashers = Some(hashers);
    if let Some(mut body) = body {
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(read_error)?;
            pending_bytes += piece.len();
            pending.push(piece);
            if pending_bytes >= BLOCK {
                let (blocks, hashers) = (std::mem::take(&mut pending), hashers.take());
                pending_bytes = 0;
                sink = Some(append(ctx, sink, hashers, blocks).await?);
            }
        }
    }
    let sink = append(ctx, sink, hashers, pending).await?;
    files::blocking(move || sink.finish()).await
}

/// Writes to the sink, which is made with the hashers if there is none yet.
async fn append(ctx: &Ctx, sink: Option<Sink>, hashers: Option<Hashers>, blocks: Vec<Bytes>) -> Result<Sink, ApiError> {
    let ctx = ctx.clone();
    files::blocking(move || {
        let mut sink = match sink {
            Some(sink) => sink,
            None => Sink::create(&ctx, hashers.unwrap_or_default())?,
        };
        for block in &blocks {
            sink.write(block)?;
        }
        Ok(sink)
    })
    .await
}

/// The decoder's own error, or a connection that broke off.
fn read_error(error: s3s::StdError) -> ApiError {
    match error.downcast::<ApiError>() {
        Ok(error) => *error,
        Err(error) => ApiError::bad_request("IncompleteBody", format!("the request's body was not read: {error}")),
    }
}

impl Announced {
    fn read(headers: &HeaderMap) -> Result<Announced, ApiError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let mut announced = Announced::default();
        let trailers = text("x-amz-trailer").unwrap_or_default();
        for algorithm in ALGORITHMS {
            if let Some(sum) = text(algorithm.header()) {
                announced.sums.insert(algorithm, sum.to_owned());
                announced.algorithms.insert(algorithm);
            } else if trailers.split(',').any(|name| name.trim().eq_ignore_ascii_case(algorithm.header())) {
                announced.in_trailer.push(algorithm);
                announced.algorithms.insert(algorithm);
            }
        }
        if announced.algorithms.len() > 1 {
            let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(invalid_request(message));
        }
        if announced.algorithms.is_empty()
            && let Some(name) = text("x-amz-sdk-checksum-algorithm")
        {
            announced.algorithms.insert(Algorithm::parse(name)?);
        }
        announced.md5 = text("content-md5").map(md5_of_header).transpose()?;
        announced.sha256 = text("x-amz-content-sha256").filter(|value| is_sha256(value)).map(str::to_owned);
        Ok(announced)
    }

    fn compare(&self, body: &Body, sums: &Sums, trailers: &HeaderMap) -> Result<(), ApiError> {
        for (algorithm, given) in &self.sums {
            compare_sum(*algorithm, given, sums)?;
        }
        for algorithm in &self.in_trailer {
            let given = trailers.get(algorithm.header()).and_then(|value| value.to_str().ok()).ok_or_else(|| {
                let message = format!("The request announced the trailer {} and did not send it", algorithm.header());
                ApiError::bad_request("MalformedTrailerError", message)
            })?;
            compare_sum(*algorithm, given, sums)?;
        }
        if self.md5.as_ref().is_some_and(|md5| *md5 != body.md5) {
            return Err(bad_digest("Content-MD5"));
        }
        if let Some(given) = &self.sha256 {
            let own = sums.get(&Algorithm::Sha256).and_then(|sum| BASE64_STANDARD.decode(sum).ok()).unwrap_or_default();
            if files::hex(&own) != given.to_ascii_lowercase() {
                let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
                return Err(ApiError::bad_request("XAmzContentSHA256Mismatch", message));
            }
        }
        Ok(())
    }
}

fn compare_sum(algorithm: Algorithm, given: &str, sums: &Sums) -> Result<(), ApiError> {
    let own = sums.get(&algorithm).map(String::as_str).unwrap_or_default();
    if BASE64_STANDARD.decode(given).map(|sum| sum.len()).ok() != BASE64_STANDARD.decode(own).map(|sum| sum.len()).ok()
    {
        return Err(invalid_request(format!("Value for {} header is invalid.", algorithm.header())));
    }
    if given == own { Ok(()) } else { Err(bad_digest(algorithm.name())) }
}

fn bad_digest(what: &str) -> ApiError {
    ApiError::bad_request("BadDigest", format!("The {what} you specified did not match the calculated checksum."))
}

fn md5_of_header(value: &str) -> Result<String, ApiError> {
    match BASE64_STANDARD.decode(value) {
        Ok(md5) if md5.len() == 16 => Ok(files::hex(&md5)),
        _ => Err(ApiError::bad_request("InvalidDigest", "The Content-MD5 you specified is not valid.")),
    }
}

/// Not `UNSIGNED-PAYLOAD` or one of the streaming ones.
fn is_sha256(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}
