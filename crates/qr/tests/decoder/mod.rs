//! A small decoder that judges our encoder: written from the standard's side of the reader, sharing no code with `src`.
//!
//! It corrects nothing. A symbol fresh from the encoder must have no error at all, so any wrong module is a finding.

use std::collections::BTreeMap;

use qr::Symbol;

/// What a reader would hand on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) level: char,
    pub(crate) mask: u8,
    pub(crate) eci: Option<u32>,
    pub(crate) data: Vec<u8>,
}

/// Row and column coordinates of alignment pattern centres, from annex E.
const ALIGNMENT: [&[usize]; 40] = [
    &[],
    &[6, 18],
    &[6, 22],
    &[6, 26],
    &[6, 30],
    &[6, 34],
    &[6, 22, 38],
    &[6, 24, 42],
    &[6, 26, 46],
    &[6, 28, 50],
    &[6, 30, 54],
    &[6, 32, 58],
    &[6, 34, 62],
    &[6, 26, 46, 66],
    &[6, 26, 48, 70],
    &[6, 26, 50, 74],
    &[6, 30, 54, 78],
    &[6, 30, 56, 82],
    &[6, 30, 58, 86],
    &[6, 34, 62, 90],
    &[6, 28, 50, 72, 94],
    &[6, 26, 50, 74, 98],
    &[6, 30, 54, 78, 102],
    &[6, 28, 54, 80, 106],
    &[6, 32, 58, 84, 110],
    &[6, 30, 58, 86, 114],
    &[6, 34, 62, 90, 118],
    &[6, 26, 50, 74, 98, 122],
    &[6, 30, 54, 78, 102, 126],
    &[6, 26, 52, 78, 104, 130],
    &[6, 30, 56, 82, 108, 134],
    &[6, 34, 60, 86, 112, 138],
    &[6, 30, 58, 86, 114, 142],
    &[6, 34, 62, 90, 118, 146],
    &[6, 30, 54, 78, 102, 126, 150],
    &[6, 24, 50, 76, 102, 128, 154],
    &[6, 28, 54, 80, 106, 132, 158],
    &[6, 32, 58, 84, 110, 136, 162],
    &[6, 26, 54, 82, 110, 138, 166],
    &[6, 30, 58, 86, 114, 142, 170],
];

pub(crate) fn decode(symbol: &Symbol) -> Result<Decoded, String> {
    let size = symbol.size();
    let version = (size - 17) / 4;
    if version != usize::from(symbol.version()) || size != version * 4 + 17 {
        return Err(format!(
            "size {size} is not that of version {}",
            symbol.version()
        ));
    }
    check_patterns(symbol, version)?;
    let (level, mask) = read_format(symbol)?;
    read_version(symbol, version)?;
    let codewords = read_codewords(symbol, version, mask);
    let data = check_blocks(&codewords, version, level)?;
    let (eci, data) = read_segments(&data, version)?;
    Ok(Decoded {
        level,
        mask,
        eci,
        data,
    })
}

/// The colour of a finder, separator, timing or alignment module; `None` for all others.
fn pattern(x: usize, y: usize, version: usize) -> Option<bool> {
    let size = version * 4 + 17;
    for (cx, cy) in [(3, 3), (size - 4, 3), (3, size - 4)] {
        let ring = x.abs_diff(cx).max(y.abs_diff(cy));
        if ring <= 4 {
            return Some(matches!(ring, 0 | 1 | 3));
        }
    }
    let centres = ALIGNMENT[version - 1];
    let last = size - 7;
    for &cx in centres {
        for &cy in centres {
            let taken = [(6, 6), (6, last), (last, 6)].contains(&(cx, cy));
            let ring = x.abs_diff(cx).max(y.abs_diff(cy));
            if !taken && ring <= 2 {
                return Some(ring != 1);
            }
        }
    }
    (x == 6 || y == 6).then_some((x + y).is_multiple_of(2))
}

/// Format information, version information and the dark module.
fn is_information(x: usize, y: usize, version: usize) -> bool {
    let size = version * 4 + 17;
    let format = (x == 8 && (y <= 8 || y >= size - 8)) || (y == 8 && (x <= 8 || x >= size - 8));
    let far = |at: usize| (size - 11..size - 8).contains(&at);
    format || version >= 7 && (x < 6 && far(y) || y < 6 && far(x))
}

