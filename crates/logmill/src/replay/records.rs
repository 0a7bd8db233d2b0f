//! Records that a delivery stream gave up on: their bytes go into it again.

use std::io::Read;

use aws::records::{DeliveryStreams, MAX_BATCH, MAX_BATCH_BYTES};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::Replay;

/// How often records are put that are not taken.
const MAX_TRIES: usize = 4;

/// Most bytes of an object once it is decompressed: eight times what Firehose buffers at most (128 MiB).
const MAX_OBJECT_BYTES: u64 = 1024 * 1024 * 1024;

/// First bytes of every gzip member (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A line of Firehose's error objects, or of firehose-transform's report, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    raw_data: String,
}

impl Replay<'_> {
    /// The records of the objects under the prefix.
    pub async fn records(&mut self, stream: &str) -> Result<(), String> {
        let streams = DeliveryStreams::new(&self.stack.config);
        if !streams.takes_records(stream).await.map_err(|error| error.to_string())? {
            return Err(format!(
                "delivery stream {stream} reads a Kinesis stream and takes no records; put into that stream, they would reach \
                 everybody who reads it once more"
            ));
        }
        let (mut next, mut first) = (None, true);
        while let Some(objects) = self.page(&mut next, &mut first).await? {
            for object in &objects {
                let before = self.progress.failed;
                match self.records_of(&object.key).await {
                    Ok(records) => self.put(&streams, stream, records).await,
                    Err(error) => {
                        eprintln!("logmill: {error}");
                        self.progress.failed += 1;
                    }
                }
                if self.progress.failed == before {
                    self.remove(&object.key).await;
                }
            }
            self.tell();
        }
        Ok(())
    }

    async fn records_of(&self, key: &str) -> Result<Vec<Vec<u8>>, String> {
        let body = self.lake.read(key).await.map_err(|error| error.to_string())?;
        records(&body).map_err(|error| format!("{key}: {error}"))
    }

    async fn put(&mut self, streams: &DeliveryStreams, stream: &str, records: Vec<Vec<u8>>) {
        self.progress.sent += records.len();
        if self.arguments.dry_run {
            return;
        }
        for batch in batches(records) {
            let (left, error) = put_all(streams, stream, batch).await;
            if left > 0 {
                eprintln!("logmill: {left} records not taken: {}", error.unwrap_or_default());
                self.progress.sent -= left;
                self.progress.failed += left;
            }
        }
    }
}

async fn put_all(streams: &DeliveryStreams, stream: &str, mut records: Vec<Vec<u8>>) -> (usize, Option<String>) {
    let mut error = None;
    for _ in 0..MAX_TRIES {
        if records.is_empty() {
            break;
        }
        match streams.put(stream, &records).await {
            Ok(failed) => {
                error = Some("the stream did not take them".to_owned());
                records = failed.into_iter().filter_map(|place| records.get(place).cloned()).collect();
            }
            Err(failed) => error = Some(failed.to_string()),
        }
    }
    (records.len(), error)
}

/// What may be put at once.
fn batches(records: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
    let mut batches: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_BATCH && bytes + record.len() <= MAX_BATCH_BYTES => {
                bytes += record.len();
                batch.push(record);
            }
            _ => {
                bytes = record.len();
                batches.push(vec![record]);
            }
        }
    }
    batches
}

fn records(body: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut text = Vec::new();
    let body = if body.starts_with(&GZIP_MAGIC) {
        let read = MultiGzDecoder::new(body).take(MAX_OBJECT_BYTES + 1).read_to_end(&mut text);
        read.map_err(|error| format!("not whole gzip: {error}"))?;
        if text.len() as u64 > MAX_OBJECT_BYTES {
            return Err(format!("more than {MAX_OBJECT_BYTES} bytes decompressed"));
        }
        &text
    } else {
        body
    };
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let failure: Failure = serde_json::from_slice(line).map_err(|error| error.to_string())?;
            BASE64.decode(&failure.raw_data).map_err(|error| format!("rawData: {error}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_records() {
        let line = r#"{"attemptsMade":4,"errorCode":"Lambda.FunctionError","rawData":"YQo=","lambdaArn":"x"}"#;
        assert_eq!(records(format!("{line}\n{line}\n").as_bytes()).unwrap(), [b"a\n".to_vec(), b"a\n".to_vec()]);
        assert!(records(b"{}").unwrap_err().contains("missing field `rawData`"));
        assert!(records(b"{\"rawData\":\"!\"}").unwrap_err().contains("rawData"));
        assert!(records(&[0x1f, 0x8b, 0]).unwrap_err().contains("gzip"));
    }

    #[test]
    fn batches_are_within_the_limits() {
        let sizes = |records: Vec<usize>| {
            let batches = batches(records.into_iter().map(|size| vec![0; size]).collect());
            batches.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(vec![1; 1001]), [500, 500, 1]);
        assert_eq!(sizes(vec![3 << 20, 1 << 20, 1]), [2, 1]);
        assert!(sizes(vec![]).is_empty());
    }
}
