//! The PDF of a report that holds everything a report can hold.

use super::pdf;
use crate::report::chart::{Body, Butterfly, Chart};
use crate::report::document::{Block, Cell, Column, Document, Paper, Row, Table, Text, Tone};

const HOSTILE: &str = "</b>(\\)<<>> %%EOF endobj \u{0}\u{202e} 李 🏃 \u{feff}\u{fffe}";

fn everything() -> Document {
    let t = || Text::plain(HOSTILE);
    let table = |rows: usize| Table {
        summary: HOSTILE.to_owned(),
        columns: vec![
            Column::words("Row", 0.4),
            Column::numbers("A", 0.3),
            Column::numbers("B", 0.3),
        ],
        rows: (0..rows)
            .flat_map(|i| {
                [
                    Row::Group(t()),
                    Row::Cells(vec![
                        Cell::new(format!("row {i}")),
                        Cell::new(""),
                        Cell::missing("not measured"),
                    ]),
                    Row::Cells(vec![Cell::new(t()), Cell::new("1 → 2").over(2)]),
                ]
            })
            .collect(),
        dense: true,
    };
    let chart = Chart {
        title: HOSTILE.to_owned(),
        desc: "Nothing is to be seen.".to_owned(),
        size: (250.0, 90.0),
        body: Body::Butterfly(Butterfly::default()),
    };
    Document {
        title: "Report".to_owned(),
        lang: "en".to_owned(),
        paper: Paper::A4,
        blocks: vec![
            Block::Heading(1, "Report ● ■ ▲ ◆ ⬢ ☐".into()),
            Block::Heading(2, t()),
            Block::Paragraph(Tone::Safety, t()),
            Block::Paragraph(Tone::Body, t().then_strong(HOSTILE)),
            Block::Facts(vec![(HOSTILE.to_owned(), t())]),
            Block::List(vec![t()]),
            Block::Checklist(vec![t()]),
            Block::Beside(Box::new(Block::Figure(chart.clone())), Box::new(Block::Figure(chart))),
            Block::Table(table(40)),
            Block::PageBreak,
            Block::Heading(3, "Last".into()),
            Block::Lines("Notes".to_owned(), 3),
            Block::Fields(vec!["Signature".to_owned(), "Day".to_owned()]),
        ],
        footer: vec!["Foot".to_owned()],
    }
}

#[test]
fn everything_passes_the_check_of_pdf_ua_whatever_the_names() {
    for paper in [Paper::A4, Paper::Letter] {
        let document = Document { paper, ..everything() };
        let bytes = pdf(&document).expect("a valid file");
        assert!(bytes.starts_with(b"%PDF-1."));
        let again = pdf(&document).expect("a valid file");
        assert_eq!(bytes, again, "the same report must be the same file");
    }
}

#[test]
fn a_figure_without_words_is_refused() {
    let mut document = everything();
    document.blocks.push(Block::Figure(Chart {
        title: "t".to_owned(),
        desc: String::new(),
        size: (100.0, 50.0),
        body: Body::Butterfly(Butterfly::default()),
    }));
    let refused = pdf(&document).expect_err("no alternative text");
    assert!(refused.what.contains("MissingAltText"), "{refused}");
}

#[test]
fn no_reader_of_pdf_finds_fault_with_the_mark_of_tags() {
    // A title that looks like the entry stays as it is.
    let title = "/MarkInfo<</Marked true/Suspects false>>";
    let document = Document {
        title: title.to_owned(),
        ..everything()
    };
    let bytes = pdf(&document).expect("a valid file");
    let count = |what: &[u8]| bytes.windows(what.len()).filter(|w| *w == what).count();
    assert_eq!(count(b"/Marked true  "), 1, "the entry of the catalogue");
    assert!(count(title.as_bytes()) >= 1, "the title is untouched");
    let plain = pdf(&everything()).expect("a valid file");
    assert!(!plain.windows(9).any(|w| w == b"/Suspects"));
}
