//! A report as a tree: headings, paragraphs, tables, figures. HTML and PDF are two prints of it and say the same.
//!
//! Text enters through [`clean`], which takes away what has no place in a line: control characters, and marks that turn the
//! direction of what follows (a name could use them to write over its neighbours).

use super::chart::Chart;
use crate::review::LevelWord;

/// Sheet of paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    /// 210 by 297 mm.
    #[default]
    A4,
    /// 8.5 by 11 inches.
    Letter,
}

impl Paper {
    /// Width and height, points.
    #[must_use]
    pub fn size(self) -> (f64, f64) {
        match self {
            Self::A4 => (595.28, 841.89),
            Self::Letter => (612.0, 792.0),
        }
    }

    /// Its name in a style sheet.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A4 => "A4",
            Self::Letter => "letter",
        }
    }
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// As usual.
    Plain(String),
    /// Bold.
    Strong(String),
}

impl Run {
    /// Its words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Strong(text) => text,
        }
    }
}

/// A line of text in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Run>);

impl Text {
    /// Text as usual.
    #[must_use]
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self(vec![Run::Plain(clean(text.as_ref()))])
    }

    /// Bold text.
    #[must_use]
    pub fn strong(text: impl AsRef<str>) -> Self {
        Self(vec![Run::Strong(clean(text.as_ref()))])
    }

    /// With more text as usual.
    #[must_use]
    pub fn then(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Run::Plain(clean(text.as_ref())));
        self
    }

    /// With more bold text.
    #[must_use]
    pub fn then_strong(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Run::Strong(clean(text.as_ref())));
        self
    }

    /// All its words.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.iter().map(Run::text).collect()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

/// How much a paragraph weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As usual.
    Body,
    /// A remark: smaller, grey.
    Note,
    /// The safety text: in a frame, large.
    Safety,
}

/// How a value of a cell is to be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// As it is.
    #[default]
    Plain,
    /// There is none; the text says why, or a note does. Hatched.
    Missing,
    /// It is doubtful (few windows, sides that may be exchanged). Marked with `?`.
    Doubtful,
    /// It is what the row is about: bold.
    Strong,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// What stands in it.
    pub text: Text,
    /// How it is to be taken.
    pub trust: Trust,
    /// Columns it spans; 0 counts as 1.
    pub span: usize,
    /// How it stands, where not as its column does.
    pub align: Option<Align>,
}

impl Cell {
    /// A cell with text.
    #[must_use]
    pub fn new(text: impl Into<Text>) -> Self {
        Self {
            text: text.into(),
            trust: Trust::Plain,
            span: 1,
            align: None,
        }
    }

    /// No value; `text` says why, shortly.
    #[must_use]
    pub fn missing(text: impl Into<Text>) -> Self {
        Self {
            text: text.into(),
            trust: Trust::Missing,
            span: 1,
            align: None,
        }
    }

    /// The same, taken otherwise.
    #[must_use]
    pub fn as_trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// The same over several columns.
    #[must_use]
    pub fn over(mut self, columns: usize) -> Self {
        self.span = columns;
        self
    }

    /// The same, standing otherwise than its column.
    #[must_use]
    pub fn aligned(mut self, align: Align) -> Self {
        self.align = Some(align);
        self
    }

    /// What is written: doubtful values end in a question mark.
    #[must_use]
    pub fn shown(&self) -> Text {
        match self.trust {
            Trust::Doubtful => self.text.clone().then(" ?"),
            _ => self.text.clone(),
        }
    }
}

/// How a column stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// To the left: words.
    #[default]
    Left,
    /// To the right: numbers.
    Right,
    /// In the middle: what belongs to several columns.
    Centre,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its head.
    pub head: Text,
    /// How its cells stand.
    pub align: Align,
    /// Share of the table's width.
    pub share: f64,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn words(head: impl Into<Text>, share: f64) -> Self {
        Self {
            head: head.into(),
            align: Align::Left,
            share,
        }
    }

    /// A column of numbers.
    #[must_use]
    pub fn numbers(head: impl Into<Text>, share: f64) -> Self {
        Self {
            head: head.into(),
            align: Align::Right,
            share,
        }
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A head over the rows below it.
    Group(Text),
    /// Cells; the first is the head of the row.
    Cells(Vec<Cell>),
}

