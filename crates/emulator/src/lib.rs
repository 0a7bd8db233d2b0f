//! The emulator: the AWS services of Logmill's data path in one process, on one port, on a laptop.
//!
//! A request comes in at [`wire`], which finds its service and protocol and decodes it; the service (one module each under
//! [`services`]) changes its tables in one transaction of the [`store`], together with everything that follows from the
//! change (an object's notification, the queue entry it becomes); the [`runtime`] is woken by the commit and runs what the
//! change triggers: function processes, event source mappings, schedules, deliveries. [`template`] reads `template.yaml`,
//! expands it as CloudFormation and SAM would, and makes its resources through the same services.
//!
//! Absent: anything a function could need. No function depends on this crate; it starts their binaries and speaks the
//! Lambda Runtime API to them.

pub mod clock;
pub mod config;
pub mod error;
pub mod faults;
mod health;
pub mod runtime;
pub mod services;
mod start;
pub mod store;
pub mod template;
pub mod wire;

pub use config::Config;
pub use start::{Emulator, StartError};

use std::sync::Arc;

/// What every part of the emulator shares.
pub struct Shared {
    /// What it was started with; `port` is the port it really listens on.
    pub config: Arc<Config>,
    /// The durable state.
    pub store: store::Store,
    /// The faults to inject.
    pub faults: faults::Faults,
    /// The function processes.
    pub pool: runtime::Pool,
}

/// A handle on [`Shared`].
pub type Ctx = Arc<Shared>;
