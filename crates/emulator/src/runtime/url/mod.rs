//! Function URLs: a listener each; a request becomes an event, the function's answer the response.

mod cors;
mod event;
mod reply;

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use super::MAX_REQUEST;
use super::pool::check_request;
use crate::Ctx;
use crate::error::ApiError;
use crate::services::lambda::{self, FunctionUrl};
use crate::store::Wake;
use crate::wire::{HttpRequest, HttpResponse, connections, full, guard};

/// The listeners, by URL as stored.
#[derive(Default)]
struct Served {
    tasks: JoinSet<()>,
    urls: HashMap<String, (FunctionUrl, AbortHandle)>,
}

/// Listens for every URL that there is; the future serves them and looks again when resources change. A configured port that
/// cannot be had is an error.
pub async fn serve_all(ctx: &Ctx) -> Result<impl Future<Output = ()> + Send + 'static, ApiError> {
    let mut resources = ctx.store.watch(Wake::Resources);
    let mut served = Served::default();
    reconcile(ctx, &mut served).await?;
    let ctx = ctx.clone();
    Ok(async move {
        while resources.changed().await.is_ok() {
            resources.borrow_and_update();
            if let Err(error) = reconcile(&ctx, &mut served).await {
                tracing::error!(%error, "a function URL is not served");
            }
        }
    })
}

async fn reconcile(ctx: &Ctx, served: &mut Served) -> Result<(), ApiError> {
    while served.tasks.try_join_next().is_some() {}
    let urls = ctx.store.read(lambda::list_urls).await?;
    for mut url in urls {
        let known = served.urls.get(&url.function);
        if known.is_some_and(|(known, _)| *known == url) {
            continue;
        }
        if let Some((_, task)) = served.urls.remove(&url.function) {
            task.abort();
        }
        let listener = listen(ctx, &mut url).await?;
        let task = served.tasks.spawn(serve(ctx.clone(), url.clone(), listener));
        served.urls.insert(url.function.clone(), (url, task));
    }
    Ok(())
}

/// A port that was configured must be had; one that was only remembered may have been taken by somebody else meanwhile.
async fn listen(ctx: &Ctx, url: &mut FunctionUrl) -> Result<TcpListener, ApiError> {
    let taken = match TcpListener::bind((ctx.config.host, url.port)).await {
        Ok(listener) => return Ok(listener),
        Err(e) => e,
    };
    if ctx.config.url_ports.values().any(|port| *port == url.port) {
        let message = format!("cannot listen on port {} for the URL of function {}: {taken}", url.port, url.function);
        return Err(ApiError::internal(message));
    }
    let listener = TcpListener::bind((ctx.config.host, 0)).await?;
    let port = listener.local_addr()?.port();
    tracing::warn!(
        function = url.function,
        old = url.port,
        new = port,
        "the URL's port was taken; it has another one now"
    );
    url.port = port;
    let function = url.function.clone();
    ctx.store.write(move |tx| lambda::move_port(tx, &function, port)).await?;
    Ok(listener)
}

async fn serve(ctx: Ctx, url: FunctionUrl, listener: TcpListener) {
    let url = Arc::new(url);
    // Connections end with the listener: a changed URL is not served as it was.
    connections::serve(listener, move |peer, request| {
        let (ctx, url) = (ctx.clone(), url.clone());
        async move { Ok::<_, Infallible>(answer(&ctx, &url, peer, request).await) }
    })
    .await;
}

async fn answer(ctx: &Ctx, url: &FunctionUrl, peer: SocketAddr, request: HttpRequest) -> HttpResponse {
    if let Err(error) = guard::check(request.headers(), ctx.config.host) {
        return reply::message(StatusCode::FORBIDDEN, &error.message);
    }
    if let Some(preflight) = cors::preflight(url.cors.as_ref(), request.method(), request.headers()) {
        return preflight;
    }
    let origin = request.headers().get(http::header::ORIGIN).cloned();
    let head = request.method() == Method::HEAD;
    let mut response = invoke(ctx, url, peer, request).await;
    cors::decorate(url.cors.as_ref(), origin.as_ref(), response.headers_mut());
    if head {
        *response.body_mut() = full("");
    }
    response
}

async fn invoke(ctx: &Ctx, url: &FunctionUrl, peer: SocketAddr, request: HttpRequest) -> HttpResponse {
    let too_large = || reply::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(e) if e.is::<LengthLimitError>() => return too_large(),
        Err(e) => return reply::message(StatusCode::BAD_REQUEST, &format!("the request's body was not read: {e}")),
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let event = event::of_request(&ctx.config.account, &parts, &body, peer.ip(), &request_id, crate::clock::now_ms());
    let event = bytes::Bytes::from(event.to_string());
    if check_request(event.len()).is_err() {
        return too_large();
    }
    let mut response = match ctx.pool.invoke_as(ctx, &url.function, event, request_id.clone(), None).await {
        Ok(invocation) if invocation.function_error.is_some() => {
            reply::message(StatusCode::BAD_GATEWAY, "Internal Server Error")
        }
        Ok(invocation) => reply::of_payload(&invocation.payload),
        Err(error) => reply::message(error.status, &error.message),
    };
    if let Ok(id) = http::HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
