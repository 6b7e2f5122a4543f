//! Segmentation (clause 7.4): which characters go in numeric, alphanumeric or byte mode, for the fewest bits.
//!
//! Dynamic programming over the characters finds the true optimum; the greedy look-ahead of annex J does not, and a
//! symbol that is one version larger than needed is harder to scan. Costs are kept in sixths of a bit, because a digit
//! costs 10/3 bits and an alphanumeric character 11/2; both become exact when a segment ends and is rounded up.
//!
//! Kanji mode is left out. It pays only for Shift-JIS text, and generators that looked for Shift-JIS pairs inside UTF-8
//! bytes corrupted two thirds of non-ASCII text (research/qr.md, 1.3); UTF-8 under ECI 26 is read right everywhere.

use std::ops::Range;

use crate::bit_stream::BitStream;
use crate::version::Version;

const MODES: usize = 3;
/// Cost of a character that a mode cannot hold. Far above any real cost, far below overflow.
const IMPOSSIBLE: u64 = u64::MAX / 4;
const NOT_ALPHANUMERIC: u8 = u8::MAX;
const ALPHANUMERIC: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const ALPHANUMERIC_VALUE: [u8; 256] = alphanumeric_values();
const MODE_INDICATOR_BITS: u32 = 4;
const ECI_INDICATOR: u32 = 0b0111;
/// ECI assignment number of UTF-8 (AIM ECI register).
const ECI_UTF8: u32 = 26;
/// Indicator and an assignment number below 128.
pub(crate) const ECI_HEADER_BITS: u64 = 12;

/// How the characters of a segment are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Numeric,
    Alphanumeric,
    Byte,
}

impl Mode {
    const ALL: [Mode; MODES] = [Mode::Numeric, Mode::Alphanumeric, Mode::Byte];

    fn indicator(self) -> u32 {
        match self {
            Mode::Numeric => 0b0001,
            Mode::Alphanumeric => 0b0010,
            Mode::Byte => 0b0100,
        }
    }

    /// Width of the character count (table 3).
    fn count_bits(self, class: VersionClass) -> u32 {
        let widths = match self {
            Mode::Numeric => [10, 12, 14],
            Mode::Alphanumeric => [9, 11, 13],
            Mode::Byte => [8, 16, 16],
        };
        widths[class as usize]
    }

    fn cost_sixths(self, byte: u8) -> u64 {
        match self {
            Mode::Numeric if byte.is_ascii_digit() => 20,
            Mode::Alphanumeric if alphanumeric_value(byte) != NOT_ALPHANUMERIC => 33,
            Mode::Byte => 48,
            Mode::Numeric | Mode::Alphanumeric => IMPOSSIBLE,
        }
    }
}

/// Versions whose character counts have the same widths, so that one segmentation serves them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VersionClass {
    Small = 0,
    Middle = 1,
    Large = 2,
}

impl VersionClass {
    pub(crate) const ALL: [VersionClass; 3] = [
        VersionClass::Small,
        VersionClass::Middle,
        VersionClass::Large,
    ];

    pub(crate) fn versions(self) -> impl DoubleEndedIterator<Item = Version> {
        let numbers = match self {
            VersionClass::Small => 1..=9,
            VersionClass::Middle => 10..=26,
            VersionClass::Large => 27..=40,
        };
        numbers.filter_map(Version::new)
    }
}

/// A run of bytes in one mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) mode: Mode,
    pub(crate) range: Range<usize>,
}

/// The cheapest way to write some data in one class of versions.
pub(crate) struct Segmentation {
    pub(crate) class: VersionClass,
    pub(crate) segments: Vec<Segment>,
    /// Exact length, without ECI header and terminator.
    pub(crate) bits: u64,
}

/// Finds the shortest segmentation. Takes one byte of working memory for each byte of data.
pub(crate) fn segment(data: &[u8], class: VersionClass) -> Segmentation {
    let header = Mode::ALL.map(|mode| u64::from(MODE_INDICATOR_BITS + mode.count_bits(class)) * 6);
    // `cost[m]`: the cheapest way to have written everything so far and stand in a segment of mode m, header paid.
    let mut cost = header;
    let mut came_from = Vec::with_capacity(data.len());
    for &byte in data {
        let mut next = [0; MODES];
        for (mode, slot) in Mode::ALL.into_iter().zip(&mut next) {
            // `min` keeps sums of the impossible from growing without bound.
            *slot = (cost[mode as usize] + mode.cost_sixths(byte)).min(IMPOSSIBLE);
        }
        let stayed = next;
        let mut packed = 0;
        for to in 0..MODES {
            let mut from = to;
            for (candidate, cost) in stayed.iter().enumerate() {
                let switched = cost.div_ceil(6) * 6 + header[to];
                if switched < next[to] {
                    next[to] = switched;
                    from = candidate;
                }
            }
            packed |= (from as u8) << (2 * to);
        }
        cost = next;
        came_from.push(packed);
    }
    let last = (0..MODES).min_by_key(|&mode| cost[mode]).unwrap_or(0);
    Segmentation {
        class,
        segments: trace_back(&came_from, last),
        bits: cost[last].div_ceil(6),
    }
}

