//! ANOMALY_EXPLANATION: which columns a score comes of.

use std::fmt::Write as _;

/// How a score is explained.
#[derive(Debug, Clone)]
pub(crate) struct Explanation {
    /// Names of the numeric columns.
    pub(crate) columns: Vec<String>,
    /// Whether it says on which side of the others each column is.
    pub(crate) directions: bool,
}

/// How much of a score comes of a column that is above the others, and of one that is below.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Part {
    above: f64,
    below: f64,
}

impl Part {
    /// Adds what is above 0 where the column is above the others, and below 0 where it is below.
    pub(super) fn add(&mut self, part: f64) {
        self.above += part.max(0.0);
        self.below += (-part).max(0.0);
    }
}

impl Explanation {
    /// `{"column":{"DIRECTION":"HIGH","STRENGTH":"0.1234","ATTRIBUTION_SCORE":"1.2345"},…}`. The attributions add up to the score; the
    /// strength is by how much one direction outweighs the other.
    pub(super) fn json(&self, parts: &[Part]) -> String {
        let mut json = String::from("{");
        for (column, Part { above, below }) in self.columns.iter().zip(parts) {
            let comma = if json.len() > 1 { "," } else { "" };
            // Writing to a String does not fail.
            let _ = write!(json, "{comma}{}:{{", serde_json::Value::from(column.as_str()));
            if self.directions {
                let direction = if above > below { "HIGH" } else { "LOW" };
                let _ = write!(json, r#""DIRECTION":"{direction}","STRENGTH":"{:.4}","#, (above - below).abs());
            }
            let _ = write!(json, r#""ATTRIBUTION_SCORE":"{:.4}"}}"#, above + below);
        }
        json.push('}');
        json
    }
}
