//! `exists`.

use tantivy::query::{ConstScoreQuery, ExistsQuery};

use crate::mapping::FieldType;
use crate::search::field::{Field, inside};
use crate::split::schema::{column, name_term};

use super::term::union;
use super::{Lowered, Lowering, all, none};

impl Lowering<'_> {
    pub(super) fn exists(&mut self, field: &str) -> Lowered {
        let mut paths: Vec<(String, bool)> = Vec::new();
        match Field::resolve(self.mapping, field) {
            Field::Leaf { path, kind } => paths.push((path.into(), is_text(kind))),
            Field::Copy { path } => paths.push((path.into(), false)),
            Field::Object => {
                paths.extend(inside(self.mapping, field).map(|(path, kind)| (path.to_string(), is_text(kind))));
            }
            Field::Id | Field::Index | Field::SeqNo => return all(),
            Field::Unmapped => return none(),
        }
        let mut any = Vec::new();
        for (path, text) in paths {
            // Text whose exact copy is missing, or too long, stands in `_field_names`.
            if text {
                any.push(self.exact(name_term(&path)));
            }
            any.push(Box::new(ExistsQuery::new(column(&path), false)));
            self.wanted.columns.insert(path);
        }
        Box::new(ConstScoreQuery::new(union(any), 1.0))
    }
}

fn is_text(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Text { .. })
}
