//! Plans queries: clauses to nodes.

use super::aggregate::Grouping;
use super::expression::{Binder, Place};
use super::graph::Graph;
use super::join::Named;
use super::monotonic::{Direction, direction};
use super::order::{of_columns, order_keys};
use super::over::Windows;
use super::scope::{Relation, Scope};
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::Expr;
use crate::operator::{Aggregate, Calc, Distinct, Key, NodeId, Operator, Over, Stagger, Stream, Tumble};
use crate::syntax::tree::{self, From, Item, Name, Query, Select, SetOperator, Span};
use crate::value::Value;

/// How large a column of a query in FROM may be to be computed where it is used, node by node.
const MAX_INLINE: usize = 32;

/// Rows of a node, of which those are meant for which a condition holds, as columns computed of them. What can be computed row by
/// row waits here until a node needs it, so that a query in FROM costs nothing.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) node: NodeId,
    /// How many columns a row of the node has.
    pub(super) width: usize,
    pub(super) filter: Option<Expr>,
    pub(super) columns: Vec<FlowColumn>,
    /// `… AS ROWTIME`
    pub(super) rowtime: Option<Expr>,
}

#[derive(Debug, Clone)]
pub(super) struct FlowColumn {
    pub(super) name: String,
    pub(super) value: Typed,
    pub(super) hidden: bool,
    /// Of the expression, or of the query, where there is no better place.
    pub(super) span: Span,
}

/// Where the rows of a query's groups come from.
enum Groups {
    Tumbling { span: Span },
    Staggered { length: i64 },
}

/// What a query reads: rows of a node, of which those are meant for which a condition holds, and what names mean in them.
pub(super) struct Input {
    pub(super) node: NodeId,
    /// How many columns a row of the node has.
    pub(super) width: usize,
    pub(super) filter: Option<Expr>,
    pub(super) scope: Scope,
}

impl Graph {
    pub(super) fn query(&mut self, query: &Query) -> Result<Flow, SqlError> {
        match query {
            Query::Select(select) => self.select(select),
            Query::Values { span, .. } => {
                Err(span.error("VALUES is not supported: the rows of a pump come from streams"))
            }
            Query::Set { operator: SetOperator::Union, all: true, left, right, order_by, .. } => {
                self.union(left, right, order_by.as_ref())
            }
            Query::Set { operator, all, span, .. } => {
                let all = if *all { " ALL" } else { "" };
                Err(span
                    .error(format!("{}{all} is not supported: streams are put together by UNION ALL", operator.name())))
            }
        }
    }

    fn select(&mut self, select: &Select) -> Result<Flow, SqlError> {
        let Input { node, width, filter, scope } = self.from(&select.from, &select.windows, select.span)?;
        let mut binder = self.binder(&scope);
        binder.place = Place::Where;
        let condition = select.filter.as_ref().map(|filter| binder.condition(filter, "WHERE")).transpose()?;
        if let Some(condition) = &condition {
            self.narrow(node, condition);
        }
        let mut flow = Flow { node, width, filter: both(filter, condition), columns: Vec::new(), rowtime: None };
        let groups = match (&select.group_by, &select.stagger) {
            (Some((span, keys)), _) => Some((keys, Groups::Tumbling { span: *span })),
            (None, Some(stagger)) => {
                Some((&stagger.partition, Groups::Staggered { length: stagger_length(&mut binder, stagger)? }))
            }
            (None, None) => None,
        };
        if let (None, Some((span, _))) = (&groups, &select.having) {
            return Err(span.error("HAVING is allowed only with GROUP BY"));
        }
        binder.place = Place::GroupBy;
        if let Some((keys, _)) = &groups {
            let keys = keys.iter().map(|key| binder.bind(key)).collect::<Result<Vec<_>, _>>()?;
            binder.grouping = Some(Grouping { keys, aggregates: Vec::new() });
        } else {
            flow = self.records(&mut binder, flow, &select.items)?;
            binder.windows = Some(Windows { named: &select.windows, width: flow.width, windows: Vec::new(), calls: 0 });
        }
        binder.place = Place::Other;
        let (columns, rowtime) = match select_list(&mut binder, select) {
            Err(error) if groups.is_none() => return Err(ungrouped(&mut binder, select).unwrap_or(error)),
            list => list?,
        };
        let having = match &select.having {
            Some((_, having)) => Some(binder.condition(having, "HAVING")?),
            None => None,
        };
        let mut order = match &select.order_by {
            Some((_, keys)) => order_keys(&mut binder, keys, &columns)?,
            None => Vec::new(),
        };
        let is_grouped = groups.is_some();
        let mut flow = match (groups, binder.grouping) {
            (Some((_, groups)), Some(grouping)) => {
                let width = grouping.keys.len() + grouping.aggregates.len();
                Flow { node: self.groups(flow, groups, grouping)?, width, filter: having, columns, rowtime }
            }
            _ => self.windows(Flow { columns, rowtime, ..flow }, binder.windows, &order),
        };
        if let Some(span) = select.distinct {
            if let Some((_, keys)) = &select.order_by {
                order = of_columns(order, keys, &flow.columns)?;
            }
            flow = self.distinct(flow, span)?;
        }
        match &select.order_by {
            Some((span, keys)) => self.sort(flow, keys, order, is_grouped, *span),
            None => Ok(flow),
        }
    }

