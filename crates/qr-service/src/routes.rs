//! The closed set of routes, methods and statuses: the only values that labels of HTTP metrics ever have.

use axum::http::{Method, StatusCode};

/// A route, known by its template.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Page,
    Style,
    Script,
    Types,
    Qr,
    Accounts,
    Sessions,
    CurrentSession,
    Me,
    Metrics,
    Health,
    HealthDetailed,
    Ready,
    Faults,
    AdminCache,
    AdminCacheVerify,
    AdminCacheRestart,
    AdminDatabase,
    AdminFailOver,
    AdminCapacity,
    AdminDeployments,
    /// Whatever no template matches: one label value for all of them.
    Unmatched,
}

impl Route {
    pub(crate) const ALL: [Route; 22] = [
        Route::Page,
        Route::Style,
        Route::Script,
        Route::Types,
        Route::Qr,
        Route::Accounts,
        Route::Sessions,
        Route::CurrentSession,
        Route::Me,
        Route::Metrics,
        Route::Health,
        Route::HealthDetailed,
        Route::Ready,
        Route::Faults,
        Route::AdminCache,
        Route::AdminCacheVerify,
        Route::AdminCacheRestart,
        Route::AdminDatabase,
        Route::AdminFailOver,
        Route::AdminCapacity,
        Route::AdminDeployments,
        Route::Unmatched,
    ];

    pub(crate) fn template(self) -> &'static str {
        match self {
            Route::Page => "/",
            Route::Style => "/assets/app.css",
            Route::Script => "/assets/app.js",
            Route::Types => "/api/v1/types",
            Route::Qr => "/api/v1/qr",
            Route::Accounts => "/api/v1/accounts",
            Route::Sessions => "/api/v1/sessions",
            Route::CurrentSession => "/api/v1/sessions/current",
            Route::Me => "/api/v1/me",
            Route::Metrics => "/metrics",
            Route::Health => "/health",
            Route::HealthDetailed => "/health/detailed",
            Route::Ready => "/ready",
            Route::Faults => "/admin/faults",
            Route::AdminCache => "/admin/cache",
            Route::AdminCacheVerify => "/admin/cache/verify",
            Route::AdminCacheRestart => "/admin/cache/restart",
            Route::AdminDatabase => "/admin/database",
            Route::AdminFailOver => "/admin/database/fail-over",
            Route::AdminCapacity => "/admin/capacity",
            Route::AdminDeployments => "/admin/deployments",
            Route::Unmatched => "unmatched",
        }
    }

    pub(crate) fn of_template(template: &str) -> Route {
        Route::ALL
            .into_iter()
            .find(|route| route.template() == template)
            .unwrap_or(Route::Unmatched)
    }

    /// Whether the route is part of the API that users call: what faults hit and `api_endpoint_usage` counts.
    pub(crate) fn is_api(self) -> bool {
        match self {
            Route::Types
            | Route::Qr
            | Route::Accounts
            | Route::Sessions
            | Route::CurrentSession
            | Route::Me => true,
            Route::Page
            | Route::Style
            | Route::Script
            | Route::Metrics
            | Route::Health
            | Route::HealthDetailed
            | Route::Ready
            | Route::Faults
            | Route::AdminCache
            | Route::AdminCacheVerify
            | Route::AdminCacheRestart
            | Route::AdminDatabase
            | Route::AdminFailOver
            | Route::AdminCapacity
            | Route::AdminDeployments
            | Route::Unmatched => false,
        }
    }

    /// Whether the route is for operators: see `http/admin/mod.rs` for whom it lets in.
    pub(crate) fn is_admin(self) -> bool {
        match self {
            Route::Faults
            | Route::AdminCache
            | Route::AdminCacheVerify
            | Route::AdminCacheRestart
            | Route::AdminDatabase
            | Route::AdminFailOver
            | Route::AdminCapacity
            | Route::AdminDeployments => true,
            Route::Page
            | Route::Style
            | Route::Script
            | Route::Types
            | Route::Qr
            | Route::Accounts
            | Route::Sessions
            | Route::CurrentSession
            | Route::Me
            | Route::Metrics
            | Route::Health
            | Route::HealthDetailed
            | Route::Ready
            | Route::Unmatched => false,
        }
    }

    /// Whether requests are limited. What a monitor asks never is: a limit there would read as an outage. What
    /// an operator asks is not either: it is needed most when the service is overrun.
    pub(crate) fn is_limited(self) -> bool {
        match self {
            Route::Metrics
            | Route::Health
            | Route::HealthDetailed
            | Route::Ready
            | Route::Faults
            | Route::AdminCache
            | Route::AdminCacheVerify
            | Route::AdminCacheRestart
            | Route::AdminDatabase
            | Route::AdminFailOver
            | Route::AdminCapacity
            | Route::AdminDeployments => false,
            Route::Page
            | Route::Style
            | Route::Script
            | Route::Types
            | Route::Qr
            | Route::Accounts
            | Route::Sessions
            | Route::CurrentSession
            | Route::Me
            | Route::Unmatched => true,
        }
    }
}

/// Method labels, by index; the last stands for all others.
pub(crate) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "other"];

pub(crate) fn method_index(method: &Method) -> usize {
    METHODS
        .iter()
        .position(|name| *name == method.as_str())
        .unwrap_or(METHODS.len() - 1)
}

/// Status labels, by index; the last stands for all others. 499: the client went away first.
pub(crate) const STATUSES: [&str; 23] = [
    "200", "201", "204", "304", "400", "401", "403", "404", "405", "408", "409", "413", "414",
    "415", "422", "429", "431", "499", "500", "501", "503", "504", "other",
];

pub(crate) fn status_index(status: StatusCode) -> usize {
    STATUSES
        .iter()
        .position(|name| *name == status.as_str())
        .unwrap_or(STATUSES.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_leads_back() {
        for route in Route::ALL {
            assert_eq!(Route::of_template(route.template()), route);
            let is_admin_path = route.template().starts_with("/admin/");
            assert_eq!(route.is_admin(), is_admin_path, "{}", route.template());
            assert!(!(route.is_admin() && (route.is_api() || route.is_limited())));
        }
        assert_eq!(Route::of_template("/elsewhere"), Route::Unmatched);
    }

    #[test]
    fn unknown_methods_and_statuses_share_a_label() {
        assert_eq!(METHODS[method_index(&Method::PATCH)], "other");
        assert_eq!(STATUSES[status_index(StatusCode::IM_A_TEAPOT)], "other");
        assert_eq!(STATUSES[status_index(StatusCode::OK)], "200");
    }
}
