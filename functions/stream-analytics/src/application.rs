//! An application, ready to run.

mod files;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stream_sql::{Event, OutputRow};

use crate::engine;
use crate::rule::{Destination, FormatType, Output, OutputFormat, Rule, Running, Schema, SourceStream, Table};

pub use files::{Broken, CODE, CompileError, code, parse};

/// Names of the keys that a row gets besides its columns.
const ROW_KEYS: [&str; 2] = ["_id", "_op"];

/// What an application is made of: kept in its head, so that rows of an old version are folded with the old text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Hash of all of it.
    pub version: String,
    rule: Rule,
    sql: String,
}

/// Names of columns that say where a record was in its stream.
const ORIGIN_COLUMNS: [&str; 3] = ["PARTITION_KEY", "SEQUENCE_NUMBER", "SHARD_ID"];

/// An application, ready to run; one with reference tables when they are filled.
#[derive(Clone, Debug)]
pub struct Application {
    name: String,
    definition: Definition,
    running: Running,
    engine: stream_sql::Application,
    streams: Vec<Stream>,
    reads_origin: bool,
}

/// An in-application stream.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name.
    pub name: String,
    columns: Vec<String>,
    /// What takes its rows, and how they are written.
    pub outputs: Vec<(Destination, OutputFormat)>,
}

/// What a row of `error_stream` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong.
    pub reason: String,
    /// The row that failed, as far as it is known.
    pub data: Vec<u8>,
}

impl Definition {
    /// Of a rule and its statements.
    pub fn new(rule: Rule, sql: &str) -> Definition {
        let mut hash = Sha256::new();
        // A rule that is only laid out otherwise is the same version.
        let canonical = serde_json::to_string(&rule).unwrap_or_default();
        hash.update((canonical.len() as u64).to_be_bytes());
        hash.update(canonical);
        hash.update(sql);
        let version = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Definition { version, rule, sql: sql.to_owned() }
    }

    /// The field whose line ids tell repeats.
    pub fn record_id_field(&self) -> Option<&str> {
        match &self.rule {
            Rule::On(running) => running.record_id_field.as_deref(),
            Rule::Off => None,
        }
    }
}

impl Application {
    /// Compiles a definition.
    pub fn compile(name: &str, definition: Definition) -> Result<Application, CompileError> {
        let Rule::On(running) = &definition.rule else {
            return Err(CompileError::Rule("enabled".to_owned(), "the application is switched off".to_owned()));
        };
        let running = (**running).clone();
        let read = |name: &str, schema, key: &str| {
            let source = engine::source(name, schema);
            source.map_err(|message| CompileError::Rule("RecordColumns".to_owned(), format!("{key}: {message}")))
        };
        let names = running.source_names();
        let sources: Vec<_> =
            names.iter().map(|name| read(name, &running.input_schema, "inputSchema")).collect::<Result<_, _>>()?;
        let tables = running.reference_tables.iter().map(|table| {
            if running.reference_tables.iter().filter(|other| other.name == table.name).count() > 1 {
                let message = format!("referenceTables: {} is there twice", table.name);
                return Err(CompileError::Rule(table.name.clone(), message));
            }
            read(&table.name, &table.schema, &format!("referenceTables: {}", table.name))
        });
        let tables: Vec<_> = tables.collect::<Result<_, _>>()?;
        let compiled = engine::compile(&definition.sql, &sources, &tables)
            .map_err(|error| CompileError::Sql(format!("{name}.sql"), error))?;
        let streams = streams(&compiled, &running.outputs)?;
        let wanted: Vec<&str> = running.outputs.iter().map(|output| output.stream.as_str()).collect();
        let engine = engine::with_outputs(compiled, &wanted)
            .map_err(|name| CompileError::Rule(name.clone(), format!("outputs: no stream {name}")))?;
        let sql = definition.sql.to_ascii_uppercase();
        let reads_origin = ORIGIN_COLUMNS.iter().any(|column| sql.contains(column));
        Ok(Application { name: name.to_owned(), definition, running, engine, streams, reads_origin })
    }

