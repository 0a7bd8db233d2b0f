//! A compiled application.

use serde::{Deserialize, Serialize};

use crate::error::SqlError;
use crate::schema::Source;
use crate::value::Value;

/// A compiled script.
#[derive(Debug, Clone)]
pub struct Application {}

/// Everything an application remembers between events: open windows, watermarks, rows that wait.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A record of a source arrives (its bytes, as the schema's format has them; CSV records hold many rows).
    Record {
        /// Which source.
        source: usize,
        /// ROWTIME (epoch ms).
        rowtime: i64,
        /// APPROXIMATE_ARRIVAL_TIME (epoch ms).
        arrival: i64,
        /// The record.
        bytes: &'a [u8],
    },
    /// A row of a source, already typed (tests).
    Row {
        /// Which source.
        source: usize,
        /// ROWTIME (epoch ms).
        rowtime: i64,
        /// APPROXIMATE_ARRIVAL_TIME (epoch ms).
        arrival: i64,
        /// One for each column.
        values: Vec<Value>,
    },
    /// No earlier row will come, of any source.
    Bound(i64),
}

/// A row of an in-application stream.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputRow {
    /// Which stream: its place in [`Application::streams`].
    pub stream: usize,
    /// ROWTIME (epoch ms).
    pub rowtime: i64,
    /// One for each column of the stream.
    pub values: Vec<Value>,
}

impl Application {
    /// Compiles a script; or says what is wrong with it, and where.
    pub fn compile(_sql: &str, _sources: &[Source]) -> Result<Application, SqlError> {
        Err(SqlError { line: 1, column: 1, to: None, message: "to be written".to_owned() })
    }

    /// The in-application streams that have rows: name (exact) and columns' names, `error_stream` last.
    pub fn streams(&self) -> Vec<(String, Vec<String>)> {
        Vec::new()
    }

    /// The state before the first event.
    pub fn start(&self) -> State {
        State::default()
    }

    /// Takes an event; rows of all streams are appended to `output`, in the order they come into being.
    pub fn run(&self, _state: &mut State, _event: Event<'_>, _output: &mut Vec<OutputRow>) {}
}
