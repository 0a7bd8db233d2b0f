//! Joins: of streams over windows, and of a stream with a reference table.

use super::expression::Binder;
use super::graph::Graph;
use super::lookup::index;
use super::over::named;
use super::query::Input;
use super::scope::{Relation, Scope};
use crate::error::SqlError;
use crate::expression::{Comparison, Expr};
use crate::operator::{Frame, Join, JoinSide, Node, NodeId, Operator, Reach, Target, reads};
use crate::syntax::tree::{self, From, JoinKind, Name, Over, Span};
use crate::table::TablePlan;

/// The windows that a query names.
pub(super) type Named<'w> = &'w [(Name, tree::Window)];

/// What stands beside JOIN.
enum Operand<'f> {
    Stream(Input, Window),
    /// Its number, and how it is read.
    Table(usize, &'f From),
}

/// How long the rows of a stream are met.
enum Window {
    Known(Reach),
    /// Pairs of which one leaves when others come: nobody knows when.
    Unknown,
}

/// The row of a join as it grows.
#[derive(Default)]
struct Layout {
    width: usize,
    relations: Vec<Relation>,
}

impl Graph {
    /// A join as something to read from.
    pub(super) fn join(&mut self, join: &tree::Join, windows: Named<'_>, span: Span) -> Result<Input, SqlError> {
        Ok(self.joined(join, windows, span)?.0)
    }

    fn joined(&mut self, join: &tree::Join, windows: Named<'_>, span: Span) -> Result<(Input, Window), SqlError> {
        let left = self.operand(&join.left, windows, span)?;
        let right = self.operand(&join.right, windows, span)?;
        if let Some(name) = left.names().find(|name| right.names().any(|other| other == *name)) {
            let place = name_of(&join.right).map_or(join.span, |name| name.span);
            return Err(place.error(format!("Duplicate relation name '{name}' in FROM clause")));
        }
        let outer = [
            matches!(join.kind, JoinKind::Left | JoinKind::Full),
            matches!(join.kind, JoinKind::Right | JoinKind::Full),
        ];
        match (left, right) {
            (Operand::Stream(left, Window::Known(l)), Operand::Stream(right, Window::Known(r))) => {
                self.join_streams(join, [(left, l), (right, r)], outer)
            }
            (Operand::Stream(..), Operand::Stream(..)) => {
                Err(join.span.error("A ROWS window is not supported in a join of more than two streams"))
            }
            (Operand::Stream(stream, window), Operand::Table(table, from)) if !outer[1] => {
                Ok((self.look_up(join, stream, table, from, false)?, window))
            }
            (Operand::Table(table, from), Operand::Stream(stream, window)) if !outer[0] => {
                Ok((self.look_up(join, stream, table, from, true)?, window))
            }
            (Operand::Table(..), Operand::Table(..)) => {
                Err(join.span.error("Two reference tables cannot be joined: each must be joined with a stream"))
            }
            _ => Err(join
                .span
                .error("An outer join with a reference table keeps the rows of the stream, not of the table")),
        }
    }

    fn operand<'f>(&mut self, from: &'f From, windows: Named<'_>, span: Span) -> Result<Operand<'f>, SqlError> {
        let over = match from {
            From::Join(join) => {
                let (input, window) = self.joined(join, windows, span)?;
                return Ok(Operand::Stream(input, window));
            }
            From::Stream { over, .. } | From::Query { over, .. } => over.as_ref(),
            From::Function { .. } => None,
        };
        match (self.table_of(from), over) {
            (Some(_), Some(over)) => return Err(over.span().error("A reference table has no window")),
            (Some(table), None) => return Ok(Operand::Table(table, from)),
            (None, _) => {}
        }
        let reach = over.map_or(Ok(Reach::Current), |over| reach(over, windows))?;
        Ok(Operand::Stream(self.relation(from, span)?, Window::Known(reach)))
    }

