//! What arrived: the lines of a bucket's objects under a prefix.

use std::collections::HashMap;
use std::io::Read;

use aws_sdk_s3::Client;
use flate2::read::MultiGzDecoder;

/// Reads each object once, however often it is asked; objects here are never changed.
pub struct Lake {
    client: Client,
    bucket: String,
    prefix: String,
    objects: HashMap<String, Vec<String>>,
}

impl Lake {
    /// Of the objects of `bucket` under `prefix`.
    pub fn new(client: Client, bucket: &str, prefix: &str) -> Lake {
        Lake { client, bucket: bucket.to_owned(), prefix: prefix.to_owned(), objects: HashMap::new() }
    }

    /// Reads what is new. An error is a service that did not answer; ask again.
    pub async fn refresh(&mut self) -> Result<(), aws_sdk_s3::Error> {
        let mut pages = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            keys.extend(page?.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        for key in keys {
            if self.objects.contains_key(&key) {
                continue;
            }
            let object = self.client.get_object().bucket(&self.bucket).key(&key).send().await?;
            let Ok(body) = object.body.collect().await else { continue };
            let body = body.into_bytes();
            let mut text = String::new();
            if key.ends_with(".gz") {
                MultiGzDecoder::new(&body[..]).read_to_string(&mut text).expect("an object is whole gzip of UTF-8");
            } else {
                text = String::from_utf8(body.to_vec()).expect("an object is UTF-8");
            }
            assert!(text.is_empty() || text.ends_with('\n'), "{key} ends in the middle of a line");
            self.objects.insert(key, text.lines().map(str::to_owned).collect());
        }
        Ok(())
    }

    /// Keys read so far.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().map(String::as_str)
    }

    /// Lines read so far.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.objects.values().flatten().map(String::as_str)
    }
}
