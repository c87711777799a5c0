//! A report as one HTML file: no script, nothing fetched from anywhere, readable on a telephone and printed well.
//!
//! The file carries its own content security policy: nothing may be loaded, and the only style allowed is the one inside it,
//! by its SHA-256. A name that tried to smuggle in markup would still be text; if it were not, the policy would stop it.

use super::chart::svg;
use super::document::{Align, Block, Cell, Document, Row, Run, Table, Text, Tone, Trust, clean};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// A text in HTML, without what has no place in a line.
fn escaped(text: &str) -> String {
    svg::escaped(&clean(text))
}

const STYLE: &str = include_str!("style.css");
/// A table with more columns than this scrolls on a narrow screen.
const NARROW: usize = 4;
/// A chart wider than this scrolls on a narrow screen, points.
const HALF: f64 = 300.0;

/// The whole file.
#[must_use]
pub fn html(document: &Document) -> String {
    let style = format!("{STYLE}{}", page_style(document));
    let hash = base64(&Sha256::digest(style.as_bytes()));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n",
        lang = escaped(&document.lang),
        title = escaped(&document.title),
    );
    let mut at_break = false;
    for part in &document.blocks {
        at_break = match part {
            Block::PageBreak => true,
            _ => {
                block(part, at_break, &mut out);
                false
            }
        };
    }
    out.push_str("</main>\n<footer>\n");
    for line in &document.footer {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "<p>{}</p>", escaped(line));
    }
    out.push_str("</footer>\n</body>\n</html>\n");
    out
}

/// Paper, and what stands at the foot of each printed page.
fn page_style(document: &Document) -> String {
    let quoted = |text: &str| {
        let mut out = String::from("\"");
        for c in clean(text).chars() {
            match c {
                // A quotation mark, a backslash, or a sign that could end the style: as its number.
                '"' | '\\' | '<' | '>' | '&' => {
                    let _ = write!(out, "\\{:x} ", c as u32);
                }
                c => out.push(c),
            }
        }
        out + "\""
    };
    let foot = document.footer.join("  ");
    format!(
        "@page {{ size: {paper}; margin: 10mm 13mm 15mm; \
         @bottom-left {{ content: {foot}; font: 6.4pt/1.25 system-ui, sans-serif; color: #444; width: 88%; vertical-align: top; padding-top: 2mm; }} \
         @bottom-right {{ content: counter(page) \" / \" counter(pages); font: 7pt system-ui, sans-serif; color: #444; vertical-align: top; padding-top: 2mm; }} }}\n",
        paper = document.paper.name(),
        foot = quoted(&foot),
    )
}

fn text(of: &Text) -> String {
    let piece = |run: &Run| match run {
        Run::Plain(words) => escaped(words),
        Run::Strong(words) => format!("<strong>{}</strong>", escaped(words)),
    };
    of.0.iter().map(piece).collect()
}

fn block(part: &Block, at_break: bool, out: &mut String) {
    let class = if at_break { " class=\"new-page\"" } else { "" };
    // Writing to a String cannot fail.
    let _ = match part {
        Block::Heading(level, words) => {
            let level = (*level).clamp(1, 6);
            writeln!(out, "<h{level}{class}>{}</h{level}>", text(words))
        }
        Block::Paragraph(Tone::Body, words) => writeln!(out, "<p>{}</p>", text(words)),
        Block::Paragraph(Tone::Note, words) => writeln!(out, "<p class=\"note\">{}</p>", text(words)),
        Block::Paragraph(Tone::Safety, words) => {
            writeln!(out, "<p class=\"safety\" role=\"note\">{}</p>", text(words))
        }
        Block::Facts(facts) => {
            out.push_str("<dl class=\"facts\">\n");
            for (name, value) in facts {
                let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escaped(name), text(value));
            }
            writeln!(out, "</dl>")
        }
        Block::List(items) => list("", items, out),
        Block::Checklist(items) => list(" class=\"check\"", items, out),
        Block::Together(parts) => {
            parts.iter().for_each(|p| block(p, false, out));
            Ok(())
        }
        Block::Lines(what, count) => {
            if !what.is_empty() {
                let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(what));
            }
            writeln!(out, "{}", "<div class=\"rule\"></div>".repeat(*count))
        }
        Block::Fields(fields) => {
            let each: String = fields.iter().map(|f| format!("<p>{}</p>", escaped(f))).collect();
            writeln!(out, "<div class=\"fields\">{each}</div>")
        }
        Block::Table(t) => {
            table(t, out);
            Ok(())
        }
        Block::Figure(chart) => {
            let title = escaped(&chart.title);
            let (kind, open, close) = if chart.size.0 > HALF {
                ("wide", scroll(&title), "</div>")
            } else {
                ("half", String::new(), "")
            };
            writeln!(
                out,
                "<figure class=\"{kind}\"><figcaption>{title}</figcaption>{open}{}{close}</figure>",
                svg::svg(chart)
            )
        }
        Block::Beside(a, b) => {
            out.push_str("<div class=\"beside\">\n<div>\n");
            block(a, false, out);
            out.push_str("</div>\n<div>\n");
            block(b, false, out);
            writeln!(out, "</div>\n</div>")
        }
        Block::PageBreak => Ok(()),
    };
}

