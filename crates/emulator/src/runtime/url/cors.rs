//! `Cors` of a function URL: a preflight is answered without the function, other answers get the headers.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use serde_json::Value;

use crate::wire::{HttpResponse, full};

/// The answer to a preflight, when this request is one and the URL has `Cors`.
pub fn preflight(cors: Option<&Value>, method: &Method, request: &HeaderMap) -> Option<HttpResponse> {
    let cors = cors?;
    if method != Method::OPTIONS || !request.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut response = Response::new(full(""));
    let headers = response.headers_mut();
    if allow_origin(cors, request.get(ORIGIN), headers) {
        set(headers, ACCESS_CONTROL_ALLOW_METHODS, list(cors, "AllowMethods"));
        set(headers, ACCESS_CONTROL_ALLOW_HEADERS, list(cors, "AllowHeaders"));
        let age = cors.get("MaxAge").filter(|age| !age.is_null());
        set(headers, ACCESS_CONTROL_MAX_AGE, age.map(|age| age.to_string().trim_matches('"').to_owned()));
    }
    Some(response)
}

/// Puts the headers on an answer to `origin`.
pub fn decorate(cors: Option<&Value>, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    if let Some(cors) = cors
        && allow_origin(cors, origin, headers)
    {
        set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, list(cors, "ExposeHeaders"));
    }
}

fn allow_origin(cors: &Value, origin: Option<&HeaderValue>, headers: &mut HeaderMap) -> bool {
    let Some(origin) = origin else { return false };
    let allowed = cors.get("AllowOrigins").and_then(Value::as_array).is_some_and(|origins| {
        origins
            .iter()
            .filter_map(Value::as_str)
            .any(|allowed| allowed == "*" || origin.as_bytes() == allowed.as_bytes())
    });
    if allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if matches!(cors.get("AllowCredentials"), Some(value) if *value == true || *value == "true") {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
    allowed
}

fn list(cors: &Value, name: &str) -> Option<String> {
    let values: Vec<&str> = cors.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_preflight_is_answered_by_the_configuration() {
        let cors = json!({"AllowOrigins": ["http://localhost:3000"], "AllowMethods": ["GET", "POST"],
            "AllowHeaders": ["x-a"], "MaxAge": 60, "AllowCredentials": true});
        for (method, origin, asks, expected) in [
            (Method::OPTIONS, "http://localhost:3000", true, Some(Some("GET,POST"))),
            (Method::OPTIONS, "http://localhost:9", true, Some(None)),
            (Method::OPTIONS, "http://localhost:3000", false, None),
            (Method::GET, "http://localhost:3000", true, None),
        ] {
            let mut request = HeaderMap::new();
            request.insert(ORIGIN, origin.parse().unwrap());
            if asks {
                request.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
            }
            let got = preflight(Some(&cors), &method, &request);
            let methods =
                got.map(|r| r.headers().get(ACCESS_CONTROL_ALLOW_METHODS).map(|v| v.to_str().unwrap().to_owned()));
            assert_eq!(methods.as_ref().map(|m| m.as_deref()), expected, "{method} {origin}");
            assert!(preflight(None, &method, &request).is_none());
        }
        let mut headers = HeaderMap::new();
        decorate(Some(&cors), Some(&HeaderValue::from_static("http://localhost:3000")), &mut headers);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "http://localhost:3000");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    }
}
