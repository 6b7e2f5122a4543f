//! A zlib stream (RFC 1950) of one deflate block (RFC 1951) with the fixed Huffman codes, for bitmaps of large pixels.
//!
//! A general compressor hashes its input to find repeats. In a scaled-up bitmap they are in two known places: the byte
//! before (inside a module) and the byte above (the rest of a module's rows, and whatever two rows of modules share).
//! Looking only there is several times faster than the fastest general one; see research/qr.md, 2.

const MATCH_MIN: usize = 3;
const MATCH_MAX: usize = 258;
const END_OF_BLOCK: usize = 256;
const ADLER_MODULUS: u32 = 65_521;
/// Most bytes whose Adler sums cannot overflow 32 bits before they are reduced (as zlib has it).
const ADLER_CHUNK: usize = 5552;
/// CM 8, window 32 KiB; no dictionary, fastest level; a multiple of 31.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];
/// The window of deflate: no distance may be longer.
pub(crate) const DISTANCE_MAX: usize = 32_768;

/// Reversed code and its length for each literal and length symbol: deflate packs codes from their top bit on.
const CODES: [(u16, u8); 288] = fixed_codes();
/// Symbol, extra bits' value and their number, for each match length from `MATCH_MIN`.
const LENGTHS: [(u16, u16, u8); MATCH_MAX - MATCH_MIN + 1] = length_symbols();

/// Compresses an image whose rows are `stride` bytes long.
pub(crate) fn zlib(data: &[u8], stride: usize) -> Vec<u8> {
    debug_assert!((1..=DISTANCE_MAX).contains(&stride));
    let mut out = BitWriter {
        bytes: Vec::with_capacity(data.len() / 16 + 64),
        pending: 0,
        pending_bits: 0,
    };
    out.bytes.extend(ZLIB_HEADER);
    // Final block, fixed codes.
    out.push(0b011, 3);
    let above = distance_code(stride);
    let before = distance_code(1);
    let mut at = 0;
    while at < data.len() {
        let longest = data.len().min(at + MATCH_MAX) - at;
        let length_above = repeated(data, at, stride, longest);
        // Nothing beats a full match; otherwise the byte before may go on for longer.
        let length_before = match length_above {
            MATCH_MAX => 0,
            _ => repeated(data, at, 1, longest),
        };
        let (length, distance) = if length_before >= length_above {
            (length_before, before)
        } else {
            (length_above, above)
        };
        if length < MATCH_MIN {
            out.push_symbol(usize::from(data[at]));
            at += 1;
            continue;
        }
        let (symbol, extra, extra_bits) = LENGTHS[length - MATCH_MIN];
        out.push_symbol(usize::from(symbol));
        out.push(extra.into(), extra_bits);
        out.push(distance.code, 5);
        out.push(distance.extra, distance.extra_bits);
        at += length;
    }
    out.push_symbol(END_OF_BLOCK);
    let mut bytes = out.finish();
    bytes.extend(adler32(data).to_be_bytes());
    bytes
}

/// How many bytes from `at` on equal those `distance` earlier.
fn repeated(data: &[u8], at: usize, distance: usize, longest: usize) -> usize {
    let Some(from) = at.checked_sub(distance) else {
        return 0;
    };
    let (source, target) = (&data[from..from + longest], &data[at..at + longest]);
    // Most matches are whole rows: compare eight bytes at a time, then the odd ones.
    let words = source
        .chunks_exact(8)
        .zip(target.chunks_exact(8))
        .take_while(|(a, b)| a == b)
        .count();
    let start = words * 8;
    let rest = source[start..].iter().zip(&target[start..]);
    start + rest.take_while(|(a, b)| a == b).count()
}

#[derive(Clone, Copy)]
struct Distance {
    /// Five bits, reversed.
    code: u32,
    extra: u32,
    extra_bits: u8,
}