fn check_patterns(symbol: &Symbol, version: usize) -> Result<(), String> {
    for y in 0..symbol.size() {
        for x in 0..symbol.size() {
            if pattern(x, y, version).is_some_and(|dark| dark != symbol.is_dark(x, y)) {
                return Err(format!("wrong function pattern module at {x}, {y}"));
            }
        }
    }
    match symbol.is_dark(8, symbol.size() - 8) {
        true => Ok(()),
        false => Err("the dark module is light".into()),
    }
}

fn bits(symbol: &Symbol, places: impl IntoIterator<Item = (usize, usize)>) -> u32 {
    places.into_iter().fold(0, |value, (x, y)| {
        value << 1 | u32::from(symbol.is_dark(x, y))
    })
}

/// Polynomial division: what is left of `value` by `generator`.
fn rest(mut value: u32, generator: u32) -> u32 {
    while value != 0 && value.ilog2() >= generator.ilog2() {
        value ^= generator << (value.ilog2() - generator.ilog2());
    }
    value
}

fn read_format(symbol: &Symbol) -> Result<(char, u8), String> {
    let size = symbol.size();
    // Figure 25, most significant bit first.
    let first = [0, 1, 2, 3, 4, 5, 7, 8].map(|x| (x, 8)).into_iter();
    let first = bits(symbol, first.chain([7, 5, 4, 3, 2, 1, 0].map(|y| (8, y))));
    let second = (1..=7).map(|back| (8, size - back));
    let second = bits(symbol, second.chain((size - 8..size).map(|x| (x, 8))));
    if first != second {
        return Err("the two copies of the format information differ".into());
    }
    let format = first ^ 0b101_0100_0001_0010;
    if rest(format, 0b101_0011_0111) != 0 {
        return Err("the format information is no code word".into());
    }
    let level = ['M', 'L', 'H', 'Q'][(format >> 13) as usize];
    Ok((level, (format >> 10 & 0b111) as u8))
}

fn read_version(symbol: &Symbol, version: usize) -> Result<(), String> {
    if version < 7 {
        return Ok(());
    }
    let size = symbol.size();
    let places = (0..6)
        .rev()
        .flat_map(|near| (size - 11..size - 8).rev().map(move |far| (far, near)));
    let first = bits(symbol, places.clone());
    let second = bits(symbol, places.map(|(x, y)| (y, x)));
    let valid =
        first == second && first >> 12 == version as u32 && rest(first, 0b1_1111_0010_0101) == 0;
    match valid {
        true => Ok(()),
        false => Err(format!("wrong version information {first:x} {second:x}")),
    }
}

fn is_turned(mask: u8, i: usize, j: usize) -> bool {
    let product = i * j;
    0 == match mask {
        0 => (i + j) % 2,
        1 => i % 2,
        2 => j % 3,
        3 => (i + j) % 3,
        4 => (i / 2 + j / 3) % 2,
        5 => product % 2 + product % 3,
        6 => (product % 2 + product % 3) % 2,
        _ => ((i + j) % 2 + product % 3) % 2,
    }
}

fn read_codewords(symbol: &Symbol, version: usize, mask: u8) -> Vec<u8> {
    let size = symbol.size();
    let mut read = Vec::new();
    let mut upward = true;
    let mut right = size - 1;
    loop {
        for step in 0..size {
            let y = if upward { size - 1 - step } else { step };
            for x in [right, right - 1] {
                if pattern(x, y, version).is_none() && !is_information(x, y, version) {
                    read.push(symbol.is_dark(x, y) != is_turned(mask, y, x));
                }
            }
        }
        upward = !upward;
        right = match right {
            1 => break,
            // The vertical timing pattern is column 6.
            8 => 5,
            _ => right - 2,
        };
    }
    read.chunks_exact(8)
        .map(|byte| {
            byte.iter()
                .fold(0, |value, &bit| value << 1 | u8::from(bit))
        })
        .collect()
}

