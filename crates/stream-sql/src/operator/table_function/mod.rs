//! `FROM TABLE(name(CURSOR(query), …))`: functions that take the rows of a query and give others.

mod count_distinct;
mod cut_tree;
mod derived;
mod explanation;
mod features;
mod group_rank;
mod hotspots;
mod hyper_log_log;
mod neighbours;
mod packed;
mod random;
mod random_cut_forest;
mod sample;
mod space_saving;
mod top_k;

use serde::{Deserialize, Serialize};

pub(crate) use count_distinct::CountDistinct;
pub(crate) use explanation::Explanation;
pub(crate) use features::Features;
pub(crate) use group_rank::{GroupRank, OutputOrder};
pub(crate) use hotspots::Hotspots;
pub(crate) use random_cut_forest::RandomCutForest;
pub(crate) use top_k::TopK;

use super::tumble::Complete;
use crate::expression::{Expr, Row, RowError};

#[derive(Debug, Clone)]
pub(crate) enum TableFunction {
    TopK(TopK),
    CountDistinct(CountDistinct),
    GroupRank(GroupRank),
    RandomCutForest(RandomCutForest),
    Hotspots(Hotspots),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum TableFunctionState {
    #[serde(rename = "k")]
    TopK(top_k::TopKState),
    #[serde(rename = "c")]
    CountDistinct(count_distinct::CountDistinctState),
    #[serde(rename = "r")]
    GroupRank(group_rank::GroupRankState),
    #[serde(rename = "f")]
    RandomCutForest(random_cut_forest::ForestState),
    #[serde(rename = "h")]
    Hotspots(hotspots::HotspotsState),
}

impl TableFunction {
    pub(super) fn start(&self) -> TableFunctionState {
        match self {
            TableFunction::TopK(_) => TableFunctionState::TopK(Default::default()),
            TableFunction::CountDistinct(_) => TableFunctionState::CountDistinct(Default::default()),
            TableFunction::GroupRank(_) => TableFunctionState::GroupRank(Default::default()),
            TableFunction::RandomCutForest(_) => TableFunctionState::RandomCutForest(Default::default()),
            TableFunction::Hotspots(_) => TableFunctionState::Hotspots(Default::default()),
        }
    }

    /// Takes a row; the rows that come out are appended.
    pub(super) fn row(
        &self,
        state: &mut TableFunctionState,
        row: Row<'_>,
        complete: &mut Vec<Complete>,
    ) -> Result<(), RowError> {
        // Rows that are given a ROWTIME of their own come without a bound.
        self.bound(state, row.rowtime, complete);
        match (self, state) {
            (TableFunction::TopK(function), TableFunctionState::TopK(state)) => function.row(state, row),
            (TableFunction::CountDistinct(function), TableFunctionState::CountDistinct(state)) => {
                function.row(state, row)
            }
            (TableFunction::GroupRank(function), TableFunctionState::GroupRank(state)) => {
                function.row(state, row, complete)
            }
            (TableFunction::RandomCutForest(function), TableFunctionState::RandomCutForest(state)) => {
                function.row(state, row, complete);
                Ok(())
            }
            (TableFunction::Hotspots(function), TableFunctionState::Hotspots(state)) => {
                function.row(state, row, complete);
                Ok(())
            }
            // A state belongs to the application that made it.
            _ => Ok(()),
        }
    }

    /// No earlier row will come: what is complete by then is appended.
    pub(super) fn bound(&self, state: &mut TableFunctionState, time: i64, complete: &mut Vec<Complete>) {
        match (self, state) {
            (TableFunction::TopK(function), TableFunctionState::TopK(state)) => function.bound(state, time, complete),
            (TableFunction::CountDistinct(_), TableFunctionState::CountDistinct(state)) => state.bound(time, complete),
            (TableFunction::GroupRank(function), TableFunctionState::GroupRank(state)) => {
                function.bound(state, time, complete);
            }
            _ => {}
        }
    }

    /// The expressions it evaluates over its rows; none if it takes them as they are.
    pub(super) fn exprs(&self) -> Option<impl Iterator<Item = &Expr>> {
        match self {
            TableFunction::TopK(TopK { condition, value, .. })
            | TableFunction::CountDistinct(CountDistinct { condition, value, .. }) => {
                Some(condition.iter().chain(std::iter::once(value)))
            }
            TableFunction::GroupRank(_) | TableFunction::RandomCutForest(_) | TableFunction::Hotspots(_) => None,
        }
    }
}

/// When the tumbling window of a time ends, of windows of so many milliseconds that are counted from 1970.
fn window_end(time: i64, length: i64) -> i64 {
    time.div_euclid(length).saturating_add(1).saturating_mul(length)
}
