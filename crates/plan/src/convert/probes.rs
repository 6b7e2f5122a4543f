//! Health endpoints.

use super::targets::interval_and_timeout;
use super::{at, service};
use crate::context::{Context, Kind};
use crate::fields::Fields;
use crate::node::Node;
use crate::{Probe, grammar, values};

pub(super) fn probe(context: &mut Context<'_>, node: &Node) -> Option<Probe> {
    let mut fields = Fields::open(context, node, &grammar::PROBE)?;
    let name = fields.required(context, "name", "name the probe");
    let name = name.and_then(|node| values::new_name(context, Kind::Probe, node));
    let kind = fields.required(context, "kind", "write `liveness`, `readiness` or `health`");
    let kind =
        kind.and_then(|node| values::word(context, node, "a kind of probe", &grammar::PROBE_KINDS));
    let url = fields.required(context, "url", "write the address to ask");
    let url = url.and_then(|node| values::url(context, node));
    if let Some(url) = &url {
        context.may_reach(&values::host_and_port(url));
    }
    let (interval, timeout) = interval_and_timeout(context, &mut fields);
    let dependencies = super::section(context, &mut fields, "dependencies", values::name);
    let at = at(context, &fields);
    let service = service(context, &fields);
    fields.finish(context);
    Some(Probe {
        name: name?,
        kind: kind?,
        url: url?,
        interval,
        timeout,
        dependencies,
        service,
        at,
    })
}
