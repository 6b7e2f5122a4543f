//! Reed-Solomon error correction codewords (clause 7.5.2): the remainder of the data by a generator polynomial.
//!
//! The remainder is a shift register of at most 30 bytes, kept in two 128-bit words; one table look-up and one shift
//! take in a whole codeword. A table has 256 entries of 32 bytes, one table for each of the 13 generator degrees in
//! use, filled when first needed.

use std::sync::OnceLock;

/// The field's polynomial x^8 + x^4 + x^3 + x^2 + 1.
const FIELD_POLYNOMIAL: u16 = 0x11D;
/// No version has more error correction codewords in a block; the register holds 32.
pub(crate) const EC_CODEWORDS_MAX: usize = 30;

const TABLES: ([u8; 510], [u8; 256]) = exp_log_tables();
const EXP: [u8; 510] = TABLES.0;
const LOG: [u8; 256] = TABLES.1;

static REMAINDERS: [OnceLock<RemainderTable>; EC_CODEWORDS_MAX + 1] =
    [const { OnceLock::new() }; EC_CODEWORDS_MAX + 1];

/// 32 bytes, the first in the top byte of `.0`.
type Register = (u128, u128);

/// For each leading codeword, that multiple of the generator polynomial (without its leading term).
pub(crate) struct RemainderTable {
    multiples: Vec<Register>,
    degree: usize,
}

/// The table for blocks with `degree` error correction codewords (1 to 30).
pub(crate) fn remainder_table(degree: usize) -> &'static RemainderTable {
    REMAINDERS[degree].get_or_init(|| RemainderTable::new(degree))
}

impl RemainderTable {
    fn new(degree: usize) -> RemainderTable {
        let generator = generator_polynomial(degree);
        let multiple = |factor: u8| {
            let mut bytes = [0; 32];
            for (byte, &coefficient) in bytes.iter_mut().zip(&generator) {
                *byte = multiply(coefficient, factor);
            }
            register(bytes)
        };
        RemainderTable {
            multiples: (0..=u8::MAX).map(multiple).collect(),
            degree,
        }
    }

    /// Writes the error correction codewords of one block to `ec`, which has room for `degree` of them.
    pub(crate) fn compute(&self, data: &[u8], ec: &mut [u8; EC_CODEWORDS_MAX]) {
        let (mut high, mut low) = (0_u128, 0_u128);
        for &codeword in data {
            let factor = (high >> 120) as u8 ^ codeword;
            let multiple = self.multiples[usize::from(factor)];
            high = (high << 8 | low >> 120) ^ multiple.0;
            low = low << 8 ^ multiple.1;
        }
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&high.to_be_bytes());
        bytes[16..].copy_from_slice(&low.to_be_bytes());
        ec[..self.degree].copy_from_slice(&bytes[..self.degree]);
    }
}

fn register(bytes: [u8; 32]) -> Register {
    let half = |from: usize| {
        bytes[from..from + 16]
            .iter()
            .fold(0, |word, &byte| word << 8 | u128::from(byte))
    };
    (half(0), half(16))
}

/// The product of (x - a^i) for i below `degree`, highest power first, without the leading 1.
fn generator_polynomial(degree: usize) -> Vec<u8> {
    let mut coefficients = vec![0; degree];
    coefficients[degree - 1] = 1;
    for &root in &EXP[..degree] {
        for at in 0..degree {
            let above = coefficients.get(at + 1).copied().unwrap_or(0);
            coefficients[at] = multiply(coefficients[at], root) ^ above;
        }
    }
    coefficients
}

fn multiply(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 {
        return 0;
    }
    EXP[usize::from(LOG[usize::from(a)]) + usize::from(LOG[usize::from(b)])]
}

const fn exp_log_tables() -> ([u8; 510], [u8; 256]) {
    let mut exp = [0; 510];
    let mut log = [0; 256];
    let mut value: u16 = 1;
    let mut power = 0;
    while power < 255 {
        exp[power] = value as u8;
        exp[power + 255] = value as u8;
        log[value as usize] = power as u8;
        value <<= 1;
        if value > 0xFF {
            value ^= FIELD_POLYNOMIAL;
        }
        power += 1;
    }
    (exp, log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codewords_are_those_of_worked_examples() {
        fn check(data: &[u8], want: &[u8]) {
            let mut ec = [0; EC_CODEWORDS_MAX];
            remainder_table(want.len()).compute(data, &mut ec);
            assert_eq!(&ec[..want.len()], want);
        }
        // ISO/IEC 18004 annex I: "01234567" in 1-M.
        check(
            &[
                16, 32, 12, 86, 97, 128, 236, 17, 236, 17, 236, 17, 236, 17, 236, 17,
            ],
            &[165, 36, 212, 193, 237, 54, 199, 135, 44, 85],
        );
        // "HELLO WORLD" in 1-M.
        check(
            &[
                32, 91, 11, 120, 209, 114, 220, 77, 67, 64, 236, 17, 236, 17, 236, 17,
            ],
            &[196, 35, 39, 119, 235, 215, 231, 226, 93, 23],
        );
    }

    #[test]
    fn the_generator_vanishes_at_its_roots() {
        for degree in 1..=EC_CODEWORDS_MAX {
            let generator = generator_polynomial(degree);
            for &root in &EXP[..degree] {
                let value = generator
                    .iter()
                    .fold(1, |value, &coefficient| multiply(value, root) ^ coefficient);
                assert_eq!(value, 0, "degree {degree}");
            }
        }
    }
}
