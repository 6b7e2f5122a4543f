//! Function patterns and codeword placement (clauses 6.3 and 7.7.3): everything of a symbol that depends on the version
//! alone. It is worked out once for each version and kept: all forty take about a megabyte.

use std::sync::OnceLock;

use crate::format_information;
use crate::symbol::{ROW_WORDS, Row, set};
use crate::version::{VERSION_MAX, Version};

static LAYOUTS: [OnceLock<Layout>; VERSION_MAX as usize] =
    [const { OnceLock::new() }; VERSION_MAX as usize];

/// A symbol before its data.
pub(crate) struct Layout {
    /// Finder, timing and alignment patterns and version information; format information is still light.
    pub(crate) dark: Vec<Row>,
    /// Modules that no codeword may use and no mask may turn.
    pub(crate) reserved: Vec<Row>,
    /// Column and row of each module of the encoding region, in the order in which message bits fill it.
    pub(crate) placement: Vec<(u8, u8)>,
}

/// The layout of a version.
pub(crate) fn layout(version: Version) -> &'static Layout {
    LAYOUTS[version.index()].get_or_init(|| Layout::new(version))
}

impl Layout {
    fn new(version: Version) -> Layout {
        let size = version.size();
        let mut layout = Layout {
            dark: vec![[0; ROW_WORDS]; size],
            reserved: vec![[0; ROW_WORDS]; size],
            placement: Vec::new(),
        };
        layout.draw_timing(size);
        // Finders come after timing, which they cover.
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] {
            layout.draw_finder(x, y, size);
        }
        layout.draw_alignments(version);
        for (x, y, dark) in format_information::version_modules(version) {
            layout.fix(x, y, dark);
        }
        for (x, y, _) in format_information::format_modules(0, size) {
            layout.fix(x, y, false);
        }
        layout.placement = layout.place(size);
        layout
    }

    fn fix(&mut self, x: usize, y: usize, dark: bool) {
        set(&mut self.dark[y], x, dark);
        set(&mut self.reserved[y], x, true);
    }

    fn draw_timing(&mut self, size: usize) {
        for at in 0..size {
            self.fix(at, 6, at % 2 == 0);
            self.fix(6, at, at % 2 == 0);
        }
    }

    /// A finder pattern with its separator; the separator's far sides lie outside the symbol.
    fn draw_finder(&mut self, centre_x: usize, centre_y: usize, size: usize) {
        for y in centre_y.saturating_sub(4)..(centre_y + 5).min(size) {
            for x in centre_x.saturating_sub(4)..(centre_x + 5).min(size) {
                let ring = x.abs_diff(centre_x).max(y.abs_diff(centre_y));
                self.fix(x, y, ring != 2 && ring != 4);
            }
        }
    }

    fn draw_alignments(&mut self, version: Version) {
        let centres = version.alignment_centres();
        let last = version.size() - 7;
        for &centre_y in &centres {
            for &centre_x in &centres {
                let under_finder = [(6, 6), (last, 6), (6, last)].contains(&(centre_x, centre_y));
                if under_finder {
                    continue;
                }
                for y in centre_y - 2..=centre_y + 2 {
                    for x in centre_x - 2..=centre_x + 2 {
                        let ring = x.abs_diff(centre_x).max(y.abs_diff(centre_y));
                        self.fix(x, y, ring != 1);
                    }
                }
            }
        }
    }

    /// Two columns at a time from the right edge, up and down in turn, passing over the vertical timing pattern.
    fn place(&self, size: usize) -> Vec<(u8, u8)> {
        let mut order = Vec::with_capacity(size * size);
        let column_pairs = (7..size).rev().step_by(2).chain([5, 3, 1]);
        for (pair, right) in column_pairs.enumerate() {
            for step in 0..size {
                let y = if pair % 2 == 0 { size - 1 - step } else { step };
                for x in [right, right - 1] {
                    if self.reserved[y][x / 64] >> (x % 64) & 1 == 0 {
                        // 177 modules a side: both fit a byte.
                        order.push((x as u8, y as u8));
                    }
                }
            }
        }
        order.shrink_to_fit();
        order
    }

    /// The symbol with the message in it, unmasked. The few remainder modules after the message stay light.
    pub(crate) fn with_message(&self, message: &[u8]) -> Vec<Row> {
        let mut rows = self.dark.clone();
        for (&codeword, modules) in message.iter().zip(self.placement.chunks_exact(8)) {
            for (bit, &(x, y)) in modules.iter().enumerate() {
                let value = u64::from(codeword >> (7 - bit) & 1);
                rows[usize::from(y)][usize::from(x / 64)] |= value << (x % 64);
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_region_holds_the_codewords_and_less_than_one_more() {
        for number in 1..=VERSION_MAX {
            let version = Version::new(number).unwrap();
            let layout = layout(version);
            assert_eq!(layout.placement.len() / 8, version.codewords(), "{number}");
            let distinct: std::collections::BTreeSet<_> = layout.placement.iter().collect();
            assert_eq!(distinct.len(), layout.placement.len(), "{number}");
        }
    }
}
