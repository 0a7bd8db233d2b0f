//! What runs because something happened: function processes, event source mappings, asynchronous events, schedules, URLs.
//!
//! The [`Pool`] starts a function's binary on demand and speaks the Lambda Runtime API to it (`runtime_api`): a `worker` is one
//! process and the task that gives it one invocation at a time, `output` takes what it prints to the function's log group,
//! `spawner` sees to it that no process outlives the emulator. The other modules turn state into invocations: each is a task
//! that waits for a commit (`Store::watch`) or for an instant, reads what is due from the tables, invokes, and writes what
//! became of it in one transaction. Nothing here is lost by `kill -9`: what was not written down as done is done again.

mod async_events;
mod destination;
mod end;
mod mapping;
mod output;
mod pool;
mod program;
mod runtime_api;
mod schedule;
mod spawner;
mod timing;
mod url;
mod worker;

pub use pool::{FunctionSnapshot, Invocation, Pool};
#[cfg(target_os = "linux")]
pub use spawner::die_with_parent;
pub use timing::Timing;

use tokio::task::JoinSet;

use crate::Ctx;
use crate::error::ApiError;

/// The largest request of a synchronous invocation, bytes (Lambda quotas: 6 MB).
pub const MAX_REQUEST: usize = 6 * 1024 * 1024;

/// The largest answer of a synchronous invocation, bytes (Lambda's own message: 6291556).
pub const MAX_RESPONSE: usize = MAX_REQUEST + 100;

/// Starts the Runtime API, the event source mappings, the asynchronous events, the schedules and the function URLs.
pub async fn start(ctx: &Ctx, tasks: &mut JoinSet<()>) -> Result<(), ApiError> {
    tasks.spawn(ctx.pool.listen(ctx).await?);
    tasks.spawn(url::serve_all(ctx).await?);
    tasks.spawn(async_events::run(ctx.clone()));
    tasks.spawn(schedule::run(ctx.clone()));
    tasks.spawn(mapping::run_all(ctx.clone()));
    Ok(())
}
