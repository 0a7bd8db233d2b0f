//! Patterns of a flow: which files (`filePattern`), and which lines (`multiLineStartPattern`, `fileFooterPattern`).

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// Files that are never read: rotation compresses them (the original's list; any case).
const IGNORED_SUFFIXES: [&str; 3] = [".gz", ".bz2", ".zip"];
/// Deepest directory that `**` reaches below its start.
const MAX_DEPTH: usize = 32;

/// `filePattern`: a directory and a glob on the name. Globs in the directory part, `**` included, are ours: the original
/// takes them literally.
#[derive(Debug, Clone)]
pub struct FilePattern {
    base: PathBuf,
    steps: Vec<Step>,
    name: GlobMatcher,
}

#[derive(Debug, Clone)]
enum Step {
    Name(String),
    Glob(GlobMatcher),
    AnyDepth,
}

/// What a pattern found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Plain files, symbolic links followed.
    pub files: Vec<(PathBuf, Metadata)>,
    /// The directories that were looked into.
    pub directories: Vec<PathBuf>,
    /// Directories that cannot be looked into, and why. One that is not there is none of these.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

impl FilePattern {
    /// The pattern as written; the error says what was expected.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let (directory, name) =
            pattern.rsplit_once('/').ok_or_else(|| format!("a directory is required: `{pattern}` has none"))?;
        if name.is_empty() {
            return Err(format!("expected a file name or a glob after the last `/` of `{pattern}`"));
        }
        let mut base = PathBuf::from(if directory.is_empty() { "/" } else { directory });
        let mut steps = Vec::new();
        // A directory that is really called so wins, as in the original.
        if directory.contains(['*', '?', '[', '{']) && !base.is_dir() {
            let parts: Vec<&str> = directory.split('/').collect();
            let plain = parts.iter().take_while(|part| !part.contains(['*', '?', '[', '{'])).count();
            base = PathBuf::from(format!("{}/", parts[..plain].join("/")));
            for part in &parts[plain..] {
                steps.push(match *part {
                    "**" => Step::AnyDepth,
                    part if part.contains(['*', '?', '[', '{']) => Step::Glob(glob(part)?),
                    part => Step::Name(part.to_owned()),
                });
            }
        }
        Ok(FilePattern { base, steps, name: glob(name)? })
    }

    /// Looks for the files now.
    pub fn list(&self) -> Listing {
        let mut listing = Listing::default();
        self.walk(&self.base, &self.steps, 0, &mut listing);
        listing
    }

    fn walk(&self, directory: &Path, steps: &[Step], depth: usize, listing: &mut Listing) {
        let Some((step, rest)) = steps.split_first() else {
            return self.files_of(directory, listing);
        };
        listing.directories.push(directory.to_owned());
        match step {
            Step::Name(name) => self.walk(&directory.join(name), rest, depth, listing),
            Step::Glob(glob) => {
                for (path, name) in directories(directory, listing) {
                    if glob.is_match(name) {
                        self.walk(&path, rest, depth, listing);
                    }
                }
            }
            Step::AnyDepth => {
                self.walk(directory, rest, depth, listing);
                if depth < MAX_DEPTH {
                    for (path, _) in directories(directory, listing) {
                        self.walk(&path, steps, depth + 1, listing);
                    }
                }
            }
        }
    }

    fn files_of(&self, directory: &Path, listing: &mut Listing) {
        listing.directories.push(directory.to_owned());
        for entry in entries(directory, listing) {
            let path = entry.path();
            if !self.name.is_match(entry.file_name()) || is_compressed(&path) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => listing.files.push((path, metadata)),
                _ => {}
            }
        }
    }
}

/// Whether rotation has compressed a file, by its name.
pub fn is_compressed(path: &Path) -> bool {
    let lower = path.to_string_lossy().to_lowercase();
    IGNORED_SUFFIXES.iter().any(|suffix| lower.ends_with(suffix))
}

/// Real directories (a link could lead in a circle) and their names.
fn directories(directory: &Path, listing: &mut Listing) -> Vec<(PathBuf, std::ffi::OsString)> {
    let real =
        entries(directory, listing).into_iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    real.map(|entry| (entry.path(), entry.file_name())).collect()
}

