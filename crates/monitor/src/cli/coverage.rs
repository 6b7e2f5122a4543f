//! `belfry coverage`: how much of the plan is true now, for people and CI.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::ask::ask;

#[derive(Args)]
pub(super) struct CoverageArguments {
    /// Where Belfry listens.
    #[arg(long, default_value = "http://127.0.0.1:9765")]
    url: String,
    /// Print the whole report as it comes.
    #[arg(long)]
    json: bool,
}

/// Kinds of holes that are told in one line for all: a plan has many of them, and each says no more than its name.
const TOLD_TOGETHER: [(&str, &str); 2] = [
    ("metric_not_shown", "on no dashboard"),
    ("metric_unguarded", "read by no alert and no objective"),
];

pub(super) fn coverage(arguments: &CoverageArguments) -> anyhow::Result<ExitCode> {
    let report = ask(&arguments.url, "/api/belfry/v1/coverage", &[])?;
    if arguments.json {
        println!("{report}");
    } else {
        print!("{}", text(&report));
    }
    Ok(match report["kept"] {
        Value::Bool(true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn text(report: &Value) -> String {
    let mut lines = vec![
        format!("{} at {}", word(&report["title"]), word(&report["at"])),
        String::new(),
        format!(
            "{:<16}{:<12}{:>8}{:>9}{:>10}{:>9}  ",
            "group", "aspect", "covered", "share", "target", "unknown"
        ),
    ];
    lines.extend(array(&report["shares"]).map(share));
    lines.push(String::new());
    let left_out = report["undeclared"]["left_out"].as_u64().unwrap_or(0) as usize;
    let undeclared = array(&report["undeclared"]["metrics"]).count() + left_out;
    lines.push(format!("{undeclared} metrics are scraped and not declared"));
    lines.push(format!("{} holes", array(&report["holes"]).count()));
    let alone = |hole: &&Value| TOLD_TOGETHER.iter().all(|(kind, _)| hole["kind"] != *kind);
    lines.extend(array(&report["holes"]).filter(alone).map(hole));
    for (kind, what) in TOLD_TOGETHER {
        let names: Vec<&str> = array(&report["holes"])
            .filter(|hole| hole["kind"] == kind)
            .map(|hole| word(&hole["about"]))
            .collect();
        if !names.is_empty() {
            let count = names.len();
            lines.push(format!(
                "\n{kind}: {count} {what}\n    {}",
                names.join(", ")
            ));
        }
    }
    lines.push(String::new());
    lines.push(conclusion(report));
    lines.join("\n") + "\n"
}

fn conclusion(report: &Value) -> String {
    let named = |kept: Value| {
        let of = array(&report["shares"])
            .filter(|share| !share["target"].is_null() && share["kept"] == kept)
            .map(|share| format!("{} {}", word(&share["group"]), word(&share["aspect"])));
        of.collect::<Vec<_>>().join(", ")
    };
    match &report["kept"] {
        Value::Bool(true) => "every target is kept".to_owned(),
        Value::Bool(false) => format!("not kept: {}", named(Value::Bool(false))),
        _ => format!("not known to be kept: {}", named(Value::Null)),
    }
}

fn share(share: &Value) -> String {
    let percent = |ratio: &Value| match ratio.as_f64() {
        Some(ratio) => format!("{:.1} %", ratio * 100.0),
        None => "-".to_owned(),
    };
    let kept = match (&share["target"], &share["kept"]) {
        (Value::Null, _) => "",
        (_, Value::Bool(true)) => "kept",
        (_, Value::Bool(false)) => "NOT KEPT",
        (_, _) => "not known",
    };
    let line = format!(
        "{:<16}{:<12}{:>8}{:>9}{:>10}{:>9}  {kept}",
        word(&share["group"]),
        word(&share["aspect"]),
        format!("{}/{}", share["covered"], share["known"]),
        percent(&share["ratio"]),
        percent(&share["target"]),
        share["unknown"].to_string(),
    );
    line.trim_end().to_owned()
}

fn hole(hole: &Value) -> String {
    let place = match word(&hole["place"]) {
        "" => String::new(),
        place => format!(" ({place})"),
    };
    let since = match (hole["since"].as_str(), &hole["or_earlier"]) {
        (Some(since), Value::Bool(true)) => format!("since {since} or earlier"),
        (Some(since), _) => format!("since {since}"),
        (None, _) => "since an unknown time".to_owned(),
    };
    let at = match hole["at"]["line"].as_u64() {
        Some(line) => format!(", line {line} of the plan"),
        None => String::new(),
    };
    format!(
        "\n{}: {}{place}\n    {}\n    {since}{at}\n    to do: {}",
        word(&hole["kind"]),
        word(&hole["about"]),
        word(&hole["what"]),
        word(&hole["to_do"]),
    )
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}
