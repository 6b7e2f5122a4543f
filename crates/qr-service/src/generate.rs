//! What a caller asks for, checked, and how it is made. Pure: no clock, no cache, no network.

use std::collections::BTreeMap;
use std::fmt;

use qr::render;
use qr::{EcLevel, EncodeError, EncodeOptions, ImageOptions, PayloadKind, RenderError};
use sha2::{Digest, Sha256};

use crate::cache::{Image, ImageKey};
use crate::metrics::Feature;

/// Form of the key: a new number makes every cached image and every ETag of before invalid.
const KEY_VERSION: &str = concat!("qr-service/1/", env!("CARGO_PKG_VERSION"));

/// An image's format.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImageFormat {
    Svg,
    Png,
}

impl ImageFormat {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ImageFormat::Svg => "svg",
            ImageFormat::Png => "png",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            ImageFormat::Svg => "image/svg+xml",
            ImageFormat::Png => "image/png",
        }
    }
}

/// A request as it came, from a query string or from JSON; nothing is checked yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Asked {
    pub(crate) kind: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) format: Option<String>,
    pub(crate) size: Option<String>,
    pub(crate) ec: Option<String>,
    pub(crate) quiet_zone: Option<String>,
    pub(crate) dark: Option<String>,
    pub(crate) light: Option<String>,
    pub(crate) image_title: Option<String>,
}

/// A request that can be made, but for data that may be too long.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CodeRequest {
    pub(crate) kind: PayloadKind,
    pub(crate) payload: String,
    pub(crate) format: ImageFormat,
    pub(crate) ec_level: EcLevel,
    pub(crate) image: ImageOptions,
}

/// A field or option that cannot be used. Fix the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidField {
    pub(crate) field: String,
    pub(crate) rule: String,
}

/// Why an image was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MakeError {
    /// No symbol holds the data. Fix the request.
    TooLong(EncodeError),
    /// The data cannot be encoded. Fix the request.
    Encode(EncodeError),
    /// The image cannot be drawn like that. Fix the request.
    Render(RenderError),
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MakeError::TooLong(error) | MakeError::Encode(error) => error.fmt(f),
            MakeError::Render(error) => error.fmt(f),
        }
    }
}

impl Asked {
    /// Sorts the parameters of a query string: known options, the rest are fields of the payload.
    pub(crate) fn from_pairs(pairs: Vec<(String, String)>) -> Asked {
        let mut asked = Asked::default();
        for (name, value) in pairs {
            let place = match name.as_str() {
                "type" => &mut asked.kind,
                "data" => &mut asked.data,
                "format" => &mut asked.format,
                "size" => &mut asked.size,
                "ec" => &mut asked.ec,
                "quiet_zone" => &mut asked.quiet_zone,
                "dark" => &mut asked.dark,
                "light" => &mut asked.light,
                "image_title" => &mut asked.image_title,
                _ => {
                    asked.fields.insert(name, value);
                    continue;
                }
            };
            *place = Some(value);
        }
        asked
    }

    /// Which features the request uses.
    pub(crate) fn features(&self, format: ImageFormat) -> Vec<Feature> {
        let mut features = vec![match format {
            ImageFormat::Svg => Feature::Svg,
            ImageFormat::Png => Feature::Png,
        }];
        let options = [
            (self.size.is_some(), Feature::Size),
            (self.ec.is_some(), Feature::ErrorCorrection),
            (
                self.dark.is_some() || self.light.is_some(),
                Feature::Colours,
            ),
            (self.quiet_zone.is_some(), Feature::QuietZone),
            (self.image_title.is_some(), Feature::Title),
        ];
        features.extend(
            options
                .iter()
                .filter(|(used, _)| *used)
                .map(|(_, feature)| feature),
        );
        features
    }

    /// Checks everything but the length of the data.
    pub(crate) fn check(mut self) -> Result<CodeRequest, InvalidField> {
        let kind: PayloadKind = match &self.kind {
            Some(text) => parse("type", text, "")?,
            None => PayloadKind::Url,
        };
        let format = match self.format.as_deref() {
            None | Some("svg") => ImageFormat::Svg,
            Some("png") => ImageFormat::Png,
            Some(_) => return Err(invalid("format", "must be svg or png")),
        };
        let ec_level = match &self.ec {
            Some(text) => parse("ec", text, "must be L, M, Q or H")?,
            None => EcLevel::Medium,
        };
        let default = ImageOptions::default();
        let image = ImageOptions {
            size_px: match &self.size {
                Some(text) => Some(parse("size", text, "must be a whole number of pixels")?),
                None => None,
            },
            quiet_zone: match &self.quiet_zone {
                Some(text) => parse("quiet_zone", text, "must be a whole number of modules")?,
                None => default.quiet_zone,
            },
            dark: match &self.dark {
                Some(text) => parse("dark", text, "must be a colour such as #102030")?,
                None => default.dark,
            },
            light: match &self.light {
                Some(text) => parse("light", text, "must be a colour such as #ffffff")?,
                None => default.light,
            },
            title: self.image_title.take(),
            ..default
        };
        self.place_data(kind)?;
        let payload = qr::payload::build(kind, &self.fields).map_err(|error| InvalidField {
            field: error.field.to_owned(),
            rule: error.rule,
        })?;
        Ok(CodeRequest {
            kind,
            payload,
            format,
            ec_level,
            image,
        })
    }

