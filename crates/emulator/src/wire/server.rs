//! The HTTP server.

use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::net::TcpListener;

use super::protocol::{Call, Protocol, Reply};
use super::route::{Route, Service, route};
use super::{HttpRequest, HttpResponse, connections, encoding, full, guard};
use crate::error::ApiError;
use crate::faults::{self, Fault};
use crate::{Ctx, health, services};

/// The largest request body outside S3: PutRecords is the largest call, 10 MiB of data (Kinesis quotas), in base64.
const MAX_REQUEST_BYTES: usize = 15 * 1024 * 1024;

/// Serves until the task is aborted.
pub async fn serve(listener: TcpListener, ctx: Ctx) {
    connections::serve(listener, move |_, request| {
        let ctx = ctx.clone();
        async move { answer(&ctx, request).await }
    })
    .await;
}

/// An injected fault: hyper closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("injected fault: connection reset")]
struct Reset;

async fn answer(ctx: &Ctx, request: HttpRequest) -> Result<HttpResponse, Reset> {
    if let Err(error) = guard::check(request.headers(), ctx.config.host) {
        return Ok(plain_error(&error));
    }
    let (parts, body) = request.into_parts();
    let target = route(&parts);
    let fault = if target == Route::Health { None } else { ctx.faults.request() };
    match fault {
        Some(Fault::Throttle) => return Ok(injected(&target, &parts.method, faults::throttled(target.service()))),
        Some(Fault::Internal) => return Ok(injected(&target, &parts.method, ApiError::internal("injected fault"))),
        Some(Fault::Unavailable) => {
            let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "injected fault");
            return Ok(injected(&target, &parts.method, error));
        }
        Some(Fault::ResetBefore) => return Err(Reset),
        Some(Fault::Slow) => tokio::time::sleep(ctx.faults.delay()).await,
        Some(Fault::ResetAfter) | None => {}
    }
    let response = dispatch(ctx, target, HttpRequest::from_parts(parts, body)).await;
    if fault == Some(Fault::ResetAfter) { Err(Reset) } else { Ok(response) }
}

async fn dispatch(ctx: &Ctx, target: Route, request: HttpRequest) -> HttpResponse {
    let outcome = match target {
        Route::S3 => services::s3::call(ctx, request).await,
        Route::Lambda => services::lambda::call(ctx, request).await,
        Route::Health => Ok(health::page(ctx, &request.into_parts().0).await),
        Route::Unknown(what) => Err(ApiError::not_emulated("", &what)),
        Route::Operation(service, protocol, operation) => match read_call(request, protocol, operation).await {
            Ok(call) => Ok(operate(ctx, service, &call).await),
            Err(error) => Err(error),
        },
    };
    outcome.unwrap_or_else(|error| plain_error(&error))
}

async fn read_call(request: HttpRequest, protocol: Protocol, operation: Option<String>) -> Result<Call, ApiError> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_REQUEST_BYTES).collect().await.map_err(|e| {
        let message = format!("the request's body was not read: {e} (limit {MAX_REQUEST_BYTES} bytes)");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLarge", message)
    })?;
    let body = encoding::decode(&parts.headers, body.to_bytes(), MAX_REQUEST_BYTES)?;
    let operation = operation.or_else(|| super::query::action(&body)).unwrap_or_default();
    Ok(Call { operation, protocol, body, headers: parts.headers, request_id: uuid::Uuid::new_v4().to_string() })
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

/// An injected error in the words of whoever asked.
fn injected(target: &Route, method: &Method, error: ApiError) -> HttpResponse {
    match target {
        Route::Operation(_, protocol, operation) => {
            let call = Call {
                operation: operation.clone().unwrap_or_default(),
                protocol: *protocol,
                body: Default::default(),
                headers: Default::default(),
                request_id: uuid::Uuid::new_v4().to_string(),
            };
            operation_error(&error, &call)
        }
        Route::S3 => services::s3::refuse(error.clone(), method).unwrap_or_else(|_| plain_error(&error)),
        Route::Lambda => services::lambda::error_response(&error),
        Route::Health | Route::Unknown(_) => plain_error(&error),
    }
}

/// An error to somebody whose protocol is not known.
fn plain_error(error: &ApiError) -> HttpResponse {
    let body = serde_json::json!({ "__type": error.code, "message": error.message }).to_string();
    let mut response = Response::new(full(body));
    *response.status_mut() = error.status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_injected_error_is_in_the_words_of_whoever_asked() {
        let of = |service, protocol| Route::Operation(service, protocol, Some("Op".into()));
        for (target, content_type, code, body) in [
            (
                of(Service::Sqs, Protocol::AwsJson10),
                "application/x-amz-json-1.0",
                true,
                &["\"__type\":\"RequestThrottled\""][..],
            ),
            (
                of(Service::Firehose, Protocol::AwsJson11),
                "application/x-amz-json-1.1",
                true,
                &["\"message\":\"injected"],
            ),
            (of(Service::Kinesis, Protocol::AwsCbor11), "application/x-amz-cbor-1.1", true, &["__type", "Provisioned"]),
            (
                of(Service::CloudWatch, Protocol::RpcV2Cbor),
                "application/cbor",
                true,
                &["__type", "ThrottlingException"],
            ),
            (of(Service::Sns, Protocol::Query), "text/xml", true, &["<Code>ThrottlingException</Code>", "<RequestId>"]),
            (Route::S3, "application/xml", false, &["<Code>SlowDown</Code>", "<RequestId>"]),
            (Route::Lambda, "application/json", true, &["\"Type\":\"User\"", "\"Message\":\"injected"]),
        ] {
            let response = injected(&target, &Method::GET, faults::throttled(target.service()));
            assert!(response.status().as_u16() >= 400, "{target:?}");
            let got = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
            assert!(got.starts_with(content_type), "{target:?}: {got}");
            assert_eq!(response.headers().contains_key("x-amzn-errortype"), code, "{target:?}");
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8_lossy(&bytes);
            for part in body {
                assert!(text.contains(part), "{target:?}: {text}");
            }
        }
        let head = injected(&Route::S3, &Method::HEAD, faults::throttled("s3"));
        assert!(head.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}
