//! The two prefixes of an S3 destination: what is in each, and where an object's key begins.

use jiff::Timestamp;

use crate::expression::{Evaluation, Expression, Part};

/// Characters of a prefix as it is written (`Prefix`, Firehose API).
pub const MAX_PREFIX: usize = 1024;

/// Characters of a prefix after evaluation (custom prefixes, Firehose guide).
pub const MAX_EVALUATED_PREFIX: usize = 512;

/// `error-output-type` of records that the function failed.
pub const PROCESSING_FAILED: &str = "processing-failed";

/// What Firehose adds to a prefix without a timestamp of its own: as it is, with no slash before it (`pre` becomes
/// `pre2018/08/27/10/`: the rule's text; an example of the guide has a slash).
const DEFAULT_TIME: &str = "!{timestamp:yyyy/MM/dd/HH/}";

/// Why a prefix is refused, or cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// An expression is not one.
    #[error("{setting}, column {column}: {message}")]
    Expression {
        /// `Prefix` or `ErrorOutputPrefix`.
        setting: &'static str,
        /// Its character, from 1.
        column: usize,
        /// What was found and expected.
        message: String,
    },
    /// An expression stands where it must not, or is missing where it must stand.
    #[error("{0}")]
    Rule(&'static str),
    /// Too long, as written or once evaluated.
    #[error("{setting} has {found} characters{when}: at most {limit}")]
    TooLong {
        /// `Prefix` or `ErrorOutputPrefix`.
        setting: &'static str,
        /// ` after evaluation`, or nothing.
        when: &'static str,
        /// Characters.
        found: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// A record without a key that the prefix uses: it belongs under the error prefix.
    #[error("the record has no partition key {key:?} ({namespace})")]
    MissingKey {
        /// `partitionKeyFromLambda` or `partitionKeyFromQuery`.
        namespace: &'static str,
        /// The key.
        key: String,
    },
}

/// `Prefix` and `ErrorOutputPrefix`, checked together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixes {
    delivered: Expression,
    failed: Expression,
}

impl Prefixes {
    /// Reads both settings and checks the rules between them. `zone` is `CustomTimeZone`, only to find prefixes too long.
    pub fn parse(
        prefix: Option<&str>,
        error_prefix: Option<&str>,
        zone: Option<&jiff::tz::TimeZone>,
    ) -> Result<Prefixes, PrefixError> {
        let delivered = read("Prefix", prefix.unwrap_or_default())?;
        let failed = read("ErrorOutputPrefix", error_prefix.unwrap_or_default())?;
        check_rules(&delivered, &failed, error_prefix.is_some_and(|text| !text.is_empty()))?;
        let prefixes = Prefixes { failed: complete_failed(&delivered, failed)?, delivered: complete(delivered)? };
        prefixes.check_length(zone)?;
        Ok(prefixes)
    }

    /// Whether the records' partition keys are part of the key: dynamic partitioning must be on then.
    pub fn uses_partition_keys(&self) -> bool {
        uses_keys(&self.delivered)
    }

    /// Where the key of an object of delivered records begins.
    pub fn delivered(&self, with: &mut Evaluation<'_>) -> Result<String, PrefixError> {
        within_limit("Prefix", self.delivered.evaluate("", with)?)
    }

    /// Where the key of an object of failed records begins; `error_type` is [`PROCESSING_FAILED`] or a destination's own.
    pub fn failed(&self, error_type: &str, with: &mut Evaluation<'_>) -> Result<String, PrefixError> {
        within_limit("ErrorOutputPrefix", self.failed.evaluate(error_type, with)?)
    }

    /// Evaluated now rather than at the first delivery, partition keys left out.
    fn check_length(&self, zone: Option<&jiff::tz::TimeZone>) -> Result<(), PrefixError> {
        let mut random = || 0;
        let mut with = Evaluation::new(Timestamp::UNIX_EPOCH, &mut random);
        with.zone = zone.cloned().unwrap_or(jiff::tz::TimeZone::UTC);
        if !self.uses_partition_keys() {
            self.delivered(&mut with)?;
        }
        self.failed(PROCESSING_FAILED, &mut with).map(|_| ())
    }
}

