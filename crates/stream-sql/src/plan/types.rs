//! Types of expressions and the rules that combine them ("Numeric types and precision").

use std::fmt;

use crate::datetime::interval::Qualifier;
use crate::expression::{Expr, Kind};
use crate::value::SqlType;

/// Digits of a DECIMAL that a calculation may reach.
const MAX_DECIMAL: u8 = 18;

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Type {
    /// Of NULL: becomes any other.
    Null,
    Sql(SqlType),
    Interval(Qualifier),
    /// Its fields are those of the expression. It is selected, handed on and asked whether it is NULL; all else is for its fields.
    Record,
}

/// A bound expression and its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Typed {
    pub(crate) expr: Expr,
    pub(crate) data_type: Type,
}

impl Type {
    pub(crate) const BOOLEAN: Type = Type::Sql(SqlType::Boolean);
    pub(crate) const BIGINT: Type = Type::Sql(SqlType::BigInt);
    pub(crate) const DOUBLE: Type = Type::Sql(SqlType::Double);
    pub(crate) const TIMESTAMP: Type = Type::Sql(SqlType::Timestamp);

    pub(crate) fn is(self, test: impl Fn(SqlType) -> bool) -> bool {
        match self {
            Type::Null => true,
            Type::Sql(sql_type) => test(sql_type),
            Type::Interval(_) | Type::Record => false,
        }
    }

    pub(crate) fn is_numeric(self) -> bool {
        self.is(SqlType::is_numeric)
    }

    pub(crate) fn is_integer(self) -> bool {
        self.is(SqlType::is_integer)
    }

    pub(crate) fn is_text(self) -> bool {
        self.is(SqlType::is_text)
    }

    pub(crate) fn is_boolean(self) -> bool {
        self.is(|sql_type| sql_type == SqlType::Boolean)
    }

    pub(crate) fn is_datetime(self) -> bool {
        self.is(|sql_type| matches!(sql_type, SqlType::Date | SqlType::Time | SqlType::Timestamp))
    }

    /// Whether values of both can be compared.
    pub(crate) fn is_comparable(self, other: Type) -> bool {
        match (self, other) {
            (Type::Null, _) | (_, Type::Null) => true,
            (Type::Interval(left), Type::Interval(right)) => left.is_like(right),
            (Type::Sql(left), Type::Sql(right)) => {
                left == right
                    || (left.is_numeric() && right.is_numeric())
                    || (left.is_text() && right.is_text())
                    || matches!(
                        (left, right),
                        (SqlType::Date, SqlType::Timestamp) | (SqlType::Timestamp, SqlType::Date)
                    )
            }
            _ => false,
        }
    }

    /// Whether a value can be put into a column.
    pub(crate) fn is_assignable(self, to: SqlType) -> bool {
        match self {
            Type::Null => true,
            Type::Interval(_) | Type::Record => false,
            Type::Sql(from) => from == to || (from.is_numeric() && to.is_numeric()) || (from.is_text() && to.is_text()),
        }
    }

    /// The family that messages name.
    pub(crate) fn family(self) -> &'static str {
        match self {
            Type::Null => "NULL",
            Type::Record => "RECORD",
            Type::Interval(qualifier) if qualifier.is_months() => "INTERVAL_YEAR_MONTH",
            Type::Interval(_) => "INTERVAL_DAY_TIME",
            Type::Sql(SqlType::Boolean) => "BOOLEAN",
            Type::Sql(SqlType::Date) => "DATE",
            Type::Sql(SqlType::Time) => "TIME",
            Type::Sql(SqlType::Timestamp) => "TIMESTAMP",
            Type::Sql(sql_type) if sql_type.is_text() => "CHARACTER",
            Type::Sql(_) => "NUMERIC",
        }
    }

    /// How CAST reads its values.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Type::Interval(qualifier) => Kind::Interval(qualifier),
            _ => Kind::Plain,
        }
    }

    /// The type that holds both, as branches of CASE need.
    pub(crate) fn join(self, other: Type) -> Option<Type> {
        Some(match (self, other) {
            (Type::Null, other) | (other, Type::Null) => other,
            (Type::Interval(left), Type::Interval(right)) if left.is_like(right) => Type::Interval(left.join(right)),
            (Type::Sql(left), Type::Sql(right)) if left == right => self,
            (Type::Sql(left), Type::Sql(right)) if left.is_numeric() && right.is_numeric() => {
                Type::Sql(numeric(left, right, |p1, s1, p2, s2| {
                    let scale = s1.max(s2);
                    ((p1 - s1).max(p2 - s2) + scale, scale)
                }))
            }
            (Type::Sql(left), Type::Sql(right)) if left.is_text() && right.is_text() => {
                Type::Sql(SqlType::Varchar { length: length(left).max(length(right)) })
            }
            _ => return None,
        })
    }

    /// The type of `+` and `-` of numbers.
    pub(crate) fn sum(left: SqlType, right: SqlType) -> SqlType {
        numeric(left, right, |p1, s1, p2, s2| {
            let scale = s1.max(s2);
            ((p1 - s1).max(p2 - s2) + scale + 1, scale)
        })
    }

    pub(crate) fn product(left: SqlType, right: SqlType) -> SqlType {
        numeric(left, right, |p1, s1, p2, s2| (p1 + p2, s1 + s2))
    }

    pub(crate) fn quotient(left: SqlType, right: SqlType) -> SqlType {
        numeric(left, right, |p1, s1, p2, s2| {
            let scale = (s1 + p2 + 1).max(6);
            (p1 - s1 + s2 + scale, scale)
        })
    }
}

