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
use tokio::task::{self, JoinSet};
use tokio::time::sleep;

use crate::Ctx;
use crate::services::lambda::{self, Mapping, Source};
use crate::store::Wake;

/// Before another attempt after the tables, or the source, could not be read.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// A mapping that runs. Dropping it lets its task end after the batch that it is at.
struct Running {
    revision: String,
    task: task::Id,
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
            Some(ended) = tasks.join_next() => if let Err(panicked) = ended {
                tracing::error!("an event source mapping stopped and is started again: {panicked}");
                sleep(AFTER_ERROR).await;
                forget(&mut running, panicked.id());
            }
        }
    }
}

/// A mapping whose task is no more: it is started again. One that ended because it was told to is not there any more.
fn forget(running: &mut HashMap<String, Running>, task: task::Id) {
    running.retain(|_, running| running.task != task);
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
        let (ctx, uuid, my_turn) = (ctx.clone(), mapping.uuid.clone(), turn.clone());
        let task = tasks.spawn(async move {
            let _turn = my_turn.lock().await;
            match mapping.source {
                Source::Queue => queue::run(ctx, Arc::new(mapping), stopped).await,
                Source::Stream => stream::run(ctx, Arc::new(mapping), stopped).await,
            }
        });
        running.insert(uuid, Running { revision, task: task.id(), _stop: stop, turn });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_mapping_whose_task_panicked_is_started_again() {
        let mut tasks = JoinSet::new();
        let mut running = HashMap::new();
        for name in ["sound", "panics"] {
            let task = tasks.spawn(async move {
                assert_eq!(name, "sound");
                std::future::pending::<()>().await
            });
            let (stop, _) = watch::channel(());
            let (revision, task, turn) = (String::new(), task.id(), Arc::default());
            running.insert(name, Running { revision, task, _stop: stop, turn });
        }
        let mut running = running.into_iter().map(|(name, running)| (name.to_owned(), running)).collect();
        let panicked = tasks.join_next().await.unwrap().unwrap_err();
        forget(&mut running, panicked.id());
        assert_eq!(running.keys().collect::<Vec<_>>(), ["sound"]);
    }
}
