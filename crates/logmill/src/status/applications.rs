//! SQL applications: what runs, what waits for it, and what is wrong with its files.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::S3Store;
use aws::listing::Bucket;
use lambda::rules::RulesBucket;
use lambda::rules::{RuleFiles, RuleFolder};
use serde::Serialize;
use stream_analytics::catalog::{self, FOLDER};
use stream_analytics::places;
use stream_analytics::tables::{Buckets, Tables};

use crate::stack::Stack;

/// Segments that are counted of an application at most.
const MAX_SEGMENTS: usize = 10_000;

/// An SQL application.
#[derive(Debug, Serialize)]
pub struct Application {
    /// Its name: of its files.
    pub application: String,
    /// The version that its rows are folded with: the last good one.
    pub running: Option<String>,
    /// Why the version in its files does not run: what is wrong with them, and where, or which table cannot be read.
    pub broken: Option<String>,
    /// Batches that are not folded yet.
    pub segments_waiting: usize,
}

/// Those that have files, and those that have run.
pub async fn read(stack: &Stack) -> Result<Vec<Application>, String> {
    let client = aws::s3_client(&stack.config);
    let open: Buckets = Arc::new(move |bucket| Arc::new(S3Store::new(client.clone(), bucket)));
    let (rules, index) = (open(&stack.bucket("rules")), open(&stack.bucket("index")));
    let bucket = Bucket::new(&stack.config, &stack.bucket("index"));
    let tables = Tables::new(rules.clone(), open, index.clone());
    let files =
        RuleFolder::new(RulesBucket(rules), FOLDER).fresh().await.map_err(|error| format!("{FOLDER}: {error}"))?;
    let folders = bucket.folders(places::ROOT).await.map_err(|error| error.to_string())?;
    let ran = folders.iter().map(|folder| folder.trim_start_matches(places::ROOT).trim_end_matches('/').to_owned());
    let names: BTreeSet<String> = catalog::names(&files).into_iter().chain(ran).collect();
    let mut applications = Vec::new();
    for application in names {
        let head = places::head(&index, &application).load().await;
        let state = head.map_err(|error| format!("application {application}: {error}"))?.state;
        let running = state.version().map(str::to_owned);
        let broken = match compiled(&application, &files) {
            Err(error) => Some(error),
            // A version that runs has copies of its tables.
            Ok(Some(next)) if running.as_deref() != Some(next.version()) => {
                tables.read(&next).await.err().map(|error| error.to_string())
            }
            Ok(_) => None,
        };
        let segments_waiting = segments(&bucket, &application).await?;
        applications.push(Application { application, running, broken, segments_waiting });
    }
    Ok(applications)
}

/// A line for each that is broken.
pub fn broken(applications: &[Application]) -> String {
    let broken = applications.iter().filter_map(|one| Some((one, one.broken.as_ref()?)));
    let mut text: String = broken
        .map(|(one, error)| match &one.running {
            Some(version) => format!("{} is broken, version {version} goes on: {error}\n", one.application),
            None => format!("{} is broken, nothing runs: {error}\n", one.application),
        })
        .collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// An application of its files, or what is wrong with them. None: it is switched off; or it has no files, and is the one that the
/// function is built with, or has ended.
fn compiled(name: &str, files: &RuleFiles) -> Result<Option<stream_analytics::application::Application>, String> {
    let of = |extension: &str| files.get(&format!("{name}.{extension}")).map(|file| &**file);
    match (of("json"), of("sql")) {
        (None, None) => Ok(None),
        (json, sql) => catalog::read(name, json, sql),
    }
}

async fn segments(bucket: &Bucket, application: &str) -> Result<usize, String> {
    let prefix = format!("{}segments/", places::prefix(application));
    let (mut segments, mut next) = (0, None);
    loop {
        let page = bucket.page(&prefix, next).await.map_err(|error| error.to_string())?;
        segments += page.objects.len();
        next = page.next;
        if next.is_none() || segments >= MAX_SEGMENTS {
            return Ok(segments);
        }
    }
}
