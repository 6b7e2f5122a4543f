//! Payload to module matrix to image. Pure: no panic on any input.
//!
//! The way of a request through this crate, in reading order:
//!
//! 1. [`payload`] turns validated fields (a Wi-Fi network, a contact) into the text that readers know.
//! 2. [`encode`] turns bytes into a [`Symbol`]: one file for each step of ISO/IEC 18004, named as the standard names it.
//! 3. [`render`] draws a [`Symbol`] as SVG, PNG or text.
//!
//! Nothing here reads a clock, a file or a random number, so equal arguments give equal bytes, and a cache in front of
//! this crate never needs to expire. Kanji mode is left out on purpose: see `segment.rs`.

mod bit_stream;
mod ec_level;
mod encode;
mod error_correction;
mod final_message;
mod format_information;
mod function_patterns;
mod masking;
pub mod payload;
mod penalty;
pub mod render;
mod segment;
mod symbol;
mod version;

pub use ec_level::{EcLevel, ParseNameError};
pub use encode::{EciPolicy, EncodeError, EncodeOptions, encode};
pub use payload::{FieldError, FieldSpec, PayloadKind};
pub use render::{ImageOptions, RenderError, Rgb};
pub use symbol::Symbol;
