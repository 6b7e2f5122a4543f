//! The steps of ISO/IEC 18004 clause 7 in their order: segment, choose a version, write bits, protect, place, mask.

use std::fmt;

use crate::bit_stream::BitStream;
use crate::ec_level::EcLevel;
use crate::final_message;
use crate::function_patterns;
use crate::masking;
use crate::segment::{
    ECI_HEADER_BITS, Segmentation, VersionClass, segment, write_eci_utf8, write_segments,
};
use crate::symbol::Symbol;
use crate::version::Version;

/// A digit takes at least 10/3 bits: what no segmentation can beat, in bits for three characters.
const BITS_FOR_THREE_MIN: u64 = 10;
/// Mode indicator and the widest count of a byte segment.
const BYTE_SEGMENT_HEADER_BITS: u64 = 20;

/// Whether a symbol says that its bytes are UTF-8 (ECI 26). Without it a reader guesses the character set, and some
/// guess wrong; with it a few old readers print the header as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EciPolicy {
    /// Only for valid UTF-8 that is not plain ASCII.
    #[default]
    Auto,
    /// Never: for readers that cannot handle ECI.
    Never,
    /// On every symbol; data that is not UTF-8 is refused.
    Always,
}

/// How to encode. The default is level M, raised where it costs nothing, ECI where it helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EncodeOptions {
    /// The weakest error correction level that will do.
    pub ec_level: EcLevel,
    /// Raise the level as far as the version stays the same. Some formats insist on one level (the Swiss QR-bill on M).
    pub boost_ec: bool,
    /// When to declare UTF-8.
    pub eci: EciPolicy,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        EncodeOptions {
            ec_level: EcLevel::Medium,
            boost_ec: true,
            eci: EciPolicy::Auto,
        }
    }
}

/// Why data did not become a symbol. Every case is for the caller's user to fix; trying again does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// There is no data. The standard allows an empty symbol, but readers show nothing for it.
    Empty,
    /// Not even version 40 holds the data at the level asked for.
    TooLong {
        /// Length of the data.
        bytes: usize,
        /// Bits needed, in the best segmentation.
        bits: u64,
        /// Bits that version 40 holds at `ec_level`.
        bits_max: u64,
        /// Bytes that version 40 holds at `ec_level` in byte mode; digits and capitals pack tighter.
        bytes_max: usize,
        /// The level asked for.
        ec_level: EcLevel,
        /// The strongest weaker level at which the data would fit, if there is one.
        fits_at: Option<EcLevel>,
    },
    /// [`EciPolicy::Always`] declares UTF-8, and the data is not.
    NotUtf8 {
        /// Position of the first byte that is wrong.
        position: usize,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::Empty => f.write_str("there is nothing to encode: give some data"),
            EncodeError::TooLong {
                bytes,
                bytes_max,
                ec_level,
                fits_at,
                ..
            } => {
                write!(
                    f,
                    "{bytes} bytes are too long for a QR code at error correction level {ec_level}, \
                     which holds about {bytes_max}: "
                )?;
                match fits_at {
                    Some(level) => write!(f, "use level {level}, or shorten the data"),
                    None => f.write_str("shorten the data, for example with a link to it"),
                }
            }
            EncodeError::NotUtf8 { position } => write!(
                f,
                "byte {position} of the data is not UTF-8, which the ECI policy `always` promises: \
                 use `auto`, or send text"
            ),
        }
    }
}

impl std::error::Error for EncodeError {}

/// Encodes data in the smallest symbol that exists for it at this level.
///
/// # Errors
/// When the data is empty, too long, or not UTF-8 where that is promised: see [`EncodeError`].
pub fn encode(data: &[u8], options: &EncodeOptions) -> Result<Symbol, EncodeError> {
    if data.is_empty() {
        return Err(EncodeError::Empty);
    }
    let eci = needs_eci(data, options.eci)?;
    let header_bits = if eci { ECI_HEADER_BITS } else { 0 };
    let (version, segmentation) = smallest_version(data, header_bits, options.ec_level)?;
    let bits = header_bits + segmentation.bits;
    let ec_level = match options.boost_ec {
        true => strongest_level(version, bits, options.ec_level),
        false => options.ec_level,
    };

    let mut stream = BitStream::with_capacity(version.data_codewords(ec_level) + 1);
    if eci {
        write_eci_utf8(&mut stream);
    }
    write_segments(data, &segmentation, &mut stream);
    let codewords = final_message::pad(stream, version, ec_level);
    let message = final_message::interleave(&codewords, version, ec_level);
    let layout = function_patterns::layout(version);
    let (mask, rows) = masking::apply_best(&layout.with_message(&message), layout, ec_level);
    Ok(Symbol {
        version,
        ec_level,
        mask,
        rows,
    })
}

fn needs_eci(data: &[u8], policy: EciPolicy) -> Result<bool, EncodeError> {
    match policy {
        EciPolicy::Never => Ok(false),
        EciPolicy::Auto => Ok(!data.is_ascii() && std::str::from_utf8(data).is_ok()),
        EciPolicy::Always => match std::str::from_utf8(data) {
            Ok(_) => Ok(true),
            Err(error) => Err(EncodeError::NotUtf8 {
                position: error.valid_up_to(),
            }),
        },
    }
}

fn smallest_version(
    data: &[u8],
    header_bits: u64,
    level: EcLevel,
) -> Result<(Version, Segmentation), EncodeError> {
    let bits_at_least = header_bits + data.len() as u64 * BITS_FOR_THREE_MIN / 3;
    for class in VersionClass::ALL {
        let holds = |version: &Version, bits: u64| version.data_bits(level) >= bits;
        // Cheap to ask, and saves the work on the classes that are out of reach.
        if !class
            .versions()
            .any(|version| holds(&version, bits_at_least))
        {
            continue;
        }
        let segmentation = segment(data, class);
        let bits = header_bits + segmentation.bits;
        if let Some(version) = class.versions().find(|version| holds(version, bits)) {
            return Ok((version, segmentation));
        }
    }
    Err(too_long(data, header_bits, level))
}

fn too_long(data: &[u8], header_bits: u64, level: EcLevel) -> EncodeError {
    let bits = header_bits + segment(data, VersionClass::Large).bits;
    let bits_max = Version::MAX.data_bits(level);
    EncodeError::TooLong {
        bytes: data.len(),
        bits,
        bits_max,
        bytes_max: ((bits_max - header_bits - BYTE_SEGMENT_HEADER_BITS) / 8) as usize,
        ec_level: level,
        fits_at: EcLevel::ALL
            .into_iter()
            .rev()
            .find(|&other| other < level && Version::MAX.data_bits(other) >= bits),
    }
}

fn strongest_level(version: Version, bits: u64, at_least: EcLevel) -> EcLevel {
    EcLevel::ALL
        .into_iter()
        .rev()
        .find(|&level| level > at_least && version.data_bits(level) >= bits)
        .unwrap_or(at_least)
}
