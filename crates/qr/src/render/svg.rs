//! SVG 1.1: one path for all dark modules, in module units, so that it scales without seams between modules.

use std::fmt::Write as _;

use super::{ImageOptions, RenderError, geometry};
use crate::symbol::Symbol;

/// Draws a symbol as an SVG document. There is no limit of size: a larger `size_px` costs no bytes.
///
/// # Errors
/// When the options cannot be met: see [`RenderError`].
pub fn svg(symbol: &Symbol, options: &ImageOptions) -> Result<String, RenderError> {
    let geometry = geometry(symbol, options)?;
    let (modules, size_px) = (geometry.modules, geometry.size_px);
    let title = options.title.as_deref().unwrap_or("QR code");
    // About 12 bytes for each run, and about a quarter of the modules start one.
    let mut svg = String::with_capacity(512 + symbol.size() * symbol.size() * 3);
    let head = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size_px}\" height=\"{size_px}\" \
         viewBox=\"0 0 {modules} {modules}\" role=\"img\" shape-rendering=\"crispEdges\">\
         <title>{}</title>\
         <path fill=\"{}\" d=\"M0 0h{modules}v{modules}H0z\"/>\
         <path fill=\"{}\" d=\"",
        Escaped(title),
        options.light,
        options.dark
    );
    head.expect("writing to a string cannot fail");
    let quiet = options.quiet_zone as usize;
    for y in 0..symbol.size() {
        for run in symbol.dark_runs(y) {
            push_run(&mut svg, run.start + quiet, y + quiet, run.len());
        }
    }
    svg.push_str("\"/></svg>\n");
    Ok(svg)
}

/// `M{x} {y}h{length}v1h-{length}z`, without the formatting machinery, which would be most of the time.
fn push_run(svg: &mut String, x: usize, y: usize, length: usize) {
    svg.push('M');
    push_number(svg, x);
    svg.push(' ');
    push_number(svg, y);
    svg.push('h');
    push_number(svg, length);
    svg.push_str("v1h-");
    push_number(svg, length);
    svg.push('z');
}

/// A number below 1000: no image has more modules.
fn push_number(svg: &mut String, number: usize) {
    let digit = |value: usize| char::from(b'0' + (value % 10) as u8);
    if number >= 100 {
        svg.push(digit(number / 100));
    }
    if number >= 10 {
        svg.push(digit(number / 10));
    }
    svg.push(digit(number));
}

/// Text made safe for XML. Characters that XML 1.0 cannot hold at all are replaced.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\t' | '\n' | '\r' => f.write_char(' ')?,
                '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => f.write_char('\u{FFFD}')?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_cannot_leave_their_element() {
        fn check(title: &str, want: &str) {
            assert_eq!(Escaped(title).to_string(), want);
        }
        check("Tom & \"Jerry\"", "Tom &amp; &quot;Jerry&quot;");
        check("</title><script>'", "&lt;/title&gt;&lt;script&gt;&#39;");
        check("a\nb\0c", "a b\u{FFFD}c");
    }
}
