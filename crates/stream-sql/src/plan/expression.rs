//! Binds expressions: names to places, operators to the types of their operands.

use std::rc::Rc;

use super::aggregate::Grouping;
use super::function::{cast_of, pattern_source};
use super::function_sql::Functions;
use super::over::Windows;
use super::scope::Scope;
use super::types::{Type, Typed};
use crate::datetime::interval::Qualifier;
use crate::error::SqlError;
use crate::expression::{Comparison, Expr, Function, PatternKind};
use crate::syntax::tree::{self, Binary, ExprKind, Literal, Span, Unary};
use crate::value::{SqlType, Value};

type Bound = Result<Typed, SqlError>;

/// How deep an expression may be: planner and evaluation recurse.
const MAX_DEPTH: usize = 96;
/// How many nodes an expression may have when all it stands for is written out.
const MAX_SIZE: usize = 100_000;

/// Binds the expressions of one query.
pub(super) struct Binder<'s> {
    pub(super) scope: &'s Scope,
    /// Set where a query has groups: its expressions are over their keys and aggregates.
    pub(super) grouping: Option<Grouping>,
    /// Set where OVER is allowed.
    pub(super) windows: Option<Windows<'s>>,
    /// Calls that return records, by their places: they are bound before the rest.
    pub(super) records: Vec<(Span, Typed)>,
    /// The functions of the script.
    pub(super) functions: Rc<Functions>,
    /// Where an aggregate stands that may not stand there.
    pub(super) place: Place,
    depth: usize,
    /// How deep it has been, with the bodies of functions.
    pub(super) deepest: usize,
}

/// Where an expression stands, as far as messages say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Where,
    GroupBy,
    Aggregate,
    Other,
}

fn boxed(typed: Typed) -> Box<Expr> {
    Box::new(typed.expr)
}

fn boolean(expr: Expr) -> Typed {
    Typed { expr, data_type: Type::BOOLEAN }
}

