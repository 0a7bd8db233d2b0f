//! The streams for the health page.

use rusqlite::Connection;
use serde::Serialize;

use super::records::{self, Stage};
use crate::error::ApiError;

/// A delivery stream as it stands. Times are epoch ms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Its name.
    pub name: String,
    /// Its version, from 1.
    pub version: i64,
    /// What waits in each stage.
    pub stages: Vec<StageOverview>,
    /// Objects delivered so far.
    pub objects: i64,
    /// The last delivery.
    pub delivered_at: Option<i64>,
    /// Bucket and key of the last object.
    pub delivered_key: Option<String>,
    /// The last error.
    pub error_at: Option<i64>,
    /// What it was.
    pub error: Option<String>,
}

/// What waits in a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageOverview {
    /// `raw`, `ready`, `failed` or `backup`.
    pub stage: &'static str,
    /// Records.
    pub records: i64,
    /// Bytes of their data.
    pub bytes: i64,
    /// When the oldest arrived; `None` with none.
    pub oldest: Option<i64>,
    /// Attempts of the batch at its head that failed.
    pub failed_attempts: u32,
}

/// All delivery streams by name.
pub fn overview(db: &Connection) -> Result<Vec<Overview>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT id, name, version, objects, delivered_at, delivered_key, error_at, error FROM firehose_streams
         ORDER BY name",
    )?;
    let streams = statement.query_map([], |row| {
        let overview = Overview {
            name: row.get(1)?,
            version: row.get(2)?,
            stages: Vec::new(),
            objects: row.get(3)?,
            delivered_at: row.get(4)?,
            delivered_key: row.get(5)?,
            error_at: row.get(6)?,
            error: row.get(7)?,
        };
        Ok((row.get::<_, i64>(0)?, overview))
    })?;
    streams
        .map(|stream| {
            let (id, mut overview) = stream?;
            overview.stages = stages(db, id)?;
            Ok(overview)
        })
        .collect()
}

fn stages(db: &Connection, id: i64) -> Result<Vec<StageOverview>, ApiError> {
    let all = [(Stage::Raw, "raw"), (Stage::Ready, "ready"), (Stage::Failed, "failed"), (Stage::Backup, "backup")];
    all.into_iter()
        .map(|(stage, name)| {
            let head = records::head(db, id, stage)?;
            Ok(StageOverview {
                stage: name,
                records: head.records,
                bytes: head.bytes,
                oldest: (head.records > 0).then_some(head.arrival),
                failed_attempts: head.retry.map_or(0, |retry| retry.attempts),
            })
        })
        .collect()
}
