//! Operators: a graph of nodes through which rows and bounds are pushed.
//!
//! A bound says that no earlier row will come. Before a row goes down, the bound of its ROWTIME does: so an operator closes its
//! windows on bounds alone. What an operator remembers is its part of the state, one [`NodeState`] per node.

mod aggregate;
mod calc;
mod over;
mod records;
mod run;
mod sort;
mod stagger;
mod stream;
mod tumble;

use serde::{Deserialize, Serialize};

pub(crate) use aggregate::{Aggregate, AggregateFunction, Number};
pub(crate) use calc::{Calc, Distinct};
pub(crate) use over::{Frame, Over, Window, WindowCall, WindowFunction};
pub(crate) use records::{RecordCall, Records};
pub(crate) use run::Run;
pub(crate) use sort::{Sort, SortKey};
pub(crate) use stagger::Stagger;
pub(crate) use stream::Stream;
pub(crate) use tumble::{Key, Tumble};

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
            Operator::Over(_) => NodeState::Over(Default::default()),
        }
    }

    /// Calls `visit` for every column of its input that it reads; or says that it reads all.
    pub(crate) fn columns(&self, visit: &mut dyn FnMut(usize)) -> bool {
        let mut all: Vec<&Expr> = Vec::new();
        match self {
            Operator::Stream(_) | Operator::Sort(_) | Operator::Distinct(_) | Operator::Over(_) => return true,
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
        }
        all.into_iter().for_each(|expr| expr.columns(visit));
        false
    }
}
