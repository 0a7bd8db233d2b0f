//! The graph of operators as it grows, and the streams by name.

use std::collections::HashMap;
use std::rc::Rc;

use super::expression::Binder;
use super::function_sql::Functions;
use super::query::FlowColumn;
use super::scope::Scope;
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::Expr;
use crate::operator::{Node, NodeId, Operator, Target};
use crate::syntax::tree::{Name, Span};
use crate::table::TablePlan;
use crate::value::SqlType;

/// A stream that queries can name.
#[derive(Debug, Clone)]
pub(super) struct StreamEntry {
    pub(super) node: NodeId,
    pub(super) columns: Vec<StreamColumn>,
    pub(super) is_source: bool,
}

#[derive(Debug, Clone)]
pub(super) struct StreamColumn {
    pub(super) name: String,
    pub(super) sql_type: SqlType,
    pub(super) not_null: bool,
    /// A system column.
    pub(super) hidden: bool,
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) streams: HashMap<String, StreamEntry>,
    pub(super) tables: Vec<TablePlan>,
    pub(super) functions: Rc<Functions>,
    /// The pump being planned.
    pub(super) pump: Option<usize>,
}

impl StreamEntry {
    /// Its columns as a query reads them.
    pub(super) fn columns(&self, span: Span) -> Vec<FlowColumn> {
        let column = |(place, column): (usize, &StreamColumn)| FlowColumn {
            name: column.name.clone(),
            value: Typed { expr: Expr::Column(place), data_type: Type::Sql(column.sql_type) },
            hidden: column.hidden,
            span,
        };
        self.columns.iter().enumerate().map(column).collect()
    }
}

impl Graph {
    /// Adds a node without an input.
    pub(super) fn node(&mut self, operator: Operator) -> NodeId {
        self.nodes.push(Node { operator, targets: Vec::new(), pump: self.pump });
        self.nodes.len() - 1
    }

    /// Adds a node that reads another.
    pub(super) fn add(&mut self, operator: Operator, input: NodeId) -> NodeId {
        let node = self.node(operator);
        self.nodes[input].targets.push(Target { node, port: 0 });
        node
    }

    pub(super) fn stream(&self, name: &Name) -> Result<&StreamEntry, SqlError> {
        self.streams.get(&name.text).ok_or_else(|| {
            if self.table(&name.text).is_some() {
                return name.span.error(format!(
                    "'{}' is a reference table: a stream can be joined with it, and no more",
                    name.text
                ));
            }
            let known = self.streams.keys().chain(self.tables.iter().map(|table| &table.source.name));
            let similar = known.filter(|known| known.eq_ignore_ascii_case(&name.text)).min();
            let hint = similar.map_or(String::new(), |known| format!(": did you mean \"{known}\"?"));
            name.span.error(format!("Table '{}' not found{hint}", name.text))
        })
    }

    /// Takes off all nodes from this one on.
    pub(super) fn truncate(&mut self, nodes: usize) {
        self.nodes.truncate(nodes);
        self.nodes.iter_mut().for_each(|node| node.targets.retain(|target| target.node < nodes));
    }

    /// Whether rows of one node come to another.
    pub(super) fn reaches(&self, from: NodeId, to: NodeId) -> bool {
        let mut seen = vec![false; self.nodes.len()];
        let mut next = vec![from];
        while let Some(node) = next.pop() {
            if !std::mem::replace(&mut seen[node], true) {
                next.extend(self.nodes[node].targets.iter().map(|target| target.node));
            }
        }
        seen[to]
    }

    /// Binds the expressions of a query.
    pub(super) fn binder<'s>(&self, scope: &'s Scope) -> Binder<'s> {
        let mut binder = Binder::new(scope);
        binder.functions = self.functions.clone();
        binder
    }
}
