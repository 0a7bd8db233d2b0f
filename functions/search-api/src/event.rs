//! The event of a Function URL, payload format 2.0 (Lambda developer guide, "Invoking function URLs").

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Deserialize;

use crate::request::{Method, Parameters, Request};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: Context,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    http: Http,
    time_epoch: i64,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// The request in an event; the body as it was sent, compressed perhaps. An error is Lambda's fault, not the caller's.
pub fn parse(event: &str) -> Result<Request, lambda::Error> {
    let event: Event = serde_json::from_str(event).map_err(|error| format!("not a Function URL's event: {error}"))?;
    let body = match event.body {
        None => Bytes::new(),
        Some(body) if event.is_base64_encoded => {
            BASE64_STANDARD.decode(body).map_err(|error| format!("the event's body is not base64: {error}"))?.into()
        }
        Some(body) => Bytes::from(body),
    };
    Ok(Request {
        method: Method::of(&event.request_context.http.method),
        path: event.raw_path,
        parameters: Parameters::parse(&event.raw_query_string),
        headers: event.headers,
        body,
        now: event.request_context.time_epoch,
    })
}
