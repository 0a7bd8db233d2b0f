//! Event in, answer out.

use std::collections::BTreeSet;

use lambda::{BatchReply, Error, RuleCache, RuleSource};

use crate::batch::{Batch, Counts, Destination};
use crate::event::{self, Created};
use crate::indexes::Indexes;
use crate::lake::{Lake, LakeError};
use crate::object::{self, ReadError};
use crate::rules::Rules;

/// What the function has while its process lives.
pub struct Context<L, I, R> {
    /// The lake.
    pub lake: L,
    /// The indexes.
    pub indexes: I,
    /// Which objects go into which index.
    pub rules: RuleCache<R, Rules>,
}

/// An object of the invocation, with the messages that tell of it.
struct Object {
    created: Created,
    messages: BTreeSet<usize>,
}

/// Indexes what the messages tell of; the answer names those that come again.
pub async fn handle<L: Lake, I: Indexes, R: RuleSource>(
    batch: event::Batch,
    context: &Context<L, I, R>,
) -> Result<BatchReply, Error> {
    let rules = context.rules.current().await?;
    let (objects, mut failed) = objects(&batch, context.lake.bucket());
    let now = objects.iter().map(|object| object.created.at).max().unwrap_or_default();
    let destination = Destination { indexes: &context.indexes, lake: &context.lake, now };
    let mut counts = Counts::default();
    let again = index(&objects, &rules, &destination, &mut counts).await;
    tracing::info!(
        messages = batch.messages.len(),
        objects = objects.len(),
        done = counts.done,
        known = counts.known,
        failed = counts.failed,
        again = again.len(),
        "indexed"
    );
    for object in again {
        failed.extend(&objects[object].messages);
    }
    Ok(BatchReply::sqs(failed.into_iter().map(|message| batch.messages[message].message_id.clone())))
}

/// The objects, each once, and the messages that cannot be handled: they end among the dead letters.
fn objects(batch: &event::Batch, bucket: &str) -> (Vec<Object>, BTreeSet<usize>) {
    let (mut objects, mut failed): (Vec<Object>, _) = (Vec::new(), BTreeSet::new());
    for (place, message) in batch.messages.iter().enumerate() {
        let created = match message.created() {
            Ok(created) => created,
            Err(error) => {
                tracing::error!(message = message.message_id, error = %error, "message not understood");
                failed.insert(place);
                continue;
            }
        };
        for created in created {
            if created.bucket != bucket {
                tracing::error!(bucket = created.bucket, key = created.key, "not an object of the lake");
                failed.insert(place);
                continue;
            }
            let same =
                |object: &&mut Object| object.created.key == created.key && object.created.replay == created.replay;
            match objects.iter_mut().find(same) {
                Some(object) => {
                    object.created.at = object.created.at.max(created.at);
                    object.messages.insert(place);
                }
                None => objects.push(Object { created, messages: BTreeSet::from([place]) }),
            }
        }
    }
    (objects, failed)
}

/// Reads the objects and commits what they hold, whenever enough has come together and at the end. Gives those that come again.
async fn index<L: Lake, I: Indexes>(
    objects: &[Object],
    rules: &Rules,
    destination: &Destination<'_, I, L>,
    counts: &mut Counts,
) -> BTreeSet<usize> {
    let mut batch = Batch::default();
    let mut again = BTreeSet::new();
    for (place, Object { created, .. }) in objects.iter().enumerate() {
        let Some(rule) = rules.of(&created.key) else {
            tracing::info!(key = created.key, "no rule, not indexed");
            continue;
        };
        let read = object::read(destination.lake, created, &rule, async |portion| {
            if !batch.has_room(&portion) {
                again.extend(batch.commit(destination, counts).await);
            }
            batch.push(place, portion);
        })
        .await;
        match read {
            Ok(_) => {}
            Err((_, ReadError::Lake(LakeError::Gone { key }))) => {
                tracing::warn!(key, "object is gone, nothing to index")
            }
            Err((_, ReadError::Lake(error))) => {
                tracing::error!(error = %error, "not read, the object comes again");
                again.insert(place);
            }
            Err((source, ReadError::Unreadable(unreadable))) => {
                tracing::error!(key = created.key, error = %unreadable, "object cannot be read");
                counts.failed += 1;
                let Some(source) = source else { continue };
                if let Err(error) = object::write_down(destination.lake, &source, &unreadable).await {
                    tracing::error!(error = %error, "failure not written, the object comes again");
                    again.insert(place);
                }
            }
        }
    }
    again.extend(batch.commit(destination, counts).await);
    again
}
