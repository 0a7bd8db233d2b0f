//! A compiled application.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::SqlError;
use crate::expression::Row;
use crate::operator::{Node, NodeId, NodeState, Operator, Run, Target, reads};
use crate::plan;
use crate::record::{BadRow, Reader, SYSTEM_COLUMNS};
use crate::schema::Source;
use crate::table::TablePlan;
use crate::value::{Datum, Value};

/// A compiled script.
#[derive(Debug, Clone)]
pub struct Application {
    pub(crate) nodes: Vec<Node>,
    pub(crate) sources: Vec<SourcePlan>,
    /// Sources, then the script's streams, `error_stream` last.
    pub(crate) streams: Vec<StreamPlan>,
    pub(crate) pumps: Vec<String>,
    pub(crate) tables: Vec<TablePlan>,
    /// Nodes whose time is that of the events: those of the sources, and of streams into which nobody inserts.
    pub(crate) roots: Vec<NodeId>,
    /// Pumps that are created STOPPED.
    pub(crate) stopped: Vec<String>,
}

/// A source: its node, and how its records are read.
#[derive(Debug, Clone)]
pub(crate) struct SourcePlan {
    pub(crate) node: NodeId,
    pub(crate) source: Source,
    pub(crate) reader: Reader,
}

/// A stream as the outside sees it.
#[derive(Debug, Clone)]
pub(crate) struct StreamPlan {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// Whether its rows are given out.
    pub(crate) is_output: bool,
}

/// Everything an application remembers between events: open windows, watermarks, rows that wait.
///
/// It is data: stored between any two events, in any format, it gives the same rows wherever it goes on. The default is the state
/// before the first event. A state belongs to the application that made it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What has happened so far.
    #[serde(rename = "c")]
    pub counters: Counters,
    /// The wall clock that `CURRENT_TIMESTAMP` and its kin say (epoch ms). None: each row's ROWTIME.
    #[serde(rename = "t", default)]
    pub clock: Option<i64>,
    #[serde(rename = "n")]
    pub(crate) nodes: Vec<NodeState>,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Rows of sources.
    pub rows: u64,
    /// Rows of any stream that came after a later one, and were dropped.
    pub late: u64,
    /// Rows that failed and were dropped, late ones included; each is a row of `error_stream`.
    pub errors: u64,
    /// Texts of records that were too long for their columns and were cut off.
    #[serde(default)]
    pub truncated: u64,
}

/// What happens. Events come in the order of ROWTIME, whatever their sources: a row of one says for all of them that no earlier
/// one will come.
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
        /// Where it was in its Kinesis stream. None: of another source, whose rows have NULLs there.
        origin: Option<Origin<'a>>,
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
    /// Nothing comes any more, at this time (epoch ms): all that is open is closed and all that waits goes on, whatever its time
    /// depends on. The state is of no use afterwards.
    End(i64),
}

/// Far in the future: the bound that closes every window (9999-12-31T23:59:59.999Z).
const END_OF_TIME: i64 = 253_402_300_799_999;