    pub(super) fn from(&mut self, from: &From, windows: Named<'_>, span: Span) -> Result<Input, SqlError> {
        match from {
            From::Join(join) => self.join(join, windows, span),
            From::Stream { over: Some(over), .. } | From::Query { over: Some(over), .. } => {
                Err(over.span().error("OVER stands after a stream only in a join"))
            }
            _ => self.relation(from, span),
        }
    }

    /// What stands in FROM alone, or beside JOIN, where it may have a window.
    pub(super) fn relation(&mut self, from: &From, span: Span) -> Result<Input, SqlError> {
        match from {
            From::Stream { name, over, alias, columns: names } => {
                let window = match (over, alias) {
                    (Some(tree::Over::Named(window)), None) => Some(window.text.clone()),
                    _ => None,
                };
                let stream = self.stream(name)?;
                let mut columns = stream.columns(span);
                rename(&mut columns, names)?;
                let alias = alias.as_ref().unwrap_or(name).text.clone();
                let relation = Relation { name: Some(alias), window, columns, rowtime: Some(Expr::Rowtime) };
                let scope = Scope { relations: vec![relation] };
                Ok(Input { node: stream.node, width: stream.columns.len(), filter: None, scope })
            }
            From::Join(join) => self.join(join, &[], span),
            From::Function { name, args, alias, columns } => {
                let flow = self.table_function(name, args)?;
                self.derived(flow, alias.as_ref(), columns)
            }
            From::Query { query, alias, columns, .. } => {
                let flow = self.query(query)?;
                self.derived(flow, alias.as_ref(), columns)
            }
        }
    }

    /// A query, or what a table function gives, as something to read from.
    pub(super) fn derived(&mut self, flow: Flow, alias: Option<&Name>, names: &[Name]) -> Result<Input, SqlError> {
        let mut flow = flow;
        rename(&mut flow.columns, names)?;
        // A ROWTIME of its own is one that rows must have had; and what is large is not computed time and again.
        let is_large = flow.columns.iter().any(|column| column.value.expr.size() > MAX_INLINE);
        if flow.rowtime.is_some() || is_large {
            flow = self.materialise(flow);
        }
        let name = alias.map(|alias| alias.text.clone());
        let scope = Scope {
            relations: vec![Relation { name, window: None, columns: flow.columns, rowtime: Some(Expr::Rowtime) }],
        };
        Ok(Input { node: flow.node, width: flow.width, filter: flow.filter, scope })
    }

    fn groups(&mut self, flow: Flow, groups: Groups, grouping: Grouping) -> Result<NodeId, SqlError> {
        let aggregates: Vec<Aggregate> = grouping.aggregates.into_iter().map(|(aggregate, _)| aggregate).collect();
        let keys = grouping.keys.into_iter().map(|key| key.expr);
        let operator = match groups {
            Groups::Staggered { length } => {
                Operator::Stagger(Stagger { condition: flow.filter, keys: keys.collect(), aggregates, length })
            }
            Groups::Tumbling { span } => {
                let keys: Vec<Key> = keys.map(key_of).collect();
                if keys.iter().all(|key| matches!(key, Key::Plain(_))) {
                    return Err(span.error(
                        "GROUP BY of a stream needs a monotonic expression that is no constant, such as FLOOR(s.ROWTIME TO MINUTE)",
                    ));
                }
                Operator::Tumble(Tumble { condition: flow.filter, keys, aggregates })
            }
        };
        Ok(self.add(operator, flow.node))
    }

