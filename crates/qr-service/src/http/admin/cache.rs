//! `/admin/cache`: its figures, whether it is well, and a restart. For the procedure "Cache Issues".

use axum::Json;
use axum::extract::{Extension, Request, State};
use serde::Serialize;
use telemetry::log::Level;
use telemetry::memory;

use super::super::body;
use super::super::observe::Context;
use super::super::problem::Problem;
use crate::app::App;
use crate::cache_check::{self, Finding, Surroundings};

/// What the cache is and did.
#[derive(Serialize)]
pub(crate) struct CacheFigures {
    capacity_bytes: u64,
    capacity_bytes_at_start: u64,
    entry_bytes_max: u64,
    size_bytes: u64,
    entries: usize,
    hits: u64,
    misses: u64,
    evictions: u64,
    errors: u64,
    restarts: u64,
    /// Of the last five minutes; null without look-ups.
    hit_rate: Option<f64>,
    is_down: bool,
}

pub(crate) async fn figures(State(app): State<App>) -> Json<CacheFigures> {
    let (cache, counters) = (&app.cache, &app.metrics.cache);
    let (size_bytes, capacity_bytes) = cache.size_and_capacity();
    Json(CacheFigures {
        capacity_bytes,
        capacity_bytes_at_start: app.config.cache_bytes,
        entry_bytes_max: cache.entry_bytes_max(),
        size_bytes,
        entries: cache.entries(),
        hits: counters.hits.get(),
        misses: counters.misses.get(),
        evictions: counters.evictions.get(),
        errors: counters.errors.get(),
        restarts: counters.restarts.get(),
        hit_rate: Some(cache.hit_rate()).filter(|rate| rate.is_finite()),
        is_down: cache.is_down(),
    })
}

/// What a verification found.
#[derive(Serialize)]
pub(crate) struct Verified {
    ok: bool,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    check: &'static str,
    ok: bool,
    detail: String,
}

impl From<Finding> for Check {
    fn from(finding: Finding) -> Check {
        Check {
            check: finding.check,
            ok: finding.is_ok,
            detail: finding.detail,
        }
    }
}

pub(crate) async fn verify(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<Json<Verified>, Problem> {
    body::nothing(request).await?;
    let around = Surroundings {
        capacity_at_start: app.config.cache_bytes,
        memory_limit: memory::memory_limit(app.config.memory_limit).map(|limit| limit.bytes),
        faults: app.faults.is_there().then(|| app.faults.get()),
    };
    let cache = app.cache.clone();
    let work = move || cache_check::verify(&cache, &around);
    let findings = app.world.run_blocking(work).await;
    let failed: Vec<&str> = findings
        .iter()
        .filter(|finding| !finding.is_ok)
        .map(|finding| finding.check)
        .collect();
    let level = match failed.is_empty() {
        true => Level::Info,
        false => Level::Warn,
    };
    app.logger
        .event(level, "cache verified")
        .request(&context.id)
        .field("peer", context.peer.to_string())
        .field("ok", failed.is_empty())
        .field("failed", failed.join(","))
        .emit();
    Ok(Json(Verified {
        ok: failed.is_empty(),
        checks: findings.into_iter().map(Check::from).collect(),
    }))
}

/// What a restart did.
#[derive(Serialize)]
pub(crate) struct Restarted {
    dropped_entries: usize,
    dropped_bytes: u64,
    was_down: bool,
    /// Whether that was the fault switch's doing, which this restart has set back.
    fault_ended: bool,
    /// Whether the cache gives back what it takes, tried after the restart.
    works: bool,
}

/// Empties the cache and opens it anew. It also ends `cache_down`: in a drill that stands for a cache that is wedged, and
/// a responder who follows the procedure must see the restart help. The other faults stay, because a restart cures
/// neither look-ups that miss nor evictions.
pub(crate) async fn restart(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<Json<Restarted>, Problem> {
    body::nothing(request).await?;
    let (cache, faults) = (app.cache.clone(), app.faults.clone());
    // Dropping a million images takes a while.
    let work = move || {
        let fault_ended = faults.end_cache_down();
        (fault_ended, cache.restart(), cache.probe().is_ok())
    };
    let (fault_ended, dropped, works) = app.world.run_blocking(work).await;
    super::log(&app, &context, "cache restarted")
        .field("dropped_entries", dropped.entries)
        .field("dropped_bytes", dropped.bytes)
        .field("was_down", dropped.was_down)
        .field("works", works)
        .emit();
    Ok(Json(Restarted {
        dropped_entries: dropped.entries,
        dropped_bytes: dropped.bytes,
        was_down: dropped.was_down,
        fault_ended,
        works,
    }))
}
