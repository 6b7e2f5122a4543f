//! `/admin/capacity`: what the service uses and may use, changed while it runs. For "check resource usage, scale if needed".
//!
//! A change holds until the next start, which takes the flags again: a responder's quick remedy must not become a setting
//! that nobody wrote down.

use axum::Json;
use axum::extract::{Extension, Request, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telemetry::{memory, process};

use super::super::body;
use super::super::observe::Context;
use super::super::problem::Problem;
use crate::app::App;
use crate::cache::CACHE_BYTES_MIN;
use crate::cache_check;
use crate::generations::{WORKERS_MAX, WORKERS_MIN};

/// What there is and how much of it is in use.
#[derive(Serialize)]
pub(crate) struct Capacity {
    generation_workers: Workers,
    cache_bytes: CacheBytes,
    memory: Memory,
    cores: Option<usize>,
}

#[derive(Serialize)]
struct Workers {
    value: usize,
    minimum: usize,
    maximum: usize,
    running: usize,
    waiting: usize,
}

#[derive(Serialize)]
struct CacheBytes {
    value: u64,
    minimum: u64,
    maximum: u64,
    used: u64,
}

#[derive(Serialize)]
struct Memory {
    used_bytes: Option<u64>,
    limit_bytes: Option<u64>,
}

pub(crate) async fn get(State(app): State<App>) -> Json<Capacity> {
    let load = app.generations.load();
    let (used, capacity) = app.cache.size_and_capacity();
    Json(Capacity {
        generation_workers: Workers {
            value: load.limit,
            minimum: WORKERS_MIN,
            maximum: WORKERS_MAX,
            running: load.running,
            waiting: load.waiting,
        },
        cache_bytes: CacheBytes {
            value: capacity,
            minimum: CACHE_BYTES_MIN,
            maximum: cache_check::capacity_max(memory_limit(&app)),
            used,
        },
        memory: Memory {
            used_bytes: process::resident_bytes(),
            limit_bytes: memory_limit(&app),
        },
        cores: std::thread::available_parallelism()
            .ok()
            .map(|cores| cores.get()),
    })
}

/// What to change. Any value is taken here, so that a wrong one is refused by its field's name and rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    generation_workers: Option<Value>,
    cache_bytes: Option<Value>,
}

/// A setting before and after.
#[derive(Serialize)]
struct Change<T> {
    old: T,
    new: T,
}

#[derive(Serialize)]
pub(crate) struct Changed {
    generation_workers: Change<usize>,
    cache_bytes: Change<u64>,
}

/// Sets one or both. Everything is checked before anything is changed.
pub(crate) async fn put(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<Json<Changed>, Problem> {
    let asked: Asked = body::json(request).await?;
    if asked.generation_workers.is_none() && asked.cache_bytes.is_none() {
        return Err(Problem::field(
            "generation_workers",
            "give this, cache_bytes or both",
        ));
    }
    let workers = whole(
        "generation_workers",
        asked.generation_workers,
        WORKERS_MIN as u64,
        WORKERS_MAX as u64,
    )?;
    let most = cache_check::capacity_max(memory_limit(&app));
    let bytes = whole("cache_bytes", asked.cache_bytes, CACHE_BYTES_MIN, most)?;
    let changed = change(&app, workers, bytes).await;
    super::log(&app, &context, "capacity changed")
        .field("generation_workers_old", changed.generation_workers.old)
        .field("generation_workers", changed.generation_workers.new)
        .field("cache_bytes_old", changed.cache_bytes.old)
        .field("cache_bytes", changed.cache_bytes.new)
        .emit();
    Ok(Json(changed))
}

async fn change(app: &App, workers: Option<u64>, bytes: Option<u64>) -> Changed {
    let (generations, cache) = (app.generations.clone(), app.cache.clone());
    // Moving a full cache takes a while.
    let work = move || {
        let limit = generations.load().limit;
        let workers = workers.map_or(limit, |workers| workers as usize);
        let capacity = cache.capacity_bytes();
        Changed {
            generation_workers: Change {
                old: generations.resize(workers),
                new: workers,
            },
            cache_bytes: match bytes {
                Some(bytes) => Change {
                    old: cache.set_capacity(bytes),
                    new: bytes,
                },
                None => Change {
                    old: capacity,
                    new: capacity,
                },
            },
        }
    };
    app.world.run_blocking(work).await
}

fn whole(
    field: &'static str,
    value: Option<Value>,
    least: u64,
    most: u64,
) -> Result<Option<u64>, Problem> {
    let Some(value) = value else {
        return Ok(None);
    };
    match value.as_u64() {
        Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
        Some(_) | None => {
            let rule = format!("must be a whole number from {least} to {most}");
            Err(Problem::field(field, &rule))
        }
    }
}

fn memory_limit(app: &App) -> Option<u64> {
    memory::memory_limit(app.config.memory_limit).map(|limit| limit.bytes)
}
