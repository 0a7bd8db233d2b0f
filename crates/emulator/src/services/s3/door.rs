//! The door: an HTTP request as a client signed it becomes one that s3s takes, and what s3s answers becomes S3's answer.

use bytes::Bytes;
use futures::stream::{self, Stream, TryStreamExt};
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Frame, Incoming};
use s3s::service::S3ServiceBuilder;
use s3s::{Body, S3Error};

use super::api::Backend;
use super::chunked::Decoder;
use super::events::{host_id, request_id};
use super::headers::query_pairs;
use super::receive::Trailers;
use crate::Ctx;
use crate::error::ApiError;
use crate::wire::{HttpRequest, HttpResponse, full};

/// Query parameters of a signature of version 4, in lower case.
const SIGNATURE_V4: &[&str] = &[
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-user-agent",
];

/// Those of version 2.
const SIGNATURE_V2: &[&str] = &["awsaccesskeyid", "expires", "signature"];

/// Answers a request of the REST API. Errors are S3's XML.
pub async fn call(ctx: &Ctx, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let method = request.method().clone();
    let asked = format!("{method} {}", request.uri().path_and_query().map_or("/", PathAndQuery::as_str));
    let request = match prepare(ctx, request) {
        Ok(request) => request,
        Err(error) => return refuse(error, &method),
    };
    let service = S3ServiceBuilder::new(Backend::new(ctx.clone())).build();
    let response = service.call(request).await.map_err(|e| ApiError::internal(format!("s3s: {e:?}")))?;
    Ok(finish(name_unknown(response, &asked)?, &method))
}

/// An error before any operation: S3's XML, as the operations' own.
pub fn refuse(error: ApiError, method: &Method) -> Result<HttpResponse, ApiError> {
    let response = S3Error::from(error).to_http_response().map_err(ApiError::internal)?;
    Ok(finish(response, method))
}

fn prepare(ctx: &Ctx, request: HttpRequest) -> Result<http::Request<Body>, ApiError> {
    let (mut parts, body) = request.into_parts();
    let owner = parts.headers.get("x-amz-expected-bucket-owner");
    if owner.is_some_and(|owner| owner.as_bytes() != ctx.config.account.as_bytes()) {
        let message = format!("the bucket's owner is not the expected one: here it is always {}", ctx.config.account);
        return Err(ApiError::new(StatusCode::FORBIDDEN, "AccessDenied", message));
    }
    if parts.headers.get(CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"multipart/form-data"))
        && parts.method == Method::POST
    {
        return Err(ApiError::not_emulated("s3", "PostObject (browser uploads with a form)"));
    }
    strip_signature(&mut parts)?;
    drop_bad_range(&mut parts.headers);
    let body = match decoded_length(&mut parts.headers)? {
        Some(length) => {
            let trailers = Trailers::default();
            parts.extensions.insert(trailers.clone());
            let frames = decode(body, Decoder::new(length), trailers).map_ok(Frame::data);
            Body::http_body_unsync(StreamBody::new(frames))
        }
        None => Body::from(body),
    };
    Ok(http::Request::from_parts(parts, body))
}

/// Takes the signature off headers and query. Headers that a presigned URL carries in its query become headers again.
fn strip_signature(parts: &mut Parts) -> Result<(), ApiError> {
    parts.headers.remove(AUTHORIZATION);
    let Some(query) = parts.uri.query() else { return Ok(()) };
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let version_2 = query.split('&').any(|pair| name(pair) == "awsaccesskeyid");
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let name = name(pair);
        if SIGNATURE_V4.contains(&name.as_str()) || (version_2 && SIGNATURE_V2.contains(&name.as_str())) {
            continue;
        }
        if name.starts_with("x-amz-") {
            hoist(&mut parts.headers, pair);
        } else {
            kept.push(pair);
        }
    }
    let path = parts.uri.path();
    let target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = Some(PathAndQuery::try_from(target).map_err(invalid_uri)?);
    parts.uri = Uri::from_parts(uri).map_err(invalid_uri)?;
    Ok(())
}

