//! Reference tables: read when a version begins, and the same for as long as it runs.
//!
//! What an object holds when a version begins is copied into the index bucket, and the head names the copy. So retries and other
//! instances join with the same rows, whatever becomes of the object; another `revision` in the rule begins a new version, which
//! reads it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use ledger::{ObjectStore, Precondition, StoreError};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::application::Application;
use crate::places;
use crate::rule::Table;

/// Bytes of a reference table: it is in memory as a whole, several times over as rows. Kinesis Data Analytics allowed 1 GB.
pub const MAX_TABLE_BYTES: u64 = 32 * 1024 * 1024;

/// Opens a bucket by its name.
pub type Buckets = Arc<dyn Fn(&str) -> Arc<dyn ObjectStore> + Send + Sync>;

/// The copies of an application's tables: name → key in the index bucket.
pub type Copies = BTreeMap<String, String>;

/// A table that cannot be read: which, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reference table {table}: {object}: {reason}")]
pub struct Unreadable {
    table: String,
    object: String,
    reason: String,
}

/// Reads, keeps and fills reference tables.
pub struct Tables {
    rules: Arc<dyn ObjectStore>,
    buckets: Buckets,
    index: Arc<dyn ObjectStore>,
    /// The last of each name.
    filled: Mutex<BTreeMap<String, Filled>>,
}

struct Filled {
    version: String,
    copies: Copies,
    application: Arc<Application>,
}

impl Tables {
    /// Objects are in the rules bucket or in one that is opened; their copies, in the index bucket.
    pub fn new(rules: Arc<dyn ObjectStore>, buckets: Buckets, index: Arc<dyn ObjectStore>) -> Tables {
        Tables { rules, buckets, index, filled: Mutex::default() }
    }

    /// Reads an application's tables as they are now. Each can be filled with what was read.
    pub async fn read(&self, application: &Application) -> Result<Vec<(String, Bytes)>, Unreadable> {
        let mut read = Vec::with_capacity(application.tables().len());
        let mut filled = application.clone();
        for table in application.tables() {
            let unreadable =
                |reason: String| Unreadable { table: table.name.clone(), object: table.s3.to_string(), reason };
            let records = self.object(table).await.map_err(unreadable)?;
            filled = filled.with_table(&table.name, &records).map_err(unreadable)?;
            read.push((table.name.clone(), records));
        }
        Ok(read)
    }

    async fn object(&self, table: &Table) -> Result<Bytes, String> {
        let bucket = table.s3.bucket.as_deref().map_or_else(|| self.rules.clone(), |name| (self.buckets)(name));
        // Without the right to list a bucket, what is missing is refused.
        let size =
            bucket.head(&table.s3.key).await.map_err(|error| format!("{error} (missing, or not to be read)"))?.size;
        if size > MAX_TABLE_BYTES {
            return Err(format!("{size} bytes: expected at most {MAX_TABLE_BYTES}"));
        }
        let object = bucket.get(&table.s3.key).await.map_err(|error| error.to_string())?;
        Ok(object.body)
    }

    /// Keeps what was read, for a version that begins on the head of this number.
    pub async fn keep(&self, application: &str, read: Vec<(String, Bytes)>, head: u64) -> Result<Copies, StoreError> {
        let mut copies = Copies::new();
        for (name, records) in read {
            let hash: String = Sha256::digest(&records)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
            let key = places::table(application, &hash, head);
            match self.index.put(&key, records, &Precondition::Absent).await {
                Ok(_) | Err(StoreError::Precondition { .. }) => {}
                Err(error) => return Err(error),
            }
            copies.insert(name, key);
        }
        Ok(copies)
    }

    /// The application with these copies in its tables. What was filled last is remembered.
    pub async fn fill(
        &self,
        application: &Arc<Application>,
        copies: &Copies,
    ) -> Result<Arc<Application>, lambda::Error> {
        if application.tables().is_empty() {
            return Ok(application.clone());
        }
        let mut filled = self.filled.lock().await;
        let known = filled.get(application.name());
        if let Some(known) = known.filter(|known| known.version == application.version() && known.copies == *copies) {
            return Ok(known.application.clone());
        }
        let mut full = Application::clone(application);
        for table in application.tables() {
            let name = &table.name;
            let key =
                copies.get(name).ok_or_else(|| format!("reference table {name}: the head names no copy of it"))?;
            let records = self.index.get(key).await?.body;
            full =
                full.with_table(name, &records).map_err(|error| format!("reference table {name}: {key}: {error}"))?;
        }
        let (version, application) = (application.version().to_owned(), Arc::new(full));
        let entry = Filled { version, copies: copies.clone(), application: application.clone() };
        filled.insert(application.name().to_owned(), entry);
        Ok(application)
    }
}
