//! What each of the 40 versions holds: ISO/IEC 18004 clause 7.1 (capacities) and table 9 (error correction blocks).
//!
//! Only the two columns of table 9 that cannot be computed are written down; sizes and capacities follow from them.

use crate::ec_level::EcLevel;

pub(crate) const VERSION_MAX: u8 = 40;

/// Error correction codewords in each block, by level and version.
#[rustfmt::skip]
const EC_CODEWORDS_PER_BLOCK: [[u8; 40]; 4] = [
    [ 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
    [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
     28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
     30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
];

/// Number of blocks, by level and version.
#[rustfmt::skip]
const BLOCKS: [[u8; 40]; 4] = [
    [ 1,  1,  1,  1,  1,  2,  2,  2,  2,  4,  4,  4,  4,  4,  6,  6,  6,  6,  7,  8,
      8,  9,  9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
    [ 1,  1,  1,  2,  2,  4,  4,  4,  5,  5,  5,  8,  9,  9, 10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
    [ 1,  1,  2,  2,  4,  4,  6,  6,  8,  8,  8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
     23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
    [ 1,  1,  2,  4,  4,  4,  5,  6,  8,  8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
     25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81],
];

/// A version number that is known to be in 1..=40, so that table look-ups cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u8);

impl Version {
    pub(crate) const MAX: Version = Version(VERSION_MAX);

    pub(crate) fn new(number: u8) -> Option<Version> {
        (1..=VERSION_MAX)
            .contains(&number)
            .then_some(Version(number))
    }

    pub(crate) fn number(self) -> u8 {
        self.0
    }

    /// Position in a table of 40.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0) - 1
    }

    /// Modules on each side.
    pub(crate) fn size(self) -> usize {
        usize::from(self.0) * 4 + 17
    }

    /// Codewords in the symbol: every module that is not function pattern, format or version information, by eights.
    pub(crate) fn codewords(self) -> usize {
        let version = usize::from(self.0);
        let mut modules = (16 * version + 128) * version + 64;
        if version >= 2 {
            let alignment = version / 7 + 2;
            modules -= (25 * alignment - 10) * alignment - 55;
            if version >= 7 {
                modules -= 36;
            }
        }
        modules / 8
    }

    pub(crate) fn ec_codewords_per_block(self, level: EcLevel) -> usize {
        usize::from(EC_CODEWORDS_PER_BLOCK[level.index()][self.index()])
    }

    pub(crate) fn blocks(self, level: EcLevel) -> usize {
        usize::from(BLOCKS[level.index()][self.index()])
    }

    pub(crate) fn data_codewords(self, level: EcLevel) -> usize {
        self.codewords() - self.blocks(level) * self.ec_codewords_per_block(level)
    }

    pub(crate) fn data_bits(self, level: EcLevel) -> u64 {
        self.data_codewords(level) as u64 * 8
    }

    /// Row and column coordinates of alignment pattern centres (annex E), ascending; the table there is regular.
    pub(crate) fn alignment_centres(self) -> Vec<usize> {
        if self.0 == 1 {
            return Vec::new();
        }
        let version = usize::from(self.0);
        let count = version / 7 + 2;
        let step = (version * 8 + count * 3 + 5) / (count * 4 - 4) * 2;
        let last = self.size() - 7;
        let mut centres = vec![6];
        centres.extend((0..count - 1).rev().map(|back| last - back * step));
        centres
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_those_of_the_standard() {
        fn check(version: u8, codewords: usize, data: [usize; 4]) {
            let version = Version::new(version).unwrap();
            assert_eq!(version.codewords(), codewords, "{version:?}");
            assert_eq!(
                EcLevel::ALL.map(|level| version.data_codewords(level)),
                data,
                "{version:?}"
            );
        }
        check(1, 26, [19, 16, 13, 9]);
        check(2, 44, [34, 28, 22, 16]);
        check(7, 196, [156, 124, 88, 66]);
        check(14, 581, [461, 365, 261, 197]);
        check(32, 2465, [1955, 1541, 1115, 845]);
        check(40, 3706, [2956, 2334, 1666, 1276]);
    }

    #[test]
    fn alignment_centres_are_those_of_annex_e() {
        fn check(version: u8, centres: &[usize]) {
            assert_eq!(Version::new(version).unwrap().alignment_centres(), centres);
        }
        check(1, &[]);
        check(2, &[6, 18]);
        check(7, &[6, 22, 38]);
        check(32, &[6, 34, 60, 86, 112, 138]);
        check(36, &[6, 24, 50, 76, 102, 128, 154]);
        check(40, &[6, 30, 58, 86, 114, 142, 170]);
    }

    #[test]
    fn there_is_no_version_0_or_41() {
        assert_eq!(Version::new(0), None);
        assert_eq!(Version::new(41), None);
    }
}
