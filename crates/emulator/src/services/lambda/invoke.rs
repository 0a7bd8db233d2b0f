//! Invoke: synchronous, asynchronous, or only to see whether it could be.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::async_events::enqueue_event;
use super::{LATEST, functions};
use crate::Ctx;
use crate::error::ApiError;
use crate::wire::{HttpResponse, full};

/// The largest client context, bytes of base64 (Invoke API: 3,583).
const MAX_CLIENT_CONTEXT: usize = 3583;

/// Answers `POST /2015-03-31/functions/NAME/invocations`.
pub async fn invoke(ctx: &Ctx, function: String, headers: &HeaderMap, body: Bytes) -> Result<HttpResponse, ApiError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let payload = payload(body)?;
    match header("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "RequestResponse" => {
            let with_tail = match header("x-amz-log-type").unwrap_or("None") {
                "None" => false,
                "Tail" => true,
                other => return Err(invalid(format!("X-Amz-Log-Type {other:?} is neither None nor Tail"))),
            };
            let context = header("x-amz-client-context").map(client_context).transpose()?;
            synchronous(ctx, &function, payload, context, with_tail).await
        }
        "Event" => {
            let id = ctx.store.write(move |tx| enqueue_event(tx, &function, &payload)).await?;
            Ok(respond(StatusCode::ACCEPTED, &id, Bytes::new()))
        }
        "DryRun" => {
            ctx.store.read(move |db| functions::get(db, &function)).await?;
            Ok(respond(StatusCode::NO_CONTENT, &uuid::Uuid::new_v4().to_string(), Bytes::new()))
        }
        other => Err(invalid(format!("X-Amz-Invocation-Type {other:?} is none of RequestResponse, Event, DryRun"))),
    }
}

async fn synchronous(
    ctx: &Ctx,
    function: &str,
    payload: Bytes,
    context: Option<String>,
    with_tail: bool,
) -> Result<HttpResponse, ApiError> {
    let id = uuid::Uuid::new_v4().to_string();
    let answer = ctx.pool.invoke_as(ctx, function, payload, id, context).await?;
    let mut response = respond(StatusCode::OK, &answer.request_id, answer.payload);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-amz-executed-version", HeaderValue::from_static(LATEST));
    if let Some(error) = answer.function_error {
        set(headers, "x-amz-function-error", &error);
    }
    if with_tail {
        set(headers, "x-amz-log-result", &BASE64_STANDARD.encode(answer.log_tail));
    }
    Ok(response)
}

/// No body is an empty event; anything else must be JSON.
fn payload(body: Bytes) -> Result<Bytes, ApiError> {
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&body) {
        Ok(_) => Ok(body),
        Err(e) => Err(ApiError::bad_request(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {e}"),
        )),
    }
}

fn client_context(header: &str) -> Result<String, ApiError> {
    let bad = |what: &str| invalid(format!("X-Amz-Client-Context {what}"));
    if header.len() > MAX_CLIENT_CONTEXT {
        return Err(bad("is longer than 3583 bytes"));
    }
    let json = BASE64_STANDARD.decode(header).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let json = json.ok_or_else(|| bad("is not base64 of UTF-8"))?;
    // On one line, since a header carries it on.
    let value: serde_json::Value = serde_json::from_str(&json).map_err(|e| bad(&format!("is not JSON: {e}")))?;
    let json = value.to_string();
    if HeaderValue::from_bytes(json.as_bytes()).is_err() {
        return Err(bad("holds control characters"));
    }
    Ok(json)
}

fn invalid(message: String) -> ApiError {
    ApiError::bad_request("InvalidParameterValueException", message)
}

fn respond(status: StatusCode, request_id: &str, body: Bytes) -> HttpResponse {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    set(response.headers_mut(), "x-amzn-requestid", request_id);
    response
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_json() {
        for (body, expected) in
            [("", Some("{}")), ("{\"a\": 1}", Some("{\"a\": 1}")), ("7", Some("7")), ("{", None), ("\u{1}", None)]
        {
            let got = payload(Bytes::from(body));
            assert_eq!(got.as_deref().ok(), expected.map(str::as_bytes), "{body:?}");
        }
    }
}
