//! ROWTIME of a line.

use jiff::Timestamp;
use stream_analytics::application::Application;
use stream_analytics::{engine, line};
use stream_sql::{Column, Event, Format, OutputRow, Source, SqlType, State, Value};

use super::time;

/// A line that does not say its time comes so much after the line before it: a thousand a second.
const STEP: i64 = 1;

/// The longest text of a time.
const MAX_TEXT: u32 = 64;

/// The stream that the time's column is read from.
const SOURCE: &str = "SOURCE";

/// Where ROWTIME comes from.
#[derive(Debug)]
pub enum Clock {
    /// As in the deployed function: `@ingested`, never going back.
    Arrival {
        /// Of the last line.
        now: i64,
        /// Lines without it.
        guessed: u64,
    },
    /// The clock of this machine.
    Wall,
    /// A value of the record.
    Column(Box<TimeColumn>),
}

impl Clock {
    /// Of `--rowtime` and `--rowtime-format`.
    pub fn new(application: &Application, rowtime: Option<&str>, format: Option<&str>) -> Result<Clock, String> {
        match rowtime {
            None if format.is_some() => Err("--rowtime-format: expected --rowtime COLUMN too".to_owned()),
            None => Ok(Clock::Arrival { now: 0, guessed: 0 }),
            Some("now") if format.is_some() => Err("--rowtime-format: the clock has none".to_owned()),
            Some("now") => Ok(Clock::Wall),
            Some(column) => TimeColumn::new(application, column, format).map(|column| Clock::Column(Box::new(column))),
        }
    }

    /// Whether time passes without lines.
    pub fn is_wall(&self) -> bool {
        matches!(self, Clock::Wall)
    }

    /// ROWTIME of a line as it was read and as the record that it is; or why it has none.
    pub fn of(&mut self, line: &[u8], record: &[u8]) -> Result<i64, String> {
        match self {
            Clock::Wall => Ok(wall()),
            Clock::Column(column) => column.of(record),
            Clock::Arrival { now, guessed } => {
                *now = match line::ingested(line) {
                    Some(arrival) => arrival.max(*now),
                    None => {
                        *guessed += 1;
                        *now + STEP
                    }
                };
                Ok(*now)
            }
        }
    }
}

/// Epoch ms.
pub fn wall() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A column with the time: read by the engine, as any other.
#[derive(Debug)]
pub struct TimeColumn {
    name: String,
    reader: stream_sql::Application,
    state: State,
    rows: Vec<OutputRow>,
}

impl TimeColumn {
    /// A column of the schema, or a path (`$.a.b`) from the top of a JSON record; `format` as `CHAR_TO_TIMESTAMP` has it.
    fn new(application: &Application, name: &str, format: Option<&str>) -> Result<TimeColumn, String> {
        let mut source = engine::source(SOURCE, application.input_schema())?;
        let text = SqlType::Varchar { length: MAX_TEXT };
        if name.starts_with('$') {
            if !application.is_json() {
                return Err(format!("--rowtime {name}: records are CSV: expected {}", names(&source)));
            }
            let columns = vec![Column { name: name.to_owned(), sql_type: text, mapping: Some(name.to_owned()) }];
            source = Source { columns, format: Format::Json { row_path: Vec::new() }, ..source };
        } else {
            let Some(column) = source.columns.iter_mut().find(|column| column.name == name) else {
                return Err(format!("--rowtime {name}: no such column: expected now, $.PATH, {}", names(&source)));
            };
            column.sql_type = text;
        }
        let column = format!("\"{}\"", name.replace('"', "\"\""));
        let (sql_type, expression) = match format {
            None => (text, column),
            Some(format) => {
                (SqlType::Timestamp, format!("CHAR_TO_TIMESTAMP('{}', {column})", format.replace('\'', "''")))
            }
        };
        let sql = format!(
            "CREATE STREAM \"T\" (\"T\" {sql_type}); CREATE PUMP \"P\" AS INSERT INTO \"T\" SELECT STREAM {expression} FROM \"SOURCE\""
        );
        let reader = stream_sql::Application::compile(&sql, &[source], &[])
            .map_err(|error| format!("--rowtime {name}: {}", error.message))?;
        Ok(TimeColumn { name: name.to_owned(), reader, state: State::default(), rows: Vec::new() })
    }

    /// Of the record's first row.
    fn of(&mut self, bytes: &[u8]) -> Result<i64, String> {
        self.rows.clear();
        let event = Event::Record { source: 0, rowtime: 0, arrival: 0, origin: None, bytes };
        self.reader.run(&mut self.state, event, &mut self.rows);
        let name = &self.name;
        let Some(row) = self.rows.first() else { return Err("the record has no rows".to_owned()) };
        match row.values.first() {
            Some(Value::Timestamp(time)) if row.values.len() == 1 => Ok(*time),
            Some(Value::Text(text)) => time::parse(text).ok_or_else(|| {
                format!("no ROWTIME in {name}: {text:?}: expected a number, ISO 8601 or dd/MMM/yyyy:HH:mm:ss Z; for others: --rowtime-format")
            }),
            Some(Value::Null) => Err(format!("no ROWTIME: {name} is NULL")),
            // A row of error_stream.
            _ => {
                let message = super::run::message_of(&self.reader.streams(), row);
                Err(format!("no ROWTIME in {name}: {message}"))
            }
        }
    }
}

fn names(source: &Source) -> String {
    let names: Vec<&str> = source.columns.iter().map(|column| column.name.as_str()).collect();
    format!("one of {}", names.join(", "))
}
