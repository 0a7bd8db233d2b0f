//! Keys of users, for a URL without `AWS_IAM`.
//!
//! A key is an object `auth/<id>` of the index bucket, `{"sha256": "<hex of the key's SHA-256>"}`: a key is long and random, so
//! that its hash need not be slow. It comes as `Authorization: ApiKey base64(id:key)`, as Elasticsearch's API keys do, or as the
//! user and password of `Basic`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{StreamExt, TryStreamExt, stream};
use ledger::ObjectStore;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::request::Request;

/// Where the keys are.
const PREFIX: &str = "auth/";

/// So long a key that was taken away still works, and a new one may not yet.
const FRESH: Duration = Duration::from_secs(60);

/// Keys read at once.
const READS: usize = 16;

type Hash = [u8; 32];

#[derive(Deserialize)]
struct Stored {
    sha256: String,
}

struct Known {
    hashes: HashMap<String, Hash>,
    read: Instant,
}

/// The keys, as they were read last.
pub struct Keys {
    store: Arc<dyn ObjectStore>,
    known: RwLock<Arc<Known>>,
}

impl Keys {
    /// Reads the keys. There must be some: a URL that is open to everyone is a mistake.
    pub async fn load(store: Arc<dyn ObjectStore>) -> Result<Keys, lambda::Error> {
        let hashes = read(&*store).await?;
        if hashes.is_empty() {
            return Err(
                "the URL's AuthType is NONE and there is no key under auth/ of the index bucket: set SEARCH_AUTH to \
                        AWS_IAM or put a key there"
                    .into(),
            );
        }
        Ok(Keys { store, known: RwLock::new(Arc::new(Known { hashes, read: Instant::now() })) })
    }

    /// Whether the request carries one of the keys.
    pub async fn check(&self, request: &Request) -> Result<(), ApiError> {
        let refused = |reason: &str| {
            let reason = format!("{reason} for REST request [{}]", request.path);
            let mut error = ApiError::new(401, "security_exception", reason);
            error.header = Some(("WWW-Authenticate", "ApiKey, Basic realm=\"security\" charset=\"UTF-8\"".to_owned()));
            error
        };
        let header = request.header("authorization").ok_or_else(|| refused("missing authentication credentials"))?;
        let (id, key) = credentials(header).ok_or_else(|| refused("unable to read the Authorization header"))?;
        let known = self.current().await;
        let given: Hash = Sha256::digest(key.as_bytes()).into();
        // A key that is not there takes as long as one that is.
        let expected = known.hashes.get(&id);
        if same(&given, expected.unwrap_or(&[0; 32])) && expected.is_some() {
            return Ok(());
        }
        Err(refused("unable to authenticate with provided credentials"))
    }

    /// Reads again what is no longer fresh; when that fails, what was read last counts.
    async fn current(&self) -> Arc<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known.read.elapsed() < FRESH {
            return known;
        }
        let hashes = match read(&*self.store).await {
            Ok(hashes) => hashes,
            Err(error) => {
                tracing::error!(error, "the keys could not be read again");
                known.hashes.clone()
            }
        };
        let known = Arc::new(Known { hashes, read: Instant::now() });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
        known
    }
}

async fn read(store: &dyn ObjectStore) -> Result<HashMap<String, Hash>, String> {
    let keys = store.list(PREFIX, None).await.map_err(|error| error.to_string())?;
    stream::iter(keys)
        .map(|meta| async move {
            let object = store.get(&meta.key).await.map_err(|error| error.to_string())?;
            let stored: Stored =
                serde_json::from_slice(&object.body).map_err(|error| format!("{}: {error}", meta.key))?;
            let hash = hash(&stored.sha256).ok_or_else(|| format!("{}: sha256: expected 64 hex digits", meta.key))?;
            Ok((meta.key[PREFIX.len()..].to_owned(), hash))
        })
        .buffer_unordered(READS)
        .try_collect()
        .await
}

fn hash(hex: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// Id and key of `ApiKey` or `Basic`.
fn credentials(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("ApiKey") && !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(text.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(id, key)| (id.to_owned(), key.to_owned()))
}

/// Compares in the same time whatever they hold.
fn same(one: &Hash, other: &Hash) -> bool {
    std::hint::black_box(one.iter().zip(other).fold(0, |different, (a, b)| different | (a ^ b))) == 0
}
