//! The language of `.test` files, as data.
//!
//! Lines are trimmed, `#` starts a comment line, an empty line ends a block. Commands are `clear`, `load` and `eval`;
//! `load` is followed by series with their points, `eval` by expectations and the expected series.
//! Source of the language: the test files of the Prometheus project, whose format this reads.

use std::time::Duration;

use model::{Labels, LabelsBuilder, METRIC_NAME};
use regex::Regex;

use super::ScriptError;
use super::points::{Point, float, points as read_points};
use crate::lexer::{TokenKind, tokens};

/// One command.
#[derive(Debug)]
pub(super) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

/// Data to add.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) step: i64,
    /// Also builds native histograms from classic ones.
    pub(super) with_native: bool,
    pub(super) series: Vec<(Labels, Vec<Point>)>,
}

/// A query with what it should give.
#[derive(Debug)]
pub(super) struct Eval {
    pub(super) line: usize,
    pub(super) query: String,
    pub(super) when: When,
    pub(super) fail: Option<Text>,
    pub(super) warn: Notes,
    pub(super) info: Notes,
    pub(super) ordered: bool,
    pub(super) scalar: Option<f64>,
    pub(super) string: Option<String>,
    /// Times of a range vector that an instant query gives: first, last, step.
    pub(super) range_vector: Option<(i64, i64, i64)>,
    pub(super) series: Vec<(Labels, Vec<Point>)>,
}

/// The times of a query, in milliseconds.
#[derive(Copy, Clone, Debug)]
pub(super) enum When {
    Instant(i64),
    Range { from: i64, to: i64, step: i64 },
}

/// What annotations are expected.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// None may come.
    pub(super) none: bool,
    /// At least one must come, and each must match one of these.
    pub(super) some: Vec<Text>,
}

/// An expected text.
#[derive(Debug)]
pub(super) enum Text {
    Any,
    Exactly(String),
    Matching(Regex),
}

impl Text {
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Text::Any => true,
            Text::Exactly(expected) => expected == text,
            Text::Matching(pattern) => pattern.is_match(text),
        }
    }
}

type Read<T> = Result<T, String>;

/// Reads a whole file.
pub(super) fn read(text: &str) -> Result<Vec<Command>, ScriptError> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let lines: Vec<&str> = lines
        .into_iter()
        .map(|line| if line.starts_with('#') { "" } else { line })
        .collect();
    let mut commands = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        let first = index;
        index += 1;
        if lines[first].is_empty() {
            continue;
        }
        let block = lines[index..].iter().take_while(|line| !line.is_empty());
        let block_length = block.count();
        let block = &lines[index..index + block_length];
        let (command, used) =
            command(lines[first], block, first + 1).map_err(|(line, message)| ScriptError {
                line: first + 1 + line,
                message,
            })?;
        commands.push(command);
        index += used;
    }
    Ok(commands)
}

/// One command and how many lines after its first it takes. Errors name the line, counted from the command's.
fn command(first: &str, block: &[&str], line: usize) -> Result<(Command, usize), (usize, String)> {
    let word = first.split_whitespace().next().unwrap_or("");
    if word == "clear" {
        return Ok((Command::Clear, 0));
    }
    if word.starts_with("load") {
        return Ok((Command::Load(load(first, block)?), block.len()));
    }
    if word.starts_with("eval") {
        let eval = eval(first, block, line)?;
        return Ok((Command::Eval(Box::new(eval)), block.len()));
    }
    Err((
        0,
        format!("expected `clear`, `load` or `eval`, found `{word}`"),
    ))
}

fn load(first: &str, block: &[&str]) -> Result<Load, (usize, String)> {
    let mut words = first.split_whitespace();
    let with_native = words.next() == Some("load_with_nhcb");
    let step = words.next().ok_or_else(|| "`load` needs a step".to_owned());
    let step = step.and_then(millis).map_err(|message| (0, message))?;
    let mut all = Vec::new();
    for (index, line) in block.iter().enumerate() {
        let (labels, points) = series(line).map_err(|message| (index + 1, message))?;
        // A line of start times belongs to the next series; floats do not need it.
        if !points.starts_with("@st") {
            let points = read_points(points).map_err(|message| (index + 1, message))?;
            all.push((labels, points));
        }
    }
    Ok(Load {
        step,
        with_native,
        series: all,
    })
}

fn eval(first: &str, block: &[&str], line: usize) -> Result<Eval, (usize, String)> {
    let (word, rest) = split_word(first);
    let (when, query) = when(rest).map_err(|message| (0, message))?;
    let mut eval = Eval {
        line,
        query: query.to_owned(),
        when,
        fail: (word == "eval_fail").then_some(Text::Any),
        warn: Notes::default(),
        info: Notes::default(),
        ordered: word == "eval_ordered",
        scalar: None,
        string: None,
        range_vector: None,
        series: Vec::new(),
    };
    if word == "eval_warn" {
        eval.warn.some.push(Text::Any);
    }
    if word == "eval_info" {
        eval.info.some.push(Text::Any);
    }
    for (index, line) in block.iter().enumerate() {
        expectation(&mut eval, line).map_err(|message| (index + 1, message))?;
    }
    Ok(eval)
}

