//! RANDOM_CUT_FOREST and RANDOM_CUT_FOREST_WITH_EXPLANATION: how unusual each row is among those before it.

use serde::{Deserialize, Serialize};

use super::cut_tree::CutTree;
use super::explanation::{Explanation, Part};
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
    /// Set if a column follows that explains the score.
    pub(crate) explanation: Option<Explanation>,
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
        let mut parts = vec![Part::default(); self.features.0.len()];
        let score = self.features.point(row).map(|point| self.take(state, point, &mut parts));
        let mut values: Vec<Value> = row.values.iter().cloned().map(Value::from).collect();
        values.push(score.map_or(Value::Null, Value::Double));
        if let Some(explanation) = &self.explanation {
            values.push(score.map_or(Value::Null, |_| Value::Text(explanation.json(&parts).into())));
        }
        complete.push(Ok((row.rowtime, values)));
    }

    fn take(&self, state: &mut ForestState, row: Vec<f64>, parts: &mut [Part]) -> f64 {
        let width = row.len() * self.shingle;
        state.rows += 1;
        state.point.extend(row);
        if state.point.len() < width {
            return 0.0;
        }
        state.point.drain(..state.point.len() - width);
        state.trees.resize_with(self.trees, Tree::default);
        state.trees.iter_mut().for_each(|tree| tree.cuts.prepare(width));
        let score = if state.rows > self.sample as u64 { self.score(state, parts) } else { 0.0 };
        for tree in &mut state.trees {
            tree.learn(&state.point, state.rows, self.sample, self.decay, &mut state.random);
        }
        score
    }

    /// The mean of the trees, and which columns it comes of.
    fn score(&self, state: &ForestState, parts: &mut [Part]) -> f64 {
        let (columns, trees, mut sum) = (parts.len(), self.trees as f64, 0.0);
        for Tree { sample, cuts } in &state.trees {
            sum += if self.explanation.is_some() {
                cuts.score(&state.point, sample.len(), &mut |dimension, part| {
                    parts[dimension % columns].add(part / trees);
                })
            } else {
                cuts.score(&state.point, sample.len(), &mut |_, _| {})
            };
        }
        sum / trees
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
