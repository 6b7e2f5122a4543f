//! What is scraped, and the machine itself.

use std::time::Duration;

use super::{at, service, text_or_empty};
use crate::context::{Context, Kind};
use crate::fields::Fields;
use crate::limits::{INTERVAL_DEFAULT, SAMPLE_LIMIT_DEFAULT, SAMPLE_LIMIT_MAX, TIMEOUT_DEFAULT};
use crate::node::Node;
use crate::{Code, HostCollection, Target, grammar, values};

/// The word of `source:` for what Belfry writes itself; so no target may have it as its job.
pub(super) const SOURCE_BELFRY: &str = "belfry";

pub(super) fn target(context: &mut Context<'_>, node: &Node) -> Option<Target> {
    let mut fields = Fields::open(context, node, &grammar::TARGET)?;
    let job = fields.required(context, "job", "name it, as in `job: shop`");
    let job = job.and_then(|node| job_name(context, node));
    let url = fields.required(context, "url", "write the address of its metrics");
    let url = url.and_then(|node| values::url(context, node));
    if let Some(url) = &url {
        context.may_reach(&values::host_and_port(url));
    }
    let instance = text_or_empty(context, &mut fields, "instance");
    let (interval, timeout) = interval_and_timeout(context, &mut fields);
    let limit = fields.optional("sample_limit");
    let limit = limit.and_then(|node| values::count(context, node, 1..=SAMPLE_LIMIT_MAX));
    let at = at(context, &fields);
    let service = service(context, &fields);
    fields.finish(context);
    let url = url?;
    let instance = if instance.is_empty() {
        values::host_and_port(&url)
    } else {
        instance
    };
    let sample_limit = limit.unwrap_or(SAMPLE_LIMIT_DEFAULT);
    Some(Target {
        job: job?,
        instance,
        url,
        interval,
        timeout,
        sample_limit,
        service,
        at,
    })
}

pub(super) fn host(context: &mut Context<'_>, node: &Node) -> Option<HostCollection> {
    let mut fields = Fields::open(context, node, &grammar::HOST)?;
    let interval = fields
        .optional("interval")
        .and_then(|node| values::interval(context, node));
    fields.finish(context);
    Some(HostCollection {
        interval: interval.unwrap_or(INTERVAL_DEFAULT),
    })
}

/// `interval` and `timeout` with their defaults; reports a timeout that runs into the next turn.
pub(super) fn interval_and_timeout(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
) -> (Duration, Duration) {
    let interval = fields
        .optional("interval")
        .and_then(|node| values::interval(context, node));
    let timeout_node = fields.optional("timeout");
    let timeout = timeout_node.and_then(|node| values::duration(context, node));
    let known_interval = interval.unwrap_or(INTERVAL_DEFAULT);
    if let (Some(node), Some(timeout)) = (timeout_node, timeout)
        && timeout > known_interval
    {
        let long = model::format_duration(timeout);
        let short = model::format_duration(known_interval);
        let message = format!("the timeout of {long} is longer than the interval of {short}");
        let help = format!("write {short} or less, so that one turn ends before the next begins");
        context.error(Code::TimeoutPastInterval, &node.span, message, "", help);
    }
    (
        known_interval,
        timeout.unwrap_or(TIMEOUT_DEFAULT.min(known_interval)),
    )
}

fn job_name(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let job = values::new_name(context, Kind::Job, node)?;
    if job != SOURCE_BELFRY {
        return Some(job);
    }
    let message = "`belfry` is kept for what Belfry writes itself";
    context.error(
        Code::InvalidName,
        &node.span,
        message,
        "",
        "choose another job name",
    );
    None
}
