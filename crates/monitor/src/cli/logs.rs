//! `belfry logs [WORDS]`: a log search against a running Belfry, the newest line last, as a terminal wants it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use model::Timestamp;
use serde_json::Value;
use world::{Clock, SystemClock};

use super::ask::ask_and_show;

#[derive(Args)]
pub(super) struct LogsArguments {
    /// Words that must all occur; `level:ERROR`, `category:security`, `service:NAME` and `field=value` narrow.
    words: Vec<String>,
    /// How far back to look.
    #[arg(long, default_value = "1h", value_parser = model::parse_duration)]
    since: Duration,
    /// The most lines.
    #[arg(long, default_value_t = 200)]
    limit: usize,
    /// Where Belfry listens.
    #[arg(long, default_value = "http://127.0.0.1:9765")]
    url: String,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn logs(arguments: &LogsArguments) -> anyhow::Result<ExitCode> {
    let from = Timestamp::from(SystemClock::default().now()) - arguments.since;
    let (words, from, limit) = (
        arguments.words.join(" "),
        from.to_string(),
        arguments.limit.to_string(),
    );
    let parameters = [("q", words.as_str()), ("from", &from), ("limit", &limit)];
    ask_and_show(
        &arguments.url,
        "/api/belfry/v1/logs",
        &parameters,
        |answer| {
            for entry in answer["entries"].as_array().into_iter().flatten().rev() {
                let text = if arguments.json {
                    entry.to_string()
                } else {
                    line(entry)
                };
                println!("{text}");
            }
            if answer["truncated"] == true {
                eprintln!(
                    "only the newest {limit} lines are shown; raise --limit or narrow the search"
                );
            }
        },
    )
}

fn line(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or("");
    let fields = entry["fields"].as_object().into_iter().flatten();
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or("")))
        .collect();
    // What a line holds is data: a terminal must not obey it.
    let shown = format!(
        "{} {:5} {} {} {}",
        text("at"),
        text("level"),
        text("service"),
        text("message"),
        fields.join(" ")
    );
    shown
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