    /// The rows with what their windows give. `order`: what they are sorted by.
    fn windows(&mut self, flow: Flow, windows: Option<Windows<'_>>, order: &[Typed]) -> Flow {
        let Some(Windows { windows, calls, .. }) = windows.filter(|windows| windows.calls > 0) else {
            return flow;
        };
        let mut reads = Vec::new();
        let values = flow.columns.iter().map(|column| &column.value).chain(order).map(|value| &value.expr);
        values.chain(&flow.rowtime).for_each(|expr| expr.columns(&mut |place| reads.push(place)));
        reads.retain(|place| *place < flow.width);
        let width = flow.width + calls;
        let node = self.add(Operator::Over(Over::new(flow.filter, windows, reads)), flow.node);
        Flow { node, width, filter: None, ..flow }
    }

    /// A node whose rows are the flow's columns; the fields of records follow them. With a ROWTIME of their own they pass through a
    /// stream, which keeps them in order.
    pub(super) fn materialise(&mut self, flow: Flow) -> Flow {
        let mut columns = flow.columns;
        let mut values: Vec<Expr> = columns.iter().map(|column| column.value.expr.clone()).collect();
        for (place, column) in columns.iter_mut().enumerate() {
            let Expr::Record(fields) = &mut column.value.expr else {
                column.value.expr = Expr::Column(place);
                continue;
            };
            values[place] = Expr::Literal(Value::Null);
            for field in fields {
                values.push(std::mem::replace(&mut field.expr, Expr::Column(values.len())));
            }
        }
        let (width, has_rowtime) = (values.len(), flow.rowtime.is_some());
        let calc = Calc { condition: flow.filter, values, rowtime: flow.rowtime, cuts: Vec::new() };
        let mut node = self.add(Operator::Calc(calc), flow.node);
        if has_rowtime {
            node = self.add(Operator::Stream(Stream { number: None, inserters: 1 }), node);
        }
        Flow { node, width, filter: None, columns, rowtime: None }
    }

    fn distinct(&mut self, flow: Flow, span: Span) -> Result<Flow, SqlError> {
        if let Some(record) = flow.columns.iter().find(|column| column.value.data_type == Type::Record) {
            return Err(record.span.error("A record cannot be DISTINCT: name its fields"));
        }
        let way = |column: &FlowColumn| direction(&column.value.expr);
        let monotonic: Vec<usize> = (0..flow.columns.len())
            .filter(|place| matches!(way(&flow.columns[*place]), Some(Direction::Up | Direction::Down)))
            .collect();
        if monotonic.is_empty() {
            return Err(span.error("SELECT DISTINCT of a stream needs a monotonic expression in its list"));
        }
        // ROWTIME itself does not count for equality.
        let keys = (0..flow.columns.len()).filter(|place| flow.columns[*place].value.expr != Expr::Rowtime).collect();
        let flow = self.materialise(flow);
        let node = self.add(Operator::Distinct(Distinct { monotonic, keys }), flow.node);
        Ok(Flow { node, ..flow })
    }
}

pub(super) fn both(first: Option<Expr>, second: Option<Expr>) -> Option<Expr> {
    match (first, second) {
        (Some(first), Some(second)) => Some(Expr::And(Box::new(first), Box::new(second))),
        (first, second) => first.or(second),
    }
}

/// Gives the columns of a query the names that its alias has for them, if it has any.
pub(super) fn rename(columns: &mut Vec<FlowColumn>, names: &[Name]) -> Result<(), SqlError> {
    let Some(first) = names.first() else { return Ok(()) };
    columns.retain(|column| !column.hidden);
    if names.len() != columns.len() {
        let known: Vec<String> = columns.iter().map(|column| format!("'{}'", column.name)).collect();
        return Err(first.span.error(format!(
            "List of column aliases must have same degree as table; table has {} columns ({}), whereas alias list has {} columns",
            known.len(),
            known.join(", "),
            names.len()
        )));
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.name = name.text.clone();
    }
    Ok(())
}

