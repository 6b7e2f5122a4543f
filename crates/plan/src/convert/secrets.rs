//! Where a secret is read from: a file or an environment variable, never the text itself. One reader for every secret,
//! so that none can be the one that was forgotten.

use crate::context::Context;
use crate::fields::Fields;
use crate::node::Node;
use crate::{Code, SecretSource, values};

/// The keys of one secret.
pub(super) struct SecretKeys {
    /// What it is, as in "the token".
    pub(super) what: &'static str,
    /// The key under which people would write it in plain, which is refused.
    pub(super) plain: &'static str,
    /// The key of the file.
    pub(super) file: &'static str,
    /// The key of the environment variable.
    pub(super) environment: &'static str,
}

pub(super) const TOKEN: SecretKeys = SecretKeys {
    what: "the token",
    plain: "token",
    file: "token_file",
    environment: "token_environment",
};

/// A secret that may be absent.
pub(super) fn optional(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    keys: &SecretKeys,
) -> Option<SecretSource> {
    read(context, fields, keys).source
}

/// A secret that must be there.
pub(super) fn required(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    keys: &SecretKeys,
) -> Option<SecretSource> {
    let found = read(context, fields, keys);
    if !found.written {
        let message = format!("{} is missing", keys.what);
        let help = format!("write `{}:` or `{}:`", keys.file, keys.environment);
        let span = fields.span().clone();
        context.error(Code::MissingKey, &span, message, "it is missing here", help);
    }
    found.source
}

/// What the text says of a secret.
struct Found {
    /// Whether it says anything, right or wrong.
    written: bool,
    source: Option<SecretSource>,
}

fn read(context: &mut Context<'_>, fields: &mut Fields<'_>, keys: &SecretKeys) -> Found {
    let file = fields.optional(keys.file);
    let environment = fields.optional(keys.environment);
    let plain = fields.refused(keys.plain);
    if let Some(node) = plain {
        let message = "a secret must not stand in this file";
        let help = format!(
            "write `{}:` or `{}:` and keep the secret there",
            keys.file, keys.environment
        );
        context.error(Code::SecretInText, &node.span, message, "", help);
    }
    let written = file.is_some() || environment.is_some() || plain.is_some();
    Found {
        written,
        source: source(context, keys.what, file, environment),
    }
}

/// A secret from the values of its two keys; reports when both stand there.
pub(super) fn source(
    context: &mut Context<'_>,
    what: &str,
    file: Option<&Node>,
    environment: Option<&Node>,
) -> Option<SecretSource> {
    if let (Some(_), Some(node)) = (file, environment) {
        let message = format!("{what} comes from a file and from the environment");
        context.error(Code::OneOf, &node.span, message, "", "keep one of the two");
    }
    let file = file.and_then(|node| values::text(context, node));
    let environment = environment.and_then(|node| values::environment_name(context, node));
    let file = file.map(|path| SecretSource::File(path.to_owned()));
    file.or(environment.map(SecretSource::Environment))
}
