//! The Slack channel: an incoming webhook. (Source: Slack's documentation, "Sending messages using incoming webhooks",
//! "Formatting text for app surfaces", "Reference: blocks".)
//!
//! Blocks for the chat, and the same as plain text for notifications. No button: one that leads to an address still sends
//! an event to the app, and Slack shows a warning when nobody answers it; a link does the same without.

use bytes::Bytes;
use http::header::HeaderMap;
use plan::SecretSource;
use serde_json::{Value, json};
use world::World;

use super::PageContext;
use super::message::{Message, cut, message};
use super::post::{pieces, post};
use crate::setup::{Environment, read_secret};

/// The longest header block: Slack's own bound, past which it refuses the whole message.
const HEADER_CHARS_MAX: usize = 150;

/// The longest section, after escaping. Slack's bound is 3,000.
const SECTION_CHARS_MAX: usize = 2_900;

/// The most sections of text. What does not fit is on the incident's page, and the link to it always fits.
const SECTIONS_MAX: usize = 4;

/// Sends one page.
pub(super) async fn send(
    world: &World,
    environment: &Environment,
    url: &SecretSource,
    context: &PageContext<'_>,
) -> Result<String, String> {
    let url = read_secret(url, &*world.disk, environment)?;
    let body = Bytes::from(content(context).to_string());
    let answer = post(world, &url, HeaderMap::new(), body, &pieces(&url)).await?;
    answer.accepted("Slack")
}

fn content(context: &PageContext<'_>) -> Value {
    let Message { subject, body } = message(context);
    let mut blocks = vec![json!({
        "type": "header",
        "text": {"type": "plain_text", "text": cut(&subject, HEADER_CHARS_MAX), "emoji": false},
    })];
    blocks.extend(sections(&body));
    blocks.push(section(&link(context)));
    json!({"text": escaped(&subject), "blocks": blocks})
}

/// The text in pieces that Slack takes, broken between lines.
fn sections(body: &str) -> Vec<Value> {
    let mut pieces = vec![String::new()];
    for line in body.lines() {
        let line = escaped_up_to(line, SECTION_CHARS_MAX);
        let last = pieces.last().map_or(0, |piece| piece.chars().count());
        if last + line.chars().count() + 1 > SECTION_CHARS_MAX {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(&line);
            piece.push('\n');
        }
    }
    // Slack refuses a section without text.
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
        .iter()
        .take(SECTIONS_MAX)
        .map(|piece| section(piece))
        .collect()
}

/// `verbatim`: a `@here` inside an alert's label is not an order to wake a channel.
fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

fn link(context: &PageContext<'_>) -> String {
    let (path, words) = if context.is_summary() {
        ("/incidents".to_owned(), "Open the incidents".to_owned())
    } else {
        let id = context.detail.incident.head.id;
        (format!("/incidents/{id}"), format!("Open incident {id}"))
    };
    let address = escaped(&format!("{}{path}", context.external_url)).replace('|', "%7C");
    format!("<{address}|{words}>")
}

/// Slack's three signs.
fn escaped(text: &str) -> String {
    escaped_up_to(text, usize::MAX)
}

/// The same, no longer than a bound and never cut inside an escape.
fn escaped_up_to(text: &str, chars_max: usize) -> String {
    let mut written = String::with_capacity(text.len());
    let mut length = 0;
    for character in text.chars() {
        let mut own = [0; 4];
        let piece = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            other => other.encode_utf8(&mut own),
        };
        length += piece.chars().count();
        if length >= chars_max {
            written.push('…');
            break;
        }
        written.push_str(piece);
    }
    written
}
