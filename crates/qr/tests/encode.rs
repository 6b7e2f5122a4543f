//! Every symbol decodes back, is the smallest there is, and no input makes the encoder panic.

mod decoder;

use decoder::decode;
use proptest::prelude::*;
use qr::{EcLevel, EciPolicy, EncodeError, EncodeOptions, encode};

fn options(ec_level: EcLevel) -> EncodeOptions {
    EncodeOptions {
        ec_level,
        boost_ec: false,
        eci: EciPolicy::Auto,
    }
}

/// Encodes, decodes, and compares everything that a reader sees. Returns the version.
fn round_trip(data: &[u8], options: &EncodeOptions) -> u8 {
    let symbol = encode(data, options).expect("the data fits");
    let decoded = decode(&symbol).expect("the symbol is valid");
    assert!(decoded.data == data, "the data came back changed");
    assert_eq!(decoded.level.to_string(), symbol.ec_level().as_str());
    assert_eq!(decoded.mask, symbol.mask());
    assert!(symbol.ec_level() >= options.ec_level);
    if !options.boost_ec {
        assert_eq!(symbol.ec_level(), options.ec_level);
    }
    symbol.version()
}

#[test]
fn masks_are_those_of_the_examples_in_the_standard() {
    fn check(data: &str, mask: u8) {
        let symbol = encode(data.as_bytes(), &options(EcLevel::Medium)).unwrap();
        assert_eq!((symbol.version(), symbol.mask()), (1, mask), "{data}");
    }
    // Annex I; and figure 1 as the 2024 edition draws it (earlier editions: mask 5).
    check("01234567", 2);
    check("QR Code Symbol", 6);
}

#[test]
fn capacities_are_those_of_table_7() {
    fn check(level: EcLevel, version: u8, digits: usize, capitals: usize, bytes: usize) {
        for (text, length) in [("7", digits), ("A", capitals), ("a", bytes)] {
            let data = text.repeat(length).into_bytes();
            assert_eq!(
                round_trip(&data, &options(level)),
                version,
                "{length} x {text}"
            );
            let longer = text.repeat(length + 1).into_bytes();
            match encode(&longer, &options(level)) {
                Ok(symbol) => assert_eq!(symbol.version(), version + 1, "{length} + 1 x {text}"),
                Err(_) => assert_eq!(version, 40),
            }
        }
    }
    check(EcLevel::Low, 1, 41, 25, 17);
    check(EcLevel::Medium, 1, 34, 20, 14);
    check(EcLevel::Quartile, 1, 27, 16, 11);
    check(EcLevel::High, 1, 17, 10, 7);
    check(EcLevel::Low, 9, 552, 335, 230);
    check(EcLevel::Medium, 10, 513, 311, 213);
    check(EcLevel::Quartile, 26, 1804, 1094, 751);
    check(EcLevel::High, 27, 1501, 910, 625);
    check(EcLevel::Low, 40, 7089, 4296, 2953);
    check(EcLevel::Medium, 40, 5596, 3391, 2331);
    check(EcLevel::Quartile, 40, 3993, 2420, 1663);
    check(EcLevel::High, 40, 3057, 1852, 1273);
}

#[test]
fn every_version_and_level_decodes() {
    for level in EcLevel::ALL {
        let mut seen = std::collections::BTreeSet::new();
        let mut length = 1;
        while let Ok(symbol) = encode(&vec![b'q'; length], &options(level)) {
            if seen.insert(symbol.version()) {
                round_trip(&vec![b'q'; length], &options(level));
            }
            length += 6;
        }
        assert_eq!(seen.len(), 40, "{level}");
    }
}

#[test]
fn the_level_is_raised_only_where_that_is_free() {
    fn check(data: &str, asked: EcLevel, boosted: EcLevel) {
        let plain = encode(data.as_bytes(), &options(asked)).unwrap();
        let raised = encode(
            data.as_bytes(),
            &EncodeOptions {
                boost_ec: true,
                ..options(asked)
            },
        )
        .unwrap();
        assert_eq!(raised.version(), plain.version(), "{data}");
        assert_eq!(raised.ec_level(), boosted, "{data}");
    }
    check("a", EcLevel::Low, EcLevel::High);
    check("12345678", EcLevel::Medium, EcLevel::High);
    check("hello world", EcLevel::Low, EcLevel::Quartile);
    check("hello world!!!", EcLevel::Low, EcLevel::Medium);
    check("hello world!!!!!!", EcLevel::Low, EcLevel::Low);
}

#[test]
fn utf_8_is_declared_as_the_policy_says() {
    fn check(data: &[u8], policy: EciPolicy, want: Option<u32>) {
        let options = EncodeOptions {
            eci: policy,
            ..EncodeOptions::default()
        };
        let decoded = decode(&encode(data, &options).unwrap()).unwrap();
        assert_eq!((decoded.eci, &decoded.data[..]), (want, data));
    }
    check("plain".as_bytes(), EciPolicy::Auto, None);
    check("Käse 店".as_bytes(), EciPolicy::Auto, Some(26));
    check(b"\xFF\xFE", EciPolicy::Auto, None);
    check("Käse".as_bytes(), EciPolicy::Never, None);
    check("plain".as_bytes(), EciPolicy::Always, Some(26));
}

#[test]
fn refusals_say_what_to_do() {
    fn check(data: &[u8], level: EcLevel, eci: EciPolicy, want: &str) {
        let options = EncodeOptions {
            eci,
            ..options(level)
        };
        assert_eq!(encode(data, &options).unwrap_err().to_string(), want);
    }
    let auto = EciPolicy::Auto;
    check(
        b"",
        EcLevel::Low,
        auto,
        "there is nothing to encode: give some data",
    );
    check(
        &[b'a'; 2000],
        EcLevel::High,
        auto,
        "2000 bytes are too long for a QR code at error correction level H, which holds about 1273: \
         use level M, or shorten the data",
    );
    check(
        &[b'a'; 10_000],
        EcLevel::Low,
        auto,
        "10000 bytes are too long for a QR code at error correction level L, which holds about 2953: \
         shorten the data, for example with a link to it",
    );
    check(
        b"ab\xFF",
        EcLevel::Low,
        EciPolicy::Always,
        "byte 2 of the data is not UTF-8, which the ECI policy `always` promises: use `auto`, or send text",
    );
    assert!(matches!(
        encode(&[b'a'; 2954], &options(EcLevel::Low)),
        Err(EncodeError::TooLong {
            bits: 23_652,
            bits_max: 23_648,
            bytes_max: 2953,
            fits_at: None,
            ..
        })
    ));
}

fn any_options() -> impl Strategy<Value = EncodeOptions> {
    let levels = prop::sample::select(EcLevel::ALL.to_vec());
    let policies = prop::sample::select(vec![EciPolicy::Auto, EciPolicy::Never, EciPolicy::Always]);
    (levels, any::<bool>(), policies).prop_map(|(ec_level, boost_ec, eci)| EncodeOptions {
        ec_level,
        boost_ec,
        eci,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn text_decodes_back(
        data in "([0-9]{0,40}[A-Z $%*+./:-]{0,20}[a-z]{0,9}\\PC{0,6}){1,12}",
        options in any_options(),
    ) {
        if !data.is_empty() && data.len() <= 900 {
            round_trip(data.as_bytes(), &options);
        }
    }

    #[test]
    fn bytes_decode_back_or_are_refused(
        data in prop::collection::vec(any::<u8>(), 0..3200),
        options in any_options(),
    ) {
        if encode(&data, &options).is_ok() {
            round_trip(&data, &options);
        }
    }
}
