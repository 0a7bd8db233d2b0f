//! The Lambda Runtime API: a loopback port of its own; the path of a request begins with the process it comes from.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::MAX_RESPONSE;
use super::pool::Inner;
use crate::wire::{HttpRequest, HttpResponse, connections, full};

/// The API's version, which its paths begin with.
const VERSION: &str = "2018-06-01";

/// An invocation, on its way to a process.
#[derive(Debug)]
pub struct Event {
    /// `lambda-runtime-aws-request-id`.
    pub request_id: String,
    /// `lambda-runtime-deadline-ms`, epoch ms.
    pub deadline: i64,
    /// `lambda-runtime-invoked-function-arn`.
    pub function_arn: String,
    /// `lambda-runtime-client-context`: JSON.
    pub client_context: Option<String>,
    /// The body.
    pub payload: Bytes,
}

/// What a process asked for.
#[derive(Debug)]
pub enum RuntimeCall {
    /// `GET invocation/next`.
    Next(oneshot::Sender<Event>),
    /// `POST invocation/ID/response` (`None`: larger than an answer may be) or `…/error`.
    Answer {
        /// The invocation.
        request_id: String,
        /// Whether it is the error object.
        is_error: bool,
        /// The body.
        body: Option<Bytes>,
        /// Whether it was the invocation under way.
        accepted: oneshot::Sender<bool>,
    },
    /// `POST init/error`.
    InitError(Bytes),
}

/// Serves until the task is aborted.
pub async fn serve(listener: TcpListener, pool: Arc<Inner>) {
    connections::serve(listener, move |_, request| {
        let pool = pool.clone();
        async move { Ok::<_, Infallible>(answer(&pool, request).await) }
    })
    .await;
}

async fn answer(pool: &Inner, request: HttpRequest) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let path: Vec<&str> = parts.uri.path().trim_start_matches('/').split('/').collect();
    let [process, VERSION, "runtime", rest @ ..] = path.as_slice() else {
        return error(StatusCode::NOT_FOUND, "InvalidPath", "no such path of the Runtime API");
    };
    let Some(calls) = pool.process(process) else {
        return error(StatusCode::GONE, "ProcessGone", "the emulator has given up this process");
    };
    let gone = || error(StatusCode::GONE, "ProcessGone", "the emulator has given up this process");
    match (&parts.method, rest) {
        (&Method::GET, ["invocation", "next"]) => {
            let (reply, event) = oneshot::channel();
            if calls.send(RuntimeCall::Next(reply)).await.is_err() {
                return gone();
            }
            event.await.map_or_else(|_| gone(), next)
        }
        (&Method::POST, ["invocation", request_id, kind @ ("response" | "error")]) => {
            let body = match read(body).await {
                Ok(body) => body,
                Err(response) => return response,
            };
            let too_large = body.is_none();
            let (accepted, answer) = oneshot::channel();
            let (request_id, is_error) = ((*request_id).to_owned(), *kind == "error");
            if calls.send(RuntimeCall::Answer { request_id, is_error, body, accepted }).await.is_err() {
                return gone();
            }
            match answer.await {
                Ok(true) if too_large => error(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "RequestEntityTooLarge",
                    "exceeded maximum allowed payload size",
                ),
                Ok(true) => respond(StatusCode::ACCEPTED, r#"{"status":"OK"}"#),
                Ok(false) => error(StatusCode::BAD_REQUEST, "InvalidRequestID", "no such invocation is under way"),
                Err(_) => gone(),
            }
        }
        (&Method::POST, ["init", "error"]) => {
            let body = match read(body).await {
                Ok(body) => body.unwrap_or_default(),
                Err(response) => return response,
            };
            match calls.send(RuntimeCall::InitError(body)).await {
                Ok(()) => respond(StatusCode::ACCEPTED, r#"{"status":"OK"}"#),
                Err(_) => gone(),
            }
        }
        _ => error(StatusCode::NOT_FOUND, "InvalidPath", "no such path of the Runtime API"),
    }
}

/// The body; `None` when it is larger than an answer may be.
async fn read(body: Incoming) -> Result<Option<Bytes>, HttpResponse> {
    match Limited::new(body, MAX_RESPONSE).collect().await {
        Ok(body) => Ok(Some(body.to_bytes())),
        Err(e) if e.is::<LengthLimitError>() => Ok(None),
        Err(e) => Err(error(StatusCode::BAD_REQUEST, "InvalidBody", &e.to_string())),
    }
}

fn next(event: Event) -> HttpResponse {
    let mut builder = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", event.request_id)
        .header("lambda-runtime-deadline-ms", event.deadline)
        .header("lambda-runtime-invoked-function-arn", event.function_arn)
        .header(
            "lambda-runtime-trace-id",
            "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0",
        );
    if let Some(context) = event.client_context {
        builder = builder.header("lambda-runtime-client-context", context.as_bytes());
    }
    builder.body(full(event.payload)).unwrap_or_else(|e| {
        error(StatusCode::INTERNAL_SERVER_ERROR, "InvalidEvent", &format!("the event has no valid headers: {e}"))
    })
}

fn error(status: StatusCode, kind: &str, message: &str) -> HttpResponse {
    respond(status, serde_json::json!({ "errorType": kind, "errorMessage": message }).to_string())
}

fn respond(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}
