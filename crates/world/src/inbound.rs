//! The accept loop that both servers use.
//!
//! Own loop instead of `axum::serve`, which has no bound for slow headers and none for connections: a client that sends one
//! byte a minute would hold its socket for ever.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::{Service, ServiceExt};

/// The address of the peer, put into every request's extensions.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

/// Bounds of a server.
#[derive(Copy, Clone, Debug)]
pub struct ServeOptions {
    /// How long a client may take to send its request's head.
    pub header_timeout: Duration,
    /// Connections at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// How long running requests may take after shutdown began.
    pub drain: Duration,
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions {
            header_timeout: Duration::from_secs(10),
            connections_max: 2048,
            drain: Duration::from_secs(10),
        }
    }
}

/// Whether every running request ended within the drain time.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Drained {
    /// All requests were answered.
    Whole,
    /// The time passed with requests still running; they were cut.
    Cut,
}

/// Serves HTTP/1.1 until `shutdown` resolves, then lets running requests end.
pub async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(options.connections_max));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            // Shutdown first: under constant load the accept branch is always ready.
            biased;
            () = &mut shutdown => break,
            (stream, peer, slot) = accept(&listener, &slots) => {
                let service = service.clone();
                let handler = hyper::service::service_fn(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(PeerAddr(peer));
                    service.clone().oneshot(request)
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(options.header_timeout)
                    .serve_connection(TokioIo::new(stream), handler);
                let connection = graceful.watch(connection);
                connections.spawn(async move {
                    // A broken connection is the client's affair; the request itself was counted by the service.
                    let _ = connection.await;
                    drop(slot);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    match tokio::time::timeout(options.drain, graceful.shutdown()).await {
        Ok(()) => Drained::Whole,
        Err(_) => {
            // What still runs must not go on beside a program that closes its stores.
            connections.shutdown().await;
            Drained::Cut
        }
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit) {
    let slot = slots
        .clone()
        .acquire_owned()
        .await
        .expect("this semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers leave at once; a failure costs only latency.
                let _ = stream.set_nodelay(true);
                return (stream, peer, slot);
            }
            // Out of file handles or a connection that died in the queue: neither is a reason to stop serving, and
            // a short pause keeps the first from becoming a busy loop.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
