//! Pictures inside the report: small SVG drawings, so that one file holds everything and prints.

use std::fmt::Write as _;

use model::Timestamp;

use super::facts::Course;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 56.0;
const MARGIN: f64 = 4.0;

/// A course with its target as a dashed line. A gap in the values is a gap in the line.
pub(crate) fn course(
    course: &Course,
    target: f64,
    from: Timestamp,
    until: Timestamp,
    title: &str,
) -> String {
    let known = course
        .iter()
        .map(|(_, value)| *value)
        .filter(|value| value.is_finite());
    let (low, high) = known.fold((target, target), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let room = if high > low {
        (high - low) * 0.1
    } else {
        high.abs().max(1.0) * 0.1
    };
    let (low, high) = (low - room, high + room);
    let y = |value: f64| HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2.0 * MARGIN);
    let length = until.since(from).as_secs_f64().max(1.0);
    let x = |at: Timestamp| MARGIN + at.since(from).as_secs_f64() / length * (WIDTH - 2.0 * MARGIN);
    let mut path = String::new();
    let mut pen_is_down = false;
    for (at, value) in course {
        if value.is_finite() {
            let order = if pen_is_down { 'L' } else { 'M' };
            // Writing to a String does not fail.
            let _ = write!(path, "{order}{:.1} {:.1}", x(*at), y(*value));
            if !pen_is_down {
                // A single value between two gaps shows as a dot.
                path.push_str("h.1");
            }
        }
        pen_is_down = value.is_finite();
    }
    let line = y(target);
    format!(
        "<svg role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\">\
         <line class=\"target\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{line:.1}\" y2=\"{line:.1}\"/>\
         <path class=\"course\" d=\"{path}\"/></svg>",
        title = escaped(title),
    )
}

/// One bar a day: how many.
pub(crate) fn days(counts: &[usize], title: &str) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = WIDTH / counts.len().max(1) as f64;
    let mut bars = String::new();
    for (day, count) in counts.iter().enumerate() {
        let height = *count as f64 / most * (HEIGHT - 2.0 * MARGIN);
        let _ = write!(
            bars,
            "<rect class=\"day\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            day as f64 * width + 1.0,
            HEIGHT - MARGIN - height,
            (width - 2.0).max(1.0),
            height,
        );
    }
    let floor = HEIGHT - MARGIN;
    format!(
        "<svg role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\">{bars}\
         <line class=\"floor\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{floor}\" y2=\"{floor}\"/></svg>",
        title = escaped(title),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_the_values_is_a_gap_in_the_line() {
        let at = |day: i64| Timestamp::from_millis(day * 86_400_000);
        let values: Course = vec![(at(0), 1.0), (at(1), 2.0), (at(2), f64::NAN), (at(3), 2.0)];
        let drawn = course(&values, 1.5, at(0), at(4), "a \"title\"");
        assert_eq!(drawn.matches('M').count(), 2, "{drawn}");
        assert!(drawn.contains("aria-label=\"a &quot;title&quot;\""));
        assert!(!drawn.contains("NaN"));
    }

    #[test]
    fn no_value_draws_only_the_target() {
        let at = Timestamp::from_millis(0);
        let drawn = course(&Vec::new(), 0.0, at, at, "nothing");
        assert!(drawn.contains("d=\"\"") && !drawn.contains("NaN") && !drawn.contains("inf"));
    }
}
