//! The tasks of the streams: three each, which follow the source, transform and deliver, woken by commits and by the clock.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{self, JoinSet};

use super::{deliver, source, streams, transform};
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::store::Wake;

/// Pause after an error that is the emulator's own.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// The longest sleep before the tables are looked at again: timers stand still while a laptop sleeps, its clock does not.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// What a step leaves to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Something was done: there may be more.
    Again,
    /// Nothing before this instant (epoch ms) unless a commit wakes the task.
    Wait(Option<i64>),
}

impl Next {
    /// Whichever comes first.
    pub fn sooner(self, other: Next) -> Next {
        match (self, other) {
            (Next::Wait(Some(one)), Next::Wait(Some(two))) => Next::Wait(Some(one.min(two))),
            (Next::Wait(one), Next::Wait(two)) => Next::Wait(one.or(two)),
            _ => Next::Again,
        }
    }
}

/// One of a stream's tasks.
#[derive(Debug, Clone, Copy)]
enum Part {
    Source,
    Transform,
    Deliver,
}

/// Starts the deliveries: a worker for each stream, as streams come and go.
pub fn start(ctx: &Ctx, tasks: &mut JoinSet<()>) {
    tasks.spawn(supervise(ctx.clone()));
}

async fn supervise(ctx: Ctx) {
    let mut workers = JoinSet::new();
    let mut running: HashMap<i64, task::Id> = HashMap::new();
    loop {
        let mut resources = ctx.store.watch(Wake::Resources);
        match ctx.store.read(all_ids).await {
            Ok(ids) => {
                for id in ids {
                    running.entry(id).or_insert_with(|| workers.spawn(work(ctx.clone(), id)).id());
                }
            }
            Err(e) => {
                tracing::error!("firehose: the streams cannot be read: {e}");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        }
        tokio::select! {
            _ = resources.changed() => {}
            Some(ended) = workers.join_next_with_id(), if !workers.is_empty() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(panicked) => {
                        tracing::error!("firehose: a worker stopped and is started again: {panicked}");
                        tokio::time::sleep(ERROR_PAUSE).await;
                        panicked.id()
                    }
                };
                running.retain(|_, worker| *worker != id);
            }
        }
    }
}

fn all_ids(db: &rusqlite::Connection) -> Result<Vec<i64>, ApiError> {
    let mut statement = db.prepare_cached("SELECT id FROM firehose_streams ORDER BY id")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Works for a stream until it is deleted.
async fn work(ctx: Ctx, id: i64) {
    tokio::join!(drive(&ctx, id, Part::Source), drive(&ctx, id, Part::Transform), drive(&ctx, id, Part::Deliver));
}

async fn drive(ctx: &Ctx, id: i64, part: Part) {
    loop {
        let stream = match ctx.store.read(move |db| streams::by_id(db, id)).await {
            Ok(Some(stream)) => stream,
            Ok(None) => return,
            Err(e) => {
                tracing::error!("firehose: stream {id} cannot be read: {e}");
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        // Taken before the tables are looked at, so that nothing is missed.
        let mut records = ctx.store.watch(Wake::Delivery(stream.name.clone()));
        match turn(ctx, &stream, part).await {
            Ok((Next::Again, _)) => {}
            Ok((Next::Wait(until), mut source)) => {
                let now = now_ms();
                let sleep = until.map_or(MAX_SLEEP, |at| Duration::from_millis(at.saturating_sub(now).max(0) as u64));
                tokio::select! {
                    _ = records.changed() => {}
                    _ = source.changed() => {}
                    () = tokio::time::sleep(sleep.min(MAX_SLEEP)) => {}
                }
            }
            Err(e) => {
                tracing::error!(stream = stream.name, "firehose: {part:?}: {e}");
                tokio::time::sleep(ERROR_PAUSE).await;
            }
        }
    }
}

type Woken = tokio::sync::watch::Receiver<()>;

/// One step of a part, and what wakes it besides the stream's own commits.
async fn turn(ctx: &Ctx, stream: &streams::Stream, part: Part) -> Result<(Next, Woken), ApiError> {
    let settings = stream.settings()?;
    let from = settings.source.as_ref().filter(|_| matches!(part, Part::Source));
    let woken = ctx.store.watch(from.map_or(Wake::Resources, |source| Wake::Stream(source.stream.clone())));
    let next = match part {
        Part::Source => source::step(ctx, stream, &settings).await?,
        Part::Transform => transform::step(ctx, stream, &settings).await?,
        Part::Deliver => deliver::step(ctx, stream, &settings).await?,
    };
    Ok((next, woken))
}
