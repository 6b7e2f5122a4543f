//! Opening: what a start reads and takes before anything runs. The plan and the contacts, the data folder's lock, the stores,
//! and what is said about them in the log.

use std::path::Path;
use std::sync::Arc;

use model::Timestamp;
use plan::Diagnostic;
use telemetry::log::Logger;
use world::World;

use crate::app::{Config, StartError};
use crate::logs::{EmbeddedLogs, LogsBackend};
use crate::metrics::{EmbeddedMetrics, MetricsBackend};
use crate::setup::Setup;

pub(crate) async fn lock_data(
    world: &World,
    data: &Path,
) -> Result<Box<dyn Send + Sync>, StartError> {
    let (disk, data) = (world.disk.clone(), data.to_owned());
    world
        .run_blocking(move || {
            let shown = data.display();
            disk.create_dir_all(&data).map_err(|error| {
                StartError::Open(format!("cannot make the data folder {shown}: {error}"))
            })?;
            disk.lock(&data.join("lock")).map_err(|error| {
                let why = match error.kind() {
                    std::io::ErrorKind::WouldBlock => "another Belfry uses it".to_owned(),
                    _ => error.to_string(),
                };
                StartError::Open(format!("cannot take the data folder {shown}: {why}"))
            })
        })
        .await
}

pub(crate) async fn open_stores(
    world: &World,
    config: &Config,
    setup: &Setup,
    log: &Logger,
) -> Result<(Arc<dyn MetricsBackend>, Arc<dyn LogsBackend>), StartError> {
    let (opening, data) = (world.clone(), config.data.clone());
    let (retention, classes) = (
        setup.plan.metrics_retention,
        setup.plan.logs.classes.clone(),
    );
    let opened = world
        .run_blocking(move || {
            let metrics = EmbeddedMetrics::open(&opening, &data.join("metrics"), retention)
                .map_err(|error| format!("the metrics store: {error}"))?;
            let logs = EmbeddedLogs::open(&opening, &data.join("logs"), &classes)
                .map_err(|error| format!("the log store: {error}"))?;
            Ok::<_, String>((metrics, logs))
        })
        .await;
    let ((metrics, metrics_recovery), (logs, logs_recovery)) = opened.map_err(StartError::Open)?;
    log.info("metrics store opened")
        .field("series", metrics_recovery.series)
        .field("samples_replayed", metrics_recovery.samples_replayed)
        .field("torn_bytes", metrics_recovery.torn_bytes)
        .field("blocks_quarantined", metrics_recovery.blocks_quarantined)
        .emit();
    log.info("log store opened")
        .field("lines", logs_recovery.lines)
        .field("torn_tails", logs_recovery.torn_tails)
        .field("damaged_frames", logs_recovery.damaged_frames)
        .emit();
    for change in &logs_recovery.retention_changes {
        log.warn(
            "a retention class was changed; lines that are there keep the longer of both periods",
        )
        .field("class", change.class.as_str())
        .emit();
    }
    Ok((Arc::new(metrics), Arc::new(logs)))
}

pub(crate) async fn read_setup(world: &World, config: &Config) -> Result<Setup, String> {
    let (disk, plan_path, contacts_path) = (
        world.disk.clone(),
        config.plan_path.clone(),
        config.contacts_path.clone(),
    );
    let now = Timestamp::from(world.clock.now());
    world
        .run_blocking(move || {
            let (text, plan) = read_plan(&*disk, &plan_path)?;
            let contacts = match &contacts_path {
                None => plan::Contacts::default(),
                Some(path) => read_contacts(&*disk, path)?,
            };
            Ok(Setup {
                plan,
                text,
                contacts,
                loaded_at: now,
            })
        })
        .await
}

/// Reads a plan's file; every error of it at once.
fn read_plan(disk: &dyn world::Disk, path: &Path) -> Result<(String, plan::Plan), String> {
    let text = read_text(disk, path)?;
    let (plan, diagnostics) = plan::parse(&path.display().to_string(), &text);
    match plan {
        Some(plan) => Ok((text, plan)),
        None => Err(show(&diagnostics, &text, path)),
    }
}

fn read_contacts(disk: &dyn world::Disk, path: &Path) -> Result<plan::Contacts, String> {
    let text = read_text(disk, path)?;
    let (contacts, diagnostics) = plan::parse_contacts(&path.display().to_string(), &text);
    contacts.ok_or_else(|| show(&diagnostics, &text, path))
}

fn read_text(disk: &dyn world::Disk, path: &Path) -> Result<String, String> {
    let bytes = disk
        .read(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))
}

fn show(diagnostics: &[Diagnostic], text: &str, path: &Path) -> String {
    plan::render(diagnostics, text, &path.display().to_string())
}

pub(crate) fn announce(log: &Logger, setup: &Setup) {
    log.info("plan in force")
        .field("plan", setup.plan.service.as_str())
        .field("rules", setup.plan.rules().count() as u64)
        .field("probes", setup.plan.probes.len() as u64)
        .emit();
    if let Some(notice) = setup.unpageable() {
        log.error(&notice).emit();
    }
}
