//! Format information (clause 7.9) and version information (clause 7.10): BCH codes and where their bits lie.

use crate::ec_level::EcLevel;
use crate::version::Version;

const FORMAT_GENERATOR: u32 = 0x537;
const FORMAT_MASK: u32 = 0x5412;
const VERSION_GENERATOR: u32 = 0x1F25;
/// Smaller symbols tell their version by their size.
const VERSION_WITH_INFORMATION: u8 = 7;

/// The 15 bits for a level and a data mask.
pub(crate) fn format_bits(level: EcLevel, mask: u8) -> u32 {
    let level_bits = match level {
        EcLevel::Low => 0b01,
        EcLevel::Medium => 0b00,
        EcLevel::Quartile => 0b11,
        EcLevel::High => 0b10,
    };
    let data = level_bits << 3 | u32::from(mask);
    (data << 10 | remainder(data, 10, FORMAT_GENERATOR)) ^ FORMAT_MASK
}

/// Column, row and colour of both copies of the format information, and of the one module that is always dark.
pub(crate) fn format_modules(bits: u32, size: usize) -> impl Iterator<Item = (usize, usize, bool)> {
    let around_top_left = move |bit: usize| match bit {
        0..=5 => (8, bit),
        6 => (8, 7),
        7 => (8, 8),
        8 => (7, 8),
        _ => (14 - bit, 8),
    };
    let at_the_other_two = move |bit: usize| match bit {
        0..=7 => (size - 1 - bit, 8),
        _ => (8, size + bit - 15),
    };
    (0..15)
        .flat_map(move |bit| {
            let dark = bits >> bit & 1 == 1;
            [around_top_left(bit), at_the_other_two(bit)].map(|(x, y)| (x, y, dark))
        })
        .chain([(8, size - 8, true)])
}

/// The 18 bits for a version.
fn version_bits(version: Version) -> u32 {
    let data = u32::from(version.number());
    data << 12 | remainder(data, 12, VERSION_GENERATOR)
}

/// Column, row and colour of both copies of the version information; none below version 7.
pub(crate) fn version_modules(version: Version) -> impl Iterator<Item = (usize, usize, bool)> {
    let bits = version_bits(version);
    let first = version.size() - 11;
    let count = if version.number() >= VERSION_WITH_INFORMATION {
        18
    } else {
        0
    };
    (0..count).flat_map(move |bit| {
        let dark = bits >> bit & 1 == 1;
        let (near, far) = (bit / 3, first + bit % 3);
        [(far, near, dark), (near, far, dark)]
    })
}

/// The remainder of `data` times x^`degree` by `generator`, over the field of two elements.
fn remainder(data: u32, degree: u32, generator: u32) -> u32 {
    (0..degree).fold(data, |rest, _| {
        let carry = rest >> (degree - 1) & 1;
        (rest << 1) ^ (carry * generator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_information_is_that_of_annex_c() {
        fn check(level: EcLevel, mask: u8, want: u32) {
            assert_eq!(format_bits(level, mask), want, "{level} {mask}");
        }
        check(EcLevel::Medium, 0, 0x5412);
        check(EcLevel::Medium, 5, 0x40CE);
        check(EcLevel::Low, 0, 0x77C4);
        check(EcLevel::Low, 7, 0x6976);
        check(EcLevel::High, 0, 0x1689);
        check(EcLevel::Quartile, 7, 0x2BED);
    }

    #[test]
    fn version_information_is_that_of_annex_d() {
        fn check(version: u8, want: u32) {
            assert_eq!(version_bits(Version::new(version).unwrap()), want);
        }
        check(7, 0x07C94);
        check(8, 0x085BC);
        check(21, 0x15683);
        check(40, 0x28C69);
    }
}
