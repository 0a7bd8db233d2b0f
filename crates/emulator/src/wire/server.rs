//! The HTTP server.

use std::convert::Infallible;

use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use super::protocol::{Call, Protocol, Reply};
use super::route::{Route, Service, route};
use super::{HttpRequest, HttpResponse, encoding, full, guard};
use crate::error::ApiError;
use crate::{Ctx, health, services};

/// The largest request body outside S3: PutRecords is the largest call, 10 MiB of data (Kinesis quotas), in base64.
const MAX_REQUEST_BYTES: usize = 15 * 1024 * 1024;

/// Serves until the task is aborted.
pub async fn serve(listener: TcpListener, ctx: Ctx) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let ctx = ctx.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let ctx = ctx.clone();
                async move { Ok::<_, Infallible>(answer(&ctx, request).await) }
            });
            // An error here is a client that went away.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(ctx: &Ctx, request: HttpRequest) -> HttpResponse {
    let request_id = uuid::Uuid::new_v4().to_string();
    if let Err(error) = guard::check(request.headers(), ctx.config.host) {
        return plain_error(&error);
    }
    let (parts, body) = request.into_parts();
    match route(&parts) {
        Route::Health => health::page(ctx, &parts).await,
        Route::S3 => services::s3::call(ctx, HttpRequest::from_parts(parts, body))
            .await
            .unwrap_or_else(|error| plain_error(&error)),
        Route::Lambda => {
            services::lambda::call(ctx, HttpRequest::from_parts(parts, body)).await.unwrap_or_else(|e| plain_error(&e))
        }
        Route::Unknown(what) => plain_error(&ApiError::not_emulated("", &what)),
        Route::Operation(service, protocol, operation) => {
            let body = match Limited::new(body, MAX_REQUEST_BYTES).collect().await {
                Ok(body) => body.to_bytes(),
                Err(e) => {
                    let message = format!("the request's body was not read: {e} (limit {MAX_REQUEST_BYTES} bytes)");
                    return plain_error(&ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLarge", message));
                }
            };
            let body = match encoding::decode(&parts.headers, body, MAX_REQUEST_BYTES) {
                Ok(body) => body,
                Err(error) => return plain_error(&error),
            };
            let operation = operation.or_else(|| super::query::action(&body)).unwrap_or_default();
            let call = Call { operation, protocol, body, headers: parts.headers, request_id };
            operate(ctx, service, &call).await
        }
    }
}

async fn operate(ctx: &Ctx, service: Service, call: &Call) -> HttpResponse {
    let outcome = match service {
        Service::CloudWatch => services::cloudwatch::call(ctx, call).await,
        Service::Firehose => services::firehose::call(ctx, call).await,
        Service::Kinesis => services::kinesis::call(ctx, call).await,
        Service::Logs => services::logs::call(ctx, call).await,
        Service::Sns => services::sns::call(ctx, call).await,
        Service::Sqs => services::sqs::call(ctx, call).await,
        Service::Sts => services::sts::call(ctx, call).await,
    };
    match outcome {
        Ok(Reply { content_type, body }) => response(StatusCode::OK, content_type, call)
            .body(full(body))
            .unwrap_or_else(|e| plain_error(&ApiError::internal(e))),
        Err(error) => operation_error(&error, call),
    }
}

fn response(status: StatusCode, content_type: &str, call: &Call) -> http::response::Builder {
    let builder = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, content_type)
        .header("x-amzn-requestid", &call.request_id);
    match call.protocol {
        Protocol::RpcV2Cbor => builder.header("smithy-protocol", "rpc-v2-cbor"),
        _ => builder,
    }
}

/// An error in the words of the call's protocol.
fn operation_error(error: &ApiError, call: &Call) -> HttpResponse {
    let shape = serde_json::json!({ "__type": error.code, "message": error.message, "Message": error.message });
    let reply = match call.protocol {
        Protocol::Query => super::query::error(error, &call.request_id),
        _ => call.reply(&shape),
    };
    let Ok(Reply { content_type, body }) = reply else { return plain_error(error) };
    let mut builder = response(error.status, content_type, call).header("x-amzn-errortype", &error.code);
    if let Some(code) = error.query_code {
        let side = if error.status.is_client_error() { "Sender" } else { "Receiver" };
        builder = builder.header("x-amzn-query-error", format!("{code};{side}"));
    }
    builder.body(full(body)).unwrap_or_else(|e| plain_error(&ApiError::internal(e)))
}

/// An error to somebody whose protocol is not known.
fn plain_error(error: &ApiError) -> HttpResponse {
    let body = serde_json::json!({ "__type": error.code, "message": error.message }).to_string();
    let mut response = Response::new(full(body));
    *response.status_mut() = error.status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
