//! What only the emulator tells: its health page.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};

use crate::stack::Stack;

/// The emulator answers at once; anything else that listens there need not.
const PATIENCE: Duration = Duration::from_secs(5);

/// The parts of the page that the status shows.
#[derive(Debug, Default, Deserialize)]
pub struct Health {
    /// Delivery streams.
    #[serde(default)]
    pub delivery_streams: Vec<Stream>,
    #[serde(default)]
    queues: Vec<Queue>,
}

/// A delivery stream.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stream {
    /// Its name.
    pub stream: String,
    /// Records that are not delivered yet.
    pub waiting: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Seconds since the oldest arrived.
    #[serde(rename(serialize = "oldest_seconds"))]
    pub oldest_s: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Queue {
    queue: String,
    oldest_s: Option<i64>,
}

impl Health {
    /// Of the emulator; nothing of AWS.
    pub async fn read(stack: &Stack) -> Health {
        let Some(endpoint) = stack.endpoint.as_deref().filter(|endpoint| aws::is_loopback(endpoint)) else {
            return Health::default();
        };
        let page = format!("{}/_logmill/health?format=json", endpoint.trim_end_matches('/'));
        let body = tokio::time::timeout(PATIENCE, get(&page)).await.ok().flatten();
        body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default()
    }

    /// Seconds since the oldest message of a queue was sent.
    pub fn oldest_of_queue(&self, name: &str) -> Option<i64> {
        self.queues.iter().find(|queue| queue.queue == name)?.oldest_s
    }
}

async fn get(url: &str) -> Option<Vec<u8>> {
    let client: Client<_, Empty<hyper::body::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.get(url.parse().ok()?).await.ok()?;
    let body = answer.into_body().collect().await.ok()?;
    Some(body.to_bytes().to_vec())
}
