//! Reference tables: what they hold when a version begins is what it joins with.

use crate::rig::stage::{DONE, Stage};

const JOINED: &str = r#"
    CREATE STREAM "ROWS" (a INTEGER, name VARCHAR(20));
    CREATE PUMP "P" AS INSERT INTO "ROWS"
        SELECT STREAM s."a", c."name" FROM "SOURCE_SQL_STREAM_001" AS s LEFT JOIN "Names" AS c ON s."a" = c."a";"#;

const KEY: &str = "rules/tables/names.csv";

/// The application, with a table in this place.
fn keys(s3: &str, more: &str) -> String {
    format!(
        r#""outputs": [{{"stream": "ROWS", "firehose": "summary"}}], {more}
        "referenceTables": [{{"name": "Names", "s3": {s3}, "schema": {{
            "RecordFormat": {{"RecordFormatType": "CSV"}}, "RecordColumns": [
                {{"Name": "a", "SqlType": "INTEGER"}}, {{"Name": "name", "SqlType": "VARCHAR(20)"}}]}}}}]"#
    )
}

fn of_rules(more: &str) -> String {
    keys(&format!(r#"{{"key": "{KEY}"}}"#), more)
}

/// `a=name` of what came out, in order.
fn found(stage: &Stage) -> Vec<String> {
    let mut rows = stage.rows();
    rows.sort_by_key(|row| row["A"].as_i64());
    rows.iter().map(|row| format!("{}={}", row["A"], row["NAME"].as_str().unwrap_or("-"))).collect()
}

#[tokio::test]
async fn a_version_keeps_what_it_began_with() {
    let mut stage = Stage::new();
    stage.rules.set(KEY, "1,one\n2,two\n");
    stage.application(&of_rules(""), JOINED);
    assert_eq!(stage.records(&[r#"{"a": 1}"#]).await, DONE);
    // Changed, in another process, and gone.
    stage.rules.set(KEY, "1,uno\n2,due\n3,tre\n");
    stage.records(&[r#"{"a": 2}"#]).await;
    stage.another();
    stage.records(&[r#"{"a": 3}"#]).await;
    stage.rules.remove(KEY);
    stage.another();
    stage.records(&[r#"{"a": 1}"#, r#"{"a": 4}"#]).await;
    stage.tick_after(60_000).await;
    assert_eq!(found(&stage), ["1=one", "1=one", "2=two", "3=-", "4=-"]);
    // Another revision is another version.
    stage.rules.set(KEY, "1,uno\n5,cinque\n");
    stage.application(&of_rules(r#""revision": "2", "#), JOINED);
    stage.another();
    stage.tick_after(60_000).await;
    stage.records(&[r#"{"a": 5}"#]).await;
    stage.tick_after(60_000).await;
    assert_eq!(found(&stage), ["1=one", "1=one", "2=two", "3=-", "4=-", "5=cinque"]);
    // The first version's copy is collected.
    for _ in 0..12 {
        stage.tick_after(60_000).await;
    }
    assert_eq!(stage.index.keys("analytics/a/tables/").len(), 1);
}

#[tokio::test]
async fn without_its_table_a_version_does_not_begin() {
    let mut stage = Stage::new();
    stage.application(&of_rules(""), JOINED);
    // Nothing runs yet: what comes passes by, and holds no other application up.
    assert_eq!(stage.records(&[r#"{"a": 1}"#]).await, DONE);
    assert_eq!(stage.index.keys("analytics/a/"), [] as [&str; 0]);
    stage.rules.set(KEY, "1,one\n2,two\n");
    stage.another();
    stage.records(&[r#"{"a": 2}"#]).await;
    stage.tick_after(60_000).await;
    assert_eq!(found(&stage), ["2=two"]);
    // The next version's table cannot be read: the one that runs goes on.
    for bad in [r#"{"key": "rules/tables/gone.csv"}"#, r#"{"bucket": "lake", "key": "gone.csv"}"#] {
        stage.application(&keys(bad, ""), JOINED);
        stage.another();
        stage.records(&[r#"{"a": 1}"#]).await;
        stage.tick_after(60_000).await;
    }
    stage.rules.set("rules/tables/gone.csv", "no number,x\n");
    stage.application(&keys(r#"{"key": "rules/tables/gone.csv"}"#, ""), JOINED);
    stage.another();
    stage.tick_after(60_000).await;
    stage.records(&[r#"{"a": 1}"#]).await;
    stage.tick_after(60_000).await;
    assert_eq!(found(&stage), ["1=one", "1=one", "1=one", "2=two"]);
    // It is there, in another bucket.
    stage.lake.set("names/1.csv", "3,three\n");
    stage.application(&keys(r#"{"bucket": "lake", "key": "names/1.csv"}"#, ""), JOINED);
    stage.another();
    stage.tick_after(60_000).await;
    stage.records(&[r#"{"a": 3}"#]).await;
    stage.tick_after(60_000).await;
    assert_eq!(found(&stage).last().unwrap(), "3=three");
}
