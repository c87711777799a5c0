//! The control point of Polar measurement data: features, settings, commands and replies.
//!
//! Source: Polar BLE SDK, technical_documentation/online_measurement.pdf. The maker's own program takes the rest of a long
//! reply from further indications with a header of their own; a form without header but with the `more` byte in front is
//! read too.

use super::super::bytes::{Bytes, Refusal};
use super::frame::Kind;

/// The maker's number of SDK mode.
const SDK_MODE: u8 = 9;
/// Longest reply put together, bytes: far above what any list of settings needs.
const LONGEST_REPLY: usize = 2048;
/// First byte of features read.
const FEATURES: u8 = 0x0F;

/// What a sensor can measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Specific force.
    pub acc: bool,
    /// Angular rate.
    pub gyro: bool,
    /// Magnetic field.
    pub mag: bool,
    /// SDK mode: faster and wider than it is sold for.
    pub sdk_mode: bool,
}

impl Features {
    /// Decodes what was *read* from the control point.
    ///
    /// # Errors
    /// `short`, `not features`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        match bytes {
            [FEATURES, first, rest @ ..] => Ok(Self {
                acc: first & 0x04 != 0,
                gyro: first & 0x20 != 0,
                mag: first & 0x40 != 0,
                sdk_mode: rest.first().is_some_and(|second| second & 0x02 != 0),
            }),
            [FEATURES] | [] => Err(Refusal("short")),
            _ => Err(Refusal("not features")),
        }
    }

    /// Whether a notification of the control point is only the echo of reading it (BlueZ sends one).
    #[must_use]
    pub fn is_echo(bytes: &[u8]) -> bool {
        bytes.first() == Some(&FEATURES)
    }
}

/// One list of settings: what is offered, or what is chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Sample rates, Hz.
    pub rates: Vec<u16>,
    /// Resolutions, bits.
    pub resolutions: Vec<u16>,
    /// Ranges, g or °/s.
    pub ranges: Vec<u16>,
    /// Ranges in thousandths.
    pub milli_ranges: Vec<u32>,
    /// Channels.
    pub channels: Vec<u8>,
    /// The factor of all values; told at the start.
    pub factor: Option<f32>,
}

impl Settings {
    /// Decodes a list of type, count and values.
    ///
    /// # Errors
    /// `settings cut`, `unknown setting`, `factor is not a number above zero`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        const CUT: Refusal = Refusal("settings cut");
        let mut settings = Self::default();
        let mut b = Bytes(bytes);
        while b.len() > 0 {
            let number = b.u8().ok_or(CUT)?;
            let count = usize::from(b.u8().ok_or(CUT)?);
            for _ in 0..count {
                match number {
                    0 => settings.rates.push(b.u16().ok_or(CUT)?),
                    1 => settings.resolutions.push(b.u16().ok_or(CUT)?),
                    2 => settings.ranges.push(b.u16().ok_or(CUT)?),
                    3 => settings.milli_ranges.push(b.u32().ok_or(CUT)?),
                    4 => settings.channels.push(b.u8().ok_or(CUT)?),
                    5 => {
                        let factor = b.f32().ok_or(CUT)?;
                        if !(factor.is_finite() && factor > 0.0) {
                            return Err(Refusal("factor is not a number above zero"));
                        }
                        settings.factor = Some(factor);
                    }
                    6 => {
                        b.take(16).ok_or(CUT)?;
                    }
                    _ => return Err(Refusal("unknown setting")),
                }
            }
        }
        Ok(settings)
    }
}

/// One choice out of [`Settings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Sample rate, Hz.
    pub rate: u16,
    /// Resolution, bits, if offered.
    pub resolution: Option<u16>,
    /// Range, g or °/s, if offered.
    pub range: Option<u16>,
    /// Channels, if offered.
    pub channels: Option<u8>,
}

