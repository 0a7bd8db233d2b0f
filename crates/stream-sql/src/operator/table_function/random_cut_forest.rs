//! RANDOM_CUT_FOREST: how unusual each row is among those before it.

use serde::{Deserialize, Serialize};

use super::cut_tree::CutTree;
use super::features::Features;
use super::packed;
use super::random::Random;
use super::sample::Sample;
use crate::expression::Row;
use crate::operator::tumble::Complete;
use crate::value::Value;

/// Gives every row its score, at once: the mean of those of its trees, of which each holds a sample of the rows before it.
#[derive(Debug, Clone)]
pub(crate) struct RandomCutForest {
    pub(crate) features: Features,
    pub(crate) trees: usize,
    /// How many rows each tree holds. As many rows at the start have the score 0.
    pub(crate) sample: usize,
    /// After how many rows one weighs e times less.
    pub(crate) decay: f64,
    /// How many rows, up to the current one, make a point.
    pub(crate) shingle: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ForestState {
    #[serde(rename = "r")]
    random: Random,
    /// Rows so far.
    #[serde(rename = "n")]
    rows: u64,
    /// The point of the last row: the rows of the shingle, the oldest first.
    #[serde(rename = "p", with = "packed")]
    point: Vec<f64>,
    #[serde(rename = "t")]
    trees: Vec<Tree>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Tree {
    #[serde(rename = "s")]
    sample: Sample,
    #[serde(rename = "t")]
    cuts: CutTree,
}

impl RandomCutForest {
    /// A row without all of its numbers has no score, and nothing is learnt of it.
    pub(super) fn row(&self, state: &mut ForestState, row: Row<'_>, complete: &mut Vec<Complete>) {
        let score = self.features.point(row).map(|point| self.take(state, point));
        let mut values: Vec<Value> = row.values.iter().cloned().map(Value::from).collect();
        values.push(score.map_or(Value::Null, Value::Double));
        complete.push(Ok((row.rowtime, values)));
    }

    fn take(&self, state: &mut ForestState, row: Vec<f64>) -> f64 {
        let width = row.len() * self.shingle;
        state.rows += 1;
        state.point.extend(row);
        if state.point.len() < width {
            return 0.0;
        }
        state.point.drain(..state.point.len() - width);
        state.trees.resize_with(self.trees, Tree::default);
        state.trees.iter_mut().for_each(|tree| tree.cuts.prepare(width));
        let score = if state.rows > self.sample as u64 {
            let scores = state.trees.iter().map(|tree| tree.cuts.score(&state.point, tree.sample.len()));
            scores.sum::<f64>() / self.trees as f64
        } else {
            0.0
        };
        for tree in &mut state.trees {
            tree.learn(&state.point, state.rows, self.sample, self.decay, &mut state.random);
        }
        score
    }
}

impl Tree {
    fn learn(&mut self, point: &[f64], number: u64, size: usize, decay: f64, random: &mut Random) {
        let Some(key) = self.sample.draw(number, size, decay, random) else { return };
        if let Some(leaf) = self.sample.evict(size) {
            self.cuts.remove(leaf);
        }
        self.sample.add(key, self.cuts.insert(point, random));
    }
}
