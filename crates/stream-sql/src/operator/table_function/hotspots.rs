//! HOTSPOTS: where the last rows lie close together.

use serde::{Deserialize, Serialize};

use super::features::Features;
use super::neighbours::{Cluster, Neighbours};
use crate::expression::Row;
use crate::operator::tumble::Complete;
use crate::value::Value;

/// The longest HOTSPOTS_RESULT: the least dense hotspots are left off beyond it.
const MAX_RESULT: usize = 10_000;
/// Sides of a hotspot count as no shorter than this part of the radius, so that rows that are equal have a finite density.
const SHORTEST: f64 = 1e-3;

/// Gives every row, at once, the hotspots of the last rows, itself included, as JSON: the densest first.
#[derive(Debug, Clone)]
pub(crate) struct Hotspots {
    pub(crate) features: Features,
    /// How many rows are looked at.
    pub(crate) window: usize,
    /// How near each other rows of one hotspot are.
    pub(crate) radius: f64,
    /// How many rows must be that near to one, itself included, for a hotspot.
    pub(crate) minimum: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct HotspotsState(Neighbours);

impl Hotspots {
    /// A row without all of its numbers is at no place.
    pub(super) fn row(&self, state: &mut HotspotsState, row: Row<'_>, complete: &mut Vec<Complete>) {
        if let Some(point) = self.features.point(row) {
            state.0.add(&point, self.window, self.radius);
        }
        let clusters = state.0.clusters(self.features.0.len(), self.window, self.radius, self.minimum);
        let mut values: Vec<Value> = row.values.iter().cloned().map(Value::from).collect();
        values.push(Value::Text(self.json(clusters).into()));
        complete.push(Ok((row.rowtime, values)));
    }

    /// Records of a hotspot divided by its size.
    fn density(&self, cluster: &Cluster) -> f64 {
        let sides = cluster.lows.iter().zip(&cluster.highs).map(|(low, high)| (high - low).max(SHORTEST * self.radius));
        (cluster.points as f64 / sides.product::<f64>()).min(f64::MAX)
    }

    fn json(&self, clusters: Vec<Cluster>) -> String {
        let mut hotspots: Vec<(f64, Cluster)> =
            clusters.into_iter().map(|cluster| (self.density(&cluster), cluster)).collect();
        hotspots.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut json = String::from("[");
        for (density, Cluster { highs, lows, .. }) in hotspots {
            let comma = if json.len() > 1 { "," } else { "" };
            let hotspot = format!(r#"{comma}{{"density":{density:?},"maxValues":{highs:?},"minValues":{lows:?}}}"#);
            if json.len() + hotspot.len() >= MAX_RESULT {
                break;
            }
            json.push_str(&hotspot);
        }
        json.push(']');
        json
    }
}