impl<'s> Binder<'s> {
    pub(super) fn new(scope: &'s Scope) -> Binder<'s> {
        Binder {
            scope,
            grouping: None,
            windows: None,
            records: Vec::new(),
            functions: Rc::default(),
            place: Place::Other,
            depth: 0,
            deepest: 0,
        }
    }

    /// A condition.
    pub(super) fn condition(&mut self, expr: &tree::Expr, clause: &str) -> Result<Expr, SqlError> {
        let bound = self.bind(expr)?;
        if !bound.data_type.is_boolean() {
            return Err(expr
                .span
                .error(format!("{clause} clause must be a condition, not of type {}", bound.data_type)));
        }
        Ok(bound.expr)
    }

    /// An expression that has a value.
    pub(super) fn bind(&mut self, expr: &tree::Expr) -> Bound {
        match self.bind_any(expr)? {
            Typed { data_type: Type::Record, .. } => Err(expr.span.error(
                "A record cannot stand here, only one of its fields (t.r.COLUMN1): it can be selected in a query in FROM, or asked whether it IS NULL",
            )),
            bound => Ok(bound),
        }
    }

    /// An expression that may be a record.
    pub(super) fn bind_any(&mut self, expr: &tree::Expr) -> Bound {
        if self.depth == MAX_DEPTH {
            return Err(expr.span.error(format!("the expression is deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let bound = self.bind_node(expr);
        self.depth -= 1;
        match bound {
            Ok(bound) if bound.expr.size() > MAX_SIZE => {
                Err(expr.span.error(format!("the expression is larger than {MAX_SIZE} nodes")))
            }
            bound => bound,
        }
    }

    /// Goes as deep as the body of a function.
    pub(super) fn enter(&mut self, depth: usize, span: Span) -> Result<(), SqlError> {
        self.deepest = self.deepest.max(self.depth + depth);
        if self.deepest > MAX_DEPTH {
            return Err(
                span.error(format!("the expression is deeper than {MAX_DEPTH} levels, with the functions it calls"))
            );
        }
        Ok(())
    }

    fn bind_node(&mut self, expr: &tree::Expr) -> Bound {
        if let Some(bound) = self.of_group(expr)? {
            return Ok(bound);
        }
        let span = expr.span;
        match &expr.kind {
            ExprKind::Literal(literal) => Ok(self.literal(literal)),
            ExprKind::Column(path) => self.column(path, span),
            ExprKind::Unary(operator, operand) => self.unary(*operator, operand, span),
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right, span),
            ExprKind::Is { expr, test, negated } => {
                let value = self.bind_any(expr)?;
                if !matches!(test, tree::Test::Null) && !value.data_type.is_boolean() {
                    let name = format!("IS {}", format!("{test:?}").to_uppercase());
                    let message = format!("Cannot apply '{name}' to arguments of type '<{}> {name}'", value.data_type);
                    return Err(span.error(message));
                }
                Ok(boolean(Expr::Is { expr: boxed(value), test: *test, negated: *negated }))
            }
            ExprKind::Distinct { left, right, negated } => {
                let (left, right) = self.comparable(left, right, "IS DISTINCT FROM", span)?;
                Ok(boolean(Expr::Distinct { left: boxed(left), right: boxed(right), negated: *negated }))
            }
            ExprKind::Between { expr, low, high, symmetric, negated } => {
                let value = self.bind(expr)?;
                let low = self.comparable_to(&value, low, "BETWEEN", span)?.expr;
                let high = self.comparable_to(&value, high, "BETWEEN", span)?.expr;
                let mut is_between = between(&value.expr, &low, &high);
                if *symmetric {
                    is_between = Expr::Or(Box::new(is_between), Box::new(between(&value.expr, &high, &low)));
                }
                Ok(boolean(negate(is_between, *negated)))
            }
            ExprKind::In { expr, list, negated } => {
                let value = self.bind(expr)?;
                let mut items = Vec::with_capacity(list.len());
                for item in list {
                    let bound = self.bind(item)?;
                    if !value.data_type.is_comparable(bound.data_type) {
                        return Err(item.span.error("Values passed to IN operator must have compatible types"));
                    }
                    items.push(bound.expr);
                }
                Ok(boolean(negate(Expr::In { expr: boxed(value), list: items }, *negated)))
            }
            ExprKind::Like { expr, pattern, escape, similar, negated } => {
                let name = if *similar { "SIMILAR TO" } else { "LIKE" };
                let value = self.text(expr, name, span)?;
                let kind = if *similar { PatternKind::SimilarTo } else { PatternKind::Like };
                let escape = escape.as_ref().map(|escape| self.text(escape, "ESCAPE", span)).transpose()?;
                let pattern = pattern_source(kind, pattern, self.text(pattern, name, span)?, escape)?;
                Ok(boolean(negate(Expr::Match { expr: boxed(value), pattern }, *negated)))
            }
            ExprKind::SubstringSimilar { expr, pattern, escape } => {
                let value = self.text(expr, "SUBSTRING", span)?;
                let escape = self.text(escape, "ESCAPE", span)?;
                let bound = self.text(pattern, "SUBSTRING", span)?;
                let pattern = pattern_source(PatternKind::SimilarPart, pattern, bound, Some(escape))?;
                Ok(Typed { data_type: value.data_type, expr: Expr::Find { expr: boxed(value), pattern } })
            }
            ExprKind::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref(), span)
            }
            ExprKind::Cast { expr, sql_type } => self.cast(expr, *sql_type, span),
            ExprKind::CastInterval { expr, qualifier } => self.cast_interval(expr, *qualifier, span),
            ExprKind::Difference { left, right, qualifier } => self.difference(left, right, *qualifier, span),
            ExprKind::Round { up, expr, unit } => self.round(*up, expr, *unit, span),
            ExprKind::Extract { unit, expr } => self.extract(*unit, expr, span),
            ExprKind::Call(call) => match &call.over {
                Some(over) => self.windowed(call, over, span),
                None => self.call(call, span),
            },
            ExprKind::Periods { first, rest } => self.periods(first, rest),
            ExprKind::Period(..) => {
                Err(span
                    .error("A period stands only beside CONTAINS, OVERLAPS, EQUALS, PRECEDES, SUCCEEDS, LEADS or LAGS"))
            }
        }
    }

    fn literal(&self, literal: &Literal) -> Typed {
        match literal {
            Literal::Null => Typed { expr: Expr::Literal(Value::Null), data_type: Type::Null },
            Literal::Value(value, sql_type) => {
                Typed { expr: Expr::Literal(value.clone()), data_type: Type::Sql(*sql_type) }
            }
            Literal::Interval(value, qualifier) => {
                Typed { expr: Expr::Literal(Value::Interval(*value)), data_type: Type::Interval(*qualifier) }
            }
        }
    }

    fn column(&self, path: &[tree::Name], span: Span) -> Bound {
        let found = self.scope.resolve(path, span)?;
        if self.grouping.is_some() {
            let name: Vec<&str> = path.iter().map(|name| name.text.as_str()).collect();
            return Err(span.error(format!("Expression '{}' is not being grouped", name.join("."))));
        }
        Ok(found)
    }

    pub(super) fn cannot_apply(&self, operator: &str, span: Span, types: &[Type]) -> SqlError {
        let names: Vec<String> = types.iter().map(|data_type| format!("<{data_type}>")).collect();
        let applied = match &names[..] {
            [operand] => format!("{operator}{operand}"),
            operands => operands.join(&format!(" {operator} ")),
        };
        span.error(format!("Cannot apply '{operator}' to arguments of type '{applied}'"))
    }

    fn text(&mut self, expr: &tree::Expr, operator: &str, span: Span) -> Bound {
        let bound = self.bind(expr)?;
        if bound.data_type.is_text() { Ok(bound) } else { Err(self.cannot_apply(operator, span, &[bound.data_type])) }
    }

    fn comparable(
        &mut self,
        left: &tree::Expr,
        right: &tree::Expr,
        operator: &str,
        span: Span,
    ) -> Result<(Typed, Typed), SqlError> {
        let left = self.bind(left)?;
        let right = self.comparable_to(&left, right, operator, span)?;
        Ok((left, right))
    }

    fn comparable_to(&mut self, left: &Typed, right: &tree::Expr, operator: &str, span: Span) -> Bound {
        let right = self.bind(right)?;
        if left.data_type.is_comparable(right.data_type) {
            return Ok(right);
        }
        Err(self.cannot_apply(operator, span, &[left.data_type, right.data_type]))
    }

    fn unary(&mut self, operator: Unary, operand: &tree::Expr, span: Span) -> Bound {
        let value = self.bind(operand)?;
        match operator {
            Unary::Not if value.data_type.is_boolean() => Ok(boolean(Expr::Not(boxed(value)))),
            Unary::Not => Err(self.cannot_apply("NOT", span, &[value.data_type])),
            _ if !value.data_type.is_numeric() && !matches!(value.data_type, Type::Interval(_)) => {
                Err(self.cannot_apply("-", span, &[value.data_type]))
            }
            Unary::Plus => Ok(value),
            Unary::Minus => {
                let expr = match value.expr {
                    Expr::Literal(Value::Integer(value)) => Expr::Literal(Value::Integer(-value)),
                    Expr::Literal(Value::Double(value)) => Expr::Literal(Value::Double(-value)),
                    Expr::Literal(Value::Decimal(digits, scale)) => Expr::Literal(Value::Decimal(-digits, scale)),
                    expr => Expr::Call(Function::Negate, vec![expr]),
                };
                Ok(Typed { expr, data_type: value.data_type })
            }
        }
    }

    fn binary(&mut self, operator: Binary, left: &tree::Expr, right: &tree::Expr, span: Span) -> Bound {
        let compare = |comparison, name| Some((comparison, name));
        let comparison = match operator {
            Binary::Equal => compare(Comparison::Equal, "="),
            Binary::NotEqual => compare(Comparison::NotEqual, "<>"),
            Binary::Less => compare(Comparison::Less, "<"),
            Binary::LessEqual => compare(Comparison::LessEqual, "<="),
            Binary::Greater => compare(Comparison::Greater, ">"),
            Binary::GreaterEqual => compare(Comparison::GreaterEqual, ">="),
            _ => None,
        };
        if let Some((comparison, name)) = comparison {
            let (left, right) = self.comparable(left, right, name, span)?;
            let (left, right) = without_padding(left, right);
            return Ok(boolean(Expr::Compare(comparison, boxed(left), boxed(right))));
        }
        let (left, right) = (self.bind(left)?, self.bind(right)?);
        let types = [left.data_type, right.data_type];
        match operator {
            Binary::And | Binary::Or if types.iter().all(|t| t.is_boolean()) => {
                let of = if operator == Binary::And { Expr::And } else { Expr::Or };
                Ok(boolean(of(boxed(left), boxed(right))))
            }
            Binary::And => Err(self.cannot_apply("AND", span, &types)),
            Binary::Or => Err(self.cannot_apply("OR", span, &types)),
            Binary::Concat if types.iter().all(|t| t.is_text()) => {
                let length =
                    types.iter().map(|t| if let Type::Sql(t) = t { super::types::length(*t) } else { 0 }).sum::<u32>();
                let data_type = Type::Sql(SqlType::Varchar { length: length.clamp(1, 65_535) });
                Ok(Typed { expr: Expr::Call(Function::Concat, vec![left.expr, right.expr]), data_type })
            }
            Binary::Concat => Err(self.cannot_apply("||", span, &types)),
            _ => self.arithmetic(operator, left, right, span),
        }
    }

    fn case(
        &mut self,
        operand: Option<&tree::Expr>,
        branches: &[(tree::Expr, tree::Expr)],
        otherwise: Option<&tree::Expr>,
        span: Span,
    ) -> Bound {
        let mut data_type = Type::Null;
        let mut join = |other: Type| {
            data_type = data_type
                .join(other)
                .ok_or_else(|| span.error("Illegal mixing of types in CASE or COALESCE statement"))?;
            Ok(())
        };
        let operand = operand.map(|operand| self.bind(operand)).transpose()?;
        let mut bound = Vec::with_capacity(branches.len());
        for (when, then) in branches {
            let condition = match &operand {
                None => self.condition(when, "WHEN")?,
                Some(operand) => {
                    let value = self.comparable_to(operand, when, "=", when.span)?;
                    Expr::Compare(Comparison::Equal, Box::new(operand.expr.clone()), boxed(value))
                }
            };
            let then = self.bind(then)?;
            join(then.data_type)?;
            bound.push((condition, then.expr));
        }
        let otherwise = match otherwise {
            Some(otherwise) => self.bind(otherwise)?,
            None => Typed { expr: Expr::Literal(Value::Null), data_type: Type::Null },
        };
        join(otherwise.data_type)?;
        Ok(Typed { expr: Expr::Case { branches: bound, otherwise: boxed(otherwise) }, data_type })
    }

    /// The table of CAST: numbers, text and intervals among each other, text to anything, datetimes by what they share.
    fn cast(&mut self, expr: &tree::Expr, to: SqlType, span: Span) -> Bound {
        let value = self.bind(expr)?;
        let allowed = match value.data_type {
            Type::Null => true,
            Type::Record => false,
            Type::Interval(_) => to.is_text() || to.is_integer() || matches!(to, SqlType::Decimal { .. }),
            Type::Sql(from) => {
                from == to
                    || from.is_text()
                    || to.is_text()
                    || (from.is_numeric() && to.is_numeric())
                    || matches!((from, to), (SqlType::Date | SqlType::Time, SqlType::Timestamp))
                    || matches!((from, to), (SqlType::Timestamp, SqlType::Date | SqlType::Time))
            }
        };
        if !allowed {
            return Err(
                span.error(format!("Cast function cannot convert value of type {} to type {to}", value.data_type))
            );
        }
        Ok(cast_of(value, to))
    }

    /// `CAST('3:20' AS INTERVAL HOUR TO MINUTE)`: of texts, and of intervals of the same sort.
    fn cast_interval(&mut self, expr: &tree::Expr, to: Qualifier, span: Span) -> Bound {
        let value = self.bind(expr)?;
        match value.data_type {
            Type::Interval(from) if from.is_like(to) => {}
            from if from.is_text() => {}
            from => {
                let message = format!("Cast function cannot convert value of type {from} to type INTERVAL {to}");
                return Err(span.error(message));
            }
        }
        Ok(Typed { expr: Expr::ToInterval { expr: boxed(value), qualifier: to }, data_type: Type::Interval(to) })
    }
}

/// A CHAR is padded with blanks, which do not count where it is compared.
fn without_padding(left: Typed, right: Typed) -> (Typed, Typed) {
    let is_padded = |typed: &Typed| {
        matches!(typed.data_type, Type::Sql(SqlType::Char { .. })) && !matches!(typed.expr, Expr::Literal(_))
    };
    if !is_padded(&left) && !is_padded(&right) {
        return (left, right);
    }
    let trimmed = |typed: Typed| {
        let text = |text: &str| Expr::Literal(Value::Text(text.into()));
        Typed { expr: Expr::Call(Function::Trim, vec![text("TRAILING"), text(" "), typed.expr]), ..typed }
    };
    (trimmed(left), trimmed(right))
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

/// `low <= value AND value <= high`
fn between(value: &Expr, low: &Expr, high: &Expr) -> Expr {
    let from = Expr::Compare(Comparison::GreaterEqual, Box::new(value.clone()), Box::new(low.clone()));
    let to = Expr::Compare(Comparison::LessEqual, Box::new(value.clone()), Box::new(high.clone()));
    Expr::And(Box::new(from), Box::new(to))
}
