//! Records on disk: length twice, checksum, payload. Tells a torn tail from decay.
//!
//! The length is written a second time with its bits inverted: a flipped bit in one copy then costs nothing, and a flipped
//! bit in a payload costs that record alone, because the next one is still found. Searching for a marker would do the same
//! but could be fooled by a label value that looks like a record.

/// What a log file begins with.
pub(super) const MAGIC: &[u8; 8] = b"BELFRYWL";

/// Version of the log format.
pub(super) const VERSION: u32 = 1;

/// Bytes of magic and version.
pub(super) const HEADER_LEN: usize = 12;

/// Bytes before a record's payload.
const FRAME_HEADER_LEN: usize = 12;

/// The most bytes in one payload. Writers stay far below; a longer one is a damaged length.
pub(super) const PAYLOAD_BYTES_MAX: usize = 256 << 20;

/// The bytes that begin a log file.
pub(super) fn file_header() -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&VERSION.to_le_bytes());
    header
}

/// Appends a record.
pub(super) fn put(out: &mut Vec<u8>, payload: &[u8]) {
    debug_assert!(
        payload.len() <= PAYLOAD_BYTES_MAX,
        "writers split before this"
    );
    let len = payload.len() as u32;
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&(!len).to_le_bytes());
    out.extend_from_slice(&checksum(len, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

fn checksum(len: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&len.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// What a log file holds after its header.
#[derive(Default)]
pub(super) struct Scan<'a> {
    /// The payloads of sound records, in order.
    pub(super) payloads: Vec<&'a [u8]>,
    /// Damaged records between sound ones.
    pub(super) damaged: u64,
    /// Where the sound part ends: everything after it is a torn tail.
    pub(super) good_len: usize,
}

/// Reads all records of a file (header included in `bytes`). `None`: the header is not one of ours.
pub(super) fn scan(bytes: &[u8]) -> Option<Scan<'_>> {
    if bytes.len() < HEADER_LEN {
        // Cut within the header: a file that was just being made.
        let torn = file_header().starts_with(bytes);
        return torn.then(Scan::default);
    }
    if bytes[..HEADER_LEN] != file_header()[..] {
        return None;
    }
    let mut scan = Scan {
        good_len: HEADER_LEN,
        ..Scan::default()
    };
    let mut damaged_since_good = 0;
    let mut at = HEADER_LEN;
    while at < bytes.len() {
        match next(&bytes[at..]) {
            Next::Sound(payload, len) => {
                at += len;
                scan.payloads.push(payload);
                scan.damaged += damaged_since_good;
                damaged_since_good = 0;
                scan.good_len = at;
            }
            Next::Damaged(len) => {
                at += len;
                damaged_since_good += 1;
            }
            Next::Lost => break,
        }
    }
    Some(scan)
}

enum Next<'a> {
    Sound(&'a [u8], usize),
    Damaged(usize),
    Lost,
}

fn next(bytes: &[u8]) -> Next<'_> {
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    let (Some(len), Some(inverse), Some(expected)) = (word(0), word(4), word(8)) else {
        return Next::Lost;
    };
    let payload =
        |len: u32| bytes.get(FRAME_HEADER_LEN..FRAME_HEADER_LEN.checked_add(len as usize)?);
    for candidate in [len, !inverse] {
        if let Some(payload) = payload(candidate)
            && payload.len() <= PAYLOAD_BYTES_MAX
            && checksum(candidate, payload) == expected
        {
            return Next::Sound(payload, FRAME_HEADER_LEN + payload.len());
        }
    }
    match payload(len) {
        Some(payload) if len == !inverse => Next::Damaged(FRAME_HEADER_LEN + payload.len()),
        _ => Next::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = file_header();
        for payload in payloads {
            put(&mut bytes, payload);
        }
        bytes
    }

    #[test]
    fn every_cut_keeps_whole_records() {
        let payloads: [&[u8]; 3] = [b"first", b"", b"third one"];
        let bytes = file(&payloads);
        for cut in 0..=bytes.len() {
            let found = scan(&bytes[..cut]).expect("a cut file is a torn one");
            assert!(payloads.starts_with(&found.payloads), "cut at {cut}");
            assert!(found.good_len <= cut);
            assert_eq!(found.damaged, 0, "cut at {cut}");
        }
        assert_eq!(scan(&bytes).unwrap().payloads, payloads);
    }

    #[test]
    fn a_flip_costs_at_most_its_record() {
        let payloads: [&[u8]; 3] = [b"first", b"second", b"third"];
        let bytes = file(&payloads);
        for at in HEADER_LEN..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            let found = scan(&flipped).unwrap();
            assert!(found.payloads.len() >= 2, "flip at {at}");
            assert!(
                found
                    .payloads
                    .iter()
                    .all(|payload| payloads.contains(payload)),
                "flip at {at}"
            );
        }
        for at in 0..HEADER_LEN {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert!(scan(&flipped).is_none(), "flip at {at}");
        }
    }
}
