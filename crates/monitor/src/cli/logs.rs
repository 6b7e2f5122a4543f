//! `belfry logs [WORDS]`: a log search against a running Belfry, the newest line last, as a terminal wants it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use model::Timestamp;
use serde_json::Value;
use world::{HttpRequest, World};

const TIMEOUT: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: usize = 64 << 20;

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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(ask(arguments))?;
    for entry in answer["entries"].as_array().into_iter().flatten().rev() {
        if arguments.json {
            println!("{entry}");
        } else {
            println!("{}", line(entry));
        }
    }
    if answer["truncated"] == true {
        eprintln!(
            "only the newest {} lines are shown; raise --limit or narrow the search",
            arguments.limit
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn ask(arguments: &LogsArguments) -> anyhow::Result<Value> {
    let world = World::real().context("cannot set up the network")?;
    let from = Timestamp::from(world.clock.now()) - arguments.since;
    let limit = arguments.limit.to_string();
    let form = serde_urlencoded::to_string([
        ("q", arguments.words.join(" ").as_str()),
        ("from", &from.to_string()),
        ("limit", &limit),
    ])?;
    let url = format!(
        "{}/api/belfry/v1/logs?{form}",
        arguments.url.trim_end_matches('/')
    );
    let response = world
        .net
        .http(HttpRequest::get(&url, TIMEOUT, ANSWER_BYTES_MAX))
        .await
        .with_context(|| format!("is Belfry running at {}?", arguments.url))?;
    let answer: Value = serde_json::from_slice(&response.body).context("the answer is not JSON")?;
    if !response.status.is_success() {
        bail!(
            "{}",
            answer["detail"].as_str().unwrap_or("the search failed")
        );
    }
    Ok(answer)
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