/// Undoes the interleaving, checks every block's syndromes, and joins the data codewords.
fn check_blocks(codewords: &[u8], version: usize, level: char) -> Result<Vec<u8>, String> {
    let key = format!("{version} {level} ");
    let line = include_str!("../data/blocks.txt")
        .lines()
        .find_map(|line| line.strip_prefix(&key))
        .ok_or("no such line in blocks.txt")?;
    let mut lengths = Vec::new();
    for group in line.split(' ') {
        let numbers: Vec<usize> = group
            .split(['x', '/'])
            .map(|n| n.parse().expect("a number"))
            .collect();
        lengths.extend(vec![(numbers[1], numbers[2]); numbers[0]]);
    }
    if codewords.len() != lengths.iter().map(|(total, _)| total).sum::<usize>() {
        return Err(format!(
            "{} codewords in version {version}",
            codewords.len()
        ));
    }
    let mut blocks = vec![Vec::new(); lengths.len()];
    let mut rest = codewords.iter();
    let longest = lengths.iter().map(|&(_, data)| data).max().unwrap_or(0);
    for column in 0..longest {
        for (block, &(_, data)) in blocks.iter_mut().zip(&lengths) {
            if column < data {
                block.push(*rest.next().ok_or("too few codewords")?);
            }
        }
    }
    let data: Vec<u8> = blocks.concat();
    while rest.len() > 0 {
        for (block, &codeword) in blocks.iter_mut().zip(rest.by_ref()) {
            block.push(codeword);
        }
    }
    // All blocks of a symbol have as many error correction codewords.
    let (total, data_length) = lengths[0];
    for root in 0..total - data_length {
        let times_root = multiples_of_power(root);
        for (at, block) in blocks.iter().enumerate() {
            let syndrome = block.iter().fold(0, |value, &codeword| {
                times_root[usize::from(value)] ^ codeword
            });
            if syndrome != 0 {
                return Err(format!("block {at} has a non-zero syndrome {root}"));
            }
        }
    }
    Ok(data)
}

/// Every field element times 2 to the given power.
fn multiples_of_power(power: usize) -> Vec<u8> {
    let double = |value: u8| (value << 1) ^ if value & 0x80 == 0 { 0 } else { 0x1D };
    (0..=u8::MAX)
        .map(|value| (0..power).fold(value, |value, _| double(value)))
        .collect()
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    fn take(&mut self, count: usize) -> Result<u32, String> {
        if self.left() < count {
            return Err("the bit stream ends within a segment".into());
        }
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.bytes[self.at / 8] >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }
}

fn read_segments(bytes: &[u8], version: usize) -> Result<(Option<u32>, Vec<u8>), String> {
    let widths: BTreeMap<u32, usize> = match version {
        1..=9 => [(1, 10), (2, 9), (4, 8)],
        10..=26 => [(1, 12), (2, 11), (4, 16)],
        _ => [(1, 14), (2, 13), (4, 16)],
    }
    .into();
    let alphanumeric = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let mut bits = Bits { bytes, at: 0 };
    let mut eci = None;
    let mut data = Vec::new();
    while bits.left() >= 4 {
        let mode = bits.take(4)?;
        if mode == 0 {
            break;
        }
        if mode == 7 {
            eci = Some(bits.take(8)?);
            continue;
        }
        let width = widths.get(&mode).ok_or(format!("unknown mode {mode}"))?;
        let mut count = bits.take(*width)? as usize;
        while count > 0 {
            match mode {
                1 => {
                    let digits = count.min(3);
                    let value = bits.take(digits * 3 + 1)?;
                    data.extend(format!("{value:0digits$}").bytes());
                    count -= digits;
                }
                2 if count >= 2 => {
                    let value = bits.take(11)? as usize;
                    data.extend([alphanumeric[value / 45], alphanumeric[value % 45]]);
                    count -= 2;
                }
                2 => {
                    data.push(alphanumeric[bits.take(6)? as usize]);
                    count -= 1;
                }
                _ => {
                    data.push(bits.take(8)? as u8);
                    count -= 1;
                }
            }
        }
    }
    check_padding(&mut bits)?;
    Ok((eci, data))
}

fn check_padding(bits: &mut Bits<'_>) -> Result<(), String> {
    let to_byte = (8 - bits.at % 8) % 8;
    if bits.take(to_byte)? != 0 {
        return Err("the bits after the terminator are not zero".into());
    }
    for want in [0xEC, 0x11].into_iter().cycle().take(bits.left() / 8) {
        if bits.take(8)? != want {
            return Err("wrong pad codeword".into());
        }
    }
    Ok(())
}
