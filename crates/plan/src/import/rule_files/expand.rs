//! Recorded series written out: a plan has no recording rules, so what reads their result reads their expression instead.
//!
//! Exact up to the moment of evaluation, where the series is read at an instant and whole: an expression gives the same values
//! as its record (names do not count in comparisons). A range over a record, a matcher on it or an offset would mean something
//! slightly else over the expression, so those are not carried.

use std::collections::BTreeMap;

use super::read::Group;

/// The longest expression that is written out, in bytes. Nobody reviews a longer one.
const EXPRESSION_BYTES_MAX: usize = 8 * 1024;
/// The most rounds: records that read records that read records …
const ROUNDS_MAX: usize = 16;

/// What is recorded, by name.
pub(super) struct Records {
    by_name: BTreeMap<String, Record>,
}

struct Record {
    expr: String,
    /// Why it cannot stand for its name.
    flaw: Option<&'static str>,
    used: bool,
}

impl Records {
    pub(super) fn new(groups: &[Group]) -> Records {
        let mut by_name: BTreeMap<String, Record> = BTreeMap::new();
        let rules = groups
            .iter()
            .flat_map(|group| &group.rules)
            .filter(|rule| rule.records);
        for rule in rules {
            if let Some(known) = by_name.get_mut(&rule.name) {
                if known.expr != rule.expr || known.flaw.is_some() {
                    known.flaw = Some("several rules record it");
                }
                continue;
            }
            let flaw = (!rule.labels.is_empty()).then_some("its rule adds labels");
            by_name.insert(
                rule.name.clone(),
                Record {
                    expr: rule.expr.clone(),
                    flaw,
                    used: false,
                },
            );
        }
        Records { by_name }
    }

    /// Whether an expression was written out in place of this name.
    pub(super) fn is_used(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|record| record.used)
    }

    /// The expression with all records written out, and the names of those; or why that cannot be.
    pub(super) fn expand(&mut self, expr: &str) -> Result<(String, Vec<String>), String> {
        let mut expr = expr.to_owned();
        let mut names: Vec<String> = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let Some((start, end, name)) = self.first_read(&expr)? else {
                for name in &names {
                    if let Some(record) = self.by_name.get_mut(name) {
                        record.used = true;
                    }
                }
                return Ok((expr, names));
            };
            let record = &self.by_name[&name].expr;
            expr = written_out(&expr, start, end, record, &name)?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Err("it reads recorded series through too many others".to_owned())
    }

    /// The first place where an expression reads a record.
    fn first_read(&self, expr: &str) -> Result<Option<(usize, usize, String)>, String> {
        let parsed = promql::parse(expr).map_err(|error| {
            let gist = crate::diagnostics::gist(&error.message);
            format!("its expression is not PromQL that Belfry reads: {gist}")
        })?;
        for selector in parsed.selectors() {
            let Some(name) = selector.name else { continue };
            let Some(record) = self.by_name.get(name) else {
                // The colon is kept for recorded series by Prometheus' rules of naming.
                if name.contains(':') {
                    return Err(format!(
                        "it reads `{name}`, a recorded series that none of the files records"
                    ));
                }
                continue;
            };
            if let Some(flaw) = record.flaw {
                return Err(format!(
                    "it reads the recorded series `{name}`, which cannot be written out: {flaw}"
                ));
            }
            let (start, end) = (selector.span.start, selector.span.end);
            let modified = expr[end..].trim_start().starts_with('@') || selector.offset_ms != 0;
            let whole = expr.get(start..end).is_some_and(|text| text.trim() == name);
            if selector.range.is_some() || modified || !whole {
                return Err(format!(
                    "it reads the recorded series `{name}` over a range, with an offset or by matchers, which its expression \
                     in that place would not mean exactly"
                ));
            }
            return Ok(Some((start, end, name.to_owned())));
        }
        Ok(None)
    }
}

fn written_out(
    expr: &str,
    start: usize,
    end: usize,
    record: &str,
    name: &str,
) -> Result<String, String> {
    let written = format!("{}({}){}", &expr[..start], record.trim(), &expr[end..]);
    if written.len() > EXPRESSION_BYTES_MAX {
        return Err(format!(
            "with `{name}` written out it is longer than {EXPRESSION_BYTES_MAX} bytes"
        ));
    }
    Ok(written)
}
