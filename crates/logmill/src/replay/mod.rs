//! `logmill replay`: puts things through again.

mod lines;
mod objects;
mod records;

use std::process::ExitCode;

use aws::listing::{Bucket, Listed};
use aws::queues::Queues;

use crate::print::say;
use crate::stack::{Stack, StackArguments};

const AFTER_HELP: &str = "What can be replayed:
  logs/PREFIX, inbox/PREFIX         objects of the lake: their events go to the consumer's queue again. index-writer skips what the
                                    index knows; objects of more than 15 days ago, which it else refuses, it takes, looking up each
                                    document. stream-analytics counts what it knows once.
  failed/index-writer/PREFIX        the lines that were refused, out of the objects they came from, after a rule or mapping was put
                                    right. Lines that fail again come to failed/index-writer/ again.
  failed/STREAM/processing-failed/  the records' bytes go into the delivery stream again: at least once, they carry no id
  failed/firehose-transform/        the same records with the transform's reason: name their stream with --stream, and replay only
                                    one of the two
  dead-letters                      the consumer's dead letters go back into its queue

Not supported: delivery streams that read a Kinesis stream (whoever reads it has had the records), other parts of failed/STREAM/,
failed/stream-analytics/. What is put right by hand is put under inbox/INDEX/ as JSON lines.

Examples:
  logmill replay --endpoint http://127.0.0.1:4566 --dry-run failed/index-writer/
  logmill replay --consumer stream-analytics logs/log-ingestion-stream/2026/11/20/

The exit code is 1 if something could not be sent; what was sent stays sent, and a second run sends it again.";

/// Options of `replay`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(flatten)]
    stack: StackArguments,
    /// Whose queue gets events
    #[arg(long, value_name = "FUNCTION", default_value = "index-writer", value_parser = ["index-writer", "stream-analytics"])]
    consumer: String,
    /// The delivery stream that records go back into, where the key does not name it
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// Only say what would be sent
    #[arg(long)]
    dry_run: bool,
    /// Delete each object of failed/ once all of it was sent
    #[arg(long)]
    remove: bool,
    /// A prefix of keys in the lake, or dead-letters
    what: String,
}

/// What is replayed.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Objects,
    Lines,
    Records { stream: String },
    DeadLetters,
}

/// How far it is.
#[derive(Debug, Default)]
struct Progress {
    objects: usize,
    sent: usize,
    failed: usize,
}

/// What every kind of replay needs.
struct Replay<'a> {
    stack: &'a Stack,
    lake: Bucket,
    arguments: &'a Arguments,
    progress: Progress,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let target = match target(&arguments.what, arguments.stream.as_deref()) {
        Ok(target) => target,
        Err(message) => {
            eprintln!("logmill: {message}");
            return ExitCode::from(2);
        }
    };
    crate::stack::block_on(async {
        let stack = Stack::connect(&arguments.stack).await?;
        let lake = Bucket::new(&stack.config, &stack.bucket("lake"));
        let mut replay = Replay { stack: &stack, lake, arguments, progress: Progress::default() };
        match target {
            Target::Objects => replay.objects().await?,
            Target::Lines => replay.lines().await?,
            Target::Records { stream } => replay.records(&stream).await?,
            Target::DeadLetters => return replay.dead_letters().await,
        }
        let Progress { objects, sent, failed } = replay.progress;
        let (would, what) = if arguments.dry_run { ("would be ", " (--dry-run)") } else { ("", "") };
        say(&format!("{objects} objects, {sent} messages {would}sent, {failed} failed{what}\n"));
        Ok(failed == 0)
    })
}

fn target(what: &str, stream: Option<&str>) -> Result<Target, String> {
    let parts: Vec<&str> = what.splitn(4, '/').collect();
    match parts[..] {
        ["dead-letters"] => Ok(Target::DeadLetters),
        ["logs" | "inbox", _, ..] => Ok(Target::Objects),
        ["failed", "index-writer", ..] => Ok(Target::Lines),
        ["failed", "firehose-transform", ..] => {
            let stream =
                stream.ok_or("failed/firehose-transform/ does not say whose records they are: --stream NAME")?;
            Ok(Target::Records { stream: stream.to_owned() })
        }
        ["failed", name, "processing-failed", ..] => Ok(Target::Records { stream: stream.unwrap_or(name).to_owned() }),
        _ => Err(format!(
            "cannot replay {what:?}: expected logs/…, inbox/…, failed/index-writer/…, failed/STREAM/processing-failed/…, \
             failed/firehose-transform/… or dead-letters"
        )),
    }
}

impl Replay<'_> {
    /// The objects under the prefix, page by page.
    async fn page(&mut self, next: &mut Option<String>, first: &mut bool) -> Result<Option<Vec<Listed>>, String> {
        if next.is_none() && !std::mem::replace(first, false) {
            return Ok(None);
        }
        let page = self.lake.page(&self.arguments.what, next.take()).await.map_err(|error| error.to_string())?;
        *next = page.next;
        self.progress.objects += page.objects.len();
        Ok(Some(page.objects))
    }

    /// Tells how far it is, where a person sees it and no pipe does.
    fn tell(&self) {
        eprintln!("{} objects, {} messages", self.progress.objects, self.progress.sent);
    }

    async fn remove(&mut self, key: &str) {
        if !self.arguments.remove || self.arguments.dry_run {
            return;
        }
        if let Err(error) = self.lake.delete(key).await {
            eprintln!("logmill: {error}");
            self.progress.failed += 1;
        }
    }

    async fn dead_letters(&self) -> Result<bool, String> {
        let queues = Queues::new(&self.stack.config);
        let queue = self.stack.queue(&self.arguments.consumer);
        let name = format!("{queue}-dead-letters");
        let url = queues.url(&name).await.map_err(|error| error.to_string())?;
        let waiting = queues.depth(&url).await.map_err(|error| error.to_string())?.visible;
        if waiting > 0 && !self.arguments.dry_run {
            let (from, to) = (self.stack.queue_arn(&name), self.stack.queue_arn(&queue));
            queues.redrive(&from, &to).await.map_err(|error| error.to_string())?;
        }
        let fate = match (waiting, self.arguments.dry_run) {
            (0, _) => "",
            (_, true) => " would go back (--dry-run)",
            (_, false) => " are going back",
        };
        say(&format!("{waiting} messages of {name}{fate}\n"));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_replayed() {
        let records = |stream: &str| Ok(Target::Records { stream: stream.into() });
        let check = |what: &str, stream: Option<&str>, expected: Result<Target, ()>| {
            assert_eq!(target(what, stream).map_err(drop), expected, "{what}");
        };
        check("logs/", None, Ok(Target::Objects));
        check("logs/log-stream/2026/11", None, Ok(Target::Objects));
        check("inbox/request_data/", None, Ok(Target::Objects));
        check("failed/index-writer/", None, Ok(Target::Lines));
        check("failed/index-writer/2026/11/20/16/a-1.json", None, Ok(Target::Lines));
        check("failed/log-stream/processing-failed/2026/", None, records("log-stream"));
        check("failed/firehose-transform/2026", Some("s"), records("s"));
        check("failed/firehose-transform/2026", None, Err(()));
        check("failed/log-stream/", None, Err(()));
        check("failed/stream-analytics/", None, Err(()));
        check("dead-letters", None, Ok(Target::DeadLetters));
        check("logs", None, Err(()));
        check("", None, Err(()));
    }
}
