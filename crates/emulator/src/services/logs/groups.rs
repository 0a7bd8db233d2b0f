//! Log groups.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::errors;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::Tx;

/// The longest name of a group or stream (CreateLogGroup, CreateLogStream).
pub const MAX_NAME: usize = 512;

/// The days that a group can keep events (PutRetentionPolicy).
const RETENTION_DAYS: &[u32] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const DAY_MS: i64 = 86_400_000;

/// A group that exists.
#[derive(Debug)]
pub struct Group {
    /// Key of its streams and events.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Epoch ms.
    pub created_at: i64,
    /// `None` keeps for ever.
    pub retention_days: Option<u32>,
    /// Of its events, overhead included.
    pub bytes: i64,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Group {
    /// Events before this instant (epoch ms) have expired.
    pub fn oldest(&self, now: i64) -> i64 {
        self.retention_days.map_or(i64::MIN, |days| now - i64::from(days) * DAY_MS)
    }

    /// `arn:…:log-group:NAME`.
    pub fn arn(&self, config: &Config) -> String {
        config.arn("logs", &format!("log-group:{}", self.name))
    }
}

/// Makes a log group or sets its retention (days; `None` keeps for ever).
pub fn ensure_group(tx: &Tx<'_>, name: &str, retention_days: Option<u32>) -> Result<(), ApiError> {
    let group = match find(tx, name)? {
        Some(group) => group,
        None => create(tx, name, &BTreeMap::new())?,
    };
    set_retention(tx, &group, retention_days)
}

/// Makes a group that is not there yet.
pub fn create(tx: &Tx<'_>, name: &str, tags: &BTreeMap<String, String>) -> Result<Group, ApiError> {
    check_name(name)?;
    if find(tx, name)?.is_some() {
        return Err(errors::exists("log group", name));
    }
    let tags = serde_json::to_string(tags).map_err(ApiError::internal)?;
    tx.prepare_cached("INSERT INTO logs_groups (name, created_at, tags) VALUES (?1, ?2, ?3)")?.execute((
        name,
        tx.now(),
        tags,
    ))?;
    by_name(tx, name)
}

/// Removes a group with all that is in it.
pub fn remove(tx: &Tx<'_>, group: &Group) -> Result<(), ApiError> {
    tx.prepare_cached("DELETE FROM logs_events WHERE group_id = ?1")?.execute([group.id])?;
    tx.prepare_cached("DELETE FROM logs_streams WHERE group_id = ?1")?.execute([group.id])?;
    tx.prepare_cached("DELETE FROM logs_groups WHERE id = ?1")?.execute([group.id])?;
    Ok(())
}

/// Sets how long a group keeps events.
pub fn set_retention(tx: &Tx<'_>, group: &Group, days: Option<u32>) -> Result<(), ApiError> {
    if let Some(days) = days
        && !RETENTION_DAYS.contains(&days)
    {
        return Err(errors::invalid(format!("retentionInDays {days} is not one of {RETENTION_DAYS:?}")));
    }
    tx.prepare_cached("UPDATE logs_groups SET retention_days = ?2 WHERE id = ?1")?.execute((group.id, days))?;
    Ok(())
}

/// Sets the tags of a group.
pub fn set_tags(tx: &Tx<'_>, group: &Group, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let tags = serde_json::to_string(tags).map_err(ApiError::internal)?;
    tx.prepare_cached("UPDATE logs_groups SET tags = ?2 WHERE id = ?1")?.execute((group.id, tags))?;
    Ok(())
}

/// The group of this name.
pub fn by_name(db: &Connection, name: &str) -> Result<Group, ApiError> {
    find(db, name)?.ok_or_else(|| errors::no_group(name))
}

/// The group of this name, if there is one.
pub fn find(db: &Connection, name: &str) -> Result<Option<Group>, ApiError> {
    let mut statement = db.prepare_cached(&select("WHERE name = ?1"))?;
    statement.query_row([name], read).optional()?.transpose()
}

/// Up to `limit` groups after the name `after`, in order of name, that begin with `prefix` and contain `pattern`.
pub fn list(db: &Connection, prefix: &str, pattern: &str, after: &str, limit: usize) -> Result<Vec<Group>, ApiError> {
    let sql = select(
        "WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2 AND instr(lower(name), lower(?3)) > 0 ORDER BY name LIMIT ?4",
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = Vec::new();
    for row in statement.query_map((after, prefix, pattern, limit as i64), read)? {
        found.push(row??);
    }
    Ok(found)
}

/// The name in a group's ARN (with or without `:*`), or the name itself.
pub fn name_of(identifier: &str) -> &str {
    let name = identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name);
    name.strip_suffix(":*").unwrap_or(name)
}

fn select(rest: &str) -> String {
    format!("SELECT id, name, created_at, retention_days, bytes, tags FROM logs_groups {rest}")
}

fn read(row: &Row<'_>) -> rusqlite::Result<Result<Group, ApiError>> {
    let tags: String = row.get(5)?;
    let group = Group {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        retention_days: row.get(3)?,
        bytes: row.get(4)?,
        tags: BTreeMap::new(),
    };
    Ok(serde_json::from_str(&tags).map(|tags| Group { tags, ..group }).map_err(ApiError::internal))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
        return Err(errors::invalid(format!(
            "logGroupName {name:?}: expected 1 to {MAX_NAME} of A-Z, a-z, 0-9, '_', '-', '/', '.' and '#'"
        )));
    }
    Ok(())
}
