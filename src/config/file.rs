//! The settings file taken apart: which keys stand in it and on which lines, values not looked at yet.

use super::Origin;
use super::problem::{Problem, nearest};
use super::settings::KEYS;
use std::ops::Range;
use std::path::Path;
use toml_edit::{Document, Item, TableLike};

/// A settings file as it stands.
pub(super) struct RawFile<'a> {
    /// Settings: index in [`KEYS`], line, text.
    pub(super) values: Vec<(usize, usize, String)>,
    /// Kits.
    pub(super) kits: Vec<RawKit<'a>>,
}

/// `[kit.NAME]`.
pub(super) struct RawKit<'a> {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) text: &'a str,
    pub(super) places: Vec<RawPlace<'a>>,
}

/// A key of a kit.
pub(super) struct RawPlace<'a> {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) item: &'a Item,
}

/// Reads the text as TOML.
pub(super) fn parse<'a>(path: &Path, text: &'a str) -> Result<Document<&'a str>, Box<Problem>> {
    Document::parse(text).map_err(|e| {
        Box::new(Problem {
            origin: Origin::File {
                path: path.to_owned(),
                line: e.span().map_or(1, |s| line_at(text, s.start)),
            },
            key: String::new(),
            found: None,
            what: format!("this is not TOML: {}", e.message().trim().replace('\n', ", ")),
            near: None,
        })
    })
}

/// Takes a document apart; appends what no one knows.
pub(super) fn take<'a>(path: &Path, document: &'a Document<&'a str>, problems: &mut Vec<Problem>) -> RawFile<'a> {
    let text: &'a str = document.raw();
    let mut raw = RawFile {
        values: Vec::new(),
        kits: Vec::new(),
    };
    let top = document.as_table();
    for (key, item) in top.iter() {
        let line = line_of_key(top, key, text).or(line_of(item.span(), text)).unwrap_or(1);
        let mut refuse = |found, what, near| {
            problems.push(Problem {
                origin: Origin::File {
                    path: path.to_owned(),
                    line,
                },
                key: key.to_owned(),
                found,
                what,
                near,
            });
        };
        if key == "kit" {
            match item.as_table_like() {
                Some(kits) => raw.kits = take_kits(kits, text, line, problems, path),
                None => refuse(Some(shown(item)), "expected tables: [kit.NAME]".to_owned(), None),
            }
        } else if key == "retention" {
            match item.as_table_like() {
                Some(limits) => take_limits(limits, text, line, &mut raw.values, problems, path),
                None => refuse(Some(shown(item)), "expected a table: [retention]".to_owned(), None),
            }
        } else if let Some(index) = KEYS.iter().position(|k| k.name == key) {
            match item.as_str() {
                Some(value) => raw.values.push((index, line, value.to_owned())),
                None => refuse(
                    Some(shown(item)),
                    format!("expected a text in quotes: {}", KEYS[index].allowed),
                    None,
                ),
            }
        } else {
            let plain = KEYS.iter().map(|k| k.name).filter(|n| !n.contains('.'));
            let known: Vec<&str> = plain.chain(["retention", "kit"]).collect();
            refuse(
                None,
                format!("no such key; one of {}", known.join(", ")),
                nearest(key, known.iter().copied()),
            );
        }
    }
    raw
}

/// The keys of `[retention]`: numbers, or texts that are numbers.
fn take_limits(
    limits: &dyn TableLike,
    text: &str,
    above: usize,
    values: &mut Vec<(usize, usize, String)>,
    problems: &mut Vec<Problem>,
    path: &Path,
) {
    for (key, item) in limits.iter() {
        let line = line_of_key(limits, key, text).unwrap_or(above);
        let name = format!("retention.{key}");
        let number = item
            .as_integer()
            .map(|n| n.to_string())
            .or_else(|| item.as_float().map(|n| n.to_string()))
            .or_else(|| item.as_str().map(str::to_owned));
        let known: Vec<&str> = KEYS.iter().map(|k| k.name).filter(|n| n.contains('.')).collect();
        let (found, what, near) = match (KEYS.iter().position(|k| k.name == name), number) {
            (Some(index), Some(number)) => {
                values.push((index, line, number));
                continue;
            }
            (Some(index), None) => (Some(shown(item)), format!("expected {}", KEYS[index].allowed), None),
            (None, _) => {
                let near = nearest(&name, known.iter().copied());
                (None, format!("no such key; one of {}", known.join(", ")), near)
            }
        };
        let path = path.to_owned();
        problems.push(Problem {
            origin: Origin::File { path, line },
            key: name,
            found,
            what,
            near,
        });
    }
}

fn take_kits<'a>(
    kits: &'a dyn TableLike,
    text: &'a str,
    above: usize,
    problems: &mut Vec<Problem>,
    path: &Path,
) -> Vec<RawKit<'a>> {
    let mut taken = Vec::new();
    for (name, item) in kits.iter() {
        let line = line_of_key(kits, name, text)
            .or(line_of(item.span(), text))
            .unwrap_or(above);
        let Some(kit) = item.as_table_like() else {
            problems.push(Problem {
                origin: Origin::File {
                    path: path.to_owned(),
                    line,
                },
                key: format!("kit.{name}"),
                found: Some(shown(item)),
                what: "expected a table of places: left_foot, right_foot, …".to_owned(),
                near: None,
            });
            continue;
        };
        let places = kit
            .iter()
            .map(|(place, item)| RawPlace {
                name: place.to_owned(),
                line: line_of_key(kit, place, text).unwrap_or(line),
                item,
            })
            .collect();
        taken.push(RawKit {
            name: name.to_owned(),
            line,
            text,
            places,
        });
    }
    taken
}

/// The line on which a key of a table stands, from 1.
pub(super) fn line_of_key(table: &dyn TableLike, key: &str, text: &str) -> Option<usize> {
    let (key, _) = table.get_key_value(key)?;
    line_of(key.span(), text)
}

fn line_of(span: Option<Range<usize>>, text: &str) -> Option<usize> {
    span.map(|s| line_at(text, s.start))
}

fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

/// A value as it stands in the file, on one line.
pub(super) fn shown(item: &Item) -> String {
    let text = item.to_string();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > 40 {
        text.chars().take(39).chain(['…']).collect()
    } else {
        text
    }
}
