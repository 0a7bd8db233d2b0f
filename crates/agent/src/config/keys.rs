//! The keys that exist, and what becomes of each. A new key is one line here and one line where it is read.

use Support::{Meaningless, NotYet, Used};

/// What this agent does with a key of the original.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Support {
    /// Read.
    Used,
    /// Has no counterpart here and needs none (the original's thread pools and SQLite): accepted in silence.
    Meaningless,
    /// Not supported yet; the text is its default, which is what happens, so that only another value is warned about.
    NotYet(&'static str),
}

/// Keys of the top level.
pub static TOP: &[(&str, Support)] = &[
    ("flows", Used),
    ("awsAccessKeyId", Used),
    ("awsSecretAccessKey", Used),
    ("assumeRoleARN", Used),
    ("assumeRoleExternalId", Used),
    ("sts.endpoint", Used),
    ("kinesis.endpoint", Used),
    ("kinesis.region", Used),
    ("firehose.endpoint", Used),
    ("firehose.region", Used),
    ("cloudwatch.endpoint", Meaningless),
    ("userDefinedCredentialsProvider.classname", NotYet("")),
    ("userDefinedCredentialsProvider.location", NotYet("")),
    ("checkpointFile", Used),
    ("checkpointTimeToLiveDays", Used),
    ("checkpoints.queryTimeoutSeconds", Meaningless),
    ("checkpoints.connectionTimeoutSeconds", Meaningless),
    ("cloudwatch.emitMetrics", Used),
    ("cloudwatch.namespace", Meaningless),
    ("cloudwatch.tagInstance", Meaningless),
    ("cloudwatch.metricsBufferTimeMillis", Meaningless),
    ("cloudwatch.metricsQueueSize", Meaningless),
    ("log.emitMetrics", NotYet("false")),
    ("log.emitInternalMetrics", NotYet("false")),
    ("log.statusReportingPeriodSeconds", Used),
    ("log.level", Used),
    ("log.file", Used),
    ("maxSendingThreads", Used),
    ("maxSendingThreadsPerCore", Used),
    ("sendingThreadsMaxQueueSize", Meaningless),
    ("sendingThreadsKeepAliveMillis", Meaningless),
    ("maxConnections", Meaningless),
    ("connectionTimeoutMillis", Used),
    ("socketTimeoutMillis", Used),
    ("connectionTTLMillis", NotYet("-1")),
    ("useTcpKeepAlive", NotYet("false")),
    ("useHttpGzip", NotYet("false")),
    ("shutdownTimeoutMillis", Used),
    ("userAgent", NotYet("")),
    ("userAgentOverride", NotYet("")),
];

/// Keys of one flow. `recordIdField` is ours.
pub static FLOW: &[(&str, Support)] = &[
    ("filePattern", Used),
    ("deliveryStream", Used),
    ("kinesisStream", Used),
    ("partitionKeyOption", Used),
    ("initialPosition", Used),
    ("maxBufferAgeMillis", Used),
    ("maxBufferSizeRecords", Used),
    ("maxBufferSizeBytes", Used),
    ("minTimeBetweenFilePollsMillis", Used),
    ("maxTimeBetweenFileTrackerRefreshMillis", Used),
    ("multiLineStartPattern", Used),
    ("skipHeaderLines", Used),
    ("fileFooterPattern", Used),
    ("truncatedRecordTerminator", Used),
    ("aggregatedRecordSizeBytes", Used),
    ("publishQueueCapacity", Used),
    ("waitOnFullPublishQueueMillis", Used),
    ("waitOnEmptyPublishQueueMillis", Used),
    ("retryInitialBackoffMillis", Used),
    ("retryMaxBackoffMillis", Used),
    ("dataProcessingOptions", Used),
    ("log.emitInternalMetrics", NotYet("false")),
    ("recordIdField", Used),
];

/// The support of a key in a table, if it exists.
pub fn find(table: &[(&str, Support)], key: &str) -> Option<Support> {
    table.iter().find(|(name, _)| *name == key).map(|(_, support)| *support)
}

/// The known key that was probably meant.
pub fn nearest(table: &[(&'static str, Support)], key: &str) -> Option<&'static str> {
    let lower = key.to_lowercase();
    let (distance, name) = table.iter().map(|(name, _)| (distance(&lower, &name.to_lowercase()), *name)).min()?;
    // A third of the letters wrong is another word.
    (distance * 3 <= key.chars().count()).then_some(name)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_known_key() {
        let check = |key: &str, expected: Option<&str>| assert_eq!(nearest(FLOW, key), expected, "{key}");
        check("initialPostion", Some("initialPosition"));
        check("initialposition", Some("initialPosition"));
        check("deliverystream", Some("deliveryStream"));
        check("dataProcessingOption", Some("dataProcessingOptions"));
        check("filepatern", Some("filePattern"));
        check("recordIdFeild", Some("recordIdField"));
        check("comment", None);
        check("x", None);
        check("", None);
    }
}
