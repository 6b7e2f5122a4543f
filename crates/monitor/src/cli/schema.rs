//! `belfry schema`: the language of plans and contacts as JSON Schema, for editors.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

#[derive(Args)]
pub(super) struct SchemaArguments {
    /// Of which file.
    #[arg(value_enum, default_value_t = File::Plan)]
    of: File,
}

/// The files that people write.
#[derive(Copy, Clone, ValueEnum)]
enum File {
    /// The plan.
    Plan,
    /// The contacts.
    Contacts,
}

pub(super) fn schema(arguments: &SchemaArguments) -> anyhow::Result<ExitCode> {
    let schema = match arguments.of {
        File::Plan => plan::plan_schema(),
        File::Contacts => plan::contacts_schema(),
    };
    print!("{schema}");
    Ok(ExitCode::SUCCESS)
}
