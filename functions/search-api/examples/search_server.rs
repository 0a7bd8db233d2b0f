//! The API on loopback over a folder, for trying clients: `cargo run -p search-api --example search_server -- [PORT] [FOLDER] [VERSION]`.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use ledger::FileStore;
use search_api::context::{Cluster, Context};
use search_api::handler::respond;
use search_api::request::{Method, Parameters};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::task::LocalSet::new().run_until(serve()).await
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(9200), |port| port.parse())?;
    let folder = arguments.next().unwrap_or_else(|| "search-api-data".to_owned());
    let version = arguments.next().unwrap_or_else(|| "8.15.0".to_owned());
    let store = Arc::new(FileStore::open(&folder)?);
    let context = Rc::new(Context::new(store, None, Cluster::new("serve", &folder, &version)));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{} over {folder}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let context = context.clone();
        tokio::task::spawn_local(async move {
            let service = service_fn(|request| answer(request, &context));
            if let Err(error) = Builder::new().serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

async fn answer(request: Request<Incoming>, context: &Context) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let headers = parts.headers.iter();
    let request = search_api::request::Request {
        method: Method::of(parts.method.as_str()),
        path: parts.uri.path().to_owned(),
        parameters: Parameters::parse(parts.uri.query().unwrap_or_default()),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
            .collect(),
        body,
        now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64),
    };
    let answer = respond(request, context).await;
    let body = match answer.is_base64_encoded {
        true => BASE64_STANDARD.decode(&answer.body).unwrap_or_default(),
        false => answer.body.into_bytes(),
    };
    let mut response = Response::builder().status(answer.status_code);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(body.into())).unwrap_or_default())
}
