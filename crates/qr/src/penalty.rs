//! Penalty of a masked symbol (clause 7.8.3): four features that make a symbol hard to read.
//!
//! The standard's text can be read in several ways. This is the reading here:
//!
//! * N1, runs: 3 points for five modules of one colour in a row or column, and 1 for each further one.
//! * N2, blocks: 3 points for every 2 x 2 block of one colour; blocks may overlap.
//! * N3, finder look-alikes: 40 points for every dark-light-dark-dark-dark-light-dark with four light modules before or
//!   after it (once where both are). Modules outside the symbol are light. Only look-alikes of one module a unit count.
//!   Of the readings in use this one gives the masks of the standard's own examples, see `tests/encode.rs`.
//! * N4, balance: 10 points for every whole 5 % by which the share of dark modules differs from 50 %.
//!
//! No reader depends on the choice: any of the eight masks is valid. Rows are scored 64 modules at a time with shifts
//! and population counts; columns the same way, by combining neighbouring rows word by word.

use crate::masking::width_mask;
use crate::symbol::{ROW_WORDS, Row};

const N1: u64 = 3;
const N2: u64 = 3;
const N3: u64 = 40;
const N4: u64 = 10;
/// Light rows above and below, so that vertical windows need no bounds: four before a look-alike, seven and four after.
const ROWS_ABOVE: usize = 4;
const ROWS_BELOW: usize = 10;
const SIZE_MAX: usize = 177;
const PADDED_ROWS_MAX: usize = ROWS_ABOVE + SIZE_MAX + ROWS_BELOW;

/// Scores a square symbol of at most 177 rows.
pub(crate) fn score(rows: &[Row]) -> u64 {
    // Small symbols must not pay for the width of large ones.
    match rows.len() {
        0..=64 => score_words::<1>(rows),
        65..=128 => score_words::<2>(rows),
        _ => score_words::<ROW_WORDS>(rows),
    }
}

fn score_words<const W: usize>(rows: &[Row]) -> u64 {
    let size = rows.len();
    let mut padded = [[0; W]; PADDED_ROWS_MAX];
    for (to, from) in padded[ROWS_ABOVE..].iter_mut().zip(rows) {
        to.copy_from_slice(&from[..W]);
    }
    let padded = &padded[..ROWS_ABOVE + size + ROWS_BELOW];
    let inside = &padded[ROWS_ABOVE..ROWS_ABOVE + size];
    let look_alikes = look_alikes_in_rows(inside) + look_alikes_in_columns(padded);
    let dark = inside.iter().map(count).sum();
    runs_and_blocks(inside) + N3 * look_alikes + N4 * imbalance(dark, (size * size) as u64)
}

/// N1 and N2 together, because both start from which neighbours are equal.
fn runs_and_blocks<const W: usize>(rows: &[[u64; W]]) -> u64 {
    let all = narrowed(width_mask(rows.len()));
    let all_but_last = narrowed(width_mask(rows.len() - 1));
    let (mut fives, mut starts, mut blocks) = (0, 0, 0);
    // Equality of each row with the next, for the last four pairs, and the last row of vertical fives.
    let mut equal = [[0; W]; 4];
    let mut fives_above = [0; W];
    for (y, row) in rows.iter().enumerate() {
        let across: [u64; W] = and(not(xor(*row, right(*row, 1))), all_but_last);
        let pairs = and(across, right(across, 1));
        let run = and(pairs, right(pairs, 2));
        fives += count(&run);
        starts += count(&and(run, not(left(run, 1))));

        let Some(next) = rows.get(y + 1) else { break };
        let down = and(not(xor(*row, *next)), all);
        blocks += count(&and(and(down, right(down, 1)), across));
        equal = [equal[1], equal[2], equal[3], down];
        let run = and(and(equal[0], equal[1]), and(equal[2], equal[3]));
        fives += count(&run);
        starts += count(&and(run, not(fives_above)));
        fives_above = run;
    }
    // A run of n modules holds n - 4 fives, one of which is its first: 3 + (n - 5) points.
    fives + (N1 - 1) * starts + N2 * blocks
}

fn look_alikes_in_rows<const W: usize>(rows: &[[u64; W]]) -> u64 {
    rows.iter()
        .map(|&row| {
            let at: [[u64; W]; 7] = std::array::from_fn(|shift| right(row, shift));
            let pattern = finder(at);
            let after = or(right(or(at[0], right(row, 1)), 7), right(or(row, at[1]), 9));
            let pair = or(left(row, 1), left(row, 2));
            let before = or(pair, left(pair, 2));
            count(&and(pattern, not(and(before, after))))
        })
        .sum()
}

