//! One of the processes that race conditional puts: `racer ENDPOINT BUCKET NUMBER ROUNDS`. In each round it puts a key that must
//! not exist, then replaces it if it is still what the winner put; prints `absent ROUND` and `matches ROUND` when it won.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

const SMALL: usize = 64;
const LARGE: usize = 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, bucket, number, rounds] = &arguments[..] else {
        eprintln!("usage: racer ENDPOINT BUCKET NUMBER ROUNDS");
        std::process::exit(2);
    };
    let racer: u8 = number.parse().expect("a number");
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let client = aws::s3_client(&logmill_tests::stack::sdk(endpoint));
    for round in 0..rounds {
        // Every eighth round with large bodies.
        let size = if round % 8 == 0 { LARGE } else { SMALL };
        let body = Bytes::from(vec![b'a' + racer; size]);
        let key = format!("round-{round}");
        if put(&client, bucket, &key, &body, None).await {
            println!("absent {round}");
        }
        // Whoever won: the first version is what everybody tries to replace, until one has.
        let head = client.head_object().bucket(bucket).key(&key).send().await.expect("the winner's object");
        if head.metadata().is_some_and(|metadata| metadata.contains_key("second")) {
            continue;
        }
        let etag = head.e_tag().expect("an ETag").to_owned();
        if put(&client, bucket, &key, &body, Some(etag)).await {
            println!("matches {round}");
        }
    }
}

async fn put(client: &Client, bucket: &str, key: &str, body: &Bytes, etag: Option<String>) -> bool {
    let put = client.put_object().bucket(bucket).key(key).body(ByteStream::from(body.clone()));
    let put = match etag {
        None => put.if_none_match("*"),
        // The second version is another object even when the same racer puts the same bytes.
        Some(etag) => put.if_match(etag).metadata("second", "yes").body(ByteStream::from([&body[..], b"!"].concat())),
    };
    match put.send().await {
        Ok(_) => true,
        Err(SdkError::ServiceError(error)) if error.raw().status().as_u16() == 412 => false,
        Err(error) => panic!("{key}: {error:?}"),
    }
}
