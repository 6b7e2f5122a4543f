//! Codes to ask for: every type of payload with believable fields, the formats and now and then an option.

use crate::http_client::percent_encode;
use crate::random::{Random, Zipf};

/// Codes that are asked for again and again. With 1 / rank popularity about nine in ten requests repeat one that was made
/// before, once a few minutes have passed.
const CATALOGUE_LENGTH: usize = 250;

/// How often each type is asked for, in parts of a hundred.
const TYPES: [(&str, u32); 9] = [
    ("url", 38),
    ("text", 14),
    ("wifi", 12),
    ("vcard", 10),
    ("email", 7),
    ("sms", 5),
    ("phone", 5),
    ("geo", 5),
    ("event", 4),
];

const TOWNS: [(&str, &str, &str); 5] = [
    ("Berlin", "52.5163", "13.3777"),
    ("Lisboa", "38.7223", "-9.1393"),
    ("Kyoto", "35.0116", "135.7681"),
    ("Nairobi", "-1.2864", "36.8172"),
    ("Montréal", "45.5019", "-73.5674"),
];
const PEOPLE: [&str; 6] = ["Ada", "Grace", "Edsger", "Barbara", "Katherine", "Niklaus"];
const WORDS: [&str; 8] = [
    "menu", "ticket", "garden", "museum", "library", "coffee", "poster", "manual",
];

const OPTIONS: [(&str, &str); 6] = [
    ("size", "400"),
    ("ec", "H"),
    ("dark", "#102030"),
    ("light", "#fff8e0"),
    ("quiet_zone", "6"),
    ("image_title", "Scan me"),
];

/// The parameters of a request for a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) parameters: Vec<(&'static str, String)>,
}

impl Code {
    /// A code of a type and number; the number makes it different from every other.
    pub(super) fn random(random: &mut Random, number: u64) -> Code {
        let weights = TYPES.map(|(_, weight)| weight);
        let (kind, _) = TYPES[random.weighted(&weights)];
        let mut parameters = vec![("type", kind.to_owned())];
        parameters.extend(fields(kind, random, number));
        let format = ["svg", "png"][random.weighted(&[65, 35])];
        parameters.push(("format", format.to_owned()));
        if random.weighted(&[85, 15]) == 1 {
            parameters.push(option(random));
        }
        Code { parameters }
    }

    /// The path with its query.
    pub(super) fn path(&self) -> String {
        let pairs = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", percent_encode(value)));
        format!("/api/v1/qr?{}", pairs.collect::<Vec<_>>().join("&"))
    }
}

/// Codes with their popularity.
pub(super) struct Catalogue {
    codes: Vec<Code>,
    popularity: Zipf,
}

impl Catalogue {
    pub(super) fn new(seed: u64) -> Catalogue {
        let mut random = Random::new(seed);
        let codes = (0..CATALOGUE_LENGTH as u64)
            .map(|number| Code::random(&mut random, number))
            .collect();
        Catalogue {
            codes,
            popularity: Zipf::new(CATALOGUE_LENGTH),
        }
    }

    pub(super) fn draw(&self, random: &mut Random) -> &Code {
        &self.codes[self.popularity.draw(random)]
    }

    /// The one that is asked for most.
    pub(super) fn favourite(&self) -> &Code {
        &self.codes[0]
    }
}

fn fields(kind: &str, random: &mut Random, number: u64) -> Vec<(&'static str, String)> {
    let word = *random.one_of(&WORDS);
    let person = *random.one_of(&PEOPLE);
    let (town, latitude, longitude) = *random.one_of(&TOWNS);
    let digits = number % 1_000_000;
    match kind {
        "url" => vec![("data", format!("https://example.com/{word}/{number}"))],
        "text" => vec![(
            "data",
            format!("{town}: {word} number {number}, ask for {person}"),
        )],
        "wifi" => vec![
            ("ssid", format!("{town} {word} {number}")),
            ("password", format!("{word}-{number:08}")),
            ("encryption", "WPA".to_owned()),
        ],
        "vcard" => vec![
            ("name", format!("{person} of {town} {number}")),
            ("phone", format!("+4930{digits:07}")),
            ("email", format!("{}@example.com", person.to_lowercase())),
        ],
        "email" => vec![
            ("to", format!("{word}{number}@example.com")),
            ("subject", format!("About the {word}")),
        ],
        "sms" => vec![
            ("number", format!("+49170{digits:07}")),
            ("message", format!("{word} {number}")),
        ],
        "phone" => vec![("number", format!("+4930{digits:07}"))],
        "geo" => vec![
            ("latitude", latitude.to_owned()),
            ("longitude", longitude.to_owned()),
            ("query", format!("{word} {number}")),
        ],
        _ => vec![
            ("summary", format!("{word} {number}")),
            ("start", "2026-12-01T18:00:00Z".to_owned()),
            ("end", "2026-12-01T20:00:00Z".to_owned()),
            ("location", town.to_owned()),
        ],
    }
}

fn option(random: &mut Random) -> (&'static str, String) {
    let (name, value) = *random.one_of(&OPTIONS);
    (name, value.to_owned())
}

#[cfg(test)]
pub(super) fn option_names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_holds_every_type_and_format_once_each() {
        let catalogue = Catalogue::new(1);
        let paths: BTreeSet<String> = catalogue.codes.iter().map(Code::path).collect();
        assert_eq!(paths.len(), CATALOGUE_LENGTH);
        let all = paths.iter().cloned().collect::<String>();
        for (kind, _) in TYPES {
            assert!(all.contains(&format!("type={kind}")), "{kind}");
        }
        assert!(all.contains("format=svg") && all.contains("format=png"));
    }

    #[test]
    fn the_same_seed_gives_the_same_catalogue() {
        let paths = |seed| {
            Catalogue::new(seed)
                .codes
                .iter()
                .map(Code::path)
                .collect::<Vec<_>>()
        };
        assert_eq!(paths(1), paths(1));
        assert_ne!(paths(1), paths(2));
    }
}
