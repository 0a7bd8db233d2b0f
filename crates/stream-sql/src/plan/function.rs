//! Functions by name: what they take and what they give.

use super::expression::Binder;
use super::types::{Type, Typed, length};
use crate::datetime::pattern::Format;
use crate::error::SqlError;
use crate::expression::{Comparison, Expr, Function, Pattern, PatternKind, PatternSource};
use crate::syntax::tree::{self, Call, Test};
use crate::value::{SqlType, Value};

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Number,
    /// A number or an interval.
    Quantity,
    Whole,
    Text,
    Timestamp,
    Date,
    Time,
    /// TSDIFF takes either, by one page or the other.
    TimestampOrWhole,
    Any,
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    Type(SqlType),
    /// The type of an argument.
    Like(usize),
    /// VARCHAR of the first argument's length.
    Varchar,
    /// The longest VARCHAR.
    LongVarchar,
}

/// The longest VARCHAR.
const LONGEST: u32 = 65_535;

type Signature = (&'static str, Function, &'static [Class], usize, Gives);

/// Name, function, its arguments, how many of them are needed, and what it gives.
const SIGNATURES: [Signature; 29] = {
    use Class::{Any, Date, Number, Quantity, Text, Time, Timestamp, TimestampOrWhole, Whole};
    use Gives::{Like, LongVarchar, Type as Of, Varchar};
    [
        ("ABS", Function::Abs, &[Quantity], 1, Like(0)),
        ("CEIL", Function::Ceil, &[Number], 1, Like(0)),
        ("FLOOR", Function::Floor, &[Number], 1, Like(0)),
        ("EXP", Function::Exp, &[Number], 1, Of(SqlType::Double)),
        ("LN", Function::Ln, &[Number], 1, Of(SqlType::Double)),
        ("LOG10", Function::Log10, &[Number], 1, Of(SqlType::Double)),
        ("MOD", Function::Mod, &[Whole, Whole], 2, Like(1)),
        ("POWER", Function::Power, &[Number, Number], 2, Of(SqlType::Double)),
        ("CHAR_LENGTH", Function::CharLength, &[Text], 1, Of(SqlType::Integer)),
        ("CHARACTER_LENGTH", Function::CharLength, &[Text], 1, Of(SqlType::Integer)),
        ("INITCAP", Function::Initcap, &[Text], 1, Varchar),
        ("LOWER", Function::Lower, &[Text], 1, Varchar),
        ("UPPER", Function::Upper, &[Text], 1, Varchar),
        ("OVERLAY", Function::Overlay, &[Text, Text, Whole, Whole], 3, LongVarchar),
        ("POSITION", Function::Position, &[Text, Text], 2, Of(SqlType::Integer)),
        ("SUBSTRING", Function::Substring, &[Text, Whole, Whole], 2, Varchar),
        ("TRIM", Function::Trim, &[Text, Text, Text], 3, Like(2)),
        ("CHAR_TO_TIMESTAMP", Function::CharToTimestamp, &[Text, Text], 2, Of(SqlType::Timestamp)),
        ("CHAR_TO_DATE", Function::CharToDate, &[Text, Text], 2, Of(SqlType::Date)),
        ("CHAR_TO_TIME", Function::CharToTime, &[Text, Text], 2, Of(SqlType::Time)),
        ("TIMESTAMP_TO_CHAR", Function::TimestampToChar, &[Text, Timestamp], 2, LongVarchar),
        ("DATE_TO_CHAR", Function::DateToChar, &[Text, Date], 2, LongVarchar),
        ("TIME_TO_CHAR", Function::TimeToChar, &[Text, Time], 2, LongVarchar),
        ("TO_TIMESTAMP", Function::ToTimestamp, &[Whole], 1, Of(SqlType::Timestamp)),
        ("UNIX_TIMESTAMP", Function::UnixTimestamp, &[Timestamp], 1, Of(SqlType::BigInt)),
        ("TSDIFF", Function::Tsdiff, &[TimestampOrWhole, TimestampOrWhole], 2, Of(SqlType::BigInt)),
        ("MONOTONIC", Function::Identity, &[Any], 1, Like(0)),
        ("STEP", Function::Step, &[Whole, Whole], 2, Like(0)),
        ("CONCAT", Function::Concat, &[Text, Text], 2, LongVarchar),
    ]
};

