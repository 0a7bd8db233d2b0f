//! Brings what waits into the head of an application, commit by commit, and sends what came out of it.
//!
//! ```text
//! head, waiting segments ─ read ─▶ merge / fold_lines ─▶ state', outbox' ─ commit ─▶ segments collected, outbox sent
//! ```
//!
//! Anybody may do it: who loses the commit has nothing to do, for the winner has seen the same segments or will be followed by the
//! next one. A crash in between leaves segments that the next one finds behind the head, and effects that the next tick sends.

use std::sync::Arc;

use lambda::Error;
use lambda::rules::RuleListing;
use ledger::{Head, HeadError, Loaded, ObjectStore};

use crate::application::Application;
use crate::catalog::{Applications, Catalog, Entry};
use crate::delivery;
use crate::fold::{Fold, Stop};
use crate::outside::Outside;
use crate::pages::Pages;
use crate::rule::SourceStream;
use crate::state::State;
use crate::tables::Copies;
use crate::{objects, places, shards};

/// Commits that one call makes for an application; what is left waits for the next call. With [`crate::fold::MAX_ROWS`] each, more
/// than a function's five minutes hold.
const MAX_COMMITS: usize = 64;

/// How often a tick tries again when another took the head: nobody else does what it does.
const MAX_LOST: usize = 8;

/// What folding needs.
pub struct Folder<O, S> {
    /// Where state is.
    pub index: Arc<dyn ObjectStore>,
    /// Where lines are, and reports go.
    pub lake: Arc<dyn ObjectStore>,
    /// The applications.
    pub catalog: Catalog<S>,
    /// Pages of their windows.
    pub pages: Pages,
    /// Delivery streams and Kinesis streams.
    pub outside: O,
    /// How far the lake's lines are behind: a tick moves the watermark of a lake source to this long (ms) before now.
    pub lake_lag: i64,
}

/// Why folding is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The largest arrival time of the batch, or the tick's time.
    pub now: i64,
    /// A tick: time passes for idle sources too, and the outbox is sent as a whole.
    pub tick: bool,
}

/// What a read of the source gave to a fold.
#[derive(Default)]
pub(crate) struct Taken {
    /// The state has changed.
    pub changed: bool,
    /// There is more, which this commit had no room for.
    pub more: bool,
    /// Why it ended before its input did.
    pub stop: Option<Stop>,
    /// Segments that are done with when the commit is made.
    pub finished: Vec<(ledger::Segments, String)>,
    /// The source could not be followed: the watermark waits.
    pub stalled: Option<String>,
}

/// What is to be done with what waits.
struct Plan {
    /// Rows are folded with this.
    run: Arc<Application>,
    /// Then this happens.
    then: Then,
}

enum Then {
    Nothing,
    /// A new version begins, with these tables.
    Begin(Arc<Application>, Copies),
    /// Nothing runs any more.
    Stop,
}

enum Round {
    Done,
    More,
    Lost,
}

impl<O: Outside, S: RuleListing> Folder<O, S> {
    /// Folds what waits for an application. Whether its source could be followed: if not, why.
    pub async fn fold(&self, name: &str, call: Call) -> Result<Option<String>, Error> {
        let (mut lost, mut stalled) = (0, None);
        for _ in 0..MAX_COMMITS {
            // Boxed: nested as deep as it is, the compiler gives up on its layout.
            match Box::pin(self.round(name, call, &mut stalled)).await? {
                Round::Done => break,
                Round::More => {}
                Round::Lost if call.tick && lost < MAX_LOST => lost += 1,
                Round::Lost => break,
            }
        }
        if call.tick {
            let head = places::head(&self.index, name);
            let committed = head.load().await?;
            self.send(&head, &committed, 0).await?;
        }
        Ok(stalled)
    }

    async fn round(&self, name: &str, call: Call, stalled: &mut Option<String>) -> Result<Round, Error> {
        let head = places::head(&self.index, name);
        let mut loaded = head.load().await?;
        let version = loaded.state.version().map(str::to_owned);
        let Some(plan) = self.plan(name, &mut loaded, call.now).await? else { return Ok(Round::Done) };
        let begun = loaded.state.version() != version.as_deref();
        let first = loaded.outbox.waiting().last().map_or(0, |effect| effect.id + 1);
        let errors = loaded.state.counters.errors;
        let Some(mut taken) = self.take(&plan, &mut loaded, call).await? else { return Ok(Round::Lost) };
        if taken.stalled.is_some() {
            *stalled = taken.stalled.take();
        }
        if taken.stop == Some(Stop::Outbox) {
            tracing::warn!(application = name, "the outbox is full: nothing is folded until its rows are taken");
        }
        let switched = !matches!(plan.then, Then::Nothing) && !taken.more && taken.stop.is_none();
        if switched {
            match &plan.then {
                Then::Begin(next, tables) => loaded.state.begin(next, tables.clone(), call.now),
                _ => loaded.state.stop(),
            }
            tracing::info!(application = name, version = loaded.state.version(), "version changed");
        }
        if taken.changed || begun || switched {
            let errors = loaded.state.counters.errors - errors;
            self.pages.store(name, &mut loaded).await?;
            let Some(committed) = head.commit(loaded).await? else { return Ok(Round::Lost) };
            if errors > 0 {
                tracing::warn!(application = name, errors, "rows failed: they are in error_stream or under failed/");
            }
            // A full outbox is sent by whoever meets it; else each sends what he put in, so that few rows go twice.
            let from = if taken.stop == Some(Stop::Outbox) { 0 } else { first };
            self.send(&head, &committed, from).await?;
        } else if taken.stop == Some(Stop::Outbox) {
            self.send(&head, &loaded, 0).await?;
        }
        for (segments, position) in taken.finished {
            segments.collect(&position).await?;
        }
        // A full outbox ends the call: whether there is room now, the next one sees.
        let more = taken.more && taken.stop != Some(Stop::Outbox) || switched && matches!(plan.then, Then::Begin(..));
        Ok(if more { Round::More } else { Round::Done })
    }

