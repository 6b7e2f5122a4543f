//! What every action of a person carries: a name, and perhaps words. One place, so that the bounds are the same everywhere.

use crate::http::error::Problem;

/// The longest name and text that a person may send, in characters.
const NAME_LENGTH_MAX: usize = 100;
const TEXT_LENGTH_MAX: usize = 5_000;

/// Whoever acts: a name of one line.
pub(super) fn name(by: &str) -> Result<&str, Problem> {
    let by = by.trim();
    if by.is_empty() || by.chars().count() > NAME_LENGTH_MAX || by.contains(char::is_control) {
        return Err(Problem::bad_request(format!(
            "`by` must be a name of 1 to {NAME_LENGTH_MAX} characters"
        )));
    }
    Ok(by)
}

/// What they say, possibly nothing.
pub(super) fn text(text: &str) -> Result<&str, Problem> {
    if text.chars().count() > TEXT_LENGTH_MAX {
        return Err(Problem::bad_request(format!(
            "the text is longer than {TEXT_LENGTH_MAX} characters"
        )));
    }
    Ok(text.trim())
}
