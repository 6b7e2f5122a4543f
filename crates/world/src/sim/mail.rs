//! Mail servers as functions, by `host:port`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::{BoxFuture, Mail, MailError, MailRequest};

type Server =
    Arc<dyn Fn(MailRequest) -> BoxFuture<'static, Result<String, MailError>> + Send + Sync>;

/// Servers by `host:port`. One that is not there refuses the connection.
#[derive(Default)]
pub struct SimMail {
    servers: Mutex<BTreeMap<String, Server>>,
}

impl SimMail {
    /// Lets `authority` (`host:port`) take mail by `server`, replacing an earlier one. What it answers is the receipt.
    pub fn server<F>(&self, authority: &str, server: F)
    where
        F: Fn(MailRequest) -> BoxFuture<'static, Result<String, MailError>> + Send + Sync + 'static,
    {
        self.lock().insert(authority.to_owned(), Arc::new(server));
    }

    /// Takes a server off the network.
    pub fn unplug(&self, authority: &str) {
        self.lock().remove(authority);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Server>> {
        self.servers
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl Mail for SimMail {
    fn send(&self, request: MailRequest) -> BoxFuture<'_, Result<String, MailError>> {
        Box::pin(async move {
            crate::mail::checked(&request)?;
            let authority = format!("{}:{}", request.host, request.port);
            let server = self.lock().get(&authority).cloned();
            let Some(server) = server else {
                return Err(MailError::Connect("connection refused".to_owned()));
            };
            let bound = request.timeout;
            match crate::timeout(bound, server(request)).await {
                Ok(outcome) => outcome,
                Err(crate::Elapsed) => Err(MailError::Timeout(bound)),
            }
        })
    }
}
