//! The tests that need more than one crate: [`stack`] runs the real programs on free ports with fresh data, [`lake`] reads what
//! arrived, [`search`] what was indexed, [`access_log`] writes what is shipped, [`vectors`] runs case files, [`sql_model`] says what
//! statements must give.

pub mod access_log;
pub mod lake;
pub mod proxy;
pub mod search;
pub mod sql_model;
pub mod stack;
pub mod vectors;
