//! The contacts file: people, channels, rotas, the mail server, the dead-man's switch.

use super::Type::{
    Count, Date, DateTime, Day, Duration, Environment, Format, HandOver, Host, List, MailAddress,
    Map, Name, Path, Reference, Text, Time, Turn, Url, Word, Zone,
};
use super::words::{CHANNELS, MAIL_SECURITY, words};
use super::{Default, Key, Rule, Shape, Type, Variants};
use crate::context::Kind;
use crate::limits::{
    ARGUMENTS_MAX, CHANNELS_MAX, INTERVAL_MIN, OVERRIDES_MAX, PEOPLE_MAX, ROLES_MAX, ROTAS_MAX,
    SHIFT_PEOPLE_MAX, SHIFTS_MAX, SWITCH_INTERVAL_DEFAULT, SWITCH_INTERVAL_MAX,
};

pub(crate) static CONTACTS: Shape = Shape::new(
    "a contacts file",
    "Who the roles of a plan are and how they are reached. A secret never stands in the file: each has two keys, of which \
     one is written. `…_file` names a file whose content, trimmed, is the secret, and `…_environment` an environment variable.",
    &[
        Key::required("format", Format, "The version of the format."),
        Key::optional(
            "people",
            List(&Map(&PERSON), 0, Some(PEOPLE_MAX)),
            "Who is told.",
        ),
        Key::optional(
            "rotas",
            List(&Map(&ROTA), 0, Some(ROTAS_MAX)),
            "Whose turn it is to fill a role.",
        ),
        Key::optional(
            "mail_server",
            Map(&MAIL_SERVER),
            "What mails go through; needed where a channel is `email`.",
        ),
        Key::optional(
            "dead_mans_switch",
            Map(&DEAD_MANS_SWITCH),
            "An address outside that is called while every loop of Belfry makes progress.",
        ),
    ],
);

pub(crate) static PERSON: Shape = Shape::new(
    "a person",
    "Somebody, or an inbox, who is told.",
    &[
        Key::required("name", Text, "Their name."),
        Key::optional(
            "roles",
            List(&Name, 0, Some(ROLES_MAX)),
            "The roles that they always fill. Whoever stands in a rota needs none.",
        ),
        Key::required(
            "channels",
            List(&Map(&CHANNEL), 1, Some(CHANNELS_MAX)),
            "How they are reached: tried in order, each further one when the one before it fails.",
        ),
    ],
);

static CHANNEL_TYPES: [&str; 7] = words(&CHANNELS);

const TYPE: Key = Key::required("type", Word(&CHANNEL_TYPES), "What kind of channel it is.");

/// The shape for each type of channel.
static CHANNEL_SHAPES: [(&str, &Shape); 7] = {
    let mut shapes: [(&str, &Shape); 7] = [("", &LOG_CHANNEL); 7];
    let mut at = 0;
    while at < shapes.len() {
        shapes[at] = (CHANNELS[at].0, CHANNELS[at].1.shape());
        at += 1;
    }
    shapes
};

pub(crate) static CHANNEL: Shape = Shape {
    variants: Some(Variants {
        key: "type",
        shapes: &CHANNEL_SHAPES,
    }),
    ..Shape::new(
        "a channel",
        "One way to reach somebody. Its further keys depend on its type.",
        &[TYPE],
    )
};

pub(super) static WEBHOOK_CHANNEL: Shape = Shape::new(
    "a webhook channel",
    "A POST in the payload of Alertmanager's webhooks (version 4).",
    &[
        TYPE,
        Key::required("url", Url, "The address to post to."),
        Key::optional("token_file", Path, "A file with the bearer token."),
        Key::optional(
            "token_environment",
            Environment,
            "An environment variable with the bearer token.",
        ),
        Key::optional(
            "signing_key_file",
            Path,
            "A file with the key by which the receiver can check that a page is Belfry's.",
        ),
        Key::optional(
            "signing_key_environment",
            Environment,
            "An environment variable with that key.",
        ),
    ],
)
.with(&[
    Rule::AtMostOneOf(&["token_file", "token_environment"]),
    Rule::AtMostOneOf(&["signing_key_file", "signing_key_environment"]),
]);

pub(super) static EMAIL_CHANNEL: Shape = Shape::new(
    "an email channel",
    "A mail, through the mail server of the file. The mails of one incident are one conversation.",
    &[
        TYPE,
        Key::required("to", MailAddress, "One address, without a name beside it."),
    ],
);

pub(super) static SLACK_CHANNEL: Shape = Shape::new(
    "a slack channel",
    "A message by an incoming webhook of Slack. Whoever knows its address may write, so it is a secret.",
    &[
        TYPE,
        Key::optional("url_file", Path, "A file with the webhook's address."),
        Key::optional("url_environment", Environment, "An environment variable with the webhook's address."),
    ],
)
.with(&[Rule::OneOf(&["url_file", "url_environment"])]);

pub(super) static PAGERDUTY_CHANNEL: Shape = Shape::new(
    "a pagerduty channel",
    "An event for PagerDuty (Events API v2).",
    &[
        TYPE,
        Key::optional(
            "routing_key_file",
            Path,
            "A file with the integration's key.",
        ),
        Key::optional(
            "routing_key_environment",
            Environment,
            "An environment variable with the integration's key.",
        ),
        Key::optional("url", Url, "Where events are taken.").or(Default::Word(PAGERDUTY_URL)),
    ],
)
.with(&[Rule::OneOf(&[
    "routing_key_file",
    "routing_key_environment",
])]);

/// Where PagerDuty takes events.
pub(crate) const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

