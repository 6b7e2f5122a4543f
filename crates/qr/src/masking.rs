//! Data masking (clause 7.8): tries all eight patterns and keeps the one with the lowest penalty.
//!
//! Every pattern repeats after 6 columns and 12 rows, so its rows are constants and masking a row is one XOR.

use crate::ec_level::EcLevel;
use crate::format_information::{format_bits, format_modules};
use crate::function_patterns::Layout;
use crate::penalty;
use crate::symbol::{ROW_WORDS, Row, set};

pub(crate) const MASKS: usize = 8;
const PERIOD: usize = 12;
const MASK_ROWS: [[Row; PERIOD]; MASKS] = mask_rows();

/// Masks an unmasked symbol with the best pattern and adds the format information. Ties go to the lower number.
pub(crate) fn apply_best(unmasked: &[Row], layout: &Layout, level: EcLevel) -> (u8, Vec<Row>) {
    let mut best = (u64::MAX, 0, Vec::new());
    for mask in 0..MASKS as u8 {
        let candidate = apply(unmasked, layout, level, mask);
        let penalty = penalty::score(&candidate);
        if penalty < best.0 {
            best = (penalty, mask, candidate);
        }
    }
    (best.1, best.2)
}

fn apply(unmasked: &[Row], layout: &Layout, level: EcLevel, mask: u8) -> Vec<Row> {
    let pattern = &MASK_ROWS[usize::from(mask)];
    let mut rows: Vec<Row> = unmasked
        .iter()
        .zip(&layout.reserved)
        .enumerate()
        .map(|(y, (row, reserved))| {
            let turned = &pattern[y % PERIOD];
            std::array::from_fn(|word| row[word] ^ (turned[word] & !reserved[word]))
        })
        .collect();
    let size = rows.len();
    // The patterns run on to the right of the symbol, where rows must stay zero.
    for row in &mut rows {
        for (word, bits) in row.iter_mut().zip(width_mask(size)) {
            *word &= bits;
        }
    }
    for (x, y, dark) in format_modules(format_bits(level, mask), size) {
        set(&mut rows[y], x, dark);
    }
    rows
}

/// A row with the first `width` bits set.
pub(crate) fn width_mask(width: usize) -> Row {
    std::array::from_fn(|word| match width.saturating_sub(word * 64) {
        0 => 0,
        bits @ 1..=63 => (1 << bits) - 1,
        _ => u64::MAX,
    })
}

const fn mask_rows() -> [[Row; PERIOD]; MASKS] {
    let mut rows = [[[0; ROW_WORDS]; PERIOD]; MASKS];
    let mut mask = 0;
    while mask < MASKS {
        let mut y = 0;
        while y < PERIOD {
            let mut x = 0;
            while x < ROW_WORDS * 64 {
                if is_turned(mask, x, y) {
                    rows[mask][y][x / 64] |= 1 << (x % 64);
                }
                x += 1;
            }
            y += 1;
        }
        mask += 1;
    }
    rows
}

/// Table 10, with the standard's i as `y` and j as `x`.
const fn is_turned(mask: usize, x: usize, y: usize) -> bool {
    0 == match mask {
        0 => (y + x) % 2,
        1 => y % 2,
        2 => x % 3,
        3 => (y + x) % 3,
        4 => (y / 2 + x / 3) % 2,
        5 => y * x % 2 + y * x % 3,
        6 => (y * x % 2 + y * x % 3) % 2,
        _ => ((y + x) % 2 + y * x % 3) % 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_repeat_after_the_period() {
        for (mask, pattern) in MASK_ROWS.iter().enumerate() {
            for y in 0..177 {
                for x in 0..177 {
                    let bit = pattern[y % PERIOD][x / 64] >> (x % 64) & 1 == 1;
                    assert_eq!(bit, is_turned(mask, x, y), "mask {mask} at {x} {y}");
                }
            }
        }
    }
}
