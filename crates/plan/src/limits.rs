//! Every bound on what a plan's text may cost, in one place, with the reason for each number.
//!
//! A plan is reviewed by people, so the bounds are far above what anybody would read and far below what hurts.

use std::time::Duration;

/// The longest text that is read. The plan of a large service is some 60 kB.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// The longest texts of all files of a plan together: a file for each of some dozens of services.
pub(crate) const ALL_TEXTS_BYTES_MAX: usize = 4 << 20;

/// The most files of a plan. Whoever reviews it opens each.
pub(crate) const FILES_MAX: usize = 100;

/// How deep files include files below the main one.
pub(crate) const INCLUSION_DEPTH_MAX: usize = 8;

/// The longest path of an included file.
pub(crate) const PATH_BYTES_MAX: usize = 1_000;

/// The most environment variables that a plan asks for.
pub(crate) const VARIABLES_MAX: usize = 1_000;

/// The longest value of one: an address with a long query. Texts belong into the plan, where they are reviewed.
pub(crate) const VARIABLE_BYTES_MAX: usize = 4 * 1024;

/// The longest that all scalars with values from the environment may be together: a short one may ask for a long value
/// again and again.
pub(crate) const FILLED_BYTES_MAX: usize = 1 << 20;

/// The deepest nesting. The deepest place of a plan (a panel's query) is at 7.
pub(crate) const DEPTH_MAX: usize = 16;

/// The most scalars, lists and maps of all files of a plan, aliases expanded: what an alias bomb can grow to.
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

/// The shortest length of time where none at all is not allowed.
pub(crate) const DURATION_MIN: Duration = Duration::from_millis(1);

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

/// The longest that further alerts of an open incident may wait to be told: a day, after which nobody remembers the first.
pub(crate) const PAGE_INTERVAL_MAX: Duration = Duration::from_secs(24 * 3600);

/// The most labels that alerts group by: more would make every alert an incident of its own.
pub(crate) const GROUP_LABELS_MAX: usize = 16;

/// The shortest life of an acknowledgement. Below it a mistyped unit (`1s`) would page again while somebody works.
pub(crate) const ACKNOWLEDGEMENT_MIN: Duration = Duration::from_secs(60);

/// The most inhibitions. Each is tried for every alert that opens.
pub(crate) const INHIBITIONS_MAX: usize = 100;

/// The most maintenance windows. Each is tried for every page.
pub(crate) const WINDOWS_MAX: usize = 200;

/// The most selectors of one list. A longer list wants a label to match.
pub(crate) const SELECTORS_MAX: usize = 30;

/// The shortest maintenance window. Below it a mistyped unit (`1ms`) would hold back nothing.
pub(crate) const WINDOW_LENGTH_MIN: Duration = Duration::from_secs(1);

/// The longest maintenance window: days repeat after a week.
pub(crate) const WINDOW_LENGTH_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// The longest message template, in bytes: a telephone shows a hundredth of it.
pub(crate) const TEMPLATE_BYTES_MAX: usize = 16 * 1024;

/// The longest tag of a template (`{{ … }}`, `{% … %}`), in bytes. minijinja walks the links of an expression (`a.b|c + d`)
/// by recursion and bounds only their brackets: a thousand links overflow a thread's stack, three hundred are far from it.
pub(crate) const TAG_BYTES_MAX: usize = 300;

/// The most `elif` of a template: each is one more recursion, and three hundred overflow a stack.
pub(crate) const ELIF_MAX: usize = 50;

/// The most heartbeats. Each is two series and an address.
pub(crate) const HEARTBEATS_MAX: usize = 1_000;

/// The shortest grace of a heartbeat unless the plan says otherwise: jobs start on the minute, and never quite on it.
pub(crate) const GRACE_MIN: Duration = Duration::from_secs(60);

/// The most labels that name a build: a version, a revision, and some room.
pub(crate) const DEPLOYMENT_LABELS_MAX: usize = 8;

/// The most further addresses that procedures may reach. Each is one that a reviewer must know.
pub(crate) const REACHABLE_MAX: usize = 100;

/// For how long a passed drill proves an alert unless the plan says otherwise.
pub(crate) const DRILL_EVERY_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3600);

/// How long a drill waits for its alert unless the plan says otherwise: a window of five minutes and a `for` of as much.
pub(crate) const DRILL_WITHIN_DEFAULT: Duration = Duration::from_secs(10 * 60);

/// The longest that a drill waits: so long the service is broken.
pub(crate) const DRILL_WITHIN_MAX: Duration = Duration::from_secs(24 * 3600);

/// The most faults. Each alert has one at most.
pub(crate) const FAULTS_MAX: usize = 1_000;

/// The most steps of a procedure: nobody follows a longer one at night.
pub(crate) const STEPS_MAX: usize = 50;