fn hoist(headers: &mut HeaderMap, pair: &str) {
    for (name, value) in query_pairs(pair) {
        if let (Ok(name), Ok(value)) = (name.to_ascii_lowercase().parse::<HeaderName>(), HeaderValue::from_str(&value))
        {
            headers.entry(name).or_insert(value);
        }
    }
}

fn invalid_uri(error: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request("InvalidURI", format!("Couldn't parse the specified URI: {error}"))
}

/// S3 ignores a range that it does not understand and sends the whole object.
fn drop_bad_range(headers: &mut HeaderMap) {
    let understood = |range: &HeaderValue| range.to_str().is_ok_and(|range| s3s::dto::Range::parse(range).is_ok());
    if headers.get("range").is_some_and(|range| !understood(range)) {
        headers.remove("range");
    }
}

/// The length of the data in an `aws-chunked` body, `None` for a plain one; brings the headers to those of the data.
fn decoded_length(headers: &mut HeaderMap) -> Result<Option<u64>, ApiError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encodings: Vec<_> = header("content-encoding").split(',').map(str::trim).filter(|e| !e.is_empty()).collect();
    let is_chunked = |encoding: &&str| encoding.eq_ignore_ascii_case("aws-chunked");
    if !header("x-amz-content-sha256").starts_with("STREAMING-") && !encodings.iter().any(is_chunked) {
        return Ok(None);
    }
    let rest: Vec<_> = encodings.into_iter().filter(|encoding| !is_chunked(encoding)).collect();
    let rest = rest.join(",");
    let length = header("x-amz-decoded-content-length").parse::<u64>().map_err(|_| {
        let message = "You must provide the x-amz-decoded-content-length HTTP header";
        ApiError::new(StatusCode::LENGTH_REQUIRED, "MissingContentLength", message)
    })?;
    headers.remove(CONTENT_ENCODING);
    if !rest.is_empty() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(&rest).map_err(ApiError::internal)?);
    }
    headers.remove("x-amz-decoded-content-length");
    headers.remove("transfer-encoding");
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    Ok(Some(length))
}

/// The data of an `aws-chunked` body; its trailers are there when it has ended.
fn decode(body: Incoming, decoder: Decoder, trailers: Trailers) -> impl Stream<Item = Result<Bytes, s3s::StdError>> {
    let pieces = TryStreamExt::map_err(BodyStream::new(body), s3s::StdError::from);
    let pieces = pieces.try_filter_map(|frame| async { Ok(frame.into_data().ok()) });
    let decoded = stream::try_unfold((Box::pin(pieces), Some(decoder)), move |(mut pieces, mut decoder)| {
        let trailers = trailers.clone();
        async move {
            let Some(mut running) = decoder.take() else { return Ok(None) };
            let data = match pieces.try_next().await? {
                Some(piece) => {
                    let data = running.feed(piece)?;
                    decoder = Some(running);
                    data
                }
                None => {
                    *trailers.0.lock().expect("trailers") = running.finish()?;
                    Vec::new()
                }
            };
            Ok::<_, s3s::StdError>(Some((stream::iter(data.into_iter().map(Ok)), (pieces, decoder))))
        }
    });
    decoded.try_flatten()
}

/// s3s does not say what the operation was that it does not know.
fn name_unknown(response: http::Response<Body>, asked: &str) -> Result<http::Response<Body>, ApiError> {
    let unknown = |body: Bytes| String::from_utf8_lossy(&body).contains("<Message>Unknown operation</Message>");
    if response.status() == StatusCode::NOT_IMPLEMENTED && response.body().bytes().is_some_and(unknown) {
        let error = ApiError::not_emulated("s3", asked);
        return S3Error::from(error).to_http_response().map_err(ApiError::internal);
    }
    Ok(response)
}

