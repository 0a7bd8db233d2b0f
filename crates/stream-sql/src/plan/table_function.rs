//! Table functions by name: what they take and what they give.

use std::ops::RangeInclusive;

use super::graph::Graph;
use super::query::{Flow, FlowColumn, Input};
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::{Expr, to_double};
use crate::operator::{
    CountDistinct, Explanation, Features, GroupRank, Hotspots, NodeId, Operator, OutputOrder, RandomCutForest,
    TableFunction, TopK,
};
use crate::syntax::tree::{self, ExprKind, FunctionArg, Literal, Name, Query, Unary};
use crate::value::{SqlType, Value};

/// Of TOP_K_ITEMS_TUMBLING.
const MAX_K: i64 = 100_000;
/// Of a window of TOP_K_ITEMS_TUMBLING and COUNT_DISTINCT_ITEMS_TUMBLING.
const MAX_SECONDS: i64 = 3_600;
/// The greatest INTEGER.
const MAX_INTEGER: i64 = i32::MAX as i64;
/// Numeric columns that RANDOM_CUT_FOREST takes; and HOTSPOTS, of which the pages do not say it.
const MAX_FEATURES: usize = 30;
/// Numbers that a forest may hold, of trees, rows of each, columns and rows of a shingle: 32 MB, twice that in boxes around them.
const MAX_FOREST: usize = 1 << 22;
/// What HOTSPOTS gives.
const HOTSPOTS_RESULT: SqlType = SqlType::Varchar { length: 10_000 };
/// What RANDOM_CUT_FOREST_WITH_EXPLANATION gives behind the score; the pages put it into columns of 512 and of 20,480 characters.
const ANOMALY_EXPLANATION: SqlType = SqlType::Varchar { length: 20_480 };

/// What a function looks like in full, and how many arguments behind the cursor it takes.
const USAGES: [(&str, &str, RangeInclusive<usize>); 6] = [
    ("TOP_K_ITEMS_TUMBLING", "CURSOR(query), 'column', K, seconds", 3..=3),
    ("COUNT_DISTINCT_ITEMS_TUMBLING", "CURSOR(query), 'column', seconds", 2..=2),
    (
        "GROUP_RANK",
        "CURSOR(query), 'rank by column', 'rank column', 'asc' or 'desc', 'asc' or 'desc', idle milliseconds, rows of a group",
        6..=6,
    ),
    ("RANDOM_CUT_FOREST", "CURSOR(query), numberOfTrees, subSampleSize, timeDecay, shingleSize", 0..=4),
    (
        "RANDOM_CUT_FOREST_WITH_EXPLANATION",
        "CURSOR(query), numberOfTrees, subSampleSize, timeDecay, shingleSize, withDirectionality",
        0..=5,
    ),
    ("HOTSPOTS", "CURSOR(query), windowSize, scanRadius, minimumNumberOfPointsInAHotspot", 3..=3),
];

impl Graph {
    pub(super) fn table_function(&mut self, name: &Name, args: &[FunctionArg]) -> Result<Flow, SqlError> {
        let args = Args::new(name, args)?;
        let cursor = self.query(args.query)?;
        if let Some(record) = cursor.columns.iter().find(|column| column.value.data_type == Type::Record) {
            return Err(record.span.error("A record cannot go into a table function, only its fields"));
        }
        match name.text.as_str() {
            "TOP_K_ITEMS_TUMBLING" => self.top_k(&args, cursor),
            "COUNT_DISTINCT_ITEMS_TUMBLING" => self.count_distinct(&args, cursor),
            "GROUP_RANK" => self.group_rank(&args, cursor),
            "HOTSPOTS" => self.hotspots(&args, cursor),
            name => self.random_cut_forest(&args, cursor, name == "RANDOM_CUT_FOREST_WITH_EXPLANATION"),
        }
    }

