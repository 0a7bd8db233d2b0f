//! Scripts in, rows out: one program for all, because each would be linked with the whole engine.
#![allow(missing_docs)]

mod dialect;
mod end;
mod join_model;
mod joins;
mod log_parse;
mod properties;
mod robust;
mod scripts;
mod sliding;
mod table_functions;