/// The longest body of a step's request, in bytes: an order to an administration address, not data.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// The most words of a command, the program's included. A longer one wants a script.
pub(crate) const ARGUMENTS_MAX: usize = 64;

/// How long a step of a procedure may take unless the plan says otherwise: a responder waits for it.
pub(crate) const STEP_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// The longest that a step may take: a responder who waits longer has gone to look by hand.
pub(crate) const STEP_TIMEOUT_MAX: Duration = Duration::from_secs(5 * 60);

/// How long before the incident a comparison looks unless the plan says otherwise.
pub(crate) const COMPARE_BEFORE_DEFAULT: Duration = Duration::from_secs(3600);

/// The most people of one contacts file: a company's engineers, not its address book.
pub(crate) const PEOPLE_MAX: usize = 1_000;

/// The most roles of one person: whoever fills more fills none.
pub(crate) const ROLES_MAX: usize = 50;

/// The most channels of one person. They are tried one after another, and a page must not wait for the last for hours.
pub(crate) const CHANNELS_MAX: usize = 10;

/// The longest mail address: RFC 5321 leaves 254 characters between the angle brackets.
pub(crate) const MAIL_ADDRESS_CHARS_MAX: usize = 254;

/// The most rotas. Each is asked for every page.
pub(crate) const ROTAS_MAX: usize = 200;

/// The most shifts of a rota: one for every two hours of the day.
pub(crate) const SHIFTS_MAX: usize = 12;

/// The most people of a shift: with weekly turns each would be on once in two years.
pub(crate) const SHIFT_PEOPLE_MAX: usize = 100;

/// The most exceptions of a rota: some years of swapped weeks, before somebody tidies up.
pub(crate) const OVERRIDES_MAX: usize = 1_000;

/// The longest turn, in days: a leap year. Whoever is on for longer is not in a rota.
pub(crate) const TURN_DAYS_MAX: u32 = 366;

/// The years of dates: far from both ends of what time zones are known for.
pub(crate) const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

/// How often the dead-man's switch is called unless the contacts say otherwise.
pub(crate) const SWITCH_INTERVAL_DEFAULT: Duration = Duration::from_secs(15);

/// The longest pause between two calls of the dead-man's switch, so that a stall shows within a minute.
pub(crate) const SWITCH_INTERVAL_MAX: Duration = Duration::from_secs(30);

/// The most waivers. A plan that accepts more findings wants fewer of them.
pub(crate) const WAIVERS_MAX: usize = 500;

/// The most names that one waiver is about.
pub(crate) const WAIVED_MAX: usize = 500;

/// The most searches that tell the lines of one log category apart. Each is tried for every line that comes in.
pub(crate) const CATEGORY_SEARCHES_MAX: usize = 8;
/// Labels or annotations of one rule of a rule file. Prometheus has no bound; nobody writes as many by hand.
pub(crate) const RULE_LABELS_MAX: usize = 200;

/// Rule files of one test file.
pub(crate) const RULE_FILES_MAX: usize = 100;

/// Tests of one file.
pub(crate) const TESTS_MAX: usize = 2_000;

/// The points of all series of a test file: sixteen bytes each, so that the largest file fits into memory several times.
pub(crate) const TEST_POINTS_MAX: usize = 5_000_000;

/// Lines that one entry of `log_lines` stands for.
pub(crate) const TEST_LINES_MAX: usize = 100_000;

/// The longest test: the longest ladders and windows fit, and it is over within seconds.
pub(crate) const TEST_LENGTH_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

/// How often a test evaluates where it does not say (promtool: one minute).
pub(crate) const EVALUATION_INTERVAL_DEFAULT: Duration = Duration::from_secs(60);
/// The most findings of lint about one plan: more than a plan has rules, panels and metrics, and less than a program that
/// reads the list can hold.
pub const FINDINGS_MAX: usize = 2_000;

/// How long before an incident a procedure's log search begins: what led to an alert with a `for` of minutes comes
/// before it.
pub const LOGS_BEFORE_INCIDENT: Duration = Duration::from_secs(15 * 60);
/// The longest selector of an objective's events, in bytes: it stands several times in each rule that the objective becomes,
/// and PromQL has a bound of its own.
pub(crate) const EVENT_SELECTOR_BYTES_MAX: usize = 1_000;

/// The most burn-rate alerts of one objective. Four are usual; whoever needs more than twice that has two objectives.
pub(crate) const BURN_WINDOWS_MAX: usize = 8;

/// The largest number of events that an alert may wait for: more is a mistyped zero.
pub(crate) const MINIMUM_TRAFFIC_MAX: usize = 1_000_000_000;

/// The most matchers of such a selector. A rule repeats it up to sixteen times, and PromQL takes a hundred patterns.
pub(crate) const EVENT_MATCHERS_MAX: usize = 5;
