//! Whoever would be paged: a webhook on this machine that takes every page and counts them by alert.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

/// Larger than any page.
const BODY_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// A connection that says nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);

type Pages = Arc<Mutex<BTreeMap<String, usize>>>;

pub(super) struct Receiver {
    address: SocketAddr,
    pages: Pages,
}

impl Receiver {
    /// Takes pages from now on, as long as the program runs.
    pub(super) fn listen() -> Result<Receiver> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port")?;
        let address = listener.local_addr()?;
        let pages = Pages::default();
        let counted = Arc::clone(&pages);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = Arc::clone(&counted);
                thread::spawn(move || {
                    // A connection that breaks off is tried again by whoever pages.
                    let _ = take(&stream, &pages);
                });
            }
        });
        Ok(Receiver { address, pages })
    }

    /// Contacts who are all told here.
    pub(super) fn contacts(&self) -> String {
        let person = |role: &str| {
            format!(
                "  - {{name: {role} of the drill, roles: [{role}], channels: [{{type: webhook, url: 'http://{}/page'}}]}}\n",
                self.address
            )
        };
        let people: String = ["on-call", "team-lead", "management"].map(person).concat();
        format!("format: 1\npeople:\n{people}")
    }

    /// How many pages came about each alert.
    pub(super) fn pages(&self) -> BTreeMap<String, usize> {
        let pages = self.pages.lock();
        pages.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers requests of one connection until it is closed.
fn take(stream: &TcpStream, pages: &Pages) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse::<u64>()?.min(BODY_BYTES_MAX);
            }
        }
        let mut body = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut body)?;
        let page: Value = serde_json::from_slice(&body).unwrap_or_default();
        let alert = page["groupLabels"]["alertname"].as_str().unwrap_or("?");
        let is_drill = page["incident"]["drill"] == true;
        let name = format!("{alert}{}", if is_drill { " (drill)" } else { "" });
        *pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(name)
            .or_default() += 1;
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    }
}
