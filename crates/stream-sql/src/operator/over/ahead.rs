//! Values of a window's rows that are or will be the result of a call: MIN, MAX, FIRST_VALUE and their kin.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::expression::compare;
use crate::value::{Datum, Value};

/// Which value of a window is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    Least,
    Greatest,
    /// The so-many-eth, from 1.
    First {
        place: usize,
        ignore_nulls: bool,
    },
}

/// Of the rows in a window those whose turn may come when older ones have left: of MIN and MAX those before which no later row has a
/// smaller or greater value. By the row's number within its partition.
///
/// A page that is not the first one or the one being filled is stood for by the value that is wanted of it (or so many as may be
/// needed): the others come back with the page, before its first row leaves. So a window that descends to its end has as many
/// entries as two pages have rows, and one for every other page and partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Ahead(VecDeque<(u64, Value)>);

impl Pick {
    /// How many values of a page may be needed before it is the first one.
    fn count(self) -> usize {
        match self {
            Pick::First { place, .. } => place,
            Pick::Least | Pick::Greatest => 1,
        }
    }

    fn takes(self, value: &Datum<'_>) -> bool {
        matches!(self, Pick::First { ignore_nulls: false, .. }) || !value.is_null()
    }

    /// Whether an older value has no turn while a newer one is there.
    fn outdoes(self, newer: &Datum<'_>, older: &Value) -> bool {
        match (self, compare(newer, &older.borrow())) {
            (Pick::Least, Some(ordering)) => ordering.is_le(),
            (Pick::Greatest, Some(ordering)) => ordering.is_ge(),
            _ => false,
        }
    }
}

impl Ahead {
    /// `forever`: rows never leave.
    pub(super) fn enter(&mut self, pick: Pick, number: u64, value: &Datum<'_>, forever: bool) {
        if !pick.takes(value) {
            return;
        }
        while self.0.back().is_some_and(|(_, older)| pick.outdoes(value, older)) {
            self.0.pop_back();
        }
        if !forever || self.0.len() < pick.count() {
            self.0.push_back((number, Value::from(value.clone())));
        }
    }

    pub(super) fn leave(&mut self, number: u64) {
        if self.0.front().is_some_and(|first| first.0 == number) {
            self.0.pop_front();
        }
    }

    pub(super) fn result(&self, pick: Pick) -> Option<&Value> {
        self.0.get(pick.count() - 1).map(|(_, value)| value)
    }

    /// The page of the rows from this number on is full.
    pub(super) fn collapse(&mut self, pick: Pick, first: u64) {
        let place = self.0.partition_point(|(number, _)| *number < first);
        self.0.truncate(place.saturating_add(pick.count()));
    }

    /// The first row of a page is about to leave: these are the page's, the first of which has this number.
    pub(super) fn expand<'v>(&mut self, pick: Pick, first: u64, values: impl ExactSizeIterator<Item = &'v Value>) {
        let end = first + values.len() as u64;
        let own = self.0.partition_point(|(number, _)| *number < end);
        let later = self.0.split_off(own);
        self.0.clear();
        for (number, value) in (first..).zip(values) {
            self.enter(pick, number, &value.borrow(), false);
        }
        if let Some((_, newer)) = later.front() {
            while self.0.back().is_some_and(|(_, older)| pick.outdoes(&newer.borrow(), older)) {
                self.0.pop_back();
            }
        }
        self.0.extend(later);
    }
}
