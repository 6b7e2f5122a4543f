//! The words of a log search, as people type them: one reader for the log page, the command line and procedures.

use model::LogQuery;

/// Reads words into a query. Words must all occur; `level:ERROR`, `category:security` and `service:shop` narrow (with `:` or
/// `=`); any other `name=value` compares a field.
///
/// # Errors
/// A sentence that names the word that means nothing.
pub(crate) fn read_words(text: &str, query: &mut LogQuery) -> Result<(), String> {
    for word in text.split_whitespace() {
        let pair = word
            .split_once([':', '='])
            .filter(|(name, value)| !name.is_empty() && !value.is_empty());
        match pair.map(|(name, value)| (name, value.trim_matches('"'))) {
            Some(("level", level)) => {
                let level = level
                    .parse()
                    .map_err(|()| format!("`{level}` is not a level"))?;
                query.levels.push(level);
            }
            Some(("category", category)) => query.categories.push(category.to_owned()),
            Some(("service", service)) => query.services.push(service.to_owned()),
            Some((name, value)) if word.as_bytes()[name.len()] == b'=' => {
                query.fields.push((name.to_owned(), value.to_owned()));
            }
            _ => query.texts.push(word.to_owned()),
        }
    }
    Ok(())
}
