//! Lines that index-writer refused: asked for by their numbers, out of the objects they came from.

use std::collections::{BTreeMap, BTreeSet};

use aws::listing::Listed;
use serde::Deserialize;

use super::Replay;

/// Lines of one message at most: their numbers stay well below what a message may have.
const MAX_LINES: usize = 10_000;

/// A line under `failed/index-writer/` (docs/rules.md), as far as it matters here.
#[derive(Deserialize)]
struct Failure {
    source: Source,
    /// None: the object as a whole.
    line: Option<u64>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    key: String,
    etag: String,
}

impl Replay<'_> {
    /// The lines of the objects under the prefix.
    pub async fn lines(&mut self) -> Result<(), String> {
        if self.arguments.consumer != "index-writer" {
            return Err("failed/index-writer/ goes to index-writer alone".to_owned());
        }
        let mut outbox = self.outbox().await?;
        let (mut next, mut first) = (None, true);
        while let Some(objects) = self.page(&mut next, &mut first).await? {
            for object in &objects {
                let before = self.progress.failed;
                match self.messages_of(&object.key).await {
                    Ok(messages) => {
                        for message in messages {
                            self.send(&mut outbox, message).await;
                        }
                        self.flush(&mut outbox).await;
                    }
                    Err(error) => {
                        eprintln!("logmill: {error}");
                        self.progress.failed += 1;
                    }
                }
                if self.progress.failed == before {
                    self.remove(&object.key).await;
                }
            }
            self.tell();
        }
        Ok(())
    }

    async fn messages_of(&self, key: &str) -> Result<Vec<String>, String> {
        let body = self.lake.read(key).await.map_err(|error| error.to_string())?;
        let wanted = wanted(&body).map_err(|error| format!("{key}: {error}"))?;
        let mut messages = Vec::new();
        for (Source { key, etag }, lines) in wanted {
            let object = Listed { key, size: 0, modified: 0, etag };
            let Some(lines) = lines else {
                messages.push(self.message(&object, None));
                continue;
            };
            let lines: Vec<u64> = lines.into_iter().collect();
            for some in lines.chunks(MAX_LINES) {
                messages.push(self.message(&object, Some(&some.iter().copied().collect())));
            }
        }
        Ok(messages)
    }
}

/// The objects, and the lines of them; the whole object where it failed as such.
fn wanted(body: &[u8]) -> Result<BTreeMap<Source, Option<BTreeSet<u64>>>, serde_json::Error> {
    let mut wanted: BTreeMap<Source, Option<BTreeSet<u64>>> = BTreeMap::new();
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Failure { source, line } = serde_json::from_slice(line)?;
        let lines = wanted.entry(source).or_insert_with(|| Some(BTreeSet::new()));
        match (line, lines) {
            (None, lines) => *lines = None,
            (Some(line), Some(lines)) => drop(lines.insert(line)),
            (Some(_), None) => {}
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use index_writer::failed::{self, Failure as Written};
    use index_writer::lake::Identity;

    #[test]
    fn what_the_writer_writes_down_is_asked_for() {
        let source = Identity { bucket: "b".into(), key: "logs/k".into(), etag: "e".into(), modified: 0 };
        let failure = |line| Written {
            line,
            index: None,
            kind: "t".into(),
            reason: "r".into(),
            raw: Some(Bytes::from_static(b"x")),
        };
        let lines = failed::body(&source, &mut [failure(Some(3)), failure(Some(1))]);
        let (source_of, wanted_lines) = wanted(&lines).unwrap().pop_first().unwrap();
        assert_eq!((source_of.key.as_str(), wanted_lines), ("logs/k", Some(BTreeSet::from([1, 3]))));
        let whole = failed::body(&source, &mut [failure(None)]);
        assert_eq!(wanted(&[lines, whole].concat()).unwrap().pop_first().unwrap().1, None);
        assert!(wanted(b"{}\n").is_err());
    }
}
