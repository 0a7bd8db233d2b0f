//! What a function's answer to a batch means. Pure: the answer and the policy in, what to do out.

use serde_json::Value;

use crate::error::ApiError;
use crate::runtime::Invocation;

/// Which items of a batch a function failed at.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed {
    /// None.
    None,
    /// All: the function failed, or said what cannot be understood.
    All,
    /// These, by their place in the batch, in order.
    Some(Vec<usize>),
}

/// Reads an answer; `ids` are the batch's item identifiers and `reports` whether the mapping has `ReportBatchItemFailures`
/// (Lambda developer guide: nothing, null, `{}` and an empty list are success; an empty, missing or unknown identifier and
/// invalid JSON are failure of the whole batch).
pub fn failed_items(invocation: &Invocation, reports: bool, ids: &[&str]) -> Failed {
    if invocation.function_error.is_some() {
        return Failed::All;
    }
    if !reports || invocation.payload.is_empty() {
        return Failed::None;
    }
    let Ok(answer) = serde_json::from_slice::<Value>(&invocation.payload) else { return Failed::All };
    let failures = match &answer {
        Value::Null => return Failed::None,
        Value::String(text) if text.is_empty() => return Failed::None,
        Value::Object(answer) => answer.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return Failed::All,
    };
    let failures = match failures {
        Value::Null => return Failed::None,
        Value::Array(failures) if failures.is_empty() => return Failed::None,
        Value::Array(failures) => failures,
        _ => return Failed::All,
    };
    let place = |failure: &Value| {
        let id = failure.get("itemIdentifier")?.as_str()?;
        ids.iter().position(|known| *known == id)
    };
    match failures.iter().map(place).collect::<Option<Vec<usize>>>() {
        Some(mut places) => {
            places.sort_unstable();
            places.dedup();
            Failed::Some(places)
        }
        None => Failed::All,
    }
}

/// A queue: which messages of a batch of `len` are done with and are deleted. The others come again.
pub fn done_messages(failed: &Failed, len: usize) -> Vec<usize> {
    match failed {
        Failed::None => (0..len).collect(),
        Failed::All => Vec::new(),
        Failed::Some(places) => (0..len).filter(|place| places.binary_search(place).is_err()).collect(),
    }
}

/// How a stream's mapping deals with failures.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// `MaximumRetryAttempts`; `None` is for ever.
    pub max_retries: Option<u32>,
}

/// Consecutive records of a batch that are given to the function together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The first record.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// How often the function has failed with it.
    pub failures: u32,
}

/// What becomes of a piece: its records before `done` are done with, `again` is tried, in order; or the rest is given up.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Records before this place are done with.
    pub done: usize,
    /// What follows.
    pub rest: Rest,
}

/// The rest of a piece.
#[derive(Debug, PartialEq, Eq)]
pub enum Rest {
    /// There is none.
    Nothing,
    /// One piece, tried again after a pause.
    Again(Piece),
    /// Two pieces, tried at once: a split is not a retry.
    Split(Piece, Piece),
    /// Retries are used up.
    GiveUp,
}

/// A stream: what becomes of a piece after an answer. Everything from the lowest failed record comes again; with `bisect` a
/// piece that failed from its first record on is halved instead.
pub fn judge(piece: Piece, failed: &Failed, policy: Policy) -> Verdict {
    let first = match failed {
        Failed::None => return Verdict { done: piece.to, rest: Rest::Nothing },
        Failed::All => piece.from,
        Failed::Some(places) => piece.from + places.first().copied().unwrap_or_default(),
    };
    let progressed = first > piece.from;
    let len = piece.to - first;
    if policy.bisect && !progressed && len > 1 {
        let middle = first + len / 2;
        let half = |from, to| Piece { from, to, failures: piece.failures };
        return Verdict { done: first, rest: Rest::Split(half(first, middle), half(middle, piece.to)) };
    }
    // The record that failed is the first of the rest: of that one, this was the first failure.
    let failures = if progressed { 1 } else { piece.failures + 1 };
    let rest = match policy.max_retries {
        Some(max) if failures > max => Rest::GiveUp,
        _ => Rest::Again(Piece { from: first, to: piece.to, failures }),
    };
    Verdict { done: first, rest }
}

/// A piece whose event is too large for the function, though no record can be taken from it by waiting: halves, or given up.
pub fn judge_too_large(piece: Piece) -> Verdict {
    if piece.to - piece.from < 2 {
        return Verdict { done: piece.from, rest: Rest::GiveUp };
    }
    judge(piece, &Failed::All, Policy { bisect: true, max_retries: None })
}

