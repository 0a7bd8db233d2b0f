//! Schedules: the next of them is waited for; a tick and the time of the next one are one transaction.

use std::time::Duration;

use tokio::time::sleep;

use crate::Ctx;
use crate::clock::now_ms;
use crate::services::lambda;
use crate::store::Wake;

/// The longest wait at once: a laptop that slept, or whose clock was set, is on time again within this.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Before another attempt after the tables could not be read or written.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Runs until the task is aborted.
pub async fn run(ctx: Ctx) {
    let mut resources = ctx.store.watch(Wake::Resources);
    loop {
        resources.borrow_and_update();
        let next = match next_fire(&ctx).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "the schedules could not be run");
                Some(now_ms() + AFTER_ERROR.as_millis() as i64)
            }
        };
        let wait = next.map(|at| Duration::from_millis((at - now_ms()).max(0) as u64).min(MAX_WAIT));
        tokio::select! {
            changed = resources.changed() => if changed.is_err() { return },
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
        }
    }
}

/// Fires what is due; returns when the next is.
async fn next_fire(ctx: &Ctx) -> Result<Option<i64>, crate::error::ApiError> {
    let schedules = ctx.store.read(lambda::list_schedules).await?;
    let next = schedules.iter().filter(|schedule| schedule.enabled).filter_map(|schedule| schedule.next_at).min();
    match next {
        Some(at) if at <= now_ms() => ctx.store.write(lambda::fire_due).await,
        next => Ok(next),
    }
}
