//! Variable-length integers and texts, the small change of every format here (LEB128, zigzag for signed numbers).

/// Appends an unsigned number, seven bits a byte, the lowest first.
pub(in crate::tsdb) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number such that small magnitudes are short.
pub(in crate::tsdb) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Appends a text with its length before it.
pub(in crate::tsdb) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// How many bytes [`put_varint`] takes.
pub(super) fn varint_len(value: u64) -> u32 {
    (64 - (value | 1).leading_zeros()).div_ceil(7)
}

/// Reads what the functions above wrote; `None` wherever the bytes end too early or make no sense.
#[derive(Clone)]
pub(in crate::tsdb) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of some bytes.
    pub(in crate::tsdb) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// Whether everything was read.
    pub(in crate::tsdb) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left: bounds what a count read from the bytes may allocate.
    pub(in crate::tsdb) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `len` bytes.
    pub(in crate::tsdb) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// One byte.
    pub(in crate::tsdb) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Four bytes, the lowest first.
    pub(in crate::tsdb) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Eight bytes, the lowest first.
    pub(in crate::tsdb) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// An unsigned number of variable length.
    pub(in crate::tsdb) fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return None;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A variable-length number that is a length or count in memory.
    pub(in crate::tsdb) fn size(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    /// A signed number of variable length.
    pub(in crate::tsdb) fn signed(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A text with its length before it.
    pub(in crate::tsdb) fn text(&mut self) -> Option<&'a str> {
        let len = self.size()?;
        std::str::from_utf8(self.take(len)?).ok()
    }
}
