//! The order in which resources are made: each after what it needs, otherwise as written; a circle is named.

use std::collections::HashMap;

use super::node::{Place, Result};

/// A resource and what it needs.
pub struct Step {
    /// Its logical id.
    pub id: String,
    /// Where it is declared.
    pub at: Place,
    /// The logical ids that it needs; those that are no step are ignored.
    pub needs: Vec<String>,
}

/// The indices of the steps in the order of creation.
pub fn order(steps: &[Step]) -> Result<Vec<usize>> {
    let index: HashMap<&str, usize> = steps.iter().enumerate().map(|(n, step)| (step.id.as_str(), n)).collect();
    let needs = |n: usize| steps[n].needs.iter().filter_map(|id| index.get(id.as_str()).copied());
    let mut marks = vec![Mark::New; steps.len()];
    let mut done = Vec::with_capacity(steps.len());
    for start in 0..steps.len() {
        // Depth first, with a stack of our own: (step, what it needs that has not been looked at).
        let mut stack = Vec::new();
        if marks[start] == Mark::New {
            marks[start] = Mark::Open;
            stack.push((start, needs(start).collect::<Vec<_>>().into_iter()));
        }
        while let Some((step, rest)) = stack.last_mut() {
            let step = *step;
            match rest.next() {
                None => {
                    marks[step] = Mark::Done;
                    done.push(step);
                    stack.pop();
                }
                Some(next) if marks[next] == Mark::New => {
                    marks[next] = Mark::Open;
                    stack.push((next, needs(next).collect::<Vec<_>>().into_iter()));
                }
                Some(next) if marks[next] == Mark::Open => {
                    let from = stack.iter().position(|(step, _)| *step == next).unwrap_or(0);
                    let circle = stack[from..].iter().map(|(step, _)| *step).chain([next]);
                    let names: Vec<String> =
                        circle.map(|n| format!("{} (line {})", steps[n].id, steps[n].at.line)).collect();
                    return Err(steps[next].at.fault(format!("circular dependency: {}", names.join(" → "))));
                }
                Some(_) => {}
            }
        }
    }
    Ok(done)
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}