fn read(setting: &'static str, text: &str) -> Result<Expression, PrefixError> {
    let found = text.chars().count();
    if found > MAX_PREFIX {
        return Err(PrefixError::TooLong { setting, when: "", found, limit: MAX_PREFIX });
    }
    Expression::parse(setting, text)
}

fn check_rules(delivered: &Expression, failed: &Expression, failed_given: bool) -> Result<(), PrefixError> {
    let has_type = |e: &Expression| e.parts.iter().any(|part| matches!(part, Part::ErrorOutputType));
    let broken = if has_type(delivered) {
        "Prefix must not contain !{firehose:error-output-type}: it belongs in ErrorOutputPrefix"
    } else if uses_keys(failed) {
        "ErrorOutputPrefix must not contain partition keys"
    } else if delivered.has_expressions() && !failed_given {
        "ErrorOutputPrefix must be given when Prefix contains expressions"
    } else if failed.has_expressions() && !has_type(failed) {
        "ErrorOutputPrefix contains expressions, so it must contain !{firehose:error-output-type}"
    } else {
        return Ok(());
    };
    Err(PrefixError::Rule(broken))
}

fn uses_keys(expression: &Expression) -> bool {
    expression.parts.iter().any(|part| matches!(part, Part::LambdaKey(_) | Part::QueryKey(_)))
}

fn complete(mut expression: Expression) -> Result<Expression, PrefixError> {
    if !expression.has_timestamp() {
        expression.parts.extend(Expression::parse("Prefix", DEFAULT_TIME)?.parts);
    }
    Ok(expression)
}

/// An error prefix with expressions is taken as it is. A literal one gets the error type and the time; none at all stands below
/// the (then literal) prefix, as the guide's example has it.
fn complete_failed(delivered: &Expression, failed: Expression) -> Result<Expression, PrefixError> {
    if failed.has_expressions() {
        return Ok(failed);
    }
    let mut completed = if failed.parts.is_empty() { delivered.clone() } else { failed };
    completed.parts.push(Part::ErrorOutputType);
    completed.parts.push(Part::Literal("/".into()));
    complete(completed)
}

