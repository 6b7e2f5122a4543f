//! `make run`: builds everything, starts both programs, says where they are, and drains both when it is told to stop.
//!
//! The service stops first and Belfry last, so that the service's last log lines and Belfry's view of the end are kept.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http_client::Client;
use crate::program::{self, Program};
use crate::repository::{self, BELFRY_ADDRESS, PLAN, SERVICE_ADDRESS};
use crate::signals::StopRequests;
use crate::web_app;

/// How long a program may take until it answers: opening a data folder after kill -9 replays its logs.
const START_MAX: Duration = Duration::from_secs(60);

pub(crate) fn run() -> Result<ExitCode> {
    let root = repository::root()?;
    let started = Instant::now();
    let service_flags = Flags::from_environment("QR_FLAGS", SERVICE_ADDRESS);
    let belfry_flags = Flags::from_environment("BELFRY_FLAGS", BELFRY_ADDRESS);
    let service_address = free("qr-service", "QR_FLAGS", &service_flags)?;
    let belfry_address = free("belfry", "BELFRY_FLAGS", &belfry_flags)?;
    web_app::build()?;
    let programs = build(&root)?;

    // A build takes long enough for somebody else to come; whoever holds the port would answer for our program.
    free("qr-service", "QR_FLAGS", &service_flags)?;
    free("belfry", "BELFRY_FLAGS", &belfry_flags)?;
    let stop = StopRequests::listen()?;
    let mut service = start_service(&root, &programs, &service_flags, belfry_address)?;
    service.wait_ready(service_address, "/ready", START_MAX, &stop)?;
    let mut belfry = start_belfry(&root, &programs, &belfry_flags)?;
    belfry.wait_ready(belfry_address, "/-/ready", START_MAX, &stop)?;
    announce(service_address, belfry_address, started.elapsed());
    warn_about_contacts(belfry_address);
    let died = watch(&mut service, &mut belfry, &stop);
    let drained_service = service.drain(&stop);
    let drained_belfry = belfry.drain(&stop);
    match died {
        Some(what) => bail!("{what}"),
        None if drained_service && drained_belfry => {
            println!("Both have drained.");
            Ok(ExitCode::SUCCESS)
        }
        None => bail!("a program did not end well; its log is under data/"),
    }
}

/// Flags for a program, from the environment, and the address that it will listen on.
struct Flags {
    words: Vec<String>,
    listen: String,
}

impl Flags {
    fn from_environment(variable: &str, default: &str) -> Flags {
        Flags::read(&std::env::var(variable).unwrap_or_default(), default)
    }

    fn read(text: &str, default: &str) -> Flags {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let given = words.iter().enumerate().find_map(|(at, word)| {
            let joined = word.strip_prefix("--listen=").map(str::to_owned);
            joined.or_else(|| words.get(at + 1).filter(|_| word == "--listen").cloned())
        });
        if given.is_none() {
            words.extend(["--listen".to_owned(), default.to_owned()]);
        }
        Flags {
            words,
            listen: given.unwrap_or_else(|| default.to_owned()),
        }
    }

    fn has(&self, name: &str) -> bool {
        let prefix = format!("{name}=");
        self.words
            .iter()
            .any(|word| word == name || word.starts_with(&prefix))
    }
}

fn free(name: &str, variable: &str, flags: &Flags) -> Result<SocketAddr> {
    let listen = &flags.listen;
    let address: SocketAddr = listen
        .parse()
        .with_context(|| format!("{variable}: --listen {listen} must be IP:PORT"))?;
    if let Err(error) = TcpListener::bind(address) {
        bail!(
            "{name} cannot listen on {address}: {error}. Perhaps `make run` is running already?\n  \
             what holds the port:  ss -ltnp 'sport = :{port}'\n  \
             another port:         make run {variable}='--listen 127.0.0.1:PORT'",
            port = address.port()
        );
    }
    Ok(address)
}

