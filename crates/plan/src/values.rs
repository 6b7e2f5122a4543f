//! Single values: text, words, durations, numbers, shares, addresses, names. Each reader reports what is wrong and
//! answers `None`; the caller goes on with the next field.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::Code;
use crate::context::{Context, Kind};
use crate::diagnostics::{either, quote};
use crate::limits::{
    DURATION_MAX, INTERVAL_MIN, MAIL_ADDRESS_CHARS_MAX, METRIC_NAME_CHARS_MAX, NAME_CHARS_MAX,
};
use crate::node::{Node, Value};
use crate::suggest::did_you_mean;

/// The items of a list; reports when the node is none.
pub(crate) fn list<'n>(context: &mut Context<'_>, node: &'n Node) -> &'n [Node] {
    match &node.value {
        Value::List(items) => items,
        Value::Null => &[],
        Value::Text(_) | Value::Map(_) => {
            let message = format!("a list belongs here, but this is {}", node.value.shape());
            let help = "write one `- item` a line, or `[a, b]`";
            context.error(Code::WrongShape, &node.span, message, "not a list", help);
            &[]
        }
    }
}

/// Text that is not empty.
pub(crate) fn text<'n>(context: &mut Context<'_>, node: &'n Node) -> Option<&'n str> {
    match &node.value {
        Value::Text(text) if text.trim().is_empty() => {
            context.error(
                Code::Empty,
                &node.span,
                "this text is empty",
                "",
                "write something here",
            );
            None
        }
        Value::Text(text) => Some(text.trim_end()),
        Value::Null | Value::List(_) | Value::Map(_) => {
            let message = format!("text belongs here, but this is {}", node.value.shape());
            let help = "write one value; quote it if it holds `: ` or starts with a sign";
            context.error(Code::WrongShape, &node.span, message, "not text", help);
            None
        }
    }
}

/// Text that is not empty and not longer than so many bytes; `what` is "a template", "a body", …
pub(crate) fn text_up_to<'n>(
    context: &mut Context<'_>,
    node: &'n Node,
    what: &str,
    bytes_max: usize,
) -> Option<&'n str> {
    let text = text(context, node)?;
    if text.len() <= bytes_max {
        return Some(text);
    }
    let message = format!("{what} of {} bytes is longer than Belfry reads", text.len());
    let help = format!("write at most {bytes_max} bytes");
    context.error(Code::TooMany, &node.span, message, "", help);
    None
}

/// One of several words.
pub(crate) fn word<T: Copy>(
    context: &mut Context<'_>,
    node: &Node,
    what: &str,
    words: &[(&str, T)],
) -> Option<T> {
    let written = text(context, node)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == written) {
        return Some(*value);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let message = format!("{} is not {what}", quote(written));
    let meant = did_you_mean(written, names.iter().copied());
    let possible = format!("write {}", either(&names));
    let help = if meant.is_empty() {
        possible
    } else {
        format!("{possible}; {meant}")
    };
    context.error(Code::UnknownWord, &node.span, message, "", help);
    None
}

/// `true` or `false`, and nothing that only looks like it.
pub(crate) fn boolean(context: &mut Context<'_>, node: &Node) -> Option<bool> {
    word(
        context,
        node,
        "a boolean",
        &[("true", true), ("false", false)],
    )
}

/// A length of time, zero allowed.
pub(crate) fn duration_or_zero(context: &mut Context<'_>, node: &Node) -> Option<Duration> {
    let written = text(context, node)?;
    match model::parse_duration(written) {
        Ok(length) if length <= DURATION_MAX => Some(length),
        Ok(_) => {
            let message = format!("{} is too long", quote(written));
            let help = format!("at most {}", model::format_duration(DURATION_MAX));
            context.error(Code::InvalidDuration, &node.span, message, "", help);
            None
        }
        Err(error) => {
            let message = format!("{} is not a length of time", quote(written));
            context.error(
                Code::InvalidDuration,
                &node.span,
                message,
                "",
                error.to_string(),
            );
            None
        }
    }
}

/// A length of time above zero.
pub(crate) fn duration(context: &mut Context<'_>, node: &Node) -> Option<Duration> {
    let length = duration_or_zero(context, node)?;
    if length > Duration::ZERO {
        return Some(length);
    }
    let help = "write a length above zero, such as `15s`";
    context.error(
        Code::InvalidDuration,
        &node.span,
        "no time at all is too short",
        "",
        help,
    );
    None
}

/// How often something is done.
pub(crate) fn interval(context: &mut Context<'_>, node: &Node) -> Option<Duration> {
    let length = duration(context, node)?;
    if length >= INTERVAL_MIN {
        return Some(length);
    }
    let shortest = model::format_duration(INTERVAL_MIN);
    let message = format!(
        "an interval of {} is too short",
        model::format_duration(length)
    );
    let help = format!("write {shortest} or more, so that watching does not become the load");
    context.error(Code::InvalidDuration, &node.span, message, "", help);
    None
}

