//! When the store is not there.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ledger::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};
use serde_json::json;

use crate::server::Server;

/// A store that takes nothing under a prefix.
struct Throttled {
    inner: Arc<dyn ObjectStore>,
    prefix: &'static str,
}

#[async_trait]
impl ObjectStore for Throttled {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.inner.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        self.inner.get_range(key, range).await
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        self.inner.get_if_changed(key, etag).await
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        self.inner.head(key).await
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        if key.starts_with(self.prefix) {
            return Err(StoreError::Transient { key: key.to_owned(), reason: "SlowDown".to_owned() });
        }
        self.inner.put(key, body, precondition).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        self.inner.list(prefix, start_after).await
    }
}

/// Fluent Bit would take the item that was taken for the whole batch, and lose the other.
#[tokio::test]
async fn a_bulk_is_refused_as_a_whole() {
    let server = Server::new().over(|inner| Arc::new(Throttled { inner, prefix: "heads/b" }));
    let body = "{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{}\n{\"create\":{\"_index\":\"b\",\"_id\":\"1\"}}\n{}\n";
    let got = server.send("POST /_bulk", &[("user-agent", "Fluent-Bit")], body).await;
    assert_eq!((got.status, got.headers["Retry-After"].as_str()), (503, "1"), "{}", got.text);
    assert!(got.json()["error"]["reason"].as_str().unwrap().contains("heads/b: SlowDown"), "{}", got.text);
    // The other index may have taken its own.
    server.check("GET /a/_count", "", 200, json!({"count": 1})).await;
    server.check("GET /b/_count", "", 404, json!({})).await;
}
