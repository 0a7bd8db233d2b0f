//! The rule files of one folder of the rules bucket, cached.
//!
//! The folder is listed at most every [`RECHECK`], and a file whose ETag has changed is read: new files, changed ones and those
//! that are gone work without a deployment. What the files mean is the function's business; what cannot be read is kept as it was.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Instant};

use tokio::sync::Mutex;

use super::{MAX_RULE_FILE_BYTES, RECHECK, RuleSource, Stored};
use crate::Error;

/// Files of a folder that are read: a listing's page holds no more, and each is read at every cold start.
pub const MAX_RULE_FILES: usize = 200;

/// Where the files of a folder are listed.
pub trait RuleListing: RuleSource {
    /// Keys under the prefix with their ETags.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<(String, String)>, Error>>;
}

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// Its version.
    pub etag: String,
    /// Its text, or why it is none.
    pub text: Result<String, String>,
}

/// The files by name: their keys after the folder's prefix.
pub type RuleFiles = BTreeMap<String, Arc<RuleFile>>;

/// The files of a folder, kept up to date.
pub struct RuleFolder<S> {
    source: S,
    prefix: String,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    files: Arc<RuleFiles>,
    checked: Option<Instant>,
}

impl<S: RuleListing> RuleFolder<S> {
    /// A cache of the files under `prefix`, which ends in `/`.
    pub fn new(source: S, prefix: &str) -> RuleFolder<S> {
        RuleFolder { source, prefix: prefix.to_owned(), held: Mutex::default() }
    }

    /// The files as they were at most [`RECHECK`] ago; the same `Arc` while nothing has changed. An error only when the folder could
    /// not be listed and was not known yet.
    pub async fn current(&self) -> Result<Arc<RuleFiles>, Error> {
        self.current_at(Instant::now()).await
    }

    /// The files as they are now. An error when the folder cannot be listed.
    pub async fn fresh(&self) -> Result<Arc<RuleFiles>, Error> {
        let mut held = self.held.lock().await;
        self.check(&mut held).await?;
        held.checked = Some(Instant::now());
        Ok(held.files.clone())
    }

    async fn current_at(&self, now: Instant) -> Result<Arc<RuleFiles>, Error> {
        let mut held = self.held.lock().await;
        let checked = held.checked;
        if checked.is_some_and(|checked| now.saturating_duration_since(checked) < RECHECK) {
            return Ok(held.files.clone());
        }
        match self.check(&mut held).await {
            Ok(()) => {}
            Err(error) if checked.is_some() => {
                tracing::warn!(folder = self.prefix, error = %error, "rule files not readable, the last ones go on");
            }
            Err(error) => return Err(format!("rule files under {} not readable: {error}", self.prefix).into()),
        }
        held.checked = Some(now);
        Ok(held.files.clone())
    }

    async fn check(&self, held: &mut Held) -> Result<(), Error> {
        let mut listed = self.source.list(&self.prefix).await?;
        if listed.len() > MAX_RULE_FILES {
            tracing::error!(
                folder = self.prefix,
                files = listed.len(),
                "only the first {MAX_RULE_FILES} rule files are read"
            );
            listed.truncate(MAX_RULE_FILES);
        }
        let mut files = RuleFiles::new();
        for (key, etag) in listed {
            let Some(name) = key.strip_prefix(&self.prefix).filter(|name| !name.is_empty()) else { continue };
            match held.files.get(name).filter(|file| file.etag == etag) {
                Some(known) => {
                    files.insert(name.to_owned(), known.clone());
                }
                None => {
                    if let Stored::Found { etag, body } = self.source.get(&key, None).await? {
                        files.insert(name.to_owned(), Arc::new(RuleFile { etag, text: text(body) }));
                    }
                }
            }
        }
        if files != *held.files {
            held.files = Arc::new(files);
        }
        Ok(())
    }
}

