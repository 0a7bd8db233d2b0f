//! A compiled application.

use serde::{Deserialize, Serialize};

use crate::error::SqlError;
use crate::expression::Row;
use crate::operator::{Node, NodeId, NodeState, Operator, Run, Target};
use crate::plan;
use crate::record::Reader;
use crate::schema::Source;
use crate::value::{Datum, Value};

/// A compiled script.
#[derive(Debug, Clone)]
pub struct Application {
    pub(crate) nodes: Vec<Node>,
    pub(crate) sources: Vec<SourcePlan>,
    /// Sources, then the script's streams, `error_stream` last.
    pub(crate) streams: Vec<StreamPlan>,
    pub(crate) pumps: Vec<String>,
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
}

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
}

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
    pub fn with_table(self, name: &str, _records: &[u8]) -> Result<Application, String> {
        Err(format!("table {name}: reference tables are not supported"))
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
            Event::Bound(time) => time,
        });
        let mut run = Run { application: self, state, output, now };
        match event {
            Event::Record { source, rowtime, arrival, origin: _, bytes } => {
                let Some(plan) = self.sources.get(source) else { return };
                plan.reader.read(bytes, &mut |values| {
                    run.state.counters.rows += 1;
                    match values {
                        Ok(values) => {
                            values.push(Datum::Timestamp(arrival));
                            run.row(Target { node: plan.node, port: 0 }, Row { rowtime, now, values });
                        }
                        Err(error) => run.fail(None, &error, Some(Row { rowtime, now, values: &[] })),
                    }
                });
            }
            Event::Row { source, rowtime, arrival, values } => {
                let Some(plan) = self.sources.get(source) else { return };
                run.state.counters.rows += 1;
                let mut values: Vec<Datum<'_>> = values.iter().map(Value::borrow).collect();
                values.resize(plan.source.columns.len(), Datum::Null);
                values.push(Datum::Timestamp(arrival));
                run.row(Target { node: plan.node, port: 0 }, Row { rowtime, now, values: &values });
            }
            Event::Bound(time) => {
                for plan in &self.sources {
                    run.bound(Target { node: plan.node, port: 0 }, time);
                }
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
            let mut is_all = false;
            for target in &self.nodes[plan.node].targets {
                is_all |= reads(&self.nodes, target.node, &mut |place| {
                    if let Some(used) = used.get_mut(place) {
                        *used = true;
                    }
                });
            }
            if is_all {
                used.fill(true);
            }
            plan.reader = Reader::new(&plan.source, &used);
        }
    }
}

/// Calls `visit` for every column of its input that a node reads, or those do that it hands its rows on to with more columns behind;
/// or says that all are read.
fn reads(nodes: &[Node], node: NodeId, visit: &mut dyn FnMut(usize)) -> bool {
    let Node { operator, targets, .. } = &nodes[node];
    let all = operator.columns(visit);
    match operator {
        Operator::Records(_) => targets.iter().fold(all, |all, target| reads(nodes, target.node, visit) || all),
        _ => all,
    }
}
