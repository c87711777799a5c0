//! XML as GPX and TCX need it: elements with their path and text, no entities, no document types, bounded depth.

use super::TrackError;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Deepest nesting: GPX and TCX with every known extension stay below a third of it.
const MAX_DEPTH: usize = 64;

/// Names of elements that are told apart; all others are `?` in a path.
const NAMES: [&str; 36] = [
    "gpx",
    "trk",
    "trkseg",
    "trkpt",
    "type",
    "time",
    "ele",
    "extensions",
    "hr",
    "heartrate",
    "cad",
    "cadence",
    "TrainingCenterDatabase",
    "Activities",
    "Activity",
    "Id",
    "Lap",
    "TotalTimeSeconds",
    "DistanceMeters",
    "AverageHeartRateBpm",
    "Value",
    "Track",
    "Trackpoint",
    "Time",
    "Position",
    "LatitudeDegrees",
    "LongitudeDegrees",
    "AltitudeMeters",
    "HeartRateBpm",
    "Cadence",
    "Extensions",
    "TPX",
    "RunCadence",
    "LX",
    "AvgRunCadence",
    "MultiSportSession",
];

/// What happens in a document.
pub(super) enum Node<'a> {
    /// An element begins: its path from the root, by local names, and its attributes.
    Open(&'a [&'static str], &'a BytesStart<'a>),
    /// An element ends: its path and its own text.
    Close(&'a [&'static str], &'a str),
}

fn known(element: &BytesStart<'_>) -> &'static str {
    let name = element.local_name();
    NAMES.iter().find(|n| **n == name.into_inner()).copied().unwrap_or("?")
}

/// The bytes as text.
pub(super) fn text(bytes: &[u8]) -> Result<&str, TrackError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| TrackError::Malformed {
        at: e.valid_up_to() as u64,
        what: "this is not UTF-8".to_owned(),
    })
}

/// Local name of the root element.
pub(super) fn root(text: &str) -> Result<String, TrackError> {
    let mut reader = Reader::from_str(text);
    loop {
        let event = reader.read_event().map_err(|e| malformed(&reader, &e.to_string()))?;
        match event {
            Event::Start(e) | Event::Empty(e) => return Ok(e.local_name().into_inner().to_owned()),
            Event::Eof => return Err(TrackError::NoActivity(": it has no element at all".to_owned())),
            _ => {}
        }
    }
}

/// An attribute of an element as it stands there.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .flatten()
        .find(|a| a.key.local_name().into_inner() == name)
        .map(|a| a.value.into_owned())
}

/// Goes through a document.
///
/// # Errors
/// What `node` says, and everything that is no XML without entities.
pub(super) fn walk(text: &str, mut node: impl FnMut(Node<'_>) -> Result<(), TrackError>) -> Result<(), TrackError> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<&'static str> = Vec::new();
    // Text of the innermost element only: elements here hold either text or elements.
    let mut own = String::new();
    loop {
        let event = reader.read_event().map_err(|e| malformed(&reader, &e.to_string()))?;
        match event {
            Event::Start(e) => {
                path.push(known(&e));
                if path.len() > MAX_DEPTH {
                    return Err(malformed(&reader, &format!("elements nested deeper than {MAX_DEPTH}")));
                }
                own.clear();
                node(Node::Open(&path, &e))?;
            }
            Event::Empty(e) => {
                path.push(known(&e));
                own.clear();
                node(Node::Open(&path, &e))?;
                node(Node::Close(&path, ""))?;
                path.pop();
            }
            Event::End(_) => {
                node(Node::Close(&path, own.trim()))?;
                path.pop();
                own.clear();
            }
            Event::Text(e) => own.push_str(&e.xml10_content()),
            Event::CData(e) => own.push_str(&e.xml10_content()),
            Event::GeneralRef(e) => match e.resolve_char_ref().ok().flatten() {
                Some(c) => own.push(c),
                None => match quick_xml::escape::resolve_predefined_entity(&e.xml10_content()) {
                    Some(plain) => own.push_str(plain),
                    None => return Err(malformed(&reader, "an entity, and entities are not expanded,")),
                },
            },
            Event::DocType(_) => {
                return Err(malformed(
                    &reader,
                    "a document type definition, which GPX and TCX do not have,",
                ));
            }
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => {
                let found = text.len() as u64;
                return Err(TrackError::Malformed {
                    at: found,
                    what: "it was cut off: not every element is closed,".to_owned(),
                });
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn malformed(reader: &Reader<&[u8]>, what: &str) -> TrackError {
    TrackError::Malformed {
        at: reader.error_position().max(reader.buffer_position()),
        what: what.to_owned(),
    }
}
