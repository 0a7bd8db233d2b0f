//! A commit: decided, uploaded, tried; and again if another came first.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use ledger::Seen;

use crate::manifest::{Names, ORDINAL_BITS, Settings, Split, State, View, new_incarnation};
use crate::mapping::{DocumentError, Mapping};
use crate::split::{BuildOptions, Builder, Built, Document, Row};
use crate::{Error, Index};

use super::Taken;
use super::batch::Batch;
use super::decide::{Plan, Sink, There, decide};
use super::lookup::{Located, Lookups};
use super::upload::{Stored, buried, store};

/// A batch on its way into an index, and what a try that came too late has left.
pub struct Attempt<'a> {
    index: &'a Index,
    batch: &'a Batch<'a>,
    defaults: &'a Settings,
    now: i64,
    lookups: Option<Lookups>,
    made: Option<Made>,
}

/// What was decided, from what, and what it wrote.
struct Made {
    basis: Basis,
    /// The number of the commit that it was decided for.
    commit: u64,
    plan: Plan,
    /// The fields then.
    mapping: Arc<Mapping>,
    /// The documents; none if there are none.
    built: Option<Built>,
    /// Where they were written to.
    stored: Option<Stored>,
}

/// What a decision depends on.
#[derive(PartialEq)]
struct Basis {
    /// The index exists, or something of the batch makes it.
    exists: bool,
    tag_fields: Vec<String>,
    mapping: Arc<Mapping>,
    /// Pieces whose sources were not taken before.
    wanted: Vec<bool>,
    found: HashMap<String, Located>,
}

impl<'a> Attempt<'a> {
    /// Of a batch. An index that is not there is made with `defaults`.
    pub fn new(index: &'a Index, batch: &'a Batch<'a>, defaults: &'a Settings, now: i64) -> Attempt<'a> {
        Attempt { index, batch, defaults, now, lookups: None, made: None }
    }

    /// Tries to commit onto this view. `None`: another commit came first.
    pub async fn run(&mut self, view: &View) -> Result<Option<Vec<Taken>>, Error> {
        let catalog = &self.index.catalog;
        let seen = self.seen(&view.state).await?;
        let basis = self.basis(&view.state, &seen).await?;
        let commit = view.state.commit + 1;
        let mut made = match self.made.take() {
            Some(made) if made.basis == basis && (made.commit == commit || !made.plan.names_commit) => made,
            _ => self.make(basis, commit)?,
        };
        let answers = made.plan.answers(self.batch, commit, &seen);
        let wanted = self.batch.pieces.iter().zip(&made.basis.wanted).filter(|(_, wanted)| **wanted);
        let sources: Vec<_> = wanted.filter_map(|(piece, _)| piece.source).collect();
        if made.plan.ordinals == 0 && sources.is_empty() {
            return Ok(Some(answers));
        }
        let Some((view, names)) = self.begun(view).await? else {
            self.made = Some(made);
            return Ok(None);
        };
        let head = &view.head.state;
        let positions = async {
            if sources.is_empty() {
                return Ok(head.positions.clone());
            }
            Ok(head.positions.with(&*catalog.store, &names.positions(), &sources, self.now).await?)
        };
        let (stored, mut change, positions, (mut next, snapshot)) = futures::try_join!(
            store(catalog, &names, made.built.as_ref(), &made.plan.gone, made.stored.take()),
            buried(catalog, &names, &view.state, &made.plan.deleted),
            positions,
            view.next(&*catalog.store),
        )?;
        change.added.extend(made.added(&stored, commit));
        next.state.mapping = made.mapping.clone();
        next.state.positions = positions;
        next.state.push(change);
        made.stored = stored;
        self.made = Some(made);
        let committed = catalog.views.commit(&catalog.store, &self.index.name, next, snapshot).await?;
        Ok(committed.map(|_| answers))
    }

    /// What is known of the pieces: those without a source, and the first of each source that is new, are to be carried out.
    async fn seen(&self, state: &State) -> Result<Vec<Seen>, Error> {
        let (pieces, sources) = self.batch.sources();
        let mut seen = vec![Seen::New; self.batch.pieces.len()];
        if sources.is_empty() {
            return Ok(seen);
        }
        let mut in_batch = std::collections::HashSet::new();
        let known = state.positions.check(&*self.index.catalog.store, &sources, self.now).await?;
        for ((piece, (id, _)), known) in pieces.into_iter().zip(sources).zip(known) {
            seen[piece] = if in_batch.insert(id) { known } else { Seen::Known };
        }
        Ok(seen)
    }

    async fn basis(&mut self, state: &State, seen: &[Seen]) -> Result<Basis, Error> {
        let wanted: Vec<bool> = seen.iter().map(|seen| *seen == Seen::New).collect();
        let batch = self.batch;
        let lookups = self.lookups.get_or_insert_with(|| {
            let (ids, whole) = batch.ids(|piece| wanted[piece]);
            Lookups::new(ids.into_iter().map(str::to_owned).collect(), |id| whole.contains(id))
        });
        let found = lookups.run(&self.index.catalog, state).await?;
        let is_there = state.incarnation.is_some();
        let tag_fields = if is_there { &state.settings.tag_fields } else { &self.defaults.tag_fields };
        let exists = is_there || self.batch.creates();
        Ok(Basis { exists, tag_fields: tag_fields.clone(), mapping: state.mapping.clone(), wanted, found })
    }

    /// Decides, and builds the split. Takes CPU time.
    fn make(&self, basis: Basis, commit: u64) -> Result<Made, Error> {
        let options = BuildOptions { tag_fields: basis.tag_fields.clone() };
        let mut documents = Documents { mapping: basis.mapping.clone(), builder: None, options };
        let there = There { exists: basis.exists, commit, found: &basis.found };
        let plan = decide(self.batch, &basis.wanted, &there, &mut documents)?;
        let Documents { mapping, builder, .. } = documents;
        let is_empty = plan.added as usize == plan.gone.len();
        let built = builder.filter(|_| !is_empty).map(Builder::finish).transpose()?;
        Ok(Made { basis, commit, plan, mapping, built, stored: None })
    }

    /// The view of an index that is there; made by a commit of its own if need be, before anything is written under its name: what
    /// lies under a name that no head knows is never found again. `None`: another commit came first.
    async fn begun(&self, view: &View) -> Result<Option<(View, Names)>, Error> {
        if let Some(names) = view.head.state.names() {
            return Ok(Some((view.clone(), names)));
        }
        let mut next = (*view.head).clone();
        next.state.begin(&new_incarnation(), self.defaults.clone(), Arc::default(), self.now);
        let (catalog, commit) = (&self.index.catalog, next.state.commit);
        let begun = catalog.views.commit(&catalog.store, &self.index.name, next, None).await?;
        let begun = begun.filter(|begun| begun.state.commit == commit);
        Ok(begun.and_then(|view| view.head.state.names().map(|names| (view, names))))
    }
}

