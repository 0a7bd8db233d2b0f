//! Function URLs: each a loopback port of its own.

use std::net::{IpAddr, SocketAddr, TcpListener};

use http::StatusCode;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;

use super::functions;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// A function URL as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionUrl {
    /// The function's name.
    pub function: String,
    /// `AWS_IAM` or `NONE`.
    pub auth: String,
    /// `Cors` of the URL's configuration.
    pub cors: Option<Value>,
    /// Where it listens.
    pub port: u16,
    /// When it was made, epoch ms.
    pub created_at: i64,
}

/// Makes a function URL; it listens on a loopback port of its own. `auth` is `AWS_IAM` or `NONE` (not enforced locally).
/// Returns the URL. The port is the one configured for the function's binary, else a free one that is kept from then on.
pub fn ensure_url(tx: &Tx<'_>, function: &str, auth: &str, cors: Option<&Value>) -> Result<String, ApiError> {
    let function = functions::get(tx, function)?.spec;
    let invalid = |message| Err(ApiError::bad_request("InvalidParameterValueException", message));
    if !matches!(auth, "AWS_IAM" | "NONE") {
        return invalid(format!("URL of function {}: AuthType {auth:?} is neither AWS_IAM nor NONE", function.name));
    }
    if cors.is_some_and(|cors| !cors.is_object()) {
        return invalid(format!("URL of function {}: Cors is not an object", function.name));
    }
    let known = find(tx, &function.name)?;
    let port = match (tx.config().url_ports.get(&function.binary), &known) {
        (Some(port), _) => *port,
        (None, Some(known)) => known.port,
        (None, None) => free_port(tx.config().host)?,
    };
    let created_at = known.as_ref().map_or(tx.now(), |known| known.created_at);
    let url = FunctionUrl { function: function.name, auth: auth.to_owned(), cors: cors.cloned(), port, created_at };
    if known.as_ref() != Some(&url) {
        tx.prepare_cached(
            "INSERT OR REPLACE INTO lambda_urls (function, auth, cors, port, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((&url.function, &url.auth, url.cors.as_ref().map(Value::to_string), url.port, created_at))?;
        tx.wake(Wake::Resources);
    }
    Ok(url_of(tx.config(), port))
}

/// `http://127.0.0.1:PORT/`.
pub fn url_of(config: &Config, port: u16) -> String {
    let host = if config.host.is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { config.host };
    format!("http://{}/", SocketAddr::new(host, port))
}

/// All URLs, by function.
pub fn list(db: &Connection) -> Result<Vec<FunctionUrl>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT function, auth, cors, port, created_at FROM lambda_urls ORDER BY function LIMIT 1000",
    )?;
    let rows = statement.query_map([], url)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The URL of a function, if it has one.
pub fn find(db: &Connection, function: &str) -> Result<Option<FunctionUrl>, ApiError> {
    let mut statement =
        db.prepare_cached("SELECT function, auth, cors, port, created_at FROM lambda_urls WHERE function = ?1")?;
    Ok(statement.query_row([function], url).optional()?)
}

/// Remembers another port: the old one was taken by somebody else.
pub fn move_port(tx: &Tx<'_>, function: &str, port: u16) -> Result<(), ApiError> {
    tx.prepare_cached("UPDATE lambda_urls SET port = ?2 WHERE function = ?1")?.execute((function, port))?;
    Ok(())
}

fn url(row: &Row<'_>) -> rusqlite::Result<FunctionUrl> {
    Ok(FunctionUrl {
        function: row.get(0)?,
        auth: row.get(1)?,
        cors: row.get::<_, Option<String>>(2)?.and_then(|text| serde_json::from_str(&text).ok()),
        port: row.get(3)?,
        created_at: row.get(4)?,
    })
}

fn free_port(host: IpAddr) -> Result<u16, ApiError> {
    let failed = |e| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", format!("no free port: {e}"));
    let listener = TcpListener::bind((host, 0)).map_err(failed)?;
    Ok(listener.local_addr().map_err(failed)?.port())
}
