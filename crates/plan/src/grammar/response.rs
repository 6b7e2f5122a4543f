//! Who is told when, what holds pages back, and what they say.

use super::Type::{Day, Duration, Label, List, Map, Name, Selector, Template, Text, Time, Zone};
use super::rules::DURATION_OR_ZERO;
use super::{Default, Key, Shape, Type};
use crate::limits::{
    ACKNOWLEDGEMENT_MIN, DURATION_MAX, DURATION_MIN, GROUP_LABELS_MAX, INTERVAL_MIN,
    PAGE_INTERVAL_DEFAULT, PAGE_INTERVAL_MAX, SELECTORS_MAX, WINDOW_LENGTH_MAX, WINDOW_LENGTH_MIN,
};

/// Which alerts are meant.
static SELECTORS: Type = List(&Selector, 1, Some(SELECTORS_MAX));

pub(crate) static ESCALATION_POLICY: Shape = Shape::new(
    "an escalation policy",
    "Who is told when, until somebody acknowledges.",
    &[
        Key::required("name", Name, "Its name."),
        Key::optional(
            "acknowledgement_expires",
            Duration(ACKNOWLEDGEMENT_MIN, DURATION_MAX),
            "How long an acknowledgement holds; then escalation goes on.",
        )
        .or(Default::Words("until the incident ends")),
        Key::required(
            "levels",
            Type::some(&Map(&ESCALATION_LEVEL)),
            "Its levels: the first `after: 0`, each later than the one before it.",
        ),
    ],
);

pub(crate) static ESCALATION_LEVEL: Shape = Shape::new(
    "an escalation level",
    "One level of a policy.",
    &[
        Key::required(
            "after",
            DURATION_OR_ZERO,
            "When it is told, counted from when the incident opened.",
        ),
        Key::required(
            "roles",
            Type::some(&Name),
            "Who is told. The contacts file says who fills a role.",
        ),
    ],
);

pub(crate) static INCIDENTS: Shape = Shape::new(
    "the incidents section",
    "How alerts become incidents.",
    &[
        Key::optional(
            "group_by",
            List(&Label, 0, Some(GROUP_LABELS_MAX)),
            "The labels by which alerts group. `[]` puts all alerts of one severity and policy into one incident.",
        )
        .or(Default::Words("`[alertname]`")),
        Key::optional(
            "page_interval",
            Duration(INTERVAL_MIN, PAGE_INTERVAL_MAX),
            "The shortest time between two pages of one level about one incident, when further alerts join it.",
        )
        .or(Default::Duration(PAGE_INTERVAL_DEFAULT)),
    ],
);

pub(crate) static INHIBITION: Shape = Shape::new(
    "an inhibition",
    "While one alert fires the pages of others say nothing new, and are held back. An alert must not hold back itself, \
     neither by itself nor through others.",
    &[
        Key::required("name", Text, "Its name in timelines."),
        Key::required(
            "while",
            SELECTORS,
            "While an alert that one of these selects fires …",
        ),
        Key::required(
            "hold_back",
            SELECTORS,
            "… alerts that one of these selects page nobody …",
        ),
        Key::optional(
            "equal",
            List(&Label, 0, Some(GROUP_LABELS_MAX)),
            "… if both have the same values for these labels.",
        ),
    ],
);

pub(crate) static MAINTENANCE_WINDOW: Shape = Shape::new(
    "a maintenance window",
    "A time in which pages about some alerts are held back, again and again. What happens once is a silence, not a window.",
    &[
        Key::required("name", Text, "Its name in timelines."),
        Key::required("reason", Text, "Why nobody need be told."),
        Key::required("alerts", SELECTORS, "Which alerts it holds back."),
        Key::optional("days", Type::some(&Day), "The days on which it begins.")
            .or(Default::Words("every day")),
        Key::required("from", Time, "When it begins."),
        Key::required(
            "for",
            Duration(WINDOW_LENGTH_MIN, WINDOW_LENGTH_MAX),
            "How long it lasts, in elapsed time whatever the clocks do; shorter than until it begins again.",
        ),
        Key::required("zone", Zone, "Whose clocks show `from`."),
    ],
);

pub(crate) static MESSAGES: Shape = Shape::new(
    "the messages section",
    "Templates of what is sent, in the language of Jinja. Where one is absent Belfry's own is used.",
    &[
        Key::optional("subject", Template, "The subject, in one line.")
            .or(Default::Words("Belfry's own")),
        Key::optional("body", Template, "The text.").or(Default::Words("Belfry's own")),
    ],
);

/// Any length of time but none.
pub(super) static ANY_DURATION: Type = Duration(DURATION_MIN, DURATION_MAX);
