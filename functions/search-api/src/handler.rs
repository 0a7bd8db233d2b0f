//! Event in, answer out.

use std::time::Instant;

use crate::context::Context;
use crate::error::ApiError;
use crate::reply::{Answer, Reply, answer};
use crate::request::Request;
use crate::router::{Call, find};
use crate::{body, event};

/// Answers a request to the function's URL. An error is an event that is none; whatever is wrong with the request is an answer.
pub async fn handle(event: &str, context: &Context) -> Result<Answer, lambda::Error> {
    Ok(respond(event::parse(event)?, context).await)
}

/// Answers a request.
pub async fn respond(request: Request, context: &Context) -> Answer {
    let started = Instant::now();
    // What is left of the request shapes the answer: Accept, filter_path, pretty.
    let shape = Request { body: bytes::Bytes::new(), ..request.clone() };
    let reply = dispatch(request, context, started).await.unwrap_or_else(|error| {
        if error.status >= 500 {
            tracing::error!(method = shape.method.name(), path = shape.path, status = error.status, error = %error, "request failed");
        }
        Reply::error(&error)
    });
    tracing::info!(
        method = shape.method.name(),
        path = shape.path,
        status = reply.status,
        ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    answer(&shape, reply)
}

async fn dispatch(mut request: Request, context: &Context, started: Instant) -> Result<Reply, ApiError> {
    if let Some(keys) = &context.keys {
        keys.check(&request).await?;
    }
    let (handler, parts) = find(&request)?;
    let encoding = request.header("content-encoding").map(str::to_owned);
    request.body = body::unpack(std::mem::take(&mut request.body), encoding.as_deref())?;
    // Where a GET cannot have a body, it is a parameter.
    if request.body.is_empty()
        && let Some(source) = request.parameters.get("source")
    {
        request.body = source.to_owned().into();
    }
    handler(context, &Call::new(request, parts, started)).await
}
