//! A rule file of the rules bucket, cached; [`RuleFolder`] is that for a folder of them.
//!
//! The file is asked for with its last ETag at most every [`RECHECK`]; a changed one is parsed and replaces the rule in force, so
//! a new rule works without a deployment. A broken file is reported once and changes nothing; a missing one is the default that
//! the function was built with.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

mod bucket;
mod folder;

use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::Error;

pub use bucket::RulesBucket;
pub use folder::{MAX_RULE_FILES, RuleFile, RuleFiles, RuleFolder, RuleListing};

/// How long a rule is used before the bucket is asked again: at most 260,000 GETs ($0.10) a month for a busy instance.
pub const RECHECK: Duration = Duration::from_secs(10);

/// Largest rule file that is parsed (design: template and rule sizes are capped).
pub const MAX_RULE_FILE_BYTES: usize = 1024 * 1024;

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Still the ETag that was named.
    Unchanged,
    /// No such file.
    Missing,
    /// The file.
    Found {
        /// Its ETag, as the store writes it.
        etag: String,
        /// Its bytes, of which a source reads at most one more than [`MAX_RULE_FILE_BYTES`].
        body: Vec<u8>,
    },
}

/// Where rule files are read: in a function, the rules bucket.
pub trait RuleSource {
    /// Reads `key` unless its ETag is still `if_none_match`.
    fn get(&self, key: &str, if_none_match: Option<&str>) -> impl Future<Output = Result<Stored, Error>>;
}

/// A rule file is wrong: where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct RuleError {
    /// From 1; 0 when no line is to blame.
    pub line: usize,
    /// From 1; 0 when no column is to blame.
    pub column: usize,
    /// What was found and what was expected.
    pub message: String,
}

/// Reads a JSON rule file as its type.
pub fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, RuleError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        // serde_json repeats the place at the end of its message.
        let message = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message).to_owned();
        RuleError { line, column, message }
    })
}

/// The rule in force, kept up to date with its file.
pub struct RuleCache<S, T> {
    source: S,
    key: String,
    parse: fn(&str) -> Result<T, RuleError>,
    default: Arc<T>,
    held: Mutex<Held<T>>,
}

struct Held<T> {
    rule: Option<Arc<T>>,
    /// Of the file last seen, good or broken.
    etag: Option<String>,
    checked: Option<Instant>,
}

impl<S: RuleSource, T> RuleCache<S, T> {
    /// A cache of the file `key`; `default` is in force while there is no file, or no good one yet.
    pub fn new(source: S, key: &str, parse: fn(&str) -> Result<T, RuleError>, default: T) -> RuleCache<S, T> {
        let held = Mutex::new(Held { rule: None, etag: None, checked: None });
        RuleCache { source, key: key.to_owned(), parse, default: Arc::new(default), held }
    }

    /// The rule in force. An error only when the file could not be asked for and none was known yet: better to be invoked
    /// again than to work by a default that the user has replaced.
    pub async fn current(&self) -> Result<Arc<T>, Error> {
        self.current_at(Instant::now()).await
    }

    async fn current_at(&self, now: Instant) -> Result<Arc<T>, Error> {
        let mut held = self.held.lock().await;
        if let (Some(rule), Some(checked)) = (&held.rule, held.checked)
            && now.saturating_duration_since(checked) < RECHECK
        {
            return Ok(rule.clone());
        }
        match self.source.get(&self.key, held.etag.as_deref()).await {
            Ok(stored) => self.take(stored, &mut held),
            Err(error) if held.rule.is_some() => {
                tracing::warn!(key = self.key, error = %error, "rule file not readable, the last good one goes on");
            }
            Err(error) => return Err(format!("rule file {} not readable: {error}", self.key).into()),
        }
        held.checked = Some(now);
        Ok(held.rule.get_or_insert_with(|| self.default.clone()).clone())
    }

    fn take(&self, stored: Stored, held: &mut Held<T>) {
        match stored {
            Stored::Unchanged => {}
            Stored::Missing => {
                held.etag = None;
                held.rule = Some(self.default.clone());
            }
            Stored::Found { etag, body } => {
                match self.read(&body) {
                    Ok(rule) => held.rule = Some(Arc::new(rule)),
                    Err(RuleError { line, column, message }) => tracing::error!(
                        file = self.key,
                        line,
                        column,
                        expected = message,
                        "broken rule file, the last good one goes on"
                    ),
                }
                held.etag = Some(etag);
            }
        }
    }

