//! Evaluation.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::pattern::Pattern;
use super::{Comparison, Expr, Kind, PatternSource, Row, RowError, cast, text};
use crate::datetime::DAY;
use crate::datetime::calendar::{self, Unit};
use crate::datetime::interval::Qualifier;
use crate::syntax::tree::Test;
use crate::value::{Datum, Value};

type Evaluated<'r> = Result<Datum<'r>, RowError>;

impl Expr {
    /// The value for a row.
    pub(crate) fn eval<'r>(&'r self, row: Row<'r>) -> Evaluated<'r> {
        Ok(match self {
            Expr::Column(place) => row.values.get(*place).map_or(Datum::Null, Datum::borrow),
            Expr::Literal(value) => value.borrow(),
            Expr::Rowtime => Datum::Timestamp(row.rowtime),
            Expr::Now => Datum::Timestamp(row.now),
            Expr::And(left, right) => match left.truth(row)? {
                Some(false) => Datum::Boolean(false),
                Some(true) => truth_value(right.truth(row)?),
                None => truth_value(right.truth(row)?.filter(|right| !right)),
            },
            Expr::Or(left, right) => match left.truth(row)? {
                Some(true) => Datum::Boolean(true),
                Some(false) => truth_value(right.truth(row)?),
                None => truth_value(right.truth(row)?.filter(|right| *right)),
            },
            Expr::Not(expr) => truth_value(expr.truth(row)?.map(|value| !value)),
            Expr::Is { expr, test, negated } => Datum::Boolean(is(&expr.eval(row)?, *test) != *negated),
            Expr::Compare(comparison, left, right) => {
                truth_value(compare(&left.eval(row)?, &right.eval(row)?).map(|ordering| comparison.holds(ordering)))
            }
            Expr::Distinct { left, right, negated } => {
                let (left, right) = (left.eval(row)?, right.eval(row)?);
                let same = match compare(&left, &right) {
                    Some(ordering) => ordering == Ordering::Equal,
                    None => left.is_null() && right.is_null(),
                };
                Datum::Boolean(same == *negated)
            }
            Expr::In { expr, list } => truth_value(is_in(&expr.eval(row)?, list, row)?),
            Expr::Case { branches, otherwise } => {
                for (when, then) in branches {
                    if when.truth(row)? == Some(true) {
                        return then.eval(row);
                    }
                }
                return otherwise.eval(row);
            }
            Expr::Arithmetic(operation, left, right) => {
                let (left, right) = (left.eval(row)?, right.eval(row)?);
                if left.is_null() || right.is_null() {
                    return Ok(Datum::Null);
                }
                operation.apply(left, right)?
            }
            Expr::Round { up, unit, expr } => round(expr.eval(row)?, *unit, *up),
            Expr::StepTime { length, months, expr } => step(expr.eval(row)?, *length, *months)?,
            Expr::Extract { unit, interval, expr } => extract(expr.eval(row)?, *unit, *interval),
            Expr::Cast { expr, from, to } => cast(expr.eval(row)?, *from, *to)?,
            Expr::ToInterval { expr, qualifier } => match expr.eval(row)? {
                Datum::Text(text) => Datum::Interval(qualifier.parse(&text).map_err(RowError)?),
                value => value,
            },
            Expr::Match { expr, pattern } => match (expr.eval(row)?, pattern.of(row)?) {
                (Datum::Text(text), Some(pattern)) => Datum::Boolean(pattern.is_match(&text)?),
                _ => Datum::Null,
            },
            Expr::Find { expr, pattern } => match (expr.eval(row)?, pattern.of(row)?) {
                (Datum::Text(text), Some(pattern)) => match pattern.find(&text)? {
                    Some((from, to)) => text::slice(text, from, to),
                    None => Datum::Null,
                },
                _ => Datum::Null,
            },
            Expr::Replace { expr, pattern, rest } => {
                let [replacement, start, occurrence] = &**rest;
                let rest = (replacement.eval(row)?, start.eval(row)?, occurrence.eval(row)?);
                match (expr.eval(row)?, pattern.of(row)?, rest) {
                    (
                        Datum::Text(text),
                        Some(pattern),
                        (Datum::Text(by), Datum::Integer(start), Datum::Integer(nth)),
                    ) => Datum::Text(Cow::Owned(pattern.replace(&text, &by, start, nth)?)),
                    _ => Datum::Null,
                }
            }
            Expr::Call(function, args) => {
                let args = args.iter().map(|arg| arg.eval(row)).collect::<Result<Vec<_>, _>>()?;
                function.call(args)?
            }
            Expr::Format(function, format, expr) => function.call_with(format, expr.eval(row)?)?,
            Expr::Record(fields) => {
                for field in fields {
                    if !field.expr.eval(row)?.is_null() {
                        return Ok(Datum::Boolean(true));
                    }
                }
                Datum::Null
            }
            Expr::Apply(body, args) => {
                let args = args.iter().map(|arg| arg.eval(row)).collect::<Result<Vec<_>, _>>()?;
                if body.null_on_null && args.iter().any(Datum::is_null) {
                    return Ok(Datum::Null);
                }
                Value::from(body.expr.eval(Row { values: &args, ..row })?).into()
            }
        })
    }