    fn join_streams(
        &mut self,
        join: &tree::Join,
        [(left, l), (right, r)]: [(Input, Reach); 2],
        outer: [bool; 2],
    ) -> Result<(Input, Window), SqlError> {
        let (has_end, mut window) = match (&l, &r) {
            (Reach::Current, Reach::Current) => {
                return Err(join.span.error(
                    "A join of two streams needs a window on one of them at least: stream OVER (RANGE INTERVAL … PRECEDING)",
                ));
            }
            (Reach::Current, _) | (_, Reach::Current) => (false, Window::Known(Reach::Current)),
            (Reach::Rows(_), _) | (_, Reach::Rows(_)) => (false, Window::Unknown),
            // A pair is there as long as both of its rows.
            _ => (true, Window::Unknown),
        };
        let nodes = [left.node, right.node];
        let mut layout = Layout::default();
        let left = layout.side(left, l, outer[0], outer[1]);
        let split = layout.width;
        let right = layout.side(right, r, outer[1], outer[0]);
        let scope = Scope { relations: layout.relations };
        let (mut width, mut end) = (layout.width, None);
        if has_end {
            window = Window::Known(Reach::Until(Expr::Column(width)));
            end = Some(width);
            width += 1;
        }
        let on = join.on.as_ref().map(|on| self.binder(&scope).condition(on, "ON")).transpose()?;
        let mut keys = Vec::new();
        on.iter().for_each(|on| equals(on, split, layout.width, &mut keys));
        // Who is in a window is there before who is not: a row that comes to both sides meets itself.
        let mut order = [0, 1];
        order.sort_by_key(|side| [&left, &right][*side].reach == Reach::Current);
        let node = self.node(Operator::Join(Box::new(Join { sides: [left, right], on, keys, width, end })));
        for port in order {
            self.nodes[nodes[port]].targets.push(Target { node, port });
        }
        Ok((Input { node, width, filter: None, scope }, window))
    }

    /// Tells the joins that give a node's rows what condition these must meet: those that look for equal values need not try all.
    pub(super) fn narrow(&mut self, node: NodeId, condition: &Expr) {
        match &mut self.nodes[node].operator {
            Operator::Join(join) if join.sides.iter().all(|side| !side.outer) => {
                equals(condition, join.sides[0].columns.len(), join.width, &mut join.keys);
            }
            Operator::Lookup(lookup) if !lookup.outer => {
                if lookup.index.is_none() {
                    lookup.index = index(&mut self.tables[lookup.table], lookup.offset, condition);
                }
                let reads = |above: &Node| above.targets.iter().any(|target| target.node == node);
                if let Some(above) = self.nodes.iter().position(reads) {
                    self.narrow(above, condition);
                }
            }
            _ => {}
        }
    }

    /// Joins keep of their rows what is read, and no more.
    pub(super) fn prune(&mut self) {
        // Who reads a node comes after it.
        for node in (0..self.nodes.len()).rev() {
            let mut read = vec![false; self.nodes[node].operator.joined_width()];
            let mut all = false;
            let mut visit = |place: usize| read.get_mut(place).into_iter().for_each(|read| *read = true);
            for target in &self.nodes[node].targets {
                all |= reads(&self.nodes, *target, &mut visit);
            }
            match &mut self.nodes[node].operator {
                Operator::Join(join) => {
                    join.on.iter().chain(join.keys.iter().flatten()).for_each(|expr| expr.columns(&mut visit));
                    for side in &mut join.sides {
                        side.columns.retain(|(place, _)| all || read[*place]);
                    }
                    join.end = join.end.filter(|place| all || read[*place]);
                }
                Operator::Lookup(lookup) => {
                    lookup.on.iter().for_each(|expr| expr.columns(&mut visit));
                    let TablePlan { used, indexes, .. } = &mut self.tables[lookup.table];
                    lookup.columns = (0..lookup.width).filter(|place| all || read[lookup.offset + place]).collect();
                    lookup.columns.iter().for_each(|place| used[*place] = true);
                    for index in indexes {
                        let keys = index.keys.iter();
                        keys.for_each(|key| key.columns(&mut |place| used[place - index.offset] = true));
                    }
                }
                _ => {}
            }
        }
    }
}

