//! The applications: the files of `rules/analytics/`, compiled, and the one that the function is built with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use lambda::Error;
use lambda::rules::{RECHECK, RuleFile, RuleFiles, RuleFolder, RuleListing};
use ledger::ObjectStore;
use tokio::sync::Mutex;

use crate::application::{self, Application, Definition};
use crate::places;
use crate::rule::{Destination, Rule, SourceStream};
use crate::tables::{Tables, Unreadable};

/// The folder of the applications' files.
pub const FOLDER: &str = "rules/analytics/";

/// The application that the function is built with; a file of its name takes its place.
pub const DEFAULT_NAME: &str = "log-aggregation";
const DEFAULT_JSON: &str = include_str!("../../../infra/rules/analytics/log-aggregation.json");
const DEFAULT_SQL: &str = include_str!("../../../infra/rules/analytics/log-aggregation.sql");

/// Characters of an application's name at most: it is part of keys.
const MAX_NAME: usize = 64;

/// What is to be done about an application.
#[derive(Clone, Debug)]
pub enum Entry {
    /// It runs.
    On(Arc<Application>),
    /// It does not.
    Off,
    /// Its files are broken: the version that runs goes on. This is it as it was when the files were read, if there is one.
    Broken(Option<Arc<Application>>),
}

impl Entry {
    /// The application whose rows are to be taken.
    pub fn application(&self) -> Option<&Arc<Application>> {
        match self {
            Entry::On(application) | Entry::Broken(Some(application)) => Some(application),
            Entry::Off | Entry::Broken(None) => None,
        }
    }
}

/// The applications by name.
pub type Applications = BTreeMap<String, Entry>;

/// The applications, kept up to date with their files.
pub struct Catalog<S> {
    /// Their reference tables.
    pub tables: Tables,
    folder: RuleFolder<S>,
    index: Arc<dyn ObjectStore>,
    default: Entry,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    files: Option<Arc<RuleFiles>>,
    applications: Arc<Applications>,
    /// Applications whose tables could not be read: they are looked at again.
    again: BTreeSet<String>,
    looked: Option<Instant>,
}

impl<S: RuleListing> Catalog<S> {
    /// Of the files of this source; heads are in `index`. The built-in application reads and writes these delivery streams.
    pub fn new(source: S, index: Arc<dyn ObjectStore>, tables: Tables, ingestion: &str, summary: &str) -> Catalog<S> {
        let default = match default(ingestion, summary) {
            Ok(application) => Entry::On(Arc::new(application)),
            Err(error) => {
                tracing::error!(application = DEFAULT_NAME, error, "the built-in application does not compile");
                Entry::Broken(None)
            }
        };
        Catalog { tables, folder: RuleFolder::new(source, FOLDER), index, default, held: Mutex::default() }
    }

    /// The applications as they were a few seconds ago.
    pub async fn current(&self) -> Result<Arc<Applications>, Error> {
        let files = self.folder.current().await?;
        self.take(files).await
    }

    /// The applications as they are now.
    pub async fn fresh(&self) -> Result<Arc<Applications>, Error> {
        let files = self.folder.fresh().await?;
        self.take(files).await
    }

    /// An application's tables cannot be read: it is looked at again, and until then its version that runs goes on.
    pub async fn look_again(&self, name: &str) {
        self.held.lock().await.again.insert(name.to_owned());
    }

