//! GPX: tracks with their segments. Routes and single waypoints say where one may go, not where one went, and are left.
//!
//! Heart rate and cadence stand in extensions whose prefix every program chooses; they are known by their local names
//! `hr` and `cad`. What was done stands in `<type>`, as a word or as Strava's number (9 is a run).

use super::xml::{self, Node};
use super::{Point, Sport, Track, TrackError, instant, number, push};

pub(super) fn read(text: &str) -> Result<Vec<Track>, TrackError> {
    let mut tracks: Vec<Track> = Vec::new();
    let mut point = Point::default();
    let mut timed = false;
    let mut new_segment = false;
    let (mut timeless, mut so_far) = (0_usize, 0_usize);
    xml::walk(text, |node| {
        match node {
            Node::Open(path, element) => match path.get(1..).unwrap_or_default() {
                ["trk"] => tracks.push(Track::default()),
                ["trk", "trkseg"] => new_segment = true,
                ["trk", "trkseg", "trkpt"] => {
                    let degrees = |name: &str, limit: f64| number(&xml::attribute(element, name)?, -limit..=limit);
                    point = Point {
                        position: degrees("lat", 90.0).zip(degrees("lon", 180.0)),
                        ..Point::default()
                    };
                    timed = false;
                }
                _ => {}
            },
            Node::Close(path, text) => {
                let Some(track) = tracks.last_mut() else { return Ok(()) };
                match path.get(1..).unwrap_or_default() {
                    ["trk", "type"] => track.sport = sport(text),
                    ["trk", "trkseg", "trkpt"] if timed => {
                        point.fresh = new_segment;
                        new_segment = false;
                        push(&mut track.points, point, &mut so_far)?;
                    }
                    ["trk", "trkseg", "trkpt"] => timeless += 1,
                    ["trk", "trkseg", "trkpt", "time"] => {
                        if let Some((at_us, offset_s)) = instant(text) {
                            (point.at_us, timed) = (at_us, true);
                            track.utc_offset_s = track.utc_offset_s.or(offset_s);
                        }
                    }
                    ["trk", "trkseg", "trkpt", "ele"] => point.elevation_m = number(text, -500.0..=9000.0),
                    ["trk", "trkseg", "trkpt", .., "hr" | "heartrate"] => point.heart_rate = number(text, 1.0..=260.0),
                    ["trk", "trkseg", "trkpt", .., "cad" | "cadence"] => point.cadence = number(text, 0.0..=255.0),
                    _ => {}
                }
            }
        }
        Ok(())
    })?;
    let found = tracks.len();
    tracks.retain(|t| !t.points.is_empty());
    if tracks.is_empty() {
        return Err(match (timeless, found) {
            (0, 0) => TrackError::NoActivity(": it has no track (routes and waypoints are no runs)".to_owned()),
            (0, _) => TrackError::NoActivity(": its track has no points".to_owned()),
            (points, _) => TrackError::NoTimes { points },
        });
    }
    if timeless > 0 {
        tracks[0]
            .remarks
            .push(format!("{timeless} points without a time were left out"));
    }
    Ok(tracks)
}

fn sport(text: &str) -> Sport {
    let word = text.to_ascii_lowercase();
    match word.as_str() {
        "" => Sport::Unsaid,
        "9" => Sport::Running,
        _ if word.contains("run") || word.contains("jog") => Sport::Running,
        _ => Sport::Other(text.chars().take(40).collect()),
    }
}
