//! Operators: a graph of nodes through which rows and bounds are pushed.
//!
//! A bound says that no earlier row will come. Before a row goes down, the bound of its ROWTIME does: so an operator closes its
//! windows on bounds alone. What an operator remembers is its part of the state, one [`NodeState`] per node.

mod aggregate;
mod as_list;
mod calc;
mod equality;
mod join;
mod join_window;
mod lookup;
mod over;
mod records;
mod run;
mod sort;
mod stagger;
mod stream;
mod table_function;
mod tumble;
mod within;

use serde::{Deserialize, Serialize};

pub(crate) use aggregate::{Aggregate, AggregateFunction, Number};
pub(crate) use calc::{Calc, Cut, Distinct};
pub(crate) use equality::Hashed;
pub(crate) use join::{Join, JoinSide, Reach};
pub(crate) use lookup::Lookup;
pub(crate) use over::{Frame, Over, Queue, Window, WindowCall, WindowFunction};
pub(crate) use records::{RecordCall, Records};
pub(crate) use run::Run;
pub(crate) use sort::{Sort, SortKey};
pub(crate) use stagger::Stagger;
pub(crate) use stream::Stream;
pub(crate) use table_function::{
    CountDistinct, Explanation, Features, GroupRank, Hotspots, OutputOrder, RandomCutForest, TableFunction, TopK,
};
pub(crate) use tumble::{Key, Tumble};
pub(crate) use within::Within;

use crate::expression::Expr;

/// A node's place in the graph.
pub(crate) type NodeId = usize;

/// An operator and where its rows go.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) operator: Operator,
    pub(crate) targets: Vec<Target>,
    /// The pump it works for: named in `error_stream`.
    pub(crate) pump: Option<usize>,
}

/// An input of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) node: NodeId,
    /// Which of a node's inputs: of a stream, which inserter.
    pub(crate) port: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Operator {
    Stream(Stream),
    Calc(Calc),
    Distinct(Distinct),
    Tumble(Tumble),
    Stagger(Stagger),
    Sort(Sort),
    Over(Over),
    Records(Records),
    Join(Box<Join>),
    Lookup(Lookup),
    TableFunction(TableFunction),
    Within(Within),
}

/// What a node remembers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum NodeState {
    #[serde(rename = "0")]
    Nothing,
    #[serde(rename = "s")]
    Stream(stream::StreamState),
    #[serde(rename = "d")]
    Distinct(calc::DistinctState),
    #[serde(rename = "t")]
    Tumble(tumble::TumbleState),
    #[serde(rename = "g")]
    Stagger(stagger::StaggerState),
    #[serde(rename = "o")]
    Sort(sort::SortState),
    #[serde(rename = "w")]
    Over(over::OverState),
    #[serde(rename = "j")]
    Join(Box<join::JoinState>),
    #[serde(rename = "f")]
    TableFunction(table_function::TableFunctionState),
    #[serde(rename = "i")]
    Within(within::WithinState),
}

impl NodeState {
    /// Rows that wait in pages.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &Queue> {
        let state = if let NodeState::Over(state) = self { Some(state) } else { None };
        state.into_iter().flat_map(over::OverState::queues)
    }

    pub(crate) fn queues_mut(&mut self) -> impl Iterator<Item = &mut Queue> {
        let state = if let NodeState::Over(state) = self { Some(state) } else { None };
        state.into_iter().flat_map(over::OverState::queues_mut)
    }
}

impl Operator {
    /// The state before the first row.
    pub(crate) fn start(&self) -> NodeState {
        match self {
            Operator::Stream(stream) => NodeState::Stream(stream.start()),
            Operator::Calc(_) | Operator::Records(_) => NodeState::Nothing,
            Operator::Distinct(_) => NodeState::Distinct(Default::default()),
            Operator::Tumble(_) => NodeState::Tumble(Default::default()),
            Operator::Stagger(_) => NodeState::Stagger(Default::default()),
            Operator::Sort(_) => NodeState::Sort(Default::default()),
            Operator::Join(join) => NodeState::Join(Box::new(join.start())),
            Operator::Lookup(_) => NodeState::Nothing,
            Operator::TableFunction(function) => NodeState::TableFunction(function.start()),
            Operator::Over(over) => NodeState::Over(over.start()),
            Operator::Within(_) => NodeState::Within(Default::default()),
        }
    }

    /// Calls `visit` for every column of an input that it reads; or says that it reads all.
    fn columns(&self, port: usize, visit: &mut dyn FnMut(usize)) -> bool {
        let mut all: Vec<&Expr> = Vec::new();
        match self {
            Operator::Stream(_) | Operator::Sort(_) | Operator::Distinct(_) | Operator::Within(_) => return true,
            Operator::Over(over) => over.columns(visit),
            // What those behind it read of the row is theirs to say.
            Operator::Records(records) => {
                all.extend(records.condition.iter().chain(records.calls.iter().map(|call| &call.line)));
            }
            Operator::Calc(calc) => all.extend(calc.condition.iter().chain(&calc.values).chain(&calc.rowtime)),
            Operator::Tumble(tumble) => {
                all.extend(tumble.condition.iter().chain(tumble.keys.iter().map(Key::expr)));
                all.extend(tumble.aggregates.iter().filter_map(|aggregate| aggregate.arg.as_ref()));
            }
            Operator::Stagger(stagger) => {
                all.extend(stagger.condition.iter().chain(&stagger.keys));
                all.extend(stagger.aggregates.iter().filter_map(|aggregate| aggregate.arg.as_ref()));
            }
            Operator::Join(join) => {
                let side = &join.sides[port];
                all.extend(side.condition.iter().chain(side.columns.iter().map(|(_, expr)| expr)));
                if let Reach::Until(end) = &side.reach {
                    all.push(end);
                }
            }
            Operator::Lookup(lookup) => {
                all.extend(lookup.condition.iter().chain(&lookup.on));
                all.extend(lookup.index.iter().flat_map(|(_, keys)| keys));
            }
            Operator::TableFunction(function) => match function.exprs() {
                Some(exprs) => all.extend(exprs),
                None => return true,
            },
        }
        all.into_iter().for_each(|expr| expr.columns(visit));
        false
    }
}

impl Operator {
    /// How many columns the rows of a join have; 0 of other operators.
    pub(crate) fn joined_width(&self) -> usize {
        match self {
            Operator::Join(join) => join.width,
            Operator::Lookup(lookup) => lookup.offset + lookup.width,
            _ => 0,
        }
    }
}

/// Calls `visit` for every column that is read of the rows that come to an input, there or further on; or says that all are.
pub(crate) fn reads(nodes: &[Node], target: Target, visit: &mut dyn FnMut(usize)) -> bool {
    let node = &nodes[target.node];
    let mut all = node.operator.columns(target.port, visit);
    // Those that hand their rows on with more columns behind.
    let width = match &node.operator {
        Operator::Lookup(lookup) => lookup.offset,
        Operator::Records(records) => records.width,
        _ => return all,
    };
    for target in &node.targets {
        all |= reads(nodes, *target, &mut |place| {
            if place < width {
                visit(place);
            }
        });
    }
    all
}