fn look_alikes_in_columns<const W: usize>(padded: &[[u64; W]]) -> u64 {
    padded
        .windows(ROWS_ABOVE + 1 + ROWS_BELOW)
        .map(|window| {
            let at: [[u64; W]; 7] = std::array::from_fn(|shift| window[ROWS_ABOVE + shift]);
            let pattern = finder(at);
            let before = or(or(window[0], window[1]), or(window[2], window[3]));
            let after = or(or(window[11], window[12]), or(window[13], window[14]));
            count(&and(pattern, not(and(before, after))))
        })
        .sum()
}

/// Where the seven given modules are 1011101.
fn finder<const W: usize>(at: [[u64; W]; 7]) -> [u64; W] {
    let dark = and(and(and(at[0], at[2]), and(at[3], at[4])), at[6]);
    and(dark, not(or(at[1], at[5])))
}

/// By how many whole twentieths the share of dark modules differs from a half.
fn imbalance(dark: u64, total: u64) -> u64 {
    (dark * 20).abs_diff(total * 10) / total
}

fn narrowed<const W: usize>(row: Row) -> [u64; W] {
    std::array::from_fn(|word| row[word])
}

fn and<const W: usize>(a: [u64; W], b: [u64; W]) -> [u64; W] {
    std::array::from_fn(|word| a[word] & b[word])
}

fn or<const W: usize>(a: [u64; W], b: [u64; W]) -> [u64; W] {
    std::array::from_fn(|word| a[word] | b[word])
}

fn xor<const W: usize>(a: [u64; W], b: [u64; W]) -> [u64; W] {
    std::array::from_fn(|word| a[word] ^ b[word])
}

fn not<const W: usize>(a: [u64; W]) -> [u64; W] {
    std::array::from_fn(|word| !a[word])
}

/// Bit x of the result is module x + `by`. `by` is below 64.
fn right<const W: usize>(row: [u64; W], by: usize) -> [u64; W] {
    if by == 0 {
        return row;
    }
    std::array::from_fn(|word| {
        let above = row.get(word + 1).map_or(0, |above| above << (64 - by));
        row[word] >> by | above
    })
}

/// Bit x of the result is module x - `by`. `by` is 1 to 63.
fn left<const W: usize>(row: [u64; W], by: usize) -> [u64; W] {
    std::array::from_fn(|word| {
        let below = match word {
            0 => 0,
            _ => row[word - 1] >> (64 - by),
        };
        row[word] << by | below
    })
}

fn count<const W: usize>(row: &[u64; W]) -> u64 {
    row.iter().map(|word| u64::from(word.count_ones())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::set;

    /// The rules module by module, as plainly as they can be written.
    fn plain_score(rows: &[Row]) -> u64 {
        let size = rows.len() as i64;
        let at = |x: i64, y: i64| {
            (0..size).contains(&x)
                && (0..size).contains(&y)
                && rows[y as usize][x as usize / 64] >> (x % 64) & 1 == 1
        };
        let mut score = 0;
        let mut dark = 0;
        for line in 0..size {
            for across in [true, false] {
                let module = |i: i64| if across { at(i, line) } else { at(line, i) };
                let mut run = 1;
                for i in 1..=size {
                    if i < size && module(i) == module(i - 1) {
                        run += 1;
                        continue;
                    }
                    if run >= 5 {
                        score += 3 + (run - 5);
                    }
                    run = 1;
                }
                for i in 0..size {
                    let text: String = (i - 4..i + 11)
                        .map(|i| if module(i) { '1' } else { '0' })
                        .collect();
                    if &text[4..11] == "1011101" {
                        score += 40 * u64::from(text.starts_with("0000") || text.ends_with("0000"));
                    }
                }
            }
            for x in 0..size {
                dark += u64::from(at(x, line));
                let block = [
                    at(x, line),
                    at(x + 1, line),
                    at(x, line + 1),
                    at(x + 1, line + 1),
                ];
                if x + 1 < size && line + 1 < size && block.iter().all(|&m| m == block[0]) {
                    score += 3;
                }
            }
        }
        let total = (size * size) as u64;
        let percent = dark as f64 * 100.0 / total as f64;
        score + 10 * ((percent - 50.0).abs() / 5.0) as u64
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(48))]

        #[test]
        fn words_score_as_single_modules_do(size in 21_usize..=177, seed: u64, sparse: bool) {
            let mut state = seed | 1;
            let mut rows = vec![[0; ROW_WORDS]; size];
            for row in &mut rows {
                let mut dark = false;
                for x in 0..size {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    // Long runs as well as noise.
                    dark = if sparse && state % 4 != 0 { dark } else { state >> 20 & 1 == 1 };
                    set(row, x, dark);
                }
            }
            proptest::prop_assert_eq!(score(&rows), plain_score(&rows));
        }
    }
}