/// The fixed code of a distance from 1 to 32768.
fn distance_code(distance: usize) -> Distance {
    let offset = distance as u32 - 1;
    let (code, extra_bits) = match offset {
        0..=3 => (offset, 0),
        _ => {
            let extra_bits = offset.ilog2() - 1;
            (2 * extra_bits + 2 + (offset >> extra_bits & 1), extra_bits)
        }
    };
    Distance {
        code: code.reverse_bits() >> 27,
        extra: offset & ((1 << extra_bits) - 1),
        extra_bits: extra_bits as u8,
    }
}

fn adler32(data: &[u8]) -> u32 {
    let (mut low, mut high) = (1, 0);
    for chunk in data.chunks(ADLER_CHUNK) {
        for &byte in chunk {
            low += u32::from(byte);
            high += low;
        }
        low %= ADLER_MODULUS;
        high %= ADLER_MODULUS;
    }
    high << 16 | low
}

/// Bits, least significant first.
struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl BitWriter {
    fn push(&mut self, value: u32, bits: u8) {
        self.pending |= u64::from(value) << self.pending_bits;
        self.pending_bits += u32::from(bits);
        if self.pending_bits >= 32 {
            self.bytes.extend((self.pending as u32).to_le_bytes());
            self.pending >>= 32;
            self.pending_bits -= 32;
        }
    }

    fn push_symbol(&mut self, symbol: usize) {
        let (code, bits) = CODES[symbol];
        self.push(code.into(), bits);
    }

    fn finish(mut self) -> Vec<u8> {
        let used = self.pending_bits.div_ceil(8) as usize;
        self.bytes.extend(&self.pending.to_le_bytes()[..used]);
        self.bytes
    }
}

const fn fixed_codes() -> [(u16, u8); 288] {
    let mut codes = [(0, 0); 288];
    let mut symbol: u16 = 0;
    while symbol < 288 {
        let (code, bits): (u16, u8) = match symbol {
            0..=143 => (0x30 + symbol, 8),
            144..=255 => (0x190 + symbol - 144, 9),
            256..=279 => (symbol - 256, 7),
            _ => (0xC0 + symbol - 280, 8),
        };
        codes[symbol as usize] = (code.reverse_bits() >> (16 - bits), bits);
        symbol += 1;
    }
    codes
}

const fn length_symbols() -> [(u16, u16, u8); MATCH_MAX - MATCH_MIN + 1] {
    let mut lengths = [(0, 0, 0); MATCH_MAX - MATCH_MIN + 1];
    let mut offset: u16 = 0;
    while (offset as usize) < lengths.len() {
        let (symbol, extra_bits) = match offset {
            0..=7 => (257 + offset, 0),
            255 => (285, 0),
            _ => {
                let extra_bits = offset.ilog2() - 2;
                let within = offset >> extra_bits & 0b11;
                (261 + 4 * extra_bits as u16 + within, extra_bits as u8)
            }
        };
        let extra = offset & ((1 << extra_bits) - 1);
        lengths[offset as usize] = (symbol, if offset == 255 { 0 } else { extra }, extra_bits);
        offset += 1;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn check(data: &[u8], stride: usize) {
        let mut inflated = Vec::new();
        flate2::read::ZlibDecoder::new(&zlib(data, stride)[..])
            .read_to_end(&mut inflated)
            .expect("a valid stream with the right checksum");
        assert!(inflated == data, "{} bytes, stride {stride}", data.len());
    }

    #[test]
    fn every_length_and_distance_has_its_code() {
        for length in 0..=600 {
            // A run of the byte before, between two bytes that end it.
            let mut data = vec![1];
            data.extend(vec![0xF0; length]);
            data.push(2);
            check(&data, 1);
        }
        for stride in (1..600).chain([1024, 4097, DISTANCE_MAX]) {
            let row: Vec<u8> = (0..stride).map(|at| (at * at / 7) as u8).collect();
            check(&row.repeat(3), stride);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_survive(data: Vec<u8>, stride in 1_usize..40) {
            check(&data, stride);
        }
    }
}
