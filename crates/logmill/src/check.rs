//! `logmill check FILE…`: what is wrong with a file, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use emulator::{Config, template};
use lambda::RuleError;
use schemars::Schema;
use stream_analytics::application::Application;
use stream_analytics::rule::Exported;

use crate::excerpt;
use crate::print::say;

const EXAMPLES: &str = "Examples:
  logmill check infra/rules/*.json infra/rules/analytics/*
  logmill check /etc/aws-kinesis/agent.json template.yaml

A file's kind follows from its name: firehose-transform.json and index.json are rule files; analytics/NAME.json, any NAME.json with a
NAME.sql beside it, and what describe-application printed, are SQL applications (both files are checked, whichever is named); *.yaml is
a template, any other *.json with \"flows\" an agent configuration.
Errors are printed as FILE:LINE:COLUMN: MESSAGE, with the line and a caret under the place; the exit code is 1 if there was one.";

/// A kind of rule file: `KIND.json`.
struct RuleFile {
    kind: &'static str,
    check: fn(&str) -> Result<(), RuleError>,
    schema: fn() -> Schema,
}

/// The kinds; the next one is added here.
const RULE_FILES: [RuleFile; 2] = [
    RuleFile {
        kind: "firehose-transform",
        check: |text| firehose_transform::rules::parse(text).map(drop),
        schema: || schemars::schema_for!(firehose_transform::rules::Rules),
    },
    RuleFile {
        kind: "index",
        check: |text| index_writer::rules::parse(text).map(drop),
        schema: || schemars::schema_for!(index_writer::rules::Rules),
    },
];

/// A kind of rule, and its JSON Schema.
type KindSchema = (&'static str, fn() -> Schema);

/// Every kind that has a JSON Schema.
fn schemas() -> [KindSchema; 3] {
    let [transform, index] = RULE_FILES.map(|file| (file.kind, file.schema));
    [("analytics", || schemars::schema_for!(stream_analytics::rule::Rule)), transform, index]
}

/// Options of `check`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The files
    #[arg(required_unless_present = "schema")]
    files: Vec<PathBuf>,
    /// Print the JSON Schema of a kind of rule file instead
    #[arg(long, value_name = "KIND", exclusive = true, value_parser = schemas().map(|(kind, _)| kind))]
    schema: Option<String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    if let Some((_, schema)) = schemas().into_iter().find(|(kind, _)| arguments.schema.as_deref() == Some(*kind)) {
        say(&format!(
            "{:#}
",
            schema().as_value()
        ));
        return ExitCode::SUCCESS;
    }
    let width = arguments.files.iter().map(|file| file.display().to_string().len()).max().unwrap_or_default();
    // An application's two files have the same errors.
    let mut said = BTreeSet::new();
    for file in &arguments.files {
        match check(file) {
            Ok(Checked { kind, warnings }) => {
                println!("{:width$}  ok  {kind}", file.display().to_string());
                warnings.iter().for_each(|warning| println!("{warning}"));
            }
            Err(error) if said.contains(&error) => {}
            Err(error) => {
                println!("{error}");
                said.insert(error);
            }
        }
    }
    if said.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Checked {
    kind: String,
    warnings: Vec<String>,
}

/// Messages begin with the file, and with line and column where they are known.
fn check(file: &Path) -> Result<Checked, String> {
    let shown = file.display();
    let extension = file.extension().unwrap_or_default();
    if extension == "yaml" || extension == "yml" {
        template::load(file, &BTreeMap::new(), &Config::new(".")).map_err(|e| e.to_string())?;
        return Ok(Checked { kind: "template".into(), warnings: Vec::new() });
    }
    let in_analytics = file.parent().and_then(Path::file_name).is_some_and(|folder| folder == "analytics");
    let has_statements = || file.with_extension("sql").is_file();
    if extension == "sql" || extension == "json" && (in_analytics || has_statements()) {
        return checked_application(file);
    }
    let text = std::fs::read_to_string(file).map_err(|e| format!("{shown}: {e}"))?;
    let stem = file.file_stem().unwrap_or_default();
    if let Some(rules) = RULE_FILES.iter().find(|rules| extension == "json" && stem == rules.kind) {
        (rules.check)(&text).map_err(|e| excerpt::message(file, &text, e.line, e.column, &e.message))?;
        return Ok(Checked { kind: format!("{} rules", rules.kind), warnings: Vec::new() });
    }
    if Exported::is(&text) {
        return checked_application(file);
    }
    if text.contains("\"flows\"") {
        let loaded = agent::config::load(file).map_err(|e| e.to_string())?;
        return Ok(Checked { kind: "agent configuration".into(), warnings: loaded.warnings });
    }
    Err(format!(
        "{shown}: unknown kind of file: expected {}, analytics/*.json, *.sql, an agent configuration (\"flows\"), or a template \
         (*.yaml)",
        RULE_FILES.map(|rules| format!("{}.json", rules.kind)).join(", ")
    ))
}

fn checked_application(file: &Path) -> Result<Checked, String> {
    let application = application(file)?;
    let stopped = application.iter().flat_map(|application| application.engine().stopped_pumps());
    let warnings = stopped.map(|pump| format!("{}: pump {pump} is STOPPED: it does nothing", file.display())).collect();
    Ok(Checked { kind: "SQL application".into(), warnings })
}

/// An SQL application: the rule and the statements beside it. None: it is switched off.
pub fn application(file: &Path) -> Result<Option<Application>, String> {
    let (json, sql) = (file.with_extension("json"), file.with_extension("sql"));
    let text = std::fs::read_to_string(&json).map_err(|e| format!("{}: {e}", json.display()))?;
    let statements = match std::fs::read_to_string(&sql) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {e}", sql.display())),
        read => read.ok(),
    };
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    stream_analytics::application::parse(&name, &text, statements.as_deref()).map_err(|e| {
        let broken = file.with_file_name(&e.file);
        let text = if broken == sql {
            statements.as_deref().unwrap_or_default().to_owned()
        } else if e.file.ends_with(stream_analytics::application::CODE) {
            stream_analytics::application::code(&text).unwrap_or_default()
        } else {
            text
        };
        excerpt::message(&broken, &text, e.line, e.column, &e.message)
    })
}
