//! What the function has while its process lives.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ledger::ObjectStore;
use search_index::{Catalog, Options};
use sha2::{Digest, Sha256};

use crate::auth::Keys;

/// What the function has while its process lives.
pub struct Context {
    /// The indexes.
    pub catalog: Catalog,
    /// The index bucket.
    pub store: Arc<dyn ObjectStore>,
    /// Who may call; `None`: everyone who gets here.
    pub keys: Option<Keys>,
    /// What `GET /` says.
    pub cluster: Cluster,
}

/// What `GET /` says.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// `cluster_name`.
    pub name: String,
    /// `cluster_uuid`: the same for each process over the same bucket.
    pub uuid: String,
    /// `version.number`.
    pub version: String,
}

impl Context {
    /// Over the index bucket.
    pub fn new(store: Arc<dyn ObjectStore>, keys: Option<Keys>, cluster: Cluster) -> Context {
        Context { catalog: Catalog::new(store.clone(), Options::default()), store, keys, cluster }
    }
}

impl Cluster {
    /// The cluster over this bucket.
    pub fn new(name: &str, bucket: &str, version: &str) -> Cluster {
        Cluster { name: name.to_owned(), uuid: uuid(bucket), version: version.to_owned() }
    }

    /// `_type` of documents: who claims to be older than version 8 still names it, and its clients may look for it.
    pub fn document_type(&self) -> Option<&'static str> {
        let major: u32 = self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default();
        (major < 8).then_some("_doc")
    }
}

/// A name as Elasticsearch makes them: 22 characters, always the same for the same text.
pub fn uuid(of: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(of.as_bytes())[..16])
}
