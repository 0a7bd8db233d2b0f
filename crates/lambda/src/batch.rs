//! Replies for event source mappings with `ReportBatchItemFailures`.

use serde::Serialize;

/// `{"batchItemFailures": [{"itemIdentifier": …}]}`; empty = the whole batch is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchReply {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

impl BatchReply {
    /// SQS: the ids of the messages that failed; only they come again.
    pub fn sqs(failed: impl IntoIterator<Item = String>) -> BatchReply {
        let failures = failed.into_iter().map(|item_identifier| ItemFailure { item_identifier });
        BatchReply { batch_item_failures: failures.collect() }
    }

    /// Kinesis: the sequence numbers of the records that failed. Everything from the lowest comes again, so it alone is named.
    pub fn kinesis(failed: impl IntoIterator<Item = String>) -> BatchReply {
        // Decimal numbers of up to 56 digits without leading zeros: the shorter is the lower.
        let lowest = failed.into_iter().min_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        BatchReply::sqs(lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reply: BatchReply, expected: &str) {
        assert_eq!(serde_json::to_string(&reply).unwrap(), expected);
    }

    #[test]
    fn replies() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        check(BatchReply::default(), r#"{"batchItemFailures":[]}"#);
        let two = r#"{"batchItemFailures":[{"itemIdentifier":"m1"},{"itemIdentifier":"m2"}]}"#;
        check(BatchReply::sqs(ids(&["m1", "m2"])), two);
        check(BatchReply::kinesis(ids(&[])), r#"{"batchItemFailures":[]}"#);
        check(BatchReply::kinesis(ids(&["100", "99", "101"])), r#"{"batchItemFailures":[{"itemIdentifier":"99"}]}"#);
    }
}
