//! Unicode half blocks, for terminals: two modules in the height of one character, so that modules are square.

use crate::symbol::Symbol;

/// The standard's quiet zone. It is drawn, because most terminals are dark around the symbol.
const QUIET_ZONE: usize = 4;

/// Draws a symbol for a terminal with light text on a dark ground: *light* modules are the printed ones.
#[must_use]
pub fn text(symbol: &Symbol) -> String {
    let side = symbol.size() + 2 * QUIET_ZONE;
    // Coordinates left of or above the symbol wrap to huge ones, which are light as all the outside is.
    let is_light = |x: usize, y: usize| {
        !symbol.is_dark(x.wrapping_sub(QUIET_ZONE), y.wrapping_sub(QUIET_ZONE))
    };
    let mut out = String::with_capacity(side * (side / 2 + 1) * 3);
    for y in (0..side).step_by(2) {
        for x in 0..side {
            // Sides are odd: below the last row there is nothing to print.
            out.push(match (is_light(x, y), y + 1 < side && is_light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        out.push('\n');
    }
    out
}
