//! A plain client of the search API: no product's, so that what is sent is what is written here.

use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Documents of one page of [`Search::all`]: their answer stays below the 6 MB that a function may answer with.
const PAGE: usize = 5_000;

/// A client of one search API.
pub struct Search {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Search {
    /// At this URL.
    pub fn new(url: &str) -> Search {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Search { url: url.trim_end_matches('/').to_owned(), client }
    }

    /// A request; its status and body. `None`: nothing that is an answer came.
    pub async fn call(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Option<(u16, Value)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(Full::new(body.into()))
            .expect("a request");
        let answer = self.client.request(request).await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&body).ok()?))
    }

    /// The body of a GET that succeeds.
    pub async fn get(&self, path: &str) -> Option<Value> {
        let (status, body) = self.call(Method::GET, path, Bytes::new()).await?;
        (status == 200).then_some(body)
    }

    /// The body of a search that succeeds on every shard.
    pub async fn search(&self, index: &str, body: &Value) -> Option<Value> {
        let (status, answer) = self.call(Method::POST, &format!("/{index}/_search"), body.to_string()).await?;
        (status == 200 && answer["_shards"]["failed"] == 0).then_some(answer)
    }

    /// How many documents there are; 0 while there is no such index.
    pub async fn count(&self, index: &str) -> u64 {
        let answer = self.get(&format!("/{index}/_count")).await;
        answer.and_then(|answer| answer["count"].as_u64()).unwrap_or_default()
    }

    /// Every document's `_source`, read as a tail does: in the order of arrival, page after page, each after the last `_seq_no`.
    pub async fn all(&self, index: &str) -> Option<Vec<Value>> {
        let mut documents = Vec::new();
        let mut after: Option<Value> = None;
        loop {
            let mut body = serde_json::json!({ "size": PAGE, "sort": ["_seq_no"] });
            if let Some(after) = &after {
                body["search_after"] = after.clone();
            }
            let answer = self.search(index, &body).await?;
            let hits = answer["hits"]["hits"].as_array()?;
            let Some(last) = hits.last() else { return Some(documents) };
            after = Some(last["sort"].clone());
            documents.extend(hits.iter().map(|hit| hit["_source"].clone()));
        }
    }
}
