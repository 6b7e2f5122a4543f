//! `belfry promql-test FILE...`: runs PromQL test files in Prometheus' test language.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use world::{Disk, OsDisk};

#[derive(Args)]
pub(super) struct PromqlTestArguments {
    /// Test files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print each failed case.
    #[arg(long)]
    verbose: bool,
}

pub(super) fn promql_test(arguments: &PromqlTestArguments) -> anyhow::Result<ExitCode> {
    let (mut passed, mut total, mut unsupported) = (0, 0, 0);
    for path in &arguments.files {
        let name = path.display();
        let bytes = OsDisk
            .read(path)
            .with_context(|| format!("cannot read {name}"))?;
        let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
        let report =
            promql::testing::run(&text).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        let native = match report.native_histogram {
            0 => String::new(),
            cases => format!(" ({cases} more need native histograms)"),
        };
        println!("{name}: {}/{}{native}", report.passed, report.total);
        if arguments.verbose {
            for failure in &report.failures {
                println!("  {failure}");
            }
        }
        passed += report.passed;
        total += report.total;
        unsupported += report.native_histogram;
    }
    println!("sum: {passed}/{total}");
    Ok(if passed == total && unsupported == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
