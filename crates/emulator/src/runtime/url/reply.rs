//! A function's answer as a response: format 2.0, or whatever JSON it gave.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::wire::{HttpResponse, full};

/// The response of an answer. JSON without a `statusCode` is the body of a 200; what is not a valid answer is a 502.
pub fn of_payload(payload: &Bytes) -> HttpResponse {
    let Ok(answer) = serde_json::from_slice::<Value>(payload) else { return bad_gateway() };
    match answer.get("statusCode") {
        Some(status) => structured(&answer, status).unwrap_or_else(bad_gateway),
        None => with_json(StatusCode::OK, payload.clone()),
    }
}

/// An error in JSON: `{"Message": …}`.
pub fn message(status: StatusCode, text: &str) -> HttpResponse {
    with_json(status, serde_json::json!({ "Message": text }).to_string())
}

fn bad_gateway() -> HttpResponse {
    message(StatusCode::BAD_GATEWAY, "Internal Server Error")
}

fn with_json(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn structured(answer: &Value, status: &Value) -> Option<HttpResponse> {
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    let status = StatusCode::from_u16(u16::try_from(status).ok()?).ok()?;
    let body = match answer.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(body)) if answer["isBase64Encoded"] == true => BASE64_STANDARD.decode(body).ok()?.into(),
        Some(Value::String(body)) => Bytes::from(body.clone()),
        Some(_) => return None,
    };
    let mut response = with_json(status, body);
    if let Some(headers) = answer.get("headers").and_then(Value::as_object) {
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            // The length is that of the body, which the server knows.
            if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
                response.headers_mut().insert(name, header(value)?);
            }
        }
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, header(cookie)?);
    }
    Some(response)
}

fn header(value: &Value) -> Option<HeaderValue> {
    match value {
        Value::String(text) => HeaderValue::from_str(text).ok(),
        Value::Number(_) | Value::Bool(_) => HeaderValue::from_str(&value.to_string()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn an_answer_as_a_response() {
        for (payload, status, headers, body) in [
            (r#"{"message":"hi"}"#, 200, &[("content-type", "application/json")][..], r#"{"message":"hi"}"#),
            (r#""Hello""#, 200, &[("content-type", "application/json")], r#""Hello""#),
            (r#"{"statusCode":201}"#, 201, &[("content-type", "application/json")], ""),
            (
                r#"{"statusCode":200,"headers":{"Content-Type":"text/plain","X-N":7,"Content-Length":99},"body":"a","cookies":["a=1","b=2"]}"#,
                200,
                &[("content-type", "text/plain"), ("x-n", "7"), ("set-cookie", "a=1")],
                "a",
            ),
            (r#"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#, 200, &[], "hi"),
            (r#"{"statusCode":"404","body":"no"}"#, 404, &[], "no"),
            (
                r#"{"statusCode":200,"body":"%%","isBase64Encoded":true}"#,
                502,
                &[],
                r#"{"Message":"Internal Server Error"}"#,
            ),
            (r#"{"statusCode":99999}"#, 502, &[], r#"{"Message":"Internal Server Error"}"#),
            (r#"{"statusCode":200,"body":{}}"#, 502, &[], r#"{"Message":"Internal Server Error"}"#),
            (r#"{"statusCode":200,"headers":{"a b":"c"}}"#, 502, &[], r#"{"Message":"Internal Server Error"}"#),
            ("not json", 502, &[], r#"{"Message":"Internal Server Error"}"#),
        ] {
            let response = of_payload(&Bytes::from(payload));
            assert_eq!(response.status(), status, "{payload}");
            for (name, value) in headers {
                assert_eq!(
                    response.headers().get(*name).map(|v| v.to_str().unwrap()),
                    Some(*value),
                    "{payload}: {name}"
                );
            }
            let got = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(got, body, "{payload}");
        }
    }
}