/// Whether a function of the script cannot have this name: it is written in a way of its own, or an aggregate.
pub(super) fn is_built_in(name: &str) -> bool {
    matches!(name, "PERIOD" | "STEP") || super::aggregate::is_aggregate(name) || crate::syntax::is_reserved(name)
}

fn needs_over(name: &str) -> bool {
    matches!(name, "LAG" | "NTH_VALUE" | "EXP_AVG" | "ROW_NUMBER" | "RANK" | "DENSE_RANK")
}

/// There is no such function, or none that takes such arguments.
pub(super) fn no_match(name: &str, args: &[Typed], span: tree::Span) -> SqlError {
    if needs_over(name) {
        return span.error(format!("OVER clause is necessary for window functions: {name}"));
    }
    let families: Vec<String> = args.iter().map(|arg| format!("<{}>", arg.data_type.family())).collect();
    span.error(format!("No match found for function signature {name}({})", families.join(", ")))
}

/// A function is called with too few or too many arguments.
pub(super) fn wrong_count(name: &str, needed: usize, span: tree::Span) -> SqlError {
    span.error(format!("Invalid number of arguments to function '{name}'. Was expecting {needed} arguments"))
}

/// What is said where a function does not take arguments of these types.
pub(super) fn cannot_apply_function(name: &str, types: &[Type]) -> String {
    let types: Vec<String> = types.iter().map(|data_type| format!("<{data_type}>")).collect();
    format!("Cannot apply '{name}' to arguments of type '{name}({})'", types.join(", "))
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Number | Class::Quantity => "<NUMERIC>",
            Class::Whole => "<INTEGER>",
            Class::Text => "<CHARACTER>",
            Class::Timestamp => "<TIMESTAMP>",
            Class::Date => "<DATE>",
            Class::Time => "<TIME>",
            Class::TimestampOrWhole => "<TIMESTAMP>",
            Class::Any => "<ANY>",
        }
    }

    fn takes(self, data_type: Type) -> bool {
        let is = |wanted| data_type.is(|sql_type| sql_type == wanted);
        match self {
            Class::Any => true,
            Class::Number => data_type.is_numeric(),
            Class::Quantity => data_type.is_numeric() || matches!(data_type, Type::Interval(_)),
            Class::Whole => data_type.is(|t| t.is_integer() || matches!(t, SqlType::Decimal { scale: 0, .. })),
            Class::Text => data_type.is_text(),
            Class::Timestamp => is(SqlType::Timestamp),
            Class::Date => is(SqlType::Date),
            Class::Time => is(SqlType::Time),
            Class::TimestampOrWhole => is(SqlType::Timestamp) || data_type.is_integer(),
        }
    }
}

impl Gives {
    fn of(self, args: &[Typed]) -> Type {
        let first = args.first().map_or(Type::Null, |arg| arg.data_type);
        match self {
            Gives::Type(sql_type) => Type::Sql(sql_type),
            Gives::Like(place) => args.get(place).map_or(Type::Null, |arg| arg.data_type),
            Gives::Varchar => match first {
                Type::Sql(sql_type) => Type::Sql(SqlType::Varchar { length: length(sql_type).max(1) }),
                other => other,
            },
            Gives::LongVarchar => Type::Sql(SqlType::Varchar { length: LONGEST }),
        }
    }
}

