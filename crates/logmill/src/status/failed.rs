//! What lies under `failed/`, by stage.

use aws::listing::Bucket;
use jiff::Timestamp;
use serde::Serialize;

use crate::stack::Stack;

/// Pages of a stage that are listed: 10,000 objects tell enough.
const MAX_PAGES: usize = 10;

/// A stage's failures.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// `failed/<stage>/`.
    pub stage: String,
    /// How many objects.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// When the newest was written.
    pub newest: Option<String>,
    /// There are more than were counted.
    pub more: bool,
}

/// All stages that have some.
pub async fn read(stack: &Stack) -> Result<Vec<Failed>, String> {
    let bucket = Bucket::new(&stack.config, &stack.bucket("lake"));
    let mut stages = Vec::new();
    for folder in bucket.folders("failed/").await.map_err(|error| error.to_string())? {
        stages.push(stage(&bucket, &folder).await?);
    }
    Ok(stages)
}

async fn stage(bucket: &Bucket, folder: &str) -> Result<Failed, String> {
    let stage = folder.trim_start_matches("failed/").trim_end_matches('/').to_owned();
    let mut failed = Failed { stage, objects: 0, bytes: 0, newest: None, more: true };
    let (mut newest, mut next) = (None, None);
    for _ in 0..MAX_PAGES {
        let page = bucket.page(folder, next).await.map_err(|error| error.to_string())?;
        failed.objects += page.objects.len();
        failed.bytes += page.objects.iter().map(|object| object.size).sum::<u64>();
        newest = newest.max(page.objects.iter().map(|object| object.modified).max());
        next = page.next;
        if next.is_none() {
            failed.more = false;
            break;
        }
    }
    failed.newest = newest.and_then(|at| Timestamp::from_second(at / 1000).ok()).map(|at| at.to_string());
    Ok(failed)
}
