//! Bit streams: numbers of any width up to 64 bits, the lowest bit first.

/// Appends numbers bit by bit to a byte vector; [`BitWriter::finish`] pads the last byte with zeros.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pending: u128,
    pending_bits: u32,
}

impl<'a> BitWriter<'a> {
    /// A writer at the end of `out`.
    pub(super) fn new(out: &'a mut Vec<u8>) -> BitWriter<'a> {
        BitWriter {
            out,
            pending: 0,
            pending_bits: 0,
        }
    }

    /// Appends the lowest `width` bits of `value`.
    pub(super) fn put(&mut self, value: u64, width: u32) {
        self.pending |= u128::from(value & mask(width)) << self.pending_bits;
        self.pending_bits += width;
        while self.pending_bits >= 8 {
            self.out.push(self.pending as u8);
            self.pending >>= 8;
            self.pending_bits -= 8;
        }
    }

    /// Writes the last, partly filled byte.
    pub(super) fn finish(self) {
        if self.pending_bits > 0 {
            self.out.push(self.pending as u8);
        }
    }
}

/// Reads what [`BitWriter`] wrote.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
    pending: u128,
    pending_bits: u32,
}

impl<'a> BitReader<'a> {
    /// A reader at the first bit.
    pub(super) fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader {
            bytes,
            position: 0,
            pending: 0,
            pending_bits: 0,
        }
    }

    /// The next `width` bits, or `None` past the end.
    pub(super) fn take(&mut self, width: u32) -> Option<u64> {
        while self.pending_bits < width {
            // Eight bytes at once while they last: this loop is the heart of every decode.
            if let Some(word) = self.bytes.get(self.position..self.position + 8)
                && self.pending_bits <= 64
            {
                let word = u64::from_le_bytes(word.try_into().ok()?);
                self.pending |= u128::from(word) << self.pending_bits;
                self.pending_bits += 64;
                self.position += 8;
            } else {
                let byte = *self.bytes.get(self.position)?;
                self.pending |= u128::from(byte) << self.pending_bits;
                self.pending_bits += 8;
                self.position += 1;
            }
        }
        let value = self.pending as u64 & mask(width);
        self.pending >>= width;
        self.pending_bits -= width;
        Some(value)
    }
}

/// The lowest `width` bits set.
pub(super) fn mask(width: u32) -> u64 {
    u64::MAX.checked_shr(64 - width).unwrap_or(0)
}
