//! How columns become bytes: whole numbers by frame of reference, values as decimals, times as whole numbers.
//!
//! A chunk is two columns, never pairs: series of one scrape share their times, so the time column is stored once for all
//! of them, and a value column alone is what compresses. Every coding is lossless to the bit; a value that does not fit
//! the clever coding is kept raw. Decoders take untrusted bytes and answer `None`, never panic and never allocate more
//! than the sample count that they were told.

mod bits;
mod bytes;
mod ints;
mod values;

pub(super) use bytes::{Reader, put_signed, put_text, put_varint};

/// The most samples in one chunk: four hours at 15 s. Bounds what a damaged count can make a decoder allocate.
pub(super) const CHUNK_SAMPLES_MAX: usize = 1024;

/// Codes a column of times.
pub(super) fn encode_times(times: &[i64]) -> Vec<u8> {
    let mut out = Vec::new();
    ints::encode(times, &mut out);
    out
}

/// Reads a column of `count` times. `None`: the bytes are not such a column.
pub(super) fn decode_times(bytes: &[u8], count: usize) -> Option<Vec<i64>> {
    let mut reader = Reader::new(bytes);
    let times = ints::decode(&mut reader, count)?;
    reader.is_at_end().then_some(times)
}

/// Codes a column of values.
pub(super) fn encode_values(values: &[f64]) -> Vec<u8> {
    values::encode(values)
}

/// Reads a column of `count` values. `None`: the bytes are not such a column.
pub(super) fn decode_values(bytes: &[u8], count: usize) -> Option<Vec<f64>> {
    values::decode(bytes, count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_values(values: &[f64]) {
        let bytes = encode_values(values);
        let back = decode_values(&bytes, values.len()).expect("decodes");
        let bits = |column: &[f64]| column.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(values));
    }

    fn check_times(times: &[i64]) {
        let bytes = encode_times(times);
        assert_eq!(decode_times(&bytes, times.len()).expect("decodes"), times);
    }

    #[test]
    fn odd_values_come_back() {
        let stale = model::stale_marker();
        let payload = f64::from_bits(0x7ff8_0000_dead_beef);
        let negative_nan = f64::from_bits(0xfff0_0000_0000_0001);
        for odd in [
            stale,
            payload,
            negative_nan,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            -0.0,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            9_007_199_254_740_993.0,
        ] {
            check_values(&[odd]);
            check_values(&[odd; 100]);
            check_values(&[1.0, 2.0, odd, 3.0, 4.25]);
            let mut column: Vec<f64> = (0..200).map(f64::from).collect();
            column[199] = odd;
            column[0] = odd;
            check_values(&column);
        }
        check_values(&[]);
        check_values(&[0.0, -0.0, 0.0]);
        check_times(&[i64::MIN, -1, 0, 1, i64::MAX]);
        check_times(&[]);
    }

    #[test]
    fn ordinary_columns_are_small() {
        let check = |name: &str, bytes: usize, max: usize| assert!(bytes <= max, "{name}: {bytes}");
        let constant = encode_values(&[0.25; 480]);
        check("constant", constant.len(), 12);
        let steady: Vec<f64> = (0..480).map(|i| f64::from(i) * 30.0).collect();
        check("steady counter", encode_values(&steady).len(), 12);
        let regular: Vec<i64> = (0..480).map(|i| 1_795_000_000_000 + i * 15_000).collect();
        check("regular times", encode_times(&regular).len(), 16);
        let cents: Vec<f64> = (0..480).map(|i| f64::from(i * 37 % 101) / 100.0).collect();
        check("two decimals", encode_values(&cents).len(), 500);
        let pages: Vec<f64> = (0..480)
            .map(|i| f64::from(i * 7919 % 50) * 4096.0)
            .collect();
        check("memory pages", encode_values(&pages).len(), 450);
        let mut reset = steady.clone();
        for value in &mut reset[200..] {
            *value -= 6000.0;
        }
        check("counter with one reset", encode_values(&reset).len(), 60);
        let mut ended = steady;
        ended[479] = model::stale_marker();
        check("counter with a stale end", encode_values(&ended).len(), 40);
    }

    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            (-1000i32..1000).prop_map(f64::from),
            (-100_000i64..100_000, 0i32..5).prop_map(|(v, k)| v as f64 / 10f64.powi(k)),
            Just(model::stale_marker()),
            Just(-0.0),
            Just(f64::INFINITY),
        ]
    }

    /// Columns as they occur: mostly one kind of value, with intruders.
    fn any_column() -> impl Strategy<Value = Vec<f64>> {
        let plain =
            (any::<i32>(), 0u32..50, 0i32..4, 0usize..300).prop_map(|(start, step, k, n)| {
                (0..n as i64)
                    .map(|i| (i64::from(start) + i * i64::from(step)) as f64 / 10f64.powi(k))
                    .collect::<Vec<f64>>()
            });
        (
            plain,
            prop::collection::vec((any::<usize>(), any_value()), 0..8),
        )
            .prop_map(|(mut column, intruders)| {
                for (at, value) in intruders {
                    if !column.is_empty() {
                        let at = at % column.len();
                        column[at] = value;
                    }
                }
                column
            })
    }

    proptest! {
        #[test]
        fn mixed_values_round_trip(values in prop::collection::vec(any_value(), 0..300)) {
            check_values(&values);
        }

        #[test]
        fn columns_round_trip(values in any_column()) {
            check_values(&values);
        }

        #[test]
        fn times_round_trip(times in prop::collection::vec(any::<i64>(), 0..200)) {
            check_times(&times);
        }

        #[test]
        fn jittered_times_round_trip(jitter in prop::collection::vec(-9i64..9, 0..600)) {
            let times: Vec<i64> = jitter.iter().enumerate().map(|(i, j)| i as i64 * 15_000 + j).collect();
            check_times(&times);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), count in 0usize..2000) {
            let _ = decode_values(&bytes, count);
            let _ = decode_times(&bytes, count);
        }
    }
}
