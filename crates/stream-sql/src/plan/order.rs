//! ORDER BY: what its keys mean, and the sorts that it becomes.

use super::expression::Binder;
use super::graph::Graph;
use super::query::{Flow, FlowColumn, is_time};
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::operator::{Operator, Sort, SortKey, Within};
use crate::syntax::tree::{self, ExprKind, Literal, Order, Span};
use crate::value::Value;

/// The keys of a query with these columns: a number is the place of a column, a name rather that of a column than of what is read.
pub(super) fn order_keys(
    binder: &mut Binder<'_>,
    keys: &[Order],
    columns: &[FlowColumn],
) -> Result<Vec<Typed>, SqlError> {
    let mut bound = Vec::with_capacity(keys.len());
    for Order { expr, .. } in keys {
        bound.push(match &expr.kind {
            ExprKind::Literal(Literal::Value(Value::Integer(place), _)) => {
                let column = usize::try_from(*place - 1).ok().and_then(|place| columns.get(place));
                column.ok_or_else(|| expr.span.error("Ordinal out of range"))?.value.clone()
            }
            ExprKind::Column(path) if path.len() == 1 => {
                let mut named = columns.iter().filter(|column| !column.hidden && column.name == path[0].text);
                match (named.next(), named.next()) {
                    (Some(column), None) => column.value.clone(),
                    _ => binder.bind(expr)?,
                }
            }
            _ => binder.bind(expr)?,
        });
    }
    Ok(bound)
}

/// The keys over the columns themselves, once nothing else is left: after DISTINCT.
pub(super) fn of_columns(bound: Vec<Typed>, keys: &[Order], columns: &[FlowColumn]) -> Result<Vec<Typed>, SqlError> {
    let of_column = |(key, order): (Typed, &Order)| {
        if is_time(&key.expr) {
            return Ok(key);
        }
        let place = columns.iter().position(|column| column.value.expr == key.expr);
        let place = place.ok_or_else(|| {
            order.expr.span.error("ORDER BY with DISTINCT takes expressions of the SELECT list and of ROWTIME")
        })?;
        Ok(Typed { expr: crate::expression::Expr::Column(place), ..key })
    };
    bound.into_iter().zip(keys).map(of_column).collect()
}

/// Whether it names ROWTIME alone, which would be that of the row about to be generated.
fn names_rowtime(expr: &tree::Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary(_, left, right) => names_rowtime(left) || names_rowtime(right),
        ExprKind::Round { expr, .. } | ExprKind::Cast { expr, .. } => names_rowtime(expr),
        ExprKind::Call(call) => call.args.iter().any(names_rowtime),
        _ => expr.is_rowtime(),
    }
}

impl Graph {
    pub(super) fn sort(
        &mut self,
        flow: Flow,
        keys: &[Order],
        bound: Vec<Typed>,
        is_grouped: bool,
        span: Span,
    ) -> Result<Flow, SqlError> {
        if let Some(within) = keys.iter().skip(1).find_map(|key| key.within.as_ref()) {
            return Err(within.span.error("WITHIN belongs to the first key of ORDER BY"));
        }
        if let Some(within) = &keys[0].within {
            return self.within(flow, keys, bound, within);
        }
        let leading = &bound[0].expr;
        let is_time = is_time(leading);
        if !is_time && !is_grouped {
            return Err(span.error("ORDER BY of a stream must lead with a monotonic function of ROWTIME"));
        }
        let period = (is_time && !is_grouped).then(|| leading.clone());
        let (flow, keys) = self.with_keys(flow, keys, bound, span);
        let node = self.add(Operator::Sort(Sort { period, keys }), flow.node);
        Ok(Flow { node, ..flow })
    }

    /// `ORDER BY e WITHIN INTERVAL …` ("T-sorting stream input").
    fn within(&mut self, flow: Flow, keys: &[Order], bound: Vec<Typed>, within: &tree::Expr) -> Result<Flow, SqlError> {
        let length = match &within.kind {
            ExprKind::Literal(Literal::Interval(length, qualifier)) if *length >= 0 && !qualifier.is_months() => {
                *length
            }
            _ => return Err(within.span.error("WITHIN takes an INTERVAL literal of days, hours, minutes or seconds")),
        };
        let span = keys[0].expr.span;
        if names_rowtime(&keys[0].expr) {
            return Err(span.error("ORDER BY … WITHIN: ROWTIME must be that of a stream, as in s.ROWTIME"));
        }
        if keys[0].descending {
            return Err(span.error("ORDER BY … WITHIN ascends: DESC is not allowed"));
        }
        if bound[0].data_type != Type::TIMESTAMP {
            return Err(span.error(format!("ORDER BY … WITHIN takes a TIMESTAMP, not {}", bound[0].data_type)));
        }
        if flow.rowtime.as_ref() != Some(&bound[0].expr) {
            return Err(span.error("ORDER BY … WITHIN takes an expression that is in the SELECT list AS ROWTIME"));
        }
        let (flow, mut keys) = self.with_keys(Flow { rowtime: None, ..flow }, keys, bound, span);
        let key = keys.remove(0).place;
        let node = self.add(Operator::Within(Within { length, key, keys }), flow.node);
        Ok(Flow { node, ..flow })
    }

    /// The rows with the keys behind their columns, and where those are.
    fn with_keys(&mut self, flow: Flow, keys: &[Order], bound: Vec<Typed>, span: Span) -> (Flow, Vec<SortKey>) {
        let width = flow.columns.len();
        let places =
            keys.iter().zip(width..).map(|(key, place)| SortKey { place, descending: key.descending }).collect();
        let mut wide = flow;
        for key in bound {
            wide.columns.push(FlowColumn { name: String::new(), value: key, hidden: true, span });
        }
        let mut flow = self.materialise(wide);
        flow.columns.truncate(width);
        (flow, places)
    }
}