fn within_limit(setting: &'static str, text: String) -> Result<String, PrefixError> {
    let found = text.chars().count();
    if found > MAX_EVALUATED_PREFIX {
        return Err(PrefixError::TooLong { setting, when: " after evaluation", found, limit: MAX_EVALUATED_PREFIX });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(prefix: Option<&str>, error_prefix: Option<&str>) -> Result<(String, String), PrefixError> {
        let prefixes = Prefixes::parse(prefix, error_prefix, None)?;
        let mut next = 0;
        let mut random = || {
            next += 1;
            next - 1
        };
        let mut with = Evaluation::new("2018-08-27T10:30:00Z".parse().unwrap(), &mut random);
        with.lambda_keys.insert("customer".into(), "42".into());
        Ok((prefixes.delivered(&mut with)?, prefixes.failed(PROCESSING_FAILED, &mut with)?))
    }

    #[test]
    fn prefixes_evaluate() {
        for (prefix, error_prefix, delivered, failed) in [
            (None, None, "2018/08/27/10/", "processing-failed/2018/08/27/10/"),
            (Some("pre"), None, "pre2018/08/27/10/", "preprocessing-failed/2018/08/27/10/"),
            (Some("pre/"), None, "pre/2018/08/27/10/", "pre/processing-failed/2018/08/27/10/"),
            (Some("pre/"), Some("bad/"), "pre/2018/08/27/10/", "bad/processing-failed/2018/08/27/10/"),
            (None, Some("bad/!{firehose:error-output-type}/"), "2018/08/27/10/", "bad/processing-failed/"),
            (
                Some("a/y=!{timestamp:yyyy}/any/r=!{firehose:random-string}"),
                Some("b/!{firehose:error-output-type}/!{timestamp:yyyy}/any/!{timestamp:dd}"),
                "a/y=2018/any/r=abcdefghijk",
                "b/processing-failed/2018/any/27",
            ),
            (
                Some("r/!{firehose:random-string}/"),
                Some("!{firehose:error-output-type}/"),
                "r/abcdefghijk/2018/08/27/10/",
                "processing-failed/",
            ),
            (
                Some("c=!{partitionKeyFromLambda:customer}/!{timestamp:HH}/"),
                Some("!{firehose:error-output-type}"),
                "c=42/10/",
                "processing-failed",
            ),
            (Some("100%!/{x}/"), None, "100%!/{x}/2018/08/27/10/", "100%!/{x}/processing-failed/2018/08/27/10/"),
        ] {
            let expected = (delivered.to_owned(), failed.to_owned());
            assert_eq!(evaluate(prefix, error_prefix), Ok(expected), "{prefix:?} {error_prefix:?}");
        }
    }

    #[test]
    fn each_random_string_is_new() {
        let (delivered, _) =
            evaluate(Some("!{firehose:random-string}!{firehose:random-string}"), Some("!{firehose:error-output-type}"))
                .unwrap();
        assert_eq!(delivered, "abcdefghijklmnopqrstuv2018/08/27/10/");
    }

    #[test]
    fn broken_prefixes_name_the_column() {
        let failed = Some("!{firehose:error-output-type}/");
        for (prefix, error_prefix, message) in [
            (
                Some("a/!{timestamp:yyyy"),
                failed,
                "Prefix, column 3: expression without its end: expected !{namespace:value}",
            ),
            (Some("ä/!{yyyy}"), failed, "Prefix, column 3: !{yyyy} has no colon: expected !{namespace:value}"),
            (Some("a/!{timestamp:yyyy/TT}"), failed, "Prefix, column 20: unknown pattern letter 'T'"),
            (
                Some("a/!{firehose:random}"),
                failed,
                "Prefix, column 14: firehose has no value \"random\": expected random-string or error-output-type",
            ),
            (
                Some("a/!{time:yyyy}"),
                failed,
                "Prefix, column 3: unknown namespace \"time\": expected timestamp, firehose, partitionKeyFromLambda or \
                 partitionKeyFromQuery",
            ),
            (
                Some("!{timestamp:}"),
                failed,
                "Prefix, column 13: !{timestamp:} has no pattern: expected one such as yyyy/MM/dd",
            ),
            (Some("!{timestamp:yyyy}"), None, "ErrorOutputPrefix must be given when Prefix contains expressions"),
            (Some("!{timestamp:yyyy}"), Some(""), "ErrorOutputPrefix must be given when Prefix contains expressions"),
            (
                None,
                Some("bad/!{timestamp:yyyy}/"),
                "ErrorOutputPrefix contains expressions, so it must contain !{firehose:error-output-type}",
            ),
            (
                Some("!{firehose:error-output-type}/"),
                failed,
                "Prefix must not contain !{firehose:error-output-type}: it belongs in ErrorOutputPrefix",
            ),
            (
                None,
                Some("!{firehose:error-output-type}/!{partitionKeyFromLambda:k}"),
                "ErrorOutputPrefix must not contain partition keys",
            ),
            (
                Some("!{timestamp:yyyy}/!{partitionKeyFromLambda:other}/"),
                failed,
                "the record has no partition key \"other\" (partitionKeyFromLambda)",
            ),
        ] {
            let error = evaluate(prefix, error_prefix).unwrap_err().to_string();
            assert_eq!(error, message, "{prefix:?} {error_prefix:?}");
        }
    }

    #[test]
    fn long_prefixes_are_refused() {
        let long = |n: usize| Some("x".repeat(n));
        let outcome = |prefix: Option<String>| evaluate(prefix.as_deref(), Some("e/")).map_err(|e| e.to_string());
        assert!(outcome(long(512 - 14)).is_ok());
        assert_eq!(outcome(long(512 - 13)).unwrap_err(), "Prefix has 513 characters after evaluation: at most 512");
        assert_eq!(outcome(long(1025)).unwrap_err(), "Prefix has 1025 characters: at most 1024");
    }
}
