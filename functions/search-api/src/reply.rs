//! What every answer needs, and its form as the answer of a Function URL.

use std::collections::BTreeMap;
use std::io::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use search_query::filter_path::FilterPath;
use serde::Serialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::pretty;
use crate::request::{Method, Request};

/// The longest answer of a function behind a URL, envelope included (Lambda quotas: invocation payload, 6 MB).
pub const MAX_ANSWER: usize = 6 * 1024 * 1024;

/// Status, headers and JSON around the body take less than this.
const ENVELOPE: usize = 4096;

/// From this length a body is compressed for who accepts it; below, it does not pay.
const GZIP_FROM: usize = 4096;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers of its own.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub content: Content,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Content {
    /// None.
    Empty,
    /// JSON, compact.
    Json(Vec<u8>),
    /// Text, of `_cat`.
    Text(String),
}

impl Reply {
    /// JSON.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Reply, ApiError> {
        let body = serde_json::to_vec(body).map_err(|error| ApiError::new(500, "exception", error.to_string()))?;
        Ok(Reply { status, headers: Vec::new(), content: Content::Json(body) })
    }

    /// JSON, 200.
    pub fn ok(body: &impl Serialize) -> Result<Reply, ApiError> {
        Reply::json(200, body)
    }

    /// `{"acknowledged": true}`.
    pub fn acknowledged() -> Result<Reply, ApiError> {
        Reply::ok(&serde_json::json!({"acknowledged": true}))
    }

    /// No body.
    pub fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), content: Content::Empty }
    }

    /// An error.
    pub fn error(error: &ApiError) -> Reply {
        let headers = error.header.iter().cloned().collect();
        Reply { status: error.status, headers, content: Content::Json(error.body().to_string().into_bytes()) }
    }
}

/// The answer of a Function URL, payload format 2.0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// HTTP status.
    pub status_code: u16,
    /// Headers.
    pub headers: BTreeMap<&'static str, String>,
    /// The body, as text or in base64.
    pub body: String,
    /// Which of the two.
    pub is_base64_encoded: bool,
}

/// The answer to a request.
pub fn answer(request: &Request, reply: Reply) -> Answer {
    formed(request, reply).unwrap_or_else(|error| packed(request, Reply::error(&error)))
}

fn formed(request: &Request, mut reply: Reply) -> Result<Answer, ApiError> {
    let paths = request.parameters.get("filter_path").map(FilterPath::parse);
    let pretty = request.parameters.flag("pretty", false)?;
    if let Content::Json(body) = &mut reply.content
        && (paths.is_some() || pretty)
    {
        *body = shaped(body, paths.as_ref(), pretty)?;
    }
    let status = reply.status;
    let answer = packed(request, reply);
    let length = if answer.is_base64_encoded { answer.body.len() } else { quoted_length(&answer.body) };
    if length + ENVELOPE > MAX_ANSWER {
        return Err(ApiError::too_large(format!(
            "the answer (status {status}) is {length} bytes and does not fit into the {MAX_ANSWER} bytes of a Function URL: ask for \
             fewer hits, for less of _source, or accept gzip"
        )));
    }
    Ok(answer)
}

fn shaped(body: &[u8], paths: Option<&FilterPath>, pretty: bool) -> Result<Vec<u8>, ApiError> {
    let exception = |error: serde_json::Error| ApiError::new(500, "exception", error.to_string());
    let mut value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        // A document may hold a number that no f64 can, or be as deep as the parser goes: then it is not spaced.
        Err(_) if paths.is_none() => return Ok(body.to_vec()),
        Err(error) => return Err(exception(error)),
    };
    if let Some(paths) = paths {
        value = paths.apply(value);
    }
    if pretty { pretty::to_vec(&value) } else { serde_json::to_vec(&value) }.map_err(exception)
}

fn packed(request: &Request, reply: Reply) -> Answer {
    let mut headers: BTreeMap<&'static str, String> = reply.headers.into_iter().collect();
    headers.insert("X-Elastic-Product", "Elasticsearch".to_owned());
    let body = match reply.content {
        Content::Empty => Vec::new(),
        Content::Json(body) => {
            headers.insert("Content-Type", media_type(request));
            body
        }
        Content::Text(text) => {
            headers.insert("Content-Type", "text/plain; charset=UTF-8".to_owned());
            text.into_bytes()
        }
    };
    let body = if request.method == Method::Head { Vec::new() } else { body };
    let mut answer = Answer { status_code: reply.status, headers, body: String::new(), is_base64_encoded: false };
    if body.len() >= GZIP_FROM && accepts_gzip(request) {
        answer.headers.insert("Content-Encoding", "gzip".to_owned());
        answer.is_base64_encoded = true;
        answer.body = BASE64_STANDARD.encode(gzip(&body));
        return answer;
    }
    match String::from_utf8(body) {
        Ok(text) => answer.body = text,
        Err(error) => {
            answer.is_base64_encoded = true;
            answer.body = BASE64_STANDARD.encode(error.as_bytes());
        }
    }
    answer
}

/// What was asked for: Elasticsearch's own media type with its version, or plain JSON.
fn media_type(request: &Request) -> String {
    let wanted = request.header("accept").and_then(|accept| {
        let own = accept.split(',').find(|kind| kind.trim().starts_with("application/vnd.elasticsearch+"))?;
        let version = own.split("compatible-with=").nth(1)?.split(';').next()?.trim();
        version.parse::<u8>().ok()
    });
    match wanted {
        Some(version) => format!("application/vnd.elasticsearch+json;compatible-with={version}"),
        None => "application/json".to_owned(),
    }
}

fn accepts_gzip(request: &Request) -> bool {
    let accepted = request.header("accept-encoding").unwrap_or_default();
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        matches!(name.trim(), "gzip" | "*") && !matches!(weight.trim(), "q=0" | "q=0.0")
    })
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing into memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// Bytes of the text as a JSON string.
fn quoted_length(text: &str) -> usize {
    let extra = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + 2 + text.bytes().map(extra).sum::<usize>()
}