/// A length of time between bounds; `why` says in half a sentence why they are as they are.
pub(crate) fn duration_between(
    context: &mut Context<'_>,
    node: &Node,
    bounds: RangeInclusive<Duration>,
    why: &str,
) -> Option<Duration> {
    let length = duration(context, node)?;
    if bounds.contains(&length) {
        return Some(length);
    }
    let written = model::format_duration(length);
    let short = model::format_duration(*bounds.start());
    let long = model::format_duration(*bounds.end());
    let message = format!("{written} is out of bounds here");
    let help = format!("write {short} to {long}: {why}");
    context.error(Code::InvalidDuration, &node.span, message, "", help);
    None
}

/// A finite number.
pub(crate) fn number(context: &mut Context<'_>, node: &Node) -> Option<f64> {
    let written = text(context, node)?;
    let number = finite(written);
    if number.is_none() {
        let message = format!("{} is not a number", quote(written));
        let help = "write a number such as `0.05` or `10`, without a unit";
        context.error(Code::InvalidNumber, &node.span, message, "", help);
    }
    number
}

/// A whole number between bounds.
pub(crate) fn count(
    context: &mut Context<'_>,
    node: &Node,
    bounds: RangeInclusive<usize>,
) -> Option<usize> {
    let written = text(context, node)?;
    let count = written.parse().ok().filter(|count| bounds.contains(count));
    if count.is_none() {
        let message = format!("{} is not a whole number in bounds", quote(written));
        let help = format!("write a number from {} to {}", bounds.start(), bounds.end());
        context.error(Code::InvalidNumber, &node.span, message, "", help);
    }
    count
}

/// A share of the whole, as `90%` or `0.9`; the answer is 0..=1.
pub(crate) fn share(context: &mut Context<'_>, node: &Node) -> Option<f64> {
    let written = text(context, node)?;
    let share = match written.strip_suffix('%') {
        Some(number) => percent(number.trim_end()),
        None => finite(written),
    };
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        let message = format!("{} is not a share of the whole", quote(written));
        let help = "write `0%` to `100%`, or a number from 0 to 1";
        context.error(Code::InvalidNumber, &node.span, message, "", help);
    }
    share
}

/// A percentage without its sign, as a share. The point is moved in the text: 99.9 / 100 is not the number 0.999.
pub(crate) fn percent(written: &str) -> Option<f64> {
    let has_exponent = written.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'e'));
    if has_exponent {
        finite(written).map(|percent| percent / 100.0)
    } else {
        finite(&format!("{written}e-2"))
    }
}

/// A number as people write it; without the words (`inf`, `nan`) that Rust would also read.
pub(crate) fn finite(written: &str) -> Option<f64> {
    let plain = written
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: Option<f64> = plain.then(|| written.parse().ok()).flatten();
    number.filter(|number| number.is_finite())
}

/// A name that becomes a label value, part of an address or of a file's name.
pub(crate) fn name(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let written = text(context, node)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = written.len() <= NAME_CHARS_MAX && written.bytes().all(allowed);
    // `.` and `..` would be folders.
    if fits && written.bytes().any(|byte| byte != b'.') {
        return Some(written.to_owned());
    }
    let message = format!("{} cannot be a name", quote(written));
    let help = format!("use 1 to {NAME_CHARS_MAX} of A-Z, a-z, 0-9, `-`, `_` and `.`");
    context.error(Code::InvalidName, &node.span, message, "", help);
    None
}

/// A name that is declared here.
pub(crate) fn new_name(context: &mut Context<'_>, kind: Kind, node: &Node) -> Option<String> {
    let name = name(context, node)?;
    context.declare(kind, &name, node);
    Some(name)
}

/// A name that is declared elsewhere.
pub(crate) fn reference(context: &mut Context<'_>, kind: Kind, node: &Node) -> Option<String> {
    let name = text(context, node)?;
    context.refer(kind, name, node);
    Some(name.to_owned())
}

/// A title that is declared here: any text of one line.
pub(crate) fn new_title(context: &mut Context<'_>, kind: Kind, node: &Node) -> Option<String> {
    let title = text(context, node)?;
    context.declare(kind, title, node);
    Some(title.to_owned())
}

/// A name in the characters of metric names: metrics and alerts.
pub(crate) fn metric_like(context: &mut Context<'_>, kind: Kind, node: &Node) -> Option<String> {
    let written = text(context, node)?;
    if model::is_metric_name(written) && written.len() <= METRIC_NAME_CHARS_MAX {
        context.declare(kind, written, node);
        return Some(written.to_owned());
    }
    let message = format!(
        "{} cannot name {}",
        quote(written),
        with_article(kind.noun())
    );
    let help = format!(
        "use 1 to {METRIC_NAME_CHARS_MAX} of A-Z, a-z, 0-9, `_` and `:`, not starting with a digit"
    );
    context.error(Code::InvalidName, &node.span, message, "", help);
    None
}

/// `a` or `an` before a noun.
pub(crate) fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {noun}")
}