/// Builds both programs in release and says where they are.
fn build(root: &Path) -> Result<PathBuf> {
    println!("building qr-service and belfry (a first build takes minutes)");
    let packages = ["build", "--release", "-p", "qr-service", "-p", "monitor"];
    let mut cargo = Command::new(repository::cargo());
    repository::must_succeed(cargo.args(packages).args(["--bins"]).current_dir(root))?;
    Ok(repository::target_folder(root)?.join("release"))
}

fn start_service(
    root: &Path,
    programs: &Path,
    flags: &Flags,
    belfry: SocketAddr,
) -> Result<Program> {
    let mut command = Command::new(programs.join("qr-service"));
    command.args(&flags.words).current_dir(root);
    if !flags.has("--data") {
        command.args(["--data", "data/qr-service"]);
    }
    if !flags.has("--ship-logs") {
        command.arg("--ship-logs").arg(format!("http://{belfry}"));
    }
    let log = root.join("data/qr-service/qr-service.log");
    Program::start("qr-service", &mut command, &log)
}

fn start_belfry(root: &Path, programs: &Path, flags: &Flags) -> Result<Program> {
    let mut command = Command::new(programs.join("belfry"));
    command
        .args(["run", PLAN])
        .args(&flags.words)
        .current_dir(root);
    if !flags.has("--data") {
        command.args(["--data", "data/belfry"]);
    }
    let log = root.join("data/belfry/belfry.log");
    Program::start("belfry", &mut command, &log)
}

fn announce(service: SocketAddr, belfry: SocketAddr, took: Duration) {
    println!(
        "
  ------------------------------------------------------------
    Belfry       http://{belfry}
    QR service   http://{service}

    Ready after {} s. Data and logs are under ./data.
    `make traffic` in another terminal moves every panel.
    Ctrl-C drains both.
  ------------------------------------------------------------
",
        took.as_secs()
    );
}

/// Whoever starts a monitor that can page nobody shall read that here, not find it out in the night.
fn warn_about_contacts(belfry: SocketAddr) {
    let overview = Client::new(belfry).get("/api/belfry/v1/overview");
    let overview: Value = overview
        .ok()
        .and_then(|answer| serde_json::from_slice(&answer.body).ok())
        .unwrap_or_default();
    if overview["contacts"]["pageable"] == false {
        let notice = overview["contacts"]["notice"].as_str();
        println!("  {}", notice.unwrap_or("Nobody will be paged."));
        println!("  Say who is paged with: make run BELFRY_FLAGS='--contacts FILE'\n");
    }
}

/// Waits for a request to stop; the message if a program ends before.
fn watch(service: &mut Program, belfry: &mut Program, stop: &StopRequests) -> Option<String> {
    loop {
        if stop.asked() {
            println!("\nDraining; once more ends both at once.");
            return None;
        }
        for program in [&mut *service, &mut *belfry] {
            program.repeat_what_it_says();
            if let Some(status) = program.ended() {
                let (name, tail) = (program.name, program.log_tail());
                return Some(format!(
                    "{name} ended ({status}); the other was drained\n{tail}"
                ));
            }
        }
        program::pause();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_carry_the_address() {
        let flags = Flags::read("--faults --listen 127.0.0.1:1", "127.0.0.1:2");
        assert_eq!(flags.listen, "127.0.0.1:1");
        assert_eq!(flags.words.len(), 3);
        assert_eq!(
            Flags::read("--listen=127.0.0.1:3", "x").listen,
            "127.0.0.1:3"
        );
        let flags = Flags::read("--data=elsewhere", "127.0.0.1:2");
        assert_eq!(flags.words, ["--data=elsewhere", "--listen", "127.0.0.1:2"]);
        assert!(flags.has("--data"));
        assert!(!flags.has("--ship-logs"));
    }

    #[test]
    fn a_port_in_use_is_named_with_what_to_do() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = holder.local_addr().unwrap();
        let flags = Flags::read("", &address.to_string());
        let error = free("belfry", "BELFRY_FLAGS", &flags)
            .unwrap_err()
            .to_string();
        assert!(error.contains(&address.to_string()), "{error}");
        assert!(error.contains("BELFRY_FLAGS='--listen"), "{error}");
    }
}
