//! Conditions of writes and of reads.

use s3s::dto::{ETagCondition, Timestamp};

use super::Precondition;
use super::errors::{header_not_implemented, no_such_key, precondition_failed};
use crate::error::ApiError;

/// The condition of a put: S3 knows `If-None-Match: *` and `If-Match: ETAG`, and one of them at a time.
pub(super) fn of_write(
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> Result<Precondition, ApiError> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Precondition::None),
        (None, Some(ETagCondition::Any)) => Ok(Precondition::Absent),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Precondition::Matches(etag.into_value())),
        (None, Some(_)) => Err(header_not_implemented("If-None-Match with an ETag")),
        (Some(ETagCondition::Any), None) => Err(header_not_implemented("If-Match: *")),
        (Some(_), Some(_)) => Err(header_not_implemented("If-Match together with If-None-Match")),
    }
}

impl Precondition {
    /// Whether a write of `key` may go on, given the ETag of what is there now.
    pub(super) fn check(&self, key: &str, current: Option<&str>) -> Result<(), ApiError> {
        match (self, current) {
            (Precondition::None, _) | (Precondition::Absent, None) => Ok(()),
            (Precondition::Absent, Some(_)) => Err(precondition_failed("If-None-Match")),
            (Precondition::Matches(_), None) => Err(no_such_key(key)),
            (Precondition::Matches(etag), Some(current)) if etag.trim_matches('"') == current => Ok(()),
            (Precondition::Matches(_), Some(_)) => Err(precondition_failed("If-Match")),
        }
    }
}

/// The conditions of a read, or of a copy on its source.
#[derive(Default)]
pub(super) struct ReadConditions {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

/// What the conditions of a read come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The object is sent.
    Proceed,
    /// The reader has it already: 304 (a copy: 412).
    NotModified,
    /// 412, by this header.
    Failed(&'static str),
}

impl ReadConditions {
    /// RFC 9110, 13.2.2: an ETag's condition goes before the date's of its kind. Dates have no fraction of a second.
    pub(super) fn verdict(&self, etag: &str, modified_at: i64) -> Verdict {
        let modified = modified_at / 1000;
        let matches = |condition: &ETagCondition| condition.as_etag().is_none_or(|given| given.value() == etag);
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition) => return Verdict::Failed("If-Match"),
            (None, Some(date)) if modified > seconds(date) => return Verdict::Failed("If-Unmodified-Since"),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if matches(condition) => Verdict::NotModified,
            (None, Some(date)) if modified <= seconds(date) => Verdict::NotModified,
            _ => Verdict::Proceed,
        }
    }
}

fn seconds(date: &Timestamp) -> i64 {
    time::OffsetDateTime::from(date.clone()).unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn etag(text: &str) -> Option<ETagCondition> {
        (!text.is_empty()).then(|| text.parse().unwrap())
    }

    #[test]
    fn conditions_of_a_write() {
        let none = "";
        for (if_match, if_none_match, current, expected) in [
            (none, none, None, "ok"),
            (none, none, Some("a"), "ok"),
            (none, "*", None, "ok"),
            (none, "*", Some("a"), "PreconditionFailed"),
            ("\"a\"", none, Some("a"), "ok"),
            ("\"b\"", none, Some("a"), "PreconditionFailed"),
            ("\"a\"", none, None, "NoSuchKey"),
            (none, "\"a\"", None, "NotImplemented"),
            ("*", none, Some("a"), "NotImplemented"),
            ("\"a\"", "*", Some("a"), "NotImplemented"),
        ] {
            let outcome = of_write(etag(if_match), etag(if_none_match)).and_then(|p| p.check("k", current));
            let got = outcome.map_or_else(|e| e.code, |()| "ok".to_owned());
            assert_eq!(got, expected, "If-Match {if_match:?}, If-None-Match {if_none_match:?}, current {current:?}");
        }
    }

    #[test]
    fn conditions_of_a_read() {
        const AT: i64 = 1_000_500; // half a second past second 1000
        let date =
            |seconds: Option<u64>| seconds.map(|s| Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(s)));
        for (if_match, if_none_match, modified_since, unmodified_since, expected) in [
            ("", "", None, None, Verdict::Proceed),
            ("\"a\"", "", None, None, Verdict::Proceed),
            ("*", "", None, None, Verdict::Proceed),
            ("\"b\"", "", None, None, Verdict::Failed("If-Match")),
            ("\"a\"", "", None, Some(900), Verdict::Proceed),
            ("", "\"a\"", None, None, Verdict::NotModified),
            ("", "W/\"a\"", None, None, Verdict::NotModified),
            ("", "*", None, None, Verdict::NotModified),
            ("", "\"b\"", None, None, Verdict::Proceed),
            ("", "\"b\"", Some(2000), None, Verdict::Proceed),
            ("", "", Some(1000), None, Verdict::NotModified),
            ("", "", Some(999), None, Verdict::Proceed),
            ("", "", None, Some(1000), Verdict::Proceed),
            ("", "", None, Some(999), Verdict::Failed("If-Unmodified-Since")),
            ("\"b\"", "\"a\"", None, None, Verdict::Failed("If-Match")),
        ] {
            let conditions = ReadConditions {
                if_match: etag(if_match),
                if_none_match: etag(if_none_match),
                if_modified_since: date(modified_since),
                if_unmodified_since: date(unmodified_since),
            };
            let label = format!("{if_match} {if_none_match} {modified_since:?} {unmodified_since:?}");
            assert_eq!(conditions.verdict("a", AT), expected, "{label}");
        }
    }
}