    /// The value of a condition: `None` is unknown.
    pub(crate) fn truth(&self, row: Row<'_>) -> Result<Option<bool>, RowError> {
        Ok(match self.eval(row)? {
            Datum::Boolean(value) => Some(value),
            _ => None,
        })
    }
}

impl PatternSource {
    fn of<'r>(&'r self, row: Row<'r>) -> Result<Option<Cow<'r, Pattern>>, RowError> {
        let (kind, pattern, escape) = match self {
            PatternSource::Fixed(pattern) => return Ok(Some(Cow::Borrowed(pattern))),
            PatternSource::Computed { kind, pattern, escape } => (kind, pattern, escape),
        };
        let escape = match escape {
            Some(escape) => match escape.eval(row)? {
                Datum::Text(text) => Some(text),
                _ => return Ok(None),
            },
            None => None,
        };
        match pattern.eval(row)? {
            Datum::Text(text) => {
                Pattern::new(*kind, &text, escape.as_deref()).map(Cow::Owned).map(Some).map_err(RowError)
            }
            _ => Ok(None),
        }
    }
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterEqual => ordering.is_ge(),
        }
    }
}

fn truth_value(value: Option<bool>) -> Datum<'static> {
    value.map_or(Datum::Null, Datum::Boolean)
}

fn is(value: &Datum<'_>, test: Test) -> bool {
    match test {
        Test::Null | Test::Unknown => value.is_null(),
        Test::True => *value == Datum::Boolean(true),
        Test::False => *value == Datum::Boolean(false),
    }
}

fn is_in(value: &Datum<'_>, list: &[Expr], row: Row<'_>) -> Result<Option<bool>, RowError> {
    let mut unknown = value.is_null();
    for item in list {
        match compare(value, &item.eval(row)?) {
            Some(Ordering::Equal) => return Ok(Some(true)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(false) })
}

/// The order of two values of comparable types; `None` where one is NULL.
pub(crate) fn compare(left: &Datum<'_>, right: &Datum<'_>) -> Option<Ordering> {
    use Datum::{Boolean, Date, Decimal, Double, Integer, Interval, Null, Text, Time, Timestamp};
    Some(match (left, right) {
        (Null, _) | (_, Null) => return None,
        (Integer(left), Integer(right)) => left.cmp(right),
        (Text(left), Text(right)) => left.cmp(right),
        (Boolean(left), Boolean(right)) => left.cmp(right),
        (Date(left), Date(right)) | (Time(left), Time(right)) => left.cmp(right),
        (Timestamp(left), Timestamp(right)) | (Interval(left), Interval(right)) => left.cmp(right),
        (Date(left), Timestamp(right)) => (i64::from(*left) * DAY).cmp(right),
        (Timestamp(left), Date(right)) => left.cmp(&(i64::from(*right) * DAY)),
        (Integer(_) | Decimal(..), Integer(_) | Decimal(..)) => {
            let (left, right) = (scaled(left), scaled(right));
            (left.0 * 10i128.pow(right.1)).cmp(&(right.0 * 10i128.pow(left.1)))
        }
        (Double(_) | Integer(_) | Decimal(..), Double(_) | Integer(_) | Decimal(..)) => {
            // Zero has two signs, and is one number.
            (cast::to_double(left) + 0.0).total_cmp(&(cast::to_double(right) + 0.0))
        }
        // The planner lets no other pair through.
        _ => return None,
    })
}

fn scaled(value: &Datum<'_>) -> (i128, u32) {
    match value {
        Datum::Integer(value) => (i128::from(*value), 0),
        Datum::Decimal(digits, scale) => (i128::from(*digits), u32::from(*scale)),
        _ => (0, 0),
    }
}

fn round<'r>(value: Datum<'r>, unit: Unit, up: bool) -> Datum<'r> {
    let apply = |ms| if up { calendar::ceil(ms, unit) } else { calendar::floor(ms, unit) };
    match value {
        Datum::Timestamp(ms) => Datum::Timestamp(apply(ms)),
        // Days, as days are times: what does not fit cannot come out of a day that fitted.
        Datum::Date(days) => Datum::Date((apply(i64::from(days) * DAY) / DAY) as i32),
        Datum::Time(ms) => Datum::Time((apply(i64::from(ms)) % (DAY + 1)) as i32),
        Datum::Interval(length) => {
            let size = unit.length();
            let floor = length.div_euclid(size) * size;
            Datum::Interval(if up && floor != length { floor + size } else { floor })
        }
        _ => Datum::Null,
    }
}

