//! `belfry test-contact PERSON`: a test page by each of a person's channels, through the running Belfry that would page them.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::ask::post;

#[derive(Args)]
pub(super) struct TestContactArguments {
    /// The person, as the contacts name them.
    person: String,
    /// One channel only.
    #[arg(long)]
    channel: Option<String>,
    /// Who asks.
    #[arg(long, env = "USER", default_value = "somebody")]
    by: String,
    /// Where Belfry listens.
    #[arg(long, default_value = "http://127.0.0.1:9765")]
    url: String,
    /// Print the answer as it comes.
    #[arg(long)]
    json: bool,
}

pub(super) fn test_contact(arguments: &TestContactArguments) -> anyhow::Result<ExitCode> {
    let body = json!({
        "by": arguments.by,
        "person": arguments.person,
        "channel": arguments.channel,
    });
    let answer = post(&arguments.url, "/api/belfry/v1/contacts/test", &body)?;
    let results = answer["results"].as_array().cloned().unwrap_or_default();
    if arguments.json {
        println!("{answer}");
    } else {
        for result in &results {
            let said = result["receipt"].as_str().or(result["error"].as_str());
            println!(
                "{:<14} {} in {} ms: {}",
                result["channel"].as_str().unwrap_or("?"),
                if result["ok"] == true {
                    "accepted"
                } else {
                    "FAILED"
                },
                result["took_ms"],
                said.unwrap_or("")
            );
        }
    }
    let all_well = !results.is_empty() && results.iter().all(|result| result["ok"] == true);
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
