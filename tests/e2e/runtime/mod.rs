//! The function runtime with real processes: invocation and its failures, asynchronous events, event source mappings, schedules,
//! function URLs.

mod api;
mod events;
mod invocation;
mod mappings;
mod processes;
mod rig;
mod url;