pub(super) static ALERTMANAGER_CHANNEL: Shape = Shape::new(
    "an alertmanager channel",
    "Somebody else's Alertmanager (API v2).",
    &[
        TYPE,
        Key::required(
            "url",
            Url,
            "Its own address, to which Belfry adds `/api/v2/alerts`.",
        ),
    ],
);

pub(super) static COMMAND_CHANNEL: Shape = Shape::new(
    "a command channel",
    "A local program, without a shell. The page is JSON on its standard input; any exit status but 0 is a failure.",
    &[
        TYPE,
        Key::required(
            "command",
            List(&Text, 1, Some(ARGUMENTS_MAX)),
            "The program and its arguments.",
        ),
    ],
);

pub(super) static LOG_CHANNEL: Shape = Shape::new(
    "a log channel",
    "A line in Belfry's own log, for trying things out.",
    &[TYPE],
);

static PEOPLE_IN_TURN: Type = List(&Reference(Kind::Person), 1, Some(SHIFT_PEOPLE_MAX));

const EVERY: &str = "How long a turn is: `day`, `week`, `2 weeks`, or whole days such as `14d`. Where turns begin on one day \
                     of the week, whole weeks.";
const SINCE: &str =
    "The day on which the first person's first turn begins; one on which turns begin.";
const PEOPLE: &str = "Who takes turns, in order.";

/// The keys of a rota with one shift, written without `shifts`.
pub(crate) const SHORT_FORM: [&str; 5] = ["zone", "hand_over", "every", "since", "people"];

pub(crate) static ROTA: Shape = Shape::new(
    "a rota",
    "Whose turn it is: exactly one person at every instant, whatever the clocks do. Several rotas may fill one role, under \
     different names.",
    &[
        Key::required("role", Name, "The role that it fills."),
        Key::optional("name", Text, "Its name.").or(Default::Words("the role's")),
        Key::optional("zone", Zone, "Whose clocks show the hours."),
        Key::optional("hand_over", HandOver, "When turns begin, on a day of the week or on any day."),
        Key::optional("every", Turn, EVERY),
        Key::optional("since", Date, SINCE),
        Key::optional("people", PEOPLE_IN_TURN, PEOPLE),
        Key::optional(
            "shifts",
            List(&Map(&SHIFT), 1, Some(SHIFTS_MAX)),
            "For rotas that follow the sun: the shift that took over last is on.",
        ),
        Key::optional(
            "overrides",
            List(&Map(&OVERRIDE), 0, Some(OVERRIDES_MAX)),
            "Exceptions; the last that covers an instant wins.",
        ),
    ],
)
.with(&[Rule::Forms(&SHORT_FORM, &["shifts"])]);

pub(crate) static SHIFT: Shape = Shape::new(
    "a shift",
    "One part of the day, or of the world.",
    &[
        Key::optional("name", Text, "Its name.").or(Default::Words("none")),
        Key::required("zone", Zone, "Whose clocks show the hours."),
        Key::required("from", Time, "When it takes over."),
        Key::optional("days", Type::some(&Day), "The days on which it takes over.")
            .or(Default::Words("every day")),
        Key::required("every", Turn, EVERY),
        Key::required("since", Date, SINCE),
        Key::required("people", PEOPLE_IN_TURN, PEOPLE),
    ],
);

pub(crate) static OVERRIDE: Shape = Shape::new(
    "an override",
    "Somebody who takes over for a while, on the clocks of the rota's zone (of its first shift's).",
    &[
        Key::required("person", Reference(Kind::Person), "Who takes over."),
        Key::required("from", DateTime, "From when."),
        Key::required("until", DateTime, "Until when."),
    ],
);

static SECURITY: [&str; 3] = words(&MAIL_SECURITY);

pub(crate) static MAIL_SERVER: Shape = Shape::new(
    "the mail server",
    "The server that mails go through. `starttls` and `tls` check its certificate.",
    &[
        Key::required("host", Host, "A name or an IP address, without a port."),
        Key::optional(
            "security",
            Word(&SECURITY),
            "How the way to it is kept secret; `none` is for a server on this machine alone.",
        )
        .or(Default::Word(MAIL_SECURITY[0].0)),
        Key::optional("port", Count(1, u16::MAX as usize), "Its port.").or(Default::Words(
            "587 with `starttls`, 465 with `tls`, 25 with `none`",
        )),
        Key::optional(
            "ca_file",
            Path,
            "A file with a certificate authority that is trusted besides the usual ones.",
        ),
        Key::required("from", MailAddress, "The sender's address."),
        Key::optional(
            "username",
            Text,
            "The user name, where the server asks for one.",
        ),
        Key::optional("password_file", Path, "A file with the password."),
        Key::optional(
            "password_environment",
            Environment,
            "An environment variable with the password.",
        ),
    ],
)
.with(&[
    Rule::Needs("username", &["password_file", "password_environment"]),
    Rule::Only(&["password_file", "password_environment"], "username"),
    Rule::AtMostOneOf(&["password_file", "password_environment"]),
]);

pub(crate) static DEAD_MANS_SWITCH: Shape = Shape::new(
    "the dead-man's switch",
    "Who tells you when Belfry itself is gone: an address outside that raises an alarm when the calls stop.",
    &[
        Key::optional("url", Url, "The address, where it is no secret."),
        Key::optional("url_file", Path, "A file with the address."),
        Key::optional("url_environment", Environment, "An environment variable with the address."),
        Key::optional(
            "interval",
            Duration(INTERVAL_MIN, SWITCH_INTERVAL_MAX),
            "How often it is called; so often that a stall shows within a minute.",
        )
        .or(Default::Duration(SWITCH_INTERVAL_DEFAULT)),
    ],
)
.with(&[Rule::OneOf(&["url", "url_file", "url_environment"])]);
