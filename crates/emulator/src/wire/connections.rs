//! The connections of a listener.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{HttpRequest, HttpResponse};

/// Before the next attempt when a connection could not be accepted: out of file descriptors, that would fail at once again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Answers each request with `answer`, which is told where it comes from, until the task is aborted: then the connections end
/// too. An error of `answer` closes the connection without an answer.
pub async fn serve<A, F, E>(listener: TcpListener, answer: A)
where
    A: Fn(SocketAddr, HttpRequest) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<HttpResponse, E>> + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| answer(peer, request));
            // An error here is a client that went away.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::wire::full;

    #[tokio::test]
    async fn connections_end_with_their_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, |_, _| async { Ok::<_, Infallible>(HttpResponse::new(full("a"))) }));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut start = [0; 12];
        client.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
        server.abort();
        assert!(server.await.unwrap_err().is_cancelled());
        // Closed, or reset when the rest of the answer was not read.
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest).await;
        assert!(TcpStream::connect(address).await.is_err());
    }
}
