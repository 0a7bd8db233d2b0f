//! What names mean in a query.

use super::query::FlowColumn;
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::Expr;
use crate::syntax::tree::{Name, Span};

/// The relations a query reads from: one, or those of a join.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) relations: Vec<Relation>,
}

/// Its columns are expressions over the rows that come in, so that a query in FROM needs no rows of its own.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// The stream's name or its alias; a query may have none.
    pub(super) name: Option<String>,
    /// The name of its window: the developer guide calls a stream without an alias by that.
    pub(super) window: Option<String>,
    pub(super) columns: Vec<FlowColumn>,
    /// What `name.ROWTIME` is; a reference table has none. ROWTIME alone is that of the row about to be generated.
    pub(super) rowtime: Option<Expr>,
}

const ROWTIME: &str = "ROWTIME";

impl Scope {
    /// What a column's path stands for.
    pub(super) fn resolve(&self, path: &[Name], span: Span) -> Result<Typed, SqlError> {
        let (relation, column) = match path {
            [column] => (None, column),
            [relation, column] => (Some(self.relation(relation)?), column),
            _ => return Err(span.error("A column of a record is not supported")),
        };
        let relations = relation.map_or(&self.relations[..], std::slice::from_ref);
        let mut found = relations.iter().filter_map(|relation| relation.column(&column.text));
        if let Some(first) = found.next() {
            return match found.next() {
                None => Ok(first.value.clone()),
                Some(_) => Err(span.error(format!("Column '{}' is ambiguous", column.text))),
            };
        }
        if column.text == ROWTIME
            && let Some(expr) = relation.map_or(Some(Expr::Rowtime), |relation| relation.rowtime.clone())
        {
            return Ok(Typed { expr, data_type: Type::TIMESTAMP });
        }
        Err(match path {
            [relation, _] => span.error(format!("Column '{}' not found in table '{}'", column.text, relation.text)),
            _ => span.error(format!("Column '{}' not found in any table{}", column.text, self.hint(column))),
        })
    }

    pub(super) fn relation(&self, name: &Name) -> Result<&Relation, SqlError> {
        let called = |of: fn(&Relation) -> &Option<String>| {
            self.relations.iter().find(|relation| of(relation).as_deref() == Some(&name.text))
        };
        let found = called(|relation| &relation.name).or_else(|| called(|relation| &relation.window));
        found.ok_or_else(|| name.span.error(format!("Table '{}' not found", name.text)))
    }

    /// The usual mistake: a name in small letters without its quotes.
    fn hint(&self, name: &Name) -> String {
        let mut columns = self.relations.iter().flat_map(|relation| &relation.columns);
        let similar = columns.find(|known| known.name.eq_ignore_ascii_case(&name.text));
        similar.map_or(String::new(), |known| format!(": did you mean \"{}\"?", known.name))
    }
}

impl Relation {
    fn column(&self, name: &str) -> Option<&FlowColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}