impl Choice {
    /// The smallest rate and range not below what is wanted, or the largest; the finest resolution. `None` without a rate.
    #[must_use]
    pub fn nearest(offered: &Settings, rate_hz: f64, range: f64) -> Option<Self> {
        Some(Self {
            rate: nearest_above(&offered.rates, rate_hz)?,
            resolution: offered.resolutions.iter().copied().max(),
            range: nearest_above(&offered.ranges, range),
            channels: offered.channels.iter().copied().max(),
        })
    }
}

fn nearest_above(offered: &[u16], wanted: f64) -> Option<u16> {
    let offered = || offered.iter().copied().filter(|v| *v > 0);
    // Converted units do not come out even: 16 g in m/s² and back may be a hair above 16.
    let enough = |v: u16| f64::from(v) >= wanted * (1.0 - 1e-6);
    offered().filter(|v| enough(*v)).min().or_else(|| offered().max())
}

/// Whether SDK mode is on: its settings are asked for by another command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As sold.
    Normal,
    /// SDK mode.
    Sdk,
}

/// A command to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// What can be chosen.
    Settings(Kind, Mode),
    /// Start.
    Start(Kind, Choice),
    /// Stop.
    Stop(Kind),
    /// Turn SDK mode on.
    SdkOn,
    /// Turn it off.
    SdkOff,
}

impl Request {
    /// The bytes to write.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::Settings(kind, Mode::Normal) => vec![1, kind.number()],
            Self::Settings(kind, Mode::Sdk) => vec![4, kind.number()],
            Self::Stop(kind) => vec![3, kind.number()],
            Self::SdkOn => vec![2, SDK_MODE],
            Self::SdkOff => vec![3, SDK_MODE],
            Self::Start(kind, choice) => {
                let mut bytes = vec![2, kind.number(), 0, 1];
                bytes.extend(choice.rate.to_le_bytes());
                for (number, value) in [(1, choice.resolution), (2, choice.range)] {
                    if let Some(value) = value {
                        bytes.extend([number, 1]);
                        bytes.extend(value.to_le_bytes());
                    }
                }
                if let Some(channels) = choice.channels {
                    bytes.extend([4, 1, channels]);
                }
                bytes
            }
        }
    }
}

/// How a sensor answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0.
    Ok,
    /// 6: already so.
    AlreadyInState,
    /// 10: the agreed packets are too small.
    Mtu,
    /// 12: not in this state.
    State,
    /// 13: it is charging.
    InCharger,
    /// Any other number.
    Refused(u8),
}

impl Status {
    const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Ok,
            6 => Self::AlreadyInState,
            10 => Self::Mtu,
            12 => Self::State,
            13 => Self::InCharger,
            n => Self::Refused(n),
        }
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::AlreadyInState => "already in that state",
            Self::Mtu => "the agreed packets are too small",
            Self::State => "not possible in its present state",
            Self::InCharger => "it is in its charger",
            Self::Refused(1) => "unknown command",
            Self::Refused(2) => "unknown measurement",
            Self::Refused(3) => "not supported",
            Self::Refused(4) => "wrong length",
            Self::Refused(5) => "wrong parameter",
            Self::Refused(7) => "resolution not offered",
            Self::Refused(8) => "rate not offered",
            Self::Refused(9) => "range not offered",
            Self::Refused(11) => "channels not offered",
            Self::Refused(14) => "its storage is full",
            Self::Refused(_) => "refused for a reason unknown to lope",
        }
    }
}

/// What an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Settings of a kind.
    Settings(Kind),
    /// Start of a kind.
    Start(Kind),
    /// Stop of a kind.
    Stop(Kind),
    /// SDK mode on.
    SdkOn,
    /// SDK mode off.
    SdkOff,
    /// Anything lope does not ask.
    Other,
}

/// A whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it belongs to.
    pub about: About,
    /// How it went.
    pub status: Status,
    /// Its parameters.
    pub params: Vec<u8>,
}

/// An indication of the control point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indication {
    /// A reply, whole.
    Reply(Reply),
    /// A reply of which more comes.
    More,
    /// The sensor stopped these measurements by itself.
    Stopped(Vec<Kind>),
    /// The echo of reading the features.
    Echo,
}

