//! In-application streams: they keep their rows in the order of ROWTIME.

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
    /// Rows that wait, by ROWTIME.
    #[serde(rename = "w")]
    waiting: Vec<(i64, Vec<Value>)>,
}

impl Stream {
    pub(super) fn start(&self) -> StreamState {
        let bounds = if self.inserters > 1 { vec![i64::MIN; self.inserters] } else { Vec::new() };
        StreamState { high: i64::MIN, bounds, waiting: Vec::new() }
    }
}

impl StreamState {
    /// A row of an inserter waits for the others.
    pub(super) fn wait(&mut self, port: usize, rowtime: i64, values: Vec<Value>) {
        let place = self.waiting.partition_point(|row| row.0 <= rowtime);
        self.waiting.insert(place, (rowtime, values));
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
        let count = self.waiting.partition_point(|row| row.0 <= bound);
        self.waiting.drain(..count).collect()
    }
}
