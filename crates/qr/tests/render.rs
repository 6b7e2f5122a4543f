//! Images show exactly the symbol: PNG is decoded with `flate2` as judge, SVG and text are read back by their shapes.

use std::io::Read as _;

use proptest::prelude::*;
use qr::{EncodeOptions, ImageOptions, RenderError, Rgb, Symbol, encode, render};

fn symbol(data: &str) -> Symbol {
    encode(data.as_bytes(), &EncodeOptions::default()).expect("the data fits")
}

struct Decoded {
    size_px: usize,
    palette: Vec<u8>,
    /// Filter byte and packed pixels of each line.
    lines: Vec<u8>,
}

impl Decoded {
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let stride = 1 + self.size_px.div_ceil(8);
        self.lines[y * stride + 1 + x / 8] >> (7 - x % 8) & 1 == 1
    }
}

fn decode_png(file: &[u8]) -> Decoded {
    let mut rest = file
        .strip_prefix(b"\x89PNG\r\n\x1A\n")
        .expect("a signature");
    let mut chunks = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (checked, after) = after.split_at(4 + u32::from_be_bytes(*length) as usize);
        let (crc, after) = after.split_first_chunk::<4>().expect("a checksum");
        assert_eq!(crc32fast::hash(checked), u32::from_be_bytes(*crc));
        chunks.push(checked.split_at(4));
        rest = after;
    }
    let [
        (b"IHDR", header),
        (b"PLTE", palette),
        (b"IDAT", data),
        (b"IEND", b""),
    ] = chunks[..]
    else {
        panic!("other chunks than those of a palette image");
    };
    let side = u32::from_be_bytes(header[..4].try_into().expect("four bytes"));
    assert_eq!(header[4..8], header[..4], "square");
    assert_eq!(header[8..], [1, 3, 0, 0, 0]);
    let mut lines = Vec::new();
    flate2::read::ZlibDecoder::new(data)
        .read_to_end(&mut lines)
        .expect("valid zlib");
    let size_px = side as usize;
    assert_eq!(lines.len(), size_px * (1 + size_px.div_ceil(8)));
    Decoded {
        size_px,
        palette: palette.to_vec(),
        lines,
    }
}

