//! `belfry run PLAN`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use telemetry::log::{Level, Logger, Sink};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use world::World;
use world::inbound::{Drained, ServeOptions, serve};

use super::reading::environment;
use crate::app::{App, Config};
use crate::self_metrics::SelfMetrics;

#[derive(Args)]
pub(super) struct RunArguments {
    /// The plan's file.
    plan: PathBuf,
    /// The address to listen on. Only loopback addresses are allowed.
    #[arg(long, default_value = "127.0.0.1:9765")]
    listen: SocketAddr,
    /// The data folder.
    #[arg(long, default_value = "./data/belfry")]
    data: PathBuf,
    /// Who the plan's roles are and how they are reached. Without it nobody is paged.
    #[arg(long)]
    contacts: Option<PathBuf>,
    /// How much to log: DEBUG, INFO, WARN or ERROR.
    #[arg(long, default_value = "INFO")]
    log_level: Level,
}

impl RunArguments {
    /// What `belfry init --run` runs.
    pub(super) fn of(
        plan: PathBuf,
        contacts: Option<PathBuf>,
        listen: SocketAddr,
        data: PathBuf,
    ) -> RunArguments {
        RunArguments {
            plan,
            listen,
            data,
            contacts,
            log_level: Level::Info,
        }
    }
}

pub(super) fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    if !arguments.listen.ip().is_loopback() {
        bail!(
            "{} is not a loopback address. Belfry has no sign-in yet, so it listens on this machine only; \
             use 127.0.0.1 or [::1] and a proxy with sign-in in front",
            arguments.listen
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(run_until_signal(arguments))
}

async fn run_until_signal(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let world = World::real().context("cannot set up the network")?;
    let metrics = SelfMetrics::new();
    let clock = world.clock.clone();
    let log = Logger::new(
        "belfry",
        arguments.log_level,
        move || clock.now(),
        vec![Sink::stderr()],
        &metrics.registry,
    );
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| {
        format!(
            "cannot listen on {}; is another Belfry running?",
            arguments.listen
        )
    })?;
    let config = Config {
        plan_path: arguments.plan,
        contacts_path: arguments.contacts,
        data: arguments.data,
        listen: listener.local_addr()?,
    };
    let app = App::build(world, config, environment(), log.clone(), metrics).await?;
    app.start().await;
    log.info("ready")
        .field("url", format!("http://{}", listener.local_addr()?).as_str())
        .emit();
    let drained = serve(
        listener,
        app.router(),
        ServeOptions::default(),
        until_stopped(app.clone()),
    )
    .await;
    log.info("draining").emit();
    app.drain().await;
    if drained == Drained::Cut {
        log.warn("requests were cut because they did not end in time")
            .emit();
    }
    log.info("stopped").emit();
    Ok(ExitCode::SUCCESS)
}

/// Ends at the first SIGINT or SIGTERM; reloads at each SIGHUP.
async fn until_stopped(app: Arc<App>) {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        // Without handlers the default actions hold: the process ends at once, and loses nothing it acknowledged.
        return std::future::pending().await;
    };
    loop {
        tokio::select! {
            // Stopping comes before reloading.
            biased;
            _ = interrupt.recv() => return,
            _ = terminate.recv() => return,
            _ = hang_up.recv() => {
                // The reload writes what is wrong to the log and to the plan page.
                let _ = app.reload().await;
            }
        }
    }
}
