//! Aggregations.
//!
//! ```text
//! Aggregation ─ plan (per index: fields, lowered filters) ─▶ Node ─ open (per split) ─▶ Collect ─ finish ─▶ Partial
//!             Partials of all splits ─ merge ─▶ one ─ render ─▶ Elasticsearch's JSON
//! ```
//!
//! They are our own and not the engine's: calendars, time zones, several orders, filters by any query, exact counts and Elasticsearch's
//! shape are needed at any depth, and of one tree one engine must do it all. A new kind gets its variant in [`plan`], its collector
//! beside [`keyed`], [`listed`] or [`metric`], and its shape in [`render`].

mod collect;
mod digest;
mod keyed;
mod listed;
mod metric;
mod partial;
mod plan;
mod render;
mod rounding;
mod sketch;
mod slots;
mod values;

pub(super) use collect::{Collect, TOO_MANY, documents};
pub(super) use partial::Partial;
pub(super) use plan::{Node, plan};
pub(super) use render::{Renderer, too_many};
pub(super) use values::Values;
