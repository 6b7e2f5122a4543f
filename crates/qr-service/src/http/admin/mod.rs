//! `/admin/`: what an operator does to this process, and who may.
//!
//! The endpoints are what the plan's response procedures need: look at recent deployments, check resources and scale,
//! verify and restart the cache, check the database's connection. They are always there, so that nobody has to restart a
//! failing service to look into it, and therefore closed by default:
//!
//! * Without a token only this machine is let in, under a name that only this machine has (a page whose own name was made
//!   to point here cannot know it), and not through a proxy, behind which everyone looks like this machine.
//! * With a token whoever shows it is let in, from anywhere, and nobody else.
//!
//! The gate stands before the routes (`admit.rs` calls it), so that a new endpoint cannot forget it.

pub(super) mod cache;
pub(super) mod capacity;
pub(super) mod database;
pub(super) mod deployments;

use axum::http::request::Parts as Head;
use axum::http::{HeaderName, StatusCode, header};
use telemetry::log::Event;

use super::admit;
use super::observe::Context;
use super::problem::Problem;
use crate::app::App;

/// The names under which only this machine reaches itself.
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// What proxies add. A program that is no proxy has no reason to.
const FORWARDED: [HeaderName; 4] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// Whether a request may reach the admin endpoints; a refusal is logged.
pub(super) fn authorise(app: &App, context: &Context, head: &Head) -> Result<(), Problem> {
    let refuse = |reason: &'static str, problem| {
        admit::log_refusal(app, context, reason);
        Err(problem)
    };
    if let Some(token) = &app.config.admin_token {
        return match bearer(head) {
            Some(presented) if token.matches(presented) => Ok(()),
            Some(_) => refuse("wrong admin token", no_token("this token is not the one")),
            None => refuse("no admin token", no_token("send Authorization: Bearer")),
        };
    }
    let forbidden =
        |kind, title, detail: &str| Problem::new(StatusCode::FORBIDDEN, kind, title, detail);
    if !context.peer.is_loopback() {
        return refuse(
            "the admin endpoints answer this machine only",
            forbidden(
                "loopback-only",
                "Only from the machine itself",
                "without --admin-token-file the admin endpoints answer loopback addresses only",
            ),
        );
    }
    if FORWARDED.iter().any(|name| head.headers.contains_key(name)) {
        return refuse(
            "admin request through a proxy",
            forbidden(
                "through-proxy",
                "Not through a proxy",
                "behind a proxy everyone looks like this machine: start the service with --admin-token-file",
            ),
        );
    }
    if !is_host_local(head) {
        return refuse(
            "admin request under a foreign name",
            forbidden(
                "foreign-host",
                "Only under this machine's own name",
                "ask localhost, 127.0.0.1 or [::1], or start the service with --admin-token-file",
            ),
        );
    }
    Ok(())
}

fn no_token(detail: &str) -> Problem {
    let mut problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "admin-token",
        "This needs the admin token",
        detail,
    );
    problem.challenge = Some("Bearer");
    problem
}

/// The token of `Authorization: Bearer TOKEN`.
fn bearer(head: &Head) -> Option<&[u8]> {
    let value = head.headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
}

/// Without a `Host` there is no browser, and so no page that could have been led here.
fn is_host_local(head: &Head) -> bool {
    let host = head.headers.get(header::HOST);
    let named = host.map(|value| value.to_str().unwrap_or(""));
    [
        named,
        head.uri.authority().map(|authority| authority.as_str()),
    ]
    .into_iter()
    .flatten()
    .all(|authority| LOCAL_HOSTS.iter().any(|local| is_host(authority, local)))
}

fn is_host(authority: &str, host: &str) -> bool {
    let Some((name, rest)) = authority.split_at_checked(host.len()) else {
        return false;
    };
    let is_port = |text: &str| {
        text.strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.eq_ignore_ascii_case(host) && (rest.is_empty() || is_port(rest))
}

/// Begins the log line of what an operator did.
fn log<'a>(app: &'a App, context: &Context, message: &str) -> Event<'a> {
    app.logger
        .warn(message)
        .request(&context.id)
        .field("peer", context.peer.to_string())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn head(headers: &[(&str, &str)]) -> Head {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn hosts() {
        let check = |host: &str, expect: bool| {
            assert_eq!(is_host_local(&head(&[("host", host)])), expect, "{host}");
        };
        check("localhost", true);
        check("LocalHost:8765", true);
        check("127.0.0.1:8765", true);
        check("[::1]:8765", true);
        check("127.0.0.1.evil.example", false);
        check("localhost.evil.example:8765", false);
        check("localhost:8765.evil.example", false);
        check("evil.example:8765", false);
        check("192.0.2.1:8765", false);
        check("", false);
        assert!(is_host_local(&head(&[])));
    }

    #[test]
    fn tokens_of_headers() {
        let check = |value: &str, expect: Option<&str>| {
            let head = head(&[("authorization", value)]);
            assert_eq!(bearer(&head), expect.map(str::as_bytes), "{value}");
        };
        check("Bearer abc", Some("abc"));
        check("bearer  abc", Some("abc"));
        check("Basic abc", None);
        check("Bearerabc", None);
        check("Bear", None);
        assert_eq!(bearer(&head(&[])), None);
    }
}