/// A label's name; `what` is "alerts group by" or what else is done with it.
pub(crate) fn label_name(context: &mut Context<'_>, node: &Node, what: &str) -> Option<String> {
    let written = text(context, node)?;
    if model::is_label_name(written) && written != model::METRIC_NAME {
        return Some(written.to_owned());
    }
    let message = format!("{} is not a label that {what}", quote(written));
    let help =
        "use A-Z, a-z, 0-9 and `_`, not starting with a digit; `__name__` is no label of its own";
    context.error(Code::InvalidName, &node.span, message, "", help);
    None
}

/// The name of an environment variable. Read strictly, since a secret that was pasted here is rarely one.
pub(crate) fn environment_name(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let written = text(context, node)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fits = written.len() <= METRIC_NAME_CHARS_MAX && written.bytes().all(allowed);
    if fits && !written.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(written.to_owned());
    }
    // What stands here may be the secret itself, so it is not repeated.
    let message = "this cannot name an environment variable";
    let help =
        "write the variable's name, such as `BELFRY_TOKEN`, without `$` and without its value";
    context.error(Code::InvalidName, &node.span, message, "", help);
    None
}

/// A mail address, and nothing around it: it becomes part of a mail's head.
pub(crate) fn mail_address(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let written = text(context, node)?;
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&byte);
    let fits = written.len() <= MAIL_ADDRESS_CHARS_MAX && written.bytes().all(allowed);
    let parts = written.split_once('@').filter(|(local, domain)| {
        !local.is_empty() && !domain.contains('@') && check_authority(domain).is_ok()
    });
    if fits && parts.is_some() {
        return Some(written.to_owned());
    }
    let message = format!("{} is not an address for mail", quote(written));
    let help = "write one address, as in `robin@example.org`, without a name beside it";
    context.error(Code::InvalidMailAddress, &node.span, message, "", help);
    None
}

/// The host of a server: a name or an IP address, without a port.
pub(crate) fn host(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let written = text(context, node)?;
    let is_address = written.parse::<std::net::IpAddr>().is_ok();
    if is_address || (check_authority(written).is_ok() && split_port(written).1.is_none()) {
        return Some(written.to_owned());
    }
    let message = format!("{} is not a host", quote(written));
    let help = "write a name or an IP address, without a scheme and without a port";
    context.error(Code::InvalidUrl, &node.span, message, "", help);
    None
}

/// `host:port`.
pub(crate) fn authority(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let written = text(context, node)?;
    if check_authority(written).is_ok() && split_port(written).1.is_some() {
        return Some(written.to_owned());
    }
    let message = format!("{} is not a host and a port", quote(written));
    let help = "write it as `host:port`, without a scheme and without a path";
    context.error(Code::InvalidUrl, &node.span, message, "", help);
    None
}

/// An address that can be asked over HTTP.
pub(crate) fn url(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let written = text(context, node)?;
    let rest = written
        .strip_prefix("http://")
        .or_else(|| written.strip_prefix("https://"));
    let Some(rest) = rest else {
        let message = format!("{} is not an HTTP address", quote(written));
        let help = "start it with `http://` or `https://`";
        context.error(Code::InvalidUrl, &node.span, message, "", help);
        return None;
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if authority.contains('@') {
        let help = "take user and password out of the address";
        let message = "this address carries a user name or password";
        context.error(Code::SecretInText, &node.span, message, "", help);
        return None;
    }
    if let Err(wrong) = check_authority(authority) {
        let message = format!(
            "{} is not an address that can be reached: {wrong}",
            quote(written)
        );
        let help = "write it as `http://host:port/path`";
        context.error(Code::InvalidUrl, &node.span, message, "", help);
        return None;
    }
    if written.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let help = "write blanks as `%20`";
        context.error(
            Code::InvalidUrl,
            &node.span,
            "this address holds white space",
            "",
            help,
        );
        return None;
    }
    Some(written.to_owned())
}

/// Host and port of an address, as the `instance` label shows them.
pub(crate) fn host_and_port(url: &str) -> String {
    let (rest, port) = match url.strip_prefix("https://") {
        Some(rest) => (rest, "443"),
        None => (url.strip_prefix("http://").unwrap_or(url), "80"),
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match split_port(authority).1 {
        Some(_) => authority.to_owned(),
        None => format!("{authority}:{port}"),
    }
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    let (host, port) = split_port(authority);
    if host.is_empty() {
        return Err("it has no host");
    }
    let bracketed = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let host_fits = match bracketed {
        Some(inside) => inside.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    if !host_fits {
        return Err("its host is not a name or an IP address");
    }
    match port {
        Some(port) if !port.parse::<u16>().is_ok_and(|port| port > 0) => {
            Err("its port is not a number from 1 to 65535")
        }
        Some(_) | None => Ok(()),
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_brackets..].find(':') {
        Some(at) => {
            let colon = after_brackets + at;
            (&authority[..colon], Some(&authority[colon + 1..]))
        }
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_of_an_address() {
        let check = |url: &str, expect: &str| assert_eq!(host_and_port(url), expect, "{url}");
        check("http://127.0.0.1:8765/metrics", "127.0.0.1:8765");
        check("https://example.org", "example.org:443");
        check("http://example.org?x=a:b", "example.org:80");
        check("http://[::1]/m", "[::1]:80");
        check("http://[::1]:9/m", "[::1]:9");
    }
}