/// Whether an expression ascends with ROWTIME and reads nothing else.
pub(super) fn is_time(expr: &Expr) -> bool {
    let mut reads_columns = false;
    expr.columns(&mut |_| reads_columns = true);
    !reads_columns && expr.reads_rowtime() && matches!(direction(expr), Some(Direction::Up | Direction::Down))
}

fn key_of(expr: Expr) -> Key {
    if is_time(&expr) {
        return Key::Time(expr);
    }
    match direction(&expr) {
        Some(Direction::Up | Direction::Down) => Key::Monotonic(expr),
        _ => Key::Plain(expr),
    }
}

fn stagger_length(binder: &mut Binder<'_>, stagger: &tree::Stagger) -> Result<i64, SqlError> {
    if stagger.partition.is_empty() {
        return Err(stagger.span.error("WINDOWED BY STAGGER needs PARTITION BY"));
    }
    let range = binder.bind(&stagger.range)?;
    match (range.expr, range.data_type) {
        (Expr::Literal(Value::Interval(length)), Type::Interval(qualifier)) if length > 0 && !qualifier.is_months() => {
            Ok(length)
        }
        _ => Err(stagger.range.span.error("RANGE takes an INTERVAL literal of days, hours, minutes or seconds")),
    }
}

/// A column of `*`: of groups it must be a key.
fn grouped(grouping: Option<&Grouping>, column: &FlowColumn, span: Span) -> Result<Typed, SqlError> {
    let Some(grouping) = grouping else { return Ok(column.value.clone()) };
    let place = grouping.keys.iter().position(|key| key.expr == column.value.expr);
    let place = place.ok_or_else(|| span.error(format!("Expression '{}' is not being grouped", column.name)))?;
    Ok(Typed { expr: Expr::Column(place), data_type: column.value.data_type })
}

/// The columns of a SELECT list, and the one that is `AS ROWTIME`.
pub(super) fn select_list(
    binder: &mut Binder<'_>,
    select: &Select,
) -> Result<(Vec<FlowColumn>, Option<Expr>), SqlError> {
    let (mut columns, mut rowtime) = (Vec::new(), None);
    for item in &select.items {
        match item {
            Item::Wildcard { qualifier, span } => {
                let relations = match qualifier {
                    Some(qualifier) => std::slice::from_ref(binder.scope.relation(qualifier)?),
                    None => &binder.scope.relations[..],
                };
                let visible = relations.iter().flat_map(|relation| &relation.columns).filter(|column| !column.hidden);
                for column in visible {
                    let value = grouped(binder.grouping.as_ref(), column, *span)?;
                    columns.push(FlowColumn { span: *span, value, ..column.clone() });
                }
            }
            Item::Expr { expr, alias } => {
                let value = binder.bind_any(expr)?;
                if alias.as_ref().is_some_and(|alias| alias.text == "ROWTIME") {
                    if value.data_type != Type::TIMESTAMP {
                        return Err(expr.span.error(format!("ROWTIME must be a TIMESTAMP, not {}", value.data_type)));
                    }
                    rowtime = Some(value.expr);
                    continue;
                }
                let name = match (alias, &expr.kind) {
                    (Some(alias), _) => alias.text.clone(),
                    (None, tree::ExprKind::Column(path)) => path[path.len() - 1].text.clone(),
                    (None, _) => format!("EXPR${}", columns.len()),
                };
                columns.push(FlowColumn { name, value, hidden: false, span: expr.span });
            }
        }
    }
    Ok((columns, rowtime))
}

/// What is said of a list with aggregates where GROUP BY is missing: the first column that stands outside of them.
fn ungrouped(binder: &mut Binder<'_>, select: &Select) -> Option<SqlError> {
    binder.grouping = Some(Grouping::default());
    for item in &select.items {
        if let Item::Expr { expr, .. } = item {
            // Only the aggregates count, which are kept in the binder.
            let _ = binder.bind_any(expr);
        }
    }
    let has_aggregates = binder.grouping.as_ref().is_some_and(|grouping| !grouping.aggregates.is_empty());
    has_aggregates.then(|| select_list(binder, select).err()).flatten()
}
