//! Columns of floating-point values, lossless to the bit.
//!
//! Most metrics are decimals in disguise: counts, cents, bytes, milliseconds. Such a column is a power of ten and whole
//! numbers, which pack far better than the bits of a float. What does not fit (NaN, infinities, negative zero, a stale
//! marker) is kept raw beside them. A column of true floating-point noise falls back to XOR with the value before.

use super::bits::{BitReader, BitWriter};
use super::bytes::{Reader, put_varint};
use super::ints;

/// All values have the same bits.
const CONSTANT: u8 = 0;
/// A power of ten, exceptions, whole numbers.
const DECIMAL: u8 = 1;
/// Bits of the XOR with the value before.
const XOR: u8 = 2;

/// Powers of ten that are tried. Past six digits a value is a measurement, not a decimal.
const POWERS: [f64; 7] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// Below this magnitude every whole number is a float of its own.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// One value in this many may be an exception before the column counts as noise.
const EXCEPTIONS_ONE_IN: usize = 8;

/// Decimal columns longer than this many bytes a value are compared with the XOR coding.
const DECIMAL_BYTES_GOOD: usize = 4;

/// Codes a column.
pub(super) fn encode(values: &[f64]) -> Vec<u8> {
    let Some(first) = values.first() else {
        return Vec::new();
    };
    if values
        .iter()
        .all(|value| value.to_bits() == first.to_bits())
    {
        let mut out = vec![CONSTANT];
        out.extend_from_slice(&first.to_bits().to_le_bytes());
        return out;
    }
    match encode_decimal(values) {
        Some(decimal) if decimal.len() <= DECIMAL_BYTES_GOOD * values.len() => decimal,
        Some(decimal) => {
            let xor = encode_xor(values);
            if xor.len() < decimal.len() {
                xor
            } else {
                decimal
            }
        }
        None => encode_xor(values),
    }
}

/// Reads a column of `count` values.
pub(super) fn decode(bytes: &[u8], count: usize) -> Option<Vec<f64>> {
    if count == 0 {
        return bytes.is_empty().then(Vec::new);
    }
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        CONSTANT => {
            let value = f64::from_bits(reader.u64()?);
            reader.is_at_end().then(|| vec![value; count])
        }
        DECIMAL => decode_decimal(&mut reader, count),
        XOR => decode_xor(&mut reader, count),
        _ => None,
    }
}

/// The whole number that stands for a value at a power of ten, if going back gives the same bits.
fn whole(value: f64, power: f64) -> Option<i64> {
    let scaled = (value * power).round();
    let exact =
        scaled.abs() <= WHOLE_MAX && (scaled as i64 as f64 / power).to_bits() == value.to_bits();
    exact.then_some(scaled as i64)
}

fn encode_decimal(values: &[f64]) -> Option<Vec<u8>> {
    let exceptions_max = values.len() / EXCEPTIONS_ONE_IN + 1;
    let (power, exceptions) = POWERS.iter().enumerate().find_map(|(power, factor)| {
        let mut exceptions = Vec::new();
        for (position, value) in values.iter().enumerate() {
            if whole(*value, *factor).is_none() {
                exceptions.push(position);
                // An exception for a value that a finer power would hold is dear only when there are many.
                if exceptions.len() > exceptions_max {
                    return None;
                }
            }
        }
        let finer_would_hold = exceptions.iter().any(|position| {
            let value = values[*position];
            value.is_finite()
                && value.to_bits() != (-0.0f64).to_bits()
                && is_decimal(value, power + 1)
        });
        (!finer_would_hold).then_some((power, exceptions))
    })?;
    let mut out = vec![DECIMAL, power as u8];
    put_varint(&mut out, exceptions.len() as u64);
    for position in &exceptions {
        put_varint(&mut out, *position as u64);
        out.extend_from_slice(&values[*position].to_bits().to_le_bytes());
    }
    // An exception goes on as the numbers before it did, so that it costs nothing as a difference.
    let first_whole = values
        .iter()
        .find_map(|value| whole(*value, POWERS[power]))
        .unwrap_or(0);
    let (mut before, mut step) = (first_whole, 0i64);
    let numbers: Vec<i64> = values
        .iter()
        .map(|value| {
            let number = whole(*value, POWERS[power]).unwrap_or(before.wrapping_add(step));
            step = number.wrapping_sub(before);
            before = number;
            number
        })
        .collect();
    ints::encode(&numbers, &mut out);
    Some(out)
}

