//! Tests of periods ("Temporal predicates"): comparisons of their ends.
//!
//! The page has pictures; their words are: LEADS, the left period begins first; LAGS, it ends last; STRICTLY, the two neither begin nor
//! end together; IMMEDIATELY, they do.

use super::expression::Binder;
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::{Comparison, Expr};
use crate::syntax::tree::{self, Binary, ExprKind, PeriodManner, PeriodRelation, PeriodTest, Span};

/// An operand: the ends of a period, or an instant.
enum Operand {
    Period(Typed, Typed),
    Instant(Typed),
}

fn compare(comparison: Comparison, left: &Typed, right: &Typed) -> Expr {
    Expr::Compare(comparison, Box::new(left.expr.clone()), Box::new(right.expr.clone()))
}

fn all(conditions: impl IntoIterator<Item = Expr>) -> Option<Expr> {
    conditions.into_iter().reduce(|left, right| Expr::And(Box::new(left), Box::new(right)))
}

impl Binder<'_> {
    pub(super) fn periods(&mut self, first: &tree::Expr, rest: &[(PeriodTest, tree::Expr)]) -> Result<Typed, SqlError> {
        let mut left = self.operand(first)?;
        let mut conditions = Vec::with_capacity(rest.len());
        for (test, expr) in rest {
            let Operand::Period(start, end) = &left else {
                return Err(first.span.error("expected a period: (start, end)"));
            };
            let right = self.operand(expr)?;
            self.comparable_ends(&left, &right, first.span.until(expr.span))?;
            let condition = match (&right, test) {
                (Operand::Period(from, to), _) => related(*test, (start, end), (from, to)),
                (
                    Operand::Instant(instant),
                    PeriodTest { relation: PeriodRelation::Contains, manner: PeriodManner::Plain },
                ) => all([compare(Comparison::LessEqual, start, instant), compare(Comparison::Less, instant, end)]),
                (Operand::Instant(_), _) => return Err(expr.span.error("expected a period: (start, end)")),
            };
            conditions.extend(condition);
            left = right;
        }
        let expr = all(conditions).ok_or_else(|| first.span.error("expected a test of periods"))?;
        Ok(Typed { expr, data_type: Type::BOOLEAN })
    }

    fn operand(&mut self, expr: &tree::Expr) -> Result<Operand, SqlError> {
        match &expr.kind {
            ExprKind::Period(start, end) => {
                let (start, end) = (self.bind(start)?, self.bind(end)?);
                // A period may also be given by its length.
                let end = match end.data_type {
                    Type::Interval(_) => self.arithmetic(Binary::Add, start.clone(), end, expr.span)?,
                    _ => end,
                };
                Ok(Operand::Period(start, end))
            }
            _ => self.bind(expr).map(Operand::Instant),
        }
    }

    fn comparable_ends(&self, left: &Operand, right: &Operand, span: Span) -> Result<(), SqlError> {
        let ends = |operand: &Operand| match operand {
            Operand::Period(start, end) => vec![start.data_type, end.data_type],
            Operand::Instant(instant) => vec![instant.data_type],
        };
        for left in ends(left) {
            for right in ends(right) {
                if !left.is_comparable(right) {
                    return Err(self.cannot_apply("of periods", span, &[left, right]));
                }
            }
        }
        Ok(())
    }
}

/// `(s1, e1) … (s2, e2)`: the end of a period is not in it.
fn related(test: PeriodTest, (s1, e1): (&Typed, &Typed), (s2, e2): (&Typed, &Typed)) -> Option<Expr> {
    use Comparison::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    use PeriodManner::{Immediately, Plain, Strictly};
    let overlap = [compare(Less, s1, e2), compare(Less, s2, e1)];
    match (test.relation, test.manner) {
        (PeriodRelation::Contains, Strictly) => all([compare(Less, s1, s2), compare(Less, e2, e1)]),
        (PeriodRelation::Contains, _) => all([compare(LessEqual, s1, s2), compare(LessEqual, e2, e1)]),
        (PeriodRelation::Overlaps, Strictly) => {
            all(overlap.into_iter().chain([compare(NotEqual, s1, s2), compare(NotEqual, e1, e2)]))
        }
        (PeriodRelation::Overlaps, _) => all(overlap),
        (PeriodRelation::Equals, _) => all([compare(Equal, s1, s2), compare(Equal, e1, e2)]),
        (PeriodRelation::Precedes, Plain) => Some(compare(LessEqual, e1, s2)),
        (PeriodRelation::Precedes, Strictly) => Some(compare(Less, e1, s2)),
        (PeriodRelation::Precedes, Immediately) => Some(compare(Equal, e1, s2)),
        (PeriodRelation::Succeeds, Plain) => Some(compare(GreaterEqual, s1, e2)),
        (PeriodRelation::Succeeds, Strictly) => Some(compare(Greater, s1, e2)),
        (PeriodRelation::Succeeds, Immediately) => Some(compare(Equal, s1, e2)),
        // They overlap, the left one begins first, and it does not end last.
        (PeriodRelation::Leads, manner) => {
            let ends = if manner == Immediately {
                Equal
            } else if manner == Strictly {
                Less
            } else {
                LessEqual
            };
            all([compare(Less, s1, s2), compare(Less, s2, e1), compare(ends, e1, e2)])
        }
        // They overlap, the left one ends last, and it does not begin first.
        (PeriodRelation::Lags, manner) => {
            let starts = if manner == Immediately {
                Equal
            } else if manner == Strictly {
                Greater
            } else {
                GreaterEqual
            };
            all([compare(starts, s1, s2), compare(Less, s1, e2), compare(Greater, e1, e2)])
        }
    }
}
