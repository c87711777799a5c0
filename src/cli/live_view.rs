//! The live view: sensors, the newest value of each metric on both sides, what cues do, and keys to mark, mute and stop.
//! Drawn on a terminal, lines elsewhere.

use super::console::Console;
use super::live_keys::Keys;
use super::words;
use crate::metrics::MetricId;
use crate::model::Side;
use crate::runtime::asking::Mute;
use crate::runtime::cueing::{self, CueState};
use crate::runtime::live::{SHOWN, View};
use crate::runtime::record::{RecordView, SensorHealth};
use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::layout::{Constraint, Layout};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Row, Table};
use std::io::{self, Write as _};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Time between two drawings.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Off a terminal, time between two lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Newest notes of sensors that are shown.
const NOTES: usize = 4;

/// Cues as a view sees them: what they do, and the switch that mutes them.
#[derive(Clone, Debug)]
pub struct CueSeen {
    /// What they do.
    pub state: watch::Receiver<CueState>,
    /// Whether they are muted.
    pub mute: Mute,
}

impl CueSeen {
    fn words(&self) -> String {
        cueing::words(self.state.borrow().cue, &self.mute)
    }
}

/// What a view shows.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The session.
    pub view: watch::Receiver<View>,
    /// Sensors, where they are being recorded.
    pub record: Option<watch::Receiver<RecordView>>,
    /// Cues, where they were asked for.
    pub cue: Option<CueSeen>,
    /// What the session is called.
    pub name: String,
}

/// Draws until the session is over or `q` is pressed, which asks to stop.
///
/// # Errors
/// The terminal cannot be drawn on.
pub fn draw(seen: &Seen, mut keys: Keys) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let drawn = loop {
        let view = seen.view.borrow().clone();
        let record = seen.record.as_ref().map(|r| r.borrow().clone());
        let cue = seen.cue.as_ref().map(CueSeen::words);
        let shown = Shown {
            view: &view,
            record: record.as_ref(),
            name: &seen.name,
            cue: cue.as_deref(),
            foot: keys.help(),
        };
        if let Err(e) = terminal.draw(|frame| screen(frame, &shown)) {
            break Err(e);
        }
        if view.over || seen.view.has_changed().is_err() {
            break Ok(());
        }
        match event::poll(DRAW_EVERY) {
            Ok(false) => {}
            Ok(true) => match event::read() {
                // In raw mode the terminal hands Ctrl-C over as a key.
                Ok(Event::Key(k)) if k.kind == KeyEventKind::Press => keys.pressed(k.code, k.modifiers, view.signal_s),
                Ok(_) => {}
                Err(e) => break Err(e),
            },
            Err(e) => break Err(e),
        }
    };
    ratatui::restore();
    drawn
}

fn cell(view: &View, id: MetricId, side: Side) -> String {
    view.value(id, side)
        .map_or_else(|| "-".to_owned(), |v| words::number(id, v))
}

/// A sensor's line: state, losses, battery.
fn sensor_line(sensor: &SensorHealth) -> String {
    let place = sensor.placement.map_or(sensor.name.as_str(), |p| p.name());
    let mut text = format!("{place:<12} {:<11}", sensor.state);
    if let Some(percent) = sensor.battery_percent {
        text.push_str(&format!(" {percent:>3} %"));
    }
    let missing = sensor.missing_in_all();
    if missing > 0 {
        text.push_str(&format!("  {missing} samples missing"));
    }
    if sensor.fetched_samples > 0 {
        text.push_str(&format!("  {} fetched", sensor.fetched_samples));
    }
    if sensor.dropped_frames > 0 {
        text.push_str(&format!("  {} packets dropped here", sensor.dropped_frames));
    }
    if sensor.links_lost > 0 {
        text.push_str(&format!("  lost {}×", sensor.links_lost));
    }
    if let Some(bpm) = sensor.heart_rate {
        text.push_str(&format!("  {bpm} bpm"));
    }
    text
}

fn health_lines(view: &View, record: Option<&RecordView>) -> Vec<String> {
    let Some(record) = record else {
        let line = |(place, losses): &(crate::model::Placement, crate::pipeline::Losses)| {
            format!("{:<12} {}", place.name(), words::losses(losses))
        };
        return view.sensors.iter().map(line).collect();
    };
    let notes = record.notes.len().saturating_sub(NOTES);
    let mut lines: Vec<String> = record.sensors.iter().map(sensor_line).collect();
    lines.extend(view.notices.iter().cloned());
    lines.extend(
        record.notes[notes..]
            .iter()
            .map(|(t, note)| format!("{}  {note}", words::instant(*t))),
    );
    lines
}

/// One drawing.
struct Shown<'a> {
    view: &'a View,
    record: Option<&'a RecordView>,
    name: &'a str,
    cue: Option<&'a str>,
    foot: &'a str,
}

