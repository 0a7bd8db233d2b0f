//! Syntax tree to operators: names are resolved, types settled, and what does not go together is refused with its place.

mod aggregate;
mod arithmetic;
mod expression;
mod function;
mod graph;
mod monotonic;
mod over;
mod query;
mod record;
mod scope;
mod types;

use crate::application::{Application, SourcePlan, StreamPlan};
use crate::error::SqlError;
use crate::expression::{Expr, Function};
use crate::operator::{Calc, Operator, Stream, Target};
use crate::record::Reader;
use crate::schema::Source;
use crate::syntax::{self, tree};
use crate::value::{SqlType, Value};

use function::cast_of;
use graph::{Graph, StreamColumn, StreamEntry};
use query::FlowColumn;
use types::{Type, Typed, length};

/// The columns of `error_stream`.
const ERROR_STREAM: [&str; 7] =
    ["ERROR_TIME", "ERROR_LEVEL", "ERROR_NAME", "MESSAGE", "DATA_ROWTIME", "DATA_ROW", "PUMP_NAME"];

/// Names that no stream of a script may have.
const ERROR_STREAM_NAME: &str = "error_stream";

pub(crate) fn compile(sql: &str, sources: &[Source], _tables: &[Source]) -> Result<Application, SqlError> {
    let statements = syntax::parse(sql)?;
    let mut planner = Planner::default();
    for source in sources {
        planner.source(source);
    }
    // Pumps run when all is there: they may read streams that are created later.
    for statement in &statements {
        if let tree::Statement::CreateStream { name, replace, columns } = statement {
            planner.create_stream(name, *replace, columns)?;
        }
    }
    for statement in &statements {
        match statement {
            tree::Statement::CreatePump { stopped: Some(span), .. } => {
                return Err(span.error("STOPPED is not supported"));
            }
            tree::Statement::CreatePump { name, replace, insert, .. } => planner.create_pump(name, *replace, insert)?,
            tree::Statement::CreateFunction(function) => {
                return Err(function.name.span.error("CREATE FUNCTION is not supported"));
            }
            tree::Statement::CreateStream { .. } => {}
        }
    }
    Ok(planner.finish())
}

#[derive(Default)]
struct Planner {
    graph: Graph,
    sources: Vec<SourcePlan>,
    streams: Vec<StreamPlan>,
    pumps: Vec<String>,
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
        let arrival = "APPROXIMATE_ARRIVAL_TIME".to_owned();
        columns.push(StreamColumn { name: arrival, sql_type: SqlType::Timestamp, not_null: true, hidden: true });
        let names = source.columns.iter().map(|column| column.name.clone()).collect();
        let node = self.stream(&source.name, columns, names, true);
        self.sources.push(SourcePlan { node, source: source.clone(), reader: Reader::new(source, &[]) });
    }

    fn stream(&mut self, name: &str, columns: Vec<StreamColumn>, names: Vec<String>, is_source: bool) -> usize {
        let number = self.streams.len();
        let node = self.graph.node(Operator::Stream(Stream { number, inserters: 0 }));
        self.graph.streams.insert(name.to_owned(), StreamEntry { node, columns, is_source });
        self.streams.push(StreamPlan { name: name.to_owned(), columns: names, is_output: !is_source });
        node
    }

    fn create_stream(
        &mut self,
        name: &tree::Name,
        replace: bool,
        columns: &[tree::ColumnDefinition],
    ) -> Result<(), SqlError> {
        if name.text == ERROR_STREAM_NAME {
            return Err(name.span.error(format!("\"{ERROR_STREAM_NAME}\" is the stream of errors")));
        }
        for (place, column) in columns.iter().enumerate() {
            if columns[..place].iter().any(|earlier| earlier.name.text == column.name.text) {
                return Err(column.name.span.error(format!("Column '{}' is defined twice", column.name.text)));
            }
        }
        match self.graph.streams.get(&name.text) {
            Some(entry) if entry.is_source => {
                return Err(name.span.error(format!("'{}' is a source stream", name.text)));
            }
            Some(_) if !replace => return Err(name.span.error(format!("Stream '{}' already exists", name.text))),
            Some(_) => {
                return Err(name
                    .span
                    .error(format!("Stream '{}' is replaced within the script, which is not supported", name.text)));
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

    fn create_pump(&mut self, name: &tree::Name, replace: bool, insert: &tree::Insert) -> Result<(), SqlError> {
        if self.pumps.contains(&name.text) {
            let message =
                if replace { "is replaced within the script, which is not supported" } else { "already exists" };
            return Err(name.span.error(format!("Pump '{}' {message}", name.text)));
        }
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
        let mut values = vec![Expr::Literal(Value::Null); target.columns.len()];
        for (column, place) in flow.columns.into_iter().zip(places) {
            values[place] = assign(column, &target.columns[place])?;
        }
        let node =
            self.graph.add(Operator::Calc(Calc { condition: flow.filter, values, rowtime: flow.rowtime }), flow.node);
        if self.graph.reaches(target.node, node) {
            return Err(insert
                .target
                .span
                .error(format!("Stream '{}' would be fed by its own rows", insert.target.text)));
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
        let mut application =
            Application { nodes: self.graph.nodes, sources: self.sources, streams: self.streams, pumps: self.pumps };
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
    let fits = match (data_type, target.sql_type) {
        (Type::Sql(from), to) if from.is_text() => length(from) <= length(to),
        (Type::Sql(from), to) => {
            from == to
                && !matches!(
                    from,
                    SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::Real | SqlType::Decimal { .. }
                )
        }
        _ => true,
    };
    // Calculations are wider than their types: whoever stores a value makes it fit.
    let is_stored =
        matches!(column.value.expr, Expr::Column(_) | Expr::Literal(_)) && data_type == Type::Sql(target.sql_type);
    let value = match target.sql_type {
        _ if fits || is_stored => column.value,
        to if to.is_text() => {
            let cut = Function::Cut { length: length(to) };
            Typed { expr: Expr::Call(cut, vec![column.value.expr]), data_type: Type::Sql(to) }
        }
        to => cast_of(column.value, to),
    };
    if target.not_null {
        return Ok(Expr::Call(Function::NotNull, vec![value.expr]));
    }
    Ok(value.expr)
}
