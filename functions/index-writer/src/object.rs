//! An object of the lake, portion by portion.

use std::sync::Arc;

use crate::document::Reader;
use crate::event::Created;
use crate::failed::{self, Failure};
use crate::lake::{Body, Identity, Lake, LakeError};
use crate::lines::{Lines, Unreadable};
use crate::portion::Portion;
use crate::rules::Rule;

/// Why an object is not read to its end.
#[derive(Debug)]
pub enum ReadError {
    /// Worth another try.
    Lake(LakeError),
    /// Never.
    Unreadable(Unreadable),
}

/// Reads an object; `full` gets each portion, whole ones first. What was read before an error has been handed on.
pub async fn read<L: Lake>(
    lake: &L,
    created: &Created,
    rule: &Arc<Rule>,
    mut full: impl AsyncFnMut(Portion),
) -> Result<Arc<Identity>, (Option<Arc<Identity>>, ReadError)> {
    let (source, mut body) = lake.open(&created.key).await.map_err(|error| (None, ReadError::Lake(error)))?;
    let source = Arc::new(source);
    let mut lines = Lines::default();
    let mut reader = Reader::new(rule, &source);
    let start = |first_line| Portion::new(source.clone(), first_line, rule.clone(), created.replay.clone());
    let mut portion = start(1);
    let mut result = Ok(());
    loop {
        let bytes = match body.next().await {
            Ok(bytes) => bytes,
            Err(reason) => {
                result = Err(ReadError::Lake(LakeError::Failed { key: created.key.clone(), reason }));
                break;
            }
        };
        let last = bytes.is_none();
        for piece in Lines::pieces(bytes.as_deref().unwrap_or_default()).map(Some).chain(last.then_some(None)) {
            let fed = match piece {
                Some(piece) => lines.feed(piece),
                None => lines.finish(),
            };
            while let Some(line) = lines.next_line() {
                portion.add(&mut reader, line);
                if portion.is_full() {
                    let next = start(portion.first_line + portion.lines as u64);
                    full(std::mem::replace(&mut portion, next)).await;
                }
            }
            if let Err(unreadable) = fed {
                result = Err(ReadError::Unreadable(unreadable));
                break;
            }
        }
        if last || result.is_err() {
            break;
        }
    }
    match result {
        // How far an object can be read before an error depends on how its bytes arrive: the portion that was begun does not count.
        Err(error) => Err((Some(source), error)),
        Ok(()) => {
            if portion.lines > 0 {
                full(portion).await;
            }
            Ok(source)
        }
    }
}

/// Writes down that an object can never be read (to its end).
pub async fn write_down<L: Lake>(lake: &L, source: &Identity, unreadable: &Unreadable) -> Result<(), LakeError> {
    let kind = match unreadable {
        Unreadable::Gzip(_) => "not_gzip",
        Unreadable::Size => "too_large",
        Unreadable::Ratio => "compression_ratio",
    };
    let mut failures =
        [Failure { line: None, index: None, kind: kind.into(), reason: unreadable.to_string(), raw: None }];
    lake.put(&failed::key(source, "object"), failed::body(source, &mut failures)).await
}
