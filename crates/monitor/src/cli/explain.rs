//! `belfry explain BF0012`: the page of a code, as it stands in `docs/codes`.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use plan::Code;

#[derive(Args)]
pub(super) struct ExplainArguments {
    /// The code, as `belfry check` shows it.
    code: String,
}

pub(super) fn explain(arguments: &ExplainArguments) -> anyhow::Result<ExitCode> {
    let written = arguments.code.to_ascii_uppercase();
    let (Some(first), Some(last)) = (Code::ALL.first(), Code::ALL.last()) else {
        unreachable!("there are codes");
    };
    let code = Code::from_text(&written)
        .with_context(|| format!("there is no code {written}; they go from {first} to {last}"))?;
    print!("{}", code.page());
    Ok(ExitCode::SUCCESS)
}
