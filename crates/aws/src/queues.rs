//! SQS queues, as an operator looks at them.

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};

use crate::CallError;

/// Messages of one `SendMessageBatch` at most (SQS API reference).
pub const MAX_BATCH: usize = 10;

/// Bytes of one `SendMessageBatch`, and so of a message, that every account takes (SQS quotas: 256 KiB until 2025, 1 MiB since).
pub const MAX_BATCH_BYTES: usize = 256 * 1024;

/// Queues of a stack at most: what one page of `ListQueues` has.
const MAX_QUEUES: i32 = 1000;

/// Messages in a queue; SQS counts approximately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Waiting.
    pub visible: u64,
    /// Received and not yet deleted.
    pub in_flight: u64,
}

/// The queues of an account and region.
#[derive(Debug, Clone)]
pub struct Queues(Client);

impl Queues {
    /// By this configuration.
    pub fn new(config: &SdkConfig) -> Queues {
        Queues(Client::new(config))
    }

    /// URLs of the queues whose names begin with `prefix`, by name.
    pub async fn list(&self, prefix: &str) -> Result<Vec<(String, String)>, CallError> {
        let answer = self.0.list_queues().queue_name_prefix(prefix).max_results(MAX_QUEUES).send().await;
        let answer = answer.map_err(|error| CallError::of("sqs ListQueues", error))?;
        let named = |url: &String| (url.rsplit('/').next().unwrap_or_default().to_owned(), url.clone());
        let mut queues: Vec<_> = answer.queue_urls().iter().map(named).collect();
        queues.sort();
        Ok(queues)
    }

    /// The URL of a queue.
    pub async fn url(&self, name: &str) -> Result<String, CallError> {
        let answer = self.0.get_queue_url().queue_name(name).send().await;
        let answer = answer.map_err(|error| CallError::of(format!("sqs GetQueueUrl {name}"), error))?;
        Ok(answer.queue_url.unwrap_or_default())
    }

    /// How many messages there are.
    pub async fn depth(&self, url: &str) -> Result<Depth, CallError> {
        let visible = QueueAttributeName::ApproximateNumberOfMessages;
        let in_flight = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        let ask = self.0.get_queue_attributes().queue_url(url);
        let answer = ask.attribute_names(visible.clone()).attribute_names(in_flight.clone()).send().await;
        let answer = answer.map_err(|error| CallError::of(format!("sqs GetQueueAttributes {url}"), error))?;
        let count = |name| {
            let text = answer.attributes().and_then(|attributes| attributes.get(&name));
            text.and_then(|text| text.parse().ok()).unwrap_or_default()
        };
        Ok(Depth { visible: count(visible), in_flight: count(in_flight) })
    }

    /// Sends up to [`MAX_BATCH`] messages of up to [`MAX_BATCH_BYTES`] together; gives the places of those that were not taken.
    pub async fn send(&self, url: &str, bodies: &[String]) -> Result<Vec<usize>, CallError> {
        let what = || format!("sqs SendMessageBatch {url}");
        let mut send = self.0.send_message_batch().queue_url(url);
        for (place, body) in bodies.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body).build();
            send = send.entries(entry.map_err(|error| CallError::of(what(), error))?);
        }
        let answer = send.send().await.map_err(|error| CallError::of(what(), error))?;
        Ok(answer.failed().iter().filter_map(|failed| failed.id().parse().ok()).collect())
    }

    /// Begins to move the messages of a dead-letter queue into another queue; both by ARN.
    pub async fn redrive(&self, dead_letters: &str, to: &str) -> Result<(), CallError> {
        let started = self.0.start_message_move_task().source_arn(dead_letters).destination_arn(to).send().await;
        started.map(drop).map_err(|error| CallError::of(format!("sqs StartMessageMoveTask {dead_letters}"), error))
    }
}
