//! Bits, most significant first, as clause 7.4 appends them.

/// A growing string of bits. Whole bytes lie in `bytes`; up to seven (between calls) wait in `pending`.
#[derive(Default)]
pub(crate) struct BitStream {
    bytes: Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl BitStream {
    pub(crate) fn with_capacity(bytes: usize) -> BitStream {
        BitStream {
            bytes: Vec::with_capacity(bytes),
            pending: 0,
            pending_bits: 0,
        }
    }

    /// Appends the low `count` bits of `value`; the bits above must be zero.
    pub(crate) fn push(&mut self, value: u32, count: u32) {
        debug_assert!(count <= 32 && u64::from(value) >> count == 0);
        self.pending = self.pending << count | u64::from(value);
        self.pending_bits += count;
        while self.pending_bits >= 8 {
            self.pending_bits -= 8;
            self.bytes.push((self.pending >> self.pending_bits) as u8);
        }
    }

    pub(crate) fn len_bits(&self) -> usize {
        self.bytes.len() * 8 + self.pending_bits as usize
    }

    /// The bytes, the last one filled up with zero bits.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        if self.pending_bits > 0 {
            self.push(0, 8 - self.pending_bits);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_packed_most_significant_first() {
        let mut stream = BitStream::default();
        stream.push(0b0100, 4);
        stream.push(0b1_0000_0001, 9);
        assert_eq!(stream.len_bits(), 13);
        assert_eq!(stream.into_bytes(), [0b0100_1000, 0b0000_1000]);
    }
}