impl Made {
    /// The new split in the manifest.
    fn added(&self, stored: &Option<Stored>, commit: u64) -> Option<Arc<Split>> {
        let (stored, built) = (stored.as_ref()?, self.built.as_ref()?);
        let seq_base = commit << ORDINAL_BITS;
        Some(Arc::new(Split {
            key: stored.split.clone(),
            seq_base,
            seq: (seq_base, seq_base + self.plan.ordinals - 1),
            deletes: stored.deletes.clone(),
            deleted: self.plan.gone.len() as u32,
            meta: built.meta.clone(),
        }))
    }
}

/// Documents on their way through the mapping, which grows with them, into a split.
struct Documents {
    mapping: Arc<Mapping>,
    builder: Option<Builder>,
    options: BuildOptions,
}

impl Sink for Documents {
    fn add(&mut self, id: &str, source: &Bytes, row: Row) -> Result<Result<u32, DocumentError>, Error> {
        let parsed = match self.mapping.parse(id, source) {
            Ok(parsed) => parsed,
            Err(error) => return Ok(Err(error)),
        };
        let grown = match parsed.new.is_empty() {
            true => None,
            false => {
                let mut grown = (*self.mapping).clone();
                match grown.extend(&parsed.new) {
                    Ok(_) => Some(Arc::new(grown)),
                    Err(error) => return Ok(Err(DocumentError { kind: error.kind, reason: error.reason })),
                }
            }
        };
        let builder = match &mut self.builder {
            Some(builder) => builder,
            none => none.insert(Builder::new(&self.options)?),
        };
        let document = Document { id, source, values: &parsed.values(), names: &parsed.names() };
        let doc = builder.add(&document, row)?;
        if let Some(grown) = grown {
            self.mapping = grown;
        }
        Ok(Ok(doc))
    }
}