/// A table. The first cell of each row is its head.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What it holds, for who does not see it.
    pub summary: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Smaller type, for tables with many columns.
    pub dense: bool,
}

/// A part of a report.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading of level 1 (the title), 2 or 3.
    Heading(u8, Text),
    /// A paragraph.
    Paragraph(Tone, Text),
    /// Facts: name and value.
    Facts(Vec<(String, Text)>),
    /// Points in a list.
    List(Vec<Text>),
    /// Points to tick by hand.
    Checklist(Vec<Text>),
    /// Lines to write on by hand: what for, and how many.
    Lines(String, usize),
    /// Fields to fill in by hand beside each other (signature, place and day).
    Fields(Vec<String>),
    /// A table.
    Table(Table),
    /// A chart.
    Figure(Chart),
    /// Parts under each other that are one part: a column beside another.
    Together(Vec<Block>),
    /// Two parts beside each other where there is room.
    Beside(Box<Block>, Box<Block>),
    /// A new page.
    PageBreak,
}

/// A report.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Its language.
    pub lang: String,
    /// The paper it is laid out for.
    pub paper: Paper,
    /// Its parts.
    pub blocks: Vec<Block>,
    /// What stands under every page: purpose, footer, versions.
    pub footer: Vec<String>,
}

/// The shape of a level with its word, as text.
#[must_use]
pub fn level_mark(level: LevelWord) -> &'static str {
    match level {
        LevelWord::NotEnoughData => "– not enough data",
        LevelWord::None => "none",
        LevelWord::Info => "· info",
        LevelWord::Watch => "▲ watch",
        LevelWord::High => "◆ high",
        LevelWord::Stop => "⬢ stop",
    }
}

/// Text without what has no place in a line; line breaks and tabs become spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let nothing = |c: char| {
        matches!(
            c,
            '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{200b}' | '\u{2028}' | '\u{2029}'
        ) || ('\u{e000}'..='\u{f8ff}').contains(&c)
    };
    text.chars()
        .filter(|c| !turns(*c) && !nothing(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

impl Document {
    /// All words of the report in reading order, one part a line: for tests and for `--json`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for block in &self.blocks {
            block_words(block, &mut out);
        }
        for line in &self.footer {
            out.push_str(line);
            out.push('\n');
        }
        out
    }
}

fn block_words(block: &Block, out: &mut String) {
    let mut say = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    match block {
        Block::Heading(_, text) | Block::Paragraph(_, text) => say(&text.words()),
        Block::Facts(facts) => facts
            .iter()
            .for_each(|(name, value)| say(&format!("{name} {}", value.words()))),
        Block::List(items) | Block::Checklist(items) => items.iter().for_each(|i| say(&i.words())),
        Block::Lines(what, _) => say(what),
        Block::Fields(fields) => fields.iter().for_each(|f| say(f)),
        Block::Table(t) => {
            say(&t.summary);
            t.columns.iter().for_each(|c| say(&c.head.words()));
            for row in &t.rows {
                match row {
                    Row::Group(text) => say(&text.words()),
                    Row::Cells(cells) => cells.iter().for_each(|c| say(&c.shown().words())),
                }
            }
        }
        Block::Figure(chart) => {
            say(&chart.title);
            say(&chart.desc);
            for mark in &super::chart::draw(chart).marks {
                if let super::chart::scene::Mark::Text { text, .. } = mark {
                    say(text);
                }
            }
        }
        Block::Beside(a, b) => {
            block_words(a, out);
            block_words(b, out);
        }
        Block::Together(parts) => parts.iter().for_each(|p| block_words(p, out)),
        Block::PageBreak => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_a_line_or_turn_around() {
        assert_eq!(clean("a\nb\tc\u{202e}d\u{2066}e\u{0}f\u{feff}g"), "a b cde fg");
        assert_eq!(clean("Zoë Μαρία Жанна 李"), "Zoë Μαρία Жанна 李");
    }

    #[test]
    fn levels_differ_in_shape_and_word() {
        let all = [
            LevelWord::NotEnoughData,
            LevelWord::None,
            LevelWord::Info,
            LevelWord::Watch,
            LevelWord::High,
            LevelWord::Stop,
        ];
        let marks: std::collections::BTreeSet<&str> = all.iter().map(|l| level_mark(*l)).collect();
        assert_eq!(marks.len(), all.len());
    }
}
