//! Colours as they are written on the web.

use std::fmt;
use std::str::FromStr;

use crate::ec_level::ParseNameError;

/// An opaque sRGB colour. Reads `#rrggbb`, `#rgb`, both also without `#`; writes `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Rgb {
    /// `#000000`
    pub const BLACK: Rgb = Rgb::new(0, 0, 0);
    /// `#ffffff`
    pub const WHITE: Rgb = Rgb::new(255, 255, 255);

    /// A colour from its parts.
    #[must_use]
    pub const fn new(r: u8, g: u8, b: u8) -> Rgb {
        Rgb { r, g, b }
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)
    }
}

impl FromStr for Rgb {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Option<Vec<u8>> = text
            .strip_prefix('#')
            .unwrap_or(text)
            .chars()
            .take(7)
            .map(|digit| digit.to_digit(16).map(|value| value as u8))
            .collect();
        match digits.as_deref() {
            Some(&[r, g, b]) => Ok(Rgb::new(r * 17, g * 17, b * 17)),
            Some(&[r1, r0, g1, g0, b1, b0]) => {
                Ok(Rgb::new(r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0))
            }
            _ => Err(ParseNameError {
                expected: "a colour such as #000000 or #000",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_on_the_web() {
        fn check(text: &str, want: Option<&str>) {
            let got = text.parse::<Rgb>().ok().map(|colour| colour.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
        check("#1a2B3c", Some("#1a2b3c"));
        check("fff", Some("#ffffff"));
        check("#0f8", Some("#00ff88"));
        check("", None);
        check("#12345", None);
        check("#1234567", None);
        check("red", None);
        check("#ééé", None);
    }
}
