//! A bench for the tests of the messaging services: the shared state without a server.

use std::sync::Arc;

use serde_json::Value;

use crate::config::Config;
use crate::error::ApiError;
use crate::faults::Faults;
use crate::runtime::Pool;
use crate::services;
use crate::store::Store;
use crate::wire::protocol::{Call, Protocol, Reply};
use crate::{Ctx, Shared};

/// The state, and the directory it is in.
pub struct Bench {
    /// What services are given.
    pub ctx: Ctx,
    _dir: tempfile::TempDir,
}

impl Bench {
    /// An emulator with nothing in it.
    pub fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let config = Arc::new(Config::new(dir.path()));
        let store = Store::open(&config, services::SCHEMAS).unwrap();
        let (faults, pool) = (Faults::new(None), Pool::new(&config));
        Bench { ctx: Arc::new(Shared { config, store, faults, pool }), _dir: dir }
    }
}

/// An operation as JSON 1.0 writes it.
pub fn json_call(operation: &str, input: Value) -> Call {
    form_call(operation, Protocol::AwsJson10, input.to_string())
}

/// An operation in any protocol.
pub fn form_call(operation: &str, protocol: Protocol, body: String) -> Call {
    let (headers, request_id) = (http::HeaderMap::new(), "request".to_owned());
    Call { operation: operation.to_owned(), protocol, body: body.into(), headers, request_id }
}

/// The JSON of a reply; an error is its code.
pub fn outcome(reply: Result<Reply, ApiError>) -> Result<Value, String> {
    let reply = reply.map_err(|error| error.code)?;
    Ok(if reply.body.is_empty() { Value::Null } else { serde_json::from_slice(&reply.body).unwrap() })
}
