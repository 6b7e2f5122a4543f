//! Columns of whole numbers: differences, divided by what they have in common, packed by frame of reference.
//!
//! Layout: order (0, 1 or 2 times differences), the first `order` numbers, the divisor, then groups of 64 quotients.
//! A divisor of zero says that all differences are zero: a constant (order 1) or a steady counter (order 2) ends here.
//! A group is base, width, exceptions, packed bits. Exceptions hold the high bits of the few numbers that do not fit the
//! width, so that one counter reset does not widen its 63 neighbours. All arithmetic wraps, hence any i64 is lossless.

use super::bits::{BitReader, BitWriter, mask};
use super::bytes::{Reader, put_signed, put_varint, varint_len};

/// Numbers in one group: small enough that a change of rate is felt soon, large enough to spread the 3-byte header.
const GROUP: usize = 64;

/// The most low outliers that a base may pass over.
const LOW_OUTLIERS_MAX: usize = 4;

/// Codes a column, trying each order and keeping the shortest.
pub(super) fn encode(values: &[i64], out: &mut Vec<u8>) {
    let mut best = encode_order(values, 0);
    for order in 1..=2 {
        if values.len() > order {
            let coded = encode_order(values, order);
            if coded.len() < best.len() {
                best = coded;
            }
        }
    }
    out.append(&mut best);
}

/// Reads a column of `count` numbers.
pub(super) fn decode(reader: &mut Reader<'_>, count: usize) -> Option<Vec<i64>> {
    let order = usize::from(reader.byte()?);
    if order > 2 || (order > 0 && count <= order) {
        return None;
    }
    let mut starts = [0i64; 2];
    for start in &mut starts[..order] {
        *start = reader.signed()?;
    }
    let rest = count - order;
    let divisor = reader.varint()? as i64;
    let mut numbers = Vec::with_capacity(count.min(super::CHUNK_SAMPLES_MAX));
    if divisor == 0 {
        numbers.resize(rest, 0);
    } else {
        let mut left = rest;
        while left > 0 {
            let len = left.min(GROUP);
            decode_group(reader, len, divisor, &mut numbers)?;
            left -= len;
        }
    }
    for start in starts[..order].iter().rev() {
        integrate(&mut numbers, *start);
    }
    Some(numbers)
}

/// Puts `start` in front and replaces differences by running sums.
fn integrate(numbers: &mut Vec<i64>, start: i64) {
    let mut sum = start;
    for number in numbers.iter_mut() {
        let difference = *number;
        *number = sum;
        sum = sum.wrapping_add(difference);
    }
    numbers.push(sum);
}

fn encode_order(values: &[i64], order: usize) -> Vec<u8> {
    let mut out = vec![order as u8];
    let mut numbers = values.to_vec();
    for _ in 0..order {
        put_signed(&mut out, numbers[0]);
        numbers = numbers
            .windows(2)
            .map(|pair| pair[1].wrapping_sub(pair[0]))
            .collect();
    }
    let divisor = common_divisor(&numbers);
    put_varint(&mut out, divisor as u64);
    if divisor != 0 {
        for number in &mut numbers {
            *number /= divisor;
        }
        for group in numbers.chunks(GROUP) {
            encode_group(group, &mut out);
        }
    }
    out
}

/// The greatest number that divides all; 0 when all are zero.
fn common_divisor(numbers: &[i64]) -> i64 {
    let mut divisor = 0u64;
    for number in numbers {
        let (mut a, mut b) = (divisor, number.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        divisor = a;
        if divisor == 1 {
            break;
        }
    }
    // Only i64::MIN alone has a divisor of 2^63, which no i64 holds.
    i64::try_from(divisor).unwrap_or(1)
}

fn encode_group(group: &[i64], out: &mut Vec<u8>) {
    let mut sorted = [0i64; GROUP];
    let sorted = &mut sorted[..group.len()];
    sorted.copy_from_slice(group);
    sorted.sort_unstable();
    let above_outliers = sorted[LOW_OUTLIERS_MAX.min(group.len() / 8)];
    let (mut base, (mut cost, mut width)) = (sorted[0], width_for(group, sorted[0]));
    let (other_cost, other_width) = width_for(group, above_outliers);
    if other_cost < cost {
        (base, cost, width) = (above_outliers, other_cost, other_width);
    }
    debug_assert!(cost <= 64 * GROUP as u32, "raw is always possible");

    put_signed(out, base);
    out.push(width as u8);
    let offsets = || group.iter().map(|number| number.wrapping_sub(base) as u64);
    let exceeds = |offset: u64| offset & !mask(width) != 0;
    out.push(offsets().filter(|offset| exceeds(*offset)).count() as u8);
    for (position, offset) in offsets().enumerate() {
        if exceeds(offset) {
            out.push(position as u8);
            // `width` is below 64 here: nothing exceeds 64 bits.
            put_varint(out, offset >> width);
        }
    }
    let mut bits = BitWriter::new(out);
    offsets().for_each(|offset| bits.put(offset, width));
    bits.finish();
}

/// The cheapest width for a group above a base, with its cost in bits. Only widths that some number needs are tried:
/// anything between two of them pays for every number and saves next to nothing on the exceptions.
fn width_for(group: &[i64], base: i64) -> (u32, u32) {
    let mut of_length = [0u32; 65];
    for number in group {
        let offset = number.wrapping_sub(base) as u64;
        of_length[64 - offset.leading_zeros() as usize] += 1;
    }
    let mut present = [(0u32, 0u32); GROUP];
    let mut distinct = 0;
    for (length, count) in (0u32..).zip(of_length).filter(|(_, count)| *count > 0) {
        present[distinct] = (length, count);
        distinct += 1;
    }
    let mut best = (u32::MAX, 64);
    for (at, (width, _)) in present[..distinct].iter().enumerate() {
        let exceptions: u32 = present[at + 1..distinct]
            .iter()
            .map(|(length, count)| count * 8 * (1 + varint_len(mask(length - width))))
            .sum();
        let cost = group.len() as u32 * width + exceptions;
        if cost < best.0 {
            best = (cost, *width);
        }
    }
    best
}

fn decode_group(
    reader: &mut Reader<'_>,
    len: usize,
    divisor: i64,
    numbers: &mut Vec<i64>,
) -> Option<()> {
    let base = reader.signed()?;
    let width = u32::from(reader.byte()?);
    if width > 64 {
        return None;
    }
    let mut high_bits = [0u64; GROUP];
    for _ in 0..reader.byte()? {
        let position = usize::from(reader.byte()?);
        let high = reader.varint()?;
        *high_bits.get_mut(position)? = high.checked_shl(width)?;
    }
    let packed = reader.take((len * width as usize).div_ceil(8))?;
    let mut bits = BitReader::new(packed);
    for high in &high_bits[..len] {
        let offset = bits.take(width)? | high;
        numbers.push(base.wrapping_add(offset as i64).wrapping_mul(divisor));
    }
    Some(())
}
