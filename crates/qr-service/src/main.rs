//! The `qr-service` program: flags, signals, exit code. Everything else is in `app.rs`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use qr_service::{AdminToken, App, Config, Rate, TOKEN_BYTES_MAX, WORKERS_MAX, WORKERS_MIN};
use telemetry::log::{Level, Sink};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use world::World;
use world::inbound::Drained;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The QR-code service.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8765")]
    listen: SocketAddr,
    /// Folder of the database; made if it is missing.
    #[arg(long, default_value = "./data/qr-service")]
    data: PathBuf,
    /// Bound of the image cache, in bytes (also 64M, 1G).
    #[arg(long, default_value = "64M", value_parser = parse_bytes)]
    cache_bytes: u64,
    /// Codes drawn at once.
    #[arg(long, default_value_t = 8, value_parser = parse_workers)]
    generation_workers: usize,
    /// Memory that the service may use, where that is less than the machine and its cgroup allow.
    #[arg(long, value_parser = parse_bytes)]
    memory_limit: Option<u64>,
    /// Address of a monitor that takes log lines, as http://127.0.0.1:9765 (its path /api/v1/logs is added).
    #[arg(long)]
    ship_logs: Option<String>,
    /// File for log lines instead of the standard output.
    #[arg(long)]
    log_file: Option<PathBuf>,
    /// Lowest level of log lines: DEBUG, INFO, WARN or ERROR.
    #[arg(long, default_value = "DEBUG")]
    log_level: Level,
    /// Start with the fault switch (/admin/faults, this machine only).
    #[arg(long)]
    faults: bool,
    /// File with a token that /admin/ then asks for (Authorization: Bearer), and that opens it to other machines. Without
    /// it /admin/ is for this machine alone.
    #[arg(long)]
    admin_token_file: Option<PathBuf>,
    /// Minutes without a request after which a session ends.
    #[arg(long, default_value_t = 60.0)]
    session_minutes: f64,
    /// Send cookies over TLS only: for a service behind a TLS proxy.
    #[arg(long)]
    secure_cookies: bool,
    /// Requests a second for an address without a session, 0 for no limit.
    #[arg(long, default_value_t = 50.0)]
    rate_address: f64,
    /// Requests a second for a session, 0 for no limit.
    #[arg(long, default_value_t = 100.0)]
    rate_session: f64,
    /// Registrations and sign-ins a second for an address, 0 for no limit.
    #[arg(long, default_value_t = 0.5)]
    rate_sign_in: f64,
    /// Milliseconds during which /ready says no before connections are refused.
    #[arg(long, default_value_t = 1000)]
    drain_grace_ms: u64,
    /// Milliseconds that one request may take.
    #[arg(long, default_value_t = 10_000)]
    request_timeout_ms: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(Drained::Whole) => ExitCode::SUCCESS,
        Ok(Drained::Cut) => {
            eprintln!("qr-service: requests were still running when the time to drain was over");
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("qr-service: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> Result<Drained> {
    // Without it memory goes back only when the program allocates again.
    telemetry::allocator::purge_in_background();
    let sink = match &flags.log_file {
        None => Sink::stdout(),
        Some(path) => {
            Sink::file(path).with_context(|| format!("cannot open {}", path.display()))?
        }
    };
    let listener = TcpListener::bind(flags.listen)
        .await
        .with_context(|| format!("cannot listen on {}", flags.listen))?;
    let address = listener.local_addr()?;
    let world = World::real()?;
    let level = flags.log_level;
    let config = config(flags, &world)?;
    let app = App::build(world, config, level, vec![sink]);
    let mut serving = std::pin::pin!(app.serve(listener, shutdown()?));
    // It answers while it starts: "starting" is an answer too.
    let started = tokio::select! {
        // A signal during a slow start ends the program.
        biased;
        drained = &mut serving => return Ok(drained),
        started = app.start() => started,
    };
    started.context("cannot start")?;
    eprintln!("qr-service answers on http://{address}/");
    Ok(serving.await)
}

fn config(flags: Flags, world: &World) -> Result<Config> {
    let minutes = flags.session_minutes;
    if !(0.01..=525_600.0).contains(&minutes) {
        return Err(anyhow!("--session-minutes must be from 0.01 to 525600"));
    }
    let admin_token = match &flags.admin_token_file {
        None => None,
        Some(path) => Some(admin_token(path, world)?),
    };
    let defaults = Config::default();
    let rate = |per_second: f64, default: Rate| Rate {
        per_second,
        // A burst keeps its proportion to the rate.
        burst: (f64::from(default.burst) * per_second / default.per_second)
            .ceil()
            .max(1.0) as u32,
    };
    Ok(Config {
        data_dir: Some(flags.data),
        cache_bytes: flags.cache_bytes,
        generation_workers: flags.generation_workers,
        memory_limit: flags.memory_limit,
        ship_logs: flags.ship_logs,
        faults: flags.faults,
        admin_token,
        session_length: Duration::from_secs_f64(minutes * 60.0),
        secure_cookies: flags.secure_cookies,
        rate_address: rate(flags.rate_address, defaults.rate_address),
        rate_session: rate(flags.rate_session, defaults.rate_session),
        rate_sign_in: rate(flags.rate_sign_in, defaults.rate_sign_in),
        drain_grace: Duration::from_millis(flags.drain_grace_ms),
        request_timeout: Duration::from_millis(flags.request_timeout_ms),
    })
}

fn admin_token(path: &Path, world: &World) -> Result<AdminToken> {
    // One byte more than is allowed, so that a longer file is seen to be one.
    let file = world.disk.read_at(path, 0, TOKEN_BYTES_MAX + 1);
    let file = file.with_context(|| format!("cannot read {}", path.display()))?;
    AdminToken::parse(&file).with_context(|| format!("cannot use {}", path.display()))
}

/// Resolves at the first SIGTERM or SIGINT.
fn shutdown() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            // Both mean the same; the order is only there to be fixed.
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Reads `1048576`, `512K`, `64M` or `1G`.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KIB" => 1 << 10,
        "M" | "MIB" => 1 << 20,
        "G" | "GIB" => 1 << 30,
        _ => return Err("write bytes as 1048576, 512K, 64M or 1G".to_owned()),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "write bytes as 1048576, 512K, 64M or 1G".to_owned())
}

fn parse_workers(text: &str) -> Result<usize, String> {
    text.parse::<usize>()
        .ok()
        .filter(|workers| (WORKERS_MIN..=WORKERS_MAX).contains(workers))
        .ok_or_else(|| format!("must be from {WORKERS_MIN} to {WORKERS_MAX}"))
}
