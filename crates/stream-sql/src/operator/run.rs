//! Pushes rows and bounds through the graph.

use super::join::{Emit, Join, JoinState};
use super::tumble::Complete;
use super::{Node, NodeState, Operator, Target};
use crate::application::{Application, OutputRow, State};
use crate::expression::{Row, RowError};
use crate::output::{hex, hex_row};
use crate::value::{Datum, Value};

/// The longest MESSAGE of `error_stream`.
const MAX_MESSAGE: usize = 4_096;

/// One event on its way.
pub(crate) struct Run<'a> {
    pub(crate) application: &'a Application,
    pub(crate) state: &'a mut State,
    pub(crate) output: &'a mut Vec<OutputRow>,
    /// The wall clock.
    pub(crate) now: i64,
    /// Nothing comes any more: bounds are of every clock.
    pub(crate) is_end: bool,
}

impl<'a> Run<'a> {
    fn node(&self, target: Target) -> &'a Node {
        &self.application.nodes[target.node]
    }

    /// A row comes to an input.
    pub(crate) fn row(&mut self, target: Target, row: Row<'_>) {
        let node = self.node(target);
        let state = &mut self.state.nodes[target.node];
        let result = match (&node.operator, state) {
            (Operator::Stream(stream), NodeState::Stream(state))
                if stream.inserters > 1 && row.rowtime >= state.high =>
            {
                state.wait(target.port, row.rowtime, row.values.iter().cloned().map(Value::from).collect());
                self.release(target);
                Ok(())
            }
            (Operator::Stream(_), NodeState::Stream(_)) => {
                self.accept(target, row);
                Ok(())
            }
            (Operator::Calc(calc), _) => match calc.row(row, &mut self.state.counters.truncated) {
                Ok(Some((rowtime, values))) => {
                    self.forward(node, Row { rowtime, now: row.now, values: &values });
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            (Operator::Distinct(distinct), NodeState::Distinct(state)) => {
                if distinct.is_new(state, row) {
                    self.forward(node, row);
                }
                Ok(())
            }
            (Operator::Tumble(tumble), NodeState::Tumble(state)) => {
                let mut complete = Vec::new();
                let result = tumble.row(state, row, &mut complete);
                if !complete.is_empty() {
                    self.complete(node, complete);
                }
                result
            }
            (Operator::Stagger(stagger), NodeState::Stagger(state)) => stagger.row(state, row),
            (Operator::Sort(sort), NodeState::Sort(state)) => sort.row(state, row),
            (Operator::Over(over), NodeState::Over(state)) => match over.row(state, row) {
                Ok(Some(values)) => {
                    self.forward(node, Row { values: &values, ..row });
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            (Operator::Records(records), _) => match records.row(row) {
                Ok(Some(values)) => {
                    self.forward(node, Row { values: &values, ..row });
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            (Operator::Join(_), NodeState::Join(_)) => {
                let taken = self.join(target, |join, state, emit| join.row(state, target.port, row, emit));
                taken.unwrap_or(Ok(()))
            }
            (Operator::Lookup(lookup), _) => {
                let table = &self.application.tables[lookup.table].rows;
                lookup.row(table, row, &mut |row| self.forward(node, row))
            }
            (Operator::TableFunction(function), NodeState::TableFunction(state)) => {
                let mut complete = Vec::new();
                let result = function.row(state, row, &mut complete);
                self.complete(node, complete);
                result
            }
            (Operator::Within(within), NodeState::Within(state)) => match within.row(state, row) {
                Ok(()) => {
                    let (rows, bound) = (within.release(state), within.bound(state));
                    self.complete(node, rows);
                    if let Some(bound) = bound {
                        node.targets.iter().for_each(|target| self.bound(*target, bound));
                    }
                    Ok(())
                }
                Err(error) => {
                    self.state.counters.late += 1;
                    Err(error)
                }
            },
            // A state belongs to the application that made it (see `Application::run`).
            _ => Ok(()),
        };
        if let Err(error) = result {
            self.fail(node.pump, &error, Some(row));
        }
    }

    /// No row before `time` will come to an input.
    pub(crate) fn bound(&mut self, target: Target, time: i64) {
        let node = self.node(target);
        let mut time = time;
        match (&node.operator, &mut self.state.nodes[target.node]) {
            (Operator::Stream(stream), NodeState::Stream(state)) => {
                let time = state.raise(target.port, time);
                if stream.inserters > 1 {
                    self.release(target);
                }
                self.raise(target, time);
                return;
            }
            // Its rows have another ROWTIME: they are their own bounds.
            (Operator::Calc(calc), _) if calc.rowtime.is_some() && !self.is_end => return,
            (Operator::Within(_), _) if !self.is_end => return,
            (Operator::Within(_), NodeState::Within(state)) => {
                let rows = state.release_all();
                self.complete(node, rows);
            }
            (Operator::Tumble(tumble), NodeState::Tumble(state)) => {
                let mut complete = Vec::new();
                if self.is_end {
                    tumble.end(state, &mut complete);
                }
                tumble.bound(state, time, &mut complete);
                self.complete(node, complete);
            }
            (Operator::Stagger(stagger), NodeState::Stagger(state)) => {
                let mut complete = Vec::new();
                stagger.bound(state, time, &mut complete);
                self.complete(node, complete);
            }
            (Operator::Sort(sort), NodeState::Sort(state)) => {
                let rows = sort.bound(state, time).into_iter().map(Ok).collect();
                self.complete(node, rows);
            }
            (Operator::Over(over), NodeState::Over(state)) => over.bound(state, time),
            (Operator::Join(_), NodeState::Join(_)) => {
                let now = self.now;
                let both = self.join(target, |join, state, emit| join.bound(state, target.port, time, now, emit));
                time = both.unwrap_or(time);
            }
            (Operator::TableFunction(function), NodeState::TableFunction(state)) => {
                let mut complete = Vec::new();
                function.bound(state, time, &mut complete);
                self.complete(node, complete);
            }
            _ => {}
        }
        for target in &node.targets {
            self.bound(*target, time);
        }
    }

    /// Lets a join do something with its state. What comes out of it goes on, each row behind the bound of its ROWTIME.
    fn join<T>(&mut self, target: Target, act: impl FnOnce(&Join, &mut JoinState, Emit<'_>) -> T) -> Option<T> {
        let node = self.node(target);
        let Operator::Join(join) = &node.operator else { return None };
        // Rows do not come back to where they were: nobody misses the state meanwhile.
        let mut state = std::mem::replace(&mut self.state.nodes[target.node], NodeState::Nothing);
        let mut last = None;
        let result = match &mut state {
            NodeState::Join(state) => Some(act(join, state, &mut |row, error| match error {
                Some(error) => self.fail(node.pump, error, Some(row)),
                None => {
                    if last.replace(row.rowtime) != Some(row.rowtime) {
                        node.targets.iter().for_each(|target| self.bound(*target, row.rowtime));
                    }
                    self.forward(node, row);
                }
            })),
            _ => None,
        };
        self.state.nodes[target.node] = state;
        result
    }

    fn forward(&mut self, node: &'a Node, row: Row<'_>) {
        for target in &node.targets {
            self.row(*target, row);
        }
    }

    /// Rows of an operator that held them back; they ascend, and each is a bound.
    fn complete(&mut self, node: &'a Node, complete: Vec<Complete>) {
        let mut last = None;
        for group in complete {
            match group {
                Ok((rowtime, values)) => {
                    if last.replace(rowtime) != Some(rowtime) {
                        node.targets.iter().for_each(|target| self.bound(*target, rowtime));
                    }
                    let values: Vec<Datum<'_>> = values.iter().map(Value::borrow).collect();
                    self.forward(node, Row { rowtime, now: self.now, values: &values });
                }
                Err(error) => self.fail(node.pump, &error, None),
            }
        }
    }

    /// Rows of a stream with several inserters go on when no inserter can bring an earlier one.
    fn release(&mut self, target: Target) {
        let NodeState::Stream(state) = &mut self.state.nodes[target.node] else { return };
        for (rowtime, values) in state.release() {
            let values: Vec<Datum<'_>> = values.iter().map(Value::borrow).collect();
            self.accept(target, Row { rowtime, now: self.now, values: &values });
        }
    }

    /// A row becomes a row of a stream, unless it is late.
    fn accept(&mut self, target: Target, row: Row<'_>) {
        let node = self.node(target);
        let (Operator::Stream(stream), NodeState::Stream(state)) = (&node.operator, &self.state.nodes[target.node])
        else {
            return;
        };
        if row.rowtime < state.high {
            self.state.counters.late += 1;
            let name = stream.number.map_or("of its query", |number| &self.application.streams[number].name);
            let error = RowError(format!("the row is late: a later ROWTIME has been in stream {name} before"));
            return self.fail(node.pump, &error, Some(row));
        }
        self.raise(target, row.rowtime);
        if let Some(number) = stream.number
            && self.application.streams[number].is_output
        {
            let values = row.values.iter().take(self.application.streams[number].columns.len());
            let values = values.map(|value| Value::from(value.borrow())).collect();
            self.output.push(OutputRow { stream: number, rowtime: row.rowtime, values });
        }
        self.forward(node, row);
    }

    /// Raises a stream's high-water mark and tells those who read it.
    fn raise(&mut self, target: Target, time: i64) {
        let NodeState::Stream(state) = &mut self.state.nodes[target.node] else { return };
        if time > state.high {
            state.high = time;
            for target in &self.node(target).targets {
                self.bound(*target, time);
            }
        }
    }

    /// A row fails: it goes no further, and `error_stream` says why.
    pub(crate) fn fail(&mut self, pump: Option<usize>, error: &RowError, row: Option<Row<'_>>) {
        let data = row.map(|row| (row.rowtime, hex_row(row.values)));
        self.report(pump, &error.0, data);
    }

    /// A piece of a record is no row; `error_stream` has its bytes.
    pub(crate) fn fail_record(&mut self, reason: &str, rowtime: i64, piece: &[u8]) {
        self.report(None, reason, Some((rowtime, hex(piece))));
    }

    fn report(&mut self, pump: Option<usize>, reason: &str, data: Option<(i64, String)>) {
        self.state.counters.errors += 1;
        let stream = self.application.streams.len() - 1;
        if !self.application.streams[stream].is_output {
            return;
        }
        let text = |text: &str| Value::Text(text.into());
        let pump = pump.and_then(|pump| self.application.pumps.get(pump));
        let values = vec![
            Value::Timestamp(self.now),
            text("ERROR"),
            text("ROW_ERROR"),
            Value::Text(reason.chars().take(MAX_MESSAGE).collect()),
            data.as_ref().map_or(Value::Null, |(rowtime, _)| Value::Timestamp(*rowtime)),
            data.map_or(Value::Null, |(_, row)| Value::Text(row.into())),
            pump.map_or(Value::Null, |pump| text(pump)),
        ];
        self.output.push(OutputRow { stream, rowtime: self.now, values });
    }
}
