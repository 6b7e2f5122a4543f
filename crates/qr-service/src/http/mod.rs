//! The HTTP face: routes, what surrounds every request, and one file for each group of endpoints.
//!
//! Reading order: `observe.rs` (every request passes it), `admit.rs` (who may), `problem.rs` (how it is refused), then
//! the endpoints.

mod admit;
mod body;
mod observe;
mod problem;

mod account;
mod admin;
mod code;
mod health;
mod operations;
mod page;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};

use crate::app::App;
use crate::routes::Route;

pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new()
        .route(Route::Page.template(), get(page::index))
        .route(Route::Style.template(), get(page::style))
        .route(Route::Script.template(), get(page::script))
        .route(Route::Types.template(), get(page::types))
        .route(Route::Qr.template(), get(code::get).post(code::post))
        .route(Route::Accounts.template(), post(account::register))
        .route(Route::Sessions.template(), post(account::sign_in))
        .route(Route::CurrentSession.template(), delete(account::sign_out))
        .route(Route::Me.template(), get(account::me))
        .route(Route::Metrics.template(), get(operations::metrics))
        .route(Route::Health.template(), get(health::basic))
        .route(Route::HealthDetailed.template(), get(health::detailed))
        .route(Route::Ready.template(), get(health::ready))
        .route(Route::AdminCache.template(), get(admin::cache::figures))
        .route(
            Route::AdminCacheVerify.template(),
            post(admin::cache::verify),
        )
        .route(
            Route::AdminCacheRestart.template(),
            post(admin::cache::restart),
        )
        .route(
            Route::AdminDatabase.template(),
            get(admin::database::standing),
        )
        .route(
            Route::AdminFailOver.template(),
            post(admin::database::fail_over),
        )
        .route(
            Route::AdminCapacity.template(),
            get(admin::capacity::get).put(admin::capacity::put),
        )
        .route(
            Route::AdminDeployments.template(),
            get(admin::deployments::recent),
        );
    if app.faults.is_there() {
        router = router.route(
            Route::Faults.template(),
            get(operations::faults)
                .put(operations::set_faults)
                .patch(operations::change_faults),
        );
    }
    router
        .fallback(problem::no_such_route)
        .layer(from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}
