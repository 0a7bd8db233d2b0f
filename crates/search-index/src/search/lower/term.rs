//! Exact values: `term`, `terms`, `ids`.

use std::net::IpAddr;

use search_query::date::Bound;
use serde_json::Value;
use tantivy::Term;
use tantivy::query::{BooleanQuery, ConstScoreQuery, TermQuery};
use tantivy::schema::IndexRecordOption;

use crate::Error;
use crate::mapping::FieldType;
use crate::search::field::{Field, wildcard};
use crate::search::text;
use crate::split::schema::{bool_term, double_term, id_term, long_term, string_term, word_term};

use super::number::Number;
use super::{Lowered, Lowering, all, misfit, none};

/// Values of a `terms` query at most (Elasticsearch's `index.max_terms_count`).
const MAX_TERMS: usize = 65_536;

impl Lowering<'_> {
    pub(super) fn term(&mut self, field: &str, value: &Value, case_insensitive: bool) -> Result<Lowered, Error> {
        if case_insensitive && let Some(lowered) = self.term_without_case(field, &text(value)) {
            return Ok(lowered);
        }
        match Field::resolve(self.mapping, field) {
            Field::Leaf { path, kind } => self.leaf_term(field, path, kind, value),
            Field::Copy { path } => Ok(self.exact(string_term(path, &text(value)))),
            Field::Id => Ok(self.exact(id_term(&text(value)))),
            Field::Index => Ok(if wildcard(&text(value), self.index) { all() } else { none() }),
            Field::SeqNo => {
                let bound = Bound::Included(value.clone());
                self.range(field, &bound, &bound, None, None)
            }
            Field::Object | Field::Unmapped => Ok(none()),
        }
    }

    fn leaf_term(&mut self, field: &str, path: &str, kind: &FieldType, value: &Value) -> Result<Lowered, Error> {
        Ok(match kind {
            FieldType::Text { .. } => self.word(path, &text(value)),
            FieldType::Keyword { .. } => self.exact(string_term(path, &text(value))),
            FieldType::Ip => return self.address(path, &text(value)),
            FieldType::Boolean => self.exact(bool_term(path, boolean(value)?)),
            FieldType::Long { .. } => match Number::parse(value)? {
                Number::Whole(whole) => self.exact(long_term(path, whole)),
                Number::Fraction(_) => none(),
            },
            // The engine keeps a floating number that is whole as a whole one.
            FieldType::Double { .. } => match Number::parse(value)? {
                Number::Whole(whole) => self.exact(long_term(path, whole)),
                Number::Fraction(number) if number.abs() < 9e15 => self.exact(double_term(path, number)),
                Number::Fraction(_) => {
                    let bound = Bound::Included(value.clone());
                    return self.range(field, &bound, &bound, None, None);
                }
            },
            FieldType::Date { .. } => {
                let bound = Bound::Included(value.clone());
                return self.range(field, &bound, &bound, None, None);
            }
        })
    }

    /// An address, or all in a block (`10.0.0.0/8`).
    fn address(&mut self, path: &str, value: &str) -> Result<Lowered, Error> {
        if let Some((network, bits)) = value.split_once('/') {
            let block =
                network.parse::<IpAddr>().ok().zip(bits.parse::<u32>().ok()).and_then(|(ip, bits)| block(ip, bits));
            return match block {
                Some((first, last)) => Ok(self.addresses(path, first, last)),
                None => Err(misfit(format!("'{value}' is not an IP block"))),
            };
        }
        match value.parse::<IpAddr>() {
            Ok(address) => Ok(self.exact(string_term(path, &address.to_canonical().to_string()))),
            Err(_) => Err(misfit(format!("'{value}' is not an IP string literal."))),
        }
    }

    pub(super) fn terms(&mut self, field: &str, values: &[Value]) -> Result<Lowered, Error> {
        if values.len() > MAX_TERMS {
            return Err(misfit(format!(
                "The number of terms [{}] used in the Terms Query request has exceeded the allowed maximum of [{MAX_TERMS}]",
                values.len()
            )));
        }
        let outer = std::mem::replace(&mut self.scored, false);
        let each = values.iter().map(|value| self.term(field, value, false)).collect::<Result<Vec<_>, _>>();
        self.scored = outer;
        Ok(Box::new(ConstScoreQuery::new(union(each?), 1.0)))
    }

    pub(super) fn ids(&mut self, values: &[String]) -> Result<Lowered, Error> {
        let values: Vec<Value> = values.iter().map(|id| Value::from(id.as_str())).collect();
        self.terms("_id", &values)
    }

    /// One word of a text field, as it is.
    pub(super) fn word(&mut self, path: &str, word: &str) -> Lowered {
        let term = word_term(path, word);
        self.wanted.terms.entry(term.clone()).or_insert(false);
        Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
    }

    /// One exact value.
    pub(super) fn exact(&mut self, term: Term) -> Lowered {
        self.wanted.terms.entry(term.clone()).or_insert(false);
        Box::new(TermQuery::new(term, IndexRecordOption::Basic))
    }
}

/// Any of some queries.
pub(super) fn union(mut queries: Vec<Lowered>) -> Lowered {
    match queries.len() {
        0 => none(),
        1 => queries.swap_remove(0),
        _ => Box::new(BooleanQuery::union(queries)),
    }
}

pub(super) fn boolean(value: &Value) -> Result<bool, Error> {
    match value {
        Value::Bool(boolean) => Ok(*boolean),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" || text.is_empty() => Ok(false),
        _ => Err(misfit(format!("Can't parse boolean value [{}], expected [true] or [false]", text(value)))),
    }
}

/// First and last address of a block.
fn block(network: IpAddr, bits: u32) -> Option<(IpAddr, IpAddr)> {
    match network {
        IpAddr::V4(network) if bits <= 32 => {
            let host = u32::MAX.checked_shr(bits).unwrap_or(0);
            let first = u32::from(network) & !host;
            Some((IpAddr::V4(first.into()), IpAddr::V4((first | host).into())))
        }
        IpAddr::V6(network) if bits <= 128 => {
            let host = u128::MAX.checked_shr(bits).unwrap_or(0);
            let first = u128::from(network) & !host;
            Some((IpAddr::V6(first.into()), IpAddr::V6((first | host).into())))
        }
        _ => None,
    }
}
