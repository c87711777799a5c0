//! How a cue sounds: the terminal's bell, or a short click through whichever player the system has.

use crate::risk::cue::Cue;
use crate::runtime::asking::Mute;
use crate::runtime::cueing::{self, CueState};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Players of sound files, in the order in which they are tried.
const PLAYERS: [&[&str]; 4] = [&["pw-play"], &["paplay"], &["aplay", "-q"], &["afplay"]];
/// Samples a second of the click.
const RATE: u32 = 22_050;
/// How often it is looked whether the cue changed.
const LOOK: Duration = Duration::from_millis(10);

/// How cues are heard.
pub struct Sound {
    click: Option<(PathBuf, &'static [&'static str])>,
    playing: Vec<Child>,
}

/// A click of 25 ms, 1 kHz, as a WAV file (16 bits, one channel).
fn click() -> Vec<u8> {
    let n = RATE / 40;
    let mut samples = Vec::new();
    for k in 0..n {
        let t = f64::from(k) / f64::from(RATE);
        let fade = (-t * 160.0).exp();
        let x = (std::f64::consts::TAU * 1000.0 * t).sin() * fade * 0.6;
        samples.extend(((x * 32_767.0) as i16).to_le_bytes());
    }
    let bytes = samples.len() as u32;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend(1_u16.to_le_bytes());
    wav.extend(1_u16.to_le_bytes());
    wav.extend(RATE.to_le_bytes());
    wav.extend((2 * RATE).to_le_bytes());
    wav.extend(2_u16.to_le_bytes());
    wav.extend(16_u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    wav.extend(samples);
    wav
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|p| std::env::split_paths(&p).any(|dir| dir.join(program).is_file()))
}

impl Sound {
    /// The terminal's bell.
    #[must_use]
    pub fn bell() -> Self {
        Self {
            click: None,
            playing: Vec::new(),
        }
    }

    /// A click, its file in `dir`; `None` where the system has no player.
    #[must_use]
    pub fn click(dir: &Path) -> Option<Self> {
        let player = PLAYERS.into_iter().find(|p| on_path(p[0]))?;
        let path = dir.join("click.wav");
        std::fs::write(&path, click()).ok()?;
        Some(Self {
            click: Some((path, player)),
            playing: Vec::new(),
        })
    }

    fn once(&mut self) {
        self.playing.retain_mut(|c| c.try_wait().is_ok_and(|s| s.is_none()));
        match &self.click {
            Some((path, player)) => {
                let mut command = Command::new(player[0]);
                command.args(&player[1..]).arg(path);
                let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                // A player that cannot start is silent; the view still shows the cue.
                self.playing.extend(quiet.spawn());
            }
            None => {
                let _ = std::io::stderr().lock().write_all(b"\x07");
            }
        }
    }
}

/// Sounds cues and writes words until nobody cues any more. Muted, there is silence at once.
pub fn play(cues: &watch::Receiver<CueState>, mute: &Mute, mut sound: Sound, say: impl Fn(&str)) {
    let (mut said, mut next) = (None, Instant::now());
    while cues.has_changed().is_ok() {
        let cue = cues.borrow().cue;
        match cue {
            _ if mute.is_on() => {}
            Cue::Words { .. } if said != Some(cue) => {
                sound.once();
                say(&cueing::words(cue, mute));
            }
            Cue::Tick { target } if Instant::now() >= next => {
                sound.once();
                // From when it was due, so that the phase is kept.
                let step = Duration::from_secs_f64(60.0 / target.max(60.0));
                let late = Instant::now() - next > step;
                next = if late { Instant::now() + step } else { next + step };
            }
            _ => {}
        }
        said = Some(cue);
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_click_is_a_wave_file_of_the_length_it_says() {
        let wav = super::click();
        let number = |at: usize| u32::from_le_bytes([wav[at], wav[at + 1], wav[at + 2], wav[at + 3]]) as usize;
        assert_eq!((&wav[..4], &wav[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
        assert_eq!((number(4) + 8, number(40) + 44), (wav.len(), wav.len()));
    }
}
