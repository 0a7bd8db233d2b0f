//! Hashes under which equal values fall together, whatever their types: 1 = 1.0, and a date is its midnight.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::datetime::DAY;
use crate::expression::{Expr, Row, to_double};
use crate::value::Datum;

/// What the values of some expressions can equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Hashed {
    /// Values of this hash.
    Value(u64),
    /// Nothing: one of them is NULL.
    Null,
    /// One of them could not be computed: so whether it is needed must be tried.
    Failed,
}

impl Hashed {
    pub(crate) fn of<'e>(keys: impl IntoIterator<Item = &'e Expr>, row: Row<'_>) -> Hashed {
        let mut hasher = FxHasher::default();
        let mut failed = false;
        for key in keys {
            match key.eval(row) {
                Ok(Datum::Null) => return Hashed::Null,
                Ok(value) => hash(&value, &mut hasher),
                Err(_) => failed = true,
            }
        }
        if failed { Hashed::Failed } else { Hashed::Value(hasher.finish()) }
    }
}

fn hash(value: &Datum<'_>, state: &mut FxHasher) {
    match value {
        Datum::Null => {}
        Datum::Boolean(value) => state.write_u8(u8::from(*value)),
        Datum::Integer(_) | Datum::Double(_) => state.write_u64(bits(to_double(value))),
        // 1.50 = 1.5
        Datum::Decimal(digits, scale) => {
            let (mut digits, mut scale) = (*digits, *scale);
            while scale > 0 && digits % 10 == 0 {
                (digits, scale) = (digits / 10, scale - 1);
            }
            let number = if scale == 0 { Datum::Integer(digits) } else { Datum::Decimal(digits, scale) };
            state.write_u64(bits(to_double(&number)));
        }
        Datum::Text(text) => {
            state.write(text.as_bytes());
            state.write_usize(text.len());
        }
        Datum::Date(days) => state.write_i64(i64::from(*days) * DAY),
        Datum::Time(ms) => state.write_i64(i64::from(*ms)),
        Datum::Timestamp(value) | Datum::Interval(value) => state.write_i64(*value),
    }
}

/// Zero has two signs.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn equal_values_have_one_hash() {
        let of = |value: Value| {
            let key = Expr::Literal(value);
            Hashed::of([&key], Row { rowtime: 0, now: 0, values: &[] })
        };
        for (left, right) in [
            (Value::Integer(1), Value::Double(1.0)),
            (Value::Integer(-7), Value::Decimal(-7_000, 3)),
            (Value::Double(1.25), Value::Decimal(1_250, 3)),
            (Value::Decimal(12_345_678_901_234_567, 0), Value::Decimal(123_456_789_012_345_670, 1)),
            (Value::Double(0.0), Value::Double(-0.0)),
            (Value::Date(1), Value::Timestamp(DAY)),
        ] {
            assert_eq!(of(left.clone()), of(right.clone()), "{left:?} {right:?}");
        }
        assert_ne!(of(Value::Text("a".into())), of(Value::Text("b".into())));
        assert_eq!(of(Value::Null), Hashed::Null);
    }
}
