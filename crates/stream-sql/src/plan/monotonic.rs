//! Which expressions ascend (or descend) with the rows of a stream ("Monotonic expressions and operators").

use std::cmp::Ordering;

use crate::expression::{Arithmetic, Expr, Function, compare};
use crate::syntax::tree::Binary;
use crate::value::{Datum, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Constant,
    Up,
    Down,
}

impl Direction {
    fn reverse(self) -> Direction {
        match self {
            Direction::Constant => Direction::Constant,
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        }
    }

    /// Of the sum of two.
    fn with(self, other: Direction) -> Option<Direction> {
        match (self, other) {
            (Direction::Constant, other) | (other, Direction::Constant) => Some(other),
            (one, other) => (one == other).then_some(one),
        }
    }
}

/// Which way an expression goes; `None` if any.
pub(super) fn direction(expr: &Expr) -> Option<Direction> {
    direction_over(expr, &[])
}

/// The same of the body of a function: its columns are arguments that go these ways.
fn direction_over(expr: &Expr, args: &[Option<Direction>]) -> Option<Direction> {
    let direction = |expr| direction_over(expr, args);
    Some(match expr {
        Expr::Column(place) => (*args.get(*place)?)?,
        Expr::Apply(body, args) => {
            let args: Vec<_> = args.iter().map(direction).collect();
            direction_over(&body.expr, &args)?
        }
        Expr::Rowtime => Direction::Up,
        Expr::Literal(_) => Direction::Constant,
        Expr::Round { expr, .. } | Expr::StepTime { expr, .. } => direction(expr)?,
        Expr::Call(Function::Floor | Function::Ceil | Function::UnixTimestamp | Function::ToTimestamp, args) => {
            direction(args.first()?)?
        }
        Expr::Call(Function::Step, args) => match &args[..] {
            [value, Expr::Literal(_)] => direction(value)?,
            _ => return None,
        },
        Expr::Call(Function::Negate, args) => direction(args.first()?)?.reverse(),
        // MONOTONIC(e) is taken at its word.
        Expr::Call(Function::Identity, _) => Direction::Up,
        // SUBSTRING(m FROM 0 FOR c): the start of what ascends.
        Expr::Call(Function::Substring, args) => match &args[..] {
            [text, Expr::Literal(Value::Integer(0 | 1)), Expr::Literal(_)] => direction(text)?,
            _ => return None,
        },
        // Times ascend as their texts do; numbers do not.
        Expr::Cast { expr, to, .. } => match direction(expr)? {
            way if !to.is_text() || matches!(**expr, Expr::Rowtime) => way,
            Direction::Constant => Direction::Constant,
            _ => return None,
        },
        Expr::Arithmetic(operation, left, right) => {
            arithmetic(*operation, (left, direction(left)?), (right, direction(right)?))?
        }
        _ => return None,
    })
}

fn arithmetic(
    operation: Arithmetic,
    (left, l): (&Expr, Direction),
    (right, r): (&Expr, Direction),
) -> Option<Direction> {
    match operation {
        Arithmetic::Shift { back: true, .. } | Arithmetic::Difference { .. } => l.with(r.reverse()),
        Arithmetic::Shift { .. } => l.with(r),
        Arithmetic::Integer(operator)
        | Arithmetic::Double(operator)
        | Arithmetic::Decimal(operator, _)
        | Arithmetic::Interval(operator)
        | Arithmetic::Scale(operator) => match operator {
            Binary::Add => l.with(r),
            Binary::Subtract => l.with(r.reverse()),
            Binary::Multiply if r == Direction::Constant => by_sign(l, right),
            Binary::Multiply if l == Direction::Constant => by_sign(r, left),
            Binary::Divide if r == Direction::Constant => by_sign(l, right),
            _ => None,
        },
    }
}

fn by_sign(direction: Direction, factor: &Expr) -> Option<Direction> {
    let Expr::Literal(value) = factor else { return None };
    let zero = if matches!(value, Value::Interval(_)) { Datum::Interval(0) } else { Datum::Integer(0) };
    match compare(&value.borrow(), &zero)? {
        Ordering::Greater => Some(direction),
        Ordering::Less => Some(direction.reverse()),
        Ordering::Equal => None,
    }
}