/// A value as a column or a parameter of a type holds it; it must be assignable.
pub(crate) fn fitted(value: Typed, to: SqlType) -> Typed {
    let fits = match (value.data_type, to) {
        // A CHAR is filled up with blanks.
        (Type::Sql(from), SqlType::Char { .. }) => from == to,
        (Type::Sql(from), to) if from.is_text() => length(from) <= length(to),
        (Type::Sql(from), to) => {
            from == to
                && !matches!(
                    from,
                    SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::Real | SqlType::Decimal { .. }
                )
        }
        _ => true,
    };
    // Calculations are wider than their types: whoever stores a value makes it fit.
    let is_stored = matches!(value.expr, Expr::Column(_) | Expr::Literal(_)) && value.data_type == Type::Sql(to);
    if fits || is_stored { value } else { super::function::cast_of(value, to) }
}

/// The length of a text type.
pub(crate) fn length(sql_type: SqlType) -> u32 {
    match sql_type {
        SqlType::Char { length } | SqlType::Varchar { length } => length,
        _ => 0,
    }
}

/// Mixed numbers: the type of the greatest precision; of decimals (p1, s1) and (p2, s2) as `decimal` says, cut to 18 digits.
fn numeric(left: SqlType, right: SqlType, decimal: impl Fn(u16, u16, u16, u16) -> (u16, u16)) -> SqlType {
    let rank = |sql_type| match sql_type {
        SqlType::TinyInt => 0,
        SqlType::SmallInt => 1,
        SqlType::Integer => 2,
        SqlType::BigInt => 3,
        SqlType::Decimal { .. } => 4,
        SqlType::Real => 5,
        _ => 6,
    };
    let wider = if rank(left) >= rank(right) { left } else { right };
    match wider {
        // 32 bits lose what the other side had.
        SqlType::Real if rank(left) != rank(right) => SqlType::Double,
        SqlType::Decimal { .. } => {
            let ((p1, s1), (p2, s2)) = (digits(left), digits(right));
            let (precision, scale) = decimal(p1, s1, p2, s2);
            let whole = precision.saturating_sub(scale).min(u16::from(MAX_DECIMAL));
            let scale = scale.min(u16::from(MAX_DECIMAL) - whole);
            SqlType::Decimal { precision: (whole + scale).max(1) as u8, scale: scale as u8 }
        }
        other => other,
    }
}

/// Precision and scale of a number that is exact.
fn digits(sql_type: SqlType) -> (u16, u16) {
    match sql_type {
        SqlType::TinyInt => (3, 0),
        SqlType::SmallInt => (5, 0),
        SqlType::Integer => (10, 0),
        SqlType::Decimal { precision, scale } => (u16::from(precision), u16::from(scale)),
        _ => (18, 0),
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Null => f.write_str("NULL"),
            Type::Sql(sql_type) => sql_type.fmt(f),
            Type::Interval(qualifier) => write!(f, "INTERVAL {qualifier}"),
            Type::Record => f.write_str("RECORD"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_numbers() {
        let decimal = |precision, scale| SqlType::Decimal { precision, scale };
        assert_eq!(Type::quotient(decimal(2, 1), SqlType::Integer), decimal(13, 12));
        assert_eq!(Type::sum(decimal(2, 1), decimal(4, 3)), decimal(5, 3));
        assert_eq!(Type::product(decimal(2, 1), decimal(4, 3)), decimal(6, 4));
        assert_eq!(Type::sum(SqlType::Integer, SqlType::BigInt), SqlType::BigInt);
        assert_eq!(Type::sum(SqlType::Real, SqlType::Integer), SqlType::Double);
        assert_eq!(Type::product(decimal(18, 9), decimal(18, 9)), decimal(18, 0));
    }
}
