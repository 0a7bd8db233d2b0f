//! The processes: their environment, their number, their end.

use bytes::Bytes;
use emulator::services::lambda;
use emulator::{Config, Emulator};
use serde_json::json;
use std::path::{Path, PathBuf};

use super::rig::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_sees_its_own_environment_only() {
    let rig = Rig::start().await;
    rig.function("probe", |spec| drop(spec.environment.insert("MINE".into(), "yes".into()))).await;
    let environment = rig.invoke("probe", json!({"environment": true})).await.json();
    for (name, expected) in [
        ("MINE", "yes"),
        ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/probe"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", rig.emulator.endpoint().as_str()),
    ] {
        assert_eq!(environment[name], expected, "{name}");
    }
    assert!(environment["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap().contains("/[$LATEST]"));
    assert!(environment.get("CARGO_MANIFEST_DIR").is_none(), "the tests' environment is not the function's");
    let tmp = PathBuf::from(environment["TMPDIR"].as_str().unwrap());
    assert!(tmp.is_dir() && tmp.starts_with(rig.dir.path()));
    rig.emulator.stop().await;
    eventually("its folder is removed", async || !tmp.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_more_processes_under_load_and_they_are_used_again() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    rig.function("one", |spec| spec.reserved_concurrency = Some(1)).await;
    let first = rig.process("probe").await;
    for _ in 0..3 {
        assert_eq!(rig.process("probe").await, first);
    }
    let slow = || rig.invoke("probe", json!({"sleep_ms": 1000}));
    tokio::join!(slow(), slow(), slow());
    let seen = rig.emulator.ctx().pool.snapshot().into_iter().find(|seen| seen.function == "probe").unwrap();
    assert_eq!((seen.processes, seen.running, seen.invocations, seen.errors), (3, 0, 7, 0));

    let (a, b) =
        tokio::join!(rig.invoke("one", json!({"sleep_ms": 2000})), rig.invoke("one", json!({"sleep_ms": 2000})));
    let mut statuses = [a.status().as_u16(), b.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_or_configuration_that_changed_gets_new_processes() {
    let binaries = tempfile::tempdir().unwrap();
    let binary = binaries.path().join("probe");
    let copy = || {
        let fresh = binaries.path().join("probe.new");
        std::fs::copy(env!("CARGO_BIN_EXE_probe"), &fresh).unwrap();
        std::fs::rename(fresh, &binary).unwrap();
    };
    copy();
    let mut config = Config::new(binaries.path().join("data"));
    (config.port, config.binaries) = (0, binaries.path().to_owned());
    let rig = Rig { emulator: Emulator::start(config).await.unwrap(), dir: binaries };
    rig.function("probe", |_| {}).await;
    let first = rig.process("probe").await;
    let copy = || {
        let fresh = rig.dir.path().join("probe.new");
        std::fs::copy(env!("CARGO_BIN_EXE_probe"), &fresh).unwrap();
        std::fs::rename(fresh, &binary).unwrap();
    };
    copy();
    let second = rig.process("probe").await;
    assert_ne!(first, second, "the binary changed");
    eventually("the old process is retired", async || !is_alive(first)).await;
    rig.function("probe", |spec| spec.memory = 256).await;
    assert_ne!(rig.process("probe").await, second, "the configuration changed");
    rig.emulator.stop().await;
}

/// Started as a process of its own by the test below, which kills it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other half of the next test"]
async fn an_emulator_to_be_killed() {
    let Ok(dir) = std::env::var("RUNTIME_TEST_DIR") else { return };
    let emulator = start_in(Path::new(&dir)).await;
    let spec = spec("probe");
    emulator.ctx().store.write(move |tx| lambda::ensure_function(tx, &spec)).await.unwrap();
    let event = Bytes::from_static(b"{\"process\":true}");
    let answer = emulator.ctx().pool.invoke(emulator.ctx(), "probe", event).await.unwrap();
    std::fs::write(Path::new(&dir).join("process.new"), answer.payload).unwrap();
    std::fs::rename(Path::new(&dir).join("process.new"), Path::new(&dir).join("process")).unwrap();
    std::future::pending().await
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn processes_end_with_an_emulator_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let other_half = format!("{}::an_emulator_to_be_killed", module_path!());
    let other_half = other_half.split_once("::").unwrap().1; // without the name of the crate
    let mut emulator = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", other_half])
        .env("RUNTIME_TEST_DIR", dir.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let told = dir.path().join("process");
    eventually("the function runs", async || told.exists()).await;
    let process: u64 = std::fs::read_to_string(told).unwrap().parse().unwrap();
    assert!(is_alive(process));
    emulator.kill().await.unwrap(); // SIGKILL
    eventually("the function's process ends", async || !is_alive(process)).await;
}