    /// The value, as the column's name says or as ITEM, and its count: ITEM_COUNT or MOST_FREQUENT_VALUES. The pages name them both
    /// ways, where they name them.
    fn top_k(&mut self, args: &Args<'_>, cursor: Flow) -> Result<Flow, SqlError> {
        let input = self.derived(cursor, None, &[])?;
        let columns = &input.scope.relations[0].columns;
        let column = columns[args.column(0, columns)?].clone();
        let k = args.whole(1, "K", 1..=MAX_K)? as usize;
        let length = args.whole(2, "the window", 1..=MAX_SECONDS)? * 1_000;
        let data_type = column.value.data_type;
        let function = TopK { condition: input.filter, value: column.value.expr, k, length };
        let node = self.add(Operator::TableFunction(TableFunction::TopK(function)), input.node);
        let mut flow = args.flow(node, vec![(column.name, data_type), ("ITEM_COUNT".into(), Type::BIGINT)]);
        for (place, name) in [(0, "ITEM"), (1, "MOST_FREQUENT_VALUES")] {
            if flow.columns.iter().all(|column| column.name != name) {
                let column = FlowColumn { name: name.into(), hidden: true, ..flow.columns[place].clone() };
                flow.columns.push(column);
            }
        }
        Ok(flow)
    }

    fn count_distinct(&mut self, args: &Args<'_>, cursor: Flow) -> Result<Flow, SqlError> {
        let Input { node, filter, scope, .. } = self.derived(cursor, None, &[])?;
        let columns = &scope.relations[0].columns;
        let value = columns[args.column(0, columns)?].value.expr.clone();
        let length = args.whole(1, "the window", 1..=MAX_SECONDS)? * 1_000;
        let function = CountDistinct { condition: filter, value, length };
        let node = self.add(Operator::TableFunction(TableFunction::CountDistinct(function)), node);
        Ok(args.flow(node, vec![("NUMBER_OF_DISTINCT_ITEMS".into(), Type::BIGINT)]))
    }

    /// The idle time is that of a machine that waits: here a group ends as soon as ROWTIME is known to be past it.
    fn group_rank(&mut self, args: &Args<'_>, cursor: Flow) -> Result<Flow, SqlError> {
        let flow = self.materialise(cursor);
        let column = args.column(0, &flow.columns)?;
        let rank_column = args.name(1, "the rank column")?;
        let descending = args.order(2, "the order of ranks", false)? == OutputOrder::Descending;
        let order = args.order(3, "the order of rows", true)?;
        args.whole(4, "the idle time", 0..=MAX_INTEGER)?;
        let limit = match args.whole(5, "the number of rows", 0..=MAX_INTEGER)? {
            0 => usize::MAX,
            limit => limit as usize,
        };
        let function = GroupRank { column, descending, order, limit };
        let node = self.add(Operator::TableFunction(TableFunction::GroupRank(function)), flow.node);
        Ok(args.wider(flow, node, rank_column, SqlType::Integer))
    }

    fn random_cut_forest(&mut self, args: &Args<'_>, cursor: Flow, explains: bool) -> Result<Flow, SqlError> {
        let flow = self.materialise(cursor);
        let features = args.features(&flow.columns)?;
        let trees = args.whole_or(0, "numberOfTrees", 1..=1_000, 100)? as usize;
        let sample = args.whole_or(1, "subSampleSize", 10..=1_000, 256)?;
        let decay = args.whole_or(2, "timeDecay", 1..=MAX_INTEGER, 100_000)?;
        let shingle = args.whole_or(3, "shingleSize", 1..=30, 1)? as usize;
        if sample >= decay {
            return Err(args.invalid(2, "timeDecay", "greater than subSampleSize"));
        }
        let (sample, decay) = (sample as usize, decay as f64);
        let numbers = trees * sample * features.0.len() * shingle;
        if numbers > MAX_FOREST {
            let message = "numberOfTrees × subSampleSize × numeric columns × shingleSize";
            let message = format!("{}: {message} is {numbers}: more than {MAX_FOREST}", args.name.text);
            return Err(args.name.span.error(message));
        }
        let names = features.0.iter().map(|place| flow.columns[*place].name.clone());
        let explanation = match explains {
            true => Some(Explanation {
                columns: names.collect(),
                directions: args.boolean_or(4, "withDirectionality", false)?,
            }),
            false => None,
        };
        let function = RandomCutForest { features, trees, sample, decay, shingle, explanation };
        let node = self.add(Operator::TableFunction(TableFunction::RandomCutForest(function)), flow.node);
        let scored = args.wider(flow, node, "ANOMALY_SCORE".into(), SqlType::Double);
        Ok(match explains {
            true => args.wider(scored, node, "ANOMALY_EXPLANATION".into(), ANOMALY_EXPLANATION),
            false => scored,
        })
    }

