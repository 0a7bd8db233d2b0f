//! Event source mappings: one task each, started and stopped as the tables say.
//!
//! `queue` and `stream` read, invoke and write down what is done with; what an answer means (which items failed, what to delete,
//! how far to advance, where to split) is decided by the pure functions of `answer`; `event` makes the events.

mod answer;
mod event;
mod queue;
mod stream;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Ctx;
use crate::services::lambda::{self, Mapping, Source};
use crate::store::Wake;

/// Before another attempt after the tables, or the source, could not be read.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// A mapping that runs. Dropping it lets its task end after the batch that it is at.
struct Running {
    revision: String,
    _stop: watch::Sender<()>,
    /// Held by the task: the next one for this mapping waits for it.
    turn: Arc<Mutex<()>>,
}

/// Keeps the tasks in line with the tables, until it is aborted.
pub async fn run_all(ctx: Ctx) {
    let mut resources = ctx.store.watch(Wake::Resources);
    let mut running: HashMap<String, Running> = HashMap::new();
    let mut tasks = JoinSet::new();
    loop {
        resources.borrow_and_update();
        match ctx.store.read(lambda::list_mappings).await {
            Ok(mappings) => reconcile(&ctx, mappings, &mut running, &mut tasks),
            Err(error) => {
                tracing::warn!(%error, "event source mappings were not read");
                sleep(AFTER_ERROR).await;
                continue;
            }
        }
        tokio::select! {
            changed = resources.changed() => if changed.is_err() { return },
            // Ended ones are only collected: they end when they are told to.
            Some(_) = tasks.join_next() => {}
        }
    }
}

fn reconcile(ctx: &Ctx, mappings: Vec<Mapping>, running: &mut HashMap<String, Running>, tasks: &mut JoinSet<()>) {
    let wanted: Vec<Mapping> = mappings.into_iter().filter(|mapping| mapping.spec.enabled).collect();
    running.retain(|uuid, _| wanted.iter().any(|mapping| mapping.uuid == *uuid));
    for mapping in wanted {
        let known = running.get(&mapping.uuid);
        let revision = mapping.revision();
        if known.is_some_and(|known| known.revision == revision) {
            continue;
        }
        let turn = known.map_or_else(Arc::default, |known| known.turn.clone());
        let (stop, stopped) = watch::channel(());
        running.insert(mapping.uuid.clone(), Running { revision, _stop: stop, turn: turn.clone() });
        let ctx = ctx.clone();
        tasks.spawn(async move {
            let _turn = turn.lock().await;
            match mapping.source {
                Source::Queue => queue::run(ctx, Arc::new(mapping), stopped).await,
                Source::Stream => stream::run(ctx, Arc::new(mapping), stopped).await,
            }
        });
    }
}

/// Whether the mapping was changed, disabled or removed.
fn is_stopped(stopped: &watch::Receiver<()>) -> bool {
    stopped.has_changed().is_err()
}

/// Ends when the mapping is to stop.
async fn until_stopped(stopped: &mut watch::Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}
