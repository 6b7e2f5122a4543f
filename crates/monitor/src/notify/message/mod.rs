//! What a page says in words: a subject and a text, made once and sent by every channel that people read.
//!
//! The plan may bring templates; where it does not, and where one fails, Belfry's own words are used, and then the last
//! line says so. A page is never lost over its wording.

mod facts;
mod own_words;

use std::io::{self, Write};

use minijinja::Environment;
use minijinja::value::Serde;

use super::PageContext;
pub(super) use facts::Facts;
use own_words::{own_body, own_subject};

/// The longest subject, in characters: what mail programs and chats show of one.
const SUBJECT_CHARS_MAX: usize = 200;

/// The longest text, in bytes: some screens of a telephone, and far below what any channel takes.
const BODY_BYTES_MAX: usize = 32 * 1024;

/// How many instructions a template may take: a loop over everything that a page holds takes a few thousand.
const FUEL: u64 = 50_000;

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// One line.
    pub(super) subject: String,
    /// Lines ended by `\n`.
    pub(super) body: String,
}

/// Puts a page into words.
pub(super) fn message(context: &PageContext<'_>) -> Message {
    let facts = Facts::of(context);
    let templates = &context.setup.plan.messages;
    let mut failures = Vec::new();
    let mut fill = |name: &str, template: &Option<String>, own: String| {
        let Some(template) = template else { return own };
        match render(template, &facts) {
            Ok(text) => text,
            Err(why) => {
                failures.push(format!("The plan's template of the {name} failed ({why})"));
                own
            }
        }
    };
    let subject = fill("subject", &templates.subject, own_subject(&facts));
    let mut body = fill("body", &templates.body, own_body(&facts));
    let is_drill = context.is_drill();
    if !body.ends_with('\n') {
        body.push('\n');
    }
    if !failures.is_empty() {
        let line = format!("\n{}; these are Belfry's own words.\n", failures.join(". "));
        body.push_str(&line);
    }
    // Whatever a template says: nobody must take a drill for real, nor something real for a drill.
    let subject = if is_drill {
        body.insert_str(0, "DRILL: this is an exercise, nothing is wrong.\n");
        format!("DRILL {subject}")
    } else {
        subject
    };
    Message {
        subject: one_line(&subject, SUBJECT_CHARS_MAX),
        body,
    }
}

/// Fills a template.
///
/// # Errors
/// A short sentence: it does not parse, names what cannot be used that way, takes too long, gives too much or nothing.
fn render(template: &str, facts: &Facts) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    let mut text = Bounded(Vec::new());
    let told = |error: minijinja::Error| match error.kind() {
        minijinja::ErrorKind::OutOfFuel => "it takes too long".to_owned(),
        minijinja::ErrorKind::WriteFailure => format!("it gives more than {BODY_BYTES_MAX} bytes"),
        kind => {
            let what = error
                .detail()
                .map_or_else(|| kind.to_string(), str::to_owned);
            let line = error.line().unwrap_or(1);
            one_line(&format!("line {line}: {what}"), SUBJECT_CHARS_MAX)
        }
    };
    environment
        .template_from_str(template)
        .and_then(|template| template.render_captured_to(Serde(facts), &mut text))
        .map_err(told)?;
    let text = String::from_utf8_lossy(&text.0).into_owned();
    if text.trim().is_empty() {
        return Err("it gives no text".to_owned());
    }
    Ok(text)
}

/// Takes bytes up to the bound.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > BODY_BYTES_MAX {
            return Err(io::Error::other("the text is too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A text as one line without control characters, cut where it is too long. Whatever becomes a header or a title goes
/// through here.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control() || c == '\u{2028}' || c == '\u{2029}')
        .filter(|word| !word.is_empty())
        .collect();
    cut(&words.join(" "), chars_max)
}

/// The beginning of a text, with a sign where something is missing.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
            format!("{kept}…")
        }
    }
}
