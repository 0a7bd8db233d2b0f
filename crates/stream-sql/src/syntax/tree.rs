//! The syntax tree.

use crate::datetime::calendar::Unit;
use crate::datetime::interval::Qualifier;
use crate::error::SqlError;
use crate::value::{SqlType, Value};

/// A place: line and column (from 1) of the first character and of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: (u32, u32),
    pub(crate) to: (u32, u32),
}

impl Span {
    pub(crate) fn until(self, other: Span) -> Span {
        Span { from: self.from, to: other.to }
    }

    /// An error here.
    pub(crate) fn error(self, message: impl Into<String>) -> SqlError {
        SqlError { line: self.from.0, column: self.from.1, to: Some(self.to), message: message.into() }
    }
}

/// A name, upper-cased unless quoted.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// `CREATE …`
#[derive(Debug)]
pub(crate) enum Statement {
    Stream { replace: bool, name: Name, columns: Vec<ColumnDefinition> },
    Pump { replace: bool, name: Name, stopped: bool, insert: Box<Insert> },
    Function(Box<CreateFunction>),
}

/// `CREATE FUNCTION name (parameter type, …) RETURNS type … RETURN body`
#[derive(Debug)]
pub(crate) struct CreateFunction {
    pub(crate) replace: bool,
    pub(crate) name: Name,
    pub(crate) parameters: Vec<(Name, SqlType)>,
    pub(crate) returns: SqlType,
    /// `RETURNS NULL ON NULL INPUT`
    pub(crate) null_on_null: bool,
    pub(crate) body: Expr,
}

#[derive(Debug)]
pub(crate) struct ColumnDefinition {
    pub(crate) name: Name,
    pub(crate) sql_type: SqlType,
    pub(crate) not_null: bool,
}

#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) target: Name,
    /// Empty: all of the stream's, in order.
    pub(crate) columns: Vec<Name>,
    pub(crate) query: Query,
}

#[derive(Debug)]
pub(crate) enum Query {
    Select(Box<Select>),
    /// `VALUES (…), (…)`
    Values {
        span: Span,
    },
    /// Two queries and the word between them.
    Set {
        operator: SetOperator,
        all: bool,
        /// Of the word.
        span: Span,
        left: Box<Query>,
        right: Box<Query>,
        /// Of both together.
        order_by: Option<(Span, Vec<Order>)>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOperator {
    Union,
    Intersect,
    Except,
}

impl SetOperator {
    pub(crate) fn name(self) -> &'static str {
        match self {
            SetOperator::Union => "UNION",
            SetOperator::Intersect => "INTERSECT",
            SetOperator::Except => "EXCEPT",
        }
    }
}

impl Query {
    /// Where it begins and ends.
    pub(crate) fn span(&self) -> Span {
        match self {
            Query::Select(select) => select.span,
            Query::Values { span, .. } => *span,
            Query::Set { left, right, .. } => left.span().until(right.span()),
        }
    }

    /// Its ORDER BY.
    pub(crate) fn order_by(&mut self) -> Option<&mut Option<(Span, Vec<Order>)>> {
        match self {
            Query::Select(select) => Some(&mut select.order_by),
            Query::Set { order_by, .. } => Some(order_by),
            Query::Values { .. } => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) span: Span,
    pub(crate) distinct: Option<Span>,
    pub(crate) items: Vec<Item>,
    pub(crate) from: From,
    pub(crate) filter: Option<Expr>,
    pub(crate) group_by: Option<(Span, Vec<Expr>)>,
    pub(crate) stagger: Option<Stagger>,
    pub(crate) having: Option<(Span, Expr)>,
    pub(crate) windows: Vec<(Name, Window)>,
    pub(crate) order_by: Option<(Span, Vec<Order>)>,
}

#[derive(Debug)]
pub(crate) enum Item {
    /// `*`, `t.*`
    Wildcard {
        qualifier: Option<Name>,
        span: Span,
    },
    Expr {
        expr: Expr,
        alias: Option<Name>,
    },
}

#[derive(Debug)]
pub(crate) enum From {
    Stream {
        name: Name,
        over: Option<Over>,
        alias: Option<Name>,
        columns: Vec<Name>,
    },
    Query {
        query: Box<Query>,
        over: Option<Over>,
        alias: Option<Name>,
        columns: Vec<Name>,
    },
    Join(Box<Join>),
    /// `TABLE(name(CURSOR(query), …))`
    Function {
        name: Name,
        args: Vec<FunctionArg>,
        alias: Option<Name>,
        columns: Vec<Name>,
    },
}

#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) left: From,
    pub(crate) right: From,
    pub(crate) kind: JoinKind,
    /// Of the words between the two.
    pub(crate) span: Span,
    /// None: `CROSS JOIN`, or a comma.
    pub(crate) on: Option<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
}

/// An argument of a table function.
#[derive(Debug)]
pub(crate) enum FunctionArg {
    Cursor { span: Span, query: Query },
    Expr(Expr),
}

#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) expr: Expr,
    pub(crate) descending: bool,
    /// `WITHIN INTERVAL …`
    pub(crate) within: Option<Expr>,
}

