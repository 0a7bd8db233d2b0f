//! A tick in, visits to the indexes out.

use std::time::Duration;

use jiff::Timestamp;
use lambda::{Deadline, Error};
use serde::{Deserialize, Serialize};

use crate::indexes::Indexes;

/// Kept back of the function's time: what was begun (a merge, a commit and its retries) is to end before Lambda ends it.
pub const MARGIN: Duration = Duration::from_secs(60);

/// An index is not begun with less time than this.
pub const LEAST: Duration = Duration::from_secs(5);

/// How often the schedule ticks (template.yaml): each tick begins with another index.
const TICK_MS: i64 = 5 * 60 * 1000;

/// An event of the schedule.
#[derive(Clone, Debug, Deserialize)]
pub struct Tick {
    /// When.
    pub time: Timestamp,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Indexes that were visited.
    pub visited: usize,
    /// Of these, those with more to do.
    pub unfinished: usize,
    /// Indexes for which no time was left.
    pub left: usize,
}

/// Visits the indexes, each tick in another order, so that none starves when time runs out; each may use half of the time that is
/// left. An index that cannot be tidied is named and does not hold back the others; the run fails in the end.
pub async fn handle<I: Indexes>(tick: Tick, indexes: &I, deadline: Deadline) -> Result<Summary, Error> {
    let now = tick.time.as_millisecond();
    let mut names = indexes.names().await?;
    let begin = now.div_euclid(TICK_MS).rem_euclid(names.len().max(1) as i64) as usize;
    names.rotate_left(begin);
    let (mut summary, mut failed) = (Summary::default(), Vec::new());
    for name in &names {
        let remaining = deadline.remaining().saturating_sub(MARGIN);
        if remaining < LEAST {
            summary.left += 1;
            continue;
        }
        match indexes.tidy(name, now, (remaining / 2).max(LEAST)).await {
            Ok(report) => {
                summary.visited += 1;
                summary.unfinished += usize::from(report.unfinished);
                tracing::info!(
                    index = name,
                    joined = report.joined,
                    into = report.into,
                    expired = report.expired,
                    collected = report.collected,
                    unfinished = report.unfinished,
                    "index tidied"
                );
            }
            Err(error) => {
                tracing::error!(index = name, error = %error, "index not tidied");
                failed.push(name.as_str());
            }
        }
    }
    if summary.left > 0 {
        tracing::warn!(left = summary.left, "no time left for all indexes, the next tick begins with others");
    }
    if failed.is_empty() { Ok(summary) } else { Err(format!("not tidied: {}", failed.join(", ")).into()) }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use search_index::janitor::Report;

    use super::*;

    #[derive(Default)]
    struct Visits(Vec<&'static str>, RefCell<Vec<(String, i64, Duration)>>);

    impl Indexes for Visits {
        async fn names(&self) -> Result<Vec<String>, search_index::Error> {
            Ok(self.0.iter().map(|name| (*name).to_owned()).collect())
        }

        async fn tidy(&self, name: &str, now: i64, budget: Duration) -> Result<Report, search_index::Error> {
            self.1.borrow_mut().push((name.to_owned(), now, budget));
            match name {
                "broken" => Err(search_index::Error::Engine("broken".into())),
                _ => Ok(Report { unfinished: name == "large", ..Report::default() }),
            }
        }
    }

    fn tick(minutes: i64) -> Tick {
        Tick { time: Timestamp::from_millisecond(minutes * 60_000).unwrap() }
    }

    #[tokio::test]
    async fn each_tick_begins_with_another_index() {
        let visits = Visits(vec!["a", "b", "large"], RefCell::default());
        for (minutes, expected) in [(0, "a"), (5, "b"), (10, "large"), (15, "a")] {
            visits.1.borrow_mut().clear();
            let summary = handle(tick(minutes), &visits, Deadline::after(Duration::from_secs(900))).await.unwrap();
            assert_eq!(summary, Summary { visited: 3, unfinished: 1, left: 0 });
            let (first, now, budget) = visits.1.borrow()[0].clone();
            assert_eq!((first.as_str(), now), (expected, minutes * 60_000));
            assert!(budget > Duration::from_secs(400) && budget <= Duration::from_secs(420), "{budget:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_begun_at_the_end() {
        let visits = Visits(vec!["a", "b"], RefCell::default());
        let summary = handle(tick(0), &visits, Deadline::after(MARGIN)).await.unwrap();
        assert_eq!(summary, Summary { visited: 0, unfinished: 0, left: 2 });
        let none = Visits::default();
        let summary = handle(tick(0), &none, Deadline::after(MARGIN * 2)).await.unwrap();
        assert_eq!(summary, Summary::default());
    }

    #[tokio::test]
    async fn a_broken_index_holds_back_no_other() {
        let visits = Visits(vec!["a", "broken", "c"], RefCell::default());
        let error = handle(tick(5), &visits, Deadline::after(MARGIN * 2)).await.unwrap_err();
        assert_eq!(error.to_string(), "not tidied: broken");
        assert_eq!(visits.1.borrow().len(), 3);
    }

    #[test]
    fn the_fixture_is_a_tick() {
        let tick: Tick = serde_json::from_str(include_str!("../events/schedule.json")).unwrap();
        assert_eq!(tick.time.to_string(), "2026-11-20T16:35:00Z");
    }
}
