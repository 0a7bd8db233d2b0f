//! What runs because something happened: function processes, event source mappings, asynchronous events, schedules, URLs.

mod pool;

pub use pool::{Invocation, Pool};

use tokio::task::JoinSet;

use crate::Ctx;
use crate::error::ApiError;

/// Starts the Runtime API, the event source mappings, the asynchronous events, the schedules and the function URLs.
pub async fn start(_ctx: &Ctx, _tasks: &mut JoinSet<()>) -> Result<(), ApiError> {
    Ok(())
}