    async fn send(&self, head: &Head<State>, committed: &Loaded<State>, first: u64) -> Result<(), HeadError> {
        delivery::send(&self.outside, &*self.lake, head, committed, first).await
    }

    /// What runs, with its tables, and what comes next. The head is one that runs it.
    async fn plan(&self, name: &str, loaded: &mut Loaded<State>, now: i64) -> Result<Option<Plan>, Error> {
        let Some(mut plan) = self.versions(name, loaded).await? else { return Ok(None) };
        if loaded.state.definition.is_none() {
            let Some(tables) = self.tables(&plan.run, loaded.sequence).await? else { return Ok(None) };
            loaded.state.begin(&plan.run, tables, now);
        }
        plan.run = self.catalog.tables.fill(&plan.run, &loaded.state.tables).await?;
        Ok(Some(plan))
    }

    /// What runs, and what comes next. Only who has read the rules after the head changes a version: a stale cache never does.
    async fn versions(&self, name: &str, loaded: &mut Loaded<State>) -> Result<Option<Plan>, Error> {
        let state = &mut loaded.state;
        let running = state.version().map(str::to_owned);
        let as_it_is = |entry: &Entry| {
            let same = entry.application().filter(|application| Some(application.version()) == running.as_deref());
            same.map(|application| Plan { run: application.clone(), then: Then::Nothing })
        };
        let of = |applications: Arc<Applications>| applications.get(name).cloned().unwrap_or(Entry::Off);
        if let Some(plan) = as_it_is(&of(self.catalog.current().await?)) {
            return Ok(Some(plan));
        }
        let entry = of(self.catalog.fresh().await?);
        if let Some(plan) = as_it_is(&entry) {
            return Ok(Some(plan));
        }
        let Some(definition) = state.definition.clone() else {
            let Entry::On(application) = entry else { return Ok(None) };
            return Ok(Some(Plan { run: application, then: Then::Nothing }));
        };
        let run = Application::compile(name, definition).map(Arc::new);
        let then = match entry {
            Entry::On(next) => match self.tables(&next, loaded.sequence).await? {
                Some(tables) => Then::Begin(next, tables),
                None => Then::Nothing,
            },
            Entry::Off => Then::Stop,
            Entry::Broken(_) => Then::Nothing,
        };
        match (run, then) {
            (Ok(run), then) => Ok(Some(Plan { run, then })),
            // Compiled by an older build, and not by this one: it cannot be folded any further.
            (Err(error), Then::Begin(next, tables)) => {
                tracing::error!(application = name, %error, "the version that runs does not compile any more, it ends as it is");
                let now = state.now;
                state.begin(&next, tables, now);
                Ok(Some(Plan { run: next, then: Then::Nothing }))
            }
            (Err(error), _) => {
                Err(format!("application {name}: the version that runs does not compile: {error}").into())
            }
        }
    }

    /// Reads and keeps the tables of a version that is to begin on this head. None: one cannot be read, so it does not begin.
    async fn tables(&self, next: &Application, head: u64) -> Result<Option<Copies>, Error> {
        match self.catalog.tables.read(next).await {
            Ok(read) => Ok(Some(self.catalog.tables.keep(next.name(), read, head).await?)),
            Err(error) => {
                tracing::error!(application = next.name(), %error, "its new version does not begin");
                self.catalog.look_again(next.name()).await;
                Ok(None)
            }
        }
    }

    /// Folds, with the pages that it takes. None: the head has moved on.
    async fn take(&self, plan: &Plan, loaded: &mut Loaded<State>, call: Call) -> Result<Option<Taken>, Error> {
        let name = plan.run.name();
        // Each turn finds at most one page missing that no turn before did.
        let turns = loaded.state.pages.len() + 1;
        let mut wanted = loaded.state.engine.wanted(call.now);
        for _ in 0..turns {
            if !self.pages.give(name, &mut loaded.state, &wanted).await? {
                return Ok(None);
            }
            let before = (turns > 1).then(|| loaded.clone());
            let taken = self.take_once(plan, loaded, call).await?;
            match (before, loaded.state.engine.missing()) {
                (Some(before), Some(missing)) => {
                    wanted = vec![missing.clone()];
                    *loaded = before;
                }
                _ => return Ok(Some(taken)),
            }
        }
        Err(format!("application {name}: page after page was missing: {turns} turns").into())
    }

    async fn take_once(&self, plan: &Plan, loaded: &mut Loaded<State>, call: Call) -> Result<Taken, Error> {
        let mut fold = Fold::new(&plan.run, &mut loaded.state, &mut loaded.outbox);
        let mut taken = match plan.run.source() {
            SourceStream::Kinesis(stream) => shards::take(self, stream, &mut fold, call).await?,
            SourceStream::Firehose(_) => objects::take(self, &mut fold, call).await?,
        };
        if !matches!(plan.then, Then::Nothing) && !taken.more && taken.stop.is_none() {
            taken.stop = fold.stop().filter(|stop| *stop == Stop::Outbox);
            if taken.stop.is_none() {
                fold.close();
            }
        }
        fold.finish(call.now)?;
        Ok(taken)
    }
}
