//! The numbers of a row that RANDOM_CUT_FOREST and HOTSPOTS look at.

use crate::expression::{Row, to_double};

/// Greater numbers count as this one, so that sums of differences stay finite.
const GREATEST: f64 = 1e100;

/// The places of the numeric columns.
#[derive(Debug, Clone)]
pub(crate) struct Features(pub(crate) Vec<usize>);

impl Features {
    /// The row as a point; or none where a number is NULL or not finite.
    pub(super) fn point(&self, row: Row<'_>) -> Option<Vec<f64>> {
        let number = |place: &usize| {
            let value = row.values.get(*place).filter(|value| !value.is_null())?;
            // Zero has two signs, and one place.
            let number = to_double(value) + 0.0;
            number.is_finite().then(|| number.clamp(-GREATEST, GREATEST))
        };
        self.0.iter().map(number).collect()
    }
}
