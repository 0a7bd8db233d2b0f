//! Bound expressions: names are places in the row, types are settled, patterns compiled. Evaluation is three-valued and copies no
//! text it can borrow.

mod arithmetic;
mod cast;
mod eval;
mod format;
mod function;
pub(crate) mod log;
mod pattern;
mod replace;
mod text;

pub(crate) use arithmetic::Arithmetic;
pub(crate) use cast::{Kind, cast, decimal_text, fits, to_double};
pub(crate) use eval::compare;
pub(crate) use function::Function;
pub(crate) use pattern::{Pattern, PatternKind};
pub(crate) use text::cut;

use std::sync::Arc;

use crate::datetime::calendar::Unit;
use crate::datetime::interval::Qualifier;
use crate::datetime::pattern::Format;
use crate::syntax::tree::Test;
use crate::value::{Datum, SqlType, Value};

/// A row on its way through the operators.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'r> {
    pub(crate) rowtime: i64,
    /// What `CURRENT_TIMESTAMP` says.
    pub(crate) now: i64,
    pub(crate) values: &'r [Datum<'r>],
}

/// Why a row has no value here. The row is dropped and the reason goes to `error_stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowError(pub(crate) String);

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// What a pattern is: known when the script is compiled, or computed for each row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PatternSource {
    Fixed(Pattern),
    Computed { kind: PatternKind, pattern: Box<Expr>, escape: Option<Box<Expr>> },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Literal(Value),
    /// A place of the row.
    Column(usize),
    /// The row's ROWTIME.
    Rowtime,
    /// The wall clock.
    Now,
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Is {
        expr: Box<Expr>,
        test: Test,
        negated: bool,
    },
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Distinct {
        left: Box<Expr>,
        right: Box<Expr>,
        negated: bool,
    },
    In {
        expr: Box<Expr>,
        list: Vec<Expr>,
    },
    Case {
        branches: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// FLOOR and CEIL of a datetime, or of an interval of this qualifier, to a unit.
    Round {
        up: bool,
        unit: Unit,
        expr: Box<Expr>,
    },
    /// STEP of a datetime: milliseconds, or months.
    StepTime {
        length: i64,
        months: bool,
        expr: Box<Expr>,
    },
    Extract {
        unit: Unit,
        interval: Option<Qualifier>,
        expr: Box<Expr>,
    },
    Cast {
        expr: Box<Expr>,
        from: Kind,
        to: SqlType,
    },
    /// CAST of a text, or of an interval, to an interval.
    ToInterval {
        expr: Box<Expr>,
        qualifier: Qualifier,
    },
    /// LIKE, SIMILAR TO
    Match {
        expr: Box<Expr>,
        pattern: PatternSource,
    },
    /// `SUBSTRING(s FROM 'regex')`, `SUBSTRING(s SIMILAR …)`
    Find {
        expr: Box<Expr>,
        pattern: PatternSource,
    },
    /// REGEX_REPLACE: text, pattern; replacement, start, occurrence
    Replace {
        expr: Box<Expr>,
        pattern: PatternSource,
        rest: Box<[Expr; 3]>,
    },
    Call(Function, Vec<Expr>),
    /// A call with a pattern of SimpleDateFormat that is known when the script is compiled.
    Format(Function, Format, Box<Expr>),
    /// A record, of which only the fields have values. It is NULL if all of them are.
    Record(Vec<RecordField>),
    /// A function of the script: its body is over its arguments alone.
    Apply(Arc<Body>, Vec<Expr>),
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordField {
    pub(crate) name: String,
    pub(crate) sql_type: SqlType,
    pub(crate) expr: Expr,
}

/// The body of a function of the script, which all calls share.
#[derive(Debug, PartialEq)]
pub(crate) struct Body {
    /// Its columns are the arguments.
    pub(crate) expr: Expr,
    /// How many nodes it has.
    pub(crate) size: usize,
    /// NULL if an argument is.
    pub(crate) null_on_null: bool,
}

impl Expr {
    /// Calls `visit` for every place of the row that the expression reads.
    pub(crate) fn columns(&self, visit: &mut dyn FnMut(usize)) {
        if let Expr::Column(place) = self {
            visit(*place);
        }
        self.children(&mut |child| child.columns(visit));
    }

    /// Whether ROWTIME is read.
    pub(crate) fn reads_rowtime(&self) -> bool {
        let mut found = matches!(self, Expr::Rowtime);
        self.children(&mut |child| found |= child.reads_rowtime());
        found
    }

    /// Whether ROWTIME or the wall clock is read.
    pub(crate) fn reads_time(&self) -> bool {
        let mut found = match self {
            Expr::Rowtime | Expr::Now => true,
            Expr::Apply(body, _) => body.expr.reads_time(),
            _ => false,
        };
        self.children(&mut |child| found |= child.reads_time());
        found
    }

    /// How many nodes it has.
    pub(crate) fn size(&self) -> usize {
        let mut size = if let Expr::Apply(body, _) = self { body.size } else { 1 };
        self.children(&mut |child| size = child.size().saturating_add(size));
        size
    }

    fn children<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        let pattern_of = |source: &'e PatternSource, visit: &mut dyn FnMut(&'e Expr)| {
            if let PatternSource::Computed { pattern, escape, .. } = source {
                visit(pattern);
                escape.iter().for_each(|escape| visit(escape));
            }
        };
        match self {
            Expr::Literal(_) | Expr::Column(_) | Expr::Rowtime | Expr::Now => {}
            Expr::And(left, right)
            | Expr::Or(left, right)
            | Expr::Compare(_, left, right)
            | Expr::Distinct { left, right, .. }
            | Expr::Arithmetic(_, left, right) => {
                visit(left);
                visit(right);
            }
            Expr::Not(expr)
            | Expr::Is { expr, .. }
            | Expr::Round { expr, .. }
            | Expr::StepTime { expr, .. }
            | Expr::Extract { expr, .. }
            | Expr::Format(_, _, expr)
            | Expr::Cast { expr, .. }
            | Expr::ToInterval { expr, .. } => visit(expr),
            Expr::In { expr, list } => {
                visit(expr);
                list.iter().for_each(visit);
            }
            Expr::Case { branches, otherwise } => {
                for (when, then) in branches {
                    visit(when);
                    visit(then);
                }
                visit(otherwise);
            }
            Expr::Match { expr, pattern } | Expr::Find { expr, pattern } => {
                visit(expr);
                pattern_of(pattern, visit);
            }
            Expr::Replace { expr, pattern, rest } => {
                visit(expr);
                pattern_of(pattern, visit);
                rest.iter().for_each(visit);
            }
            Expr::Call(_, args) | Expr::Apply(_, args) => args.iter().for_each(visit),
            Expr::Record(fields) => fields.iter().for_each(|field| visit(&field.expr)),
        }
    }
}