/// Whether the function was not run because its event was too large.
pub fn is_too_large(error: &ApiError) -> bool {
    error.status == http::StatusCode::PAYLOAD_TOO_LARGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(payload: &str, error: bool) -> Invocation {
        Invocation {
            payload: payload.to_owned().into(),
            function_error: error.then(|| "Unhandled".to_owned()),
            log_tail: String::new(),
            request_id: String::new(),
        }
    }

    #[test]
    fn the_items_that_failed() {
        let one = |id: &str| format!(r#"{{"batchItemFailures":[{{"itemIdentifier":{id}}}]}}"#);
        for (payload, expected) in [
            ("", Failed::None),
            ("null", Failed::None),
            ("{}", Failed::None),
            ("\"\"", Failed::None),
            (r#"{"batchItemFailures":null}"#, Failed::None),
            (r#"{"batchItemFailures":[]}"#, Failed::None),
            (r#"{"statusCode":200}"#, Failed::None),
            (&one("\"b\""), Failed::Some(vec![1])),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#,
                Failed::Some(vec![0, 2]),
            ),
            (&one("\"unknown\""), Failed::All),
            (&one("\"\""), Failed::All),
            (&one("null"), Failed::All),
            (&one("7"), Failed::All),
            (r#"{"batchItemFailures":[{"item":"a"}]}"#, Failed::All),
            (r#"{"batchItemFailures":["a"]}"#, Failed::All),
            (r#"{"batchItemFailures":"a"}"#, Failed::All),
            ("[]", Failed::All),
            ("true", Failed::All),
            ("{not json", Failed::All),
        ] {
            assert_eq!(failed_items(&invocation(payload, false), true, &["a", "b", "c"]), expected, "{payload}");
            assert_eq!(failed_items(&invocation(payload, true), true, &["a", "b", "c"]), Failed::All, "{payload}");
            assert_eq!(failed_items(&invocation(payload, false), false, &["a", "b", "c"]), Failed::None, "{payload}");
        }
    }

    #[test]
    fn the_messages_that_are_deleted() {
        for (failed, expected) in
            [(Failed::None, vec![0, 1, 2]), (Failed::All, vec![]), (Failed::Some(vec![0, 2]), vec![1])]
        {
            assert_eq!(done_messages(&failed, 3), expected, "{failed:?}");
        }
    }

    #[test]
    fn what_becomes_of_a_piece() {
        let piece = |from, to, failures| Piece { from, to, failures };
        let policy = |bisect, max_retries| Policy { bisect, max_retries };
        let (plain, bisect) = (policy(false, None), policy(true, None));
        for (case, given, failed, policy, done, rest) in [
            ("success", piece(0, 8, 0), Failed::None, plain, 8, Rest::Nothing),
            ("success of a later piece", piece(4, 8, 3), Failed::None, bisect, 8, Rest::Nothing),
            ("failure", piece(0, 8, 0), Failed::All, plain, 0, Rest::Again(piece(0, 8, 1))),
            ("failure for ever", piece(0, 8, 999), Failed::All, plain, 0, Rest::Again(piece(0, 8, 1000))),
            ("last retry", piece(0, 8, 1), Failed::All, policy(false, Some(2)), 0, Rest::Again(piece(0, 8, 2))),
            ("retries used up", piece(0, 8, 2), Failed::All, policy(false, Some(2)), 0, Rest::GiveUp),
            ("no retries", piece(0, 8, 0), Failed::All, policy(false, Some(0)), 0, Rest::GiveUp),
            ("lowest of several", piece(0, 8, 0), Failed::Some(vec![3, 5]), plain, 3, Rest::Again(piece(3, 8, 1))),
            ("relative to the piece", piece(4, 8, 0), Failed::Some(vec![1]), plain, 5, Rest::Again(piece(5, 8, 1))),
            (
                "progress begins anew",
                piece(0, 8, 2),
                Failed::Some(vec![1]),
                policy(false, Some(2)),
                1,
                Rest::Again(piece(1, 8, 1)),
            ),
            ("no progress", piece(0, 8, 2), Failed::Some(vec![0]), policy(false, Some(2)), 0, Rest::GiveUp),
            ("partial, no retries", piece(0, 8, 0), Failed::Some(vec![6]), policy(false, Some(0)), 6, Rest::GiveUp),
            ("bisect", piece(0, 8, 0), Failed::All, bisect, 0, Rest::Split(piece(0, 4, 0), piece(4, 8, 0))),
            ("bisect an odd one", piece(5, 8, 0), Failed::All, bisect, 5, Rest::Split(piece(5, 6, 0), piece(6, 8, 0))),
            (
                "bisect uses no retry",
                piece(0, 2, 2),
                Failed::All,
                policy(true, Some(2)),
                0,
                Rest::Split(piece(0, 1, 2), piece(1, 2, 2)),
            ),
            ("one record", piece(3, 4, 0), Failed::All, policy(true, Some(1)), 3, Rest::Again(piece(3, 4, 1))),
            ("one poison record", piece(3, 4, 1), Failed::All, policy(true, Some(1)), 3, Rest::GiveUp),
            ("bisect where it failed", piece(0, 8, 0), Failed::Some(vec![6]), bisect, 6, Rest::Again(piece(6, 8, 1))),
            (
                "bisect at the first",
                piece(6, 8, 1),
                Failed::Some(vec![0]),
                bisect,
                6,
                Rest::Split(piece(6, 7, 1), piece(7, 8, 1)),
            ),
        ] {
            assert_eq!(judge(given, &failed, policy), Verdict { done, rest }, "{case}");
        }
        assert_eq!(judge_too_large(piece(2, 3, 0)), Verdict { done: 2, rest: Rest::GiveUp });
        assert_eq!(
            judge_too_large(piece(0, 2, 0)),
            Verdict { done: 0, rest: Rest::Split(piece(0, 1, 0), piece(1, 2, 0)) }
        );
    }
}
