//! Values of the rows that came last: LAG, LAST_VALUE, NTH_VALUE … FROM LAST.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::value::{Datum, Value};

/// The last so many values that count, by the row's number within its partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Behind(VecDeque<(u64, Value)>);

impl Behind {
    pub(super) fn enter(&mut self, count: usize, number: u64, value: &Datum<'_>) {
        self.0.push_back((number, Value::from(value.clone())));
        if self.0.len() > count {
            self.0.pop_front();
        }
    }

    pub(super) fn leave(&mut self, number: u64) {
        if self.0.front().is_some_and(|first| first.0 == number) {
            self.0.pop_front();
        }
    }

    /// The so-many-eth from the end, from 1, of those before a number.
    pub(super) fn result(&self, place: usize, before: u64) -> Option<&Value> {
        let end = self.0.len() - self.0.iter().rev().take_while(|(number, _)| *number >= before).count();
        end.checked_sub(place).map(|place| &self.0[place].1)
    }
}
