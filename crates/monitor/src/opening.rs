//! Opening: what a start reads and takes before anything runs. The plan and the contacts, the data folder's lock, the stores,
//! and what is said about them in the log.

use std::path::Path;
use std::sync::Arc;

use model::Timestamp;
use telemetry::log::Logger;
use world::World;

use crate::app::{Config, StartError};
use crate::logs::{EmbeddedLogs, LogsBackend};
use crate::metrics::{EmbeddedMetrics, MetricsBackend};
use crate::plan_files::{read_contacts, read_plan};
use crate::setup::{Environment, Setup};

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

pub(crate) async fn read_setup(
    world: &World,
    environment: &Environment,
    config: &Config,
) -> Result<Setup, String> {
    let (disk, environment) = (world.disk.clone(), environment.clone());
    let (plan_path, contacts_path) = (config.plan_path.clone(), config.contacts_path.clone());
    let now = Timestamp::from(world.clock.now());
    world
        .run_blocking(move || {
            let reading = read_plan(&*disk, &environment, &plan_path)?;
            let shown = reading.render();
            let plan = reading.plan.ok_or(shown)?;
            let contacts = match &contacts_path {
                None => plan::Contacts::default(),
                Some(path) => {
                    let reading = read_contacts(&*disk, path)?;
                    reading.contacts.ok_or(reading.shown)?
                }
            };
            Ok(Setup {
                plan,
                files: reading.files,
                contacts,
                loaded_at: now,
            })
        })
        .await
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
