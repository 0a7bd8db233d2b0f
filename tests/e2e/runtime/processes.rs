//! The processes: their environment, their number, their end.

use std::path::PathBuf;

use emulator::{Config, Emulator};
use serde_json::json;

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
