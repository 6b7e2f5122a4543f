//! Every bound on what a plan's text may cost, in one place, with the reason for each number.
//!
//! A plan is reviewed by people, so the bounds are far above what anybody would read and far below what hurts.

use std::time::Duration;

/// The longest text that is read. The plan of a large service is some 60 kB.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// The deepest nesting. The deepest place of a plan (a panel's query) is at 7.
pub(crate) const DEPTH_MAX: usize = 16;

/// The most scalars, lists and maps, aliases expanded: what an alias bomb can grow to.
pub(crate) const NODES_MAX: usize = 100_000;

/// The most aliases. Plans repeat themselves a little; bombs repeat themselves a lot.
pub(crate) const ALIASES_MAX: usize = 1_000;

/// The most diagnostics of one text: more than anybody fixes in one sitting.
pub const DIAGNOSTICS_MAX: usize = 100;

/// The longest excerpt of a wrong value inside a message, in characters: a message stays one line.
pub(crate) const EXCERPT_CHARS_MAX: usize = 60;

/// The longest name of anything. Names become label values, parts of addresses and file names.
pub(crate) const NAME_CHARS_MAX: usize = 64;

/// The longest metric or alert name: Prometheus has no bound, but a page has a width.
pub(crate) const METRIC_NAME_CHARS_MAX: usize = 200;

/// The longest name of a log class: it is a folder's name.
pub(crate) const CLASS_NAME_CHARS_MAX: usize = 32;

/// The shortest interval. Below it a mistyped unit (`15ms`) would hammer the service that is being watched.
pub(crate) const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// The longest length of time anywhere: ten years, so that arithmetic on times stays far from its end.
pub(crate) const DURATION_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How many samples one scrape may bring unless the plan says otherwise.
pub(crate) const SAMPLE_LIMIT_DEFAULT: usize = 20_000;

/// The most samples that a plan may allow one scrape: beyond it one target fills the memory of the whole monitor.
pub(crate) const SAMPLE_LIMIT_MAX: usize = 1_000_000;

/// How long samples are kept unless the plan says otherwise: 13 months, so that a month can be compared with its
/// like of the year before.
pub(crate) const METRICS_RETENTION_DEFAULT: Duration = Duration::from_secs(395 * 24 * 3600);

/// How often targets, groups and the host are read unless the plan says otherwise.
pub(crate) const INTERVAL_DEFAULT: Duration = Duration::from_secs(15);

/// How long a scrape or probe may take unless the plan says otherwise, where the interval is not shorter.
pub(crate) const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// The shortest time between two pages about one incident to one person, when further alerts join it, unless the plan
/// says otherwise.
pub(crate) const PAGE_INTERVAL_DEFAULT: Duration = Duration::from_secs(5 * 60);

/// How long a step of a procedure may take unless the plan says otherwise: a responder waits for it.
pub(crate) const STEP_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
