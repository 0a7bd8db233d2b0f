//! The tests that need more than one crate: [`stack`] runs the real programs on free ports with fresh data, [`lake`] reads what
//! arrived, [`vectors`] runs case files.

pub mod lake;
pub mod proxy;
pub mod stack;
pub mod vectors;
