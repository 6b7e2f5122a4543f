//! A finished symbol: what [`crate::encode`] gives and [`crate::render`] draws.
//!
//! Modules lie in rows of three 64-bit words, module x of a row at bit x % 64 of word x / 64, dark as 1. The largest
//! symbol has 177 modules a side, so a row fits, and whole rows can be masked, scored and drawn at once.

use crate::ec_level::EcLevel;
use crate::version::Version;

/// 177 modules need three words.
pub(crate) const ROW_WORDS: usize = 3;

/// One row of modules. Bits at and above the symbol's size are zero.
pub(crate) type Row = [u64; ROW_WORDS];

/// A QR code symbol of ISO/IEC 18004, without quiet zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub(crate) version: Version,
    pub(crate) ec_level: EcLevel,
    pub(crate) mask: u8,
    pub(crate) rows: Vec<Row>,
}

impl Symbol {
    /// Version, 1 to 40.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version.number()
    }

    /// The level that the symbol really has: it may be above the one asked for, see
    /// [`crate::EncodeOptions::boost_ec`].
    #[must_use]
    pub fn ec_level(&self) -> EcLevel {
        self.ec_level
    }

    /// Data mask pattern, 0 to 7.
    #[must_use]
    pub fn mask(&self) -> u8 {
        self.mask
    }

    /// Modules on each side, without quiet zone: 21 to 177.
    #[must_use]
    pub fn size(&self) -> usize {
        self.rows.len()
    }

    /// Whether the module in column `x` of row `y` is dark. Outside the symbol everything is light, as the quiet zone.
    #[must_use]
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        self.rows.get(y).is_some_and(|row| {
            row.get(x / 64)
                .is_some_and(|word| word >> (x % 64) & 1 == 1)
        })
    }

    /// The dark runs of a row from left to right, as `start..end` columns.
    pub(crate) fn dark_runs(&self, y: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let size = self.size();
        let mut x = 0;
        std::iter::from_fn(move || {
            let start = (x..size).find(|&x| self.is_dark(x, y))?;
            let end = (start..size).find(|&x| !self.is_dark(x, y)).unwrap_or(size);
            x = end;
            Some(start..end)
        })
    }
}

/// Sets or clears one module.
pub(crate) fn set(row: &mut Row, x: usize, dark: bool) {
    let bit = 1 << (x % 64);
    if dark {
        row[x / 64] |= bit;
    } else {
        row[x / 64] &= !bit;
    }
}