fn when(text: &str) -> Read<(When, &str)> {
    let (kind, rest) = split_word(text);
    let keyed = |word: &str, text: &'_ str| -> Read<()> {
        let (found, _) = split_word(text);
        if found == word {
            return Ok(());
        }
        Err(format!("expected `{word}`, found `{found}`"))
    };
    let value = |word: &str, text: &'_ str| -> Read<i64> {
        keyed(word, text)?;
        millis(split_word(split_word(text).1).0)
    };
    let skip = |text: &str| -> usize {
        let rest = split_word(split_word(text).1).1;
        text.len() - rest.len()
    };
    match kind {
        "instant" => {
            let at = value("at", rest)?;
            Ok((When::Instant(at), &rest[skip(rest)..]))
        }
        "range" => {
            let from = value("from", rest)?;
            let rest = &rest[skip(rest)..];
            let to = value("to", rest)?;
            let rest = &rest[skip(rest)..];
            let step = value("step", rest)?;
            Ok((When::Range { from, to, step }, &rest[skip(rest)..]))
        }
        other => Err(format!("expected `instant` or `range`, found `{other}`")),
    }
}

fn expectation(eval: &mut Eval, line: &str) -> Read<()> {
    if let Some(message) = line.strip_prefix("expected_fail_message") {
        eval.fail = Some(Text::Exactly(message.trim().to_owned()));
        return Ok(());
    }
    if let Some(pattern) = line.strip_prefix("expected_fail_regexp") {
        eval.fail = Some(Text::Matching(regex(pattern.trim())?));
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("expect ") {
        return expect(eval, rest.trim());
    }
    if let Some(value) = float(line) {
        eval.scalar = Some(value);
        return Ok(());
    }
    let (labels, points) = series(line)?;
    eval.series.push((labels, read_points(points)?));
    Ok(())
}

fn expect(eval: &mut Eval, text: &str) -> Read<()> {
    let (word, rest) = split_word(text);
    match word {
        "fail" => eval.fail = Some(expected_text(rest)?),
        "warn" => eval.warn.some.push(expected_text(rest)?),
        "info" => eval.info.some.push(expected_text(rest)?),
        "no_warn" => eval.warn.none = true,
        "no_info" => eval.info.none = true,
        "ordered" => eval.ordered = true,
        "string" => eval.string = Some(string(rest)?),
        "range" => {
            let (_, rest) = split_word(rest);
            let as_range = format!("range {rest}");
            let (when, _) = when(&as_range)?;
            if let When::Range { from, to, step } = when {
                eval.range_vector = Some((from, to, step));
            }
        }
        other => return Err(format!("unknown expectation `{other}`")),
    }
    Ok(())
}

fn expected_text(text: &str) -> Read<Text> {
    if let Some(message) = text.strip_prefix("msg:") {
        return Ok(Text::Exactly(message.trim().to_owned()));
    }
    if let Some(pattern) = text.strip_prefix("regex:") {
        return Ok(Text::Matching(regex(pattern.trim())?));
    }
    if text.is_empty() {
        return Ok(Text::Any);
    }
    Err(format!("expected `msg:` or `regex:`, found `{text}`"))
}

fn regex(pattern: &str) -> Read<Regex> {
    Regex::new(pattern).map_err(|error| error.to_string())
}

fn string(text: &str) -> Read<String> {
    let tokens = tokens(text).map_err(|error| error.message)?;
    match &tokens[0].kind {
        TokenKind::String(value) => Ok(value.clone()),
        other => Err(format!("expected a string, found {}", other.describe())),
    }
}

/// A series' labels and the text of its points.
fn series(line: &str) -> Read<(Labels, &str)> {
    let end = labels_end(line);
    let labels = labels(&line[..end])?;
    Ok((labels, line[end..].trim_start()))
}

/// Where the labels end: at the brace that closes them, or at the first blank where there is none.
fn labels_end(line: &str) -> usize {
    let name_end = line
        .find(|letter: char| letter.is_whitespace() || matches!(letter, '{' | '@'))
        .unwrap_or(line.len());
    let rest = line[name_end..].trim_start();
    if !rest.starts_with('{') || rest.starts_with("{{") {
        return name_end;
    }
    let open = line.len() - rest.len();
    let mut quote = None;
    let mut escaped = false;
    for (index, letter) in line[open..].char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(mark) => {
                escaped = letter == '\\' && mark != '`';
                if letter == mark {
                    quote = None;
                }
            }
            None if matches!(letter, '"' | '\'' | '`') => quote = Some(letter),
            None if letter == '}' => return open + index + 1,
            None => {}
        }
    }
    line.len()
}

/// A series' name and labels.
pub(super) fn labels(text: &str) -> Read<Labels> {
    let tokens = tokens(text).map_err(|error| error.message)?;
    let mut kinds = tokens.iter().map(|token| &token.kind).peekable();
    let mut builder = LabelsBuilder::default();
    if let Some(TokenKind::Ident(name)) = kinds.peek() {
        builder.set(METRIC_NAME, name);
        kinds.next();
    }
    if kinds.peek() == Some(&&TokenKind::Symbol("{")) {
        kinds.next();
    }
    while let Some(kind) = kinds.next() {
        match kind {
            TokenKind::Symbol("}" | ",") => {}
            TokenKind::End => break,
            TokenKind::Ident(name) | TokenKind::String(name) => {
                if kinds.peek() != Some(&&TokenKind::Symbol("=")) {
                    builder.set(METRIC_NAME, name);
                    continue;
                }
                kinds.next();
                let Some(TokenKind::String(value)) = kinds.next() else {
                    return Err(format!("label `{name}` needs a value in quotes"));
                };
                builder.set(name, value);
            }
            other => return Err(format!("expected a label, found {}", other.describe())),
        }
    }
    Ok(builder.build())
}

/// A time or length: seconds as a number, or a duration with an optional sign.
fn millis(text: &str) -> Read<i64> {
    if let Some(seconds) = float(text) {
        return Ok((seconds * 1000.0).round() as i64);
    }
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, text),
    };
    let length: Duration = model::parse_duration(body).map_err(|error| error.to_string())?;
    Ok(sign * i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}