fn text(body: Vec<u8>) -> Result<String, String> {
    if body.len() > MAX_RULE_FILE_BYTES {
        return Err(format!("the file has more than {MAX_RULE_FILE_BYTES} bytes"));
    }
    String::from_utf8(body).map_err(|error| format!("not UTF-8: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex as StdMutex;

    /// Key → (ETag, body); `None`: the bucket does not answer. Notes what was read.
    #[derive(Default)]
    struct Bucket {
        files: StdMutex<Option<BTreeMap<String, (String, String)>>>,
        read: StdMutex<Vec<String>>,
    }

    impl Bucket {
        fn put(&self, files: &[(&str, &str, &str)]) {
            let owned =
                |(key, etag, body): &(&str, &str, &str)| ((*key).to_owned(), ((*etag).to_owned(), (*body).to_owned()));
            *self.files.lock().unwrap() = Some(files.iter().map(owned).collect());
        }
    }

    impl RuleSource for &Bucket {
        async fn get(&self, key: &str, _if_none_match: Option<&str>) -> Result<Stored, Error> {
            self.read.lock().unwrap().push(key.to_owned());
            let files = self.files.lock().unwrap();
            Ok(match files.as_ref().ok_or("503")?.get(key) {
                Some((etag, body)) => Stored::Found { etag: etag.clone(), body: body.clone().into_bytes() },
                None => Stored::Missing,
            })
        }
    }

    impl RuleListing for &Bucket {
        async fn list(&self, prefix: &str) -> Result<Vec<(String, String)>, Error> {
            let files = self.files.lock().unwrap();
            let files = files.as_ref().ok_or("503")?.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(files.map(|(key, (etag, _))| (key.clone(), etag.clone())).collect())
        }
    }

    fn shown(files: &RuleFiles) -> Vec<(&str, &str)> {
        files.iter().map(|(name, file)| (name.as_str(), file.text.as_deref().unwrap_or("?"))).collect()
    }

    #[tokio::test]
    async fn changed_new_and_removed_files_are_seen_and_the_rest_is_not_read_again() {
        let bucket = Bucket::default();
        let folder = RuleFolder::new(&bucket, "rules/x/");
        let start = Instant::now();
        bucket.put(&[("rules/x/a.json", "1", "one"), ("rules/x/b.json", "1", "two"), ("rules/y.json", "1", "other")]);
        assert_eq!(shown(&folder.current_at(start).await.unwrap()), [("a.json", "one"), ("b.json", "two")]);
        bucket.put(&[("rules/x/a.json", "1", "one"), ("rules/x/c.json", "1", "three")]);
        assert_eq!(shown(&folder.current_at(start + RECHECK / 2).await.unwrap()).len(), 2);
        assert_eq!(bucket.read.lock().unwrap().len(), 2);
        assert_eq!(shown(&folder.current_at(start + RECHECK).await.unwrap()), [("a.json", "one"), ("c.json", "three")]);
        assert_eq!(bucket.read.lock().unwrap()[2..], ["rules/x/c.json"]);
        bucket.put(&[("rules/x/a.json", "2", "new")]);
        assert_eq!(shown(&folder.fresh().await.unwrap()), [("a.json", "new")]);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_listed_stays_as_it_was() {
        let bucket = Bucket::default();
        let folder = RuleFolder::new(&bucket, "rules/x/");
        let start = Instant::now();
        assert!(folder.current_at(start).await.is_err());
        bucket.put(&[("rules/x/a.json", "1", "one")]);
        let known = folder.current_at(start).await.unwrap();
        *bucket.files.lock().unwrap() = None;
        assert_eq!(folder.current_at(start + RECHECK).await.unwrap(), known);
        assert!(folder.fresh().await.is_err());
    }

    #[test]
    fn what_is_no_text_is_told() {
        assert_eq!(text(vec![b'a']), Ok("a".to_owned()));
        assert!(text(vec![0xff]).unwrap_err().starts_with("not UTF-8"));
        assert!(text(vec![b' '; MAX_RULE_FILE_BYTES + 1]).is_err());
    }
}
