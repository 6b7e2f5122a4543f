//! The command line: one shape for every command, the plan as the argument, `--json` where a program reads the answer.

mod ask;
mod backtest;
mod check;
mod coverage;
mod diff;
mod diff_report;
mod drill;
mod escalation_report;
mod explain;
mod export;
mod fmt;
mod import;
mod init;
mod logs;
mod message;
mod progress_line;
mod promql_test;
mod query;
mod reading;
mod report;
mod review;
mod run;
mod schema;
mod simulate;
mod slo;
mod test;
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
    /// Draft a plan for your own service from what it exposes, in five questions.
    Init(init::InitArguments),
    /// Run a plan.
    Run(run::RunArguments),
    /// Check a plan without running it: errors, and what could run but would not do what the plan means. Exit code 1 when there
    /// is an error or a finding that the plan does not waive.
    Check(check::CheckArguments),
    /// Bring plans and contacts into one form; comments stay, and what they mean never changes. Exit code 2 when a file
    /// cannot be formatted.
    Fmt(fmt::FmtArguments),
    /// Explain a code of `belfry check`, such as BF0012: what is wrong, why it matters, and how it would be right.
    Explain(explain::ExplainArguments),
    /// Print the JSON Schema of plans or contacts, by which editors complete and explain keys.
    Schema(schema::SchemaArguments),
    /// Tell how much of the plan is true now, by a running Belfry. Exit code 0 when every target is known to be kept.
    Coverage(coverage::CoverageArguments),
    /// Run tests of plans and rule files: what fires and who is paged when this data comes in.
    Test(test::TestArguments),
    /// Replay rules over stored history: when they would have fired, and who would have been paged.
    Backtest(backtest::BacktestArguments),
    /// Say what differs between two plans, in what it means. Exit code 1 when something does, 2 when one cannot be read.
    Diff(diff::DiffArguments),
    /// Make a plan of a monitoring plan written for people, or of rule files of Prometheus.
    Import(import::ImportArguments),
    /// Ask a running Belfry a PromQL query.
    Query(query::QueryArguments),
    /// Search the logs of a running Belfry.
    Logs(logs::LogsArguments),
    /// Rehearse an escalation: who would be told what, when and by which channel. Nothing is sent.
    Simulate(simulate::SimulateArguments),
    /// Print targets, error budgets and burn-rate alerts with their arithmetic; with --url also what is left.
    Slo(slo::SloArguments),
    /// Write the plan in another tool's words. What the tool cannot carry is told on standard error.
    Export(export::ExportArguments),
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
    /// Write the report of a month: targets, incidents, escalation, alert quality, coverage, retention, on one page.
    Report(report::ReportArguments),
    /// Run PromQL test files in Prometheus' test language and print passed/total.
    PromqlTest(promql_test::PromqlTestArguments),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Command::Init(arguments) => init::init(arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Fmt(arguments) => fmt::fmt(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Coverage(arguments) => coverage::coverage(&arguments),
        Command::Test(arguments) => test::test(&arguments),
        Command::Backtest(arguments) => backtest::backtest(&arguments),
        Command::Diff(arguments) => diff::diff(&arguments),
        Command::Import(arguments) => import::import(&arguments),
        Command::Query(arguments) => query::query(&arguments),
        Command::Logs(arguments) => logs::logs(&arguments),
        Command::Simulate(arguments) => simulate::simulate(&arguments),
        Command::Slo(arguments) => slo::slo(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Drill(arguments) => drill::drill(&arguments),
        Command::Message(arguments) => message::message(&arguments),
        Command::TestContact(arguments) => test_contact::test_contact(&arguments),
        Command::Review(arguments) => review::review(&arguments),
        Command::EscalationReport(arguments) => escalation_report::escalation_report(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::PromqlTest(arguments) => promql_test::promql_test(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("belfry: {error:#}");
        ExitCode::FAILURE
    })
}
