//! What names mean in a query.

use super::query::FlowColumn;
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::{Expr, RecordField};
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
/// How many fields of a record an error names.
const MAX_NAMES: usize = 20;

impl Scope {
    /// What a column's path stands for.
    pub(super) fn resolve(&self, path: &[Name], span: Span) -> Result<Typed, SqlError> {
        let is_relation = |name: &Name| self.relation(name).is_ok();
        let (relation, column, field) = match path {
            [column] => (None, column, None),
            [record, field] if !is_relation(record) && self.has_record(&record.text) => (None, record, Some(field)),
            [relation, column] => (Some(self.relation(relation)?), column, None),
            [relation, record, field] => (Some(self.relation(relation)?), record, Some(field)),
            _ => return Err(span.error("A column has a table, a name and, in a record, a field: no more parts")),
        };
        let relations = relation.map_or(&self.relations[..], std::slice::from_ref);
        let mut found = relations.iter().filter_map(|relation| relation.column(&column.text));
        if let Some(first) = found.next() {
            return match (found.next(), field) {
                (Some(_), _) => Err(span.error(format!("Column '{}' is ambiguous", column.text))),
                (None, Some(field)) => field_of(first, field),
                (None, None) => Ok(first.value.clone()),
            };
        }
        if column.text == ROWTIME
            && let Some(expr) = relation.map_or(Some(Expr::Rowtime), |relation| relation.rowtime.clone())
        {
            return Ok(Typed { expr, data_type: Type::TIMESTAMP });
        }
        Err(match path {
            [relation, _, ..] => span.error(format!("Column '{}' not found in table '{}'", column.text, relation.text)),
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

    /// Whether a column of this name is a record.
    fn has_record(&self, name: &str) -> bool {
        let mut columns = self.relations.iter().filter_map(|relation| relation.column(name));
        columns.any(|column| column.value.data_type == Type::Record)
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

/// A field of a column that is a record.
fn field_of(column: &FlowColumn, field: &Name) -> Result<Typed, SqlError> {
    let Expr::Record(fields) = &column.value.expr else {
        return Err(field
            .span
            .error(format!("Column '{}' is no record: it has no field '{}'", column.name, field.text)));
    };
    let found = fields.iter().find(|known| known.name == field.text);
    let found =
        found.map(|RecordField { sql_type, expr, .. }| Typed { expr: expr.clone(), data_type: Type::Sql(*sql_type) });
    found.ok_or_else(|| {
        let names: Vec<&str> = fields.iter().take(MAX_NAMES).map(|field| field.name.as_str()).collect();
        let more = if fields.len() > MAX_NAMES { ", …" } else { "" };
        let message = format!("Field '{}' not found in record '{}'", field.text, column.name);
        field.span.error(format!("{message}: it has {}{more}", names.join(", ")))
    })
}