fn screen(frame: &mut Frame<'_>, shown: &Shown<'_>) {
    let (view, record) = (shown.view, shown.record);
    let lines = health_lines(view, record);
    let sensors = u16::try_from(lines.len()).unwrap_or(5) + 2;
    let rows = u16::try_from(SHOWN.len()).unwrap_or(8) + 3;
    let [head, cue, metrics, health, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(shown.cue.is_some())),
        Constraint::Length(rows),
        Constraint::Length(sensors),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let title = format!(
        "{}  {}  {} strides",
        shown.name,
        words::duration(view.signal_s),
        view.strides
    );
    frame.render_widget(Line::from(title), head);
    frame.render_widget(Line::from(shown.cue.unwrap_or_default()), cue);
    let table = SHOWN.iter().map(|id| {
        Row::new([
            id.def().label.to_owned(),
            cell(view, *id, Side::Left),
            cell(view, *id, Side::Right),
            id.def().shown_unit.to_owned(),
        ])
    });
    let widths = [
        Constraint::Length(26),
        Constraint::Length(9),
        Constraint::Length(9),
        Constraint::Length(10),
    ];
    let table = Table::new(table, widths)
        .header(Row::new(["newest", "left", "right", ""]))
        .block(Block::bordered());
    frame.render_widget(table, metrics);
    let health_lines: Vec<Line<'_>> = lines.into_iter().map(Line::from).collect();
    frame.render_widget(
        Paragraph::new(health_lines).block(Block::bordered().title("sensors")),
        health,
    );
    let fetching = record.is_some_and(|r| r.fetching);
    frame.render_widget(
        Line::from(if fetching {
            "stopped; fetching what the sensors still hold (Ctrl-C twice: leave that for next time)"
        } else {
            shown.foot
        }),
        foot,
    );
}

/// Writes a line to standard error every ten seconds until the session is over.
pub fn lines(seen: Seen, console: Console) {
    let (mut seen, cue) = (seen.view, seen.cue);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let mut last = Instant::now();
    let mut told = 0;
    // An error means: nobody sends any more, so the session is over.
    while runtime.block_on(seen.changed()).is_ok() {
        let view = seen.borrow_and_update().clone();
        for notice in view.notices.get(told..).unwrap_or_default() {
            console.advice(notice);
        }
        told = view.notices.len();
        if view.over {
            return;
        }
        if !console.quiet && last.elapsed() >= LINE_EVERY {
            last = Instant::now();
            let line = format!(
                "{}  {} strides  cadence {}  length L {} R {} m  contact L {} R {} ms{}\n",
                words::duration(view.signal_s),
                view.strides,
                cell(&view, MetricId::Cadence, Side::Right),
                cell(&view, MetricId::StrideLength, Side::Left),
                cell(&view, MetricId::StrideLength, Side::Right),
                cell(&view, MetricId::ContactTime, Side::Left),
                cell(&view, MetricId::ContactTime, Side::Right),
                cue.as_ref().map(|c| format!("  {}", c.words())).unwrap_or_default(),
            );
            // Nowhere is left to say that standard error is gone.
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }
}

/// Writes what sensors have to say to standard error, as they say it, until nobody records any more.
pub fn note_lines(mut seen: watch::Receiver<RecordView>, console: Console) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let mut told: Option<(crate::model::SessionTime, String)> = None;
    while runtime.block_on(seen.changed()).is_ok() {
        let notes = seen.borrow_and_update().notes.clone();
        // Notes are kept in a window: those after the one told last are new.
        let from = told
            .as_ref()
            .and_then(|t| notes.iter().rposition(|n| n == t))
            .map_or(0, |i| i + 1);
        for (t, note) in &notes[from..] {
            console.advice(&format!("{}  {note}", words::instant(*t)));
        }
        told = notes.last().cloned().or(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::live_keys::Can;
    use crate::runtime::asking::asking;
    use crate::runtime::stop::Stop;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    #[test]
    fn the_reason_for_silence_and_the_keys_stand_on_the_screen() {
        let (asking, _answering) = asking(&Stop::default());
        let keys = Keys::of(asking, Can::MarkAndMute);
        let view = View::default();
        let mut terminal = Terminal::new(TestBackend::new(100, 20)).expect("a terminal");
        let shown = Shown {
            view: &view,
            record: None,
            name: "thursday",
            cue: Some("cue: off while you warm up"),
            foot: keys.help(),
        };
        terminal.draw(|frame| screen(frame, &shown)).expect("drawn");
        let text = terminal.backend().to_string();
        assert!(
            text.contains("thursday") && text.contains("cue: off while you warm up"),
            "{text}"
        );
        assert!(text.contains("c mute cues") && text.contains("q stop"), "{text}");
    }
}