impl Layout {
    /// A side's columns come behind those that are there.
    fn side(&mut self, input: Input, reach: Reach, outer: bool, other_outer: bool) -> JoinSide {
        // The row of a side without a window is the later one of each pair: ROWTIME is its own.
        let is_last = reach == Reach::Current && !other_outer;
        let mut columns = Vec::new();
        let mut keep = |expr: &mut Expr| {
            columns.push((self.width, std::mem::replace(expr, Expr::Column(self.width))));
            self.width += 1;
        };
        for mut relation in input.scope.relations {
            for column in &mut relation.columns {
                match &mut column.value.expr {
                    Expr::Record(fields) => fields.iter_mut().for_each(|field| keep(&mut field.expr)),
                    expr => keep(expr),
                }
            }
            match &mut relation.rowtime {
                None => {}
                Some(Expr::Rowtime) if is_last => {}
                Some(rowtime) => keep(rowtime),
            }
            self.relations.push(relation);
        }
        JoinSide { condition: input.filter, columns, reach, outer }
    }
}

impl Operand<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        let (relations, table) = match self {
            Operand::Stream(input, _) => (&input.scope.relations[..], None),
            Operand::Table(_, from) => (&[][..], name_of(from)),
        };
        let table = table.map(|name| name.text.as_str());
        relations.iter().filter_map(|relation| relation.name.as_deref()).chain(table)
    }
}

/// What that is called which is read.
pub(super) fn name_of(from: &From) -> Option<&Name> {
    match from {
        From::Stream { name, alias, .. } => Some(alias.as_ref().unwrap_or(name)),
        From::Query { alias, .. } | From::Function { alias, .. } => alias.as_ref(),
        From::Join(_) => None,
    }
}

fn reach(over: &Over, windows: Named<'_>) -> Result<Reach, SqlError> {
    let window = match over {
        Over::Inline(window) => window,
        Over::Named(name) => named(windows, name)?,
    };
    if let Some(key) = window.partition.first() {
        return Err(key.span.error("PARTITION BY is not allowed in the window of a join"));
    }
    match Binder::new(&Scope { relations: Vec::new() }).window(window)?.1 {
        Frame::Rows(preceding) => Ok(Reach::Rows(preceding as u64)),
        Frame::Range(length) => Ok(Reach::Range(length)),
        Frame::Unbounded => Err(window.span.error("The window of a join needs bounds: ROWS or RANGE … PRECEDING")),
    }
}

/// Finds what a condition wants to be equal: an expression over the columns before a place, and one over those from there to the
/// end.
pub(super) fn equals(condition: &Expr, split: usize, end: usize, found: &mut Vec<[Expr; 2]>) {
    match condition {
        Expr::And(left, right) => {
            equals(left, split, end, found);
            equals(right, split, end, found);
        }
        Expr::Compare(Comparison::Equal, left, right) => {
            let pair = match (side_of(left, split, end), side_of(right, split, end)) {
                (Some(0), Some(1)) => [left, right],
                (Some(1), Some(0)) => [right, left],
                _ => return,
            };
            found.push(pair.map(|expr| (**expr).clone()));
        }
        _ => {}
    }
}

/// The side whose columns an expression reads, if it reads nothing else.
fn side_of(expr: &Expr, split: usize, end: usize) -> Option<usize> {
    let mut read = [false; 3];
    expr.columns(&mut |place| read[usize::from(place >= split) + usize::from(place >= end)] = true);
    match read {
        _ if expr.reads_time() => None,
        [true, false, false] => Some(0),
        [false, true, false] => Some(1),
        _ => None,
    }
}