    /// The same with a reference table's rows; or what is wrong with them.
    pub fn with_table(self, name: &str, records: &[u8]) -> Result<Application, String> {
        let engine = engine::with_table(self.engine, name, records)?;
        Ok(Application { engine, ..self })
    }

    /// Its reference tables.
    pub fn tables(&self) -> &[Table] {
        &self.running.reference_tables
    }

    /// Whether its statements may ask where a record was in its stream.
    pub fn reads_origin(&self) -> bool {
        self.reads_origin
    }

    /// Its name: of its files.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it was compiled from.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Hash of what it was compiled from.
    pub fn version(&self) -> &str {
        &self.definition.version
    }

    /// Where its rows come from.
    pub fn source(&self) -> &SourceStream {
        &self.running.source
    }

    /// Whether a record is JSON: values of which several may stand in one.
    pub fn is_json(&self) -> bool {
        self.running.input_schema.record_format.record_format_type == FormatType::Json
    }

    /// The field whose line ids tell repeats.
    pub fn record_id_field(&self) -> Option<&str> {
        self.running.record_id_field.as_deref()
    }

    /// What its rows look like.
    pub fn input_schema(&self) -> &Schema {
        &self.running.input_schema
    }

    /// The in-application streams whose rows go somewhere.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.running.outputs.iter().map(|output| output.stream.as_str())
    }

    /// The statements, compiled.
    pub fn engine(&self) -> &stream_sql::Application {
        &self.engine
    }

    /// The in-application stream of a row.
    pub fn stream(&self, row: &OutputRow) -> Option<&Stream> {
        self.streams.get(row.stream)
    }

    /// What a row of `error_stream` says.
    pub fn failure(&self, row: &OutputRow) -> Failure {
        let text = |column: &str| {
            let columns = self.streams.get(row.stream).map_or(&[][..], |stream| &stream.columns);
            let value = columns.iter().position(|name| name == column).and_then(|place| row.values.get(place));
            if let Some(stream_sql::Value::Text(text)) = value { text.to_string() } else { String::new() }
        };
        Failure { reason: text("MESSAGE"), data: unhex(&text("DATA_ROW")) }
    }

    /// Appends a row as a line of values, without its end.
    pub fn write_csv(&self, row: &OutputRow, out: &mut Vec<u8>) {
        self.engine.write_csv(row, out);
    }

    /// Appends a row as a JSON object.
    pub fn write_json(&self, row: &OutputRow, out: &mut Vec<u8>) {
        self.engine.write_json(row, out);
    }

    /// The engine's state before the first row.
    pub fn start(&self) -> stream_sql::State {
        self.engine.start()
    }

    /// Lets the engine take an event.
    pub fn run(&self, state: &mut stream_sql::State, event: Event<'_>, rows: &mut Vec<OutputRow>) {
        self.engine.run(state, event, rows);
    }
}

fn streams(engine: &stream_sql::Application, outputs: &[Output]) -> Result<Vec<Stream>, CompileError> {
    let there = engine.streams();
    for output in outputs {
        if !there.iter().any(|(name, _)| *name == output.stream) {
            let names: Vec<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!("outputs: no stream {}: expected one of {}", output.stream, names.join(", "));
            return Err(CompileError::Rule(output.stream.clone(), message));
        }
    }
    let stream = |(name, columns): (String, Vec<String>)| {
        let of_it = outputs.iter().filter(|output| output.stream == name);
        let outputs: Vec<_> = of_it.map(|output| (output.destination.clone(), output.format)).collect();
        let json = outputs.iter().any(|(_, format)| *format == OutputFormat::Json);
        if let Some(taken) = columns.iter().find(|column| json && ROW_KEYS.contains(&column.as_str())) {
            let message = format!("outputs: stream {name}: a column cannot be named {taken}: each row gets its own");
            return Err(CompileError::Rule(name, message));
        }
        Ok(Stream { name, columns, outputs })
    };
    there.into_iter().map(stream).collect()
}

/// The bytes that hexadecimal digits stand for, as far as they are some.
fn unhex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map_while(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal() {
        assert_eq!(unhex("5b315d"), b"[1]");
        assert_eq!(unhex("5bxx"), b"[");
    }
}
