//! `belfry query EXPR`: an instant query against a running Belfry, for people and scripts.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::ask::ask_and_show;

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
    let parameters = [("query", arguments.expr.as_str())];
    ask_and_show(&arguments.url, "/api/v1/query", &parameters, |answer| {
        if arguments.json {
            println!("{answer}")
        } else {
            show(&answer["data"])
        }
    })
}

fn show(data: &Value) {
    match &data["result"] {
        Value::Array(rows) if data["resultType"] == "vector" => {
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
}

fn series(metric: &Value) -> String {
    let labels = metric.as_object().into_iter().flatten();
    model::Labels::from_pairs(
        labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or(""))),
    )
    .to_string()
}
