//! ListMetrics.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::invalid_value;
use crate::clock::now_ms;
use crate::error::ApiError;

/// Metrics in one answer (ListMetrics).
const PAGE: usize = 500;

/// Dimension filters in one call (service model).
const MAX_FILTERS: usize = 10;

/// Metrics without new data for longer are not listed: two weeks (ListMetrics).
const LISTED_MS: i64 = 14 * 24 * 3_600_000;

/// `RecentlyActive: PT3H`.
const RECENT_MS: i64 = 3 * 3_600_000;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Input {
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Option<Vec<Filter>>,
    recently_active: Option<String>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    name: String,
    value: Option<String>,
}

impl Filter {
    fn admits(&self, dimensions: &[(String, String)]) -> bool {
        let is_it = |value: &String| self.value.as_ref().is_none_or(|wanted| wanted == value);
        dimensions.iter().any(|(name, value)| *name == self.name && is_it(value))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    pub metrics: Vec<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metric {
    namespace: String,
    metric_name: String,
    dimensions: Vec<Dimension>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    value: String,
}

/// The metrics that have data, by namespace, name and dimensions.
pub fn list_metrics(db: &Connection, input: Input) -> Result<Output, ApiError> {
    let filters = input.dimensions.unwrap_or_default();
    if filters.len() > MAX_FILTERS {
        let message = format!("The collection Dimensions must not have a size greater than {MAX_FILTERS}.");
        return Err(invalid_value(message));
    }
    let since = now_ms()
        - match input.recently_active.as_deref() {
            None => LISTED_MS,
            Some("PT3H") => RECENT_MS,
            Some(other) => {
                return Err(invalid_value(format!("The value {other} for parameter RecentlyActive is invalid: PT3H.")));
            }
        };
    let after = input.next_token.as_deref().map(read_token).transpose()?.unwrap_or(0);
    let mut statement = db.prepare_cached(
        "SELECT id, namespace, name, dimensions FROM cloudwatch_metrics
         WHERE id > ?1 AND last_put >= ?2 AND (?3 IS NULL OR namespace = ?3) AND (?4 IS NULL OR name = ?4) ORDER BY id",
    )?;
    let mut rows = statement.query((after, since, input.namespace, input.metric_name))?;
    let (mut metrics, mut last) = (Vec::new(), after);
    while let Some(row) = rows.next()? {
        let dimensions: Vec<(String, String)> =
            serde_json::from_str(row.get_ref(3)?.as_str().map_err(ApiError::internal)?).map_err(ApiError::internal)?;
        if !filters.iter().all(|filter| filter.admits(&dimensions)) {
            continue;
        }
        if metrics.len() == PAGE {
            return Ok(Output { metrics, next_token: Some(BASE64_STANDARD.encode(last.to_string())) });
        }
        last = row.get(0)?;
        metrics.push(Metric {
            namespace: row.get(1)?,
            metric_name: row.get(2)?,
            dimensions: dimensions.into_iter().map(|(name, value)| Dimension { name, value }).collect(),
        });
    }
    Ok(Output { metrics, next_token: None })
}

fn read_token(token: &str) -> Result<i64, ApiError> {
    let text = BASE64_STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        let message = "The parameter NextToken is invalid: it is that of an earlier ListMetrics.";
        ApiError::bad_request("InvalidNextToken", message).with_query_code("InvalidNextToken")
    })
}
