//! OVER: windows that slide with the rows.

use super::expression::Binder;
use super::types::{Type, Typed};
use crate::error::SqlError;
use crate::expression::Expr;
use crate::operator::{Aggregate, Frame, Window, WindowCall, WindowFunction};
use crate::syntax::tree::{self, Call, End, Name, Nulls, Span};
use crate::value::Value;

/// The windows of a query, and what is computed over them. A row of theirs has the columns of the row that came in first, then the
/// results of the calls.
#[derive(Debug)]
pub(super) struct Windows<'s> {
    pub(super) named: &'s [(Name, tree::Window)],
    /// How wide a row is that comes in.
    pub(super) width: usize,
    pub(super) windows: Vec<Window>,
    /// How many calls there are.
    pub(super) calls: usize,
}

/// How many rows `ROWS`, LAG and NTH_VALUE may reach back: a window keeps as many of each partition.
const MAX_ROWS: i64 = 100_000;

impl Binder<'_> {
    /// `SUM(x) OVER w`
    pub(super) fn windowed(&mut self, call: &Call, over: &tree::Over, span: Span) -> Result<Typed, SqlError> {
        // Calls do not nest: while the arguments are bound, OVER is not allowed.
        let Some(mut windows) = self.windows.take() else {
            return Err(span.error(
                "OVER is not allowed here: only in the list of a SELECT without GROUP BY, and not within OVER",
            ));
        };
        let window = match over {
            tree::Over::Inline(window) => Ok(window),
            tree::Over::Named(name) => named(windows.named, name),
        };
        let bound = window.and_then(|window| Ok((self.window(window)?, self.window_function(call, span)?)));
        let result = bound.map(|((partition, frame), (function, arg, default, data_type))| {
            let same = |known: &Window| known.partition == partition && known.frame == frame;
            let place = windows.windows.iter().position(same).unwrap_or_else(|| {
                windows.windows.push(Window::new(partition, frame));
                windows.windows.len() - 1
            });
            windows.windows[place].calls.push(WindowCall::new(windows.calls, function, arg, default));
            windows.calls += 1;
            Typed { expr: Expr::Column(windows.width + windows.calls - 1), data_type }
        });
        self.windows = Some(windows);
        result
    }

    pub(super) fn window(&mut self, window: &tree::Window) -> Result<(Vec<Expr>, Frame), SqlError> {
        let partition =
            window.partition.iter().map(|key| Ok(self.bind(key)?.expr)).collect::<Result<Vec<_>, SqlError>>()?;
        let frame = match &window.frame {
            tree::Frame::CurrentRows => Frame::Rows(0),
            tree::Frame::CurrentRange => Frame::Range(0),
            tree::Frame::Unbounded => Frame::Unbounded,
            tree::Frame::Rows(size) => match self.bind(size)?.expr {
                Expr::Literal(Value::Integer(0)) => {
                    return Err(size.span.error("0 PRECEDING is not allowed: CURRENT ROW is"));
                }
                Expr::Literal(Value::Integer(rows @ 1..=MAX_ROWS)) => Frame::Rows(rows as usize),
                Expr::Literal(Value::Integer(rows)) if rows > 0 => {
                    return Err(size.span.error(format!("ROWS takes {MAX_ROWS} at most")));
                }
                Expr::Literal(Value::Integer(..0)) => return Err(size.span.error("ROWS takes no negative number")),
                _ => return Err(size.span.error("ROWS takes a whole number greater than zero")),
            },
            tree::Frame::Range(size) => match self.bind(size)? {
                Typed { expr: Expr::Literal(Value::Interval(length)), data_type: Type::Interval(qualifier) }
                    if length > 0 && !qualifier.is_months() =>
                {
                    Frame::Range(length)
                }
                Typed { expr: Expr::Literal(Value::Interval(..0)), .. } => {
                    return Err(size.span.error("RANGE takes no negative INTERVAL"));
                }
                _ => {
                    return Err(size.span.error(
                        "RANGE takes an INTERVAL literal of days, hours, minutes or seconds, greater than zero",
                    ));
                }
            },
        };
        Ok((partition, frame))
    }

    /// What is called, its argument and LAG's default, and the type of the result.
    #[allow(clippy::type_complexity)]
    fn window_function(
        &mut self,
        call: &Call,
        span: Span,
    ) -> Result<(WindowFunction, Option<Expr>, Option<Expr>, Type), SqlError> {
        let ignore_nulls = call.nulls == Some(Nulls::Ignore);
        let invalid = || span.error(format!("Invalid arguments to function '{}'", call.name.text));
        let name = call.name.text.as_str();
        let is_value = matches!(name, "FIRST_VALUE" | "LAST_VALUE");
        if call.distinct.is_some() && (is_value || !super::aggregate::is_aggregate(name)) {
            return Err(span.error(format!("{name}(DISTINCT …) is not supported")));
        }
        if is_value {
            let [arg] = &call.args[..] else { return Err(invalid()) };
            let arg = self.bind(arg)?;
            let function = if name == "FIRST_VALUE" {
                WindowFunction::First { place: 1, ignore_nulls }
            } else {
                WindowFunction::Last { place: 1, ignore_nulls }
            };
            return Ok((function, Some(arg.expr), None, arg.data_type));
        }
        match name {
            "LAG" => {
                if !(1..=3).contains(&call.args.len()) {
                    return Err(invalid());
                }
                let arg = self.bind(&call.args[0])?;
                let rows = match call.args.get(1).map(|rows| self.bind(rows)).transpose()? {
                    None => 1,
                    Some(Typed { expr: Expr::Literal(Value::Integer(rows @ 0..=MAX_ROWS)), .. }) => rows as usize,
                    Some(_) => return Err(call.args[1].span.error(format!("LAG goes back 0 to {MAX_ROWS} rows"))),
                };
                let default = call.args.get(2).map(|default| self.bind(default)).transpose()?;
                let default_type = default.as_ref().map_or(Type::Null, |default| default.data_type);
                let data_type = arg.data_type.join(default_type).ok_or_else(invalid)?;
                Ok((
                    WindowFunction::Lag { rows, ignore_nulls },
                    Some(arg.expr),
                    default.map(|default| default.expr),
                    data_type,
                ))
            }
            "NTH_VALUE" => {
                let [arg, place] = &call.args[..] else { return Err(invalid()) };
                let (arg, bound) = (self.bind(arg)?, self.bind(place)?);
                let Expr::Literal(Value::Integer(rows @ 1..=MAX_ROWS)) = bound.expr else {
                    return Err(place.span.error(format!("NTH_VALUE takes a number from 1 to {MAX_ROWS}")));
                };
                let place = rows as usize;
                let function = match call.from {
                    Some(End::Last) => WindowFunction::Last { place, ignore_nulls },
                    _ => WindowFunction::First { place, ignore_nulls },
                };
                Ok((function, Some(arg.expr), None, arg.data_type))
            }
            "EXP_AVG" => {
                let [arg, half_life] = &call.args[..] else { return Err(invalid()) };
                let (arg, half_life) = (self.bind(arg)?, self.bind(half_life)?);
                match (half_life.data_type, half_life.expr) {
                    (Type::Interval(qualifier), Expr::Literal(Value::Interval(half_life)))
                        if half_life > 0 && !qualifier.is_months() && arg.data_type.is_numeric() =>
                    {
                        Ok((WindowFunction::ExponentialAverage { half_life }, Some(arg.expr), None, Type::DOUBLE))
                    }
                    _ => Err(invalid()),
                }
            }
            _ if !super::aggregate::is_aggregate(name) => {
                Err(span.error(format!("{name} OVER a window is not supported")))
            }
            _ if call.nulls.is_some() => Err(span.error(format!("{name} does not take IGNORE or RESPECT NULLS"))),
            _ => {
                let (aggregate, data_type) = self.aggregate_of(call, span)?;
                let Aggregate { function, arg, distinct } = aggregate;
                Ok((WindowFunction::Aggregate { function, distinct }, arg, None, data_type))
            }
        }
    }
}

/// The window of this name.
pub(super) fn named<'s>(windows: &'s [(Name, tree::Window)], name: &Name) -> Result<&'s tree::Window, SqlError> {
    let found = windows.iter().find(|(known, _)| known.text == name.text).map(|(_, window)| window);
    found.ok_or_else(|| name.span.error(format!("Window '{}' not found", name.text)))
}