#[derive(Debug)]
pub(crate) struct Stagger {
    pub(crate) span: Span,
    pub(crate) partition: Vec<Expr>,
    /// The length of the window: an interval.
    pub(crate) range: Expr,
}

/// `OVER w` or `OVER (…)`.
#[derive(Debug)]
pub(crate) enum Over {
    Named(Name),
    Inline(Window),
}

impl Over {
    /// Where the window or its name stands.
    pub(crate) fn span(&self) -> Span {
        match self {
            Over::Named(name) => name.span,
            Over::Inline(window) => window.span,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) span: Span,
    pub(crate) partition: Vec<Expr>,
    pub(crate) frame: Frame,
}

#[derive(Debug)]
pub(crate) enum Frame {
    /// `ROWS n PRECEDING`; 0 for `CURRENT ROW`.
    Rows(Expr),
    /// `RANGE INTERVAL … PRECEDING`.
    Range(Expr),
    CurrentRows,
    CurrentRange,
    /// Without bounds.
    Unbounded,
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) span: Span,
    pub(crate) kind: ExprKind,
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    Literal(Literal),
    /// `a`, `t.a`, `t.r.a`
    Column(Vec<Name>),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// `IS [NOT] NULL | TRUE | FALSE | UNKNOWN`
    Is {
        expr: Box<Expr>,
        test: Test,
        negated: bool,
    },
    Distinct {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
    },
    Between {
        expr: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        /// `SYMMETRIC`: the bounds may stand the other way round.
        symmetric: bool,
        negated: bool,
    },
    In {
        expr: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    Like {
        expr: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<Box<Expr>>,
        similar: bool,
        negated: bool,
    },
    Case {
        operand: Option<Box<Expr>>,
        branches: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast {
        expr: Box<Expr>,
        sql_type: SqlType,
    },
    /// `CAST(e AS INTERVAL MINUTE TO SECOND)`
    CastInterval {
        expr: Box<Expr>,
        qualifier: Qualifier,
    },
    /// `(a - b) MINUTE TO SECOND`
    Difference {
        left: Box<Expr>,
        right: Box<Expr>,
        qualifier: Qualifier,
    },
    /// `FLOOR(x TO MINUTE)`, `CEIL(x TO MINUTE)`
    Round {
        up: bool,
        expr: Box<Expr>,
        unit: Unit,
    },
    Extract {
        unit: Unit,
        expr: Box<Expr>,
    },
    /// `SUBSTRING(s SIMILAR p ESCAPE e)`
    SubstringSimilar {
        expr: Box<Expr>,
        pattern: Box<Expr>,
        escape: Box<Expr>,
    },
    Call(Call),
    /// `(start, end)`, `PERIOD(start, end)`
    Period(Box<Expr>, Box<Expr>),
    /// `p CONTAINS q`, `p PRECEDES q PRECEDES r`: each test is of the operands on either side of it.
    Periods {
        first: Box<Expr>,
        rest: Vec<(PeriodTest, Expr)>,
    },
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: Name,
    pub(crate) args: Vec<Expr>,
    /// `COUNT(*)`
    pub(crate) star: bool,
    /// `DISTINCT` before the first argument
    pub(crate) distinct: Option<Span>,
    /// `IGNORE NULLS`, `RESPECT NULLS`
    pub(crate) nulls: Option<Nulls>,
    /// `FROM FIRST`, `FROM LAST` of NTH_VALUE
    pub(crate) from: Option<End>,
    pub(crate) over: Option<Box<Over>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    First,
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    Ignore,
    Respect,
}

#[derive(Debug, Clone)]
pub(crate) enum Literal {
    Null,
    /// With the type it is written in.
    Value(Value, SqlType),
    Interval(i64, Qualifier),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Minus,
    Plus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    Null,
    True,
    False,
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Concat,
}

/// `STRICTLY CONTAINS`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeriodTest {
    pub(crate) relation: PeriodRelation,
    pub(crate) manner: PeriodManner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeriodRelation {
    Contains,
    Overlaps,
    Equals,
    Precedes,
    Succeeds,
    Leads,
    Lags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeriodManner {
    Plain,
    /// They do not begin or end together.
    Strictly,
    /// They do.
    Immediately,
}