/// `FLOOR((t - epoch) / length) * length + epoch`.
fn step<'r>(value: Datum<'r>, length: i64, months: bool) -> Evaluated<'r> {
    let apply = |ms: i64| {
        if !months {
            return Some(ms.div_euclid(length) * length);
        }
        let (year, month, _) = calendar::civil_from_days(ms.div_euclid(DAY));
        let since = ((year - 1970) * 12 + month - 1).div_euclid(length) * length;
        calendar::add_months(0, since)
    };
    let overflow = || RowError("STEP: the time is out of range".into());
    Ok(match value {
        Datum::Timestamp(ms) => Datum::Timestamp(apply(ms).ok_or_else(overflow)?),
        Datum::Date(days) => {
            let ms = apply(i64::from(days) * DAY).ok_or_else(overflow)?;
            Datum::Date(i32::try_from(ms.div_euclid(DAY)).map_err(|_| overflow())?)
        }
        Datum::Time(ms) => {
            Datum::Time(apply(i64::from(ms)).and_then(|ms| i32::try_from(ms).ok()).ok_or_else(overflow)?)
        }
        _ => Datum::Null,
    })
}

fn extract<'r>(value: Datum<'r>, unit: Unit, interval: Option<Qualifier>) -> Datum<'r> {
    if let (Datum::Interval(length), Some(qualifier)) = (&value, interval) {
        let field = qualifier.field(*length, unit);
        return match unit {
            // SECOND is DECIMAL(5, 3).
            Unit::Second => Datum::Decimal(field * 1_000 + Qualifier::milliseconds(*length), 3),
            _ => Datum::Integer(field),
        };
    }
    let ms = match value {
        Datum::Timestamp(ms) => ms,
        Datum::Date(days) => i64::from(days) * DAY,
        Datum::Time(ms) => i64::from(ms),
        _ => return Datum::Null,
    };
    let (year, month, day) = calendar::civil_from_days(ms.div_euclid(DAY));
    let within = |unit: Unit, next: i64| ms.rem_euclid(next) / unit.length();
    match unit {
        Unit::Year => Datum::Integer(year),
        Unit::Month => Datum::Integer(month),
        Unit::Day => Datum::Integer(day),
        Unit::Hour => Datum::Integer(within(unit, DAY)),
        Unit::Minute => Datum::Integer(within(unit, Unit::Hour.length())),
        Unit::Second => Datum::Decimal(ms.rem_euclid(Unit::Minute.length()), 3),
    }
}

impl Kind {
    /// What text a value of this kind has.
    pub(super) fn text(self, value: &Datum<'_>) -> String {
        match (self, value) {
            (Kind::Interval(qualifier), Datum::Interval(length)) => qualifier.text(*length),
            _ => cast::to_text(value),
        }
    }
}