/// Puts replies together that come in several indications.
#[derive(Clone, Debug, Default)]
pub struct Replies {
    held: Option<([u8; 3], Vec<u8>)>,
}

impl Replies {
    /// Forgets what was begun: a new link, or nothing more came.
    pub fn clear(&mut self) {
        self.held = None;
    }

    /// Takes an indication.
    ///
    /// # Errors
    /// `short`, `not a reply`, `continuation of another reply`, `reply too long`.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Indication, Refusal> {
        if let [0xF0, op, number, status, rest @ ..] = bytes {
            let head = [*op, *number, *status];
            let (more, params) = rest.split_first().map_or((false, rest), |(m, p)| (*m & 1 != 0, p));
            let before = match self.held.take() {
                Some((of, before)) if of == head => before,
                Some(_) | None => Vec::new(),
            };
            return self.extend(head, before, params, more);
        }
        if let Some((head, before)) = self.held.take() {
            return match bytes {
                [more @ 0..=1, params @ ..] => self.extend(head, before, params, *more == 1),
                _ => Err(Refusal("continuation of another reply")),
            };
        }
        match bytes {
            [] => Err(Refusal("short")),
            [1, kinds @ ..] if !kinds.is_empty() => Ok(Indication::Stopped(
                kinds.iter().filter_map(|n| Kind::from_number(n & 0x3F)).collect(),
            )),
            _ if Features::is_echo(bytes) => Ok(Indication::Echo),
            [0xF0, ..] => Err(Refusal("short")),
            _ => Err(Refusal("not a reply")),
        }
    }

    fn extend(&mut self, head: [u8; 3], mut before: Vec<u8>, params: &[u8], more: bool) -> Result<Indication, Refusal> {
        if before.len() + params.len() > LONGEST_REPLY {
            return Err(Refusal("reply too long"));
        }
        before.extend(params);
        if more {
            self.held = Some((head, before));
            return Ok(Indication::More);
        }
        let [op, number, status] = head;
        let kind = Kind::from_number(number & 0x7F);
        let about = match (op, kind) {
            (1 | 4, Some(kind)) => About::Settings(kind),
            (2, Some(kind)) => About::Start(kind),
            (3, Some(kind)) => About::Stop(kind),
            (2, None) if number == SDK_MODE => About::SdkOn,
            (3, None) if number == SDK_MODE => About::SdkOff,
            _ => About::Other,
        };
        Ok(Indication::Reply(Reply {
            about,
            status: Status::from_number(status),
            params: before,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings as an H10 offers them: 25 to 200 Hz, 16 bit, 2 4 8 g.
    const OFFERED: [u8; 22] = [0, 4, 25, 0, 50, 0, 100, 0, 200, 0, 1, 1, 16, 0, 2, 3, 2, 0, 4, 0, 8, 0];

    #[test]
    fn commands_are_the_bytes_of_the_document() {
        let choice = Choice::nearest(&Settings::decode(&OFFERED).expect("whole"), 200.0, 8.0).expect("a rate");
        assert_eq!(
            Request::Start(Kind::Acc, choice).encode(),
            [2, 2, 0, 1, 0xC8, 0, 1, 1, 0x10, 0, 2, 1, 8, 0]
        );
        assert_eq!(Request::Stop(Kind::Acc).encode(), [3, 2]);
        assert_eq!(Request::Settings(Kind::Gyro, Mode::Sdk).encode(), [4, 5]);
        assert_eq!(Request::Settings(Kind::Gyro, Mode::Normal).encode(), [1, 5]);
        assert_eq!(Request::SdkOn.encode(), [2, 9]);
        assert_eq!(Request::SdkOff.encode(), [3, 9]);
    }

    #[test]
    fn the_nearest_not_below_is_chosen_or_the_largest() {
        let offered = Settings::decode(&OFFERED).expect("whole");
        let rate = |hz| Choice::nearest(&offered, hz, 1.0).map(|c| c.rate);
        assert_eq!([rate(1.0), rate(51.0), rate(1e4)], [Some(25), Some(100), Some(200)]);
        let range = |g| Choice::nearest(&offered, 1.0, g).and_then(|c| c.range);
        assert_eq!(
            [range(4.0 + 1e-9), range(4.5), range(16.0)],
            [Some(4), Some(8), Some(8)]
        );
        assert_eq!(Choice::nearest(&Settings::default(), 1.0, 1.0), None);
    }

    #[test]
    fn settings_cut_anywhere_are_refused_except_between_two() {
        for n in 0..OFFERED.len() {
            assert_eq!(Settings::decode(&OFFERED[..n]).is_ok(), [0, 10, 14].contains(&n), "{n}");
        }
        assert_eq!(Settings::decode(&[7, 1, 0]), Err(Refusal("unknown setting")));
        let mut bad = vec![5, 1];
        bad.extend(f32::NAN.to_le_bytes());
        assert!(Settings::decode(&bad).is_err());
        let mut good = vec![6, 1];
        good.extend([0; 16]);
        good.extend([5, 1, 0, 0, 0x80, 0x3F]);
        assert_eq!(Settings::decode(&good).map(|s| s.factor), Ok(Some(1.0)));
    }

    #[test]
    fn a_long_reply_is_put_together_in_either_form() {
        for second in [vec![0xF0, 1, 2, 0, 0], vec![0]] {
            let mut replies = Replies::default();
            let mut first = vec![0xF0, 1, 2, 0, 1];
            first.extend(&OFFERED[..10]);
            let mut second = second;
            second.extend(&OFFERED[10..]);
            assert_eq!(replies.take(&first), Ok(Indication::More));
            let Ok(Indication::Reply(reply)) = replies.take(&second) else {
                panic!("whole");
            };
            assert_eq!((reply.about, reply.status), (About::Settings(Kind::Acc), Status::Ok));
            assert_eq!(reply.params, OFFERED);
        }
    }

    #[test]
    fn replies_stops_echoes_and_rubbish_are_told_apart() {
        let mut replies = Replies::default();
        assert_eq!(
            replies.take(&[0xF0, 2, 5, 6]),
            Ok(Indication::Reply(Reply {
                about: About::Start(Kind::Gyro),
                status: Status::AlreadyInState,
                params: vec![],
            }))
        );
        assert_eq!(
            replies.take(&[1, 2, 0, 5]),
            Ok(Indication::Stopped(vec![Kind::Acc, Kind::Gyro]))
        );
        assert_eq!(replies.take(&[0x0F, 0x24, 2]), Ok(Indication::Echo));
        assert_eq!(replies.take(&[0xF0, 2]), Err(Refusal("short")));
        assert_eq!(replies.take(&[]), Err(Refusal("short")));
        assert_eq!(replies.take(&[9, 9]), Err(Refusal("not a reply")));
        assert_eq!(replies.take(&[0xF0, 1, 2, 0, 1, 7]), Ok(Indication::More));
        assert_eq!(replies.take(&[9, 9]), Err(Refusal("continuation of another reply")));
    }

    #[test]
    fn features_are_bits_of_two_bytes() {
        let h10 = Features::decode(&[0x0F, 0x05, 0]).expect("whole");
        assert!(h10.acc && !h10.gyro && !h10.mag && !h10.sdk_mode);
        let verity = Features::decode(&[0x0F, 0x6E, 0x02]).expect("whole");
        assert!(verity.acc && verity.gyro && verity.mag && verity.sdk_mode);
        assert_eq!(Features::decode(&[0x0F]), Err(Refusal("short")));
        assert_eq!(Features::decode(&[1, 2, 3]), Err(Refusal("not features")));
    }

    proptest::proptest! {
        #[test]
        fn any_indications_return_and_hold_little(frames in proptest::collection::vec(proptest::collection::vec(0..=255_u8, 0..64), 0..80)) {
            let mut replies = Replies::default();
            for frame in frames {
                let _ = replies.take(&frame);
                proptest::prop_assert!(replies.held.as_ref().is_none_or(|(_, p)| p.len() <= LONGEST_REPLY));
                let _ = Settings::decode(&frame);
                let _ = Features::decode(&frame);
            }
        }
    }
}
