//! A request as payload format 2.0 (Lambda developer guide, "Invoking function URLs").

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The event of a request.
pub fn of_request(account: &str, parts: &Parts, body: &[u8], source: IpAddr, request_id: &str, now: i64) -> Value {
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let text = |name: http::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST).unwrap_or_default();
    let at = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&parts.headers),
        "requestContext": {
            "accountId": account,
            "apiId": host,
            "domainName": host,
            "domainPrefix": host.split(['.', ':']).next(),
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source.to_string(),
                "userAgent": text(USER_AGENT).unwrap_or_default(),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now,
        },
        "isBase64Encoded": false,
    });
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    let parameters = parameters(query);
    if !parameters.is_empty() {
        event["queryStringParameters"] = Value::Object(parameters);
    }
    match std::str::from_utf8(body) {
        _ if body.is_empty() => {}
        Ok(body) if is_text(text(CONTENT_TYPE)) => event["body"] = json!(body),
        _ => {
            event["body"] = json!(BASE64_STANDARD.encode(body));
            event["isBase64Encoded"] = json!(true);
        }
    }
    event
}

/// Names are lower-case already; values of one name are joined with commas. Cookies have a place of their own.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined = Map::new();
    for name in headers.keys().filter(|name| **name != COOKIE) {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        joined.insert(name.as_str().to_owned(), Value::String(values.join(",")));
    }
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).map(|cookie| cookie.trim().to_owned()).filter(|c| !c.is_empty()).collect()
}

/// Decoded; values of one name are joined with commas.
fn parameters(query: &str) -> Map<String, Value> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut parameters: Map<String, Value> = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        match parameters.get_mut(&name) {
            Some(Value::String(known)) => {
                known.push(',');
                known.push_str(&value);
            }
            _ => drop(parameters.insert(name, Value::String(value))),
        }
    }
    parameters
}

/// Whether a body of this type is handed over as text; everything else is base64.
fn is_text(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else { return false };
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/javascript" | "application/xml")
        || (kind.starts_with("application/") && (kind.ends_with("+json") || kind.ends_with("+xml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let mut builder = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let parts = builder.body(()).unwrap().into_parts().0;
        of_request("000000000000", &parts, body, "127.0.0.1".parse().unwrap(), "id", 1_583_348_638_390)
    }

    #[test]
    fn a_request_as_an_event() {
        let got = event(
            "POST",
            "/my/p%20th?a=1&b=x%2Cy&a=2&flag&s=+",
            &[
                ("Host", "127.0.0.1:9200"),
                ("X-Two", "1"),
                ("X-Two", "2"),
                ("Cookie", "c1=a; c2=b"),
                ("User-Agent", "agent"),
                ("Content-Type", "application/json; charset=utf-8"),
            ],
            b"{}",
        );
        assert_eq!(
            got,
            json!({
                "version": "2.0", "routeKey": "$default", "rawPath": "/my/p%20th",
                "rawQueryString": "a=1&b=x%2Cy&a=2&flag&s=+",
                "headers": {"host": "127.0.0.1:9200", "x-two": "1,2", "user-agent": "agent",
                    "content-type": "application/json; charset=utf-8"},
                "requestContext": {
                    "accountId": "000000000000", "apiId": "127.0.0.1:9200", "domainName": "127.0.0.1:9200",
                    "domainPrefix": "127",
                    "http": {"method": "POST", "path": "/my/p%20th", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                        "userAgent": "agent"},
                    "requestId": "id", "routeKey": "$default", "stage": "$default",
                    "time": "04/Mar/2020:19:03:58 +0000", "timeEpoch": 1_583_348_638_390_i64,
                },
                "isBase64Encoded": false,
                "cookies": ["c1=a", "c2=b"],
                "queryStringParameters": {"a": "1,2", "b": "x,y", "flag": "", "s": " "},
                "body": "{}",
            })
        );
        let bare = event("GET", "/", &[], b"");
        assert!(
            bare.get("body").is_none() && bare.get("cookies").is_none() && bare.get("queryStringParameters").is_none()
        );
    }

    #[test]
    fn a_body_is_text_by_its_type() {
        for (content_type, body, expected) in [
            (Some("text/plain"), &b"a"[..], json!(["a", false])),
            (Some("application/vnd.api+json"), b"{}", json!(["{}", false])),
            (Some("application/xml"), b"<a/>", json!(["<a/>", false])),
            (Some("application/x-ndjson"), b"{}\n", json!(["e30K", true])),
            (Some("application/octet-stream"), b"a", json!(["YQ==", true])),
            (Some("text/plain"), b"\xff", json!(["/w==", true])),
            (None, b"a", json!(["YQ==", true])),
        ] {
            let headers: Vec<_> = content_type.map(|kind| ("content-type", kind)).into_iter().collect();
            let got = event("POST", "/", &headers, body);
            assert_eq!(json!([got["body"], got["isBase64Encoded"]]), expected, "{content_type:?}");
        }
    }
}
