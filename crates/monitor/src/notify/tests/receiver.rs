//! Servers that a test starts: one that records what it is sent and answers as it is told, and ones that misbehave.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request.
#[derive(Clone)]
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Received {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

type Answering = Arc<dyn Fn(&Received) -> (StatusCode, String) + Send + Sync>;
type Record = Arc<Mutex<Vec<Received>>>;

/// A server that records.
pub(super) struct Receiver {
    pub(super) url: String,
    record: Record,
}

impl Receiver {
    pub(super) async fn start(
        answering: impl Fn(&Received) -> (StatusCode, String) + Send + Sync + 'static,
    ) -> Receiver {
        let record = Record::default();
        let answering: Answering = Arc::new(answering);
        let router = Router::new()
            .fallback(take)
            .with_state((record.clone(), answering));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, record }
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.record.lock().unwrap().clone()
    }
}

async fn take(
    State((record, answering)): State<(Record, Answering)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let received = Received {
        path: uri.path().to_owned(),
        headers,
        body,
    };
    let (status, text) = answering(&received);
    record.lock().unwrap().push(received);
    let location = [("location", "/elsewhere")];
    (status, location, text).into_response()
}

/// How a server misbehaves once it has read a request.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Misbehaviour {
    /// It never answers.
    Hangs,
    /// It answers 200, a byte of the body every tenth of a second, without end.
    Drips,
    /// It closes the connection.
    Closes,
    /// It answers 200 with more than anybody wants to read.
    Floods,
}

/// Starts one; its address.
pub(super) async fn misbehaving(how: Misbehaviour) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(misbehave(stream, how));
        }
    });
    url
}

async fn misbehave(mut stream: TcpStream, how: Misbehaviour) {
    let mut request = [0; 64 * 1024];
    let _ = stream.read(&mut request).await;
    match how {
        Misbehaviour::Hangs => std::future::pending().await,
        Misbehaviour::Closes => {}
        Misbehaviour::Drips => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Misbehaviour::Floods => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 64 * 1024]).await.is_ok() {}
        }
    }
}
