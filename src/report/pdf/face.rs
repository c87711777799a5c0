//! The two faces of the report: which glyph a letter has, and how wide it is.

use krilla::text::{Font, GlyphId};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

static REGULAR: &[u8] = include_bytes!("../fonts/Roboto-Regular-lope.ttf");
static BOLD: &[u8] = include_bytes!("../fonts/Roboto-Bold-lope.ttf");

/// Drawn in place of a letter that the face does not have.
const BOX: char = '□';

/// A face.
pub(super) struct Face {
    /// As it is embedded.
    pub(super) font: Font,
    read: FontRef<'static>,
    units: f64,
}

/// A letter as it is drawn.
pub(super) struct Letter {
    /// Its glyph.
    pub(super) glyph: GlyphId,
    /// Its width at size 1.
    pub(super) advance: f64,
}

impl Face {
    fn load(bytes: &'static [u8]) -> Option<Self> {
        let read = FontRef::new(bytes).ok()?;
        let font = Font::new(bytes.into(), 0)?;
        let units = f64::from(font.units_per_em());
        Some(Self { font, read, units })
    }

    /// How a letter is drawn.
    pub(super) fn letter(&self, c: char) -> Letter {
        let map = self.read.charmap();
        // Separators that differ from a space in width or breaking only.
        let c = match c {
            '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
            c => c,
        };
        let id = map.map(c).filter(|id| id.to_u32() != 0).or_else(|| map.map(BOX));
        let id = id.unwrap_or_default();
        let widths = self.read.glyph_metrics(Size::unscaled(), LocationRef::default());
        Letter {
            glyph: GlyphId::new(id.to_u32()),
            advance: f64::from(widths.advance_width(id).unwrap_or(0.0)) / self.units,
        }
    }

    /// Width of a text, points.
    pub(super) fn width(&self, text: &str, size: f64) -> f64 {
        size * text.chars().map(|c| self.letter(c).advance).sum::<f64>()
    }
}

/// Regular and bold.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
}

impl Faces {
    /// The built-in faces.
    pub(super) fn load() -> Option<Self> {
        Some(Self {
            regular: Face::load(REGULAR)?,
            bold: Face::load(BOLD)?,
        })
    }

    /// The face of a weight.
    pub(super) fn of(&self, weight: super::super::chart::scene::Weight) -> &Face {
        match weight {
            super::super::chart::scene::Weight::Regular => &self.regular,
            super::super::chart::scene::Weight::Bold => &self.bold,
        }
    }
}
