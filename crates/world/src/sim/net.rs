//! A network of functions: each authority (`host:port`) is answered by a closure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::{BoxFuture, HttpError, HttpRequest, HttpResponse, Outbound};

type Handler =
    Arc<dyn Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, HttpError>> + Send + Sync>;

/// Hosts by `host:port`. A host that is not there refuses the connection.
#[derive(Default)]
pub struct SimNet {
    hosts: Mutex<BTreeMap<String, Handler>>,
}

impl SimNet {
    /// Lets `authority` be answered by `handler`, replacing an earlier one.
    pub fn host<F>(&self, authority: &str, handler: F)
    where
        F: Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, HttpError>>
            + Send
            + Sync
            + 'static,
    {
        self.lock().insert(authority.to_owned(), Arc::new(handler));
    }

    /// Takes a host off the network.
    pub fn unplug(&self, authority: &str) {
        self.lock().remove(authority);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Handler>> {
        self.hosts
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl Outbound for SimNet {
    fn http(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            crate::outbound::checked_url(&request.url)?;
            let uri: http::Uri = request
                .url
                .parse()
                .map_err(|error| HttpError::BadRequest(format!("{error}")))?;
            let authority = uri
                .authority()
                .map(|authority| authority.as_str().to_owned())
                .unwrap_or_default();
            let handler = self.lock().get(&authority).cloned();
            let Some(handler) = handler else {
                return Err(HttpError::Connect(format!(
                    "{authority} refuses the connection"
                )));
            };
            let (bound, limit) = (request.timeout, request.response_max);
            match crate::timeout(bound, handler(request)).await {
                Ok(Ok(response)) if response.body.len() > limit => {
                    Err(HttpError::TooLarge { limit })
                }
                Ok(result) => result,
                Err(crate::Elapsed) => Err(HttpError::Timeout(bound)),
            }
        })
    }
}
