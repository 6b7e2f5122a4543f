//! From the bit stream to the final message: terminator and padding (clause 7.4.10), blocks and interleaving (7.6).

use crate::bit_stream::BitStream;
use crate::ec_level::EcLevel;
use crate::error_correction::{EC_CODEWORDS_MAX, remainder_table};
use crate::version::Version;

const TERMINATOR_BITS_MAX: usize = 4;
const PAD_CODEWORDS: [u8; 2] = [0xEC, 0x11];

/// Ends the stream with the terminator and fills the symbol's data capacity.
pub(crate) fn pad(mut stream: BitStream, version: Version, level: EcLevel) -> Vec<u8> {
    let codewords = version.data_codewords(level);
    let free_bits = (codewords * 8).saturating_sub(stream.len_bits());
    stream.push(0, free_bits.min(TERMINATOR_BITS_MAX) as u32);
    let mut data = stream.into_bytes();
    debug_assert!(data.len() <= codewords, "the version was chosen to fit");
    let padding = codewords.saturating_sub(data.len());
    data.extend(PAD_CODEWORDS.iter().cycle().take(padding));
    data
}

/// Splits data into blocks (the longer ones last), adds error correction to each, and interleaves them.
pub(crate) fn interleave(data: &[u8], version: Version, level: EcLevel) -> Vec<u8> {
    let blocks = version.blocks(level);
    let ec_length = version.ec_codewords_per_block(level);
    let table = remainder_table(ec_length);
    let short = data.len() / blocks;
    let long_from = blocks - data.len() % blocks;
    let mut message = vec![0; version.codewords()];
    let mut start = 0;
    for block in 0..blocks {
        let length = short + usize::from(block >= long_from);
        let codewords = &data[start..start + length];
        start += length;
        for (at, &codeword) in codewords[..short].iter().enumerate() {
            message[at * blocks + block] = codeword;
        }
        // The extra codeword of a long block: only the long blocks have a place in that last column.
        if let Some(&codeword) = codewords.get(short) {
            message[short * blocks + block - long_from] = codeword;
        }
        let mut ec = [0; EC_CODEWORDS_MAX];
        table.compute(codewords, &mut ec);
        for (at, &codeword) in ec[..ec_length].iter().enumerate() {
            message[data.len() + at * blocks + block] = codeword;
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_alternates_after_the_terminator() {
        fn check(bits: usize, want: &[u8]) {
            let mut stream = BitStream::default();
            for _ in 0..bits {
                stream.push(1, 1);
            }
            let version = Version::new(1).unwrap();
            assert_eq!(pad(stream, version, EcLevel::High), want, "{bits} bits");
        }
        check(0, &[0, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11]);
        check(4, &[0xF0, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11]);
        check(5, &[0xF8, 0, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC]);
        check(70, &[255, 255, 255, 255, 255, 255, 255, 255, 0b1111_1100]);
        check(72, &[255; 9]);
    }

    #[test]
    fn blocks_are_interleaved_column_by_column() {
        // 5-Q: two blocks of 15 and two of 16 data codewords, 18 error correction codewords each.
        let data: Vec<u8> = (0..62).collect();
        let message = interleave(&data, Version::new(5).unwrap(), EcLevel::Quartile);
        assert_eq!(message.len(), 134);
        assert_eq!(message[..8], [0, 15, 30, 46, 1, 16, 31, 47]);
        assert_eq!(message[56..62], [14, 29, 44, 60, 45, 61]);
    }
}
