//! `logmill status`: what waits at each stage, what is indexed, what lies in `failed/`.

mod applications;
mod failed;
mod health;
mod table;

use std::process::ExitCode;
use std::sync::Arc;

use aws::S3Store;
use aws::queues::Queues;
use search_index::{Catalog, Options};
use serde::Serialize;

use crate::print::say;
use crate::stack::{Stack, StackArguments};
use applications::Application;
use failed::Failed;
use health::Health;
use table::table;

const AFTER_HELP: &str = "Examples:
  logmill status --endpoint http://127.0.0.1:4566     the stack that logmill up runs
  logmill status --format json                        the stack of this account and region

Counts of queues are SQS's, which are approximate. How old the oldest message or record is, and what waits in delivery streams, is
known of the emulator only; on AWS, CloudWatch has it (AWS/SQS ApproximateAgeOfOldestMessage, AWS/Firehose DeliveryToS3.DataFreshness).
The exit code is 1 if a part could not be read.";

/// Options of `status`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    stack: StackArguments,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// Everything.
#[derive(Debug, Default, Serialize)]
struct Status {
    delivery_streams: Vec<health::Stream>,
    queues: Vec<Queue>,
    applications: Vec<Application>,
    indexes: Vec<Index>,
    failed: Vec<Failed>,
    /// Parts that could not be read.
    errors: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Queue {
    queue: String,
    waiting: u64,
    in_flight: u64,
    oldest_seconds: Option<i64>,
    dead_letters: u64,
}

#[derive(Debug, Serialize)]
struct Index {
    index: String,
    documents: u64,
    splits: usize,
    bytes: u64,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    crate::stack::block_on(async {
        let stack = Stack::connect(&arguments.stack).await?;
        let status = read(&stack).await;
        say(&match arguments.format {
            Format::Json => serde_json::to_string(&status).map_err(|error| error.to_string())? + "\n",
            Format::Text => text(&status),
        });
        for error in &status.errors {
            eprintln!("logmill: {error}");
        }
        Ok(status.errors.is_empty())
    })
}

async fn read(stack: &Stack) -> Status {
    let health = Health::read(stack).await;
    let mut status = Status::default();
    let mut errors = Vec::new();
    status.queues = queues(stack, &health).await.unwrap_or_else(|error| none(error, &mut errors));
    status.applications = applications::read(stack).await.unwrap_or_else(|error| none(error, &mut errors));
    status.indexes = indexes(stack).await.unwrap_or_else(|error| none(error, &mut errors));
    status.failed = failed::read(stack).await.unwrap_or_else(|error| none(error, &mut errors));
    Status { delivery_streams: health.delivery_streams, errors, ..status }
}

fn none<T>(error: String, errors: &mut Vec<String>) -> Vec<T> {
    errors.push(error);
    Vec::new()
}

async fn queues(stack: &Stack, health: &Health) -> Result<Vec<Queue>, String> {
    const DEAD: &str = "-dead-letters";
    let queues = Queues::new(&stack.config);
    let mut depths = Vec::new();
    for (name, url) in queues.list(&stack.queue_prefix()).await.map_err(|error| error.to_string())? {
        depths.push((name, queues.depth(&url).await.map_err(|error| error.to_string())?));
    }
    let dead = |name: &str| {
        let dead = depths.iter().find(|(other, _)| other.strip_suffix(DEAD) == Some(name));
        dead.map(|(_, depth)| depth.visible + depth.in_flight).unwrap_or_default()
    };
    let live = depths.iter().filter(|(name, _)| !name.ends_with(DEAD));
    Ok(live
        .map(|(name, depth)| Queue {
            queue: name.clone(),
            waiting: depth.visible,
            in_flight: depth.in_flight,
            oldest_seconds: health.oldest_of_queue(name),
            dead_letters: dead(name),
        })
        .collect())
}

async fn indexes(stack: &Stack) -> Result<Vec<Index>, String> {
    let store = S3Store::new(aws::s3_client(&stack.config), stack.bucket("index"));
    let catalog = Catalog::new(Arc::new(store), Options::default());
    let mut indexes = Vec::new();
    for name in catalog.resolve(&["*"]).await.map_err(|error| format!("indexes: {error}"))? {
        let reader = catalog.index(&name).map_err(|error| error.to_string())?.reader().await;
        let state = reader.map_err(|error| format!("index {name}: {error}"))?.state;
        let documents = state.splits.iter().map(|split| u64::from(split.meta.documents - split.deleted)).sum();
        let bytes = state.splits.iter().map(|split| split.meta.size).sum();
        indexes.push(Index { index: name, documents, splits: state.splits.len(), bytes });
    }
    Ok(indexes)
}

fn text(status: &Status) -> String {
    let age = |seconds: Option<i64>| seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s"));
    let mut text = String::new();
    let streams = status.delivery_streams.iter().map(|stream| {
        vec![stream.stream.clone(), stream.waiting.to_string(), stream.bytes.to_string(), age(stream.oldest_s)]
    });
    text += &table(&["delivery stream", "waiting", "bytes", "oldest"], streams.collect());
    let queues = status.queues.iter().map(|queue| {
        let (waiting, in_flight) = (queue.waiting.to_string(), queue.in_flight.to_string());
        vec![queue.queue.clone(), waiting, in_flight, age(queue.oldest_seconds), queue.dead_letters.to_string()]
    });
    text += &table(&["queue", "waiting", "in flight", "oldest", "dead letters"], queues.collect());
    let applications = status.applications.iter();
    let applications = applications.map(|one| {
        let running = one.running.clone().unwrap_or_else(|| "-".to_owned());
        vec![one.application.clone(), running, one.segments_waiting.to_string()]
    });
    text += &table(&["SQL application", "version that runs", "segments waiting"], applications.collect());
    text += &applications::broken(&status.applications);
    let indexes = status.indexes.iter().map(|index| {
        let (documents, splits) = (index.documents.to_string(), index.splits.to_string());
        vec![index.index.clone(), documents, splits, index.bytes.to_string()]
    });
    text += &table(&["index", "documents", "splits", "bytes"], indexes.collect());
    let failed = status.failed.iter().map(|failed| {
        let more = if failed.more { "+" } else { "" };
        let newest = failed.newest.clone().unwrap_or_else(|| "-".to_owned());
        vec![failed.stage.clone(), format!("{}{more}", failed.objects), format!("{}{more}", failed.bytes), newest]
    });
    text += &table(&["failed", "objects", "bytes", "newest"], failed.collect());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_application_says_what_goes_on() {
        let application = |name: &str, running: Option<&str>, broken: Option<&str>| Application {
            application: name.into(),
            running: running.map(str::to_owned),
            broken: broken.map(str::to_owned),
            segments_waiting: 0,
        };
        let applications = vec![
            application("a", Some("0f1e2d3c4b5a6978"), None),
            application("b", Some("8796a5b4c3d2e1f0"), Some("b.sql:3:8: no column X")),
            application("c", None, Some("c.json:1:1: no such key")),
        ];
        let expected = "SQL application  version that runs  segments waiting\n\
                        a                 0f1e2d3c4b5a6978                 0\n\
                        b                 8796a5b4c3d2e1f0                 0\n\
                        c                                -                 0\n\n\
                        b is broken, version 8796a5b4c3d2e1f0 goes on: b.sql:3:8: no column X\n\
                        c is broken, nothing runs: c.json:1:1: no such key\n\n";
        assert_eq!(text(&Status { applications, ..Status::default() }), expected);
    }

    #[test]
    fn tables_and_json() {
        let status = Status {
            queues: vec![Queue {
                queue: "logmill-index-writer".into(),
                waiting: 3,
                in_flight: 1,
                oldest_seconds: None,
                dead_letters: 0,
            }],
            failed: vec![Failed {
                stage: "index-writer".into(),
                objects: 10_000,
                bytes: 5,
                newest: Some("2026-11-20T16:36:01Z".into()),
                more: true,
            }],
            ..Status::default()
        };
        let expected = "queue                 waiting  in flight  oldest  dead letters\n\
                        logmill-index-writer        3          1       -             0\n\n\
                        failed        objects  bytes                newest\n\
                        index-writer   10000+     5+  2026-11-20T16:36:01Z\n\n";
        assert_eq!(text(&status), expected);
        let json: serde_json::Value = serde_json::to_value(&status).unwrap();
        assert_eq!(json["queues"][0]["waiting"], 3);
        assert_eq!(json["failed"][0]["more"], true);
    }
}