/// Whether one of the powers from `first_power` on holds the value exactly.
fn is_decimal(value: f64, first_power: usize) -> bool {
    POWERS[first_power.min(POWERS.len())..]
        .iter()
        .any(|power| whole(value, *power).is_some())
}

fn decode_decimal(reader: &mut Reader<'_>, count: usize) -> Option<Vec<f64>> {
    let power = *POWERS.get(usize::from(reader.byte()?))?;
    let exceptions = reader.size()?;
    if exceptions > count {
        return None;
    }
    let mut raw = Vec::with_capacity(exceptions.min(super::CHUNK_SAMPLES_MAX));
    for _ in 0..exceptions {
        raw.push((reader.size()?, f64::from_bits(reader.u64()?)));
    }
    let numbers = ints::decode(reader, count)?;
    let mut values: Vec<f64> = if power == 1.0 {
        numbers.iter().map(|number| *number as f64).collect()
    } else {
        numbers
            .iter()
            .map(|number| *number as f64 / power)
            .collect()
    };
    for (position, value) in raw {
        *values.get_mut(position)? = value;
    }
    reader.is_at_end().then_some(values)
}

/// Bits that say how many leading zeros a difference has; more than 31 are written as 31.
const LEADING_BITS: u32 = 5;
const LEADING_MAX: u32 = (1 << LEADING_BITS) - 1;
/// Bits that say how long the part in the middle is, less one.
const LENGTH_BITS: u32 = 6;

/// First value raw; then per value: bit 0 "same", or bits 1,0 "fits the window before", or bits 1,1 and a new window.
fn encode_xor(values: &[f64]) -> Vec<u8> {
    let mut out = vec![XOR];
    let mut bits = BitWriter::new(&mut out);
    let mut before = values[0].to_bits();
    bits.put(before, 64);
    let mut window: Option<(u32, u32)> = None;
    for value in &values[1..] {
        let difference = before ^ value.to_bits();
        before = value.to_bits();
        if difference == 0 {
            bits.put(0, 1);
            continue;
        }
        let leading = difference.leading_zeros().min(LEADING_MAX);
        let trailing = difference.trailing_zeros();
        if let Some((window_leading, window_trailing)) = window
            && leading >= window_leading
            && trailing >= window_trailing
        {
            bits.put(0b01, 2);
            bits.put(
                difference >> window_trailing,
                64 - window_leading - window_trailing,
            );
        } else {
            let length = 64 - leading - trailing;
            bits.put(0b11, 2);
            bits.put(u64::from(leading), LEADING_BITS);
            bits.put(u64::from(length - 1), LENGTH_BITS);
            bits.put(difference >> trailing, length);
            window = Some((leading, trailing));
        }
    }
    bits.finish();
    out
}

fn decode_xor(reader: &mut Reader<'_>, count: usize) -> Option<Vec<f64>> {
    let bytes = reader.take(reader.left())?;
    // Every value takes at least a bit, so a count past the bits is a lie.
    if count > bytes.len() * 8 {
        return None;
    }
    let mut bits = BitReader::new(bytes);
    let mut before = bits.take(64)?;
    let mut values = Vec::with_capacity(count);
    values.push(f64::from_bits(before));
    let mut window: Option<(u32, u32)> = None;
    while values.len() < count {
        if bits.take(1)? == 1 {
            if bits.take(1)? == 1 {
                let leading = bits.take(LEADING_BITS)? as u32;
                let length = bits.take(LENGTH_BITS)? as u32 + 1;
                window = Some((64u32.checked_sub(leading + length)?, length));
            }
            let (trailing, length) = window?;
            before ^= bits.take(length)? << trailing;
        }
        values.push(f64::from_bits(before));
    }
    Some(values)
}
