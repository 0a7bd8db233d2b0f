//! Syntax tree to operators: names are resolved, types settled, and what does not go together is refused with its place.

mod aggregate;
mod arithmetic;
mod expression;
mod function;
mod function_sql;
mod graph;
mod join;
mod lookup;
mod monotonic;
mod order;
mod over;
mod period;
mod query;
mod record;
mod scope;
mod table_function;
mod types;
mod union;

use crate::application::{Application, SourcePlan, StreamPlan};
use crate::error::SqlError;
use crate::expression::{Expr, Function};
use crate::operator::{Calc, Cut, Node, Operator, Stream, Target};
use crate::record::{Reader, SYSTEM_COLUMNS};
use crate::schema::Source;
use crate::syntax::{self, tree};
use crate::table::TablePlan;
use crate::value::{SqlType, Value};

use function_sql::Functions;
use graph::{Graph, StreamColumn, StreamEntry};
use query::FlowColumn;
use types::{Type, Typed, fitted, length};

/// The columns of `error_stream`.
const ERROR_STREAM: [&str; 7] =
    ["ERROR_TIME", "ERROR_LEVEL", "ERROR_NAME", "MESSAGE", "DATA_ROWTIME", "DATA_ROW", "PUMP_NAME"];

/// The columns that every source has, hidden from `*`; all but the first are NULL where the source is no Kinesis stream.
const SYSTEM: [(&str, SqlType); SYSTEM_COLUMNS] = [
    ("APPROXIMATE_ARRIVAL_TIME", SqlType::Timestamp),
    ("PARTITION_KEY", SqlType::Varchar { length: 512 }),
    ("SEQUENCE_NUMBER", SqlType::Varchar { length: 128 }),
    ("SHARD_ID", SqlType::Varchar { length: 64 }),
];

/// Names that no stream of a script may have.
const ERROR_STREAM_NAME: &str = "error_stream";

pub(crate) fn compile(sql: &str, sources: &[Source], tables: &[Source]) -> Result<Application, SqlError> {
    let statements = syntax::parse(sql)?;
    let mut planner = Planner::default();
    for source in sources {
        planner.source(source);
    }
    planner.graph.tables = tables.iter().map(TablePlan::new).collect();
    let statements: Vec<_> =
        statements.iter().enumerate().filter(|(place, _)| !is_replaced(&statements, *place)).collect();
    // Pumps run when all is there: they may read streams that are created later.
    for (_, statement) in &statements {
        match statement {
            tree::Statement::Stream { name, columns, .. } => planner.create_stream(name, columns)?,
            tree::Statement::Function(function) => Functions::create(&mut planner.graph.functions, function)?,
            tree::Statement::Pump { .. } => {}
        }
    }
    for (_, statement) in &statements {
        if let tree::Statement::Pump { name, stopped, insert, .. } = statement {
            planner.create_pump(name, *stopped, insert)?;
        }
    }
    Ok(planner.finish())
}

/// Whether a later statement replaces the stream or the pump that this one creates: then it is as if it were not there.
fn is_replaced(statements: &[tree::Statement], place: usize) -> bool {
    use tree::Statement::{Pump, Stream};
    statements[place + 1..].iter().any(|later| match (&statements[place], later) {
        (Stream { name, .. }, Stream { name: again, replace: true, .. }) => name.text == again.text,
        (Pump { name, .. }, Pump { name: again, replace: true, .. }) => name.text == again.text,
        _ => false,
    })
}

#[derive(Default)]
struct Planner {
    graph: Graph,
    sources: Vec<SourcePlan>,
    streams: Vec<StreamPlan>,
    pumps: Vec<String>,
    stopped: Vec<String>,
}

impl Planner {
    fn source(&mut self, source: &Source) {
        let mut columns: Vec<StreamColumn> = source
            .columns
            .iter()
            .map(|column| StreamColumn {
                name: column.name.clone(),
                sql_type: column.sql_type,
                not_null: false,
                hidden: false,
            })
            .collect();
        for (name, sql_type) in SYSTEM {
            // A column of the schema that is called like it comes first and hides it.
            columns.push(StreamColumn { name: name.to_owned(), sql_type, not_null: false, hidden: true });
        }
        let names = source.columns.iter().map(|column| column.name.clone()).collect();
        let node = self.stream(&source.name, columns, names, true);
        self.sources.push(SourcePlan { node, source: source.clone(), reader: Reader::new(source, &[]) });
    }

    fn stream(&mut self, name: &str, columns: Vec<StreamColumn>, names: Vec<String>, is_source: bool) -> usize {
        let number = self.streams.len();
        let node = self.graph.node(Operator::Stream(Stream { number: Some(number), inserters: 0 }));
        self.graph.streams.insert(name.to_owned(), StreamEntry { node, columns, is_source });
        self.streams.push(StreamPlan { name: name.to_owned(), columns: names, is_output: !is_source });
        node
    }

    fn create_stream(&mut self, name: &tree::Name, columns: &[tree::ColumnDefinition]) -> Result<(), SqlError> {
        if name.text == ERROR_STREAM_NAME {
            return Err(name.span.error(format!("\"{ERROR_STREAM_NAME}\" is the stream of errors")));
        }
        for (place, column) in columns.iter().enumerate() {
            if columns[..place].iter().any(|earlier| earlier.name.text == column.name.text) {
                return Err(column.name.span.error(format!("Duplicate name '{}' in column list", column.name.text)));
            }
        }
        match self.graph.streams.get(&name.text) {
            Some(entry) if entry.is_source => {
                return Err(name.span.error(format!("'{}' is a source stream", name.text)));
            }
            Some(_) => return Err(name.span.error(format!("Stream '{}' already exists", name.text))),
            None if self.graph.table(&name.text).is_some() => {
                return Err(name.span.error(format!("'{}' is a reference table", name.text)));
            }
            None => {}
        }
        let names = columns.iter().map(|column| column.name.text.clone()).collect();
        let columns = columns.iter().map(|column| StreamColumn {
            name: column.name.text.clone(),
            sql_type: column.sql_type,
            not_null: column.not_null,
            hidden: false,
        });
        self.stream(&name.text, columns.collect(), names, false);
        Ok(())
    }

