//! Objects: their events, to a consumer's queue.

use std::collections::BTreeSet;

use aws::listing::Listed;
use aws::queues::{MAX_BATCH, MAX_BATCH_BYTES, Queues};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Replay;

/// How often a message is sent that is not taken.
const MAX_TRIES: usize = 4;

/// Characters of a key that S3 leaves as they are in its events.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'*');

impl Replay<'_> {
    /// The objects under the prefix.
    pub async fn objects(&mut self) -> Result<(), String> {
        let mut outbox = self.outbox().await?;
        let (mut next, mut first) = (None, true);
        while let Some(objects) = self.page(&mut next, &mut first).await? {
            for object in &objects {
                let message = self.message(object, None);
                self.send(&mut outbox, message).await;
            }
            self.flush(&mut outbox).await;
            self.tell();
        }
        Ok(())
    }

    /// The event of an object, as S3 writes it, with what only a replay says.
    pub fn message(&self, object: &Listed, lines: Option<&BTreeSet<u64>>) -> String {
        event(&self.stack.bucket("lake"), object, lines, &jiff::Timestamp::now().to_string()).to_string()
    }

    /// For the consumer's queue.
    pub async fn outbox(&self) -> Result<Outbox, String> {
        let queues = Queues::new(&self.stack.config);
        let url = queues.url(&self.stack.queue(&self.arguments.consumer)).await.map_err(|error| error.to_string())?;
        Ok(Outbox { queues, url, waiting: Vec::new(), bytes: 0 })
    }

    /// Sends a message with the next ones.
    pub async fn send(&mut self, outbox: &mut Outbox, message: String) {
        if outbox.waiting.len() == MAX_BATCH || outbox.bytes + message.len() > MAX_BATCH_BYTES {
            self.flush(outbox).await;
        }
        outbox.bytes += message.len();
        outbox.waiting.push(message);
    }

    /// Sends what waits.
    pub async fn flush(&mut self, outbox: &mut Outbox) {
        let waiting = std::mem::take(&mut outbox.waiting);
        outbox.bytes = 0;
        self.progress.sent += waiting.len();
        if self.arguments.dry_run {
            return;
        }
        let (left, error) = outbox.send_all(waiting).await;
        if left > 0 {
            eprintln!("logmill: {left} messages not sent: {}", error.unwrap_or_default());
            self.progress.sent -= left;
            self.progress.failed += left;
        }
    }
}

/// Messages on their way to a queue.
pub struct Outbox {
    queues: Queues,
    url: String,
    waiting: Vec<String>,
    bytes: usize,
}

impl Outbox {
    /// How many could not be sent, and the last error.
    async fn send_all(&self, mut messages: Vec<String>) -> (usize, Option<String>) {
        let mut error = None;
        for _ in 0..MAX_TRIES {
            if messages.is_empty() {
                break;
            }
            match self.queues.send(&self.url, &messages).await {
                Ok(failed) => {
                    error = Some("the queue did not take them".to_owned());
                    messages = failed.into_iter().filter_map(|place| messages.get(place).cloned()).collect();
                }
                Err(failed) => error = Some(failed.to_string()),
            }
        }
        (messages.len(), error)
    }
}

fn event(bucket: &str, object: &Listed, lines: Option<&BTreeSet<u64>>, now: &str) -> Value {
    let logmill = lines.map_or_else(|| json!({}), |lines| json!({ "lines": lines }));
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "logmill:replay",
        "eventTime": now,
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": { "name": bucket },
            "object": {
                "key": utf8_percent_encode(&object.key, PLAIN).to_string(),
                "size": object.size,
                "eTag": object.etag,
            },
        },
        "logmill": logmill,
    }] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use index_writer::event::Message;

    #[test]
    fn the_writer_reads_what_is_sent() {
        let object = Listed { key: "logs/s p/ü+%.gz".into(), size: 5, modified: 0, etag: "e".into() };
        let lines = BTreeSet::from([1, 7]);
        for lines in [None, Some(&lines)] {
            let body = event("lake", &object, lines, "2026-11-20T16:36:01.5Z").to_string();
            let created = Message { message_id: "m".into(), body }.created().unwrap().remove(0);
            assert_eq!((created.bucket.as_str(), created.key), ("lake", object.key.clone()));
            assert_eq!(created.at, 1_795_192_561_500);
            assert_eq!(created.replay.unwrap().lines.as_ref(), lines);
        }
    }
}
