//! PNG (ISO/IEC 15948) with one bit for each pixel and a palette of two colours.
//!
//! An own writer, because the general ones spend their time on filters and matches that a two-colour image of large
//! squares does not need, and because it keeps this crate free of image libraries.

use super::{Geometry, ImageOptions, RenderError, SIZE_PX_MAX, deflate, geometry};
use crate::symbol::Symbol;

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1A\n";
const BIT_DEPTH: u8 = 1;
const COLOUR_TYPE_PALETTE: u8 = 3;
const FILTER_NONE: u8 = 0;

/// Draws a symbol as a PNG file of at most [`SIZE_PX_MAX`] pixels a side.
///
/// # Errors
/// When the options cannot be met: see [`RenderError`].
pub fn png(symbol: &Symbol, options: &ImageOptions) -> Result<Vec<u8>, RenderError> {
    let geometry = geometry(symbol, options)?;
    if geometry.size_px > u64::from(SIZE_PX_MAX) {
        return Err(RenderError::TooLarge {
            size_px: geometry.size_px,
        });
    }
    let size_px = geometry.size_px as u32;
    let (pixels, stride) = rows(symbol, &geometry);
    let compressed = deflate::zlib(&pixels, stride);

    let mut header = Vec::with_capacity(13);
    header.extend(size_px.to_be_bytes());
    header.extend(size_px.to_be_bytes());
    // Compression, filter and interlace methods are the only or the first ones.
    header.extend([BIT_DEPTH, COLOUR_TYPE_PALETTE, 0, 0, 0]);
    let palette = [options.light, options.dark].map(|colour| [colour.r, colour.g, colour.b]);

    let mut file = Vec::with_capacity(compressed.len() + 80);
    file.extend(SIGNATURE);
    push_chunk(&mut file, *b"IHDR", &header);
    push_chunk(&mut file, *b"PLTE", palette.as_flattened());
    push_chunk(&mut file, *b"IDAT", &compressed);
    push_chunk(&mut file, *b"IEND", &[]);
    Ok(file)
}

/// Scan lines, each with its filter byte, and the length of one. Light is palette index 0, so zero bytes are light.
fn rows(symbol: &Symbol, geometry: &Geometry) -> (Vec<u8>, usize) {
    let size_px = geometry.size_px as usize;
    let module_px = geometry.module_px as usize;
    let stride = 1 + size_px.div_ceil(8);
    let margin = (size_px - symbol.size() * module_px) / 2;
    let mut pixels = vec![FILTER_NONE; stride * size_px];
    for y in 0..symbol.size() {
        let first = (margin + y * module_px) * stride;
        for run in symbol.dark_runs(y) {
            let line = &mut pixels[first + 1..first + stride];
            fill(
                line,
                margin + run.start * module_px,
                margin + run.end * module_px,
            );
        }
        for copy in 1..module_px {
            pixels.copy_within(first..first + stride, first + copy * stride);
        }
    }
    (pixels, stride)
}

/// Sets the bits `start..end`, the leftmost pixel being the top bit of the first byte.
fn fill(line: &mut [u8], start: usize, end: usize) {
    let (first, last) = (start / 8, end / 8);
    let from_start = 0xFF_u8 >> (start % 8);
    let to_end = !(0xFF_u8 >> (end % 8));
    if first == last {
        line[first] |= from_start & to_end;
        return;
    }
    line[first] |= from_start;
    line[first + 1..last].fill(0xFF);
    // A run that ends with a byte leaves no bits for the next one, which may not exist.
    if to_end != 0 {
        line[last] |= to_end;
    }
}

fn push_chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    // At most about 2 MiB.
    file.extend((data.len() as u32).to_be_bytes());
    let checked_from = file.len();
    file.extend(kind);
    file.extend(data);
    let checksum = crc32fast::hash(&file[checked_from..]);
    file.extend(checksum.to_be_bytes());
}
