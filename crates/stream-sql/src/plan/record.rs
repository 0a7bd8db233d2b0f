//! Functions that return a record: REGEX_LOG_PARSE and its kin. They stand alone in a SELECT list, and are called once for a row
//! however many of their fields are read.

use super::expression::Binder;
use super::function::cannot_apply_function;
use super::graph::Graph;
use super::query::Flow;
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::log::{FastRegexLog, FixedColumnLog, LogParser, RegexLog, SysLog, VariableColumnLog, W3cLog};
use crate::expression::{Expr, RecordField};
use crate::operator::{Operator, RecordCall, Records};
use crate::syntax::tree::{self, Call, ExprKind, Item, Span};
use crate::syntax::{ColumnDescription, parse_columns};
use crate::value::Value;

/// Name, and how many arguments: at least and at most.
const FUNCTIONS: [(&str, usize, usize); 6] = [
    ("FAST_REGEX_LOG_PARSE", 2, 2),
    ("FIXED_COLUMN_LOG_PARSE", 2, 2),
    ("REGEX_LOG_PARSE", 2, 3),
    ("SYS_LOG_PARSE", 1, 1),
    ("VARIABLE_COLUMN_LOG_PARSE", 3, 5),
    ("W3C_LOG_PARSE", 2, 2),
];

pub(super) fn is_record_function(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, ..)| *known == name)
}

impl Graph {
    /// The rows with the fields of the records that a list calls for.
    pub(super) fn records(&mut self, binder: &mut Binder<'_>, flow: Flow, items: &[Item]) -> Result<Flow, SqlError> {
        let (mut calls, mut width) = (Vec::new(), flow.width);
        for item in items {
            let Item::Expr { expr: tree::Expr { kind: ExprKind::Call(call), span }, .. } = item else { continue };
            if !is_record_function(&call.name.text) || call.over.is_some() {
                continue;
            }
            let call = binder.record_call(call, *span)?;
            let field = |(place, field): (usize, &crate::expression::log::Field)| RecordField {
                name: field.name.clone(),
                sql_type: field.sql_type,
                expr: Expr::Column(place),
            };
            let fields: Vec<RecordField> = (width..).zip(call.parser.fields()).map(field).collect();
            width += fields.len();
            binder.records.push((*span, Typed { expr: Expr::Record(fields), data_type: Type::Record }));
            calls.push(call);
        }
        if calls.is_empty() {
            return Ok(flow);
        }
        let node = self.add(Operator::Records(Records { condition: flow.filter, width: flow.width, calls }), flow.node);
        Ok(Flow { node, width, filter: None, ..flow })
    }
}

impl Binder<'_> {
    /// A call that has been bound already, as all those are that may stand where they stand.
    pub(super) fn record(&self, call: &Call, span: Span) -> Result<Typed, SqlError> {
        let found = self.records.iter().find(|(known, _)| *known == span).map(|(_, record)| record.clone());
        found.ok_or_else(|| {
            span.error(format!(
                "{} returns a record, which cannot stand here: only alone in the list of a SELECT without GROUP BY",
                call.name.text
            ))
        })
    }

    fn record_call(&mut self, call: &Call, span: Span) -> Result<RecordCall, SqlError> {
        let name = call.name.text.as_str();
        let (_, least, most) = FUNCTIONS.into_iter().find(|(known, ..)| *known == name).unwrap_or((name, 1, 1));
        let given = call.args.len();
        if !(least..=most).contains(&given) || call.star || call.distinct.is_some() || call.nulls.is_some() {
            let takes = if least == most { least.to_string() } else { format!("{least} to {most}") };
            return Err(
                span.error(format!("Invalid number of arguments to function '{name}': {given}, expected {takes}"))
            );
        }
        let line = self.bind(&call.args[0])?;
        if !line.data_type.is_text() {
            return Err(call.args[0].span.error(cannot_apply_function(name, &[line.data_type])));
        }
        Ok(RecordCall { parser: self.parser(name, &call.args[1..], span)?, line: line.expr })
    }

    /// What the arguments behind the line say.
    fn parser(&mut self, name: &str, args: &[tree::Expr], span: Span) -> Result<LogParser, SqlError> {
        let at = |place: usize| args.get(place).map_or(span, |arg| arg.span);
        let parser = match name {
            "SYS_LOG_PARSE" => SysLog::new().map(LogParser::Sys),
            "W3C_LOG_PARSE" => W3cLog::new(&self.constant(&args[0])?).map(LogParser::W3c),
            "FAST_REGEX_LOG_PARSE" => FastRegexLog::new(&self.constant(&args[0])?).map(LogParser::FastRegex),
            "FIXED_COLUMN_LOG_PARSE" => FixedColumnLog::new(&self.columns(&args[0])?).map(LogParser::FixedColumn),
            "REGEX_LOG_PARSE" => {
                let columns = args.get(1).map(|columns| self.columns(columns)).transpose()?.unwrap_or_default();
                RegexLog::new(&self.constant(&args[0])?, &columns).map(LogParser::Regex)
            }
            _ => return self.variable_columns(args).map(LogParser::VariableColumn),
        };
        parser.map_err(|message| at(0).error(message))
    }

    /// Columns, delimiter, escape, quotes.
    fn variable_columns(&mut self, args: &[tree::Expr]) -> Result<VariableColumnLog, SqlError> {
        let log = match self.bind(&args[0])?.expr {
            Expr::Literal(Value::Integer(count)) => VariableColumnLog::numbered(usize::try_from(count).unwrap_or(0)),
            _ => VariableColumnLog::described(&self.columns(&args[0])?),
        };
        let log = log.map_err(|message| args[0].span.error(message))?;
        let delimiter = self.constant(&args[1])?;
        let mut log = log.delimited_by(&delimiter).map_err(|message| args[1].span.error(message))?;
        if let Some(escape) = args.get(2) {
            log = log.escaped_by(&self.constant_or_null(escape)?.unwrap_or_default());
        }
        if let Some(quotes) = args.get(3) {
            let characters = self.constant_or_null(quotes)?.unwrap_or_default();
            log = log.quoted_by(&characters).map_err(|message| quotes.span.error(message))?;
        }
        Ok(log)
    }

    fn columns(&mut self, arg: &tree::Expr) -> Result<Vec<ColumnDescription>, SqlError> {
        let text = self.constant(arg)?;
        let columns = parse_columns(&text)
            .map_err(|error| arg.span.error(format!("In the descriptions of columns: {}", error.message)))?;
        for (place, column) in columns.iter().enumerate() {
            if columns[..place].iter().any(|earlier| earlier.name == column.name) {
                return Err(arg.span.error(format!("Column '{}' is described twice", column.name)));
            }
        }
        Ok(columns)
    }

    /// Formats are read when the script is compiled.
    fn constant(&mut self, arg: &tree::Expr) -> Result<Box<str>, SqlError> {
        let constant = self.constant_or_null(arg)?;
        constant.ok_or_else(|| arg.span.error("expected a text literal, not NULL"))
    }

    fn constant_or_null(&mut self, arg: &tree::Expr) -> Result<Option<Box<str>>, SqlError> {
        match self.bind(arg)?.expr {
            Expr::Literal(Value::Text(text)) => Ok(Some(text)),
            Expr::Literal(Value::Null) => Ok(None),
            _ => Err(arg.span.error("expected a text literal")),
        }
    }
}