fn entries(directory: &Path, listing: &mut Listing) -> Vec<DirEntry> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.flatten().collect(),
        Err(error) => {
            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
                listing.unreadable.push((directory.to_owned(), error));
            }
            Vec::new()
        }
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| format!("bad glob `{text}`: {error}"))
}

/// A user's pattern on a line: linear time where that is possible, backtracking with a bound for the rest of Java's syntax.
#[derive(Debug, Clone)]
pub enum LinePattern {
    /// The usual case.
    Linear(regex::bytes::Regex),
    /// Look-around, back-references, possessive quantifiers.
    Backtracking(fancy_regex::Regex),
}

impl LinePattern {
    /// Must match at the start of the line, as Java's `lookingAt`.
    pub fn at_start(pattern: &str) -> Result<Self, String> {
        Self::compile(&format!(r"\A(?:{pattern})"))
    }

    /// Must match the whole text, `^` and `$` at inner lines too, as Java's `matches` with `MULTILINE`.
    pub fn whole(pattern: &str) -> Result<Self, String> {
        Self::compile(&format!(r"\A(?m:{pattern})\z"))
    }

    fn compile(pattern: &str) -> Result<Self, String> {
        regex::bytes::Regex::new(pattern)
            .map(LinePattern::Linear)
            .or_else(|_| fancy_regex::Regex::new(pattern).map(LinePattern::Backtracking))
            .map_err(|error| format!("bad regular expression: {error}"))
    }

    /// Bytes that are not UTF-8 count as U+FFFD for the backtracking form; one that runs out of steps does not match.
    pub fn is_match(&self, line: &[u8]) -> bool {
        match self {
            LinePattern::Linear(regex) => regex.is_match(line),
            LinePattern::Backtracking(regex) => regex.is_match(&*String::from_utf8_lossy(line)).unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_pattern() {
        let root = tempfile::tempdir().unwrap();
        for path in
            ["a.log", "a.log.1", "a.log.2.GZ", ".a.log", "b.txt", "x/a.log", "x/y/a.log", "z/a.log", "z/d.log/no"]
        {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let check = |pattern: &str, expected: &[&str]| {
            let listing = FilePattern::new(&format!("{}/{pattern}", root.path().display())).unwrap().list();
            let relative = |path: &PathBuf| path.strip_prefix(root.path()).unwrap().to_str().unwrap().to_owned();
            let mut found: Vec<_> = listing.files.iter().map(|(path, _)| relative(path)).collect();
            found.sort();
            assert_eq!(found, expected, "{pattern}");
        };
        check("a.log", &["a.log"]);
        check("a.log*", &["a.log", "a.log.1"]);
        check("*.log", &[".a.log", "a.log"]);
        check("?.{log,txt}", &["a.log", "b.txt"]);
        check("[ab].*", &["a.log", "a.log.1", "b.txt"]);
        check("[!a].txt", &["b.txt"]);
        check("*/a.log", &["x/a.log", "z/a.log"]);
        check("x/y/a.log", &["x/y/a.log"]);
        check("*/y/*.log", &["x/y/a.log"]);
        check("**/a.log", &["a.log", "x/a.log", "x/y/a.log", "z/a.log"]);
        check("{x,q}/*", &["x/a.log"]);
        check("missing/*", &[]);
    }

    #[test]
    fn bad_file_patterns() {
        for pattern in ["a.log", "", "/var/log/", "/var/log/[a", "/var/{log/a"] {
            assert!(FilePattern::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn line_patterns() {
        let check = |pattern: &LinePattern, line: &str, expected: bool| {
            assert_eq!(pattern.is_match(line.as_bytes()), expected, "{pattern:?} {line:?}");
        };
        let date = LinePattern::at_start(r"\d{4}-").unwrap();
        check(&date, "2026-01-01 x\n", true);
        check(&date, " 2026-01-01 x\n", false);
        let either = LinePattern::at_start("a|b").unwrap();
        check(&either, "xb", false);
        let ahead = LinePattern::at_start(r"(?!\s)\S++").unwrap();
        check(&ahead, "x\n", true);
        check(&ahead, "\tat x\n", false);
        let footer = LinePattern::whole("# ?end|^done$").unwrap();
        check(&footer, "# end", true);
        check(&footer, "# end.", false);
        check(&footer, "done", true);
        assert!(LinePattern::whole("(").is_err());
    }
}
