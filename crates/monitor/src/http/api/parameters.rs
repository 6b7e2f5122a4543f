//! The parameters of a question: times, limits, switches, lists. One place, so that every address reads them alike and
//! says alike what is wrong.

use model::Timestamp;

use crate::http::error::Problem;
use crate::time_text::parse_time;

/// The parameters of a query string, in order; a name may come more than once.
pub(super) struct Parameters(Vec<(String, String)>);

/// A sentence about a parameter that cannot be read. Fix the request.
#[derive(Debug)]
pub(super) struct BadParameter(pub(super) String);

impl From<BadParameter> for Problem {
    fn from(bad: BadParameter) -> Problem {
        Problem::bad_request(bad.0)
    }
}

impl Parameters {
    pub(super) fn read(query: Option<&str>) -> Result<Parameters, BadParameter> {
        serde_urlencoded::from_str(query.unwrap_or(""))
            .map(Parameters)
            .map_err(|_| BadParameter("the parameters are not URL-encoded".to_owned()))
    }

    /// The first value of a parameter; `None` where it is absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut given = self.0.iter().filter(|(own, _)| own == name);
        given
            .find(|(_, value)| !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// A switch: `true` or `false`, and what it is when it is absent.
    pub(super) fn switch(&self, name: &str, otherwise: bool) -> Result<bool, BadParameter> {
        match self.get(name) {
            None => Ok(otherwise),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => Err(BadParameter(format!(
                "`{name}` is true or false, not `{other}`"
            ))),
        }
    }

    /// A time: RFC 3339 or Unix seconds.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, BadParameter> {
        self.get(name).map(|text| time(name, text)).transpose()
    }

    /// How many; never more than `max`.
    pub(super) fn limit(&self, otherwise: usize, max: usize) -> Result<usize, BadParameter> {
        let Some(text) = self.get("limit") else {
            return Ok(otherwise);
        };
        let limit: usize = text
            .parse()
            .map_err(|_| BadParameter(format!("`limit` is a number, not `{text}`")))?;
        Ok(limit.min(max))
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, BadParameter> {
        let read = |text: &str| {
            text.parse()
                .map_err(|_| BadParameter(format!("`{name}` is a number, not `{text}`")))
        };
        self.get(name).map(read).transpose()
    }
}

/// Reads a time that somebody gave for `name`.
pub(super) fn time(name: &str, text: &str) -> Result<Timestamp, BadParameter> {
    parse_time(text).ok_or_else(|| {
        BadParameter(format!(
            "`{name}` is neither RFC 3339 nor Unix seconds: `{text}`"
        ))
    })
}
