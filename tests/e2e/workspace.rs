//! The shape of the workspace: who may name whom, and one compilation of third-party crates.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use logmill_tests::stack::repository;
use serde_json::Value;

/// Rings, lowest first (docs/architecture.md). Functions are in ring 4 by their folder.
const RINGS: &[&[&str]] = &[
    &["java-regex", "line-convert", "delivery", "search-query", "stream-sql"],
    &["ledger", "search-index"],
    &["aws", "lambda"],
    &["agent", "emulator"],
    &["logmill", "logmill-tests"],
];

/// Dependencies within a ring: (who, on whom).
const CHAINS: &[(&str, &str)] =
    &[("line-convert", "java-regex"), ("stream-sql", "java-regex"), ("search-index", "ledger")];

/// Only these name the SDK's service crates.
const SDK_USERS: &[&str] = &["aws", "agent", "logmill-tests", "feature-set"];

/// Names features, and nothing else: everything that runs depends on it.
const FEATURE_SET: &str = "feature-set";

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo).current_dir(repository()).args(arguments).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

struct Package {
    name: String,
    is_function: bool,
    dependencies: Vec<String>,
}

fn packages() -> Vec<Package> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let package = |package: &Value| Package {
        name: text(&package["name"]),
        is_function: text(&package["manifest_path"]).contains("/functions/"),
        dependencies: package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            // What tests and build scripts use is free.
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(&dependency["name"]))
            .collect(),
    };
    metadata["packages"].as_array().expect("packages").iter().map(package).collect()
}

fn ring(package: &Package) -> usize {
    if package.is_function {
        return 3;
    }
    let found = RINGS.iter().position(|ring| ring.contains(&package.name.as_str()));
    found.unwrap_or_else(|| panic!("{} is in no ring: put it into RINGS", package.name))
}

#[test]
fn a_crate_names_only_crates_of_lower_rings() {
    let packages = packages();
    let members: BTreeMap<&str, &Package> = packages.iter().map(|package| (package.name.as_str(), package)).collect();
    for package in packages.iter().filter(|package| package.name != FEATURE_SET) {
        for dependency in &package.dependencies {
            let Some(member) = members.get(dependency.as_str()) else { continue };
            if dependency == FEATURE_SET || CHAINS.contains(&(&package.name, dependency)) {
                continue;
            }
            assert!(ring(member) < ring(package), "{} must not depend on {dependency}", package.name);
            assert!(!(package.is_function && dependency == "emulator"), "{} depends on the emulator", package.name);
        }
    }
}

#[test]
fn the_sdk_and_the_index_are_named_where_they_belong() {
    for package in packages() {
        for dependency in &package.dependencies {
            let may_sdk = package.is_function || SDK_USERS.contains(&package.name.as_str());
            assert!(!dependency.starts_with("aws-sdk-") || may_sdk, "{} names {dependency}", package.name);
            assert!(dependency != "tantivy" || package.name == "search-index", "{} names tantivy", package.name);
            let pure = !package.is_function && package.name != FEATURE_SET && ring(&package) == 0;
            assert!(!(pure && dependency == "tokio"), "{} is a pure engine and names tokio", package.name);
        }
    }
}

#[test]
fn everything_that_runs_shares_one_compilation_of_third_party_crates() {
    let whole = features(&["--workspace"]);
    let runs = packages().into_iter().filter(|package| package.dependencies.iter().any(|name| name == FEATURE_SET));
    let mut checked = 0;
    for package in runs {
        for (name, sets) in features(&["-p", &package.name]) {
            for set in sets {
                assert!(
                    whole.get(&name).is_some_and(|there| there.contains(&set)),
                    "{name} has other features for {}: {set}\nin the whole: {:?}\nname it in crates/feature-set/Cargo.toml",
                    package.name,
                    whole.get(&name)
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 500, "only {checked} crates were compared");
}

/// Third-party package and version → the feature sets it is compiled with.
fn features(selection: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let base = ["tree", "--prefix", "none", "-e", "normal", "-f", "{p}|{f}"];
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in cargo(&[&base[..], selection].concat()).lines() {
        let line = line.trim_end_matches(" (*)");
        // A path in brackets marks our own.
        if let Some((package, set)) = line.rsplit_once('|').filter(|(package, _)| !package.contains("(/")) {
            found.entry(package.replace(" (proc-macro)", "")).or_default().insert(set.to_owned());
        }
    }
    found
}