fn list(class: &str, items: &[Text], out: &mut String) -> std::fmt::Result {
    writeln!(out, "<ul{class}>")?;
    for item in items {
        writeln!(out, "<li>{}</li>", text(item))?;
    }
    writeln!(out, "</ul>")
}

/// A frame that scrolls sideways, by keys too.
fn scroll(label: &str) -> String {
    format!("<div class=\"scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">")
}

fn table(t: &Table, out: &mut String) {
    let wide = t.columns.len() > NARROW;
    let label = escaped(&t.summary);
    let open = if wide {
        scroll(&label)
    } else {
        "<div class=\"scroll\">".to_owned()
    };
    let class = if wide { " class=\"wide\"" } else { "" };
    let _ = write!(out, "{open}<table{class} aria-label=\"{label}\">\n<thead><tr>");
    for column in &t.columns {
        let class = number_class(column.align);
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", text(&column.head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &t.rows {
        match row {
            Row::Group(words) => {
                let _ = writeln!(
                    out,
                    "<tr class=\"group\"><th scope=\"colgroup\" colspan=\"{}\">{}</th></tr>",
                    t.columns.len(),
                    text(words)
                );
            }
            Row::Cells(cells) => {
                out.push_str("<tr>");
                let mut column = 0;
                for (i, cell) in cells.iter().enumerate() {
                    let align = t.columns.get(column).map_or(Align::Left, |c| c.align);
                    out.push_str(&one_cell(cell, i == 0, align));
                    column += cell.span.max(1);
                }
                out.push_str("</tr>\n");
            }
        }
    }
    out.push_str("</tbody></table></div>\n");
}

fn number_class(align: Align) -> &'static str {
    match align {
        Align::Left => "",
        Align::Right => " class=\"n\"",
        Align::Centre => " class=\"c\"",
    }
}

fn one_cell(cell: &Cell, head: bool, align: Align) -> String {
    let span = if cell.span > 1 {
        format!(" colspan=\"{}\"", cell.span)
    } else {
        String::new()
    };
    let words = text(&cell.shown());
    if head {
        return format!("<th scope=\"row\"{span}>{words}</th>");
    }
    let mut classes = Vec::new();
    match cell.trust {
        Trust::Plain => {}
        Trust::Missing => classes.push("missing"),
        Trust::Doubtful => classes.push("doubt"),
        Trust::Strong => classes.push("strong"),
    }
    match cell.align.unwrap_or(align) {
        Align::Left => {}
        Align::Right => classes.push("n"),
        Align::Centre => classes.push("c"),
    }
    let class = if classes.is_empty() {
        String::new()
    } else {
        format!(" class=\"{}\"", classes.join(" "))
    };
    format!("<td{class}{span}>{words}</td>")
}

/// Base64 with padding, as a content security policy wants it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let value = group.iter().fold(0_u32, |v, b| (v << 8) | u32::from(*b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            if i <= group.len() {
                let digit = (value >> (18 - 6 * i)) & 63;
                out.push(char::from(DIGITS[digit as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::{Column, Paper};

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    const HOSTILE: &str = "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\\\n\u{202e}";

    fn hostile() -> Document {
        let t = || Text::plain(HOSTILE);
        Document {
            title: super::super::document::clean(HOSTILE),
            lang: "en".to_owned(),
            paper: Paper::A4,
            blocks: vec![
                Block::Heading(1, t()),
                Block::Paragraph(Tone::Body, t().then_strong(HOSTILE)),
                Block::Facts(vec![(HOSTILE.to_owned(), t())]),
                Block::List(vec![t()]),
                Block::Checklist(vec![t()]),
                Block::Lines(HOSTILE.to_owned(), 2),
                Block::Fields(vec![HOSTILE.to_owned()]),
                Block::Table(Table {
                    summary: HOSTILE.to_owned(),
                    columns: vec![Column::words(t(), 1.0); 6],
                    rows: vec![Row::Group(t()), Row::Cells(vec![Cell::new(t()).over(6)])],
                    dense: false,
                }),
                Block::Figure(super::super::chart::Chart {
                    title: HOSTILE.to_owned(),
                    desc: HOSTILE.to_owned(),
                    size: (200.0, 100.0),
                    body: super::super::chart::Body::Stack(Default::default()),
                }),
            ],
            footer: vec![HOSTILE.to_owned()],
        }
    }

    #[test]
    fn hostile_names_stay_text_in_every_field() {
        let page = html(&hostile());
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'));
        for (what, count) in [
            ("<style>", 1),
            ("</style>", 1),
            ("<title>", 1),
            ("</title>", 2),
            ("onerror=", 0),
        ] {
            // The SVG has a title of its own; as text `onerror=` stands behind `&lt;img`.
            let plain = page.replace("&lt;img src=x onerror=", "").replace("<title id", "");
            let plain = plain.replace("\\3c img src=x onerror=", "");
            assert_eq!(plain.matches(what).count(), count, "{what}");
        }
    }

    #[test]
    fn the_policy_allows_exactly_the_style_inside() {
        let page = html(&hostile());
        let style = page
            .split_once("<style>")
            .expect("style")
            .1
            .split_once("</style>")
            .expect("end")
            .0;
        let hash = base64(&Sha256::digest(style.as_bytes()));
        assert!(page.contains(&format!("style-src 'sha256-{hash}'")));
        assert!(page.contains("default-src 'none'"));
        assert!(!page.contains(" style=") && !page.contains("unsafe-inline"));
    }
}
