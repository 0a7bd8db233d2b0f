//! UNION ALL: the rows of several queries as one stream, in the order of ROWTIME.

use super::graph::Graph;
use super::order::order_keys;
use super::query::{Flow, FlowColumn};
use super::scope::{Relation, Scope};
use super::types::{Type, Typed, fitted};
use crate::error::SqlError;
use crate::expression::Expr;
use crate::operator::{Calc, Operator, Stream, Target};
use crate::syntax::tree::{Order, Query, SetOperator, Span};

impl Graph {
    pub(super) fn union(
        &mut self,
        left: &Query,
        right: &Query,
        order_by: Option<&(Span, Vec<Order>)>,
    ) -> Result<Flow, SqlError> {
        let mut flows = Vec::new();
        for query in branches(left).into_iter().chain([right]) {
            let flow = self.query(query)?;
            if flows.first().is_some_and(|first: &Flow| first.columns.len() != flow.columns.len()) {
                let span = flow.columns.first().map_or(query.span(), |column| column.span);
                return Err(span.error("Column count mismatch in UNION ALL"));
            }
            flows.push(flow);
        }
        let types = joined_types(&flows)?;
        let stream = Operator::Stream(Stream { number: None, inserters: flows.len() });
        let first = flows[0].columns.clone();
        let mut inserters = Vec::with_capacity(flows.len());
        for flow in flows {
            let typed =
                flow.columns.into_iter().zip(&types).map(|(column, data_type)| of_type(column.value, *data_type));
            let calc = Calc { condition: flow.filter, values: typed.collect(), rowtime: flow.rowtime };
            inserters.push(self.add(Operator::Calc(calc), flow.node));
        }
        let node = self.node(stream);
        for (port, inserter) in inserters.into_iter().enumerate() {
            self.nodes[inserter].targets.push(Target { node, port });
        }
        let columns = first.into_iter().zip(types).enumerate().map(|(place, (column, data_type))| FlowColumn {
            value: Typed { expr: Expr::Column(place), data_type },
            ..column
        });
        let columns: Vec<FlowColumn> = columns.collect();
        let flow = Flow { node, width: columns.len(), filter: None, columns, rowtime: None };
        let Some((span, keys)) = order_by else { return Ok(flow) };
        let relation =
            Relation { name: None, window: None, columns: flow.columns.clone(), rowtime: Some(Expr::Rowtime) };
        let scope = Scope { relations: vec![relation] };
        let bound = order_keys(&mut self.binder(&scope), keys, &flow.columns)?;
        self.sort(flow, keys, bound, false, *span)
    }
}

/// The queries that UNION ALL puts beside each other, in order.
fn branches(query: &Query) -> Vec<&Query> {
    let mut later = Vec::new();
    let mut query = query;
    while let Query::Set { operator: SetOperator::Union, all: true, left, right, order_by: None, .. } = query {
        later.push(&**right);
        query = left;
    }
    std::iter::once(query).chain(later.into_iter().rev()).collect()
}

/// The type of each column, which holds those of all queries.
fn joined_types(flows: &[Flow]) -> Result<Vec<Type>, SqlError> {
    let mut types: Vec<Type> = Vec::new();
    for place in 0..flows[0].columns.len() {
        let mut joined = Type::Null;
        for flow in flows {
            joined = joined.join(flow.columns[place].value.data_type).ok_or_else(|| {
                let message = format!("Type mismatch in column {} of UNION ALL", place + 1);
                flows[0].columns[place].span.error(message)
            })?;
        }
        types.push(joined);
    }
    Ok(types)
}

fn of_type(value: Typed, data_type: Type) -> Expr {
    match data_type {
        Type::Sql(sql_type) => fitted(value, sql_type).expr,
        _ => value.expr,
    }
}
