//! Reference tables as a side of a join: a table, or a simple query over one.

use super::graph::Graph;
use super::join::{equals, name_of};
use super::query::{FlowColumn, Input, both, rename, select_list};
use super::scope::{Relation, Scope};
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::Expr;
use crate::operator::{Lookup, Operator};
use crate::syntax::tree::{self, From, JoinKind, Query, Select, Span};
use crate::table::TablePlan;

impl Graph {
    /// The reference table that is read, if it is one.
    pub(super) fn table_of(&self, from: &From) -> Option<usize> {
        match from {
            From::Stream { name, .. } => self.table(&name.text),
            From::Query { query, .. } => match &**query {
                Query::Select(select) => self.table_of(&select.from),
                _ => None,
            },
            From::Join(_) | From::Function { .. } => None,
        }
    }

    /// The number of the reference table of this name.
    pub(super) fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.source.name == name)
    }

    /// A stream whose rows look a table up.
    pub(super) fn look_up(
        &mut self,
        join: &tree::Join,
        stream: Input,
        table: usize,
        from: &From,
        table_first: bool,
    ) -> Result<Input, SqlError> {
        let (offset, width) = (stream.width, self.tables[table].source.columns.len());
        let (relation, filter) = self.table_relation(table, from, offset, join.span)?;
        let mut scope = stream.scope;
        scope.relations.insert(if table_first { 0 } else { scope.relations.len() }, relation);
        let on = join.on.as_ref().map(|on| self.binder(&scope).condition(on, "ON")).transpose()?;
        let on = both(filter, on);
        let index = on.as_ref().and_then(|on| index(&mut self.tables[table], offset, on));
        let lookup = Lookup {
            condition: stream.filter,
            table,
            offset,
            columns: Vec::new(),
            width,
            on,
            index,
            outer: join.kind != JoinKind::Inner,
        };
        let node = self.add(Operator::Lookup(lookup), stream.node);
        Ok(Input { node, width: offset + width, filter: None, scope })
    }

    /// What a table is in a row whose columns from a place on are the table's; and which of its rows are meant.
    fn table_relation(
        &mut self,
        table: usize,
        from: &From,
        offset: usize,
        span: Span,
    ) -> Result<(Relation, Option<Expr>), SqlError> {
        let name = name_of(from);
        let (columns, filter) = match from {
            From::Query { query, columns: names, .. } => {
                let beyond = |span: Span| span.error("A query over a reference table has SELECT, FROM and WHERE alone");
                let Query::Select(select) = &**query else { return Err(beyond(query.span())) };
                if let Some(clause) = clause_beyond(select) {
                    return Err(beyond(clause));
                }
                let (relation, filter) = self.table_relation(table, &select.from, offset, span)?;
                let scope = Scope { relations: vec![relation] };
                let mut binder = self.binder(&scope);
                let condition = select.filter.as_ref().map(|filter| binder.condition(filter, "WHERE")).transpose()?;
                let (mut columns, _) = select_list(&mut binder, select)?;
                rename(&mut columns, names)?;
                (columns, both(filter, condition))
            }
            _ => {
                let span = name.map_or(span, |name| name.span);
                let columns =
                    self.tables[table].source.columns.iter().zip(offset..).map(|(column, place)| FlowColumn {
                        name: column.name.clone(),
                        value: Typed { expr: Expr::Column(place), data_type: Type::Sql(column.sql_type) },
                        hidden: false,
                        span,
                    });
                let mut columns = columns.collect();
                if let From::Stream { columns: names, .. } = from {
                    rename(&mut columns, names)?;
                }
                (columns, None)
            }
        };
        Ok((Relation { name: name.map(|name| name.text.clone()), window: None, columns, rowtime: None }, filter))
    }
}

/// The first clause of a query that is more than SELECT, FROM and WHERE.
fn clause_beyond(select: &Select) -> Option<Span> {
    let clauses = [
        select.distinct,
        select.group_by.as_ref().map(|(span, _)| *span),
        select.stagger.as_ref().map(|stagger| stagger.span),
        select.having.as_ref().map(|(span, _)| *span),
        select.windows.first().map(|(name, _)| name.span),
        select.order_by.as_ref().map(|(span, _)| *span),
    ];
    clauses.into_iter().flatten().next()
}

/// The index of a table for what a condition wants to be equal, and what must equal its keys.
pub(super) fn index(table: &mut TablePlan, offset: usize, condition: &Expr) -> Option<(usize, Vec<Expr>)> {
    let mut pairs = Vec::new();
    equals(condition, offset, offset + table.source.columns.len(), &mut pairs);
    if pairs.is_empty() {
        return None;
    }
    let (of_row, of_table) = pairs.into_iter().map(|[left, right]| (left, right)).unzip();
    Some((table.index_by(offset, of_table), of_row))
}