    fn create_pump(&mut self, name: &tree::Name, stopped: bool, insert: &tree::Insert) -> Result<(), SqlError> {
        if self.pumps.contains(&name.text) {
            return Err(name.span.error(format!("Pump '{}' already exists", name.text)));
        }
        if self.graph.table(&insert.target.text).is_some() {
            let message = format!("'{}' is a reference table: nothing can be inserted", insert.target.text);
            return Err(insert.target.span.error(message));
        }
        let nodes = self.graph.nodes.len();
        self.graph.pump = Some(self.pumps.len());
        self.pumps.push(name.text.clone());
        let target = self.graph.stream(&insert.target)?.clone();
        if target.is_source {
            return Err(insert
                .target
                .span
                .error(format!("'{}' is a source stream: nothing can be inserted", insert.target.text)));
        }
        let flow = self.graph.query(&insert.query)?;
        let places = target_places(&target, insert)?;
        if places.len() != flow.columns.len() {
            let span = flow.columns.first().map_or(insert.query.span(), |column| column.span);
            let message = "Number of INSERT target columns ({}) does not equal number of source items ({})";
            let message =
                message.replacen("{}", &places.len().to_string(), 1).replacen("{}", &flow.columns.len().to_string(), 1);
            return Err(span.error(message));
        }
        let (mut values, mut cuts) = (vec![Expr::Literal(Value::Null); target.columns.len()], Vec::new());
        for (column, place) in flow.columns.into_iter().zip(places) {
            cuts.extend(cut(&column.value, place, target.columns[place].sql_type));
            values[place] = assign(column, &target.columns[place])?;
        }
        let calc = Calc { condition: flow.filter, values, rowtime: flow.rowtime, cuts };
        let node = self.graph.add(Operator::Calc(calc), flow.node);
        if self.graph.reaches(target.node, node) {
            return Err(insert
                .target
                .span
                .error(format!("Stream '{}' would be fed by its own rows", insert.target.text)));
        }
        if stopped {
            // What is wrong with it has been said; it does nothing.
            self.graph.truncate(nodes);
            self.stopped.push(name.text.clone());
            return Ok(());
        }
        let Operator::Stream(stream) = &mut self.graph.nodes[target.node].operator else { return Ok(()) };
        let port = stream.inserters;
        stream.inserters += 1;
        self.graph.nodes[node].targets.push(Target { node: target.node, port });
        Ok(())
    }

    fn finish(mut self) -> Application {
        let columns = ERROR_STREAM.iter().map(|name| (*name).to_owned()).collect();
        self.streams.push(StreamPlan { name: ERROR_STREAM_NAME.to_owned(), columns, is_output: true });
        self.graph.prune();
        let is_root = |node: &Node| matches!(node.operator, Operator::Stream(Stream { inserters: 0, .. }));
        let roots = self.graph.nodes.iter().enumerate().filter(|(_, node)| is_root(node));
        let mut application = Application {
            roots: roots.map(|(place, _)| place).collect(),
            nodes: self.graph.nodes,
            sources: self.sources,
            streams: self.streams,
            pumps: self.pumps,
            tables: self.graph.tables,
            stopped: self.stopped,
        };
        application.choose_columns();
        application
    }
}

/// The places of the target's columns that an INSERT names.
fn target_places(target: &StreamEntry, insert: &tree::Insert) -> Result<Vec<usize>, SqlError> {
    if insert.columns.is_empty() {
        return Ok((0..target.columns.len()).collect());
    }
    let mut places = Vec::with_capacity(insert.columns.len());
    for name in &insert.columns {
        let place = target.columns.iter().position(|column| column.name == name.text);
        let place = place.ok_or_else(|| name.span.error(format!("Unknown target column '{}'", name.text)))?;
        if places.contains(&place) {
            return Err(name.span.error(format!("Target column '{}' is assigned more than once", name.text)));
        }
        places.push(place);
    }
    let left_out = |(place, column): &(usize, &StreamColumn)| column.not_null && !places.contains(place);
    if let Some((_, column)) = target.columns.iter().enumerate().find(left_out) {
        let message = format!("Column '{}' has no default value and does not allow NULLs", column.name);
        return Err(insert.target.span.error(message));
    }
    Ok(places)
}

/// A value as a stream's column holds it.
fn assign(column: FlowColumn, target: &StreamColumn) -> Result<Expr, SqlError> {
    let data_type = column.value.data_type;
    if !data_type.is_assignable(target.sql_type) {
        return Err(column.span.error(format!(
            "Cannot assign to target field '{}' of type {} from source field '{}' of type {data_type}",
            target.name, target.sql_type, column.name
        )));
    }
    let is_cut = cut(&column.value, 0, target.sql_type).is_some();
    let value = if is_cut { column.value } else { fitted(column.value, target.sql_type) };
    if target.not_null {
        return Ok(Expr::Call(Function::NotNull, vec![value.expr]));
    }
    Ok(value.expr)
}

/// A text that may be longer than the column that takes it.
fn cut(value: &Typed, place: usize, to: SqlType) -> Option<Cut> {
    let Type::Sql(from) = value.data_type else { return None };
    let is_long = from.is_text() && to.is_text() && length(from) > length(to);
    is_long.then(|| Cut { place, length: length(to), padded: matches!(to, SqlType::Char { .. }) })
}
