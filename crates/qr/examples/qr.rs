//! Writes a symbol to a PNG file (or SVG, by the file's name) and shows it in the terminal:
//! `cargo run -p qr --example qr -- "https://example.com" out.png [L|M|Q|H] [pixels a module]`.
//!
//! With `--batch <file>` each line is `<level> <pixels a module> <path> <payload as hex>`: that is how the images for a
//! cross-check with other decoders are made in one go.

use std::error::Error;

use qr::{EncodeOptions, ImageOptions, encode, render};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--batch", list] => batch(list),
        [text, path] => draw(text.as_bytes(), "M", "8", path),
        [text, path, level] => draw(text.as_bytes(), level, "8", path),
        [text, path, level, module_px] => draw(text.as_bytes(), level, module_px, path),
        _ => Err("usage: qr <text> <out.png> [L|M|Q|H] [pixels a module]".into()),
    }
}

fn draw(data: &[u8], level: &str, module_px: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let symbol = write(data, level, module_px, path)?;
    print!("{}", render::text(&symbol));
    println!(
        "version {}, level {}, mask {}: {path}",
        symbol.version(),
        symbol.ec_level(),
        symbol.mask()
    );
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "an example is outside of `world`"
)]
fn batch(list: &str) -> Result<(), Box<dyn Error>> {
    for line in std::fs::read_to_string(list)?.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [level, module_px, path, hex] = fields[..] else {
            return Err(format!("not four fields: {line}").into());
        };
        let data: Result<Vec<u8>, _> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16))
            .collect();
        if let Err(error) = write(&data?, level, module_px, path) {
            println!("{path}: {error}");
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "an example is outside of `world`"
)]
fn write(
    data: &[u8],
    level: &str,
    module_px: &str,
    path: &str,
) -> Result<qr::Symbol, Box<dyn Error>> {
    let options = EncodeOptions {
        ec_level: level.parse()?,
        boost_ec: false,
        ..EncodeOptions::default()
    };
    let symbol = encode(data, &options)?;
    let image = ImageOptions {
        module_px: module_px.parse()?,
        ..ImageOptions::default()
    };
    match path.ends_with(".svg") {
        true => std::fs::write(path, render::svg(&symbol, &image)?)?,
        false => std::fs::write(path, render::png(&symbol, &image)?)?,
    }
    Ok(symbol)
}
