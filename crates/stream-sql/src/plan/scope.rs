//! What names mean in a query.

use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::Expr;
use crate::syntax::tree::{Name, Span};

/// The relation a query reads from. Its columns are expressions over the rows that come in, so that a query in FROM needs no rows
/// of its own.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The stream's name or its alias; a query may have none.
    pub(super) name: Option<String>,
    pub(super) columns: Vec<ScopeColumn>,
}

#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    pub(super) name: String,
    pub(super) value: Typed,
    /// Not part of `*`.
    pub(super) hidden: bool,
}

const ROWTIME: &str = "ROWTIME";

impl Scope {
    /// What a column's path stands for.
    pub(super) fn resolve(&self, path: &[Name], span: Span) -> Result<Typed, SqlError> {
        let (relation, column) = match path {
            [column] => (None, column),
            [relation, column] => (Some(relation), column),
            _ => return Err(span.error("A column of a record is not supported")),
        };
        if let Some(relation) = relation {
            self.check_name(relation)?;
        }
        if let Some(found) = self.columns.iter().find(|known| known.name == column.text) {
            return Ok(found.value.clone());
        }
        if column.text == ROWTIME {
            return Ok(Typed { expr: Expr::Rowtime, data_type: Type::TIMESTAMP });
        }
        Err(match relation {
            Some(relation) => span.error(format!("Column '{}' not found in table '{}'", column.text, relation.text)),
            None => span.error(format!("Column '{}' not found in any table{}", column.text, self.hint(column))),
        })
    }

    pub(super) fn check_name(&self, relation: &Name) -> Result<(), SqlError> {
        if self.name.as_deref() == Some(&relation.text) {
            return Ok(());
        }
        Err(relation.span.error(format!("Table '{}' not found", relation.text)))
    }

    /// The usual mistake: a name in small letters without its quotes.
    fn hint(&self, name: &Name) -> String {
        let similar = self.columns.iter().find(|known| known.name.eq_ignore_ascii_case(&name.text));
        similar.map_or(String::new(), |known| format!(": did you mean \"{}\"?", known.name))
    }
}