/// Adds the ids that every answer of S3 carries, to the body of an error too.
fn finish(response: http::Response<Body>, method: &Method) -> HttpResponse {
    let (mut parts, body) = response.into_parts();
    let (request, host) = (request_id(), host_id());
    // s3s says 200 to a HEAD of a range.
    if *method == Method::HEAD && parts.status == StatusCode::OK && parts.headers.contains_key(CONTENT_RANGE) {
        parts.status = StatusCode::PARTIAL_CONTENT;
    }
    if let Some(status) = parts.extensions.remove::<StatusCode>() {
        parts.status = status;
    }
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    let bytes = if is_error { body.bytes() } else { None };
    let body = match bytes {
        _ if *method == Method::HEAD || parts.status == StatusCode::NOT_MODIFIED => full(Bytes::new()),
        Some(bytes) if !bytes.is_empty() => {
            parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            parts.headers.remove(CONTENT_LENGTH);
            full(with_ids(&bytes, &request, &host))
        }
        _ => body.boxed_unsync(),
    };
    for (name, value) in [("x-amz-request-id", request), ("x-amz-id-2", host)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.insert(name, value);
        }
    }
    HttpResponse::from_parts(parts, body)
}

/// s3s leaves out the ids, and the message of its own errors.
fn with_ids(xml: &[u8], request: &str, host: &str) -> String {
    let xml = String::from_utf8_lossy(xml);
    let Some(head) = xml.strip_suffix("</Error>") else { return xml.into_owned() };
    let code = head.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    let message = if head.contains("<Message>") { String::new() } else { format!("<Message>{code}</Message>") };
    format!("{head}{message}<RequestId>{request}</RequestId><HostId>{host}</HostId></Error>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut builder = http::Request::builder().uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn signatures_are_taken_off() {
        for (uri, expected) in [
            ("/b/k", "/b/k"),
            ("/b/k?tagging", "/b/k?tagging"),
            ("/b/k?X-Amz-Algorithm=a&X-Amz-Credential=c&X-Amz-Signature=s", "/b/k"),
            ("/b/k?uploadId=u&X-Amz-Date=d&partNumber=1&X-Amz-Signature=s", "/b/k?uploadId=u&partNumber=1"),
            ("/b/k?AWSAccessKeyId=a&Signature=s&Expires=1&response-content-type=x", "/b/k?response-content-type=x"),
            ("/b/k%20%2B?Expires=1", "/b/k%20%2B?Expires=1"),
        ] {
            let mut parts = parts(uri, &[("authorization", "AWS4-HMAC-SHA256 …")]);
            strip_signature(&mut parts).unwrap();
            assert_eq!(parts.uri.to_string(), expected);
            assert!(parts.headers.is_empty());
        }
        let mut parts = parts("/b/k?x-amz-meta-a=b%20c&X-Amz-Signature=s", &[]);
        strip_signature(&mut parts).unwrap();
        assert_eq!((parts.uri.to_string().as_str(), parts.headers["x-amz-meta-a"].to_str().unwrap()), ("/b/k", "b c"));
    }

    #[test]
    fn chunked_bodies_are_found_by_their_headers() {
        let streaming = ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        let length = ("x-amz-decoded-content-length", "5");
        for (headers, expected, encoding) in [
            (&[("content-encoding", "gzip")][..], Ok(None), Some("gzip")),
            (&[streaming, length], Ok(Some(5)), None),
            (&[streaming, length, ("content-encoding", "aws-chunked")], Ok(Some(5)), None),
            (&[length, ("content-encoding", "aws-chunked,gzip")], Ok(Some(5)), Some("gzip")),
            (&[streaming], Err("MissingContentLength"), None),
        ] {
            let mut headers = parts("/", headers).headers;
            let got = decoded_length(&mut headers);
            if got.is_ok() {
                assert_eq!(headers.get("content-encoding").map(|e| e.to_str().unwrap()), encoding);
            }
            assert_eq!(got.map_err(|e| e.code), expected.map_err(str::to_owned));
        }
    }

    #[test]
    fn errors_carry_their_ids() {
        let got = with_ids(b"<Error><Code>MalformedXML</Code></Error>", "R", "H");
        assert_eq!(
            got,
            "<Error><Code>MalformedXML</Code><Message>MalformedXML</Message><RequestId>R</RequestId><HostId>H</HostId></Error>"
        );
    }
}