    async fn take(&self, files: Arc<RuleFiles>) -> Result<Arc<Applications>, Error> {
        let mut held = self.held.lock().await;
        let is_due = held.looked.is_none_or(|looked| looked.elapsed() >= RECHECK);
        let unchanged = held.files.as_ref().is_some_and(|known| Arc::ptr_eq(known, &files));
        if unchanged && (held.again.is_empty() || !is_due) {
            return Ok(held.applications.clone());
        }
        let before = held.files.clone().unwrap_or_default();
        let (mut applications, mut again) = (Applications::new(), BTreeSet::new());
        applications.insert(DEFAULT_NAME.to_owned(), self.default.clone());
        for name in names(&files) {
            let of = |files: &RuleFiles, extension: &str| files.get(&format!("{name}.{extension}")).cloned();
            let (json, sql) = (of(&files, "json"), of(&files, "sql"));
            let same = (&json, &sql) == (&of(&before, "json"), &of(&before, "sql"));
            let waits = held.again.contains(&name);
            let (entry, unreadable) = match held.applications.get(&name).filter(|_| same && !(waits && is_due)) {
                Some(known) => (known.clone(), waits),
                None => self.entry(&name, json.as_deref(), sql.as_deref()).await?,
            };
            if unreadable {
                again.insert(name.clone());
            }
            applications.insert(name, entry);
        }
        if is_due {
            held.looked = Some(Instant::now());
        }
        held.applications = Arc::new(applications);
        held.files = Some(files);
        held.again = again;
        Ok(held.applications.clone())
    }

    /// And whether its tables are to blame.
    async fn entry(&self, name: &str, json: Option<&RuleFile>, sql: Option<&RuleFile>) -> Result<(Entry, bool), Error> {
        let (error, unreadable) = match read(name, json, sql) {
            Ok(Some(application)) => match self.unreadable(&application).await? {
                None => {
                    tracing::info!(application = name, version = application.version(), "application read");
                    return Ok((Entry::On(Arc::new(application)), false));
                }
                Some(error) => (error.to_string(), true),
            },
            Ok(None) => return Ok((Entry::Off, false)),
            Err(error) => (error, false),
        };
        tracing::error!(application = name, error, "broken application, its last good version goes on");
        // The head has it.
        let state = places::head(&self.index, name).load().await?.state;
        let running = state.definition.and_then(|definition| Application::compile(name, definition).ok());
        Ok((Entry::Broken(running.map(Arc::new)), unreadable))
    }

    /// The table that keeps an application from beginning. One that runs has its own copies.
    async fn unreadable(&self, application: &Application) -> Result<Option<Unreadable>, Error> {
        if application.tables().is_empty() {
            return Ok(None);
        }
        let state = places::head(&self.index, application.name()).load().await?.state;
        if state.version() == Some(application.version()) {
            return Ok(None);
        }
        Ok(self.tables.read(application).await.err())
    }
}

/// Names of applications: of their files, without the ends that tell them.
pub fn names(files: &RuleFiles) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files.keys() {
        let name = file.strip_suffix(".json").or_else(|| file.strip_suffix(".sql"));
        let plain = |name: &&str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(known)
        };
        match name.filter(plain) {
            Some(name) => drop(names.insert(name.to_owned())),
            None => tracing::error!(
                file = format!("{FOLDER}{file}"),
                "no application: expected NAME.json and NAME.sql, NAME of up to {MAX_NAME} letters, digits, - and _"
            ),
        }
    }
    names
}

/// An application of its files; or what is wrong with them, and where. None: it is switched off.
pub fn read(name: &str, json: Option<&RuleFile>, sql: Option<&RuleFile>) -> Result<Option<Application>, String> {
    let json = json.ok_or_else(|| format!("{name}.json: no such file: expected it beside {name}.sql"))?;
    let json = json.text.as_ref().map_err(|error| format!("{name}.json: {error}"))?;
    let sql = sql.map(|file| file.text.as_ref().map_err(|error| format!("{name}.sql: {error}"))).transpose()?;
    application::parse(name, json, sql.map(String::as_str)).map_err(|error| error.to_string())
}

/// The built-in application, over the stack's own streams.
fn default(ingestion: &str, summary: &str) -> Result<Application, String> {
    let mut rule: Rule = lambda::rules::parse_json(DEFAULT_JSON).map_err(|error| error.to_string())?;
    if let Rule::On(running) = &mut rule {
        running.source = SourceStream::Firehose(ingestion.to_owned());
        let destination = Destination::Firehose(summary.to_owned());
        running.outputs.iter_mut().for_each(|output| output.destination = destination.clone());
    }
    Application::compile(DEFAULT_NAME, Definition::new(rule, DEFAULT_SQL)).map_err(|error| error.to_string())
}
