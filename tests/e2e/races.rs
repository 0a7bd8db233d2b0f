//! Eight processes race conditional puts through the emulator's S3: one winner in each round.

use std::process::{Child, Command, Stdio};

use logmill_tests::stack::{Options, Stack, programs};

const PROCESSES: usize = 8;
const ROUNDS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_eight_processes_wins_each_round() {
    let stack = Stack::start(Options { template: "tests/templates/bucket.yaml".into(), ..Options::default() });
    let racers: Vec<Child> = (0..PROCESSES)
        .map(|racer| {
            Command::new(programs().join("racer"))
                .args([&stack.endpoint, &stack.outputs["Bucket"], &racer.to_string(), &ROUNDS.to_string()])
                .stdout(Stdio::piped())
                .spawn()
                .expect("a racer starts")
        })
        .collect();
    let mut winners = vec![0; ROUNDS];
    let mut matched = vec![0; ROUNDS];
    for racer in racers {
        let output = racer.wait_with_output().expect("a racer ends");
        assert!(output.status.success());
        for line in String::from_utf8(output.stdout).expect("text").lines() {
            let (kind, round) = line.split_once(' ').expect("KIND ROUND");
            let round: usize = round.parse().expect("a round");
            match kind {
                "absent" => winners[round] += 1,
                "matches" => matched[round] += 1,
                other => panic!("{other}"),
            }
        }
    }
    assert!(winners.iter().all(|count| *count == 1), "If-None-Match: {winners:?}");
    assert!(matched.iter().all(|count| *count == 1), "If-Match: {matched:?}");
}
