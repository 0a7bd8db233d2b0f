//! In-application streams: they keep their rows in the order of ROWTIME.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::value::Value;

#[derive(Debug, Clone)]
pub(crate) struct Stream {
    /// Its place in [`crate::Application::streams`]. None: it only keeps the rows of a query in order.
    pub(crate) number: Option<usize>,
    /// How many pumps insert into it. With several, a row waits until none of them can bring an earlier one.
    pub(crate) inserters: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StreamState {
    /// The high-water mark: an earlier row is late.
    #[serde(rename = "h")]
    pub(super) high: i64,
    /// Of each inserter, where there are several.
    #[serde(rename = "b")]
    bounds: Vec<i64>,
    /// Rows that wait, by ROWTIME and then in the order in which they came.
    #[serde(rename = "w", with = "super::as_list")]
    waiting: BTreeMap<(i64, u64), Vec<Value>>,
    /// The number of the next one.
    #[serde(rename = "n")]
    next: u64,
}

impl Stream {
    pub(super) fn start(&self) -> StreamState {
        let bounds = if self.inserters > 1 { vec![i64::MIN; self.inserters] } else { Vec::new() };
        StreamState { high: i64::MIN, bounds, waiting: BTreeMap::new(), next: 0 }
    }
}

impl StreamState {
    /// A row of an inserter waits for the others.
    pub(super) fn wait(&mut self, port: usize, rowtime: i64, values: Vec<Value>) {
        self.waiting.insert((rowtime, self.next), values);
        self.next += 1;
        self.raise(port, rowtime);
    }

    /// An inserter brings no earlier row; returns what none of them does.
    pub(super) fn raise(&mut self, port: usize, time: i64) -> i64 {
        if let Some(bound) = self.bounds.get_mut(port) {
            *bound = time.max(*bound);
        }
        self.bounds.iter().copied().min().unwrap_or(time)
    }

    /// The rows that need not wait any more.
    pub(super) fn release(&mut self) -> Vec<(i64, Vec<Value>)> {
        let bound = self.bounds.iter().copied().min().unwrap_or(i64::MAX);
        let mut released = Vec::new();
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= bound) {
            let ((rowtime, _), values) = first.remove_entry();
            released.push((rowtime, values));
        }
        released
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_wait_by_rowtime_and_then_as_they_came() {
        let mut state = Stream { number: None, inserters: 3 }.start();
        let rows = [(0, 5, 1), (0, 9, 2), (1, 5, 3), (1, 7, 4), (2, 4, 5), (2, 5, 6)];
        for (port, rowtime, value) in rows {
            state.wait(port, rowtime, vec![Value::Integer(value)]);
        }
        let state: StreamState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        let release = |bound: i64| {
            let mut state = state.clone();
            (0..3).for_each(|port| _ = state.raise(port, bound));
            state.release().into_iter().map(|(rowtime, values)| (rowtime, values[0].clone())).collect::<Vec<_>>()
        };
        let expected = [(4, 5), (5, 1), (5, 3), (5, 6), (7, 4), (9, 2)].map(|(time, n)| (time, Value::Integer(n)));
        assert_eq!(release(i64::MIN), expected[..4]);
        assert_eq!(release(9), expected);
    }
}
