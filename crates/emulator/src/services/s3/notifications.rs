//! A bucket's notifications: what may be configured, and what matches.

use rand::RngExt;

use super::errors::invalid_argument;
use super::{Notification, events};
use crate::error::ApiError;
use crate::store::Tx;

/// The events that can be asked for (S3 user guide, "Supported event types"). Those of functions that are not emulated never
/// happen here.
const EVENTS: &[&str] = &[
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAcl:Put",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
];

impl Notification {
    /// Whether it wants to hear of `event` (`ObjectCreated:Put`) of `key`.
    pub(super) fn matches(&self, event: &str, key: &str) -> bool {
        self.prefix.as_deref().is_none_or(|prefix| key.starts_with(prefix))
            && self.suffix.as_deref().is_none_or(|suffix| key.ends_with(suffix))
            && self.events.iter().any(|pattern| covers(pattern, event))
    }

    fn overlaps(&self, other: &Notification) -> bool {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (prefixes, suffixes) =
            ([text(&self.prefix), text(&other.prefix)], [text(&self.suffix), text(&other.suffix)]);
        let share_event = || {
            self.events.iter().any(|a| {
                let name = |event: &String| event.strip_prefix("s3:").unwrap_or(event).to_owned();
                other.events.iter().any(|b| covers(a, &name(b)) || covers(b, &name(a)))
            })
        };
        (prefixes[0].starts_with(&prefixes[1]) || prefixes[1].starts_with(&prefixes[0]))
            && (suffixes[0].ends_with(&suffixes[1]) || suffixes[1].ends_with(&suffixes[0]))
            && share_event()
    }
}

/// Whether a pattern (`s3:ObjectCreated:*`) covers an event's name (`ObjectCreated:Put`).
fn covers(pattern: &str, event: &str) -> bool {
    let pattern = pattern.strip_prefix("s3:").unwrap_or(pattern);
    match pattern.strip_suffix('*') {
        Some(family) => event.starts_with(family),
        None => pattern == event,
    }
}

/// The service of a destination: `sns`, `sqs` or `lambda`.
pub(super) fn service(arn: &str) -> Result<&str, ApiError> {
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, service @ ("sns" | "sqs" | "lambda"), ..] => Ok(service),
        _ => Err(invalid_argument(format!(
            "the notification destination {arn:?} is not the ARN of an SNS topic, an SQS queue or a Lambda function"
        ))),
    }
}

/// Refuses what S3 refuses: unknown events and destinations, and two configurations that want one event of one key.
pub(super) fn check(notifications: &[Notification]) -> Result<(), ApiError> {
    for (at, notification) in notifications.iter().enumerate() {
        service(&notification.destination)?;
        if notification.events.is_empty() {
            return Err(ApiError::bad_request(
                "MalformedXML",
                format!("notification {:?} has no event", notification.id),
            ));
        }
        if let Some(event) = notification.events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
            return Err(invalid_argument(format!("The event {event:?} is not supported for notifications")));
        }
        if let Some(other) = notifications[..at].iter().find(|other| other.overlaps(notification)) {
            return Err(invalid_argument(format!(
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are \
                 overlapping for the same event type: notifications {:?} and {:?}",
                other.id, notification.id
            )));
        }
    }
    Ok(())
}

/// What S3 sends to each topic and queue of a new configuration; a destination that does not take it is refused.
pub(super) fn send_test_events(tx: &Tx<'_>, bucket: &str, notifications: &[Notification]) -> Result<(), ApiError> {
    for notification in notifications {
        if service(&notification.destination)? == "lambda" {
            continue;
        }
        let message = serde_json::json!({
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": events::timestamp(tx.now()),
            "Bucket": bucket,
            "RequestId": events::request_id(),
            "HostId": events::host_id(),
        });
        events::deliver(tx, &notification.destination, message.to_string()).map_err(|error| {
            if error.status.is_server_error() {
                return error;
            }
            let destination = &notification.destination;
            invalid_argument(format!(
                "Unable to validate the following destination configurations: {destination}: {error}"
            ))
        })?;
    }
    Ok(())
}

/// An id for a configuration that came without one.
pub(super) fn new_id() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(events: &[&str], prefix: &str, suffix: &str) -> Notification {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Notification {
            id: "n".into(),
            events: events.iter().map(|&event| event.to_owned()).collect(),
            prefix: text(prefix),
            suffix: text(suffix),
            destination: "arn:aws:sns:us-east-1:000000000000:t".into(),
        }
    }

    #[test]
    fn matching() {
        for (events, prefix, suffix, event, key, expected) in [
            (&["s3:ObjectCreated:*"][..], "", "", "ObjectCreated:Put", "k", true),
            (&["s3:ObjectCreated:*"], "", "", "ObjectCreated:CompleteMultipartUpload", "k", true),
            (&["s3:ObjectCreated:*"], "", "", "ObjectRemoved:Delete", "k", false),
            (&["s3:ObjectCreated:Put"], "", "", "ObjectCreated:Put", "k", true),
            (&["s3:ObjectCreated:Put"], "", "", "ObjectCreated:Copy", "k", false),
            (&["s3:ObjectRemoved:*", "s3:ObjectCreated:Copy"], "", "", "ObjectCreated:Copy", "k", true),
            (&["s3:ObjectCreated:*"], "logs/", "", "ObjectCreated:Put", "logs/a", true),
            (&["s3:ObjectCreated:*"], "logs/", "", "ObjectCreated:Put", "log", false),
            (&["s3:ObjectCreated:*"], "logs/", ".gz", "ObjectCreated:Put", "logs/a.gz", true),
            (&["s3:ObjectCreated:*"], "logs/", ".gz", "ObjectCreated:Put", "logs/a.gz.tmp", false),
        ] {
            assert_eq!(notification(events, prefix, suffix).matches(event, key), expected, "{event} {key}");
        }
    }

    #[test]
    fn overlapping_configurations_are_refused() {
        let created = &["s3:ObjectCreated:*"][..];
        for (a, b, allowed) in [
            (notification(created, "logs/", ""), notification(created, "inbox/", ""), true),
            (notification(created, "logs/", ""), notification(created, "logs/a", ""), false),
            (notification(created, "", ""), notification(created, "logs/", ""), false),
            (notification(created, "", ""), notification(&["s3:ObjectCreated:Put"], "logs/", ""), false),
            (notification(created, "", ""), notification(&["s3:ObjectRemoved:*"], "", ""), true),
            (notification(created, "", ".gz"), notification(created, "", ".json"), true),
            (notification(created, "", ".gz"), notification(created, "", ".json.gz"), false),
            (notification(created, "logs/", ".gz"), notification(created, "", ".gz"), false),
        ] {
            for pair in [[a.clone(), b.clone()], [b, a]] {
                let outcome = check(&pair);
                assert_eq!(outcome.is_ok(), allowed, "{pair:?}");
                assert!(outcome.err().is_none_or(|error| error.code == "InvalidArgument"));
            }
        }
    }

    #[test]
    fn unknown_events_and_destinations_are_refused() {
        assert!(
            check(&[notification(&["s3:ObjectCreated"], "", "")]).unwrap_err().message.contains("s3:ObjectCreated")
        );
        assert_eq!(check(&[notification(&[], "", "")]).unwrap_err().code, "MalformedXML");
        let mut elsewhere = notification(&["s3:ObjectCreated:*"], "", "");
        elsewhere.destination = "arn:aws:kinesis:us-east-1:000000000000:stream/s".into();
        assert!(check(&[elsewhere]).unwrap_err().message.contains("kinesis"));
    }
}
