//! How logs come in, are classed and kept.

use super::Type::{ClassName, Duration, Map, Name, OneOrMore, Path, Reference, Text, Word};
use super::words::{self, words};
use super::{Default, Key, Rule, Shape, Type};
use crate::context::Kind;
use crate::limits::{CATEGORY_SEARCHES_MAX, DURATION_MAX, DURATION_MIN, INTERVAL_MIN};

static LEVELS: [&str; 4] = words(&words::LEVELS);

pub(crate) static LOGS: Shape = Shape::new(
    "the logs section",
    "How logs come in and how long they stay. Every level has exactly one class; a category's class goes before the level's.",
    &[
        Key::optional(
            "follow",
            Type::list(&Map(&FOLLOWED_FILE)),
            "Files to follow.",
        ),
        Key::required(
            "classes",
            Type::list(&Map(&LOG_CLASS)),
            "What is kept for how long.",
        ),
        Key::optional(
            "categories",
            Type::list(&Map(&LOG_CATEGORY)),
            "What kinds of lines there are, for people and for coverage.",
        ),
    ],
);

pub(crate) static FOLLOWED_FILE: Shape = Shape::new(
    "a followed file",
    "A log file that Belfry reads as it grows.",
    &[
        Key::required(
            "path",
            Path,
            "The file's path; relative ones count from the working directory.",
        ),
        Key::required("service", Name, "The service that writes it."),
    ],
);

pub(crate) static LOG_CLASS: Shape = Shape::new(
    "a log class",
    "Lines that are kept alike: those of a level, or those of a category.",
    &[
        Key::required("name", ClassName, "Its name."),
        Key::optional("level", Word(&LEVELS), "The level that falls into it."),
        Key::optional(
            "category",
            Name,
            "The category that falls into it, whatever the level.",
        ),
        Key::required(
            "keep",
            Duration(DURATION_MIN, DURATION_MAX),
            "How long its lines are kept.",
        ),
    ],
)
.with(&[Rule::OneOf(&["level", "category"])]);

pub(crate) static LOG_CATEGORY: Shape = Shape::new(
    "a log category",
    "A kind of line that the plan expects.",
    &[
        Key::required("name", Name, "What it is called."),
        Key::required(
            "class",
            Reference(Kind::LogClass),
            "The class that its lines fall into.",
        ),
        Key::optional("meaning", Text, "What its lines tell, in a sentence."),
        Key::optional(
            "lines",
            OneOrMore(&Text, CATEGORY_SEARCHES_MAX),
            "Searches as on the log page, one of which finds its lines.",
        )
        .or(Default::Words("the lines whose own category has its name")),
        Key::optional(
            "every",
            Duration(INTERVAL_MIN, DURATION_MAX),
            "How often at least one of them must come.",
        )
        .or(Default::Words("when something happens")),
    ],
);
