//! `+ - * /`, FLOOR, CEIL and EXTRACT: by the types of their operands.

use super::expression::Binder;
use super::function::cannot_apply_function;
use super::types::{Type, Typed};
use crate::datetime::calendar::Unit;
use crate::datetime::interval::Qualifier;
use crate::error::SqlError;
use crate::expression::{Arithmetic, Expr};
use crate::syntax::tree::{self, Binary, Span};
use crate::value::{SqlType, Value};

type Bound = Result<Typed, SqlError>;

fn boxed(typed: Typed) -> Box<Expr> {
    Box::new(typed.expr)
}

impl Binder<'_> {
    pub(super) fn arithmetic(&mut self, operator: Binary, left: Typed, right: Typed, span: Span) -> Bound {
        use Binary::{Add, Divide, Multiply, Subtract};
        let types = (left.data_type, right.data_type);
        let (operation, data_type) = match types {
            (Type::Null, other) | (other, Type::Null) => {
                return Ok(Typed { expr: Expr::Literal(Value::Null), data_type: other });
            }
            (Type::Sql(l), Type::Sql(r)) if l.is_numeric() && r.is_numeric() => {
                let result = match operator {
                    Multiply => Type::product(l, r),
                    Divide => Type::quotient(l, r),
                    _ => Type::sum(l, r),
                };
                let operation = match result {
                    SqlType::Decimal { scale, .. } => Arithmetic::Decimal(operator, scale),
                    SqlType::Double | SqlType::Real => Arithmetic::Double(operator),
                    _ => Arithmetic::Integer(operator),
                };
                (operation, Type::Sql(result))
            }
            (Type::Interval(l), Type::Interval(r)) if l.is_like(r) && matches!(operator, Add | Subtract) => {
                (Arithmetic::Interval(operator), Type::Interval(l.join(r)))
            }
            (Type::Interval(qualifier), number) if number.is_numeric() && matches!(operator, Multiply | Divide) => {
                (Arithmetic::Scale(operator), Type::Interval(qualifier))
            }
            (number, Type::Interval(qualifier)) if number.is_numeric() && operator == Multiply => {
                (Arithmetic::Scale(operator), Type::Interval(qualifier))
            }
            (datetime, Type::Interval(qualifier)) if datetime.is_datetime() && matches!(operator, Add | Subtract) => {
                (Arithmetic::Shift { months: qualifier.is_months(), back: operator == Subtract }, datetime)
            }
            (Type::Interval(qualifier), datetime) if datetime.is_datetime() && operator == Add => {
                let operation = Arithmetic::Shift { months: qualifier.is_months(), back: false };
                return Ok(Typed { expr: Expr::Arithmetic(operation, boxed(right), boxed(left)), data_type: datetime });
            }
            _ => {
                let name = match operator {
                    Add => "+",
                    Subtract => "-",
                    Multiply => "*",
                    _ => "/",
                };
                return Err(self.cannot_apply(name, span, &[types.0, types.1]));
            }
        };
        Ok(Typed { expr: Expr::Arithmetic(operation, boxed(left), boxed(right)), data_type })
    }

    pub(super) fn difference(
        &mut self,
        left: &tree::Expr,
        right: &tree::Expr,
        qualifier: Qualifier,
        span: Span,
    ) -> Bound {
        let (left, right) = (self.bind(left)?, self.bind(right)?);
        if !left.data_type.is_datetime() || !right.data_type.is_datetime() {
            return Err(self.cannot_apply("-", span, &[left.data_type, right.data_type]));
        }
        if left.data_type.join(right.data_type).is_none() {
            return Err(span.error("Parameters must be of the same type"));
        }
        let operation = Arithmetic::Difference { months: qualifier.is_months() };
        Ok(Typed { expr: Expr::Arithmetic(operation, boxed(left), boxed(right)), data_type: Type::Interval(qualifier) })
    }

    pub(super) fn round(&mut self, up: bool, expr: &tree::Expr, unit: Unit, span: Span) -> Bound {
        let value = self.bind(expr)?;
        let fits = match value.data_type {
            Type::Interval(qualifier) => qualifier.is_months() == unit.is_months(),
            Type::Sql(SqlType::Time) => unit > Unit::Day,
            other => other.is_datetime(),
        };
        if !fits {
            let name = if up { "CEIL" } else { "FLOOR" };
            let message = cannot_apply_function(name, &[value.data_type]);
            return Err(span.error(format!("{message}: it has no {}", unit.name())));
        }
        Ok(Typed { data_type: value.data_type, expr: Expr::Round { up, unit, expr: boxed(value) } })
    }

    pub(super) fn extract(&mut self, unit: Unit, expr: &tree::Expr, span: Span) -> Bound {
        let value = self.bind(expr)?;
        let interval = match value.data_type {
            Type::Interval(qualifier) if qualifier.is_months() == unit.is_months() => Some(qualifier),
            Type::Sql(SqlType::Time) if unit <= Unit::Day => {
                return Err(span.error(cannot_apply_function("EXTRACT", &[value.data_type])));
            }
            other if other.is_datetime() => None,
            other => return Err(span.error(cannot_apply_function("EXTRACT", &[other]))),
        };
        let data_type = match unit {
            Unit::Second => Type::Sql(SqlType::Decimal { precision: 5, scale: 3 }),
            _ => Type::BIGINT,
        };
        Ok(Typed { expr: Expr::Extract { unit, interval, expr: boxed(value) }, data_type })
    }
}