    fn hotspots(&mut self, args: &Args<'_>, cursor: Flow) -> Result<Flow, SqlError> {
        let flow = self.materialise(cursor);
        let features = args.features(&flow.columns)?;
        let window = args.whole(0, "windowSize", 100..=1_000)?;
        let radius = args.positive(1, "scanRadius")?;
        let minimum = args.whole(2, "minimumNumberOfPointsInAHotspot", 2..=window)? as usize;
        let function = Hotspots { features, window: window as usize, radius, minimum };
        let node = self.add(Operator::TableFunction(TableFunction::Hotspots(function)), flow.node);
        Ok(args.wider(flow, node, "HOTSPOTS_RESULT".into(), HOTSPOTS_RESULT))
    }
}

/// The arguments of a table function: a query, and literals.
struct Args<'a> {
    name: &'a Name,
    query: &'a Query,
    rest: Vec<&'a tree::Expr>,
}

impl<'a> Args<'a> {
    fn new(name: &'a Name, args: &'a [FunctionArg]) -> Result<Args<'a>, SqlError> {
        let Some((function, usage, takes)) = USAGES.iter().find(|(function, ..)| *function == name.text) else {
            return Err(name.span.error(format!("The table function {} is not supported", name.text)));
        };
        let wrong = |message: &str| Err(name.span.error(format!("{message} '{function}': it is {function}({usage})")));
        let mut rest = Vec::with_capacity(args.len());
        let [FunctionArg::Cursor { query, .. }, others @ ..] = args else {
            return wrong("The first argument is no CURSOR of function");
        };
        for arg in others {
            match arg {
                FunctionArg::Expr(expr) => rest.push(expr),
                FunctionArg::Cursor { span, .. } => return Err(span.error("There is one CURSOR, the first argument")),
            }
        }
        if !takes.contains(&rest.len()) {
            return wrong("Invalid number of arguments to function");
        }
        Ok(Args { name, query, rest })
    }

    fn invalid(&self, place: usize, what: &str, expected: &str) -> SqlError {
        self.rest[place].span.error(format!("{}: {what} must be {expected}", self.name.text))
    }

    fn text(&self, place: usize) -> Option<String> {
        match literal(self.rest[place])? {
            Value::Text(text) => Some(text.into()),
            _ => None,
        }
    }

    fn name(&self, place: usize, what: &str) -> Result<String, SqlError> {
        self.text(place)
            .filter(|name| !name.is_empty())
            .ok_or_else(|| self.invalid(place, what, "a name in single quotes"))
    }

    /// Which column of the cursor a name stands for, exactly as it is.
    fn column(&self, place: usize, columns: &[FlowColumn]) -> Result<usize, SqlError> {
        let name = self.name(place, "the column")?;
        columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let similar = columns.iter().find(|column| column.name.eq_ignore_ascii_case(&name));
            let hint = similar.map_or(String::new(), |known| format!(": did you mean '{}'?", known.name));
            let function = &self.name.text;
            self.rest[place].span.error(format!("Column '{name}' not found in the CURSOR of {function}{hint}"))
        })
    }

    fn whole(&self, place: usize, what: &str, range: RangeInclusive<i64>) -> Result<i64, SqlError> {
        match literal(self.rest[place]) {
            Some(Value::Integer(value)) if range.contains(&value) => Ok(value),
            _ => {
                let expected = format!("a whole number from {} to {}", range.start(), range.end());
                Err(self.invalid(place, what, &expected))
            }
        }
    }

    fn whole_or(&self, place: usize, what: &str, range: RangeInclusive<i64>, default: i64) -> Result<i64, SqlError> {
        if place < self.rest.len() { self.whole(place, what, range) } else { Ok(default) }
    }

    fn boolean_or(&self, place: usize, what: &str, default: bool) -> Result<bool, SqlError> {
        match self.rest.get(place).map(|expr| literal(expr)) {
            None => Ok(default),
            Some(Some(Value::Boolean(value))) => Ok(value),
            Some(_) => Err(self.invalid(place, what, "TRUE or FALSE")),
        }
    }

    fn positive(&self, place: usize, what: &str) -> Result<f64, SqlError> {
        let number = match literal(self.rest[place]) {
            Some(value @ (Value::Integer(_) | Value::Decimal(..) | Value::Double(_))) => to_double(&value.borrow()),
            _ => 0.0,
        };
        if number > 0.0 { Ok(number) } else { Err(self.invalid(place, what, "a number greater than 0")) }
    }

    /// The numeric columns of the cursor: what else it has passes through.
    fn features(&self, columns: &[FlowColumn]) -> Result<Features, SqlError> {
        let (function, mut places) = (&self.name.text, Vec::new());
        for (place, column) in columns.iter().enumerate() {
            match column.value.data_type {
                Type::Sql(SqlType::Decimal { .. }) => {
                    let message =
                        format!("Column '{}' is a DECIMAL, which {function} does not take: use DOUBLE", column.name);
                    return Err(column.span.error(message));
                }
                Type::Sql(sql_type) if sql_type.is_numeric() => places.push(place),
                _ => {}
            }
        }
        if !(1..=MAX_FEATURES).contains(&places.len()) {
            let message =
                format!("{function} takes 1 to {MAX_FEATURES} numeric columns: the CURSOR has {}", places.len());
            return Err(self.name.span.error(message));
        }
        Ok(Features(places))
    }

    fn order(&self, place: usize, what: &str, may_be_none: bool) -> Result<OutputOrder, SqlError> {
        match self.text(place).map(|text| text.to_ascii_lowercase()).as_deref() {
            Some("asc") => Ok(OutputOrder::Ascending),
            Some("desc") => Ok(OutputOrder::Descending),
            Some("none") if may_be_none => Ok(OutputOrder::Received),
            _ => {
                Err(self.invalid(place, what, if may_be_none { "'asc', 'desc' or 'none'" } else { "'asc' or 'desc'" }))
            }
        }
    }

    /// Rows of these columns alone.
    fn flow(&self, node: NodeId, columns: Vec<(String, Type)>) -> Flow {
        let column = |(place, (name, data_type))| FlowColumn {
            name,
            value: Typed { expr: Expr::Column(place), data_type },
            hidden: false,
            span: self.name.span,
        };
        let columns: Vec<FlowColumn> = columns.into_iter().enumerate().map(column).collect();
        Flow { node, width: columns.len(), filter: None, columns, rowtime: None }
    }

    /// The cursor's rows with one column more.
    fn wider(&self, cursor: Flow, node: NodeId, name: String, sql_type: SqlType) -> Flow {
        let Flow { width, mut columns, .. } = cursor;
        let value = Typed { expr: Expr::Column(width), data_type: Type::Sql(sql_type) };
        columns.push(FlowColumn { name, value, hidden: false, span: self.name.span });
        Flow { node, width: width + 1, filter: None, columns, rowtime: None }
    }
}

/// A literal's value; with a sign, if it is a number.
fn literal(expr: &tree::Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(Literal::Value(value, _)) => Some(value.clone()),
        ExprKind::Unary(Unary::Plus, expr) => literal(expr),
        ExprKind::Unary(Unary::Minus, expr) => Some(match literal(expr)? {
            Value::Integer(value) => Value::Integer(value.checked_neg()?),
            value @ (Value::Double(_) | Value::Decimal(..)) => Value::Double(-to_double(&value.borrow())),
            _ => return None,
        }),
        _ => None,
    }
}
