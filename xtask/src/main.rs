//! What `make` calls: start the programs, run every check, send traffic. Rust and not shell, because children must be
//! drained in order, outputs counted and ports chosen, and all of that is tested here like any other code.
//!
//! The lints that lead to `world` are lifted for the whole crate: xtask stands outside the programs and drives the real
//! machine.
#![expect(
    clippy::disallowed_methods,
    reason = "xtask drives the real machine: processes, files, sockets and time"
)]

mod arguments;
mod counts;
mod drill;
mod e2e;
mod http_client;
mod program;
mod random;
mod repository;
mod run;
mod signals;
mod soak;
mod test_stages;
mod tidy;
mod tools;
mod traffic;
mod web_app;

use std::process::ExitCode;

use arguments::Arguments;

const USAGE: &str = "\
usage: cargo run -p xtask -- COMMAND

  run                              build everything, start qr-service and belfry, drain both on Ctrl-C
                                   (flags for the programs: QR_FLAGS, BELFRY_FLAGS)
  test                             every check of the repository, in order; ends with `N passed, M failed`
  traffic [--base URL] [--seconds N] [--rate N] [--seed N]
                                   mixed traffic against a service on this machine
  e2e [--release] [--seconds N]    both programs on free ports, checked from outside
  drill [--release]                every alert and procedure of the plan, for real where a fault is declared (20 minutes)
  soak [--part N] [--seeds A..B]   ten thousand seeds of the pipeline campaign and five hundred kills, in parts of an hour
  tidy                             rules on the sources that no compiler checks
  web-app                          install and build Belfry's web app, where it changed
  tools                            fetch what the tests need
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let arguments = Arguments::new(words);
    let outcome = match command.as_str() {
        "run" => arguments.done().and_then(|()| run::run()),
        "test" => arguments.done().and_then(|()| test_stages::run()),
        "traffic" => traffic::command(arguments),
        "e2e" => e2e::command(arguments),
        "drill" => drill::command(arguments),
        "soak" => soak::command(arguments),
        "tidy" => arguments.done().and_then(|()| tidy::command()),
        "web-app" => arguments.done().and_then(|()| web_app::build()),
        "tools" => arguments.done().and_then(|()| tools::install()),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
