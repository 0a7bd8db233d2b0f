//! The SQL dialect of Kinesis Data Analytics, over streams.
//!
//! ```text
//! text ─ parse ─▶ syntax tree (with places) ─ plan ─▶ operators ─ run(state, event) ─▶ rows of the output streams
//! ```
//!
//! An [`Application`] is compiled once from its SQL and its source schema; its [`State`] is data, so it can be stored between any two
//! events and gives the same rows wherever it goes on. Time is in the events: a row's ROWTIME, and bounds that say that no earlier
//! row will come.
//!
//! Absent: AWS, clocks, files; where rows come from and where they go.

mod application;
mod datetime;
mod error;
mod expression;
mod operator;
mod output;
mod page;
mod plan;
mod record;
mod schema;
mod syntax;
mod table;
mod value;

pub use application::{Application, Counters, Event, Origin, OutputRow, State};
pub use error::SqlError;
pub use page::PageId;
pub use schema::{
    Column, CsvMappingParameters, Format, InputSchema, JsonMappingParameters, MappingParameters, RecordColumn,
    RecordFormat, RecordFormatType, Source,
};
pub use value::{SqlType, Value};