impl Binder<'_> {
    /// A call that is no aggregate.
    pub(super) fn call(&mut self, call: &Call, span: tree::Span) -> Result<Typed, SqlError> {
        let name = call.name.text.as_str();
        if super::record::is_record_function(name) {
            return self.record(call, span);
        }
        let is_of_script = self.functions.has(name);
        if needs_over(name) && !is_of_script {
            return Err(no_match(name, &[], span));
        }
        let args = call.args.iter().map(|arg| self.bind(arg)).collect::<Result<Vec<_>, _>>()?;
        if is_of_script && !call.star && call.distinct.is_none() && call.nulls.is_none() {
            return self.call_of_script(name, args, span);
        }
        match name {
            "COALESCE" | "NULLIF" => return self.null_function(name, args, span),
            "REGEX_REPLACE" => return self.regex_replace(call, args, span),
            "SUBSTRING" if args.get(1).is_some_and(|arg| arg.data_type.is_text() && arg.data_type != Type::Null) => {
                let pattern = pattern_source(PatternKind::Regex, &call.args[1], args[1].clone(), None)?;
                let data_type = Gives::Varchar.of(&args);
                let expr = Box::new(args[0].expr.clone());
                return Ok(Typed { expr: Expr::Find { expr, pattern }, data_type });
            }
            "STEP" if args.first().is_some_and(|arg| arg.data_type.is_datetime() && arg.data_type != Type::Null) => {
                return self.step_time(args, span);
            }
            "CURRENT_TIMESTAMP" | "LOCALTIMESTAMP" | "CURRENT_ROW_TIMESTAMP" => {
                return Ok(Typed { expr: Expr::Now, data_type: Type::TIMESTAMP });
            }
            "CURRENT_DATE" => return Ok(cast_of(Typed { expr: Expr::Now, data_type: Type::TIMESTAMP }, SqlType::Date)),
            "CURRENT_TIME" | "LOCALTIME" => {
                return Ok(cast_of(Typed { expr: Expr::Now, data_type: Type::TIMESTAMP }, SqlType::Time));
            }
            _ => {}
        }
        let Some((_, function, classes, needed, gives)) = SIGNATURES.into_iter().find(|signature| signature.0 == name)
        else {
            return Err(no_match(name, &args, span));
        };
        if !(needed..=classes.len()).contains(&args.len())
            || call.star
            || call.distinct.is_some()
            || call.nulls.is_some()
        {
            return Err(wrong_count(name, needed, span));
        }
        if classes.iter().zip(&args).any(|(class, arg)| !class.takes(arg.data_type)) {
            let types: Vec<Type> = args.iter().map(|arg| arg.data_type).collect();
            let forms: Vec<&str> = classes.iter().map(|class| class.name()).collect();
            let forms = format!("Supported form(s): '{name}({})'", forms.join(", "));
            return Err(span.error(format!("{}. {forms}", cannot_apply_function(name, &types))));
        }
        let mut data_type = gives.of(&args);
        if let (Function::Floor | Function::Ceil, Type::Sql(SqlType::Decimal { precision, .. })) = (function, data_type)
        {
            data_type = Type::Sql(SqlType::Decimal { precision, scale: 0 });
        }
        let mut args: Vec<Expr> = args.into_iter().map(|arg| arg.expr).collect();
        if let [Expr::Literal(Value::Text(format)), _] = &args[..]
            && function.has_format()
        {
            let format = Format::new(format).map_err(|message| call.args[0].span.error(message))?;
            let value = args.pop().unwrap_or(Expr::Literal(Value::Null));
            return Ok(Typed { expr: Expr::Format(function, format, Box::new(value)), data_type });
        }
        Ok(Typed { expr: Expr::Call(function, args), data_type })
    }

    fn null_function(&self, name: &str, args: Vec<Typed>, span: tree::Span) -> Result<Typed, SqlError> {
        let needed = if name == "NULLIF" { 2 } else { 1 };
        if args.len() < needed || (name == "NULLIF" && args.len() != needed) {
            return Err(wrong_count(name, needed, span));
        }
        let mut data_type = Type::Null;
        for arg in &args {
            let joined = if name == "NULLIF" {
                data_type.is_comparable(arg.data_type).then_some(args[0].data_type)
            } else {
                data_type.join(arg.data_type)
            };
            data_type = joined.ok_or_else(|| {
                span.error(match name {
                    "NULLIF" => cannot_apply_function(name, &[data_type, arg.data_type]),
                    _ => "Illegal mixing of types in CASE or COALESCE statement".to_owned(),
                })
            })?;
        }
        let mut args: Vec<Expr> = args.into_iter().map(|arg| arg.expr).collect();
        let last = args.pop().unwrap_or(Expr::Literal(Value::Null));
        let (branches, otherwise) = if name == "NULLIF" {
            let value = args.remove(0);
            let same = Expr::Compare(Comparison::Equal, Box::new(value.clone()), Box::new(last));
            (vec![(same, Expr::Literal(Value::Null))], value)
        } else {
            (args.into_iter().map(|value| (is_not_null(&value), value)).collect(), last)
        };
        Ok(Typed { expr: Expr::Case { branches, otherwise: Box::new(otherwise) }, data_type })
    }

    fn regex_replace(&mut self, call: &Call, args: Vec<Typed>, span: tree::Span) -> Result<Typed, SqlError> {
        let types: Vec<Type> = args.iter().map(|arg| arg.data_type).collect();
        let valid =
            types.len() == 5 && types[..3].iter().all(|t| t.is_text()) && types[3..].iter().all(|t| t.is_integer());
        let Ok([text, pattern, by, start, occurrence]) = <[Typed; 5]>::try_from(args) else {
            return Err(span.error("REGEX_REPLACE takes a text, a pattern, a replacement, a start and an occurrence"));
        };
        if !valid {
            return Err(span.error("REGEX_REPLACE takes three texts and two whole numbers"));
        }
        let pattern = pattern_source(PatternKind::Regex, &call.args[1], pattern, None)?;
        let rest = Box::new([by.expr, start.expr, occurrence.expr]);
        let expr = Expr::Replace { expr: Box::new(text.expr), pattern, rest };
        Ok(Typed { expr, data_type: Type::Sql(SqlType::Varchar { length: LONGEST }) })
    }

    /// `STEP(datetime BY INTERVAL '10' SECOND)`
    fn step_time(&self, args: Vec<Typed>, span: tree::Span) -> Result<Typed, SqlError> {
        let mut args = args.into_iter();
        let (Some(value), Some(step)) = (args.next(), args.next()) else {
            return Err(span.error("STEP takes a value and a step"));
        };
        match (step.data_type, step.expr) {
            (Type::Interval(qualifier), Expr::Literal(Value::Interval(length))) if length > 0 => {
                let expr = Expr::StepTime { length, months: qualifier.is_months(), expr: Box::new(value.expr) };
                Ok(Typed { expr, data_type: value.data_type })
            }
            _ => Err(span.error("STEP of a datetime takes an INTERVAL literal greater than zero")),
        }
    }
}

/// `CAST(value AS to)`
pub(super) fn cast_of(value: Typed, to: SqlType) -> Typed {
    let expr = Expr::Cast { expr: Box::new(value.expr), from: value.data_type.kind(), to };
    Typed { expr, data_type: Type::Sql(to) }
}

/// A pattern; compiled here if its text is known.
pub(super) fn pattern_source(
    kind: PatternKind,
    place: &tree::Expr,
    pattern: Typed,
    escape: Option<Typed>,
) -> Result<PatternSource, SqlError> {
    let known = |typed: &Typed| match &typed.expr {
        Expr::Literal(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let known_escape = escape.as_ref().map(known);
    if let (Some(text), None | Some(Some(_))) = (known(&pattern), &known_escape) {
        let compiled = Pattern::new(kind, &text, known_escape.flatten().as_deref());
        return compiled.map(PatternSource::Fixed).map_err(|message| place.span.error(message));
    }
    let escape = escape.map(|escape| Box::new(escape.expr));
    Ok(PatternSource::Computed { kind, pattern: Box::new(pattern.expr), escape })
}

/// `value IS NOT NULL`
fn is_not_null(value: &Expr) -> Expr {
    Expr::Is { expr: Box::new(value.clone()), test: Test::Null, negated: true }
}