/// Follows the choices from the last character to the first and joins neighbours of one mode.
fn trace_back(came_from: &[u8], last: usize) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut mode = last;
    for (at, packed) in came_from.iter().enumerate().rev() {
        mode = usize::from(packed >> (2 * mode) & 0b11);
        match segments.last_mut() {
            Some(segment) if segment.mode == Mode::ALL[mode] => segment.range.start = at,
            _ => segments.push(Segment {
                mode: Mode::ALL[mode],
                range: at..at + 1,
            }),
        }
    }
    segments.reverse();
    segments
}

/// Declares that byte segments hold UTF-8.
pub(crate) fn write_eci_utf8(stream: &mut BitStream) {
    stream.push(ECI_INDICATOR, 4);
    stream.push(ECI_UTF8, 8);
}

/// Writes mode indicators, counts and packed characters.
pub(crate) fn write_segments(data: &[u8], segmentation: &Segmentation, stream: &mut BitStream) {
    for segment in &segmentation.segments {
        let bytes = &data[segment.range.clone()];
        stream.push(segment.mode.indicator(), MODE_INDICATOR_BITS);
        // A segment that fits the symbol fits its count: table 3 is made so.
        stream.push(
            bytes.len() as u32,
            segment.mode.count_bits(segmentation.class),
        );
        match segment.mode {
            Mode::Numeric => write_numeric(bytes, stream),
            Mode::Alphanumeric => write_alphanumeric(bytes, stream),
            Mode::Byte => bytes.iter().for_each(|&byte| stream.push(byte.into(), 8)),
        }
    }
}

fn write_numeric(digits: &[u8], stream: &mut BitStream) {
    for group in digits.chunks(3) {
        let value = group
            .iter()
            .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        stream.push(value, group.len() as u32 * 3 + 1);
    }
}

fn write_alphanumeric(text: &[u8], stream: &mut BitStream) {
    for pair in text.chunks(2) {
        let value = pair.iter().fold(0, |value, &byte| {
            value * 45 + u32::from(alphanumeric_value(byte))
        });
        stream.push(value, pair.len() as u32 * 5 + 1);
    }
}

fn alphanumeric_value(byte: u8) -> u8 {
    ALPHANUMERIC_VALUE[usize::from(byte)]
}

const fn alphanumeric_values() -> [u8; 256] {
    let mut values = [NOT_ALPHANUMERIC; 256];
    let mut value = 0;
    while value < ALPHANUMERIC.len() {
        values[ALPHANUMERIC[value] as usize] = value as u8;
        value += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a segmentation as `N:0-4 B:4-9`.
    fn shown(data: &str, class: VersionClass) -> String {
        let segmentation = segment(data.as_bytes(), class);
        let mut stream = BitStream::default();
        write_segments(data.as_bytes(), &segmentation, &mut stream);
        assert_eq!(
            stream.len_bits() as u64,
            segmentation.bits,
            "the plan's length is exact: {data}"
        );
        segmentation
            .segments
            .iter()
            .map(|segment| {
                let mode = &format!("{:?}", segment.mode)[..1];
                format!("{mode}:{}-{}", segment.range.start, segment.range.end)
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn characters_go_where_they_are_cheapest() {
        fn check(data: &str, want: &str) {
            assert_eq!(shown(data, VersionClass::Small), want, "{data}");
        }
        check("1", "N:0-1");
        check("0123456789", "N:0-10");
        check("HELLO WORLD", "A:0-11");
        check("hello", "B:0-5");
        check("A1234567890123", "A:0-1 N:1-14");
        check("a12", "B:0-3");
        check("a123456", "B:0-1 N:1-7");
        check("ABCDEFGHIJKLMNOPé", "A:0-16 B:16-18");
        check("HTTPS://EXAMPLE.COM/id", "A:0-20 B:20-22");
    }

    #[test]
    fn no_segmentation_of_short_data_is_shorter() {
        // All 3^n assignments of modes, for every string of 6 over one character of each kind.
        for code in 0..3_usize.pow(6) {
            let data: Vec<u8> = (0..6)
                .map(|at| b"7Zz"[code / 3_usize.pow(at) % 3])
                .collect();
            for class in VersionClass::ALL {
                assert_eq!(
                    segment(&data, class).bits,
                    shortest_by_trying(&data, class),
                    "{data:?} {class:?}"
                );
            }
        }
    }

    fn shortest_by_trying(data: &[u8], class: VersionClass) -> u64 {
        let assignments = 3_usize.pow(data.len() as u32);
        let length = |code: usize| -> Option<u64> {
            let mut modes = data.iter().enumerate().map(|(at, &byte)| {
                let mode = Mode::ALL[code / 3_usize.pow(at as u32) % 3];
                (mode.cost_sixths(byte) != IMPOSSIBLE).then_some((mode, mode.cost_sixths(byte)))
            });
            let mut bits = 0;
            let mut run: Option<(Mode, u64)> = None;
            modes.try_for_each(|step| {
                let (mode, cost) = step?;
                run = match run {
                    Some((current, sum)) if current == mode => Some((mode, sum + cost)),
                    _ => {
                        bits += run.map_or(0, |(_, sum)| sum.div_ceil(6));
                        bits += u64::from(4 + mode.count_bits(class));
                        Some((mode, cost))
                    }
                };
                Some(())
            })?;
            Some(bits + run.map_or(0, |(_, sum)| sum.div_ceil(6)))
        };
        (0..assignments).filter_map(length).min().unwrap()
    }
}
