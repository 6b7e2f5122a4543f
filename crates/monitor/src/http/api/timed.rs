//! Times inside of JSON bodies: RFC 3339 or Unix seconds as text, or Unix seconds as a number, as parameters take them.

use model::Timestamp;
use serde::Deserialize;

use super::parameters::{BadParameter, time};

/// A time as it was given.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum GivenTime {
    Seconds(f64),
    Text(String),
}

/// The time that was given for `name`.
pub(super) fn given(name: &str, at: &GivenTime) -> Result<Timestamp, BadParameter> {
    match at {
        GivenTime::Seconds(seconds) => Ok(Timestamp::from_secs_f64(*seconds)),
        GivenTime::Text(text) => time(name, text),
    }
}