/// Every pixel of the image is the module that covers it, and light outside.
fn check_png(symbol: &Symbol, options: &ImageOptions) {
    let image = decode_png(&render::png(symbol, options).expect("an image"));
    let modules = symbol.size() + 2 * options.quiet_zone as usize;
    let module_px = match options.size_px {
        Some(size_px) => {
            assert_eq!(image.size_px, size_px as usize);
            size_px as usize / modules
        }
        None => options.module_px as usize,
    };
    let margin = (image.size_px - symbol.size() * module_px) / 2;
    for y in 0..image.size_px {
        for x in 0..image.size_px {
            let inside = x >= margin && y >= margin;
            let want = inside && symbol.is_dark((x - margin) / module_px, (y - margin) / module_px);
            assert_eq!(image.is_dark(x, y), want, "pixel {x}, {y}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn png_shows_the_symbol(
        data in "[a-zA-Z0-9]{1,300}",
        module_px in 1_u32..13,
        quiet_zone in 0_u32..6,
        size_px in prop::option::of(200_u32..700),
    ) {
        let options = ImageOptions { module_px, quiet_zone, size_px, ..ImageOptions::default() };
        check_png(&symbol(&data), &options);
    }
}

#[test]
fn png_has_the_colours_asked_for() {
    let options = ImageOptions {
        dark: Rgb::new(0x12, 0x34, 0x56),
        light: Rgb::new(0xFE, 0xDC, 0xBA),
        ..ImageOptions::default()
    };
    let image = decode_png(&render::png(&symbol("x"), &options).unwrap());
    assert_eq!(image.palette, [0xFE, 0xDC, 0xBA, 0x12, 0x34, 0x56]);
}

#[test]
fn png_files_are_small() {
    fn check(length: usize, size_px: u32, bytes_max: usize) {
        let options = ImageOptions {
            size_px: Some(size_px),
            ..ImageOptions::default()
        };
        let data: String = ('a'..='z').cycle().take(length).collect();
        let bytes = render::png(&symbol(&data), &options).unwrap().len();
        assert!(bytes <= bytes_max, "{length} bytes at {size_px}: {bytes}");
    }
    check(60, 300, 1500);
    check(60, 1000, 3200);
    check(400, 1000, 9000);
    check(1, 4096, 24_000);
}

#[test]
fn options_that_cannot_be_met_are_refused() {
    fn check(change: impl Fn(&mut ImageOptions), want: RenderError) {
        let mut options = ImageOptions::default();
        change(&mut options);
        assert_eq!(render::png(&symbol("x"), &options), Err(want));
        assert!(!want.to_string().is_empty());
    }
    let too_large = |size_px| RenderError::TooLarge { size_px };
    let too_small = RenderError::TooSmall { size_px_min: 29 };
    check(|o| o.size_px = Some(4097), too_large(4097));
    check(|o| o.module_px = 142, too_large(4118));
    check(
        |o| o.module_px = u32::MAX,
        too_large(29 * u64::from(u32::MAX)),
    );
    check(|o| o.size_px = Some(28), too_small);
    check(|o| o.size_px = Some(0), too_small);
    check(|o| o.module_px = 0, too_small);
    check(|o| o.quiet_zone = 65, RenderError::QuietZone);
    check(|o| o.quiet_zone = u32::MAX, RenderError::QuietZone);
    check(|o| o.light = o.dark, RenderError::SameColour);
    check(|o| o.title = Some("x".repeat(1025)), RenderError::Title);
}

#[test]
fn svg_shows_the_symbol() {
    let symbol = symbol("https://example.com/");
    let options = ImageOptions {
        quiet_zone: 2,
        size_px: Some(100_000),
        dark: Rgb::new(0, 0x33, 0x66),
        title: Some("Menu & prices".into()),
        ..ImageOptions::default()
    };
    let svg = render::svg(&symbol, &options).unwrap();
    assert!(svg.starts_with(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100000\" height=\"100000\" \
         viewBox=\"0 0 29 29\" role=\"img\" shape-rendering=\"crispEdges\">\
         <title>Menu &amp; prices</title>\
         <path fill=\"#ffffff\" d=\"M0 0h29v29H0z\"/><path fill=\"#003366\" d=\"M"
    ));
    let path = svg
        .rsplit("d=\"")
        .next()
        .unwrap()
        .strip_suffix("\"/></svg>\n")
        .unwrap();
    let mut drawn = vec![vec![false; 29]; 29];
    for run in path.split_terminator('z') {
        let run = run.strip_prefix('M').unwrap();
        let (start, rest) = run.split_once('h').unwrap();
        let (x, y) = start.split_once(' ').unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let (length, back) = rest.split_once("v1h-").unwrap();
        assert_eq!(length, back);
        drawn[y][x..x + length.parse::<usize>().unwrap()].fill(true);
    }
    for (y, row) in drawn.iter().enumerate() {
        for (x, &dark) in row.iter().enumerate() {
            let want = x >= 2 && y >= 2 && symbol.is_dark(x - 2, y - 2);
            assert_eq!(dark, want, "{x} {y}");
        }
    }
}

#[test]
fn text_shows_light_modules_as_blocks() {
    let symbol = symbol("x");
    let text = render::text(&symbol);
    let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    assert_eq!((lines.len(), lines[0].len()), (15, 29));
    for (y, line) in lines.iter().enumerate() {
        for (x, character) in line.iter().enumerate() {
            let light = match character {
                '█' => [true, true],
                '▀' => [true, false],
                '▄' => [false, true],
                _ => [false, false],
            };
            for (half, light) in light.into_iter().enumerate() {
                let y = 2 * y + half;
                let dark = x >= 4 && y >= 4 && symbol.is_dark(x - 4, y - 4);
                // Sides are odd: the lower half of the last line is below the image.
                assert_eq!(light, !dark && y < 29, "{x} {y}");
            }
        }
    }
}
