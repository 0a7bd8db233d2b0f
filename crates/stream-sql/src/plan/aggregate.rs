//! Expressions over groups: their leaves are group keys and aggregates.

use super::expression::{Binder, Place};
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::Expr;
use crate::operator::{Aggregate, AggregateFunction, Number};
use crate::syntax::tree::{self, Call, ExprKind, Span};
use crate::value::SqlType;

/// The groups of a query. A group's row has the keys first, then the aggregates.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    pub(super) keys: Vec<Typed>,
    pub(super) aggregates: Vec<(Aggregate, Type)>,
}

/// The aggregate of this name.
pub(super) fn is_aggregate(name: &str) -> bool {
    matches!(
        name,
        "COUNT"
            | "SUM"
            | "AVG"
            | "MIN"
            | "MAX"
            | "FIRST_VALUE"
            | "LAST_VALUE"
            | "ANY"
            | "EVERY"
            | "STDDEV"
            | "STD_DEV"
            | "STDDEV_POP"
            | "STDDEV_SAMP"
            | "VAR_POP"
            | "VAR_SAMP"
    )
}

impl Binder<'_> {
    /// An expression that is an aggregate or a group key; `None` if it is made of such.
    pub(super) fn of_group(&mut self, expr: &tree::Expr) -> Result<Option<Typed>, SqlError> {
        if let ExprKind::Call(call) = &expr.kind
            && call.over.is_none()
            && is_aggregate(&call.name.text)
        {
            return self.aggregate(call, expr.span).map(Some);
        }
        let Some(grouping) = self.grouping.take() else { return Ok(None) };
        // What does not bind over the rows is no key; why, the leaves will say.
        let bound = self.bind(expr).ok();
        let place = bound.as_ref().and_then(|bound| grouping.keys.iter().position(|key| key.expr == bound.expr));
        let found = match place {
            Some(place) => Some(Typed { expr: Expr::Column(place), data_type: grouping.keys[place].data_type }),
            // ROWTIME unqualified is that of the row about to be generated.
            None if expr.is_rowtime() => bound,
            None => None,
        };
        self.grouping = Some(grouping);
        Ok(found)
    }

    fn aggregate(&mut self, call: &Call, span: Span) -> Result<Typed, SqlError> {
        if call.nulls == Some(tree::Nulls::Respect) {
            return Err(span.error("RESPECT NULLS without OVER is not supported"));
        }
        let Some(mut grouping) = self.grouping.take() else {
            return Err(span.error(match self.place {
                Place::Where => "Aggregate expression is illegal in WHERE clause".to_owned(),
                Place::GroupBy => "Aggregate expression is illegal in GROUP BY clause".to_owned(),
                Place::Aggregate => "Aggregate expressions cannot be nested".to_owned(),
                Place::Other => format!("Aggregate expression {} is illegal: there is no GROUP BY", call.name.text),
            }));
        };
        let place = std::mem::replace(&mut self.place, Place::Aggregate);
        let bound = self.aggregate_of(call, span);
        self.place = place;
        let result = bound.map(|(aggregate, data_type)| {
            let known = grouping.aggregates.iter().position(|(known, _)| *known == aggregate);
            let place = known.unwrap_or_else(|| {
                grouping.aggregates.push((aggregate, data_type));
                grouping.aggregates.len() - 1
            });
            Typed { expr: Expr::Column(grouping.keys.len() + place), data_type }
        });
        self.grouping = Some(grouping);
        result
    }

    /// An aggregate over rows, and the type of its result.
    pub(super) fn aggregate_of(&mut self, call: &Call, span: Span) -> Result<(Aggregate, Type), SqlError> {
        let name = call.name.text.as_str();
        if call.distinct.is_some() && matches!(name, "COUNT" | "FIRST_VALUE" | "LAST_VALUE" | "ANY" | "EVERY") {
            return Err(span.error(format!("{name}(DISTINCT …) is not supported")));
        }
        // The least and the greatest value are the same with and without.
        let distinct = call.distinct.is_some() && !matches!(name, "MIN" | "MAX");
        if call.star {
            return if name == "COUNT" {
                Ok((Aggregate { function: AggregateFunction::Count, arg: None, distinct }, Type::BIGINT))
            } else {
                Err(span.error(format!("{name}(*) is not supported: only COUNT(*) is")))
            };
        }
        let [arg] = &call.args[..] else {
            return Err(super::function::wrong_count(name, 1, span));
        };
        let bound = self.bind(arg)?;
        let data_type = bound.data_type;
        let (takes, function, result) = match name {
            "COUNT" => (true, AggregateFunction::Count, Type::BIGINT),
            "SUM" | "AVG" => {
                let (number, result) = number_of(data_type, name == "AVG");
                let function =
                    if name == "SUM" { AggregateFunction::Sum(number) } else { AggregateFunction::Average(number) };
                (data_type.is_numeric(), function, result)
            }
            "MIN" => (true, AggregateFunction::Min, data_type),
            "MAX" => (true, AggregateFunction::Max, data_type),
            "FIRST_VALUE" => (true, AggregateFunction::First, data_type),
            "LAST_VALUE" => (true, AggregateFunction::Last, data_type),
            "ANY" => (data_type.is_boolean(), AggregateFunction::Any, Type::BOOLEAN),
            "EVERY" => (data_type.is_boolean(), AggregateFunction::Every, Type::BOOLEAN),
            "VAR_POP" | "VAR_SAMP" => {
                (data_type.is_numeric(), AggregateFunction::Variance { sample: name == "VAR_SAMP" }, Type::DOUBLE)
            }
            // STDDEV is STDDEV_SAMP.
            _ => (data_type.is_numeric(), AggregateFunction::Deviation { sample: name != "STDDEV_POP" }, Type::DOUBLE),
        };
        if !takes {
            return Err(span.error(super::function::cannot_apply_function(name, &[data_type])));
        }
        Ok((Aggregate { function, arg: Some(bound.expr), distinct }, result))
    }
}

/// How a sum or an average is computed, and its type. Those of whole numbers are whole.
fn number_of(data_type: Type, average: bool) -> (Number, Type) {
    match data_type {
        Type::Sql(SqlType::Decimal { scale, .. }) => {
            (Number::Decimal(scale), Type::Sql(SqlType::Decimal { precision: 18, scale }))
        }
        Type::Sql(SqlType::Real | SqlType::Double) => (Number::Double, Type::DOUBLE),
        _ if average => (Number::Whole, data_type),
        _ => (Number::Whole, Type::BIGINT),
    }
}
