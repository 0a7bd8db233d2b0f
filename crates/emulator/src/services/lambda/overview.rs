//! Everything Lambda at a glance, for the health page.

use rusqlite::Connection;
use serde::Serialize;

use super::{functions, mappings, schedules, urls};
use crate::error::ApiError;

/// Functions shown at most.
const MAX_FUNCTIONS: usize = 1000;

/// What there is and what waits.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// The functions, by name.
    pub functions: Vec<FunctionLine>,
    /// The event source mappings.
    pub mappings: Vec<MappingLine>,
    /// The schedules.
    pub schedules: Vec<ScheduleLine>,
    /// The function URLs: function and port.
    pub urls: Vec<UrlLine>,
    /// Asynchronous events that have neither succeeded nor been given up.
    pub pending_events: i64,
}

/// A function.
#[derive(Debug, Serialize)]
pub struct FunctionLine {
    /// Its name.
    pub name: String,
    /// Its program.
    pub binary: String,
    /// Asynchronous events that wait for it.
    pub pending_events: i64,
}

/// An event source mapping.
#[derive(Debug, Serialize)]
pub struct MappingLine {
    /// Its id.
    pub uuid: String,
    /// What it reads.
    pub source: String,
    /// For whom.
    pub function: String,
    /// Whether it runs.
    pub enabled: bool,
    /// How its last batch went.
    pub last_result: String,
}

/// A schedule.
#[derive(Debug, Serialize)]
pub struct ScheduleLine {
    /// Its name.
    pub name: String,
    /// When.
    pub expression: String,
    /// Whom it calls.
    pub function: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Its next time, epoch ms.
    pub next_at: Option<i64>,
}

/// A function URL.
#[derive(Debug, Serialize)]
pub struct UrlLine {
    /// The function.
    pub function: String,
    /// The loopback port.
    pub port: u16,
}

/// Reads the overview.
pub fn overview(db: &Connection) -> Result<Overview, ApiError> {
    let mut pending = db.prepare_cached("SELECT count(*) FROM lambda_events WHERE function = ?1")?;
    let functions = functions::list(db, "", MAX_FUNCTIONS)?
        .into_iter()
        .map(|function| {
            let pending_events = pending.query_row([&function.spec.name], |row| row.get(0))?;
            Ok(FunctionLine { name: function.spec.name, binary: function.spec.binary, pending_events })
        })
        .collect::<Result<Vec<_>, ApiError>>()?;
    let mappings = mappings::list(db)?.into_iter().map(|mapping| MappingLine {
        uuid: mapping.uuid,
        source: mapping.spec.event_source_arn,
        function: mapping.function,
        enabled: mapping.spec.enabled,
        last_result: mapping.last_result,
    });
    let schedules = schedules::list(db)?.into_iter().map(|schedule| ScheduleLine {
        name: schedule.name,
        expression: schedule.expression,
        function: schedule.target,
        enabled: schedule.enabled,
        next_at: schedule.next_at,
    });
    let urls = urls::list(db)?.into_iter().map(|url| UrlLine { function: url.function, port: url.port });
    Ok(Overview {
        pending_events: functions.iter().map(|function| function.pending_events).sum(),
        functions,
        mappings: mappings.collect(),
        schedules: schedules.collect(),
        urls: urls.collect(),
    })
}
