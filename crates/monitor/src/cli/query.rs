//! `belfry query EXPR`: an instant query against a running Belfry, for people and scripts.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;
use world::{HttpRequest, World};

const TIMEOUT: Duration = Duration::from_secs(130);
const ANSWER_BYTES_MAX: usize = 64 << 20;

#[derive(Args)]
pub(super) struct QueryArguments {
    /// The PromQL expression.
    expr: String,
    /// Where Belfry listens.
    #[arg(long, default_value = "http://127.0.0.1:9765")]
    url: String,
    /// Print the answer as it comes.
    #[arg(long)]
    json: bool,
}

pub(super) fn query(arguments: &QueryArguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(ask(arguments))?;
    if arguments.json {
        println!("{answer}");
        return Ok(ExitCode::SUCCESS);
    }
    match &answer["data"]["result"] {
        Value::Array(rows) if answer["data"]["resultType"] == "vector" => {
            for row in rows {
                println!(
                    "{} => {}",
                    series(&row["metric"]),
                    row["value"][1].as_str().unwrap_or("?")
                );
            }
        }
        result => println!("{result}"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn ask(arguments: &QueryArguments) -> anyhow::Result<Value> {
    let world = World::real().context("cannot set up the network")?;
    let form = serde_urlencoded::to_string([("query", &arguments.expr)])?;
    let url = format!(
        "{}/api/v1/query?{form}",
        arguments.url.trim_end_matches('/')
    );
    let response = world
        .net
        .http(HttpRequest::get(&url, TIMEOUT, ANSWER_BYTES_MAX))
        .await
        .with_context(|| format!("is Belfry running at {}?", arguments.url))?;
    let answer: Value = serde_json::from_slice(&response.body).context("the answer is not JSON")?;
    if answer["status"] != "success" {
        bail!("{}", answer["error"].as_str().unwrap_or("the query failed"));
    }
    Ok(answer)
}

fn series(metric: &Value) -> String {
    let labels = metric.as_object().into_iter().flatten();
    model::Labels::from_pairs(
        labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or(""))),
    )
    .to_string()
}
