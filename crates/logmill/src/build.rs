//! Building what the template names.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the programs are: beside this one.
pub fn binaries_dir() -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|e| format!("cannot find this program's own path: {e}"))?;
    this.parent().map(Path::to_owned).ok_or_else(|| format!("{} is in no folder", this.display()))
}

/// Builds `programs` with this program's own profile and target folder, so that nothing
/// third-party is compiled twice. Cargo shows its progress; what did not change is not built again.
pub fn build(programs: &[String], workspace: &Path) -> Result<(), String> {
    let binaries = binaries_dir()?;
    let target = binaries.parent().ok_or("this program is in no target folder")?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").current_dir(workspace).arg("--target-dir").arg(target);
    if binaries.ends_with("release") {
        cargo.arg("--release");
    }
    for program in programs {
        cargo.args(["--bin", program]);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_cargo_run) {
            cargo.env_remove(name);
        }
    }
    let status =
        cargo.status().map_err(|e| format!("cannot run cargo: {e} (--no-build runs what is already built)"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo build of {} failed", programs.join(", "))) }
}

/// Says which programs are missing when nothing was built.
pub fn check_built(programs: &[String]) -> Result<(), String> {
    let binaries = binaries_dir()?;
    let missing: Vec<_> = programs.iter().filter(|name| !binaries.join(name).is_file()).cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("not built: {} (looked in {}; start without --no-build)", missing.join(", "), binaries.display()))
}

/// What `cargo run` tells a program about its package. Build scripts (ring's) watch these variables: handed on, they would make the
/// inner cargo compile again what the outer one just has, and the next outer one once more.
fn of_cargo_run(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_settings_are_handed_on() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_CRATE_NAME", "CARGO_BIN_NAME"] {
            assert!(of_cargo_run(name), "{name}");
        }
        for name in ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "CARGO_PROFILE_RELEASE_LTO", "PATH"]
        {
            assert!(!of_cargo_run(name), "{name}");
        }
    }
}