    fn read(&self, body: &[u8]) -> Result<T, RuleError> {
        let without_place = |message: String| RuleError { line: 0, column: 0, message };
        if body.len() > MAX_RULE_FILE_BYTES {
            return Err(without_place(format!("the file has more than {MAX_RULE_FILE_BYTES} bytes")));
        }
        let text = std::str::from_utf8(body).map_err(|error| without_place(format!("not UTF-8: {error}")))?;
        (self.parse)(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex as StdMutex;

    /// A scripted source that notes the ETags it was asked with.
    struct Script(StdMutex<Vec<Result<Stored, &'static str>>>, StdMutex<Vec<Option<String>>>);

    impl RuleSource for &Script {
        async fn get(&self, key: &str, if_none_match: Option<&str>) -> Result<Stored, Error> {
            assert_eq!(key, "rules/x.json");
            self.1.lock().unwrap().push(if_none_match.map(str::to_owned));
            self.0.lock().unwrap().remove(0).map_err(Error::from)
        }
    }

    fn found(etag: &str, body: &str) -> Result<Stored, &'static str> {
        Ok(Stored::Found { etag: etag.into(), body: body.into() })
    }

    fn number(text: &str) -> Result<u32, RuleError> {
        parse_json(text)
    }

    /// Each answer is asked for after `RECHECK`; `None` = `current` failed.
    async fn check(answers: Vec<Result<Stored, &'static str>>, expected: &[Option<u32>], asked: &[Option<&str>]) {
        let script = Script(StdMutex::new(answers), StdMutex::default());
        let cache = RuleCache::new(&script, "rules/x.json", number, 7);
        let start = Instant::now();
        for (step, expected) in (0..).zip(expected) {
            let now = start + RECHECK * step;
            assert_eq!(cache.current_at(now).await.ok().map(|rule| *rule), *expected, "step {step}");
        }
        let asked: Vec<_> = asked.iter().map(|etag| etag.map(str::to_owned)).collect();
        assert_eq!(*script.1.lock().unwrap(), asked);
    }

    #[tokio::test]
    async fn a_changed_file_replaces_the_rule() {
        let answers = vec![found("a", "1"), Ok(Stored::Unchanged), found("b", "2"), Ok(Stored::Missing)];
        check(answers, &[Some(1), Some(1), Some(2), Some(7)], &[None, Some("a"), Some("a"), Some("b")]).await;
    }

    #[tokio::test]
    async fn a_broken_file_leaves_the_last_good_one_or_the_default() {
        let answers = vec![found("a", "x"), found("b", "1"), found("c", "\u{0}"), Err("503"), Ok(Stored::Unchanged)];
        let asked = [None, Some("a"), Some("b"), Some("c"), Some("c")];
        check(answers, &[Some(7), Some(1), Some(1), Some(1), Some(1)], &asked).await;
        let large = "1".repeat(MAX_RULE_FILE_BYTES + 1);
        check(vec![found("a", &large)], &[Some(7)], &[None]).await;
    }

    #[tokio::test]
    async fn an_unreadable_file_fails_until_something_is_known() {
        check(vec![Err("503"), Ok(Stored::Missing), Err("503")], &[None, Some(7), Some(7)], &[None; 3]).await;
    }

    #[tokio::test]
    async fn between_checks_the_source_is_not_asked() {
        let script = Script(StdMutex::new(vec![found("a", "1")]), StdMutex::default());
        let cache = RuleCache::new(&script, "rules/x.json", number, 7);
        let start = Instant::now();
        assert_eq!(*cache.current_at(start).await.unwrap(), 1);
        assert_eq!(*cache.current_at(start + RECHECK / 2).await.unwrap(), 1);
        assert_eq!(script.1.lock().unwrap().len(), 1);
    }

    #[test]
    fn an_error_names_line_column_and_what_was_expected() {
        let error = parse_json::<Vec<u32>>("[1,\n  \"x\"]").unwrap_err();
        assert_eq!((error.line, error.column), (2, 5));
        assert_eq!(error.message, "invalid type: string \"x\", expected u32");
    }
}
