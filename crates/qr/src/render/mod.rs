//! Drawing a symbol. Every format starts from the dark runs of each row, so no format draws module by module.

mod colour;
mod deflate;
mod png;
mod svg;
mod text;

use std::fmt;

use crate::symbol::Symbol;

pub use colour::Rgb;
pub use png::png;
pub use svg::svg;
pub use text::text;

/// Largest width and height of a raster image. A 4096 x 4096 image takes 2 MiB while it is made; print needs no more,
/// because at 177 modules it is 22 pixels a module, and SVG has no limit.
pub const SIZE_PX_MAX: u32 = 4096;
/// Widest quiet zone in modules. The standard asks for 4; beyond this a caller has mistaken modules for pixels.
pub const QUIET_ZONE_MODULES_MAX: u32 = 64;
/// Longest title in bytes: it is read aloud.
pub const TITLE_BYTES_MAX: usize = 1024;

/// How to draw. The default: 8 pixels a module, the standard's quiet zone of 4 modules, black on white.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageOptions {
    /// Exact width and height of the image. Modules get the largest whole number of pixels that fits, and what is left
    /// over widens the quiet zone. `None`: `module_px` decides.
    pub size_px: Option<u32>,
    /// Pixels for each module, where `size_px` is not given.
    pub module_px: u32,
    /// Light modules on each side. Readers need 4.
    pub quiet_zone: u32,
    /// Colour of dark modules.
    pub dark: Rgb,
    /// Colour of light modules and quiet zone.
    pub light: Rgb,
    /// What an SVG says to those who cannot see it. PNG has no place for it that programs read.
    pub title: Option<String>,
}

impl Default for ImageOptions {
    fn default() -> Self {
        ImageOptions {
            size_px: None,
            module_px: 8,
            quiet_zone: 4,
            dark: Rgb::BLACK,
            light: Rgb::WHITE,
            title: None,
        }
    }
}

/// Why a symbol was not drawn. Every case is for the caller's user to fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenderError {
    /// The image would be wider than [`SIZE_PX_MAX`].
    TooLarge {
        /// Width it would have.
        size_px: u64,
    },
    /// Not even one pixel for each module.
    TooSmall {
        /// The least width for this symbol and quiet zone.
        size_px_min: u32,
    },
    /// The quiet zone is wider than [`QUIET_ZONE_MODULES_MAX`].
    QuietZone,
    /// Dark and light are the same colour.
    SameColour,
    /// The title is longer than [`TITLE_BYTES_MAX`].
    Title,
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RenderError::TooLarge { size_px } => write!(
                f,
                "the image would be {size_px} pixels wide: ask for at most {SIZE_PX_MAX}, or for SVG"
            ),
            RenderError::TooSmall { size_px_min } => write!(
                f,
                "this symbol needs at least {size_px_min} pixels: ask for a larger image or encode less"
            ),
            RenderError::QuietZone => write!(
                f,
                "the quiet zone must be at most {QUIET_ZONE_MODULES_MAX} modules; 4 is the standard's"
            ),
            RenderError::SameColour => {
                f.write_str("dark and light must differ, or nothing can be read")
            }
            RenderError::Title => write!(f, "the title must be at most {TITLE_BYTES_MAX} bytes"),
        }
    }
}

impl std::error::Error for RenderError {}

/// Where the symbol lies in an image.
struct Geometry {
    /// Modules on each side with quiet zone.
    modules: u32,
    size_px: u64,
    module_px: u32,
}

fn geometry(symbol: &Symbol, options: &ImageOptions) -> Result<Geometry, RenderError> {
    if options.quiet_zone > QUIET_ZONE_MODULES_MAX {
        return Err(RenderError::QuietZone);
    }
    if options.dark == options.light {
        return Err(RenderError::SameColour);
    }
    if options
        .title
        .as_ref()
        .is_some_and(|title| title.len() > TITLE_BYTES_MAX)
    {
        return Err(RenderError::Title);
    }
    // At most 177 + 2 * 64.
    let modules = symbol.size() as u32 + 2 * options.quiet_zone;
    let (size_px, module_px) = match options.size_px {
        Some(size_px) => (u64::from(size_px), size_px / modules),
        None => (
            u64::from(modules) * u64::from(options.module_px),
            options.module_px,
        ),
    };
    if module_px == 0 {
        return Err(RenderError::TooSmall {
            size_px_min: modules,
        });
    }
    Ok(Geometry {
        modules,
        size_px,
        module_px,
    })
}
