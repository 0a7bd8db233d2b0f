//! Everything end to end, one program: the real emulator, functions and agent, driven with the real SDK.

mod badinput;
mod chain;
mod clients;
mod delivery;
mod ledger;
mod parity;
mod protocols;
mod races;
mod restart;
mod runtime;
mod sql_outputs;
mod sql_run;
mod sql_windows;
mod workspace;