/// Where a record was in its Kinesis stream: PARTITION_KEY, SEQUENCE_NUMBER and SHARD_ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Origin<'a> {
    pub partition_key: &'a str,
    pub sequence_number: &'a str,
    pub shard_id: &'a str,
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
    /// Compiles a script over its source streams and its reference tables; or says what is wrong with it, and where. Tables are
    /// empty until [`Application::with_table`] fills them.
    ///
    /// ```
    /// # use stream_sql::{Application, Event, InputSchema, State};
    /// let schema: InputSchema = serde_json::from_str(r#"{
    ///     "RecordFormat": {"RecordFormatType": "JSON"},
    ///     "RecordColumns": [{"Name": "response", "SqlType": "INTEGER", "Mapping": "$.response"}]}"#)?;
    /// let sql = r#"CREATE STREAM "OUT" (status INTEGER, n INTEGER);
    ///     CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM "response", COUNT(*) FROM "SOURCE_SQL_STREAM_001"
    ///     GROUP BY "response", FLOOR("SOURCE_SQL_STREAM_001".ROWTIME TO MINUTE);"#;
    /// let application = Application::compile(sql, &[schema.source("SOURCE_SQL_STREAM_001")?], &[])?;
    /// let (mut state, mut rows) = (State::default(), Vec::new());
    /// let record = br#"{"host": "::1", "response": 200}"#;
    /// application.run(&mut state, Event::Record { source: 0, rowtime: 5_000, arrival: 5_000, origin: None, bytes: record }, &mut rows);
    /// application.run(&mut state, Event::Bound(60_000), &mut rows);
    /// let mut json = Vec::new();
    /// application.write_json(&rows[0], &mut json);
    /// assert_eq!(json, br#"{"STATUS":200,"N":1}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compile(sql: &str, sources: &[Source], tables: &[Source]) -> Result<Application, SqlError> {
        plan::compile(sql, sources, tables)
    }

    /// Fills a reference table with records of its format: all of them, in one piece. Or says which record or name is wrong.
    ///
    /// A table is no part of a state: what it holds counts for the rows that come while it does.
    pub fn with_table(mut self, name: &str, records: &[u8]) -> Result<Application, String> {
        let plan = self.tables.iter_mut().find(|plan| plan.source.name == name);
        let plan = plan.ok_or_else(|| format!("table {name:?}: there is no such reference table"))?;
        plan.rows = Arc::new(plan.load(records).map_err(|error| format!("table {name:?}: {error}"))?);
        Ok(self)
    }

    /// The in-application streams: name (exact) and columns' names. Sources come first, `error_stream` last.
    pub fn streams(&self) -> Vec<(String, Vec<String>)> {
        self.streams.iter().map(|stream| (stream.name.clone(), stream.columns.clone())).collect()
    }

    /// Gives out the rows of these streams alone (exact names; sources are allowed). Without it those of all streams are, sources
    /// excepted. A name that is no stream is handed back.
    pub fn with_outputs(mut self, names: &[&str]) -> Result<Application, String> {
        if let Some(unknown) = names.iter().find(|name| !self.streams.iter().any(|stream| stream.name == **name)) {
            return Err((*unknown).to_owned());
        }
        for stream in &mut self.streams {
            stream.is_output = names.contains(&stream.name.as_str());
        }
        self.choose_columns();
        Ok(self)
    }

    /// So many rows to a page of a sliding window, at least one (for tests: results do not depend on it).
    pub fn with_page_rows(mut self, rows: usize) -> Application {
        for node in &mut self.nodes {
            if let Operator::Over(over) = &mut node.operator {
                over.page_rows = rows.max(1);
            }
        }
        self
    }

    /// The pumps that do nothing, because the script creates them STOPPED: worth telling whoever compiled it.
    pub fn stopped_pumps(&self) -> &[String] {
        &self.stopped
    }

    /// The state before the first event.
    pub fn start(&self) -> State {
        let nodes = self.nodes.iter().map(|node| node.operator.start()).collect();
        State { counters: Counters::default(), clock: None, nodes }
    }

    /// Takes an event; rows of the output streams are appended to `output`, in the order they come into being.
    pub fn run(&self, state: &mut State, event: Event<'_>, output: &mut Vec<OutputRow>) {
        if state.nodes.is_empty() {
            state.nodes = self.start().nodes;
        }
        let now = state.clock.unwrap_or(match event {
            Event::Record { rowtime, .. } | Event::Row { rowtime, .. } => rowtime,
            Event::Bound(time) | Event::End(time) => time,
        });
        let is_end = matches!(event, Event::End(_));
        let mut run = Run { application: self, state, output, now, is_end };
        if let Event::Record { source, rowtime, .. } | Event::Row { source, rowtime, .. } = event
            && source < self.sources.len()
        {
            let others = self.roots.iter().filter(|root| **root != self.sources[source].node);
            others.for_each(|root| run.bound(Target { node: *root, port: 0 }, rowtime));
        }
        match event {
            Event::Record { source, rowtime, arrival, origin, bytes } => {
                let Some(plan) = self.sources.get(source) else { return };
                let truncated = plan.reader.read(bytes, &mut |values| {
                    run.state.counters.rows += 1;
                    match values {
                        Ok(values) => {
                            values.extend(system_values(arrival, origin));
                            run.row(Target { node: plan.node, port: 0 }, Row { rowtime, now, values });
                        }
                        Err(BadRow(reason, piece)) => run.fail_record(&reason, rowtime, piece),
                    }
                });
                run.state.counters.truncated += truncated;
            }
            Event::Row { source, rowtime, arrival, values } => {
                let Some(plan) = self.sources.get(source) else { return };
                run.state.counters.rows += 1;
                let mut values: Vec<Datum<'_>> = values.iter().map(Value::borrow).collect();
                values.resize(plan.source.columns.len(), Datum::Null);
                values.extend(system_values(arrival, None));
                run.row(Target { node: plan.node, port: 0 }, Row { rowtime, now, values: &values });
            }
            Event::Bound(time) => self.roots.iter().for_each(|root| run.bound(Target { node: *root, port: 0 }, time)),
            Event::End(_) => {
                self.roots.iter().for_each(|root| run.bound(Target { node: *root, port: 0 }, END_OF_TIME));
            }
        }
    }

    /// Lets the readers read the columns that are needed, and no others.
    pub(crate) fn choose_columns(&mut self) {
        for plan in &mut self.sources {
            let mut used = vec![
                self.streams.iter().any(|stream| stream.is_output && stream.name == plan.source.name);
                plan.source.columns.len()
            ];
            for target in &self.nodes[plan.node].targets {
                let all = reads(&self.nodes, *target, &mut |place| {
                    if let Some(used) = used.get_mut(place) {
                        *used = true;
                    }
                });
                if all {
                    used.fill(true);
                }
            }
            plan.reader = Reader::new(&plan.source, &used);
        }
    }
}

/// The values of the columns that every source has, in the order in which the planner adds them.
fn system_values(arrival: i64, origin: Option<Origin<'_>>) -> [Datum<'_>; SYSTEM_COLUMNS] {
    let text = |of: fn(Origin<'_>) -> &str| origin.map_or(Datum::Null, |origin| Datum::Text(Cow::Borrowed(of(origin))));
    [
        Datum::Timestamp(arrival),
        text(|origin| origin.partition_key),
        text(|origin| origin.sequence_number),
        text(|origin| origin.shard_id),
    ]
}