    /// `data` fills the one required field of a kind that has one; other kinds need their fields by name.
    fn place_data(&mut self, kind: PayloadKind) -> Result<(), InvalidField> {
        let Some(data) = self.data.take() else {
            return Ok(());
        };
        let mut required = qr::payload::fields(kind)
            .iter()
            .filter(|field| field.required);
        match (required.next(), required.next()) {
            (Some(field), None) => {
                self.fields.entry(field.name.to_owned()).or_insert(data);
                Ok(())
            }
            (Some(_), Some(_)) | (None, _) => {
                let names: Vec<&str> = qr::payload::fields(kind)
                    .iter()
                    .map(|field| field.name)
                    .collect();
                Err(invalid(
                    "data",
                    &format!("{kind} needs its fields by name: {}", names.join(", ")),
                ))
            }
        }
    }
}

impl CodeRequest {
    /// A digest of everything that shapes the image.
    pub(crate) fn key(&self) -> ImageKey {
        let mut digest = Sha256::new();
        let mut part = |bytes: &[u8]| {
            // With lengths, so that no two requests give the same bytes.
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        part(KEY_VERSION.as_bytes());
        part(self.payload.as_bytes());
        part(self.format.as_str().as_bytes());
        part(self.ec_level.as_str().as_bytes());
        part(&self.image.size_px.unwrap_or(0).to_le_bytes());
        part(&self.image.quiet_zone.to_le_bytes());
        part(self.image.dark.to_string().as_bytes());
        part(self.image.light.to_string().as_bytes());
        part(self.image.title.as_deref().unwrap_or("").as_bytes());
        ImageKey(digest.finalize().into())
    }

    /// Makes the image: matrix, then rendering.
    pub(crate) fn make(&self) -> Result<Image, MakeError> {
        let options = EncodeOptions {
            ec_level: self.ec_level,
            ..EncodeOptions::default()
        };
        let symbol =
            qr::encode(self.payload.as_bytes(), &options).map_err(|error| match error {
                EncodeError::TooLong { .. } => MakeError::TooLong(error),
                EncodeError::Empty | EncodeError::NotUtf8 { .. } => MakeError::Encode(error),
            })?;
        let bytes = match self.format {
            ImageFormat::Svg => render::svg(&symbol, &self.image)
                .map_err(MakeError::Render)?
                .into_bytes(),
            ImageFormat::Png => render::png(&symbol, &self.image).map_err(MakeError::Render)?,
        };
        Ok(Image {
            bytes: bytes.into(),
            version: symbol.version(),
            ec_level: symbol.ec_level().as_str(),
        })
    }
}

/// Parses an option; the parser's own words are used where no rule is given.
fn parse<T>(field: &str, text: &str, rule: &str) -> Result<T, InvalidField>
where
    T: std::str::FromStr,
    T::Err: fmt::Display,
{
    text.parse().map_err(|error: T::Err| match rule {
        "" => invalid(field, &error.to_string()),
        rule => invalid(field, rule),
    })
}

fn invalid(field: &str, rule: &str) -> InvalidField {
    InvalidField {
        field: field.to_owned(),
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::from_pairs(
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    #[test]
    fn what_is_refused_and_why() {
        let check = |query: &str, expect: Result<&str, &str>| {
            let got = asked(query).check();
            let got = got
                .as_ref()
                .map(|request| request.payload.as_str())
                .map_err(|error| error.field.as_str());
            assert_eq!(got, expect, "{query}");
        };
        check("data=https://a.example", Ok("https://a.example"));
        check("type=text&data=hello", Ok("hello"));
        check("type=phone&data=+49301234567", Ok("tel:+49301234567"));
        check("type=geo&latitude=1&longitude=2", Ok("geo:1,2"));
        check("type=geo&data=1,2", Err("data"));
        check("type=barcode&data=x", Err("type"));
        check("type=text&data=x&format=gif", Err("format"));
        check("type=text&data=x&size=big", Err("size"));
        check("type=text&data=x&ec=Z", Err("ec"));
        check("type=text&data=x&dark=nocolour", Err("dark"));
        check("type=text&data=x&surprise=1", Err("fields"));
        check("type=text", Err("data"));
    }

    #[test]
    fn every_option_changes_the_key() {
        let base = "type=text&data=x";
        let key = |query: &str| asked(query).check().unwrap().key();
        assert_eq!(key(base), key(base));
        for option in [
            "format=png",
            "ec=H",
            "size=300",
            "quiet_zone=5",
            "dark=111111",
            "light=eeeeee",
            "image_title=t",
        ] {
            assert_ne!(key(base), key(&format!("{base}&{option}")), "{option}");
        }
    }

    #[test]
    fn an_image_is_made() {
        let image = asked("type=text&data=x&format=png")
            .check()
            .unwrap()
            .make()
            .unwrap();
        assert!(image.bytes.starts_with(b"\x89PNG"));
        let long = format!("type=text&data={}", "x".repeat(2960));
        assert!(matches!(
            asked(&long).check().map(|request| request.make()),
            Ok(Err(MakeError::TooLong(_))) | Err(_)
        ));
    }
}
