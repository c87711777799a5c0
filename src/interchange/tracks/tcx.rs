//! TCX: activities with their laps. Courses and workouts are plans and are left.
//!
//! A lap says its distance and its timed seconds; the sums are what the device says of the whole. Cadence of running
//! stands in the extensions `TPX/RunCadence` and `LX/AvgRunCadence`, strides of one leg a minute; `Cadence` is the older
//! place for it and for cycling.

use super::xml::{self, Node};
use super::{Point, Sport, Track, TrackError, instant, number, push};

/// Sums over laps that become means.
#[derive(Default)]
struct Laps {
    laps: usize,
    /// Seconds and value times seconds.
    heart: (f64, f64),
    cadence: (f64, f64),
    /// Of the lap being read.
    seconds: f64,
    heart_of_lap: Option<f64>,
    cadence_of_lap: Option<f64>,
}

impl Laps {
    fn end_lap(&mut self) {
        if let Some(v) = self.heart_of_lap.take() {
            self.heart = (self.heart.0 + self.seconds, self.heart.1 + v * self.seconds);
        }
        if let Some(v) = self.cadence_of_lap.take() {
            self.cadence = (self.cadence.0 + self.seconds, self.cadence.1 + v * self.seconds);
        }
        self.laps += 1;
        self.seconds = 0.0;
    }
}

fn mean((seconds, sum): (f64, f64)) -> Option<f64> {
    (seconds > 0.0).then(|| sum / seconds)
}

pub(super) fn read(text: &str) -> Result<Vec<Track>, TrackError> {
    let mut tracks: Vec<Track> = Vec::new();
    let mut laps = Laps::default();
    let mut point = Point::default();
    let mut latitude = None;
    let mut timed = false;
    // The first stretch of a lap goes on from the last lap; each further one follows a pause.
    let (mut stretches, mut new_stretch) = (0_usize, false);
    let (mut timeless, mut so_far) = (0_usize, 0_usize);
    xml::walk(text, |node| {
        match node {
            Node::Open(path, element) => match path {
                [.., "Activity"] => {
                    laps = Laps::default();
                    tracks.push(Track {
                        sport: sport(xml::attribute(element, "Sport").as_deref().unwrap_or("")),
                        ..Track::default()
                    });
                }
                [.., "Activity", "Lap"] => stretches = 0,
                [.., "Activity", "Lap", "Track"] => {
                    new_stretch = stretches > 0;
                    stretches += 1;
                }
                [.., "Track", "Trackpoint"] => {
                    (point, latitude, timed) = (Point::default(), None, false);
                }
                _ => {}
            },
            Node::Close(path, text) => {
                let Some(track) = tracks.last_mut() else { return Ok(()) };
                let device = &mut track.device;
                let add = |sum: &mut Option<f64>| {
                    if let Some(v) = number(text, 0.0..=1e7) {
                        *sum = Some(sum.unwrap_or(0.0) + v);
                    }
                };
                match path {
                    [.., "Activity", "Id"] => {
                        if let Some((at, offset_s)) = instant(text) {
                            track.start_us = Some(at);
                            track.utc_offset_s = track.utc_offset_s.or(offset_s);
                        }
                    }
                    [.., "Activity", "Lap", "TotalTimeSeconds"] => {
                        add(&mut device.timer_s);
                        laps.seconds = number(text, 0.0..=1e7).unwrap_or(0.0);
                    }
                    [.., "Activity", "Lap", "DistanceMeters"] => add(&mut device.distance_m),
                    [.., "Lap", "AverageHeartRateBpm", "Value"] => laps.heart_of_lap = number(text, 1.0..=260.0),
                    [.., "Lap", "Extensions", "LX", "AvgRunCadence"] => laps.cadence_of_lap = number(text, 1.0..=255.0),
                    [.., "Activity", "Lap"] => {
                        laps.end_lap();
                        device.heart_rate = mean(laps.heart);
                        device.cadence = mean(laps.cadence);
                    }
                    [.., "Track", "Trackpoint"] if timed => {
                        point.fresh = new_stretch;
                        new_stretch = false;
                        push(&mut track.points, point, &mut so_far)?;
                    }
                    [.., "Track", "Trackpoint"] => timeless += 1,
                    [.., "Trackpoint", "Time"] => {
                        if let Some((at_us, offset_s)) = instant(text) {
                            (point.at_us, timed) = (at_us, true);
                            track.utc_offset_s = track.utc_offset_s.or(offset_s);
                        }
                    }
                    [.., "Trackpoint", "Position", "LatitudeDegrees"] => latitude = number(text, -90.0..=90.0),
                    [.., "Trackpoint", "Position", "LongitudeDegrees"] => {
                        point.position = latitude.zip(number(text, -180.0..=180.0));
                    }
                    [.., "Trackpoint", "AltitudeMeters"] => point.elevation_m = number(text, -500.0..=9000.0),
                    [.., "Trackpoint", "DistanceMeters"] => point.distance_m = number(text, 0.0..=1e7),
                    [.., "Trackpoint", "HeartRateBpm", "Value"] => point.heart_rate = number(text, 1.0..=260.0),
                    [.., "Trackpoint", "Cadence"] => point.cadence = point.cadence.or(number(text, 0.0..=255.0)),
                    [.., "Trackpoint", "Extensions", "TPX", "RunCadence"] => point.cadence = number(text, 0.0..=255.0),
                    _ => {}
                }
            }
        }
        Ok(())
    })?;
    if tracks.is_empty() {
        return Err(TrackError::NoActivity(
            ": it has no <Activity> (courses and workouts are plans)".to_owned(),
        ));
    }
    let has_something = |t: &Track| !t.points.is_empty() || t.device.timer_s.is_some_and(|s| s > 0.0);
    if !tracks.iter().any(has_something) {
        return Err(if timeless > 0 {
            TrackError::NoTimes { points: timeless }
        } else {
            TrackError::NoActivity(": its activity has neither points nor a duration".to_owned())
        });
    }
    let found = tracks.len();
    tracks.retain(has_something);
    let hollow = found - tracks.len();
    if hollow > 0 {
        tracks[0]
            .remarks
            .push(format!("{hollow} activities without anything in them were left out"));
    }
    if timeless > 0 {
        tracks[0]
            .remarks
            .push(format!("{timeless} points without a time were left out"));
    }
    Ok(tracks)
}

fn sport(text: &str) -> Sport {
    match text {
        "" => Sport::Unsaid,
        "Running" => Sport::Running,
        other => Sport::Other(other.chars().take(40).collect()),
    }
}
