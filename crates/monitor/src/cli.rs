//! The command line: one shape for every command, the plan as the argument, `--json` where a program reads the answer.

mod ask;
mod check;
mod drill;
mod escalation_report;
mod logs;
mod message;
mod promql_test;
mod query;
mod review;
mod run;
mod simulate;
mod test_contact;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Belfry runs a monitoring plan: metrics, alerts, escalation, logs, probes and success criteria in one process.
#[derive(Parser)]
#[command(name = "belfry", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a plan.
    Run(run::RunArguments),
    /// Check a plan without running it: all errors at once. Exit code 1 when there are any.
    Check(check::CheckArguments),
    /// Ask a running Belfry a PromQL query.
    Query(query::QueryArguments),
    /// Search the logs of a running Belfry.
    Logs(logs::LogsArguments),
    /// Rehearse an escalation: who would be told what, when and by which channel. Nothing is sent.
    Simulate(simulate::SimulateArguments),
    /// Make alerts fire on purpose, and hold what follows against what the plan promises. Pages nobody unless asked.
    Drill(drill::DrillArguments),
    /// Show what the first page about an alert would say, by the plan's templates.
    Message(message::MessageArguments),
    /// Send a test page by a person's channels, through a running Belfry.
    TestContact(test_contact::TestContactArguments),
    /// Print the post-incident review of an incident as Markdown.
    Review(review::ReviewArguments),
    /// Tell whether levels were told and incidents acknowledged in time.
    EscalationReport(escalation_report::EscalationReportArguments),
    /// Run PromQL test files in Prometheus' test language and print passed/total.
    PromqlTest(promql_test::PromqlTestArguments),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Query(arguments) => query::query(&arguments),
        Command::Logs(arguments) => logs::logs(&arguments),
        Command::Simulate(arguments) => simulate::simulate(&arguments),
        Command::Drill(arguments) => drill::drill(&arguments),
        Command::Message(arguments) => message::message(&arguments),
        Command::TestContact(arguments) => test_contact::test_contact(&arguments),
        Command::Review(arguments) => review::review(&arguments),
        Command::EscalationReport(arguments) => escalation_report::escalation_report(&arguments),
        Command::PromqlTest(arguments) => promql_test::promql_test(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("belfry: {error:#}");
        ExitCode::FAILURE
    })
}
