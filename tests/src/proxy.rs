//! A proxy that loses answers: the request reaches the store and is carried out, the client hears nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Passes requests on to one address and drops every `nth` answer to a PUT.
pub struct Proxy {
    /// Where to connect to.
    pub endpoint: String,
    dropped: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// In front of `target` (`host:port`); every `nth` PUT loses its answer.
    pub async fn start(target: &str, nth: u64) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let (dropped, puts, target) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), target.to_owned());
        let task = tokio::spawn({
            let dropped = dropped.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let (dropped, puts, target) = (dropped.clone(), puts.clone(), target.clone());
                    tokio::spawn(async move {
                        let Ok(server) = TcpStream::connect(&target).await else { return };
                        relay(client, server, nth, &puts, &dropped).await;
                    });
                }
            }
        });
        Proxy { endpoint, dropped, task }
    }

    /// How many answers were lost.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Copies both ways. A client sends its next request only after the answer to the last, so what came from the client since
/// the server last spoke is one request: its first bytes say whether it is a PUT.
async fn relay(client: TcpStream, server: TcpStream, nth: u64, puts: &AtomicU64, dropped: &AtomicU64) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    let (mut in_request, mut lose) = (false, false);
    loop {
        tokio::select! {
            read = from_client.read(&mut up) => match read {
                Ok(n) if n > 0 => {
                    if !in_request {
                        in_request = true;
                        lose = up.starts_with(b"PUT ") && (puts.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(nth);
                    }
                    if to_server.write_all(&up[..n]).await.is_err() { return }
                }
                _ => return,
            },
            read = from_server.read(&mut down) => match read {
                Ok(n) if n > 0 => {
                    // 100 Continue is not the answer.
                    let interim = down.starts_with(b"HTTP/1.1 100");
                    if lose && !interim {
                        dropped.fetch_add(1, Ordering::Relaxed);
                        return;
                    }
                    in_request &= interim;
                    if to_client.write_all(&down[..n]).await.is_err() { return }
                }
                _ => return,
            },
        }
    }
}
